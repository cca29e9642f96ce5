"""What the owners of the accounts do at their clouds, all the time."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.soak.town import Account, Town

Json = dict[str, Any]

PAUSE_SECONDS = 0.15  # between two changes anywhere
NEAR = timedelta(days=200)  # within what Graph's change feed tells of
GOOGLE_TIMES = {
    "start": {"dateTime": "2027-03-01T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2027-03-01T11:00:00+01:00", "timeZone": "Europe/Berlin"},
}
MICROSOFT_TIMES = {
    "start": {"dateTime": "2027-03-01T10:00:00.0000000", "timeZone": "W. Europe Standard Time"},
    "end": {"dateTime": "2027-03-01T11:00:00.0000000", "timeZone": "W. Europe Standard Time"},
}
ACTIONS = {
    "contact": {"create": 2, "update": 5, "delete": 1},
    "photo": {"update": 1},
    "event": {"create": 2, "update": 5, "delete": 1},
    "series": {"cancel_instance": 1, "change_instance": 1},
}
"""What is done to what, and how often."""


@dataclass
class Holding:
    """Ids of what an account has that can be changed: (id, collection)."""

    contact: list[tuple[str, str | None]] = field(default_factory=list)
    event: list[tuple[str, str | None]] = field(default_factory=list)
    series: list[tuple[str, str | None]] = field(default_factory=list)


class Life:
    """Changes things until told to stop."""

    def __init__(self, town: Town, chance: random.Random) -> None:
        self._town = town
        self._chance = chance
        self._holdings = {account: _holding(town, account) for account in town.accounts}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="life", daemon=True)
        self._choices = [(kind, action, often) for kind, some in ACTIONS.items() for action, often in some.items()]
        self.done: Counter[str] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            account = self._chance.choice(self._town.accounts)
            [(kind, action, _)] = self._chance.choices(self._choices, [often for *_, often in self._choices])
            try:
                self._change(account, kind, action)
                self.done[f"{kind} {action}"] += 1
            except (AssertionError, requests.RequestException):  # the object does not allow it
                self.done["refused"] += 1

    def _change(self, account: Account, kind: str, action: str) -> None:
        holding = self._holdings[account]
        things = holding.contact if kind == "photo" else getattr(holding, kind)
        order: Json = {}
        if action == "create":
            order["patch"] = self._patch(account, kind, is_new=True)
        elif not things:
            return
        else:
            order["id"], collection = self._chance.choice(things)
            order |= {"collection": collection} if collection and account.provider == "google" else {}
            if action in {"update", "change_instance"} and kind != "photo":
                order["patch"] = self._patch(account, kind, is_new=False)
            if kind == "photo":
                order["patch"] = {"data": PIXEL} if account.provider == "microsoft" else {}
            if kind == "series" and account.provider == "microsoft":
                return  # which days it has only its rule knows
        made = self._town.cloud.tell(
            "mutate", person=account.identity, provider=account.provider,
            kind="event" if kind == "series" else kind, action=action, **order,
        )  # fmt: skip
        if action == "create":
            things.append((made.get("id") or made["resourceName"], order.get("collection")))
        if action == "delete":
            things.remove((order["id"], collection))

    def _patch(self, account: Account, kind: str, *, is_new: bool) -> Json:
        word = f"{kind} {self._chance.randrange(10**6)}"
        if kind == "contact":
            google = {"names": [{"givenName": word, "familyName": "Soak"}]}
            return google if account.provider == "google" else {"givenName": word, "surname": "Soak"}
        times = GOOGLE_TIMES if account.provider == "google" else MICROSOFT_TIMES
        text = {"summary": word} if account.provider == "google" else {"subject": word}
        return {**text, **times} if is_new or kind == "series" else text


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def _holding(town: Town, account: Account) -> Holding:
    held = town.cloud.holds(account.provider, account.identity)
    readers: dict[str, Callable[[Json], Holding]] = {"google": _at_google, "microsoft": _at_microsoft}
    return readers[account.provider](held)


def _at_google(held: Json) -> Holding:
    holding = Holding(contact=[(one["resourceName"], None) for one in held["contacts"]])
    for calendar in (one["id"] for one in held["calendars"] if one["accessRole"] == "owner"):
        events: Sequence[Json] = held["events"][calendar]
        touched = {event["recurringEventId"] for event in events if "recurringEventId" in event}
        for event in events:
            if "recurringEventId" in event or event["eventType"] != "default" or event["id"] in touched:
                continue
            things = holding.series if event.get("recurrence") else holding.event
            things.append((event["id"], calendar))
    return holding


def _at_microsoft(held: Json) -> Holding:
    holding = Holding(contact=[(one["id"], None) for one in held["contacts"]])
    now = datetime.now(UTC)
    for entry in held["events"]:
        event = entry["event"]
        day = datetime.fromisoformat(event["start"]["dateTime"][:10]).replace(tzinfo=UTC)
        if event["recurrence"] is None and abs(day - now) < NEAR:
            holding.event.append((event["id"], entry["calendarId"]))
    return holding
