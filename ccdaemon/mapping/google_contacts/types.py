"""Google's types of values and how a vCard marks them, both ways.

A type in no table is the owner's own word: it becomes the label, letter for letter, and a label in no table the type.
"""

from collections.abc import Mapping

from ccdaemon.mapping.card_values import Marks
from ccdaemon.mapping.google_contacts.sources import Marks as Mark
from ccdaemon.mapping.vcard import apple_label

# Google's type -> TYPE values, or else a label.
PLACES: dict[str, Mark] = {
    "home": (("HOME",), ""),
    "work": (("WORK",), ""),
    "other": (("OTHER",), ""),
}
PHONES: dict[str, Mark] = {
    **PLACES,
    "mobile": (("CELL",), ""),
    "homeFax": (("HOME", "FAX"), ""),
    "workFax": (("WORK", "FAX"), ""),
    "otherFax": (("OTHER", "FAX"), ""),
    "pager": (("PAGER",), ""),
    "workMobile": (("WORK", "CELL"), ""),
    "workPager": (("WORK", "PAGER"), ""),
    "main": (("MAIN",), ""),
    "iPhone": (("IPHONE", "CELL"), ""),  # Apple's, a type of the owner's own at Google
    "googleVoice": ((), "Google Voice"),
}
URLS: dict[str, Mark] = {**PLACES, "homePage": ((), apple_label("HomePage"))}
SIP: dict[str, Mark] = {**PLACES, "mobile": (("CELL",), "")}
CALENDARS: dict[str, Mark] = {"home": (("HOME",), ""), "work": (("WORK",), ""), "freeBusy": ((), "")}
EVENTS: dict[str, Mark] = {
    "anniversary": ((), apple_label("Anniversary")),
    "other": ((), apple_label("Other")),
}
RELATIONS: dict[str, Mark] = {
    "spouse": ((), apple_label("Spouse")),
    "child": ((), apple_label("Child")),
    "mother": ((), apple_label("Mother")),
    "father": ((), apple_label("Father")),
    "parent": ((), apple_label("Parent")),
    "brother": ((), apple_label("Brother")),
    "sister": ((), apple_label("Sister")),
    "friend": ((), apple_label("Friend")),
    "manager": ((), apple_label("Manager")),
    "assistant": ((), apple_label("Assistant")),
    "partner": ((), apple_label("Partner")),
    "relative": ((), "Relative"),
    "domesticPartner": ((), "Domestic partner"),
    "referredBy": ((), "Referred by"),
}
OWN: dict[str, Mark] = {}
"""No type but the owner's words."""

# IM protocol -> Apple's X-SERVICE-TYPE. A protocol of the owner's own stands for itself.
SERVICES = {
    "aim": "AIM",
    "msn": "MSN",
    "yahoo": "Yahoo",
    "skype": "Skype",
    "qq": "QQ",
    "googleTalk": "GoogleTalk",
    "icq": "ICQ",
    "jabber": "Jabber",
    "netMeeting": "NetMeeting",
}
_PROTOCOLS = {service.casefold(): protocol for protocol, service in SERVICES.items()}
# The URI scheme of a messaging address -> its protocol, where no service is named.
_PROTOCOL_OF_SCHEME = {"aim": "aim", "icq": "icq", "msnim": "msn", "skype": "skype", "xmpp": "jabber", "ymsgr": "yahoo"}

_PLACE_WORDS = frozenset({"HOME", "WORK", "OTHER"})


def type_of(marks: Marks, table: Mapping[str, Mark]) -> str:
    """Google's type of a value so marked, "" where nothing marks it.

    Of TYPE words that are no type together, the one type counts that says most (HOME and CELL are mobile).
    """
    if marks.label:
        wanted = marks.label.casefold()
        return next((kind for kind, (_, label) in table.items() if _plain(label).casefold() == wanted), marks.label)
    words = frozenset(marks.types)
    if not words or not table:
        return ""
    if "FAX" in words and not words & _PLACE_WORDS:
        words |= {"OTHER"}
    found = [kind for kind, (types, _) in table.items() if types and words.issuperset(types)]
    if not found:
        return marks.types[0].lower()
    return max(found, key=lambda kind: (len(table[kind][0]), not _PLACE_WORDS.issuperset(table[kind][0])))


def protocol_of(service: str, scheme: str) -> str:
    """Google's protocol of a messaging address of that X-SERVICE-TYPE and URI scheme, "" where neither tells."""
    if service:
        return _PROTOCOLS.get(service.casefold(), service)
    return _PROTOCOL_OF_SCHEME.get(scheme.lower(), "")


def _plain(label: str) -> str:
    """A label as card_values.marks tells it: Apple's own without their brackets."""
    return label[4:-4] if label.startswith("_$!<") else label
