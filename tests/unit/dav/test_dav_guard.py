"""What is refused before anybody looks at it (trust.md T-28, T-48 to T-51, R-66)."""

from http import HTTPStatus
from ipaddress import ip_network
from typing import Any

import pytest

from ccdaemon.dav.answer import Answer, refusal
from ccdaemon.dav.guard import MAX_BODY_BYTES, MAX_HOPS, Networks, all_checks, guarded, is_within
from ccdaemon.dav.server import make_wsgi_app
from tests.unit.dav.dav_client import DavClient, propfind
from tests.unit.dav.household import Household


@pytest.fixture
def public(household: Household) -> DavClient:
    """The server behind a proxy, bound to every address."""
    application = make_wsgi_app(household.store, public_url="https://dav.example.org", now=household.clock)
    return DavClient(application, "anna", household.anna.password)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:5232", "localhost", "LOCALHOST:80", "[::1]:5232", "127.0.0.5", "[0:0:0:0:0:0:0:1]"]
)
def test_loopback_names_are_ours(anna: DavClient, host: str) -> None:
    assert anna.ask("PROPFIND", "/", Host=host).status == 207


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("attacker.example", 421),
        ("127.0.0.1.nip.io", 421),
        ("localhost.attacker.example", 421),
        ("192.0.2.1", 421),
        ("dav.example.org", 421),
        ("localhost:evil", 400),
        ("localhost:99999", 400),
        ("", 400),
        ("127.0.0.1,attacker.example", 421),
        ("attacker.example@127.0.0.1", 400),
        ("127.0.0.1/attacker", 400),
        ("127.0.0.1?x", 400),
        ("[::1", 400),
        ("[]", 400),
    ],
)
def test_other_hosts_are_refused_before_the_log_in(nobody: DavClient, host: str, status: int) -> None:
    """T-50."""
    assert nobody.ask("PROPFIND", "/", Host=host).status == status


def test_the_public_host_and_where_all_is_bound_literal_addresses_are_ours(public: DavClient) -> None:
    everywhere = {"SERVER_NAME": "0.0.0.0"}

    answers = [
        public.ask("PROPFIND", "/", Host=host, environ=everywhere).status
        for host in ("dav.example.org", "DAV.example.org:443", "192.0.2.1:5232", "[2001:db8::1]", "other.example.org")
    ]

    assert answers == [207, 207, 207, 207, 421]


def test_the_bound_address_is_ours(anna: DavClient) -> None:
    answers = [
        anna.ask("PROPFIND", "/", Host=host, environ={"SERVER_NAME": "192.0.2.7"}).status
        for host in ("192.0.2.7:5232", "192.0.2.8:5232")
    ]

    assert answers == [207, 421]


@pytest.mark.parametrize("target", ["http://attacker.example/", "http://127.0.0.1:5232/", "*", "attacker.example:80"])
def test_a_request_line_that_names_a_host_is_refused(anna: DavClient, target: str) -> None:
    assert anna.ask("PROPFIND", "/", environ={"REQUEST_URI": target}).status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:5232"}, 207),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 207),
        ({"Sec_Fetch_Site": "none"}, 207),
    ],
)
def test_pages_of_other_sites_are_refused(anna: DavClient, headers: dict[str, str], status: int) -> None:
    """T-48."""
    assert anna.ask("PROPFIND", "/", **headers).status == status


def test_the_public_origin_is_not_foreign(public: DavClient) -> None:
    headers = {"Origin": "https://dav.example.org", "Host": "dav.example.org"}

    assert public.ask("PROPFIND", "/", **headers).status == 207


@pytest.mark.parametrize(
    ("length", "status"),
    [(str(MAX_BODY_BYTES + 1), 413), ("9" * 19, 413), ("9" * 5000, 413), ("-1", 400), ("1e3", 400), ("x", 400)],
)
def test_bodies_without_bounds_are_refused_unread(anna: DavClient, length: str, status: int) -> None:
    assert anna.ask("PUT", "/anna/x/y.vcf", environ={"CONTENT_LENGTH": length}).status == status


