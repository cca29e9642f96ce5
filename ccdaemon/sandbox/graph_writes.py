"""Changing a mailbox as Exchange would: validation, what it derives, what it bumps, what its change feeds will tell.

The control plane uses these now; write routes will. Every function raises GraphError as the live service refuses.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_mailbox import Calendar, Contact, Folder, Mailbox, Photo
from ccdaemon.sandbox.graph_names import CONTACT_NAMES, CONTACT_WORK, PROPERTIES, READ_ONLY
from ccdaemon.sandbox.graph_protocol import GraphError, bad_request, not_found
from ccdaemon.sandbox.graph_zones import write_moment
from ccdaemon.sandbox.wire import Json

SLOTS = {"emailAddresses": 3, "imAddresses": 3, "businessPhones": 2, "homePhones": 2}
PHOTO_BYTES = 4 * 1024 * 1024
EXTENDED = "singleValueExtendedProperties"

_NAME_PARTS = ("givenName", "middleName", "surname", "generation", "companyName")
_BIRTHDAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?")


def blank_contact(unset: str | None = None) -> Json:
    """A contact without content; unset texts are None (made by an API) or "" (made by hand)."""
    return {
        "@odata.etag": "",
        "id": "",
        "createdDateTime": "",
        "lastModifiedDateTime": "",
        "changeKey": "",
        "categories": [],
        "parentFolderId": "",
        "birthday": None,
        **dict.fromkeys(CONTACT_NAMES, unset),
        "imAddresses": [],
        **dict.fromkeys(CONTACT_WORK, unset),
        "homePhones": [],
        "mobilePhone": unset,
        "businessPhones": [],
        "spouseName": unset,
        "personalNotes": "",
        "children": [],
        "emailAddresses": [],
        "homeAddress": {},
        "businessAddress": {},
        "otherAddress": {},
    }


def create_contact(mailbox: Mailbox, folder_id: str | None, patch: Json) -> Contact:
    """A new contact in a folder (None: the default one)."""
    if any(value is None for value in patch.values()):
        raise GraphError(500, "ErrorInternalServerError", "An internal server error occurred. The operation failed.")
    folder = folder_id or mailbox.default_folder_id
    if folder not in mailbox.folders:
        raise not_found()
    payload = blank_contact()
    payload |= {
        "id": mailbox.fresh_id("contact"),
        "createdDateTime": write_moment(mailbox.world.clock.now(), fine=False),
        "parentFolderId": folder,
    }
    contact = Contact(payload=payload, folder_id=folder)
    _apply(contact, patch)
    mailbox.contacts[payload["id"]] = contact
    mailbox.touch(contact)
    return contact


def update_contact(mailbox: Mailbox, contact: Contact, patch: Json) -> None:
    """Set properties; names not sent along are made anew from their parts."""
    _apply(contact, patch)
    mailbox.touch(contact)


def delete_contact(mailbox: Mailbox, contact: Contact) -> None:
    """For good."""
    del mailbox.contacts[contact.payload["id"]]
    mailbox.forget("contact", contact.folder_id, contact.payload["id"])


def move_contact(mailbox: Mailbox, contact: Contact, folder_id: str) -> None:
    """Into another folder; its immutable id stays."""
    if folder_id not in mailbox.folders:
        raise not_found()
    mailbox.forget("contact", contact.folder_id, contact.payload["id"], moved=True)
    contact.folder_id = folder_id
    contact.payload["parentFolderId"] = folder_id
    mailbox.touch(contact)


def set_photo(mailbox: Mailbox, contact: Contact, content: bytes | None) -> None:
    """Another picture, or none; the contact gets a new version either way."""
    if content is None:
        contact.photo = None
    elif content.startswith(b"\xff\xd8\xff"):
        contact.photo = Photo(content=content, content_type="image/jpeg")
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        contact.photo = Photo(content=content, content_type="image/png")
    else:
        raise bad_request("The image is not in a supported format.", "ErrorInvalidImage")
    if content is not None and len(content) > PHOTO_BYTES:
        raise GraphError(413, "ErrorImageTooLarge", "The image is larger than 4 MB.")
    mailbox.touch(contact)


def create_folder(mailbox: Mailbox, parent_id: str | None, patch: Json) -> Folder:
    """A new contact folder below another (None: the default one)."""
    name = patch.get("displayName")
    if not isinstance(name, str) or not name or not set(patch) <= {"displayName"}:
        raise bad_request("A folder needs a displayName and takes nothing else.", "ErrorPropertyValidationFailure")
    parent = parent_id or mailbox.default_folder_id
    if parent not in mailbox.folders:
        raise not_found()
    folder_id = mailbox.fresh_id("folder")
    folder = Folder(payload={"id": folder_id, "parentFolderId": parent, "displayName": name})
    mailbox.folders[folder_id] = folder
    mailbox.touch(folder)
    return folder


def update_folder(mailbox: Mailbox, folder: Folder, patch: Json) -> None:
    """Another name."""
    check_writable(patch, "contactFolder")
    folder.payload |= patch
    mailbox.touch(folder)


def delete_folder(mailbox: Mailbox, folder_id: str) -> None:
    """With all that is in it."""
    if folder_id == mailbox.default_folder_id:
        raise GraphError(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    for contact in mailbox.contacts_in(folder_id):
        delete_contact(mailbox, contact)
    below = [key for key, folder in mailbox.folders.items() if folder.payload["parentFolderId"] == folder_id]
    for child in below:
        delete_folder(mailbox, child)
    del mailbox.folders[folder_id]
    mailbox.forget("folder", "", folder_id)


def create_calendar(mailbox: Mailbox, patch: Json) -> Calendar:
    """A new calendar of the mailbox' owner."""
    payload = calendar_payload(mailbox, mailbox.fresh_id("calendar"), "") | patch
    check_writable(patch, "calendar")
    if not payload["name"]:
        raise bad_request("A calendar needs a name.", "ErrorPropertyValidationFailure")
    calendar = Calendar(payload=payload)
    mailbox.calendars[payload["id"]] = calendar
    mailbox.touch(calendar)
    return calendar


