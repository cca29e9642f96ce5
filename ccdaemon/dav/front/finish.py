"""What every answer gets on its way out: no surprise in case of a defect, 304, compression, headers for browsers."""

import logging
import re
import traceback
import zlib
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler, Header, refusal
from ccdaemon.dav.items.conditions import CONDITION_FAILED, is_known, may_be_read
from ccdaemon.errors import DiskFull, StoreUnavailable

MIN_COMPRESSED = 1024  # bytes; below, the header costs more than it saves
COMPRESSION_LEVEL = 1  # a listing of 10,000 items: 15 ms instead of 31 for a tenth more bytes
DAV_CLASSES = "1, 3, extended-mkcol, calendar-access, addressbook"  # what works; Radicale adds 2, and knows no LOCK
ALLOWED = (  # by the depth of the path, whatever is there: the root, a home, a collection, an item
    "GET, HEAD, OPTIONS, PROPFIND, REPORT",
    "OPTIONS, PROPFIND, REPORT",
    "DELETE, GET, HEAD, MKCALENDAR, MKCOL, OPTIONS, PROPFIND, PROPPATCH, REPORT",
    "DELETE, GET, HEAD, MOVE, OPTIONS, PROPFIND, PUT, REPORT",
)
FOR_BROWSERS: tuple[Header, ...] = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-cache"),
)

DEFECT = refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. It has been noted.")
BUSY = refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be used just now; try again later.", ("Retry-After", "10")
)
WRITING = frozenset({"PUT", "DELETE", "MOVE", "MKCOL", "MKCALENDAR", "PROPPATCH"})
NO_SPACE = refusal(HTTPStatus.INSUFFICIENT_STORAGE, "There is no space here to store that.")

_NO_WEIGHT = re.compile(r"[ \t]*q[ \t]*=[ \t]*0(?:\.0*)?[ \t]*")

log = logging.getLogger(__name__)


class Defects:
    """Turns exceptions into answers, and keeps count of those that nobody foresaw."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()

    def explain(self, error: Exception, method: str) -> Answer:
        """507 where there is no space to write, 503 for a database that cannot be used, else 500.

        Logged by type and place: the text of an error may quote a body.
        """
        if isinstance(error, DiskFull) and method in WRITING:
            log.error("a %s request found no space to write (%s)", method, error.code)
            return NO_SPACE
        if isinstance(error, StoreUnavailable):
            log.warning("a %s request found no usable database (%s)", method, error.code)
            return BUSY
        with self._lock:
            self.count += 1
        log.error("defect %d: a %s request ended in %s at %s", self.count, method, type(error).__name__, _place(error))
        return DEFECT


def contained(inner: Handler, defects: Defects) -> Handler:
    """``inner``, which always answers."""

    def handle(environ: WSGIEnvironment) -> Answer:
        try:
            return inner(environ)
        except Exception as error:  # noqa: BLE001 - logged and counted there
            return defects.explain(error, environ["REQUEST_METHOD"])

    return handle


def _place(error: Exception) -> str:
    """The three innermost frames, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


def conditional(inner: Handler) -> Handler:
    """304 for a GET or HEAD of what the client has already, by its ETag or else by its date, and 412 for one of what is
    not as the client wants it (RFC 9110 section 13).
    """

    def handle(environ: WSGIEnvironment) -> Answer:
        answer = inner(environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or answer.status != HTTPStatus.OK:
            return answer
        etag, last_modified = answer.header("ETag"), answer.header("Last-Modified")
        if not may_be_read(environ, etag, last_modified):
            return CONDITION_FAILED
        if not is_known(environ, etag, last_modified):
            return answer
        kept = tuple((name, value) for name in ("ETag", "Vary") if (value := answer.header(name)))
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=kept)

    return handle


def compressed(inner: Handler) -> Handler:
    """gzip for those who take it, at a level fit for listings. Radicale, which knows only a slow one, is not asked."""

    def handle(environ: WSGIEnvironment) -> Answer:
        accepts = takes_gzip(environ.pop("HTTP_ACCEPT_ENCODING", ""))
        if accepts and environ["REQUEST_METHOD"] == "HEAD":  # it tells the length of the body packed
            answer = inner({**environ, "REQUEST_METHOD": "GET"})
        else:
            answer = inner(environ)
        if len(answer.body) < MIN_COMPRESSED or not accepts:
            return answer
        stream = zlib.compressobj(COMPRESSION_LEVEL, wbits=16 + zlib.MAX_WBITS)
        body = stream.compress(answer.body) + stream.flush()
        varies = ", ".join(filter(None, (answer.header("Vary"), "Accept-Encoding")))
        described = answer.having(("Content-Encoding", "gzip"), ("Vary", varies), ("Content-Length", str(len(body))))
        return Answer(status=answer.status, headers=described.headers, body=body)

    return handle


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, in any case and with any weight but none (RFC 9110 section 12.5.3)."""
    if "gzip" not in (lowered := accepted.lower()):
        return False
    for coding in lowered.split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return _NO_WEIGHT.fullmatch(weight) is None
    return False


def announced(inner: Handler) -> Handler:
    """Headers of every answer: what this server can do, and what a browser must not do with it."""

    def handle(environ: WSGIEnvironment) -> Answer:
        answer = inner(environ)
        is_about_dav = answer.status == HTTPStatus.MULTI_STATUS or answer.header("DAV")
        told = [("DAV", DAV_CLASSES)] if is_about_dav else []
        method = environ["REQUEST_METHOD"]
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED or (method == "OPTIONS" and answer.header("Allow")):
            told.append(("Allow", allowed(environ["PATH_INFO"], but="" if method == "OPTIONS" else method)))
        return answer.having(*FOR_BROWSERS, *told)

    return handle


def allowed(path: str, *, but: str = "") -> str:
    """What may work there, ``but`` what just did not; Radicale names all that it knows for every place."""
    depth = len([segment for segment in path.split("/") if segment])
    methods = ALLOWED[min(depth, len(ALLOWED) - 1)]
    return ", ".join(method for method in methods.split(", ") if method != but)


def layered(inner: Handler, *layers: Callable[[Handler], Handler]) -> Handler:
    """``inner`` within the layers, the first one outermost."""
    for layer in reversed(layers):
        inner = layer(inner)
    return inner
