"""Bodies for the tests of exports: one full of everything, and as many as are wanted."""

from collections.abc import Iterator

from ccdaemon.mapping.vcard import Property, apple_label, components, photo, text_list, written

LINES = (
    Property(name="N", value=components(["Vogt; jr", "Mira", "Anna", "Dr.", "MA"])),
    Property(name="NICKNAME", value=text_list(["Mi, the first", "Vo"])),
    Property(name="X-PHONETIC-FIRST-NAME", value="ミラ"),
    Property(name="X-PHONETIC-LAST-NAME", value="フォクト"),
    Property(name="X-PHONETIC-MIDDLE-NAME", value="アンナ"),
    Property(name="ORG", value=components(["Acme, Inc.", "R&D", "Lab 2"])),
    Property(name="TITLE", value="Engineer"),
    Property(name="ROLE", value="Makes things"),
    Property(name="ORG", value="Choir", label="Leisure", companions=(Property(name="TITLE", value="Alto"),)),
    Property(name="EMAIL", value="home@mail.example", types=("INTERNET", "HOME")),
    Property(name="EMAIL", value="best@mail.example", types=("INTERNET",), preferred=True),
    Property(name="EMAIL", value="dacha@mail.example", types=("INTERNET",), label="Dacha"),
    Property(name="EMAIL", value="fourth@mail.example", types=("INTERNET", "WORK")),
    Property(name="TEL", value="+41 79", types=("CELL",)),
    Property(name="TEL", value="+41 31", types=("WORK",), preferred=True),
    Property(name="TEL", value="+41 32", types=("WORK",)),
    Property(name="TEL", value="+41 33", types=("WORK",)),
    Property(name="TEL", value="+41 44", types=("HOME",)),
    Property(name="TEL", value="+41 45", types=("HOME", "FAX")),
    Property(name="TEL", value="+41 46", types=("PAGER",)),
    Property(name="TEL", value="+41 47", label="Boat"),
    Property(
        name="ADR",
        value=components(["PO 1", "2nd floor", "Gasse 3\nHof", "Zürich", "ZH", "8001", "Schweiz"]),
        types=("HOME",),
        companions=(Property(name="X-ABADR", value="ch"),),
    ),
    Property(name="ADR", value=components(["", "", "Platz 1", "Bern", "", "3000", ""]), types=("WORK",)),
    Property(name="ADR", value=components(["", "", "", "Arosa", "", "", ""]), label="Summer house"),
    Property(name="ADR", value=components(["", "", "", "Genf", "", "", ""]), types=("WORK",)),
    Property(name="URL", value="https://home.example/", label=apple_label("HomePage")),
    Property(name="URL", value="https://blog.example/a%2Cb", types=("HOME",)),
    Property(name="URL", value="https://third.example/"),
    Property(name="IMPP", value="xmpp:mira@chat.example", params=(("X-SERVICE-TYPE", ("Jabber",)),), types=("HOME",)),
    Property(name="IMPP", value="skype:mira%20v", params=(("X-SERVICE-TYPE", ("Skype",)),)),
    Property(name="BDAY", value="1604-02-29", params=(("X-APPLE-OMIT-YEAR", ("1604",)),)),
    Property(name="X-ABDATE", value="2010-06-12", label=apple_label("Anniversary")),
    Property(name="X-ANNIVERSARY", value="2010-06-12"),
    Property(name="X-ABDATE", value="2001-12-06", label="Name day"),
    Property(name="X-ABRELATEDNAMES", value="Sam", label=apple_label("Spouse")),
    Property(name="X-ABRELATEDNAMES", value="Boss\\, The", label=apple_label("Manager")),
    Property(name="X-ABRELATEDNAMES", value="Kim", label=apple_label("Child")),
    Property(name="NOTE", value="One\\nTwo\\, three"),
    Property(name="X-USER-DEFINED", value="42\\; wide", label="Shoe size"),
    Property(name="X-EVOLUTION-FILE-AS", value="Vogt\\, Mira"),
    Property(name="X-GOOGLE-OCCUPATION", value="Sailor"),
    Property(name="X-GENDER", value="O;fluid"),
    Property(name="CATEGORIES", value=text_list(["Book Club", "Chor, Sopran", "Starred"])),
)


def body(*properties: Property, uid: str = "u1", full_name: str = "Dr. Mira Anna Vogt; jr MA") -> str:
    return written(uid=uid, full_name=full_name, properties=properties).body


def full() -> str:
    picture = photo("image/png", "AAAA")
    assert picture is not None
    return body(*LINES, picture)


def tiny(count: int) -> Iterator[tuple[str, str]]:
    """Contacts with a name alone."""
    for number in range(count):
        yield f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{number}\r\nFN:P {number}\r\nEND:VCARD\r\n", f"people/{number}"
