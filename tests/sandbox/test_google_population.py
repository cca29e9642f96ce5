"""What a new sandbox holds at Google: always the same, exactly as much as asked for, and of every sort."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.sandbox.pictures import picture

Json = dict[str, Any]


@pytest.fixture(scope="module")
def large() -> Json:
    return Sandbox(Settings(people=1, contacts=1500, events=1500)).models["google"].truth("ada")


def _events(truth: Json) -> Iterator[Json]:
    for events in truth["events"].values():
        yield from events


@pytest.mark.parametrize(("contacts", "events"), [(0, 0), (1, 1), (7, 3), (30, 41), (200, 300)])
def test_as_many_are_made_as_were_asked_for(contacts: int, events: int) -> None:
    sandbox = Sandbox(Settings(contacts=contacts, events=events))

    for person in ("ada", "grace"):
        truth = sandbox.models["google"].truth(person)
        assert len(truth["contacts"]) == contacts
        assert sum(1 for _ in _events(truth)) == events


def test_the_same_seed_makes_the_same_and_another_makes_other() -> None:
    def content(seed: int) -> Json:
        truth = Sandbox(Settings(seed=seed, people=1, contacts=40, events=60)).models["google"].truth("ada")
        names = {contact["resourceName"]: contact.get("names") for contact in truth["contacts"]}
        times = {event["id"]: (event.get("summary"), event.get("start")) for event in _events(truth)}
        return {"names": names, "times": times}

    assert content(1) == content(1)
    assert not content(1)["times"].keys() & content(2)["times"].keys()


def test_contacts_are_of_every_sort(large: Json) -> None:
    fields = Counter(name for contact in large["contacts"] for name in contact)
    assert {
        *("names", "nicknames", "emailAddresses", "phoneNumbers", "addresses", "organizations", "birthdays"),
        *("biographies", "photos", "memberships", "urls", "relations", "events", "userDefined", "imClients"),
        *("sipAddresses", "genders", "externalIds", "clientData", "occupations", "locations", "interests"),
    } <= set(fields)
    birthdays = [contact["birthdays"][0] for contact in large["contacts"] if "birthdays" in contact]
    assert {"year" in birthday.get("date", {}) for birthday in birthdays} == {True, False}
    assert any("date" not in birthday for birthday in birthdays)
    photos = [contact["photos"][0].get("default", False) for contact in large["contacts"]]
    assert 0.10 < photos.count(False) / len(photos) < 0.20
    assert any(
        set(contact) - {"metadata", "photos", "memberships"} == {*("resourceName", "etag", "emailAddresses")}
        for contact in large["contacts"]
    )
    notes = "".join(contact["biographies"][0]["value"] for contact in large["contacts"] if "biographies" in contact)
    assert all(sign in notes for sign in ',;\n\\"🎉👩‍👩‍👧‍👦ש')
    names = "".join(contact["names"][0]["displayName"] for contact in large["contacts"] if "names" in contact)
    assert all(letter in names for letter in "愛김محЁÞ")


def test_events_are_of_every_sort(large: Json) -> None:
    events = list(_events(large))
    kinds: dict[str, Callable[[Json], bool]] = {
        "single": lambda e: "dateTime" in e.get("start", {}) and "recurrence" not in e and "recurringEventId" not in e,
        "no zone named": lambda e: "dateTime" in e.get("start", {}) and "timeZone" not in e["start"],
        "UTC": lambda e: e.get("start", {}).get("timeZone") == "UTC",
        "all day": lambda e: "date" in e.get("start", {}),
        "rule with count": lambda e: "COUNT=" in str(e.get("recurrence")),
        "rule with until": lambda e: "UNTIL=" in str(e.get("recurrence")),
        "exdate": lambda e: "EXDATE" in str(e.get("recurrence")),
        "rdate": lambda e: "RDATE" in str(e.get("recurrence")),
        "split": lambda e: "_R2" in e["id"],
        "exception": lambda e: "recurringEventId" in e and e["status"] != "cancelled",
        "cancelled": lambda e: "recurringEventId" in e and e["status"] == "cancelled",
        "cancelled day": lambda e: e["status"] == "cancelled" and "date" in e["originalStartTime"],
        "meet": lambda e: "hangoutLink" in e and "conferenceData" in e,
        "elsewhere": lambda e: "self" not in e.get("organizer", {"self": True}),
        "room": lambda e: any(a.get("resource") for a in e.get("attendees", ())),
        "no reminder": lambda e: e.get("reminders") == {"useDefault": False},
        "overrides": lambda e: "overrides" in e.get("reminders", {}),
        "free": lambda e: e.get("transparency") == "transparent",
        "private": lambda e: e.get("visibility") == "private",
        "tentative": lambda e: e.get("status") == "tentative",
        "colour": lambda e: "colorId" in e,
        "html": lambda e: "<ul>" in e.get("description", ""),
        "no end": lambda e: e.get("endTimeUnspecified", False),
        "no summary": lambda e: e["status"] == "confirmed" and "summary" not in e,
    }
    missing = [name for name, is_one in kinds.items() if not any(is_one(event) for event in events)]
    assert missing == []
    assert {event["eventType"] for event in events if "eventType" in event} == {
        *("birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation")
    }
    statuses = {guest["responseStatus"] for event in events for guest in event.get("attendees", ())}
    assert statuses == {"needsAction", "declined", "tentative", "accepted"}


def test_offsets_are_those_of_the_calendar_whatever_zone_is_named(large: Json) -> None:
    starts = [event["start"] for event in _events(large) if event.get("start", {}).get("timeZone") == "Asia/Kolkata"]

    assert starts
    assert not any(start["dateTime"].endswith("+05:30") for start in starts)


def test_every_exception_belongs_to_a_series(large: Json) -> None:
    for events in large["events"].values():
        series = {event["id"] for event in events if "recurrence" in event}
        assert {event["recurringEventId"] for event in events if "recurringEventId" in event} <= series


def test_pictures_are_stable_and_differ_by_name() -> None:
    assert picture("ada", 100) == picture("ada", 100)
    assert picture("ada", 100) != picture("grace", 100)
    assert len(picture("ada", 256)) < 2000
