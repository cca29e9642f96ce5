"""Lines of a VEVENT that both providers' events have: texts, stamps, addresses, alarms, links (RFC 5545, RFC 7986)."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from ccdaemon.mapping.contentline import ContentLine, Params, escape_text, line
from ccdaemon.mapping.html_text import text_of_html
from ccdaemon.mapping.moments import moment_line
from ccdaemon.mapping.text import clean

DEFAULT_ALARM = "X-CCD-DEFAULT-ALARM"
"""Marks a VALARM that stands for the calendar's default reminder: written back, it is none of the event's own."""

MAX_ALARM_MINUTES = 40320
"""Four weeks, the most that Google takes."""

_BEGIN_ALARM, _END_ALARM = line("BEGIN", "VALARM"), line("END", "VALARM")
_MAIL, _DISPLAY = line("ACTION", "EMAIL"), line("ACTION", "DISPLAY")
_AS_HTML: Params = (("FMTTYPE", ("text/html",)),)
_IS_DEFAULT = line(DEFAULT_ALARM, "1")
_PLAIN_ADDRESS = re.compile(r"[^\s<>\"\\,;\x00-\x20\x7f]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def text_line(name: str, text: str) -> Sequence[ContentLine]:
    """A TEXT property, none when there is no text."""
    return (ContentLine(name, (), escape_text(text)),) if text else ()


def stamp_line(name: str, stamp: datetime | None) -> Sequence[ContentLine]:
    """CREATED or LAST-MODIFIED, none when the provider told none."""
    return () if stamp is None else (moment_line(name, stamp),)


def text_list_line(name: str, texts: Iterable[str]) -> Sequence[ContentLine]:
    """A property such as CATEGORIES, each text once."""
    unique = dict.fromkeys(texts)
    return (ContentLine(name, (), ",".join(map(escape_text, unique))),) if unique else ()


def description_lines(text: str) -> Sequence[ContentLine]:
    """DESCRIPTION of a plain text."""
    return text_line("DESCRIPTION", text.strip("\n"))


def html_description_lines(html: str, *, keep_line_ends: bool) -> Sequence[ContentLine]:
    """DESCRIPTION as our text of ``html``, and the HTML itself as X-ALT-DESC; nothing where nothing is to be seen."""
    text = text_of_html(html, keep_line_ends=keep_line_ends)
    if not text:
        return ()
    return ContentLine("DESCRIPTION", (), escape_text(text)), ContentLine("X-ALT-DESC", _AS_HTML, escape_text(html))


def uri(text: str) -> str:
    """An absolute URI as a value, "" when it is none. Commas and backslashes are percent-encoded.

    A URI is not escaped as TEXT is, yet vobject, which reads for Radicale and vdirsyncer, cuts one at its first comma.
    """
    text = clean(text).strip() if text else ""
    return text.replace("\\", "%5C").replace(",", "%2C") if _URI.fullmatch(text) else ""


def uri_line(name: str, address: str) -> Sequence[ContentLine]:
    """A URI property, none when it is no URI."""
    return (ContentLine(name, (), found),) if address and (found := uri(address)) else ()


def conference_line(address: str, features: Iterable[str] = (), label: str = "") -> Sequence[ContentLine]:
    """CONFERENCE (RFC 7986 section 5.11), none when the address is no URI."""
    if not address or not (found := uri(address)):
        return ()
    return (line("CONFERENCE", found, VALUE="URI", FEATURE=tuple(features), LABEL=label or None),)


def mail_uri(address: str) -> str:
    """The "mailto:" URI of an address; what no address may hold is percent-encoded."""
    address = clean(address).strip()
    if _PLAIN_ADDRESS.fullmatch(address) is not None:
        return f"mailto:{address}"
    return f"mailto:{quote(address, safe='@/=+')}"


class Alarm(NamedTuple):
    """One reminder. (No dataclass for the reason that ContentLine gives.)"""

    minutes: int  # before the start
    mail_to: str = ""  # "": shown on the screen; else sent to this address
    is_default: bool = False  # stands for the calendar's default reminder


def alarm_lines(alarm: Alarm, summary: str) -> Sequence[ContentLine]:
    """A VALARM. One of mail must have a subject and a text (RFC 5545 section 3.6.6)."""
    minutes, mail_to, is_default = alarm
    wording = escape_text(summary or "Reminder")
    lines = [
        _BEGIN_ALARM,
        _MAIL if mail_to else _DISPLAY,
        ContentLine("TRIGGER", (), f"-PT{minutes}M" if minutes else "PT0S"),
        ContentLine("DESCRIPTION", (), wording),
    ]
    if mail_to:
        lines += (ContentLine("SUMMARY", (), wording), ContentLine("ATTENDEE", (), mail_uri(mail_to)))
    if is_default:
        lines.append(_IS_DEFAULT)
    lines.append(_END_ALARM)
    return lines
