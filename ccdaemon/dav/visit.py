"""One request of somebody who has signed in, with the place that it is about."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.front.href_run import Shortened
from ccdaemon.dav.front.passwords import PERSON_ID_KEY, PERSON_KEY
from ccdaemon.dav.front.xmlscan import SHORTENED_KEY
from ccdaemon.dav.multistatus import quoted

MAX_HREF = 255  # characters of the path segment that a client gives an item


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Nothing here was looked up: a place need not exist. ``segments`` of somebody else's home is nowhere."""

    environ: WSGIEnvironment
    person: str  # who asks
    person_id: int
    segments: tuple[str, ...] | None  # (): the root; (person,); (person, collection); (…, item). None: nowhere
    body: bytes  # the XML of the request, scanned; b"" where there is none
    short: Shortened | None = None  # the same without its hrefs, where it was too long to be remembered

    @property
    def method(self) -> str:
        """In upper case."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def prefix(self) -> str:
        """What stands before every href: the path of ``public_url``, or ""."""
        return str(self.environ["SCRIPT_NAME"])

    @property
    def home(self) -> str:
        """The href of the asker's own home."""
        return f"{self.prefix}/{self.person}/"

    def header(self, name: str) -> str:
        """By its name as HTTP has it; "" where it is absent."""
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    def collection_href(self, href: str) -> str:
        """The href of one of the asker's collections."""
        return _collection_href(self.prefix, self.person, href)

    def prefers_minimal(self) -> bool:
        """``Prefer: return=minimal`` (RFC 8144), or Apple's older ``Brief: t``."""
        prefer, brief = self.environ.get("HTTP_PREFER"), self.environ.get("HTTP_BRIEF")
        if prefer is None and brief is None:
            return False
        wishes = [wish.strip().lower() for wish in (prefer or "").split(",")]
        return "return=minimal" in wishes or (brief or "").strip().lower() == "t"

    def located(self, href: str) -> tuple[str, ...] | None:
        """The segments that an href in a body or a Destination header means; None: nowhere of the asker's."""
        try:
            path = unquote(urlsplit(href.strip()).path, errors="strict")
        except ValueError:
            return None
        if not path.startswith(self.prefix + "/"):
            return None
        return _segments(path[len(self.prefix) :], self.person)


@lru_cache(maxsize=1024)  # clients come for the same ones for ever
def _collection_href(prefix: str, person: str, href: str) -> str:
    return f"{prefix}/{person}/{quoted(href)}/"


def visit(environ: WSGIEnvironment, body: bytes) -> Visit:
    """The visit of a request that has passed guard and log-in."""
    path, person = environ["PATH_INFO"], environ[PERSON_KEY]
    return Visit(
        environ=environ,
        person=person,
        person_id=environ[PERSON_ID_KEY],
        segments=_segments(path, person),
        body=body,
        short=environ.get(SHORTENED_KEY),
    )


def _segments(path: str, person: str) -> tuple[str, ...] | None:
    segments = tuple(path.strip("/").split("/")) if path.strip("/") else ()
    if not segments:
        return ()
    is_plain = len(segments) <= 3 and all(part not in ("", ".", "..") for part in segments)
    return segments if segments[0] == person and is_plain else None
