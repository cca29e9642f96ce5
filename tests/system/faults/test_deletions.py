"""Deletions, believed or not: what a provider says by mistake, what a person really deleted, and the way back.

Four things happen to ada at once, each in another collection: two of them are faults, two are her own wish.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.system.client import State
from tests.system.faults.scene import Place, Pulled, Scene

pytestmark = pytest.mark.system

A_WHILE = timedelta(minutes=30)  # a second look is believed after ten minutes, and quick clocks run ahead
MANY, FEW = 30, 3
NOT_FOUND = {"status": 404, "body": {"error": {"code": 404, "status": "NOT_FOUND", "message": "m"}}}
EXPIRED = {
    "contacts": {"status": 400, "body": {"error": {"code": 400, "details": [{"reason": "EXPIRED_SYNC_TOKEN"}]}}},
    "events": {"status": 410, "body": {"error": {"code": 410, "errors": [{"reason": "fullSyncRequired"}]}}},
}
OUTLOOK = "lovelace.ada@outlook.example"
FADED, SMALL, MASS, CALENDAR = (
    *("google ada.lovelace@gmail.example", "google Contacts", "microsoft Contacts", "google Passing"),
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A sync, and what is to be seen after it."""

    pulled: Pulled
    dav: dict[str, State]
    status: Any
    exit_code: int  # of ``status``
    told: str  # by ``status``, to people

    def collection(self, place: Place) -> Any:
        """What ``status --json`` says of it."""
        rows = [one for account in self.status["accounts"] for one in account["collections"]]
        [found] = [one for one in rows if one["collection"] == place.href]
        return found


@dataclass(frozen=True, kw_only=True)
class Story:
    """Before, at once, and half an hour later."""

    places: dict[str, Place]
    before: dict[str, State]
    fired: list[int]
    soon: Seen
    later: Seen


def look(scene: Scene, pulled: Pulled) -> Seen:
    told = scene.installation.run("status", ok=False)
    return Seen(
        pulled=pulled,
        dav=scene.dav.states(),
        status=scene.installation.status(),
        exit_code=told.returncode,
        told=told.stdout,
    )


def created(scene: Scene, provider: str, kind: str, **order: Any) -> str:
    made = scene.cloud.change(provider, kind, "create", **order)
    return str(made.get("id") or made["resourceName"])


@pytest.fixture(scope="module")
def story(scene: Scene) -> Story:
    """An empty calendar by mistake; a few contacts deleted, and many; a calendar deleted as a whole."""
    few = [
        created(scene, "google", "contact", patch={"names": [{"givenName": f"Few {number}"}]}) for number in range(FEW)
    ]
    many = [created(scene, "microsoft", "contact", patch={"givenName": f"Many {number}"}) for number in range(MANY)]
    calendar = created(scene, "google", "calendar", patch={"summary": CALENDAR.removeprefix("google ")})
    for number in range(4):
        scene.touch(Place(provider="google", kind="events", remote_id=calendar, name="", href=""), f"Passing {number}")
    assert scene.sync().failed == {}
    places, before = scene.places, scene.dav.states()

    for provider, ids in (("google", few), ("microsoft", many)):
        for one in ids:
            scene.cloud.change(provider, "contact", "delete", id=one)
    scene.cloud.change("google", "calendar", "delete", id=calendar)
    faded = places[FADED]
    events = f"^/calendar/v3/calendars/{quote(faded.remote_id, safe='')}/events/."
    rules = [
        scene.cloud.tell("faults", match={**faded.feed, "times": 1}, do=EXPIRED["events"])["id"],
        scene.cloud.tell("faults", match=faded.feed, do={"empty_listing": True})["id"],
        scene.cloud.tell("faults", match={"path": events}, do=NOT_FOUND)["id"],
        scene.cloud.tell("faults", match={**places[SMALL].feed, "times": 1}, do=EXPIRED["contacts"])["id"],
    ]
    soon = look(scene, scene.sync())
    fired = scene.fired()
    scene.cloud.forget("faults")
    later = look(scene, scene.sync(ahead=A_WHILE))
    return Story(places=places, before=before, fired=[fired[rule] for rule in rules], soon=soon, later=later)


