"""What a request must be like before anybody looks at what it asks: address, host, origin, path, size.

Each check is one function of the WSGI environment that returns a refusal or None. They need no log-in and no database.
Cases: trust.md T-25, T-28, T-48, T-50, T-51.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit
from wsgiref.types import WSGIEnvironment

from radicale.pathutils import sanitize_path

from ccdaemon.dav.answer import Answer, Handler, refusal

MAX_BODY_BYTES = 10 * 1024 * 1024
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound
TRUSTED_ONLY = ("HTTP_X_SCRIPT_NAME", "HTTP_X_REMOTE_USER", "HTTP_X_REMOTE_ADDR", "HTTP_FORWARDED", "REMOTE_USER")

Check = Callable[[WSGIEnvironment], Answer | None]

BAD_REQUEST = refusal(HTTPStatus.BAD_REQUEST, "Bad request.")
NO_SUCH_HOST = refusal(HTTPStatus.MISDIRECTED_REQUEST, "This server does not answer for that host.")
CROSS_SITE = refusal(HTTPStatus.FORBIDDEN, "Not for other web sites.")
TOO_LARGE = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")


def guarded(inner: Handler, checks: Sequence[Check]) -> Handler:
    """``inner`` behind the checks, in their order; the first refusal is the answer."""

    def handle(environ: WSGIEnvironment) -> Answer:
        for check in checks:
            if (refused := check(environ)) is not None:
                return refused
        return inner(environ)

    return handle


def all_checks(public_url: str | None) -> Sequence[Check]:
    """All of them, for a server that is reached at ``public_url`` or, without one, only where it listens."""
    public = urlsplit(public_url) if public_url else None
    return (
        without_untrusted_headers,
        has_plain_target,
        is_for_this_host(public),
        is_same_site(public),
        has_bounded_body,
        has_plain_path(public.path.rstrip("/") if public else ""),
    )


def without_untrusted_headers(environ: WSGIEnvironment) -> None:
    """Drop what only a proxy may say and Radicale would believe of anybody."""
    for key in [*TRUSTED_ONLY, *(key for key in environ if key.startswith("HTTP_X_FORWARDED_"))]:
        environ.pop(key, None)


def has_plain_target(environ: WSGIEnvironment) -> Answer | None:
    """Refuse a request line with a whole URL, whose host would contradict the Host header, and ``OPTIONS *``."""
    return None if environ.get("REQUEST_URI", "/").startswith("/") else BAD_REQUEST


def is_for_this_host(public: SplitResult | None) -> Check:
    """Refuse hosts that are not ours, so that a name rebound to our address leads nowhere (T-50).

    Ours are the loopback names, the address that is bound and the host of ``public``. Where every address is bound,
    any literal address is ours: rebinding needs a name.
    """
    public_host = public.hostname if public else None

    def check(environ: WSGIEnvironment) -> Answer | None:
        host = _host_name(environ.get("HTTP_HOST", ""))
        if host is None:
            return BAD_REQUEST
        bound = environ["SERVER_NAME"]
        is_ours = host in (public_host, bound) or _is_loopback(host) or (bound in WILDCARDS and _is_address(host))
        return None if is_ours else NO_SUCH_HOST

    return check


def is_same_site(public: SplitResult | None) -> Check:
    """Refuse what a page of another site makes a browser send (T-48). DAV clients send neither of the two headers."""
    public_origin = f"{public.scheme}://{public.netloc}" if public else None

    def check(environ: WSGIEnvironment) -> Answer | None:
        own = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        is_foreign = environ.get("HTTP_ORIGIN", own) not in (own, public_origin)
        return CROSS_SITE if is_foreign or environ.get("HTTP_SEC_FETCH_SITE") == "cross-site" else None

    return check


def has_bounded_body(environ: WSGIEnvironment) -> Answer | None:
    """Refuse a length that is none or more than ``MAX_BODY_BYTES``. The server has counted what came in chunks."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return BAD_REQUEST
    return TOO_LARGE if len(length) > 18 or int(length) > MAX_BODY_BYTES else None


def has_plain_path(prefix: str) -> Check:
    """Refuse control characters; reduce the path to the one that everybody behind us reads.

    ``prefix`` is the path of ``public_url``: links carry it, and a proxy may or may not have taken it off already.
    """

    def check(environ: WSGIEnvironment) -> Answer | None:
        path = environ["PATH_INFO"] or "/"
        if not all(" " <= character <= "~" for character in path):
            return BAD_REQUEST  # names here are ASCII: nothing is called so
        if prefix and (path + "/").startswith(prefix + "/"):
            path = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        environ["PATH_INFO"] = sanitize_path(path)
        return None

    return check


def _host_name(header: str) -> str | None:
    """The name in a Host header, in lower case and without brackets; None where it has no such form."""
    try:
        parts = urlsplit(f"//{header}")
        is_whole = bool(header) and parts.netloc == header and "@" not in header and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if is_whole else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