def update_calendar(mailbox: Mailbox, calendar: Calendar, patch: Json) -> None:
    """Another name or colour."""
    check_writable(patch, "calendar")
    calendar.payload |= patch
    mailbox.touch(calendar)


def delete_calendar(mailbox: Mailbox, calendar_id: str) -> None:
    """With all that is in it."""
    if calendar_id == mailbox.default_calendar_id:
        raise bad_request("The default calendar cannot be deleted.", "ErrorCannotDeleteObject")
    for event in mailbox.events_in(calendar_id):
        del mailbox.events[event.id]
        mailbox.forget("event", calendar_id, event.id)
    del mailbox.calendars[calendar_id]
    mailbox.revision += 1


def calendar_payload(mailbox: Mailbox, calendar_id: str, name: str) -> Json:
    """What a calendar of one's own looks like."""
    identity = mailbox.identity
    meetings = "unknown" if identity.microsoft_tid == graph_ids.PERSONAL_TENANT else "teamsForBusiness"
    return {
        "id": calendar_id,
        "name": name,
        "color": "auto",
        "hexColor": "",
        "groupClassId": "0006f0b7-0000-0000-c000-000000000046",
        "isDefaultCalendar": False,
        "changeKey": graph_ids.change_key("calendar", identity.id, mailbox.revision),
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": [meetings],
        "defaultOnlineMeetingProvider": meetings,
        "isTallyingResponses": True,
        "isRemovable": True,
        "owner": {"name": identity.name, "address": identity.microsoft_upn},
    }


def apply_extended(kept: dict[str, str], patch: Json) -> Json:
    """Store extended properties; returns the patch without them."""
    for entry in patch.get(EXTENDED) or ():
        kept[str(entry["id"])] = str(entry["value"])
    return {name: value for name, value in patch.items() if name != EXTENDED}


def check_writable(patch: Mapping[str, Any], kind: str) -> None:
    """Raise GraphError unless every property exists and may be set."""
    for name in patch:
        if name not in PROPERTIES[kind]:
            raise bad_request(
                f"The property '{name}' does not exist on type 'microsoft.graph.{kind}'.",
                "RequestBodyRead",
            )
        if name in READ_ONLY[kind]:
            raise bad_request(f"The property '{name}' is read-only and cannot be set.", "ErrorInvalidPropertySet")


def original_day(text: str) -> date:
    """The day of ``2026-03-02`` or of a start that begins so. Raises GraphError."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise bad_request("That names no instance.", "ErrorInvalidRequest") from None


def _apply(contact: Contact, patch: Json) -> None:
    patch = apply_extended(contact.extended, patch)
    check_writable(patch, "contact")
    for name, most in SLOTS.items():
        if len(patch.get(name) or ()) > most:
            raise bad_request(f"The property '{name}' takes {most} entries.", "ErrorPropertyValidationFailure")
    if patch.get("birthday"):
        patch["birthday"] = _birthday(patch["birthday"])
    payload = contact.payload | patch
    if any(name in patch for name in _NAME_PARTS):
        payload |= {name: text for name, text in _derived_names(payload).items() if name not in patch}
    contact.payload = payload


def _birthday(text: str) -> str:
    """Graph gives a birthday back at one minute to noon, whatever hour it was written with."""
    match = _BIRTHDAY.fullmatch(text)
    if match is None:
        raise bad_request("The birthday is no date and time.", "ErrorPropertyValidationFailure")
    return f"{match[1]}T11:59:00Z"


def _derived_names(payload: Json) -> dict[str, str]:
    parts = [payload.get(name) for name in ("givenName", "middleName", "surname")]
    shown = " ".join(part for part in parts if part) or payload.get("companyName") or ""
    if payload.get("generation") and shown:
        shown += f" {payload['generation']}"
    given = " ".join(part for part in parts[:2] if part)
    surname = payload.get("surname")
    return {"displayName": shown, "fileAs": f"{surname}, {given}" if surname and given else shown}
