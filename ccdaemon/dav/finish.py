"""What every answer gets on its way out: no surprise in case of a defect, 304, compression, headers for browsers."""

import logging
import traceback
import zlib
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler, Header, refusal
from ccdaemon.errors import StoreUnavailable

MIN_COMPRESSED = 1024  # bytes; below, the header costs more than it saves
COMPRESSION_LEVEL = 1  # a listing of 10,000 items: 15 ms instead of 31 for a tenth more bytes
DAV_CLASSES = "1, 3, calendar-access, addressbook"  # what works; Radicale says 2 as well and answers LOCK with 405
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

log = logging.getLogger(__name__)


class Defects:
    """Turns exceptions into answers, and keeps count of those that nobody foresaw."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()

    def explain(self, error: Exception, method: str) -> Answer:
        """503 for a database that is busy, else 500. Logged by type and place: its text may quote a body."""
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
    """304 for a GET or HEAD whose If-None-Match names the answer's ETag, weak or not (RFC 9110 section 13.1.2)."""

    def handle(environ: WSGIEnvironment) -> Answer:
        answer = inner(environ)
        etag = answer.header("ETag")
        wanted = environ.get("HTTP_IF_NONE_MATCH", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or answer.status != HTTPStatus.OK or not (etag and wanted):
            return answer
        known = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
        if etag.removeprefix("W/") not in known and "*" not in known:
            return answer
        kept = tuple((name, value) for name in ("ETag", "Vary") if (value := answer.header(name)))
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=kept)

    return handle


def compressed(inner: Handler) -> Handler:
    """gzip for those who take it, at a level fit for listings. Radicale, which knows only a slow one, is not asked."""

    def handle(environ: WSGIEnvironment) -> Answer:
        accepted = environ.pop("HTTP_ACCEPT_ENCODING", "")
        answer = inner(environ)
        if "gzip" not in [coding.strip() for coding in accepted.split(",")] or len(answer.body) < MIN_COMPRESSED:
            return answer
        stream = zlib.compressobj(COMPRESSION_LEVEL, wbits=16 + zlib.MAX_WBITS)
        body = stream.compress(answer.body) + stream.flush()
        varies = ", ".join(filter(None, (answer.header("Vary"), "Accept-Encoding")))
        described = answer.having(("Content-Encoding", "gzip"), ("Vary", varies), ("Content-Length", str(len(body))))
        return Answer(status=answer.status, headers=described.headers, body=body)

    return handle


def announced(inner: Handler) -> Handler:
    """Headers of every answer: what this server can do, and what a browser must not do with it."""

    def handle(environ: WSGIEnvironment) -> Answer:
        answer = inner(environ)
        classes = (("DAV", DAV_CLASSES),) if answer.header("DAV") else ()
        return answer.having(*FOR_BROWSERS, *classes)

    return handle


def layered(inner: Handler, *layers: Callable[[Handler], Handler]) -> Handler:
    """``inner`` within the layers, the first one outermost."""
    for layer in reversed(layers):
        inner = layer(inner)
    return inner
