"""Links and redirects that lead away from the provider: nobody follows them, and no token leaves."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.system.faults.canary import Canary, canary
from tests.system.faults.scene import Pulled, Scene, Suffered, Trouble

pytestmark = pytest.mark.system

GRAPH = "https://graph.microsoft.com"
FORMS = {
    "plain": "http://{place}",
    "tls": "https://{place}",
    "without-scheme": "//{place}",
    "backslashes": "\\\\{place}",
    "as-password": GRAPH + "@{place}",
    "backslash-before-at": GRAPH + "\\@{place}",
    "name-that-goes-on": GRAPH + ".{place}",
    "another-port": GRAPH + ":444",
    "without-tls": "http://graph.microsoft.com",
    "upper-case-scheme": "HTTPS://{place}",
    "fragment": "https://{place}#@graph.microsoft.com",
    "out-of-the-path": GRAPH + "/v1.0/../beta",
}
OUTLOOK = (
    *("microsoft Contacts", "microsoft Family", "microsoft Club", "microsoft Board", "microsoft Old, do not call"),
    *("microsoft 空", "microsoft Calendar", "microsoft Familie & Freunde 🎈", "microsoft Team (read only)"),
)
IN_DELTA_LINKS = dict(zip(OUTLOOK, list(FORMS)[:9], strict=True))
IN_NEXT_LINKS = dict(zip(OUTLOOK, list(FORMS)[3:], strict=True))
REDIRECTED = {
    "google Contacts": 301,
    "google ada.lovelace@gmail.example": 302,
    "google Work, projects; deadlines": 303,
    "google Our team 🚀": 307,
    "google boss@company.example": 308,
}


@dataclass(frozen=True)
class Lured:
    """What three syncs did whose links all led astray."""

    bird: Canary
    by_delta_links: Suffered  # and redirects of Google's API
    by_next_links: Suffered
    by_token_endpoints: Pulled
    counted: dict[str, int]  # how often each rule of the last one fired


@pytest.fixture(scope="module")
def lured(scene: Scene) -> Iterator[Lured]:
    """All of it, once."""
    with canary() as bird:
        by_delta_links = scene.suffer(
            [
                *(trouble(place, FORMS[form].format(place=bird.place)) for place, form in IN_DELTA_LINKS.items()),
                *(redirect(place, status, bird) for place, status in REDIRECTED.items()),
            ]
        )
        scene.cloud.tell("pages", largest=2)
        by_next_links = scene.suffer(
            [trouble(place, FORMS[form].format(place=bird.place)) for place, form in IN_NEXT_LINKS.items()], "--full"
        )
        scene.cloud.tell("pages", largest=None)
        scene.cloud.tell("expire", what="access_tokens")
        do = {"status": 307, "headers": {"Location": f"http://{bird.place}/token"}}
        for host in ("oauth2.googleapis.com", "login.microsoftonline.com"):
            scene.cloud.tell("faults", match={"host": host, "method": "POST"}, do=do)
        by_token_endpoints = scene.sync()
        counted = scene.fired()
        scene.cloud.forget("faults")
        yield Lured(bird, by_delta_links, by_next_links, by_token_endpoints, counted)


def trouble(place: str, origin: str) -> Trouble:
    return Trouble(case="R-37", place=place, do={"foreign_link": origin}, word="foreign_link")


def redirect(place: str, status: int, bird: Canary) -> Trouble:
    do = {"status": status, "headers": {"Location": f"http://{bird.place}/"}}
    return Trouble(case="R-38", place=place, do=do, word="foreign_link")


def outcome(suffered: Suffered, scene: Scene, place: str) -> tuple[bool, str | None, int]:
    """Whether the fault fired, the error, and how many items went."""
    run = suffered.pulled.runs[scene.places[place].href]
    return suffered.fired[place] > 0, run["error"], run["removed"]


def test_nobody_connects_to_where_a_link_or_redirect_leads(lured: Lured) -> None:
    """R-37, R-38: no connection, so no token either."""
    assert lured.bird.connections == 0


@pytest.mark.parametrize(("place", "form"), IN_DELTA_LINKS.items(), ids=IN_DELTA_LINKS.values())
def test_a_foreign_delta_link_is_refused_before_it_becomes_a_cursor(
    place: str, form: str, scene: Scene, lured: Lured
) -> None:
    """R-37: a cursor that nobody may follow would stop the collection for ever."""
    href = scene.places[place].href
    before, after = (cursors[href] for cursors in lured.by_delta_links.cursors)

    assert outcome(lured.by_delta_links, scene, place) == (True, "foreign_link", 0)
    assert after == before is not None


@pytest.mark.parametrize(("place", "form"), IN_NEXT_LINKS.items(), ids=IN_NEXT_LINKS.values())
def test_a_foreign_next_link_ends_the_listing(place: str, form: str, scene: Scene, lured: Lured) -> None:
    """R-37: with nothing concluded from what did not come."""
    href = scene.places[place].href

    assert outcome(lured.by_next_links, scene, place) == (True, "foreign_link", 0)
    assert lured.by_next_links.after[href] == lured.by_next_links.before[href]


@pytest.mark.parametrize(("place", "status"), REDIRECTED.items(), ids=map(str, REDIRECTED.values()))
def test_a_redirect_of_an_api_is_refused(place: str, status: int, scene: Scene, lured: Lured) -> None:
    """R-38."""
    assert outcome(lured.by_delta_links, scene, place) == (True, "foreign_link", 0)


def test_a_redirect_of_a_token_endpoint_is_refused_and_the_grant_kept(scene: Scene, lured: Lured) -> None:
    """R-38: the refresh token goes nowhere else, and nobody has to enrol again."""
    assert all(lured.counted.values()), lured.counted
    assert {run["error"] for run in lured.by_token_endpoints.runs.values()} == {"foreign_link"}
    assert lured.by_token_endpoints.status == 69


def test_when_the_links_are_right_again_all_is_as_in_the_clouds(scene: Scene, lured: Lured) -> None:
    """I10."""
    scene.assert_converges()
    assert {account["state"] for account in scene.installation.status()["accounts"]} == {"ok"}
