"""What a mailbox holds at the start: contacts and their folders. The same seed gives the same mailbox, for ever.

Everything varies as it does in life: who has which phones, scripts and name parts, filled and half-filled addresses,
birthdays without a year, notes with commas, line breaks and emoji, pictures, categories, nested folders.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_images import jpeg, png
from ccdaemon.sandbox.graph_mailbox import Contact, Folder, Mailbox, Photo
from ccdaemon.sandbox.graph_population_events import populate_events
from ccdaemon.sandbox.graph_population_todo import populate_todo
from ccdaemon.sandbox.graph_writes import blank_contact
from ccdaemon.sandbox.graph_zones import write_moment
from ccdaemon.sandbox.wire import Json
from ccdaemon.sandbox.world import Identity, World

PHOTO_SHARE = 0.15
NO_YEAR = 1604  # Outlook's year for a birthday without one

#: given name, surname, yomi given name, yomi surname
PEOPLE: tuple[tuple[str, str, str | None, str | None], ...] = (
    ("Amara", "Okafor", None, None),
    ("Benoît", "Lefèvre", None, None),
    ("Çağla", "Yıldız", None, None),
    ("Dagny", "Þórsdóttir", None, None),
    ("Étienne", "O'Connor-Dubois", None, None),
    ("Fatima", "al-Zahra", None, None),
    ("Grzegorz", "Brzęczyszczykiewicz", None, None),
    ("Hannah", "Müller", None, None),
    ("Ιωάννα", "Παπαδοπούλου", None, None),
    ("José María", "de la Cruz y Peña", None, None),
    ("太郎", "山田", "たろう", "やまだ"),
    ("花子", "鈴木", "はなこ", "すずき"),
    ("健", "佐藤", "ケン", "サトウ"),
    ("伟", "王", "Wei", "Wang"),
    ("민준", "김", None, None),
    ("Ольга", "Кузнецова", None, None),
    ("יעל", "כהן", None, None),
    ("محمد", "الفاسي", None, None),
    ("Zsófia", "Nagy", None, None),
    ("Wren", "", None, None),
    ("Mary Ann", "Smith, PhD", None, None),
    ("Nguyễn Thị", "Hương", None, None),
    ("Søren", "Kjærgaard", None, None),
    ("Lê", "Quốc", None, None),
)
MIDDLE_NAMES = (None, None, None, "J.", "Marie", "van", "Alexandra Louise")
TITLES = (None, None, None, "Dr.", "Prof.", "Ms", "Herr")
GENERATIONS = (None, None, None, None, None, "Jr.", "III")
NICKNAMES = (None, None, None, "Bee", "Maxi", "🦊", '"The Hammer"')
COMPANIES = (
    ("Contoso, Ltd.", None),
    ("Fabrikam GmbH & Co. KG", None),
    ("北風貿易株式会社", "ほくふうぼうえき"),
    ("Adventure Works", None),
    ("Trey; Research", None),
)
JOBS = ("Engineer", "Head of R&D", "Sachbearbeiter (Einkauf)", "Médecin", "CFO, interim", "部長")
DEPARTMENTS = ("Sales", "R&D", "Einkauf", "IT / Operations", "総務部")
OFFICES = ("4/1102", "Building 7, West", "Raum 0.12")
PROFESSIONS = ("Architect", "Physician", "Lawyer")
STREETS = (
    "1 Main St\r\nSuite 200",
    "Bahnhofstraße 12a",
    "12, rue de l'Église\nBât. C",
    "丸の内1-9-1",
    "Calle Mayor, 5; 2º",
)
CITIES = (
    ("Zürich", "ZH", "8001", "Switzerland"),
    ("Redmond", "WA", "98052", "United States"),
    ("Paris", "", "75011", "France"),
    ("千代田区", "東京都", "100-0005", "日本"),
    ("Łódź", "", "90-001", "Polska"),
)
CATEGORIES = ("Family", "Work", "Red category", "VIP, important", "Fußball ⚽")
NOTES = (
    "Met at the fair, booth 12; likes tea.",
    "First line\r\nSecond line, with comma\r\n\r\nLast line: \\n is not a break",
    "Allergic to nuts 🥜👩‍👩‍👧‍👦 — call first",
    'Tab\tand "quotes" and <b>no markup</b> & more',
    "מימין לשמאל, then left to right",
    "Lorem ipsum " * 40,
)
IM_ADDRESSES = ("sip:someone@example.com", "xmpp:friend@example.net", "skype.someone")
CHILDREN = ("Ada", "Björn", "李雷")
FOLDERS = (("Family", None), ("Club", None), ("Board", "Club"), ("Old, do not call", "Board"), ("空", None))


def populated(world: World, identity: Identity, anchor: date) -> Mailbox:
    """A new mailbox with everything in it, around a day."""
    mailbox = Mailbox(world, identity)
    _folders(mailbox)
    for number in range(world.contacts):
        _contact(mailbox, number, anchor, world.chance("graph", identity.id, "contact", number))
    populate_events(mailbox, anchor)
    populate_todo(mailbox, anchor)
    return mailbox


def _folders(mailbox: Mailbox) -> None:
    default = {"id": mailbox.default_folder_id, "parentFolderId": mailbox.root_folder_id, "displayName": "Contacts"}
    mailbox.folders[mailbox.default_folder_id] = Folder(payload=default)
    ids: dict[str | None, str] = {None: mailbox.default_folder_id}
    for name, parent in FOLDERS:
        ids[name] = graph_ids.container_id(mailbox.world.seed, mailbox.identity.id, "folder", name)
        payload = {"id": ids[name], "parentFolderId": ids[parent], "displayName": name}
        mailbox.folders[ids[name]] = Folder(payload=payload)


def _contact(mailbox: Mailbox, number: int, anchor: date, chance: Random) -> None:
    folder_id = _folder_for(mailbox, chance)
    unset = None if chance.random() < 0.7 else ""
    payload = blank_contact(unset)
    payload |= {
        "id": graph_ids.item_id(mailbox.world.seed, mailbox.identity.id, "contact", number),
        "parentFolderId": folder_id,
        **_names(number, chance, unset),
        **_work(chance, unset),
        **_ways_to_reach(number, chance, unset),
        **_addresses(chance),
        **_private(chance, unset),
    }
    if chance.random() < 0.02:
        payload |= {"givenName": unset, "surname": unset, "displayName": payload["companyName"] or "Front desk"}
    contact = Contact(payload=payload, folder_id=folder_id, photo=_photo(number, chance))
    if chance.random() < 0.03:
        contact.extended["String {00020329-0000-0000-c000-000000000046} Name customer-number"] = f"C{number:05d}"
    mailbox.contacts[payload["id"]] = contact
    _version(mailbox, contact, anchor, chance)


def _version(mailbox: Mailbox, contact: Contact, anchor: date, chance: Random) -> None:
    """Creation, modification and version of a contact that was always there."""
    mailbox.revision += 1
    contact.revision = mailbox.revision
    start = datetime.combine(anchor, time(), UTC)
    created = start - timedelta(seconds=chance.randrange(86400, 5 * 365 * 86400))
    changed = created + timedelta(seconds=chance.randrange(0, 86400))
    key = graph_ids.change_key("contact", mailbox.identity.id, contact.revision)
    contact.payload |= {
        "@odata.etag": f'W/"{key}"',
        "changeKey": key,
        "createdDateTime": write_moment(created, fine=False),
        "lastModifiedDateTime": write_moment(changed, fine=False),
    }


def _folder_for(mailbox: Mailbox, chance: Random) -> str:
    filled = list(mailbox.folders)[:-1]  # the last one stays empty
    return filled[0] if chance.random() < 0.7 else chance.choice(filled[1:])


def _names(number: int, chance: Random, unset: str | None) -> Json:
    given, surname, yomi_given, yomi_surname = PEOPLE[number % len(PEOPLE)]
    middle = chance.choice(MIDDLE_NAMES)
    suffix = f" {number // len(PEOPLE) + 1}" if number >= len(PEOPLE) else ""
    surname += suffix
    generation = chance.choice(GENERATIONS)
    family_first = yomi_surname is not None
    shown = [surname, given] if family_first else [given, middle, surname, generation]
    return {
        "givenName": given or unset,
        "middleName": middle or unset,
        "surname": surname.strip() or unset,
        "displayName": " ".join(part for part in shown if part).strip(),
        "fileAs": f"{surname.strip()}, {given}" if chance.random() < 0.9 and surname.strip() else "",
        "initials": f"{given[:1]}.{surname.strip()[:1]}." if chance.random() < 0.2 else unset,
        "nickName": chance.choice(NICKNAMES) or unset,
        "title": chance.choice(TITLES) or unset,
        "generation": generation or unset,
        "yomiGivenName": yomi_given or unset,
        "yomiSurname": yomi_surname or unset,
    }


def _work(chance: Random, unset: str | None) -> Json:
    if chance.random() < 0.35:
        return {}
    company, yomi = chance.choice(COMPANIES)
    return {
        "companyName": company,
        "yomiCompanyName": yomi or unset,
        "jobTitle": chance.choice(JOBS),
        "department": chance.choice((unset, *DEPARTMENTS)),
        "officeLocation": chance.choice((unset, unset, *OFFICES)),
        "profession": chance.choice((unset, unset, *PROFESSIONS)),
        "businessHomePage": chance.choice((unset, unset, "https://www.example.com/team?x=1&y=2")),
        "manager": chance.choice((unset, unset, "Åsa Öberg")),
        "assistantName": chance.choice((unset, unset, "Kim Lee")),
    }


def _ways_to_reach(number: int, chance: Random, unset: str | None) -> Json:
    shown = chance.choice((None, "Private", "work, main"))
    mails = [f"person{number}@example.com", f"p.{number}@example.org", f"Person.{number}+x@example.net"]
    return {
        "emailAddresses": [
            {"name": shown or mail, "address": mail} for mail in mails[: chance.choice((0, 1, 1, 1, 2, 3))]
        ],
        "imAddresses": list(IM_ADDRESSES[: chance.choice((0, 0, 0, 0, 1, 2, 3))]),
        "businessPhones": [f"+1 (425) 555-{number % 10000:04d}", "+41 44 000 11 22"][: chance.choice((0, 1, 1, 2))],
        "homePhones": [f"030/{number % 10000:04d}", "+49-30-0000"][: chance.choice((0, 0, 1, 2))],
        "mobilePhone": f"+4479460{number % 100000:05d}" if chance.random() < 0.7 else unset,
    }


def _addresses(chance: Random) -> Json:
    return {
        name: _address(chance) if chance.random() < share else {}
        for name, share in (("homeAddress", 0.4), ("businessAddress", 0.4), ("otherAddress", 0.08))
    }


def _address(chance: Random) -> Json:
    city, state, postal_code, country = chance.choice(CITIES)
    whole = {
        "street": chance.choice(STREETS),
        "city": city,
        "state": state,
        "countryOrRegion": country,
        "postalCode": postal_code,
    }
    kept = list(whole) if chance.random() < 0.6 else chance.sample(list(whole), chance.randrange(1, 4))
    return {name: text for name, text in whole.items() if name in kept}


def _private(chance: Random, unset: str | None) -> Json:
    born = None
    if chance.random() < 0.45:
        year = NO_YEAR if chance.random() < 0.3 else chance.randrange(1930, 2015)
        day = date(1604, 1, 1) + timedelta(days=chance.randrange(366))
        leap_safe = day.replace(day=28) if (day.month, day.day) == (2, 29) and year != NO_YEAR else day
        born = f"{leap_safe.replace(year=year).isoformat()}T11:59:00Z"
    return {
        "birthday": born,
        "categories": chance.sample(CATEGORIES, chance.choice((0, 0, 0, 1, 2))),
        "personalNotes": chance.choice(NOTES) if chance.random() < 0.4 else "",
        "spouseName": chance.choice((unset, unset, unset, "Robin O'Hara")),
        "children": list(CHILDREN[: chance.choice((0, 0, 0, 0, 1, 3))]),
    }


def _photo(number: int, chance: Random) -> Photo | None:
    if chance.random() >= PHOTO_SHARE:
        return None
    key = chance.randrange(1 << 32) ^ number
    if chance.random() < 0.7:
        return Photo(content=jpeg(key), content_type="image/jpeg")
    return Photo(content=png(key), content_type="image/png")
