"""Listings that are cut, repeated, shuffled, endless or poisoned, each in another collection in one ``sync --full``.

Pages hold three objects each, so that there is a middle and an end to lose.
"""

from collections.abc import Iterator

import pytest

from tests.system.faults.scene import Json, Scene, Suffered, Trouble

pytestmark = pytest.mark.system

LATER = "pageToken|skiptoken"  # a page after the first
DEEP = '{"value": ' + "[" * 1100 + "]" * 1100 + "}"
LONG_NUMBER = '{"value": [{"id": "x", "size": ' + "9" * 5000 + "}]}"

TROUBLES = {
    "the-rest-of-a-listing-is-lost": Trouble(
        case="R-14 F-31", place="google Contacts", do={"keep_items": 1, "drop_terminal": True}, word="bad_answer",
        fires=1,
    ),
    "every-later-page-is-cut": Trouble(
        case="R-09 F-11", place="google ada.lovelace@gmail.example", do={"truncate_at": 90}, match={"query": LATER},
        word="unavailable",
    ),
    "one-page-is-cut-in-a-chunk": Trouble(
        case="R-09 F-11", place="google Work, projects; deadlines", do={"truncate_at": 90, "chunked": True},
        match={"query": LATER, "times": 1}, fires=1,
    ),
    "a-page-that-says-no-end": Trouble(
        case="R-14 F-31", place="google Our team 🚀", do={"drop_terminal": True}, match={"query": LATER},
        word="bad_answer", fires=1,
    ),
    "empty-pages-without-end": Trouble(
        case="R-49", place="google boss@company.example", do={"empty_pages": "endless"}, word="bad_answer"
    ),
    "the-same-page-for-ever": Trouble(
        case="R-49", place="google Holidays in United States", do={"empty_pages": "same"}, word="bad_answer"
    ),
    "pages-in-a-circle": Trouble(
        case="R-49", place="google Birthdays", do={"empty_pages": "circle"}, word="bad_answer"
    ),
    "a-feed-without-its-last-page": Trouble(
        case="R-14 F-31", place="microsoft Contacts", do={"drop_terminal": True}, match={"query": LATER},
        word="bad_answer", fires=1,
    ),
    "every-page-twice-over": Trouble(case="F-28 R-08", place="microsoft Family", do={"duplicate": True}),
    "links-in-a-circle": Trouble(
        case="R-49", place="microsoft Club", do={"empty_pages": "circle"}, word="bad_answer"
    ),
    "a-bomb": Trouble(case="R-50", place="microsoft Board", do={"gzip_bomb": 64}, word="bad_answer", fires=1),
    "every-page-backwards": Trouble(case="F-32", place="microsoft Old, do not call", do={"reorder": True}),
    "a-deep-answer": Trouble(case="R-50", place="microsoft 空", do={"body": DEEP}, word="bad_answer", fires=1),
    "an-expired-listing": Trouble(
        case="F-29", place="microsoft Calendar",
        do={"status": 410, "body": {"error": {"code": "SyncStateNotFound", "message": "m"}}}, match={"query": LATER},
        word="unavailable", fires=1,
    ),
    "half-a-feed": Trouble(
        case="R-14 F-31", place="microsoft Familie & Freunde 🎈", do={"keep_items": 0, "drop_terminal": True},
        word="bad_answer", fires=1,
    ),
    "a-number-of-5000-digits": Trouble(
        case="R-50", place="microsoft Team (read only)", do={"body": LONG_NUMBER}, word="bad_answer", fires=1
    ),
}  # fmt: skip


MANY_A_MINUTE = 15
"""Times as fast as a clock that is right: what may be asked in a minute is never used up. libfaketime does not see the
timed waits of a Condition, so one for the next minute would last for ever."""


@pytest.fixture(scope="module")
def heavy(scene: Scene) -> Json:
    """The run of a change feed with two new contacts, one of them with a note of 20 MB; it goes again afterwards."""
    place = scene.places[TROUBLES["every-page-twice-over"].place]
    scene.touch(place, "Light")
    note = {"id": "heavy", "changeKey": "1", "displayName": "Heavy", "personalNotes": "n" * 20 * 1024 * 1024}
    who = {"person": "ada", "provider": place.provider, "kind": "contact", "collection": place.remote_id}
    scene.cloud.tell("poison", **who, objects=[note])
    run = scene.sync("lovelace.ada@outlook.example").runs[place.href]
    scene.cloud.forget("poison")
    return run


@pytest.fixture(scope="module")
def suffered(scene: Scene, heavy: Json) -> Iterator[Suffered]:
    """One full sync in which each collection has a trouble of its own."""
    scene.cloud.tell("pages", largest=3)
    yield scene.suffer(list(TROUBLES.values()), "--full", speed=MANY_A_MINUTE)
    scene.cloud.tell("pages", largest=None)


def test_a_note_of_20_mb_is_quarantined_alone(heavy: Json) -> None:
    """R-50: its page is taken in."""
    assert (heavy["error"], heavy["added"], heavy["quarantined"]) == (None, 1, 1)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_broken_listing_ends_nothing(name: str, scene: Scene, suffered: Suffered) -> None:
    """F-11, F-28, F-29, F-31, F-32, R-08, R-09, R-14, R-49, R-50: see each trouble's case."""
    trouble = TROUBLES[name]
    href = scene.places[trouble.place].href
    run = suffered.pulled.runs[href]

    fired = suffered.fired[trouble.place]
    assert fired == trouble.fires if trouble.fires else fired > 0
    assert (run["error"], run["full"]) == (trouble.word, True)
    assert (run["added"], run["changed"], run["removed"]) == (0, 0, 0)
    assert suffered.after[href] == suffered.before[href]
    assert (suffered.cursors[1][href] is None) is (trouble.word is not None), "the next pull lists everything again"


def test_endless_listings_are_left_after_some_hundred_pages(suffered: Suffered) -> None:
    """R-49: bounded work, while everybody else is served; circles are left sooner."""
    fired = {name: suffered.fired[trouble.place] for name, trouble in TROUBLES.items() if trouble.case == "R-49"}

    assert fired["empty-pages-without-end"] <= 300
    assert fired["the-same-page-for-ever"] <= fired["pages-in-a-circle"] <= 5 >= fired["links-in-a-circle"]


def test_when_the_listings_are_whole_again_all_is_as_in_the_clouds(scene: Scene, suffered: Suffered) -> None:
    """I10, with pages as small as before."""
    assert suffered.pulled.status == 1
    scene.assert_converges()
