"""How one takes part in an online meeting of a Microsoft event: CONFERENCE (RFC 7986 section 5.11), read only.

Exchange makes the meeting (trap 34); a client's CONFERENCE of another service is kept in the stash.
"""

from collections.abc import Iterator
from urllib.parse import quote

from ccdaemon.mapping.contentline import ContentLine, line
from ccdaemon.mapping.event_lines import conference_line, text_line, uri_line
from ccdaemon.mapping.fields import member, objects, text, texts
from ccdaemon.model import Json

_PROVIDERS_OF_TEAMS = frozenset({"teamsForBusiness", "skypeForBusiness", "skypeForConsumer"})
_NO_PROVIDER = frozenset({"", "unknown"})
_SAFE_IN_NUMBERS = "+*-()."


def meeting_lines(event: Json) -> Iterator[ContentLine]:
    """CONFERENCE of every way in, and Microsoft's own properties for programs that know only those."""
    meeting, provider = member(event, "onlineMeeting"), text(event, "onlineMeetingProvider")
    if not meeting and not event.get("onlineMeetingUrl") and event.get("isOnlineMeeting") is not True:
        if provider not in _NO_PROVIDER:
            yield from text_line("X-MICROSOFT-ONLINEMEETING-PROVIDER", provider)
        return
    address = text(meeting, "joinUrl") or text(event, "onlineMeetingUrl")
    seen: set[str] = set()
    for one in _ways_in(event, meeting, address):
        if one.value not in seen:
            seen.add(one.value)
            yield one
    if provider in _PROVIDERS_OF_TEAMS:
        yield from uri_line("X-MICROSOFT-SKYPETEAMSMEETINGURL", address)
    yield from text_line("X-MICROSOFT-CONFERENCE-ID", text(meeting, "conferenceId"))
    if provider not in _NO_PROVIDER:
        yield from text_line("X-MICROSOFT-ONLINEMEETING-PROVIDER", provider)
    elif event.get("isOnlineMeeting") is True and not address:
        yield line("X-MICROSOFT-ONLINEMEETING-PROVIDER", "unknown")


def _ways_in(event: Json, meeting: Json, address: str) -> Iterator[ContentLine]:
    yield from conference_line(address, ("AUDIO", "VIDEO"))
    if (other := text(event, "onlineMeetingUrl")) != address:
        yield from conference_line(other, ("AUDIO", "VIDEO"))
    yield from _phone(text(meeting, "tollNumber"), "")
    for number in texts(meeting, "tollFreeNumbers"):
        yield from _phone(number, "toll-free")
    for phone in objects(meeting, "phones"):
        words = (text(phone, "region"), text(phone, "language"), text(phone, "type"))
        yield from _phone(text(phone, "number"), ", ".join(filter(None, words)))
    yield from _phone(text(meeting, "quickDial"), "with the conference ID")


def _phone(number: str, label: str) -> Iterator[ContentLine]:
    """A number as people write it; pauses and the like of a quick dial are percent-encoded (RFC 3966)."""
    digits = quote("".join(number.split()), safe=_SAFE_IN_NUMBERS)
    if digits:
        yield from conference_line(f"tel:{digits}", ("PHONE",), label)
