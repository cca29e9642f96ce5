"""The id and the UID of a Google event that a client of ours created.

Its id is made of its UID, so that no retry of a lost request makes a second one. Google then makes an iCalUID of the id
and takes none beside it: the schema asks for one of the two, and both together were reported to end in a 400. So the
client's own UID is kept in the slot of applications, and the id proves that it is the one.
"""

import base64
import hashlib

from ccdaemon.errors import Unwritable
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.google_events.stash import VALUE_LENGTH
from ccdaemon.mapping.stash import UID_KEY
from ccdaemon.mapping.text import clean
from ccdaemon.model import Json


def event_id(uid: str) -> str:
    """The id under which an event is created: the same at every attempt."""
    digest = hashlib.sha256(uid.encode("utf-8", "surrogatepass")).digest()
    return base64.b32hexencode(digest).decode().lower().rstrip("=")


def client_uid(event: Json, series_id: str) -> str:
    """The UID that a client gave to the series of this event; "" where none did, or somebody copied or forged it."""
    if "extendedProperties" not in event:
        return ""
    uid = text(member(member(event, "extendedProperties"), "private"), UID_KEY)
    return uid if uid and event_id(uid) == series_id else ""


def created(uid: str, members: Json) -> Json:
    """The payload that creates an event with these members. Raises Unwritable for a UID that Google cannot keep."""
    uid = clean(uid)
    if len(uid) > VALUE_LENGTH:
        raise Unwritable(f"UID: longer than {VALUE_LENGTH} characters")
    extended = member(members, "extendedProperties")
    private = {**member(extended, "private"), UID_KEY: uid}
    return {"id": event_id(uid), **members, "extendedProperties": {**extended, "private": private}}
