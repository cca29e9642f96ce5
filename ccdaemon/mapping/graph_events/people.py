"""Who takes part in a Microsoft event, both ways: organizer, guests, and the answer of whose calendar it is.

Any write of ``attendees`` may send mail, so the list is written only when somebody joins, leaves or gets another role
(trap 31). Answers are never written with it: only the invited person gives one, by an action of its own (trap 30).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ccdaemon.errors import Unmappable, Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.attendees import Answer, Guest, people_lines
from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.event_lines import mail_uri
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.mapping.graph_events.values import answer, response
from ccdaemon.mapping.moments import parse_rfc3339, value_of
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import Json

HIDDEN = "X-CCD-ATTENDEES-OMITTED"
"""In a body whose guest list is not whole: such a list is never written back (trap 29)."""

_MAX_ATTENDEES = 500
_NEVER = 1  # the year in which nobody answered
_ANSWERED = frozenset({"accepted", "tentativelyAccepted", "declined", "notResponded"})


# --- reading ----------------------------------------------------------------------------------------------------------


def guest_lines(event: Json, owner: str) -> Iterator[ContentLine]:
    """ORGANIZER and ATTENDEEs; ``owner`` is the address of whose calendar it is, "" when unknown."""
    address, name = _organizer(event)
    guests = _guests(event, owner) if event.get("attendees") else []
    if guests:
        moments = _moments_of_answers(event, owner)
        for one in people_lines(address, name, guests):
            extra = moments.get(one.value.casefold(), ()) if one.name == "ATTENDEE" else ()
            yield one._replace(params=(*one.params, *extra)) if extra else one
    if not guests and event.get("isOrganizer") is False and address:  # ORGANIZER would be an invitation to nobody
        yield line("X-MICROSOFT-ORGANIZER", mail_uri(address), CN=name or address)
    own = text(member(event, "responseStatus"), "response")
    if own in _ANSWERED and not any(is_same(guest.address, owner) for guest in guests):
        yield line("X-MICROSOFT-RESPONSE", own)
    if event.get("hideAttendees") is True:
        yield line(HIDDEN, "1")


def _organizer(event: Json) -> tuple[str, str]:
    organizer = member(member(event, "organizer"), "emailAddress")
    return text(organizer, "address"), text(organizer, "name")


def _address(entry: Json) -> str:
    return text(member(entry, "emailAddress"), "address")


def _guests(event: Json, owner: str) -> list[Guest]:
    """The attendees; one's own answer from the event, the organizer's from being it (traps 27, 28).

    In an invited person's copy the organizer is listed without an answer, and one's own entry may lag behind.
    """
    organizer, _ = _organizer(event)
    own = answer(text(member(event, "responseStatus"), "response"))
    guests = []
    for entry in objects(event, "attendees"):
        address, given = _address(entry), answer(text(member(entry, "status"), "response"))
        if given is Answer.NEEDS_ACTION and is_same(address, organizer):
            given = Answer.ACCEPTED
        elif own is not Answer.NEEDS_ACTION and is_same(address, owner):
            given = own
        kind = text(entry, "type").lower()
        guests.append(
            Guest(
                address=address,
                name=text(member(entry, "emailAddress"), "name"),
                answer=given,
                is_optional=kind == "optional",
                is_resource=kind == "resource",
            )
        )
    return guests


def is_same(address: str, other: str) -> bool:
    """Whether two addresses are of one person; "" is nobody."""
    return bool(address) and address.strip().casefold() == other.strip().casefold()


def _moments_of_answers(event: Json, owner: str) -> dict[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """When guests answered, and the time that they propose instead: parameters by "mailto:" URI."""
    found: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
    for entry in objects(event, "attendees"):
        address, proposed = _address(entry), member(entry, "proposedNewTime")
        answered = _moment(text(member(entry, "status"), "time"))
        if not answered and is_same(address, owner):
            answered = _moment(text(member(event, "responseStatus"), "time"))
        if not answered and not proposed:
            continue
        named = (
            ("X-RESPONSE-TIME", answered),
            ("X-PROPOSED-START", _zoned_moment(member(proposed, "start"))),
            ("X-PROPOSED-END", _zoned_moment(member(proposed, "end"))),
        )
        if params := tuple((name, (value,)) for name, value in named if value):
            found.setdefault(mail_uri(address).casefold(), params)
    return found


def _moment(value: str, zone_name: str = "UTC") -> str:
    """A DATE-TIME in UTC, "" where there is none: what a guest said must not keep an event from being seen."""
    if not value or value.startswith("0001-01-01"):  # nobody answered
        return ""
    try:
        moment = parse_rfc3339(value, "time")
        if not isinstance(moment, datetime) or moment.year <= _NEVER:
            return ""
        zone = moment.tzinfo or find_zone(zone_name) or UTC
        return value_of(moment.replace(tzinfo=zone).astimezone(UTC))
    except (Unmappable, OverflowError):
        return ""


def _zoned_moment(value: Json) -> str:
    return _moment(text(value, "dateTime"), text(value, "timeZone"))


# --- writing ----------------------------------------------------------------------------------------------------------


def is_guest(event: Json, owner: str) -> bool:
    """Whether the calendar's owner is only invited: then little of the event is theirs to change (trap 30)."""
    organizer, _ = _organizer(event)
    return event.get("isOrganizer") is False and not is_same(organizer, owner)


