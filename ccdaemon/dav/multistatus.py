"""Multistatus answers written as text (RFC 4918 section 13), without a tree in between.

Names are Clark names, ``{DAV:}getetag``. The namespaces that clients ask for most are declared once, at the root.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape as escape_html
from http import HTTPStatus
from urllib.parse import quote

from ccdaemon.dav.answer import Answer, Header

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
CARDDAV = "urn:ietf:params:xml:ns:carddav"
CALENDARSERVER = "http://calendarserver.org/ns/"
APPLE = "http://apple.com/ns/ical/"

PREFIXES = {DAV: "", CALDAV: "C:", CARDDAV: "CR:", CALENDARSERVER: "CS:", APPLE: "ICAL:"}
_DECLARED = f'xmlns="{DAV}" xmlns:C="{CALDAV}" xmlns:CR="{CARDDAV}" xmlns:CS="{CALENDARSERVER}" xmlns:ICAL="{APPLE}"'
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_HEAD = f"{_DECLARATION}<multistatus {_DECLARED}>"
_TAIL = "</multistatus>"

XML: tuple[Header, ...] = (("Content-Type", 'application/xml; charset="utf-8"'),)
_REFERENCES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))

FOUND = "<status>HTTP/1.1 200 OK</status>"
MISSING = "<status>HTTP/1.1 404 Not Found</status>"


def escape(text: str) -> str:
    """``text`` as content of an element; its carriage returns are for ``_encoded``."""
    for character, reference in _REFERENCES:
        if character in text:  # looking costs a tenth of replacing nothing
            text = text.replace(character, reference)
    return text


def escaped(texts: Sequence[str]) -> Sequence[str]:
    """Each of them as ``escape`` gives it. None of them holds a NUL."""
    whole = "\0".join(texts)
    found = escape(whole)
    return texts if found is whole else found.split("\0")


def quoted(segment: str) -> str:
    """A path segment as it stands in an href."""
    return quote(segment, safe="-._~!$'()*+,;=:@")


@lru_cache(maxsize=1024)
def tag(name: str) -> tuple[str, str]:
    """What opens and closes the element of a Clark name, between the angle brackets: ``C:calendar-data`` twice, with
    its namespace declared in the first where the root does not.
    """
    namespace, _, local = name.removeprefix("{").rpartition("}")
    prefix = PREFIXES.get(namespace)
    if prefix is not None:
        return prefix + local, prefix + local
    if not namespace:
        return f'{local} xmlns=""', local
    return f'X:{local} xmlns:X="{escape_html(namespace)}"', f"X:{local}"


def element(name: str, content: str = "") -> str:
    """The element with ``content``, which is XML already."""
    opened, closed = tag(name)
    return f"<{opened}>{content}</{closed}>" if content else f"<{opened}/>"


def response(href: str, found: str, missing: Sequence[str] = ()) -> str:
    """One resource with its properties.

    ``href`` is quoted already; ``found`` are elements as XML; ``missing`` Clark names. With neither, an empty propstat
    says that nothing was to be told (RFC 4918 section 14.24 wants one).
    """
    lacking = ""
    if missing:
        lacking = f"<propstat><prop>{''.join(map(element, missing))}</prop>{MISSING}</propstat>"
    told = f"<propstat><prop>{found}</prop>{FOUND}</propstat>" if found or not missing else ""
    return f"<response><href>{href}</href>{told}{lacking}</response>"


def gone(href: str, status: HTTPStatus = HTTPStatus.NOT_FOUND) -> str:
    """One resource of which only a status is told."""
    return f"<response><href>{href}</href><status>HTTP/1.1 {status.value} {status.phrase}</status></response>"


def multistatus(responses: Iterable[str], *, sync_token: str | None = None) -> Answer:
    """The 207 with these responses."""
    token = "" if sync_token is None else f"<sync-token>{escape(sync_token)}</sync-token>"
    text = "".join((_HEAD, *responses, token, _TAIL))
    return Answer(status=HTTPStatus.MULTI_STATUS, headers=XML, body=_encoded(text))


def precondition(status: HTTPStatus, name: str, content: str = "") -> Answer:
    """A refusal that names the condition that was not met (RFC 4918 section 16)."""
    return document(status, f"{{{DAV}}}error", element(name, content))


def document(status: HTTPStatus, name: str, content: str) -> Answer:
    """An answer whose body is one element of ours, by its Clark name."""
    opened, closed = tag(name)
    text = f"{_DECLARATION}<{opened} {_DECLARED}>{content}</{closed}>"
    return Answer(status=status, headers=XML, body=_encoded(text))


def _encoded(document: str) -> bytes:
    """Its carriage returns, which stand in contents only, as references: a parser would make LF of CRLF (XML 1.0
    section 2.11), and a body would not be the one that its strong ETag names.
    """
    return document.encode().replace(b"\r", b"&#13;")  # once, and of bytes: of text it takes twice as long
