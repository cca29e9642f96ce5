"""ATTENDEEs of a client as Google's ``attendees``: the smallest list that says the difference (traps 29, 30, 31)."""

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.attendees import Answer, Guest
from ccdaemon.mapping.fields import objects, text
from ccdaemon.mapping.google_events.edit import Edit
from ccdaemon.mapping.google_events.lines import google_guests, own_address
from ccdaemon.mapping.google_events.rights import is_organizer
from ccdaemon.model import Json

_STATUS = {
    Answer.NEEDS_ACTION: "needsAction",
    Answer.ACCEPTED: "accepted",
    Answer.TENTATIVE: "tentative",
    Answer.DECLINED: "declined",
}


def attendees(edit: Edit) -> Json:
    """The whole list with what no body says of each guest; of an answer to an invitation the own entry alone.

    Raises Unwritable where the list may not be written, or another organizer is named.
    """
    mine = {guest.address.casefold(): guest for guest in vevent.guests(edit.mine)}
    own = own_address(edit.theirs, edit.calendar).strip().casefold()
    _refuse_other_organizer(edit, is_guest=own in mine)
    if edit.is_new:
        return {"attendees": [_entry({}, guest) for guest in mine.values()] or None}
    if "ATTENDEE" not in edit.changed:
        return {}
    theirs = objects(edit.theirs, "attendees")
    organizer = vevent.organizer(edit.mine)[0].casefold()
    listed = [
        _entry(entry, mine[address]) if address in mine else entry
        for entry in theirs
        if (address := _address(entry)) in mine or _stays(entry, address, organizer)
    ]
    known = {_address(entry) for entry in theirs}
    listed += [_entry({}, guest) for address, guest in mine.items() if address not in known]
    if listed == theirs:
        return {}
    is_omitted = edit.theirs.get("attendeesOmitted") is True
    may_write_all = is_organizer(edit.theirs, edit.calendar) or edit.theirs.get("guestsCanModify") is True
    if may_write_all and not is_omitted:
        return {"attendees": listed}
    differing = [entry for entry, known in zip(listed, theirs, strict=False) if entry != known]
    if len(listed) != len(theirs) or len(differing) != 1 or _address(differing[0]) != own:
        reason = "not all guests are known" if is_omitted else "only the organizer may change the guests"
        raise Unwritable(f"ATTENDEE: {reason}")
    answer: Json = {"attendees": [differing[0] | {"self": True}]}
    return answer | {"attendeesOmitted": True} if is_omitted else answer


def _refuse_other_organizer(edit: Edit, *, is_guest: bool) -> None:
    """The organizer is whoever's calendar the event was made in; an invitation from elsewhere cannot be made anew."""
    address = vevent.organizer(edit.mine)[0].casefold()
    if edit.base is None:
        if address and is_guest and address != own_address(edit.theirs, edit.calendar).casefold():
            raise Unwritable("ORGANIZER: an invitation cannot be created, only answered where it arrived")
        return
    earlier = vevent.organizer(edit.base)[0].casefold()
    if address and earlier and earlier != address:
        raise Unwritable("ORGANIZER: cannot be changed")


def _stays(entry: Json, address: str, organizer: str) -> bool:
    """Whether an entry that the client does not list is none of those that it could list, or listed otherwise."""
    return not address or entry.get("organizer") is True or address == organizer


def _address(entry: Json) -> str:
    return text(entry, "email").strip().casefold()


def _entry(theirs: Json, mine: Guest) -> Json:
    """A guest's entry with what the client says of it; names are left to Google once the guest is there."""
    if not theirs:
        said = {
            "email": mine.address,
            "displayName": mine.name,
            "optional": mine.is_optional,
            "resource": mine.is_resource,
            "responseStatus": "" if mine.answer is Answer.NEEDS_ACTION else _STATUS[mine.answer],
            "additionalGuests": mine.guests,
            "comment": mine.comment,
        }
        return {key: value for key, value in said.items() if value}
    (known,) = google_guests({"attendees": [theirs]})
    entry = dict(theirs)
    if known.answer is not mine.answer:
        entry["responseStatus"] = _STATUS[mine.answer]
    if known.is_optional != mine.is_optional:
        entry["optional"] = mine.is_optional
    if mine.guests and known.guests != mine.guests:
        entry["additionalGuests"] = mine.guests
    if mine.comment and known.comment != mine.comment:
        entry["comment"] = mine.comment
    return entry
