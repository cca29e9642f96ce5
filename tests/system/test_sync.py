"""A later sync moves what moved in the cloud and nothing else; one that finds nothing new writes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.system.client import Dav, State
from tests.system.installation import Cloud, Installation, enrolled

pytestmark = pytest.mark.system

EIGHT_DAYS = 8 * 86_400
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LONG_INTERVAL = '[sync]\ninterval = "1d"'  # the daemon beside the test must not pull by itself

CONTENT = {
    "items": "SELECT * FROM items",
    "originals": "SELECT * FROM originals",
    "quarantine": "SELECT * FROM quarantine",
    "collections": "SELECT id, account_id, kind, remote_id, href, name, description, color, time_zone, remote_writable,"
    " is_primary, listed, revision, floor, generation, codec_version, failures, last_error FROM collections",
    "runs": "SELECT * FROM runs",
}
"""Everything but the time of the last pull, the next one and the cursor."""


@dataclass(frozen=True)
class Served:
    """An installation whose daemon runs, and a client of it."""

    installation: Installation
    cloud: Cloud
    dav: Dav

    def revisions(self) -> dict[str, int]:
        """By the path segment of the collection."""
        return dict(self.installation.rows("SELECT href, revision FROM collections"))

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a quiet sync must leave alone."""
        return {table: sorted(self.installation.rows(query)) for table, query in CONTENT.items()}

    def exports(self) -> list[str]:
        """What ``export`` writes in its main formats."""
        return [
            self.installation.run("export", *words).stdout
            for words in (("contacts", "--format", "vcf"), ("events", "--format", "ics"))
        ]

    def sync(self) -> list[dict[str, Any]]:
        """``ccdaemon sync``; its Runs."""
        runs: list[dict[str, Any]] = self.installation.json("sync")["runs"]
        return runs