def test_headers_that_only_a_proxy_may_send_change_nothing(anna: DavClient) -> None:
    """T-51: stock Radicale builds links from X-Script-Name, whoever sends it."""
    plain = anna.ask("PROPFIND", "/anna/", propfind("d:current-user-principal"))
    dressed = anna.ask(
        "PROPFIND",
        "/anna/",
        propfind("d:current-user-principal"),
        environ={"REMOTE_USER": "ben"},
        X_Script_Name="/evil",
        X_Remote_User="ben",
        X_Forwarded_Host="attacker.example",
        X_Forwarded_For="192.0.2.9",
        Forwarded="host=attacker.example",
    )

    assert dressed.body == plain.body


@pytest.mark.parametrize("path", ["/", "/anna/", "/nobody/", "/.well-known/caldav"])
def test_every_answer_forbids_framing_and_sniffing(anna: DavClient, nobody: DavClient, path: str) -> None:
    """T-49; also refusals of the guard and of the log-in."""
    for response in (anna.ask("GET", path), nobody.ask("GET", path), nobody.ask("GET", path, Host="attacker.example")):
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"


# --- proxies ----------------------------------------------------------------------------------------------------------

PROXIES: Networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/64"))


def seen_behind(peer: str, trusted: Networks = PROXIES, **headers: str) -> dict[str, Any]:
    """The environment that is left for those behind the guard."""
    seen: dict[str, Any] = {}

    def inner(environ: dict[str, Any]) -> Answer:
        seen.update(environ)
        return refusal(HTTPStatus.OK, "seen")

    environ = {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": peer,
        "REMOTE_HOST": peer,
        "PATH_INFO": "/",
        "SERVER_NAME": "127.0.0.1",
        "HTTP_HOST": "dav.example.org",
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name}": value for name, value in headers.items()},
    }
    assert guarded(inner, all_checks("https://dav.example.org", trusted))(environ).status == 200
    return seen


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.66, 192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("192.0.2.66, 192.0.2.1, 10.9.9.9, 2001:db8:1::5", "192.0.2.1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("[2001:db8::1]:5000", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("10.1.1.1", "10.1.1.1"),
        ("unknown", "10.0.0.1"),
        ("192.0.2.1, unknown", "10.0.0.1"),
        ("192.0.2.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("", "10.0.0.1"),
        ("x" * 5000, "10.0.0.1"),
        (", ".join(["192.0.2.1"] + ["10.2.2.2"] * MAX_HOPS), "10.2.2.2"),
    ],
)
def test_behind_a_trusted_proxy_the_last_hop_that_is_not_trusted_is_the_client(forwarded: str, client: str) -> None:
    assert seen_behind("10.0.0.1", X_FORWARDED_FOR=forwarded)["REMOTE_ADDR"] == client


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.9", "::1", "2001:db8:2::1", "", "not an address"])
def test_what_anybody_else_forwards_is_forgotten(peer: str) -> None:
    """Loopback is nobody in particular: every program of the machine speaks from there."""
    seen = seen_behind(peer, X_FORWARDED_FOR="192.0.2.1", X_FORWARDED_PROTO="https")

    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == (peer, "http")


@pytest.mark.parametrize(
    ("told", "scheme"), [("https", "https"), ("HTTPS", "https"), ("http", "http"), ("gopher", "http")]
)
def test_the_scheme_of_a_trusted_proxy_is_that_of_the_client(told: str, scheme: str) -> None:
    assert seen_behind("10.0.0.1", X_FORWARDED_PROTO=told)["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.0.2.9"])
def test_no_header_of_a_proxy_goes_on_to_those_behind(peer: str) -> None:
    names = (
        "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT", "X_FORWARDED_PREFIX",
        "X_SCRIPT_NAME", "X_REMOTE_USER", "X_REMOTE_ADDR", "X_REAL_IP", "X_ORIGINAL_URL", "X_REWRITE_URL",
        "X_HTTP_METHOD_OVERRIDE", "FORWARDED", "TRUE_CLIENT_IP", "CLIENT_IP", "CF_CONNECTING_IP", "VIA", "PROXY",
    )  # fmt: skip
    seen = seen_behind(peer, **dict.fromkeys(names, "192.0.2.1"))

    assert [name for name in seen if name.startswith("HTTP_")] == ["HTTP_HOST"]


def test_networks_of_both_families_are_told_apart() -> None:
    answers = [
        is_within(address, PROXIES)
        for address in ("10.255.0.1", "::ffff:10.0.0.1", "2001:db8:1::ff", "11.0.0.1", "2001:db8:1:1::1", "10.0.0.256")
    ]

    assert answers == [True, True, True, False, False, False]