def test_a_cloud_that_shows_an_empty_calendar_ends_nothing(story: Story) -> None:
    """F-30, R-13: the token expired, everything is listed and nothing is there, each by its id neither."""
    place = story.places[FADED]
    run, items = story.soon.pulled.runs[place.href], len(story.before[place.href].etags)

    assert all(story.fired), story.fired
    assert (run["error"], run["full"], run["removed"], run["held"]) == (None, True, 0, items)
    assert story.soon.dav[place.href] == story.before[place.href], "published as if nothing had happened"
    row = story.soon.collection(place)
    assert (row["held_deletions"], row["last_error"]) == (items, "deletions_held")
    assert story.soon.exit_code == 1
    assert f"{items} deletions are held" in story.soon.told
    assert "ccdaemon deletions list" in story.soon.told, "what to do is told"
    assert {account["state"] for account in story.soon.status["accounts"]} == {"degraded"}
    row = story.later.collection(place)
    assert (row["held_deletions"], row["last_error"]) == (0, None), "the next listing shows all of them"
    assert story.later.dav[place.href] == story.before[place.href]


def test_small_deletions_of_a_person_go_at_once(story: Story) -> None:
    """R-17: three of many are missing from a complete listing; the guard is no obstacle and says nothing."""
    place = story.places[SMALL]
    run = story.soon.pulled.runs[place.href]

    assert (run["full"], run["removed"], run["held"]) == (True, FEW, 0)
    assert len(story.before[place.href].etags) - len(story.soon.dav[place.href].etags) == FEW
    assert story.soon.collection(place)["last_error"] is None


def test_a_calendar_that_is_not_listed_any_more_stays_until_that_is_said_again(story: Story) -> None:
    """F-05: two listings, half an hour between them."""
    place = story.places[CALENDAR]

    assert len(story.before[place.href].etags) == 4
    assert story.soon.dav[place.href] == story.before[place.href], "served still"
    assert story.soon.collection(place)["missing_since"] is not None
    assert place.href not in story.soon.pulled.runs
    assert place.href not in story.later.dav


def test_a_mass_deletion_of_a_person_waits_for_their_word_and_has_a_way_back(scene: Scene, story: Story) -> None:
    """F-30, R-16: tombstones of most of an address book."""
    place = story.places[MASS]
    before = story.before[place.href].etags.keys()
    run = story.soon.pulled.runs[place.href]

    assert MANY < len(before) < MANY * 2, "more than half goes, and not all"
    assert (run["error"], run["full"], run["removed"], run["held"]) == (None, False, 0, MANY)
    for seen in (story.soon, story.later):
        assert (seen.collection(place)["held_deletions"], seen.exit_code) == (MANY, 1)
        assert seen.dav[place.href] == story.before[place.href], "nobody approved yet"
    [listed] = scene.installation.json("deletions", "list", OUTLOOK)["deletions"]
    assert (listed["held"], listed["items"], listed["waits_for"]) == (MANY, len(before), "person")

    said = scene.installation.run("deletions", "approve", OUTLOOK).stdout
    gone = before - scene.dav.state(place.href).etags.keys()

    assert f"{MANY} removed" in said
    assert len(gone) == MANY
    assert scene.installation.run("status").returncode == 0
    trash = scene.installation.json("trash", "list", OUTLOOK)["trash"]
    assert {entry["href"] for entry in trash} >= gone
    one = next(entry for entry in trash if entry["href"] in gone)
    scene.installation.run("trash", "restore", str(one["item"]))
    assert scene.sync().failed == {}
    assert before - scene.dav.state(place.href).etags.keys() == gone - {one["href"]}, "a pull does not undo it"
    [(run,)] = scene.installation.rows("SELECT max(id) FROM runs WHERE added = 1")
    scene.installation.run("undo", str(run))
    scene.assert_converges()