@pytest.fixture(scope="module")
def served(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    installation = enrolled(tmp_path_factory.mktemp("served"), cloud, LONG_INTERVAL)
    installation.run("sync")
    with installation.daemon() as url:
        yield Served(installation, cloud, installation.client(url))


def polls(states: dict[str, State]) -> dict[str, tuple[str, str]]:
    return {collection: (state.ctag, state.token) for collection, state in states.items()}


# --- nothing new ------------------------------------------------------------------------------------------------------


def test_a_sync_with_nothing_new_writes_nothing(served: Served) -> None:
    states, content, exports = served.dav.states(), served.content(), served.exports()

    runs = served.sync()

    assert {(run["outcome"], run["full"]) for run in runs} == {("done", False)}
    assert served.content() == content
    assert served.dav.states() == states
    assert served.exports() == exports
    for collection, state in states.items():
        assert served.dav.changes(collection, state.token) == {}


def test_expired_sync_tokens_heal_without_a_changed_etag(served: Served) -> None:
    states, revisions = served.dav.states(), served.revisions()
    served.cloud.tell("expire", what="sync_tokens")

    runs = served.sync()

    assert {run["outcome"] for run in runs} == {"done"}
    assert sum(run["full"] for run in runs) == len(states), "each collection was listed anew"
    assert served.dav.states() == states
    assert served.revisions() == revisions
    assert not any(run["full"] for run in served.sync()), "the new cursors are good"


def test_after_eight_days_tokens_are_refreshed_and_cursors_heal(served: Served) -> None:
    """Access tokens live for an hour, Google's sync tokens of contacts for seven days."""
    states, revisions = served.dav.states(), served.revisions()
    served.cloud.tell("clock", advance_seconds=EIGHT_DAYS)
    try:
        runs = served.sync()
    finally:
        served.cloud.tell("clock", advance_seconds=-EIGHT_DAYS)

    assert {run["outcome"] for run in runs} == {"done"}
    assert any(run["full"] for run in runs)
    assert served.dav.states() == states
    assert served.revisions() == revisions
    assert [account["state"] for account in served.installation.status()["accounts"]] == ["ok", "ok"]


# --- one change -------------------------------------------------------------------------------------------------------


Change = Callable[[Cloud], int]
"""Changes one thing in a cloud; how many items that must move."""


def one(change: Callable[[Cloud], Any]) -> Change:
    def carry_out(cloud: Cloud) -> int:
        change(cloud)
        return 1

    return carry_out


def google_contact(cloud: Cloud) -> str:
    """One that has a photo of its own."""
    contacts = cloud.holds("google")["contacts"]
    found = next(one for one in contacts if not one["photos"][0].get("default"))
    return str(found["resourceName"])


def google_event(cloud: Cloud, *, recurs: bool, changed: bool = False) -> dict[str, str]:
    """A single event or a series, with or without changed occurrences, of a calendar of the account's own."""
    held = cloud.holds("google")
    for calendar in (one["id"] for one in held["calendars"] if one["accessRole"] == "owner"):
        events = held["events"][calendar]
        series_with_changes = {
            event["recurringEventId"]
            for event in events
            if event["status"] != "cancelled" and "recurringEventId" in event
        }
        touched = {event["recurringEventId"] for event in events if "recurringEventId" in event}
        for event in events:
            is_meant = event["id"] in series_with_changes if changed else event["id"] not in touched
            is_plain = "recurringEventId" not in event and event["eventType"] == "default"
            if is_plain and is_meant and bool(event.get("recurrence")) is recurs:
                return {"collection": calendar, "id": event["id"]}
    raise AssertionError("the population has no such event")


def google_group(cloud: Cloud) -> int:
    groups = cloud.holds("google")["groups"]
    found = next(one for one in groups if one["groupType"] == "USER_CONTACT_GROUP" and one.get("memberCount", 0) > 1)
    cloud.change("google", "group", "update", id=found["resourceName"], patch={"name": "Renamed; once"})
    members: int = found["memberCount"]
    return members


def microsoft_contact(cloud: Cloud) -> str:
    return str(cloud.holds("microsoft")["contacts"][0]["id"])


def microsoft_event(cloud: Cloud, *, recurs: bool) -> tuple[str, str]:
    """Id and first day of a timed event that nobody changed yet, within what Graph's change feed tells of."""
    now = datetime.now(UTC)
    for entry in cloud.holds("microsoft")["events"]:
        event, day = entry["event"], entry["event"]["start"]["dateTime"][:10]
        is_plain = not (event["isAllDay"] or entry["exceptions"] or entry["cancelledOccurrences"])
        is_near = abs(datetime.fromisoformat(day).replace(tzinfo=UTC) - now) < timedelta(days=300)
        if is_plain and is_near and (event["recurrence"] is not None) is recurs:
            return event["id"], day
    raise AssertionError("the population has no such event")


def google_instance(action: str, **patch: Any) -> Change:
    def carry_out(cloud: Cloud) -> None:
        cloud.change("google", "event", action, **google_event(cloud, recurs=True), patch=patch)

    return one(carry_out)


def microsoft_instance(action: str, **patch: Any) -> Change:
    def carry_out(cloud: Cloud) -> None:
        series, day = microsoft_event(cloud, recurs=True)
        cloud.change("microsoft", "event", action, id=series, instance=day, patch=patch)

    return one(carry_out)


NEW_PERSON = {"names": [{"givenName": "New", "familyName": "Comer"}]}
GOOGLE_TIMES = {
    "start": {"dateTime": "2027-03-01T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2027-03-01T11:00:00+01:00", "timeZone": "Europe/Berlin"},
}
MICROSOFT_TIMES = {
    "start": {"dateTime": "2027-03-01T10:00:00.0000000", "timeZone": "W. Europe Standard Time"},
    "end": {"dateTime": "2027-03-01T11:00:00.0000000", "timeZone": "W. Europe Standard Time"},
}

CHANGES: dict[str, tuple[str, Change]] = {
    "google-contact-edited": (
        "changed",
        one(lambda cloud: cloud.change("google", "contact", "update", id=google_contact(cloud), patch=NEW_PERSON)),
    ),
    "google-contact-created": (
        "added",
        one(lambda cloud: cloud.change("google", "contact", "create", patch=NEW_PERSON)),
    ),
    "google-photo-changed": (
        "changed",
        one(lambda cloud: cloud.change("google", "photo", "update", id=google_contact(cloud))),
    ),
    "google-photo-deleted": (
        "changed",
        one(lambda cloud: cloud.change("google", "photo", "delete", id=google_contact(cloud))),
    ),
    "google-contact-deleted": (
        "removed",
        one(lambda cloud: cloud.change("google", "contact", "delete", id=google_contact(cloud))),
    ),
    "google-group-renamed": ("changed", google_group),
    "google-event-created": (
        "added",
        one(lambda cloud: cloud.change("google", "event", "create", patch={"summary": "New", **GOOGLE_TIMES})),
    ),
    "google-event-edited": (
        "changed",
        one(
            lambda cloud: cloud.change(
                "google", "event", "update", **google_event(cloud, recurs=False), patch={"summary": "Edited"}
            )
        ),
    ),
    "google-event-deleted": (
        "removed",
        one(lambda cloud: cloud.change("google", "event", "delete", **google_event(cloud, recurs=False))),
    ),
    "google-instance-cancelled": ("changed", google_instance("cancel_instance")),
    "google-instance-moved": ("changed", google_instance("change_instance", **GOOGLE_TIMES)),
    "google-series-deleted": (
        "removed",
        one(lambda cloud: cloud.change("google", "event", "delete", **google_event(cloud, recurs=True))),
    ),
    "microsoft-contact-edited": (
        "changed",
        one(
            lambda cloud: cloud.change(
                "microsoft", "contact", "update", id=microsoft_contact(cloud), patch={"jobTitle": "Edited"}
            )
        ),
    ),
    "microsoft-contact-created": (
        "added",
        one(
            lambda cloud: cloud.change("microsoft", "contact", "create", patch={"givenName": "New", "surname": "Comer"})
        ),
    ),
    "microsoft-photo-changed": (
        "changed",
        one(
            lambda cloud: cloud.change(
                "microsoft", "photo", "update", id=microsoft_contact(cloud), patch={"data": PIXEL}
            )
        ),
    ),
    "microsoft-contact-deleted": (
        "removed",
        one(lambda cloud: cloud.change("microsoft", "contact", "delete", id=microsoft_contact(cloud))),
    ),
    "microsoft-event-created": (
        "added",
        one(lambda cloud: cloud.change("microsoft", "event", "create", patch={"subject": "New", **MICROSOFT_TIMES})),
    ),
    "microsoft-event-edited": (
        "changed",
        one(
            lambda cloud: cloud.change(
                "microsoft", "event", "update", id=microsoft_event(cloud, recurs=False)[0], patch={"subject": "Edited"}
            )
        ),
    ),
    "microsoft-event-deleted": (
        "removed",
        one(lambda cloud: cloud.change("microsoft", "event", "delete", id=microsoft_event(cloud, recurs=False)[0])),
    ),
    "microsoft-instance-cancelled": ("changed", microsoft_instance("cancel_instance")),
    "microsoft-instance-moved": ("changed", microsoft_instance("change_instance", subject="Moved")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_in_the_cloud_moves_only_that_item(name: str, served: Served) -> None:
    before, revisions = served.dav.states(), served.revisions()

    what, change = CHANGES[name]
    wanted = change(served.cloud)
    runs = served.sync()

    moved = {
        collection: changes
        for collection, state in before.items()
        if (changes := served.dav.changes(collection, state.token))
    }
    after = served.dav.states()
    [(collection, changes)] = moved.items()
    assert len(changes) == wanted
    assert served.revisions() == {**revisions, collection: revisions[collection] + wanted}
    assert polls(after).keys() == polls(before).keys()
    for other, state in after.items():
        hrefs = changes.keys() if other == collection else set()
        assert without(state.etags, hrefs) == without(before[other].etags, hrefs)
        assert (state.ctag != before[other].ctag) is (other == collection)
    for href, etag in changes.items():
        assert after[collection].etags.get(href) == etag != before[collection].etags.get(href)
    done = {word: sum(run[word] for run in runs) for word in ("added", "changed", "removed")}
    assert done == {"added": 0, "changed": 0, "removed": 0, what: wanted}


def without(etags: dict[str, str], hrefs: Any) -> dict[str, str]:
    return {href: etag for href, etag in etags.items() if href not in hrefs}


def test_a_deleted_series_takes_its_changed_occurrences_with_it(served: Served) -> None:
    """Google tells of the series only; its changed occurrences vanish without a word."""
    before = served.dav.states()
    event = google_event(served.cloud, recurs=True, changed=True)
    served.cloud.change("google", "event", "delete", **event)

    runs = served.sync()

    assert {word: sum(run[word] for run in runs) for word in ("added", "changed", "removed")} == {
        "added": 0, "changed": 0, "removed": 1,
    }  # fmt: skip
    after = served.dav.states()
    gone = {(name, href) for name, state in before.items() for href in state.etags.keys() - after[name].etags.keys()}
    assert len(gone) == 1


def test_a_photo_arrives_as_the_cloud_holds_it(served: Served) -> None:
    contact = microsoft_contact(served.cloud)
    served.cloud.change("microsoft", "photo", "update", id=contact, patch={"data": PIXEL})
    served.sync()

    cards = served.installation.run("export", "contacts", "--format", "vcf").stdout

    assert PIXEL in cards.replace("\n ", "")
