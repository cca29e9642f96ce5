"""Whole accounts against the sandbox: nobody's trouble is anybody else's, and windows move on without a loss."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ccdaemon.model import CLOUDS, Account, AccountState, Kind, Outcome, ProviderName, Purpose
from ccdaemon.providers.base import Remote
from ccdaemon.providers.microsoft.calendar import Window
from ccdaemon.providers.microsoft.graph import Ask, Graph
from ccdaemon.providers.traffic import FAILURES
from ccdaemon.providers.transport import Transport
from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.status import account_status
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.sync import turns
from ccdaemon.sync.ticker import Ticker
from tests.contract.remotes.accounts import House
from tests.contract.remotes.clouds import Clouds

GOOGLE, MICROSOFT = ProviderName.GOOGLE, ProviderName.MICROSOFT
PEOPLE = 10
WORKERS = 4
PATIENCE = 60.0  # seconds
INTERVAL = timedelta(minutes=15)


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    yield store
    store.close()


@pytest.fixture
def small() -> Iterator[Clouds]:
    """A sandbox of many people with little each, whose clock may be moved."""
    settings = Settings(listen="127.0.0.1:0", people=PEOPLE, contacts=6, events=8, tasks=4)
    with Sandbox(settings) as sandbox:
        yield Clouds(sandbox.start())


def now() -> datetime:
    return datetime.now(UTC)


# --- one bad account delays nobody ------------------------------------------------------------------------------------

TROUBLES = (
    {"status": 500, "body": "no"},
    {"status": 429, "body": "", "headers": {"Retry-After": "0"}},
    {"status": 503, "body": "", "headers": {"Retry-After": "x"}},
    {"html": True},
    {"reset": True},
    {"gzip_bomb": 64},
    {"truncate_at": 40},
    {"drop_terminal": True},
    {"foreign_link": "https://evil.example"},
    {"reset_after_commit": True},
    {"content_type": "image/png", "status": 200, "body": "\x00"},
)


def test_r49_f44_one_hostile_and_four_silent_accounts_delay_none_of_fifteen_others(
    store: Store, small: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I9. The silent ones are as many as the workers, and come first."""
    monkeypatch.setattr(turns, "SLOW_SECONDS", 4.0)  # longer than an ordinary account needs on a busy machine
    gate = threading.Event()

    def silenced(account: Account, remote: Remote) -> Remote:
        if account.id <= WORKERS:
            assert gate.wait(PATIENCE)
        return remote

    house = House(store=store, clouds=small, now=now, remote=silenced)
    people = [person["id"] for person in small.control("GET people")["people"]]
    accounts = [house.enrol(person, provider, Purpose.CALENDAR) for person in people for provider in CLOUDS]
    *others, hostile = accounts[WORKERS:]
    draw = random.Random(44)
    for _ in range(60):
        small.fault(
            {"person": people[-1], "host": "graph.microsoft.com", "times": 1, "path": draw.choice(["", "delta", "me"])},
            draw.choice(TROUBLES),
        )

    ticker = Ticker(house.worker, workers=WORKERS)
    ticker.start()
    try:
        _tick_until(ticker, lambda: all(map(_is_pulled(house), others)) and _has_failed(house, hostile))

        assert [_is_pulled(house)(account) for account in others] == [True] * 15
        assert [house.collections(account) for account in accounts[:WORKERS]] == [[]] * WORKERS
        assert _has_failed(house, hostile)
    finally:
        gate.set()
        ticker.stop()
    assert sum(rule["fired"] for rule in small.control("GET faults")["faults"]) > 0


def _tick_until(ticker: Ticker, is_so: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.1)):
        ticker._tick()
        if is_so():
            return
        threading.Event().wait(0.1)


def _is_pulled(house: House) -> Callable[[Account], bool]:
    def pulled(account: Account) -> bool:
        found = house.collections(account)
        return len(found) > 1 and all(one.last_success_at is not None for one in found)

    return pulled


def _has_failed(house: House, account: Account) -> bool:
    with house.store.read() as tx:
        return any(run.outcome is Outcome.FAILED for run in tx.runs(account_id=account.id))


# --- what a provider allows -------------------------------------------------------------------------------------------


def test_f09_a_mailbox_is_never_asked_by_five_at_once(store: Store, small: Clouds) -> None:
    """The sandbox turns the fifth away, as Graph does. Batches count with their parts."""
    house = House(store=store, clouds=small, now=now)
    account = house.enrol("ada", MICROSOFT, Purpose.CONTACTS)
    tokens, lanes = house.tokens[account.id, Kind.CONTACTS], house.traffic.of(account.id)
    slow = small.fault({"host": "graph.microsoft.com"}, {"delay_seconds": 0.02})
    small.control("DELETE log")

    def ask(number: int) -> None:
        graph = Graph(lambda hosts, **more: Transport(hosts, small.url, **{"lanes": lanes, **more}), tokens)
        for _ in range(3):
            graph.listed("/me/contactFolders", "graph", page_size=10)
            if number % 3 == 0:
                graph.batch([Ask(path="/me/contactFolders")] * 6, "graph")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    entries = small.asked("/me/")
    assert {entry["status"] for entry in entries} == {200}
    assert len(entries) >= 27
    assert small.fired(slow) >= 36


