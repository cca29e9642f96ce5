"""What a provider answers in place of a page, each to another collection in one and the same sync.

The refusals come on change feeds: something waits to be fetched everywhere, so that a swallowed page would be seen.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.system.faults.scene import Scene, Suffered, Trouble

pytestmark = pytest.mark.system

HOUR = timedelta(hours=1)


def google_error(status: int, reason: str) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"code": status, "errors": [{"reason": reason}], "message": "m"}}}


def graph_error(status: int, code: str, **headers: str) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"code": code, "message": "m"}}, "headers": headers}


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")


BUSY = ("TooManyRequests", 429)

TROUBLES = {
    "a-captive-portal": Trouble(
        case="F-12 R-15", place="google Contacts", do={"html": True}, word="bad_answer", fires=1
    ),
    "an-empty-object": Trouble(
        case="F-12 R-15", place="google ada.lovelace@gmail.example", do={"body": {}}, word="bad_answer", fires=1
    ),
    "no-content": Trouble(
        case="F-12 R-15", place="google Work, projects; deadlines", do={"status": 204}, word="bad_answer", fires=1
    ),
    "a-list-that-is-null": Trouble(
        case="F-12 R-15", place="google Our team 🚀", do={"body": {"items": None, "nextSyncToken": "x"}},
        word="bad_answer", fires=1,
    ),
    "a-quota-told-by-403": Trouble(
        case="F-03", place="google boss@company.example", do=google_error(403, "rateLimitExceeded"), word="rate_limited"
    ),
    "a-missing-permission": Trouble(
        case="F-04", place="google Holidays in United States", do=google_error(403, "insufficientPermissions"),
        word="no_permission", fires=1,
    ),
    "wait-until-tomorrow": Trouble(
        case="F-09", place="google Birthdays",
        do={"status": 429, "body": {"error": {"code": 429}}, "headers": {"Retry-After": tomorrow()}},
        word="rate_limited", fires=1,
    ),
    "wait-for-a-day": Trouble(  # the last one of its service that is asked: nobody of the account asks sooner
        case="F-09", place="microsoft Team (read only)", do=graph_error(429, BUSY[0], **{"Retry-After": "86400"}),
        word="rate_limited", fires=1,
    ),
    "wait-for-seven-seconds": Trouble(
        case="F-09", place="microsoft Family", do=graph_error(429, BUSY[0], **{"Retry-After": "7"}), match={"times": 1},
        fires=1,
    ),
    "wait-for-x": Trouble(
        case="F-09", place="microsoft Club", do=graph_error(429, BUSY[0], **{"Retry-After": "x"}), match={"times": 1},
        fires=1,
    ),
    "wait-for-less-than-nothing": Trouble(
        case="F-09", place="microsoft Board", do=graph_error(429, BUSY[0], **{"Retry-After": "-1"}), match={"times": 1},
        fires=1,
    ),
    "wait-nobody-knows-how-long": Trouble(
        case="F-09", place="microsoft Old, do not call", do=graph_error(429, BUSY[0]), match={"times": 1}, fires=1
    ),
    "out-of-order-twice": Trouble(
        case="F-10", place="microsoft 空", do=graph_error(503, "serviceNotAvailable"), match={"times": 2}, fires=2
    ),
    "out-of-order-for-good": Trouble(
        case="F-10", place="microsoft Calendar", do=graph_error(500, "generalException"), word="unavailable"
    ),
    "a-cursor-that-is-gone": Trouble(
        case="F-07", place="microsoft Familie & Freunde 🎈", do=graph_error(410, "SyncStateNotFound"),
        match={"times": 1}, fires=1,
    ),
    "an-empty-body": Trouble(
        case="F-12 R-15", place="microsoft Contacts", do={"status": 200}, word="bad_answer", fires=1
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def suffered(scene: Scene) -> Suffered:
    """One sync in which each collection has a trouble of its own, and something new."""
    for place in scene.places.values():
        scene.touch(place, "Came meanwhile")
    return scene.suffer(list(TROUBLES.values()))


def error_of(suffered: Suffered, href: str) -> str | None:
    """What ``status`` says of a collection."""
    rows = [one for account in suffered.status["accounts"] for one in account["collections"]]
    [found] = [one["last_error"] for one in rows if one["collection"] == href]
    return None if found is None else str(found)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_refusal_is_told_and_costs_its_collection_nothing(name: str, scene: Scene, suffered: Suffered) -> None:
    """F-03, F-04, F-07, F-09, F-10, F-12, R-15: see each trouble's case."""
    trouble = TROUBLES[name]
    href = scene.places[trouble.place].href
    run = suffered.pulled.runs[href]

    fired = suffered.fired[trouble.place]
    assert fired == trouble.fires if trouble.fires else fired > 1
    assert (run["error"], run["removed"]) == (trouble.word, 0)
    assert error_of(suffered, href) == trouble.word
    assert suffered.before[href].etags.items() <= suffered.after[href].etags.items(), "nothing left DAV"
    before, after = (cursors[href] for cursors in suffered.cursors)
    assert (after == before) is (trouble.word is not None), "a cursor moves with its page, and with nothing else"
    assert (suffered.after[href] == suffered.before[href]) is (trouble.word is not None)


def test_an_expired_cursor_leads_to_a_listing_of_everything(scene: Scene, suffered: Suffered) -> None:
    """F-07: the listing is a new generation beside the old one; nothing is wiped first."""
    full = {href for href, run in suffered.pulled.runs.items() if run["full"]}

    assert full == {scene.places[TROUBLES["a-cursor-that-is-gone"].place].href}


def test_failures_make_the_exit_code_and_the_accounts_degraded_but_ask_for_no_new_consent(suffered: Suffered) -> None:
    """F-03, F-04: a quota and a missing permission are no reason to enrol again."""
    assert suffered.pulled.status == 1, "some failed, some did not"
    assert {account["state"] for account in suffered.status["accounts"]} <= {"degraded", "error"}
    assert {account["grant"]["last_error"] for account in suffered.status["accounts"]} == {None}


@pytest.mark.parametrize("name", ["wait-until-tomorrow", "wait-for-a-day"])
def test_nobody_is_asked_to_wait_for_more_than_an_hour(name: str, scene: Scene, suffered: Suffered) -> None:
    """F-09: honoured up to an hour, and a little chance."""
    href = scene.places[TROUBLES[name].place].href
    finished = datetime.fromisoformat(suffered.pulled.runs[href]["finished_at"])
    rows = [one for account in suffered.status["accounts"] for one in account["collections"]]
    [due] = [datetime.fromisoformat(one["next_pull_at"]) for one in rows if one["collection"] == href]

    assert HOUR <= due - finished + timedelta(seconds=1) <= 1.2 * HOUR


def test_when_the_refusals_end_all_is_as_in_the_clouds(scene: Scene, suffered: Suffered) -> None:
    """I10."""
    assert set(suffered.fired) == {trouble.place for trouble in TROUBLES.values()}
    scene.assert_converges()
    assert {account["state"] for account in scene.installation.status()["accounts"]} == {"ok"}
