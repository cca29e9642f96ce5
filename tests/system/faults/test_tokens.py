"""Access tokens that die in the middle of things, refreshes that fail, grants that end."""

from datetime import timedelta
from typing import Any

import pytest

from tests.system.faults.scene import Scene

pytestmark = pytest.mark.system

FURTHER = "pageToken|skiptoken"
GOOGLE, MICROSOFT = {"host": "oauth2.googleapis.com"}, {"host": "login.microsoftonline.com"}
APIS = ("people.googleapis.com", "www.googleapis.com")
UNAUTHORISED = {"status": 401, "body": {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "m"}}}
INVALID_GRANT = {"status": 400, "body": {"error": "invalid_grant"}}
LATER_ON = timedelta(minutes=10)  # the first invalid_grant is doubted for a minute, and quick clocks run ahead


def refreshes(entries: list[dict[str, Any]]) -> dict[str, int]:
    """How often each token endpoint was asked."""
    asked = [entry["host"] for entry in entries if entry["form"] and entry["form"].get("grant_type") == "refresh_token"]
    return {host: asked.count(host) for host in set(asked)}


def since(scene: Scene) -> int:
    """The number of the last entry of the sandbox's log."""
    return int(scene.asked()[-1]["n"])


def states(scene: Scene) -> dict[str, str]:
    """By provider."""
    return {account["provider"]: account["state"] for account in scene.installation.status()["accounts"]}


def test_a_401_costs_one_refresh_and_the_page_goes_on(scene: Scene) -> None:
    """F-01, R-24: at Google every token died before the sync, at Microsoft one is refused in the middle of a feed."""
    scene.cloud.tell("pages", largest=3)
    scene.cloud.tell("expire", what="access_tokens", provider="google")
    feed = scene.places["microsoft Calendar"].feed
    rule = scene.cloud.tell("faults", match={**feed, "query": FURTHER, "times": 1}, do=UNAUTHORISED)["id"]
    before, last = scene.dav.states(), since(scene)

    pulled = scene.sync("--full")

    assert scene.fired() == {rule: 1}
    assert (pulled.failed, pulled.status) == ({}, 0)
    assert refreshes(scene.asked(last)) == {GOOGLE["host"]: 1, MICROSOFT["host"]: 1}
    assert scene.dav.states() == before
    scene.cloud.forget("faults")
    scene.cloud.tell("pages", largest=None)


def test_refreshes_that_fail_leave_the_grant_alone(scene: Scene) -> None:
    """F-20, R-22, R-23: Google's token endpoint is out, Microsoft says invalid_grant once, by mistake."""
    for place in scene.places.values():
        scene.touch(place, "Late")
    scene.cloud.tell("expire", what="access_tokens")
    portal = scene.cloud.tell("faults", match={**GOOGLE, "times": 1}, do={"html": True})["id"]
    out = scene.cloud.tell("faults", match=GOOGLE, do={"status": 503})["id"]
    doubt = scene.cloud.tell("faults", match={**MICROSOFT, "path": "token$", "times": 1}, do=INVALID_GRANT)["id"]
    before = scene.dav.states()

    pulled = scene.sync()
    fired = scene.fired()
    scene.cloud.forget("faults")

    assert (fired[portal], fired[out] > 0, fired[doubt]) == (1, True, 1)
    assert pulled.status == 69
    assert {run["error"] for run in pulled.runs.values()} <= {"bad_answer", "unavailable"}
    assert scene.dav.states() == before
    assert "needs_consent" not in states(scene).values()
    healed = scene.sync(ahead=LATER_ON)
    assert (healed.failed, healed.status) == ({}, 0)
    assert {run["added"] for run in healed.runs.values()} == {1}
    assert set(states(scene).values()) == {"ok"}


def test_an_api_that_refuses_every_token_is_left_alone(scene: Scene) -> None:
    """F-02: told, not tried again and again; what was pulled stays published, the other account goes on."""
    rules = [scene.cloud.tell("faults", match={"host": host}, do=UNAUTHORISED)["id"] for host in APIS]
    before, last = scene.dav.states(), since(scene)

    pulled = scene.sync()
    fired, asked = scene.fired(), scene.asked(last)
    scene.cloud.forget("faults")

    google = {place.href for place in scene.places.values() if place.provider == "google"}
    assert all(fired[rule] for rule in rules)
    failed = {href: run["error"] for href, run in pulled.runs.items() if run["error"]}
    assert set(failed.values()) == {"consent_needed"}
    assert failed.keys() - {None} <= google
    assert pulled.status == 1
    # Two listings and one collection, each with the token that was stored and with a fresh one.
    assert sum(fired.values()) <= 6
    assert refreshes(asked).get(GOOGLE["host"], 0) <= 3
    assert scene.dav.states() == before
    scene.assert_converges()


def test_a_grant_that_ends_in_the_middle_of_a_listing_is_believed_at_the_second_word(scene: Scene) -> None:
    """F-16, F-20, R-23: what came before stays; then nobody is asked any more, until a person enrols again."""
    contacts = scene.places["google Contacts"]
    scene.cloud.tell("pages", largest=3)
    third = scene.cloud.tell("faults", match={**contacts.feed, "nth": 3}, do=UNAUTHORISED)["id"]
    ended = scene.cloud.tell("faults", match=GOOGLE, do=INVALID_GRANT)["id"]
    before = scene.dav.states()

    first = scene.sync("--full", "ada.lovelace@gmail.example")
    doubted = states(scene)["google"]
    stored = scene.installation.rows(
        "SELECT count(*) FROM originals o JOIN collections c ON c.id = o.collection_id"
        f" WHERE c.href = '{contacts.href}' AND o.part = 'object' AND o.generation = c.generation"
    )
    scene.cloud.tell("expire", what="access_tokens", provider="google")
    scene.sync("ada.lovelace@gmail.example", ahead=LATER_ON)
    last = since(scene)
    third_sync = scene.sync("ada.lovelace@gmail.example", ahead=2 * LATER_ON)

    fired = scene.fired()
    assert (fired[third], fired[ended]) == (1, 2)
    assert first.runs[contacts.href]["error"] == "unavailable"
    assert doubted == "degraded"
    assert stored == [(6,)], "two pages of three each"
    assert states(scene)["google"] == "needs_consent"
    assert third_sync.status == 77
    assert scene.asked(last) == [], "a grant that is gone is used no more"
    assert scene.dav.states() == before, "everything is published still"

    scene.cloud.forget("faults")
    scene.cloud.tell("pages", largest=None)
    assert scene.installation.enroll("google") == 0
    scene.assert_converges()
    assert scene.dav.states().keys() == before.keys(), "the same collections under the same addresses"
    assert set(states(scene).values()) == {"ok"}
