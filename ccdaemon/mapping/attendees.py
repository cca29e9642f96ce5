"""ORGANIZER and ATTENDEE (RFC 5545 sections 3.8.4.1, 3.8.4.3) of people as both providers list them."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.event_lines import mail_uri


class Answer(StrEnum):
    """PARTSTAT."""

    NEEDS_ACTION = "NEEDS-ACTION"
    ACCEPTED = "ACCEPTED"
    TENTATIVE = "TENTATIVE"
    DECLINED = "DECLINED"


_RESOURCE = ("CUTYPE", ("RESOURCE",))
_OPTIONAL, _REQUIRED = ("ROLE", ("OPT-PARTICIPANT",)), ("ROLE", ("REQ-PARTICIPANT",))
_ANSWERS = {answer: ("PARTSTAT", (answer.value,)) for answer in Answer}


class Guest(NamedTuple):
    """One ATTENDEE. (No dataclass for the reason that ContentLine gives.)"""

    address: str
    name: str = ""
    answer: Answer = Answer.NEEDS_ACTION
    is_optional: bool = False
    is_resource: bool = False  # a room or a thing
    guests: int = 0  # whom they bring along
    comment: str = ""  # said with their answer


def people_lines(organizer_address: str, organizer_name: str, guests: Sequence[Guest]) -> list[ContentLine]:
    """ORGANIZER and ATTENDEEs; nothing at all without guests, which would read as an invitation to nobody.

    Whoever is listed twice (providers list the organizer among the guests too) is written once. Nobody is invented.
    """
    known = [guest for guest in guests if guest.address]
    if not known:
        return []
    lines = []
    if organizer_address:
        lines.append(line("ORGANIZER", mail_uri(organizer_address), CN=_name(organizer_name, organizer_address)))
    lines += map(_attendee, _merged(known))
    return lines


def _merged(guests: Iterable[Guest]) -> list[Guest]:
    """One per address; the first entry that says something wins, field by field."""
    found: dict[str, Guest] = {}
    for guest in guests:
        key = guest.address.strip().casefold()
        earlier = found.get(key)
        found[key] = guest if earlier is None else earlier._replace(
            name=earlier.name or guest.name,
            answer=guest.answer if earlier.answer is Answer.NEEDS_ACTION else earlier.answer,
            comment=earlier.comment or guest.comment,
        )  # fmt: skip
    return list(found.values())


def _attendee(guest: Guest) -> ContentLine:
    params: list[tuple[str, tuple[str, ...]]] = [_OPTIONAL if guest.is_optional else _REQUIRED]
    if guest.is_resource:
        params.insert(0, _RESOURCE)
    params.append(_ANSWERS[guest.answer])
    params.append(("CN", (_name(guest.name, guest.address),)))
    if guest.guests > 0:
        params.append(("X-NUM-GUESTS", (str(guest.guests),)))
    if guest.comment:
        params.append(("X-RESPONSE-COMMENT", (guest.comment,)))
    return ContentLine("ATTENDEE", tuple(params), mail_uri(guest.address))


def _name(name: str, address: str) -> str:
    """CN; an address without a name stands for it, as in every mail program."""
    return name or address
