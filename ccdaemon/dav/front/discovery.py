"""How a client finds its way from the bare address (RFC 6764), and what there is beside people's homes: nothing."""

from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler, refusal

WELL_KNOWN = frozenset({"/.well-known/caldav", "/.well-known/carddav"})
FRONT_PAGE = refusal(HTTPStatus.OK, "ccdaemon: give this address to a CalDAV or CardDAV client.")
NOT_FOUND = refusal(HTTPStatus.NOT_FOUND, "The requested resource could not be found.")


def well_known(inner: Handler) -> Handler:
    """Answer the two well-known paths with the root, whatever the method; no log-in is needed to learn that."""

    def handle(environ: WSGIEnvironment) -> Answer:
        if environ["PATH_INFO"].rstrip("/") not in WELL_KNOWN:
            return inner(environ)
        location = environ["SCRIPT_NAME"] + "/"
        return refusal(HTTPStatus.MOVED_PERMANENTLY, "Moved to the root.", ("Location", location))

    return handle


def only_homes(inner: Handler) -> Handler:
    """Keep Radicale's own pages shut: ``/.web``, ``/.sharing``, and ``/.mobileconfig``, which trusts the Host header.

    A browser at the root gets a sentence instead of a redirect to them.
    """

    def handle(environ: WSGIEnvironment) -> Answer:
        path = environ["PATH_INFO"]
        if path.startswith("/."):
            return NOT_FOUND
        if path == "/" and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return FRONT_PAGE
        return inner(environ)

    return handle
