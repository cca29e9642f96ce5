"""Photos of Google's contacts: one request each, by as many threads as there are Transports."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Lock

import structlog

from ccdaemon.errors import BadAnswer, ForeignLink, NotAsked, RateLimited, Transient
from ccdaemon.model import Original
from ccdaemon.providers.photos import photo
from ccdaemon.providers.transport import Transport, error_of_response

MAX_FAILURES = 3  # photos in a row: the host is down, and each further one would cost a minute

_SIZE = re.compile(r"=s\d+(?:-[a-z]+)*\Z")
_WHERE = "google photos"
_log = structlog.get_logger(__name__)


class PhotoSearch:
    """Some photos that are asked for until they are there, or their host is found to be down."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        """``wanted``: the URL of each contact's photo."""
        self._wanted = deque(wanted.items())  # those that nobody has asked for
        self._found: dict[str, Original] = {}  # by contact
        self._order = list(wanted)
        self._failed = 0  # in a row
        self._error: BaseException | None = None  # a defect of one of the threads
        self._lock = Lock()

    @property
    def left(self) -> int:
        """How many nobody has asked for."""
        return len(self._wanted)

    def go_on(self, transport: Transport, *, until_found: bool = False) -> None:
        """Ask for one after the other; several threads may do so, each with a Transport of its own."""
        try:
            while (one := self._next()) is not None:
                contact_id, url = one
                try:
                    found = photo(contact_id, url, _photo(transport, url))
                except Transient as error:
                    self._note_failure(error)
                    continue
                with self._lock:
                    self._found[contact_id] = found
                    self._failed = 0
                if until_found:
                    return
        except BaseException as error:  # noqa: BLE001 - a defect: ``result`` raises it
            with self._lock:
                self._error = self._error or error
                self._wanted.clear()

    def result(self) -> Sequence[Original]:
        """Those that came, in the order in which they were wanted. Raises what a defect raised in any thread."""
        if self._error is not None:
            raise self._error
        return [self._found[contact_id] for contact_id in self._order if contact_id in self._found]

    def _next(self) -> tuple[str, str] | None:
        with self._lock:
            return self._wanted.popleft() if self._wanted else None

    def _note_failure(self, error: Transient) -> None:
        with self._lock:
            self._failed += 1
            if self._wanted and (isinstance(error, RateLimited | NotAsked) or self._failed >= MAX_FAILURES):
                _log.info("photos_postponed", left=len(self._order) - len(self._found), error=error.code)
                self._wanted.clear()
            else:
                _log.info("photo_missing", error=error.code)


def _photo(transport: Transport, url: str) -> bytes | None:
    """None: there is none to be had at this URL, now or later."""
    try:
        response = transport.get(_SIZE.sub("=s720", url))
    except (ForeignLink, BadAnswer) as error:
        _log.warning("photo_refused", error=error.code)
        return None
    return response.content if error_of_response(response, _WHERE) is None else None