def test_f10_a_service_that_is_out_is_not_asked_for_every_calendar_and_status_tells(
    store: Store, small: Clouds
) -> None:
    house = House(store=store, clouds=small, now=now)
    account = house.enrol("ada", GOOGLE, Purpose.CALENDAR, Purpose.TASKS)
    house.worker.list_collections(account)
    small.control("DELETE log")
    out = small.fault({"host": "www.googleapis.com"}, {"status": 503, "body": ""})

    runs = [house.worker.pull(one.id) for one in house.collections(account)]

    with store.read() as tx:
        status = account_status(tx, account, endpoint=None, missing=(), interval=INTERVAL, now=now())
    calendars = [one for one in house.collections(account) if one.kind is Kind.EVENTS]
    details = [run.detail for run in runs if run is not None and run.outcome is Outcome.FAILED]
    assert len(calendars) > 2
    assert small.fired(out) == FAILURES
    assert details[-1] == f"google calendar: not asked, after {FAILURES} failures in a row"
    assert {one.last_error for one in calendars} == {"unavailable"}
    assert status.state is AccountState.DEGRADED  # Google's tasks have a host of their own
    assert status.problem is not None
    assert str(len(calendars)) in status.problem


# --- windows ----------------------------------------------------------------------------------------------------------


class Time:
    """The sandbox's clock and ours, moved together."""

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        self._clouds.control("POST clock", {"advance_seconds": by.total_seconds()})
        self.ahead += by


def test_a_window_that_moves_on_deletes_nothing_and_a_full_listing_sees_what_lies_outside(
    store: Store, small: Clouds
) -> None:
    """R-25: a clock that jumps ahead by months costs one listing, and nothing is deleted."""
    time = Time(small)
    house = House(store=store, clouds=small, now=time, window=Window(ahead=timedelta(days=60)))
    account = house.enrol("ada", MICROSOFT, Purpose.CALENDAR)
    house.worker.list_collections(account)
    [book] = [one for one in house.collections(account) if one.is_primary]
    first = house.worker.pull(book.id)
    published = house.hrefs(book)
    old = min(
        (one for one in small.control("GET truth?person=ada")["ada"]["microsoft"]["events"]),
        key=lambda one: one["event"]["start"]["dateTime"],
    )["event"]

    small.control(
        "POST mutate",
        {"person": "ada", "provider": "microsoft", "kind": "event", "action": "update", "id": old["id"],
         "collection": None, "patch": {"subject": "Written long after"}},
    )  # fmt: skip
    time.advance(timedelta(days=3))
    unseen = house.worker.pull(book.id)
    seen = []
    for days in (5, 8, 60):
        time.advance(timedelta(days=days))
        seen.append(house.worker.pull(book.id))
        seen.append(house.worker.pull(book.id))

    assert (first.full, first.outcome, len(published) > 0) == (True, Outcome.DONE, True)
    assert (unseen.full, unseen.changed) == (False, 0)
    assert [run.full for run in seen] == [True, False] * 3
    assert [run.changed for run in seen] == [1, 0, 0, 0, 0, 0]
    assert {(run.outcome, run.removed, run.held) for run in seen} == {(Outcome.DONE, 0, 0)}
    assert house.hrefs(book) == published


def test_contacts_of_google_are_listed_again_before_their_token_ends(store: Store, small: Clouds) -> None:
    """The sandbox's tokens die after seven days, as Google's do: it never has to refuse one."""
    time = Time(small)
    house = House(store=store, clouds=small, now=time)
    accounts = [house.enrol(person, GOOGLE, Purpose.CONTACTS) for person in ("ada", "grace")]
    for account in accounts:
        house.worker.list_collections(account)
    small.control("DELETE log")

    listed: dict[int, list[int]] = {account.id: [] for account in accounts}
    for day in range(13):
        for account in accounts:
            [book] = house.collections(account)
            run = house.worker.pull(book.id)
            assert run is not None
            assert run.outcome is Outcome.DONE
            if run.full:
                listed[account.id].append(day)
        time.advance(timedelta(days=1))

    assert {entry["status"] for entry in small.asked("/connections")} <= {200, 401}  # 401: a bearer token's own end
    gaps = [second - first for days in listed.values() for first, second in pairwise(days)]
    assert gaps == [6] * 4


def test_a_quiet_collection_is_pulled_at_the_interval_and_a_busy_one_sooner(store: Store, small: Clouds) -> None:
    house = House(store=store, clouds=small, now=now)
    account = house.enrol("ada", GOOGLE, Purpose.CONTACTS)
    worker = replace(house.worker, chance=lambda: 0.0)
    worker.list_collections(account)
    [book] = house.collections(account)

    worker.pull(book.id)
    [busy] = house.collections(account)
    later = replace(worker, now=lambda: now() + timedelta(days=1))
    later.pull(book.id)
    [quiet] = house.collections(account)

    assert busy.changed_at == busy.last_success_at
    assert busy.next_pull_at - busy.last_success_at < INTERVAL / 8 + timedelta(seconds=1)
    assert quiet.changed_at == busy.changed_at
    assert quiet.next_pull_at - quiet.last_success_at > INTERVAL - timedelta(seconds=1)
