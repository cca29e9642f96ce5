"""A card in the version of vCard that is asked for: content negotiation of GET and HEAD (RFC 6352 section 5.1, RFC 9110
section 12.5.1). Who names none gets what is stored: 3.0 of clouds, and whatever a client wrote.

Only GET: a REPORT names the version that it wants in its body (bodies.py), whatever it accepts.

The other version of a card has the same opaque tag as what is stored, but weak: both change together and mean the same,
so that a client recognises the ETag of its listing; byte for byte they differ, and the same 3.0 may become another 4.0
with a later program, so that no strong tag may stand for it.
"""

from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler
from ccdaemon.dav.reports.bodies import in_version, is_version_4

MEDIA_TYPE = "text/vcard"
CONTENT_TYPE_4 = "text/vcard; version=4.0; charset=utf-8"
DEFAULT_VERSION, OTHER_VERSION = "3.0", "4.0"

_RANGES = {MEDIA_TYPE: 2, "text/*": 1, "*/*": 0}  # media range -> how much it says


def versioned(inner: Handler) -> Handler:
    """``inner``, whose single cards are there in both versions."""

    def handle(environ: WSGIEnvironment) -> Answer:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return inner(environ)
        version = wanted(environ.get("HTTP_ACCEPT", ""))
        if not version:
            return _varied(inner(environ))
        answer = inner({**environ, "REQUEST_METHOD": "GET"})  # HEAD has to tell the length of this body
        if _is_card(answer) and answer.body.count(b"BEGIN:VCARD\r\n") == 1:
            answer = _in_version(answer, version)
        return _varied(answer if method == "GET" else _headless(answer))

    return handle


def _is_card(answer: Answer) -> bool:
    return answer.status == HTTPStatus.OK and (answer.header("Content-Type") or "").startswith(MEDIA_TYPE)


def _varied(answer: Answer) -> Answer:
    """Told to caches: whoever accepts something else may get something else."""
    return answer.having(("Vary", "Accept")) if _is_card(answer) else answer


def _in_version(answer: Answer, version: str) -> Answer:
    """The answer in it, with a weak ETag; where that is what is stored, it stays as it is."""
    stored = answer.body.decode()
    told = in_version(stored, version)
    if is_version_4(told):
        answer = answer.having(("Content-Type", CONTENT_TYPE_4))
    if told == stored:
        return answer
    body, etag = told.encode(), answer.header("ETag")
    described = answer.having(
        ("Content-Length", str(len(body))), *((("ETag", f"W/{etag.removeprefix('W/')}"),) if etag else ())
    )
    return Answer(status=answer.status, headers=described.headers, body=body)


def _headless(answer: Answer) -> Answer:
    """The answer to HEAD from that to GET."""
    described = answer.having(("Content-Length", str(len(answer.body))))
    return Answer(status=answer.status, headers=described.headers)


def wanted(accept: str) -> str:
    """The version that an Accept header likes better; "" where it says nothing of versions, or likes both alike."""
    three, four = _quality(accept, DEFAULT_VERSION), _quality(accept, OTHER_VERSION)
    if four > three:
        return OTHER_VERSION
    return DEFAULT_VERSION if three > four else ""


def _quality(accept: str, version: str) -> float:
    """Of the range that speaks most closely of cards in that version; 0 where none does."""
    best, found = (-1, -1), 0.0
    for part in accept.split(","):
        media_range, *params = (piece.strip().lower() for piece in part.split(";"))
        if media_range not in _RANGES:
            continue
        named = {
            name.strip(): value.strip().strip('"') for name, _, value in (param.partition("=") for param in params)
        }
        quality = _number(named.pop("q", "1"))
        if named.get("version", version) == version:
            closeness = (_RANGES[media_range], len(named))
            if closeness > best:
                best, found = closeness, quality
    return found


def _number(text: str) -> float:
    """A quality value; what is none counts as 0."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0
