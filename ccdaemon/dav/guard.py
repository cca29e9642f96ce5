"""What a request must be like before anybody looks at what it asks: address, host, origin, path, size.

Each check is one function of the WSGI environment that returns a refusal or None. They need no log-in and no database.
Before them, what only a proxy may say is believed of proxies that were configured, and forgotten of everybody else.
Cases: trust.md T-25, T-28, T-48, T-50, T-51.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit
from wsgiref.types import WSGIEnvironment

from radicale.pathutils import sanitize_path

from ccdaemon.dav.answer import Answer, Handler, refusal

MAX_BODY_BYTES = 10 * 1024 * 1024
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound
TRUSTED_ONLY = (
    "REMOTE_USER",
    "HTTP_FORWARDED",
    "HTTP_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_FASTLY_CLIENT_IP",
    "HTTP_VIA",
    "HTTP_PROXY",
)
TRUSTED_ONLY_BEGINNING = "HTTP_X_"  # X-Forwarded-*, X-Script-Name, X-Remote-User, X-Original-URL …: we read none
MAX_HOPS = 20  # of X-Forwarded-For, the nearest ones
MAX_KNOWN_PATH = 128  # characters of a path that is remembered: that of a collection has some 30
SCHEMES = frozenset({"http", "https"})

Networks = tuple[IPv4Network | IPv6Network, ...]
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


def all_checks(public_url: str | None, trusted_proxies: Networks = ()) -> Sequence[Check]:
    """All of them, for a server that is reached at ``public_url`` or, without one, only where it listens."""
    public = urlsplit(public_url) if public_url else None
    return (
        as_the_proxy_says(trusted_proxies),
        without_untrusted_headers,
        has_plain_target,
        is_for_this_host(public),
        is_same_site(public),
        has_bounded_body,
        has_plain_path(public.path.rstrip("/") if public else ""),
    )


def as_the_proxy_says(trusted: Networks) -> Check:
    """Take the client's address and scheme from a trusted proxy: for the patience with log-ins and for origins.

    Of a chain of proxies in X-Forwarded-For the last one that is not trusted is the client. Host and path are never
    taken from such headers: links are built from ``public_url``.
    """

    def check(environ: WSGIEnvironment) -> None:
        if not is_within(environ.get("REMOTE_ADDR", ""), trusted):
            return
        hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-MAX_HOPS:]
        for hop in reversed(hops):
            if (address := _hop(hop)) is None:
                break
            environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = str(address)
            if not is_within(str(address), trusted):
                break
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
        if scheme in SCHEMES:
            environ["wsgi.url_scheme"] = scheme

    return check


def without_untrusted_headers(environ: WSGIEnvironment) -> None:
    """Drop what only a proxy may say and Radicale would believe of anybody."""
    for key in [*TRUSTED_ONLY, *(key for key in environ if key.startswith(TRUSTED_ONLY_BEGINNING))]:
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

    @lru_cache(maxsize=64)  # names that clients know it by: few
    def judged(header: str, bound: str) -> Answer | None:
        host = _host_name(header)
        if host is None:
            return BAD_REQUEST
        is_ours = host in (public_host, bound) or _is_loopback(host) or (bound in WILDCARDS and _is_address(host))
        return None if is_ours else NO_SUCH_HOST

    return lambda environ: judged(environ.get("HTTP_HOST", ""), environ["SERVER_NAME"])


def is_same_site(public: SplitResult | None) -> Check:
    """Refuse what a page of another site makes a browser send (T-48). DAV clients send neither of the two headers."""
    public_origin = f"{public.scheme}://{public.netloc}" if public else None

    def check(environ: WSGIEnvironment) -> Answer | None:
        if environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
            return CROSS_SITE
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            return None
        own = f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '')}"
        return None if origin in (own, public_origin) else CROSS_SITE

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
        if not (path.isascii() and path.isprintable()):
            return BAD_REQUEST  # names here are ASCII: nothing is called so
        if prefix and (path + "/").startswith(prefix + "/"):
            path = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        environ["PATH_INFO"] = _known_path(path) if len(path) <= MAX_KNOWN_PATH else sanitize_path(path)
        return None

    return check


_known_path = lru_cache(maxsize=512)(sanitize_path)


def is_within(address: str, networks: Networks) -> bool:
    """Whether the address lies in one of the networks; what is no address lies nowhere."""
    if not networks or not _is_address(address):
        return False
    found = _plain(ip_address(address))
    return any(found in one for one in networks if one.version == found.version)


def _hop(text: str) -> IPv4Address | IPv6Address | None:
    """The address of one hop, which some proxies write with its port; None where it is none."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    return _plain(ip_address(bare)) if _is_address(bare) and "%" not in bare else None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address in IPv6's clothes as what it is: all of them lie in one /64."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


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
