"""Invented people, provider-neutral: names in many scripts, addresses, phones, notes with every character that hurts.

Pure: the same generator of chance gives the same people in the same order. All addresses end in reserved domains
(RFC 2606), all persons are invented.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

PHOTO_SHARE = 0.15

# Given names, family names, and whether the family name comes first; one row per script or custom.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "english": (
        ("Mary", "James", "Patricia", "Oliver", "Siobhán", "Jack", "Zoë", "Mary-Jane"),
        ("Smith", "O'Neill", "Taylor-Jones", "MacDonald", "Brown", "St. John", "Ng"),
        False,
    ),
    "german": (("Jürgen", "Käthe", "Björn", "Ulrike", "Sören"), ("Müller", "Weiß", "von der Höhe", "Schröder"), False),
    "french": (("Élodie", "François", "Anaïs", "Jean-Luc"), ("L'Œuvre", "Lefèvre", "d'Estaing", "Benoît"), False),
    "spanish": (("José María", "Begoña", "Iñaki", "Lucía"), ("García Márquez", "Núñez y Peña", "de la Cruz"), False),
    "polish": (("Łukasz", "Małgorzata", "Żaneta"), ("Wiśniewski", "Brzęczyszczykiewicz", "Dąbrowska"), False),
    "turkish": (("İbrahim", "Gülşen", "Çağla"), ("Yıldız", "Öztürk", "Işık"), False),
    "vietnamese": (("Thị Hồng", "Văn Đức", "Minh"), ("Nguyễn", "Trần", "Phạm"), True),
    "hungarian": (("Ágnes", "Győző", "Tünde"), ("Kovács", "Szőke", "Nagy"), True),
    "icelandic": (("Þórdís", "Guðmundur", "Ægir"), ("Jónsdóttir", "Þorvaldsson"), False),
    "russian": (("Анна", "Михаил", "Юлия", "Пётр"), ("Иванова", "Щербаков", "Ёлкина"), False),
    "greek": (("Ελένη", "Γιώργος", "Άννα"), ("Παπαδόπουλος", "Οικονόμου"), False),
    "chinese": (("伟", "秀英", "小明"), ("王", "李", "欧阳"), True),
    "japanese": (("翼", "美咲", "健太"), ("愛川", "佐藤", "渡邉"), True),
    "korean": (("민준", "서연", "지우"), ("김", "이", "남궁"), True),
    "arabic": (("محمد", "فاطمة", "عبد الله"), ("الحسيني", "بن علي"), False),
    "hebrew": (("נועה", "יוסף"), ("כהן", "בן־דוד"), False),
    "hindi": (("आरव", "प्रिया"), ("शर्मा", "वर्मा"), False),
    "thai": (("สมชาย", "มาลี"), ("สุขใจ", "ทองดี"), False),
    "amharic": (("አበበ", "ሰላም"), ("ተስፋዬ", "ከበደ"), False),
}
COMMON = ("english", "german", "french", "spanish")
COMMON_SHARE = 0.5

PHONETIC = {
    "翼": "ツバサ",
    "美咲": "ミサキ",
    "健太": "ケンタ",
    "愛川": "アイカワ",
    "佐藤": "サトウ",
    "渡邉": "ワタナベ",
    "伟": "Wěi",
    "秀英": "Xiùyīng",
    "小明": "Xiǎomíng",
    "王": "Wáng",
    "李": "Lǐ",
    "欧阳": "Ōuyáng",
}
LATIN_LOCAL_PARTS = ("info", "mail", "contact", "kitty", "the.boss", "x", "first.last", "no+reply", "o'hara", "a_b-c")
DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "büro.example", "sub.domain.example")
MAIL_LABELS = ("home", "work", "other", "", "Newsletter", "Ferienhaus; privat")
PHONE_LABELS = ("mobile", "home", "work", "workFax", "homeFax", "pager", "main", "other", "", "Dacha", "Auto, Firma")
ADDRESS_LABELS = ("home", "work", "other", "Summer house")
PREFIXES = ("Dr.", "Prof. Dr.", "Mr.", "Señora", "Sir")
SUFFIXES = ("Jr.", "III", "PhD, MD", "MBE")
MIDDLES = ("B.", "Maria", "van", "Q. R.", "Élie")
NICKNAMES = ("Bob", "Lulu", "The Boss", "Mäxchen", "🦊", "Jo, the plumber")
CUSTOM_FIELDS = (
    *(("Shoe size", "42"), ("Locker", "B;17"), ("Allergies", "nuts, gluten"), ("Wi-Fi", "pa:ss\\word")),
    *(("🎂 cake", "Käsekuchen"), ("URL scheme", "x:y=1;z")),
)
RELATIONS = ("spouse", "child", "mother", "manager", "assistant", "friend", "Patenonkel")
CATEGORIES = ("Family", "Work", "Book club", "Nachbarn & Freunde", "VIP, really")
URLS = (
    *("https://example.com/~someone", "https://example.org/?a=1,2;b=%20", "http://blog.example.net/über-uns"),
    *("https://example.com/a/very/long/path/that/does/not/fit/on/one/folded/line/of/seventy-five/octets/at/all",),
)
EMPLOYERS = (
    *(("Example, Inc.", "Research; Development", "Senior Engineer"), ("Müller & Söhne GmbH", "Einkauf", "Leiterin")),
    *(
        ("Ministère de l'Eau", "", "Attachée"),
        ("有限会社愛建工業", "営業部", "専務取締役"),
        ("ООО «Пример»", "", "Бухгалтер"),
    ),
    *(
        ("Acme", "", ""),
        ("", "", 'Freelance "artist"'),
        ("The Very Long Company Name of Nowhere, Ltd. & Co. KG", "R&D", "VP"),
    ),
)
NOTES = (
    "Met at the conference.",
    "Likes tea, coffee; dislikes: mornings",
    "Line one\nLine two\n\n  indented line four",
    "Emoji 🎉👩‍👩‍👧‍👦 and flags 🇩🇪🇯🇵, skin tone 👍🏽",
    "Back\\slash, \"quotes\", 'apostrophes', <b>tags</b> & ampersands",
    "שלום עולם — right to left, then left to right",
    "Combining: e\u0301 a\u0308 n\u0303, zero width joiner: क्‍ष",
    "BEGIN:VCARD\nEND:VCARD\nlooks like a card, is none",
    "Tab\tseparated\tvalues and trailing space ",
    "100 % – «guillemets» … ‘curly’ “quotes” €",
)
LONG_NOTE = "Lorem ipsum dolor sit amet, consectetur; ünd weiter. "

# Street, city, region, postal code, country, country code.
ADDRESSES = (
    ("1 Main Street", "Springfield", "IL", "62701", "United States", "US"),
    ("221B Example Street\nFlat 3, rear", "London", "", "NW1 6XE", "United Kingdom", "GB"),
    ("Unter den Linden 77", "Berlin", "", "10117", "Deutschland", "DE"),
    ("12, rue de l'Église", "Saint-Étienne", "", "42000", "France", "FR"),
    ("Calle Mayor, 5; 2º dcha.", "Alcalá de Henares", "Madrid", "28801", "España", "ES"),
    ("千代田1-1", "千代田区", "東京都", "100-0001", "日本", "JP"),
    ("ул. Примерная, д. 3, кв. 14", "Москва", "", "101000", "Россия", "RU"),
    ("شارع النيل ١٢", "القاهرة", "", "11511", "مصر", "EG"),
    ("Av. Paulista 1000", "São Paulo", "SP", "01310-100", "Brasil", "BR"),
)
PHONES = (
    *("+1 (555) 010-{:04d}", "+44 20 7946 {:04d}", "+49 30 2312 5{:04d}", "030/2312-{:04d}", "+81 3-5550-{:04d}"),
    *("555-{:04d} ext. 12", "+33 1 99 00 {:04d}", "0800 FLOWERS {:04d}", "*100#{:04d}"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A mail address, phone number or link under its label ("" when it has none)."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostalAddress:
    """A postal address; parts may be empty."""

    label: str
    street: str  # may hold line breaks
    city: str
    region: str
    postal_code: str
    country: str
    country_code: str
    extended: str
    po_box: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Employer:
    """An organisation somebody belongs to; parts may be empty."""

    name: str
    department: str
    title: str
    is_current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolPerson:
    """Somebody invented. Empty strings, None and empty tuples mean "not known"."""

    given: str
    middle: str
    family: str
    prefix: str
    suffix: str
    phonetic_given: str
    phonetic_family: str
    family_first: bool
    nickname: str
    mails: tuple[Labelled, ...]
    phones: tuple[Labelled, ...]
    addresses: tuple[PostalAddress, ...]
    employers: tuple[Employer, ...]
    birthday: tuple[int | None, int, int] | None  # year (None: unknown), month, day
    anniversary: tuple[int, int, int] | None
    note: str
    urls: tuple[Labelled, ...]
    relations: tuple[Labelled, ...]  # label: the relation; value: a name
    custom: tuple[Labelled, ...]
    categories: tuple[str, ...]
    is_starred: bool
    has_photo: bool

    @property
    def display_name(self) -> str:
        """As people write it, without prefix and suffix; "" when there is no name at all."""
        parts = (self.family, self.given) if self.family_first else (self.given, self.middle, self.family)
        return " ".join(part for part in parts if part)


class Pool:
    """An endless row of invented people and pieces of them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def person(self) -> PoolPerson:
        """The next one: mostly full, sometimes only an organisation, only a mail address, or only a phone."""
        shape = self._chance.random()
        if shape < 0.04:
            return self._bare(mails=(self._mail(),))
        if shape < 0.08:
            return self._bare(employers=(self._employer(),), phones=(self._phone(),))
        if shape < 0.10:
            return self._bare(phones=(self._phone(),))
        return self._full()

    def note(self) -> str:
        """A note; a long one now and then."""
        if self._chance.random() < 0.02:
            return LONG_NOTE * self._chance.randint(20, 150)
        return self._chance.choice(NOTES)

    def address(self) -> PostalAddress:
        """A postal address."""
        street, city, region, code, country, country_code = self._chance.choice(ADDRESSES)
        return PostalAddress(
            label=self._chance.choice(ADDRESS_LABELS),
            street=street,
            city=city,
            region=region,
            postal_code=code,
            country=country,
            country_code=country_code,
            extended=self._perhaps(0.1, ("c/o Nobody", "2nd floor")),
            po_box=self._perhaps(0.05, ("PO Box 123", "Postfach 10 01")),
        )

    def full_name(self) -> str:
        """Only a name, e.g. for an attendee."""
        given, family, first = self._name()
        return f"{family} {given}" if first else f"{given} {family}"

    def mail_address(self) -> str:
        """Only a mail address, unique enough for a guest list."""
        return (
            f"{self._chance.choice(LATIN_LOCAL_PARTS)}{self._chance.randrange(10_000)}@{self._chance.choice(DOMAINS)}"
        )

    def _full(self) -> PoolPerson:
        chance = self._chance
        given, family, family_first = self._name()
        return PoolPerson(
            given=given,
            middle=self._perhaps(0.12, MIDDLES) if not family_first else "",
            family=family if chance.random() > 0.03 else "",
            prefix=self._perhaps(0.08, PREFIXES),
            suffix=self._perhaps(0.05, SUFFIXES),
            phonetic_given=PHONETIC.get(given, ""),
            phonetic_family=PHONETIC.get(family, ""),
            family_first=family_first,
            nickname=self._perhaps(0.1, NICKNAMES),
            mails=tuple(self._mail() for _ in range(self._count((0, 1, 1, 1, 2, 3)))),
            phones=tuple(self._phone() for _ in range(self._count((0, 1, 1, 2, 2, 4)))),
            addresses=tuple(self.address() for _ in range(self._count((0, 0, 1, 1, 2)))),
            employers=tuple(self._employer() for _ in range(self._count((0, 0, 1, 1, 2)))),
            birthday=self._birthday() if chance.random() < 0.4 else None,
            anniversary=(chance.randint(1950, 2025), chance.randint(1, 12), chance.randint(1, 28))
            if chance.random() < 0.08
            else None,
            note=self.note() if chance.random() < 0.3 else "",
            urls=tuple(self._url() for _ in range(self._count((0, 0, 0, 1, 2)))),
            relations=tuple(self._relation() for _ in range(self._count((0, 0, 0, 0, 1, 2)))),
            custom=tuple(self._custom() for _ in range(self._count((0, 0, 0, 0, 1, 2)))),
            categories=tuple(sorted({chance.choice(CATEGORIES) for _ in range(self._count((0, 0, 1, 2)))})),
            is_starred=chance.random() < 0.06,
            has_photo=chance.random() < PHOTO_SHARE,
        )

    def _bare(
        self,
        *,
        mails: tuple[Labelled, ...] = (),
        phones: tuple[Labelled, ...] = (),
        employers: tuple[Employer, ...] = (),
    ) -> PoolPerson:
        return PoolPerson(
            given="",
            middle="",
            family="",
            prefix="",
            suffix="",
            phonetic_given="",
            phonetic_family="",
            family_first=False,
            nickname="",
            mails=mails,
            phones=phones,
            addresses=(),
            employers=employers,
            birthday=None,
            anniversary=None,
            note="",
            urls=(),
            relations=(),
            custom=(),
            categories=(),
            is_starred=False,
            has_photo=False,
        )

    def _name(self) -> tuple[str, str, bool]:
        kinds = COMMON if self._chance.random() < COMMON_SHARE else tuple(NAMES)
        given, family, family_first = NAMES[self._chance.choice(kinds)]
        return self._chance.choice(given), self._chance.choice(family), family_first

    def _birthday(self) -> tuple[int | None, int, int]:
        if self._chance.random() < 0.1:
            return (None, 2, 29) if self._chance.random() < 0.5 else (2000, 2, 29)
        year = None if self._chance.random() < 0.25 else self._chance.randint(1925, 2020)
        return year, self._chance.randint(1, 12), self._chance.randint(1, 28)

    def _mail(self) -> Labelled:
        return Labelled(label=self._chance.choice(MAIL_LABELS), value=self.mail_address())

    def _phone(self) -> Labelled:
        number = self._chance.choice(PHONES).format(self._chance.randrange(10_000))
        return Labelled(label=self._chance.choice(PHONE_LABELS), value=number)

    def _employer(self) -> Employer:
        name, department, title = self._chance.choice(EMPLOYERS)
        return Employer(name=name, department=department, title=title, is_current=self._chance.random() < 0.7)

    def _url(self) -> Labelled:
        return Labelled(
            label=self._chance.choice(("homePage", "work", "blog", "Portfolio")), value=self._chance.choice(URLS)
        )

    def _relation(self) -> Labelled:
        return Labelled(label=self._chance.choice(RELATIONS), value=self.full_name())

    def _custom(self) -> Labelled:
        label, value = self._chance.choice(CUSTOM_FIELDS)
        return Labelled(label=label, value=value)

    def _perhaps(self, share: float, values: Sequence[str]) -> str:
        return self._chance.choice(values) if self._chance.random() < share else ""

    def _count(self, weights: Sequence[int]) -> int:
        return self._chance.choice(weights)


def pool(chance: random.Random) -> Pool:
    """A pool on its own generator of chance, e.g. ``pool(world.chance("google", "contacts", person.id))``."""
    return Pool(chance)
