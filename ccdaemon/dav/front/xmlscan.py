"""A look through the XML of a request before Radicale builds a tree of it.

Radicale's process dies (SIGSEGV) of 150,000 nested elements and works for minutes on a million siblings; expat, asked
to stop at the first excess, refuses either in milliseconds. Cases: trust.md T-27, R-46.
"""

from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIEnvironment
from xml.parsers import expat

from ccdaemon.dav.answer import Answer, Handler, refusal
from ccdaemon.dav.front.href_run import shortened
from ccdaemon.dav.multistatus import CALDAV, CARDDAV

METHODS = frozenset({"PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR"})
MAKING = frozenset({"MKCOL", "MKCALENDAR"})
MAX_XML_BYTES = 4 * 1024 * 1024  # 10,000 long hrefs need one; more is for the bodies of items
MAX_DEPTH = 32  # Apple's deepest filters need 8
MAX_ELEMENTS = 20_000  # a multiget of 10,000 hrefs passes; processing instructions count as well
MAX_ATTRIBUTES = 64  # of one element
MAX_NAMESPACES = 64  # declared by one element
MAX_DECLARED = 40_000  # namespaces and attributes in the whole document: some write their namespace at every href
REMEMBERED_BYTES = 4096  # polls are smaller, and say the same for ever
NAMESPACE_SEPARATOR = " "

HREF = "DAV: href"
MULTIGETS = frozenset({f"{CALDAV} calendar-multiget", f"{CARDDAV} addressbook-multiget"})
FREE_BUSY = f"{CALDAV} free-busy-query"
TIME_RANGE = f"{CALDAV} time-range"
CHILDLESS = frozenset({"DAV: principal-search-property-set"})  # RFC 3744 section 9.5; all others ask for something

SHORTENED_KEY = "ccdaemon.shortened"
"""In the environ: a long body without the hrefs in it, and these; None for a short one."""

NOT_XML = refusal(HTTPStatus.BAD_REQUEST, "The body is not the XML that this request needs.")
NOT_UTF8 = refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "XML is read in UTF-8 only.")
NOT_PLAIN = refusal(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Bodies are read uncompressed only.", ("Accept-Encoding", "identity")
)
NOT_A_COLLECTION = refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A collection is described in XML only.")
EXCESSIVE = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The XML is too deep, too long or too crowded.")
NO_DOCTYPE = refusal(HTTPStatus.BAD_REQUEST, "XML with a document type is not read.")


class _Refused(Exception):
    """The way out of expat's callbacks."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def xml_checked(inner: Handler) -> Handler:
    """``inner``, which gets only XML that is small, flat, in UTF-8 and of the shape that its readers count on.

    A compressed body of any method is refused: its true size shows too late.
    """

    def handle(environ: WSGIEnvironment) -> Answer:
        if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
            return NOT_PLAIN
        if environ["REQUEST_METHOD"] not in METHODS:
            return inner(environ)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_XML_BYTES:
            return EXCESSIVE
        body = environ["wsgi.input"].read(length)
        short = shortened(body) if length > REMEMBERED_BYTES else None
        if body and (refused := _refused(body if short is None else short.body)) is not None:
            return NOT_A_COLLECTION if refused is NOT_XML and _is_strange(environ) else refused
        # Radicale decodes by the charset named here before it parses: what was scanned must be what is parsed.
        environ |= {"CONTENT_TYPE": "text/xml; charset=utf-8", "wsgi.input": BytesIO(body), SHORTENED_KEY: short}
        return inner(environ)

    return handle


def _is_strange(environ: WSGIEnvironment) -> bool:
    """Whether a collection is to be made from what calls itself something else than XML (RFC 4918 section 9.3)."""
    media_type = environ.get("CONTENT_TYPE", "").lower()
    return environ["REQUEST_METHOD"] in MAKING and bool(media_type) and "xml" not in media_type


def scan(body: bytes) -> Answer | None:
    """None, or why this XML is refused."""
    if b"\0" in body:
        return NOT_UTF8  # expat takes UTF-16 for what it is, whatever it was told
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    parser = expat.ParserCreate("utf-8", NAMESPACE_SEPARATOR)  # whatever encoding the document itself declares
    parser.buffer_text = True  # else one call for every line of a text
    shape = _Shape()
    parser.StartNamespaceDeclHandler = shape.declare
    parser.ProcessingInstructionHandler = shape.instruct
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


def _refused(body: bytes) -> Answer | None:
    return _scan_once(body) if len(body) <= REMEMBERED_BYTES else scan(body)


@lru_cache(maxsize=512)
def _scan_once(body: bytes) -> Answer | None:
    return scan(body)


def _refuse_doctype(*_: Any) -> None:
    raise _Refused(NO_DOCTYPE)


class _Shape:
    """Counts, and what the readers behind us take for granted (they would answer 500 without it)."""

    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0
        self._namespaces = 0  # declared for the next element
        self._declared = 0  # namespaces and attributes
        self._root = ""
        self._children: set[str] = set()  # of the root
        self._is_href = False  # inside of one
        self._has_text = False  # that href

    def declare(self, _prefix: str | None, _uri: str | None) -> None:
        self._namespaces += 1
        self._declared += 1
        if self._namespaces > MAX_NAMESPACES or self._declared > MAX_DECLARED:
            raise _Refused(EXCESSIVE)

    def instruct(self, _target: str, _text: str) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _Refused(EXCESSIVE)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        self._namespaces = 0
        self._declared += len(attributes)
        if self._is_href and self._root in MULTIGETS:
            raise _Refused(NOT_XML)  # an href holds text only
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _Refused(EXCESSIVE)
        if len(attributes) > MAX_ATTRIBUTES or self._declared > MAX_DECLARED:
            raise _Refused(EXCESSIVE)
        if self._depth == 1:
            self._root = name
        elif self._depth == 2:
            self._children.add(name)
        if name == HREF:
            self._is_href, self._has_text = True, False

    def text(self, text: str) -> None:
        self._has_text = self._has_text or (self._is_href and not text.isspace())

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == HREF:
            if self._root in MULTIGETS and not self._has_text:
                raise _Refused(NOT_XML)
            self._is_href = False

    def is_complete(self) -> bool:
        has_enough = bool(self._children) or self._root in CHILDLESS
        return has_enough and (self._root != FREE_BUSY or TIME_RANGE in self._children)
