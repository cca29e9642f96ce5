"""The names that Exchange gives things: ids in two forms, occurrence ids, change keys, iCalendar UIDs.

Items (contacts, events) have a regular id and, under ``Prefer: IdType="ImmutableId"``, another one. The sandbox keeps
the immutable form everywhere and translates at its border, so that a client that forgets the header meets ids that do
not work later. Containers (folders, calendars) have one id only, as at Graph.
Source: https://learn.microsoft.com/graph/outlook-immutable-id
"""

import base64
import hashlib
import re
from datetime import date

IMMUTABLE = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A"
REGULAR = "AAMkAGRiNTQ0M2QxLWZkYTAtNGE5Mi1iYjE2LWQ5Nw"
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"  # whose accounts have no Teams and no ``mail``
FOREIGN = "AQMkADAwATNiZmYAZS1kMDA3"  # regular form of an id that a test loaded as it was

_OCCURRENCE = "FRAA"  # no core begins with an F: its first six bits are zero
_OCCURRENCE_ID = re.compile(rf"{IMMUTABLE}{_OCCURRENCE}([\w-]{{4}})(~?)(.+)")
_OID = re.compile(r"OID\.(.+)\.(\d{4}-\d{2}-\d{2})")
_UID_CLASS = "040000008200E00074C5B7101A82E008"  # the sixteen bytes that open every GlobalObjectId


def _digest(*names: object) -> bytes:
    return hashlib.sha256("\0".join(str(name) for name in names).encode()).digest()


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode()


def container_id(*names: object) -> str:
    """The id of a folder or calendar, the same for the same names."""
    return "AAMkAG" + _text(b"\0.\0" + _digest("container", *names))


def item_id(*names: object) -> str:
    """The immutable id of a contact or event, the same for the same names."""
    return IMMUTABLE + _text(b"\0" + _digest("item", *names)[:23])


def occurrence_id(master_id: str, day: date) -> str:
    """The immutable id of the instance of a series that begins on ``day`` by the rule, changed or not."""
    core = master_id.removeprefix(IMMUTABLE) if master_id.startswith(IMMUTABLE) else "~" + master_id
    return IMMUTABLE + _OCCURRENCE + _text(day.toordinal().to_bytes(3, "big")) + core


def split_occurrence_id(item: str) -> tuple[str, date] | None:
    """Master id and day of an occurrence id; None for other ids."""
    match = _OCCURRENCE_ID.fullmatch(item)
    if match is None:
        return None
    ordinal = int.from_bytes(base64.urlsafe_b64decode(match[1]), "big")
    if not 1 <= ordinal <= date.max.toordinal():
        return None
    return (match[3] if match[2] else IMMUTABLE + match[3]), date.fromordinal(ordinal)


def regular(immutable_id: str) -> str:
    """The form of an item's id that goes out without ``IdType="ImmutableId"``."""
    if immutable_id.startswith(IMMUTABLE):
        return REGULAR + immutable_id.removeprefix(IMMUTABLE) + "="
    return FOREIGN + immutable_id


def immutable(regular_id: str) -> str | None:
    """The kept form of an id that came in without ``IdType="ImmutableId"``; None when it is no regular id."""
    if regular_id.startswith(REGULAR) and regular_id.endswith("="):
        return IMMUTABLE + regular_id.removeprefix(REGULAR).removesuffix("=")
    return regular_id.removeprefix(FOREIGN) if regular_id.startswith(FOREIGN) else None


def oid(master_id: str, day: date) -> str:
    """What ``occurrenceId`` and ``cancelledOccurrences`` hold; the day is the original one."""
    return f"OID.{master_id}.{day.isoformat()}"


def split_oid(text: str) -> tuple[str, date] | None:
    """Master id and day of an occurrenceId; None when it is none."""
    match = _OID.fullmatch(text)
    return (match[1], date.fromisoformat(match[2])) if match else None


def change_key(kind: str, mailbox: str, revision: int) -> str:
    """A version of an item: the mailbox' replica and a counter, as Exchange builds them."""
    head = b"\x11\0\0\0\x16\0\0\0" if kind == "contact" else b""
    return base64.b64encode(head + _digest("replica", mailbox)[:16] + revision.to_bytes(6, "big")).decode()


def ical_uid(*names: object) -> str:
    """A GlobalObjectId in hexadecimal, with no occurrence date in its bytes 16 to 19."""
    octets = _digest("uid", *names)
    made = octets[:7].hex().upper()
    return f"{_UID_CLASS}00000000{made}01{'00' * 8}10000000{octets[8:24].hex().upper()}"


def instance_uid(master_uid: str, day: date) -> str:
    """The iCalUId of one instance: the master's with the original date in its bytes 16 to 19."""
    if not master_uid.startswith(_UID_CLASS):
        return master_uid
    return f"{master_uid[:32]}{day.year:04X}{day.month:02X}{day.day:02X}{master_uid[40:]}"