def attendee_members(edit: Edit, theirs: Json, owner: str) -> Json:
    """``attendees``, whole, where people joined, left or got another role; entries that stay keep all their members.

    The organizer, whom programs list among the guests, is none at Microsoft.
    """
    organizer = _organizer(theirs)[0] or owner
    _refuse_another_organizer(edit, organizer, owner)
    if "ATTENDEE" not in edit.changed:
        return {}
    mine = {guest.address.strip().casefold(): guest for guest in vevent.guests(edit.mine)}
    before = {guest.address.strip().casefold(): guest for guest in vevent.guests(edit.base)}
    entries = objects(theirs, "attendees")
    kept = [_with_role(entry, mine, before) for entry in entries if _stays(entry, mine)]
    known = {_address(entry).strip().casefold() for entry in entries}
    added = [
        _attendee(guest) for at, guest in mine.items() if at not in known and not is_same(guest.address, organizer)
    ]
    wanted = [*kept, *added]
    if wanted == entries:
        return {}
    if theirs.get("hideAttendees") is True:
        raise Unwritable("ATTENDEE: the list of guests is hidden, so it cannot be changed")
    if len(wanted) > _MAX_ATTENDEES:
        raise Unwritable(f"ATTENDEE: more than {_MAX_ATTENDEES}")
    return {"attendees": wanted}


def _refuse_another_organizer(edit: Edit, organizer: str, owner: str) -> None:
    """Writing somebody else's meeting would send invitations in the name of whose calendar it is."""
    wanted, _ = vevent.organizer(edit.mine)
    has_guests = any(not is_same(guest.address, wanted) for guest in vevent.guests(edit.mine))
    if wanted and has_guests and not is_same(wanted, organizer) and not is_same(wanted, owner):
        raise Unwritable("ORGANIZER: not the owner of the calendar")


def _stays(entry: Json, mine: dict[str, Guest]) -> bool:
    address = _address(entry).strip().casefold()
    return not address or address in mine


def _with_role(entry: Json, mine: dict[str, Guest], before: dict[str, Guest]) -> Json:
    at = _address(entry).strip().casefold()
    guest, published = mine.get(at), before.get(at)
    if guest is None or (published is not None and _role(guest) == _role(published)):
        return entry
    return entry if _role(guest) == text(entry, "type").lower() else {**entry, "type": _role(guest)}


def _role(guest: Guest) -> str:
    if guest.is_resource:
        return "resource"
    return "optional" if guest.is_optional else "required"


def _attendee(guest: Guest) -> Json:
    name = {"name": guest.name} if guest.name else {}
    return {"emailAddress": {"address": guest.address, **name}, "type": _role(guest)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer to an invitation, as the actions of Graph take it."""

    response: str  # "accepted", "tentativelyAccepted", "declined"
    comment: str
    is_sent: bool  # Graph refuses to send one where the organizer asked for none

    @property
    def payload(self) -> Json:
        """The payload of a Write."""
        comment = {"comment": self.comment} if self.comment else {}
        return {"response": self.response, **comment, "sendResponse": self.is_sent}


def reply(edit: Edit, theirs: Json, owner: str) -> Reply | None:
    """What an invited person answers anew, None for nothing. Raises Unwritable where they changed other guests."""
    if "ATTENDEE" not in edit.changed:
        return None
    mine, base = vevent.guests(edit.mine), vevent.guests(edit.base)
    organizers = {_organizer(theirs)[0].strip().casefold(), owner.strip().casefold()}
    if mine and _others(mine, organizers) != _others(base, organizers):
        raise Unwritable("ATTENDEE: only the organizer can change the guests")
    own = next((guest for guest in mine if is_same(guest.address, owner)), None)
    if own is None:
        return None
    before = next((guest.answer for guest in base if is_same(guest.address, owner)), None)
    before = before or answer(text(member(theirs, "responseStatus"), "response"))
    if own.answer is before:
        return None
    given = response(own.answer)
    if given is None:
        raise Unwritable("ATTENDEE: an answer cannot be taken back")
    return Reply(response=given, comment=own.comment, is_sent=theirs.get("responseRequested") is not False)


def _others(guests: Iterable[Guest], without: set[str]) -> dict[str, str]:
    """The other guests with their roles, by address."""
    return {at: _role(guest) for guest in guests if (at := guest.address.strip().casefold()) not in without}
