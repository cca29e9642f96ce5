"""A look through the XML of a request before Radicale builds a tree of it.

Radicale's process dies (SIGSEGV) of 150,000 nested elements and works for minutes on a million siblings; expat, asked
to stop at the first excess, refuses either in milliseconds. Cases: trust.md T-27, R-46.
"""

from http import HTTPStatus
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment
from xml.parsers import expat

from ccdaemon.dav.answer import Answer, Handler, refusal

METHODS = frozenset({"PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR"})
MAX_DEPTH = 32  # Apple's deepest filters need 8
MAX_ELEMENTS = 20_000  # a multiget of 5,000 hrefs passes three times over
MAX_ATTRIBUTES = 64  # of one element, namespaces included
NAMESPACE_SEPARATOR = " "

CALDAV = "urn:ietf:params:xml:ns:caldav"
HREF = "DAV: href"
MULTIGETS = frozenset({f"{CALDAV} calendar-multiget", "urn:ietf:params:xml:ns:carddav addressbook-multiget"})
FREE_BUSY = f"{CALDAV} free-busy-query"
TIME_RANGE = f"{CALDAV} time-range"

NOT_XML = refusal(HTTPStatus.BAD_REQUEST, "The body is not the XML that this request needs.")
NOT_UTF8 = refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "XML is read in UTF-8 only.")
EXCESSIVE = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The XML is too deep, too long or too crowded.")
NO_DOCTYPE = refusal(HTTPStatus.BAD_REQUEST, "XML with a document type is not read.")


class _Refused(Exception):
    """The way out of expat's callbacks."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def xml_checked(inner: Handler) -> Handler:
    """``inner``, which gets only XML that is small, flat, in UTF-8 and of the shape that its readers count on."""

    def handle(environ: WSGIEnvironment) -> Answer:
        if environ["REQUEST_METHOD"] not in METHODS:
            return inner(environ)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if body and (refused := scan(body)) is not None:
            return refused
        # Radicale decodes by the charset named here before it parses: what was scanned must be what is parsed.
        environ |= {"CONTENT_TYPE": "text/xml; charset=utf-8", "wsgi.input": BytesIO(body)}
        return inner(environ)

    return handle


def scan(body: bytes) -> Answer | None:
    """None, or why this XML is refused."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    parser = expat.ParserCreate("utf-8", NAMESPACE_SEPARATOR)  # whatever encoding the document itself declares
    shape = _Shape()
    parser.StartElementHandler = shape.start
    parser.EndElementHandler = shape.end
    parser.CharacterDataHandler = shape.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(body, True)
    except _Refused as refused:
        return refused.answer
    except expat.ExpatError:
        return NOT_XML
    return None if shape.is_complete() else NOT_XML


def _refuse_doctype(*_: Any) -> None:
    raise _Refused(NO_DOCTYPE)


class _Shape:
    """Counts, and what the readers behind us take for granted (they would answer 500 without it)."""

    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0
        self._root = ""
        self._children: set[str] = set()  # of the root
        self._href: str | None = None  # the text so far, while inside an href

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._href is not None and self._root in MULTIGETS:
            raise _Refused(NOT_XML)  # an href holds text only
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise _Refused(EXCESSIVE)
        if self._depth == 1:
            self._root = name
        elif self._depth == 2:
            self._children.add(name)
        if name == HREF:
            self._href = ""

    def text(self, text: str) -> None:
        if self._href is not None:
            self._href += text

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == HREF:
            if self._root in MULTIGETS and not (self._href or "").strip():
                raise _Refused(NOT_XML)
            self._href = None

    def is_complete(self) -> bool:
        return bool(self._children) and (self._root != FREE_BUSY or TIME_RANGE in self._children)
