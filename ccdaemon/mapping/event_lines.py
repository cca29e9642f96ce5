"""Lines of a VEVENT that both providers' events have: texts, stamps, addresses, alarms, links (RFC 5545, RFC 7986)."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.html_text import text_of_html
from ccdaemon.mapping.moments import moment_line
from ccdaemon.mapping.text import clean

DEFAULT_ALARM = "X-CCD-DEFAULT-ALARM"
"""Marks a VALARM that stands for the calendar's default reminder: written back, it is none of the event's own."""

MAX_ALARM_MINUTES = 40320
"""Four weeks, the most that Google takes."""

_BEGIN_ALARM, _END_ALARM = line("BEGIN", "VALARM"), line("END", "VALARM")
_MAIL, _DISPLAY = line("ACTION", "EMAIL"), line("ACTION", "DISPLAY")
_IS_DEFAULT = line(DEFAULT_ALARM, "1")
_PLAIN_ADDRESS = re.compile(r"[^\s<>\"\\,;\x00-\x20\x7f]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def text_line(name: str, text: str) -> Iterator[ContentLine]:
    """A TEXT property, none when there is no text."""
    if text:
        yield line(name, escape_text(text))


def stamp_line(name: str, stamp: datetime | None) -> Iterator[ContentLine]:
    """CREATED or LAST-MODIFIED, none when the provider told none."""
    if stamp is not None:
        yield moment_line(name, stamp)


def text_list_line(name: str, texts: Iterable[str]) -> Iterator[ContentLine]:
    """A property such as CATEGORIES, each text once."""
    unique = dict.fromkeys(texts)
    if unique:
        yield line(name, ",".join(map(escape_text, unique)))


def description_lines(text: str) -> Iterator[ContentLine]:
    """DESCRIPTION of a plain text."""
    yield from text_line("DESCRIPTION", text.strip("\n"))


def html_description_lines(html: str, *, keep_line_ends: bool) -> Iterator[ContentLine]:
    """DESCRIPTION as our text of ``html``, and the HTML itself as X-ALT-DESC; nothing where nothing is to be seen."""
    text = text_of_html(html, keep_line_ends=keep_line_ends)
    if text:
        yield line("DESCRIPTION", escape_text(text))
        yield line("X-ALT-DESC", escape_text(html), FMTTYPE="text/html")


def uri(text: str) -> str:
    """An absolute URI as a value, "" when it is none. Commas and backslashes are percent-encoded.

    A URI is not escaped as TEXT is, yet vobject, which reads for Radicale and vdirsyncer, cuts one at its first comma.
    """
    text = clean(text).strip()
    return text.replace("\\", "%5C").replace(",", "%2C") if _URI.fullmatch(text) else ""


def uri_line(name: str, address: str) -> Iterator[ContentLine]:
    """A URI property, none when it is no URI."""
    if found := uri(address):
        yield line(name, found)


def conference_line(address: str, features: Iterable[str] = (), label: str = "") -> Iterator[ContentLine]:
    """CONFERENCE (RFC 7986 section 5.11), none when the address is no URI."""
    if found := uri(address):
        yield line("CONFERENCE", found, VALUE="URI", FEATURE=tuple(features), LABEL=label or None)


def mail_uri(address: str) -> str:
    """The "mailto:" URI of an address; what no address may hold is percent-encoded."""
    address = clean(address).strip()
    plain = _PLAIN_ADDRESS.fullmatch(address) is not None
    return f"mailto:{address if plain else quote(address, safe='@/=+')}"


class Alarm(NamedTuple):
    """One reminder. (No dataclass for the reason that ContentLine gives.)"""

    minutes: int  # before the start
    mail_to: str = ""  # "": shown on the screen; else sent to this address
    is_default: bool = False  # stands for the calendar's default reminder


def alarm_lines(alarm: Alarm, summary: str) -> Iterator[ContentLine]:
    """A VALARM. One of mail must have a subject and a text (RFC 5545 section 3.6.6)."""
    wording = escape_text(summary or "Reminder")
    yield _BEGIN_ALARM
    yield _MAIL if alarm.mail_to else _DISPLAY
    yield line("TRIGGER", f"-PT{alarm.minutes}M" if alarm.minutes else "PT0S")
    yield line("DESCRIPTION", wording)
    if alarm.mail_to:
        yield line("SUMMARY", wording)
        yield line("ATTENDEE", mail_uri(alarm.mail_to))
    if alarm.is_default:
        yield _IS_DEFAULT
    yield _END_ALARM
