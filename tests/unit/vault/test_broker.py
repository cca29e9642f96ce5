"""One refresh at a time, and what it brings is never lost (R-21 to R-25, F-01, F-15, F-20)."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from ccdaemon.errors import (
    BadAnswer,
    BadConfiguration,
    CcdaemonError,
    ConsentNeeded,
    MissingScope,
    NotPermitted,
    RateLimited,
    StoreUnavailable,
    Transient,
    UnknownName,
)
from ccdaemon.model import Purpose
from ccdaemon.store.base import Store, Transaction
from ccdaemon.vault.broker import CONFIRM, Broker
from tests.unit.vault.bench import CALENDAR, CONTACTS, MAIL, Bench
from tests.unit.vault.cloud import HOUR, Rotation

MINUTE = timedelta(minutes=1)


# --- when it refreshes


def test_the_token_of_the_consent_is_used_first(bench: Bench) -> None:
    assert bench.get().value == "CNRY-access-graph-0"
    assert bench.cloud.refreshes == 0


def test_an_expired_token_is_refreshed_once_and_then_used(bench: Bench) -> None:
    bench.expire()

    assert [bench.get().value for _ in range(3)] == ["CNRY-access-graph-1"] * 3
    assert bench.cloud.refreshes == 1


def test_a_token_is_refreshed_five_minutes_before_its_end(bench: Bench) -> None:
    bench.clock.move(HOUR - 6 * MINUTE)
    assert bench.get().value == "CNRY-access-graph-0"
    bench.clock.move(2 * MINUTE)

    assert bench.get().value == "CNRY-access-graph-1"


def test_a_caller_may_ask_for_a_longer_life(bench: Bench) -> None:
    bench.clock.move(10 * MINUTE)

    assert bench.get(min_seconds=3000).value == "CNRY-access-graph-0"
    assert bench.get(min_seconds=3001).value == "CNRY-access-graph-1"


def test_purposes_of_one_audience_share_a_token_and_others_do_not(bench: Bench) -> None:
    bench.expire()

    assert bench.get(CONTACTS) == bench.get(CALENDAR)
    assert bench.get(MAIL).value == "CNRY-access-outlook-2"
    assert bench.get(CONTACTS).value == "CNRY-access-graph-1"
    assert bench.cloud.refreshes == 2


def test_a_forced_call_gets_another_token(bench: Bench) -> None:
    """F-01."""
    assert bench.get(force=True).value == "CNRY-access-graph-1"
    assert bench.get(force=True).value == "CNRY-access-graph-2"


def test_a_source_that_was_refused_takes_what_another_source_got_meanwhile(bench: Bench) -> None:
    """R-24: many 401s at the same token are one refresh."""
    sources = [bench.broker.tokens(bench.account.id, CONTACTS) for _ in range(5)]
    first = {source().value for source in sources}
    second = {source(force=True).value for source in sources}

    assert (first, second) == ({"CNRY-access-graph-0"}, {"CNRY-access-graph-1"})
    assert bench.cloud.refreshes == 1


def test_a_source_that_never_gave_anything_can_be_forced(bench: Bench) -> None:
    assert bench.broker.tokens(bench.account.id, CONTACTS)(force=True).value == "CNRY-access-graph-1"


def test_a_token_that_lives_shorter_than_the_margin_is_not_refreshed_at_each_use(bench: Bench) -> None:
    bench.cloud.life = 4 * MINUTE
    bench.expire()

    assert [bench.get().value for _ in range(5)] == ["CNRY-access-graph-1"] * 5


def test_one_call_never_refreshes_twice_however_short_the_token_lives(bench: Bench) -> None:
    bench.cloud.life = timedelta(seconds=1)
    bench.expire()
    bench.get()

    assert bench.cloud.refreshes == 1


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(hours=-2), timedelta(days=-400)])
def test_a_jump_of_the_clock_costs_one_refresh_at_most(bench: Bench, jump: timedelta) -> None:
    """R-25, F-15."""
    bench.clock.move(jump)
    for _ in range(5):
        bench.get()
    bench.clock.move(-jump)
    for _ in range(5):
        bench.get()

    assert bench.cloud.refreshes <= 1


# --- what is asked of whom


def test_a_purpose_that_was_not_granted_is_refused_without_asking_anybody(bench: Bench) -> None:
    bench.expire()
    error = bench.fail(MissingScope, Purpose.TASKS)

    assert "does not cover tasks" in str(error)
    assert bench.cloud.refreshes == 0
    assert bench.grant().failures == 0


def test_an_unknown_account_is_named(bench: Bench) -> None:
    with pytest.raises(UnknownName):
        bench.broker.access_token(4711, CONTACTS)


def test_a_disconnected_account_needs_a_consent(bench: Bench) -> None:
    with bench.store.write() as tx:
        tx.drop_grant(bench.account.id)

    assert "disconnected" in str(bench.fail(ConsentNeeded))


def test_a_provider_without_a_client_is_named(bench: Bench) -> None:
    broker = Broker(bench.store, bench.sealer, {}, now=bench.clock, owner="x")

    with pytest.raises(BadConfiguration, match=r"provider\.microsoft"):
        broker.access_token(bench.account.id, CONTACTS)


# --- rotation and durability


@pytest.mark.parametrize(
    ("rotation", "kept"),
    [(Rotation.NONE, "CNRY-refresh-first"), (Rotation.GRACE, "CNRY-refresh-1"), (Rotation.STRICT, "CNRY-refresh-1")],
)
def test_the_newest_refresh_token_is_kept(bench: Bench, rotation: Rotation, kept: str) -> None:
    bench.cloud.rotation = rotation
    bench.expire()
    bench.get()

    assert bench.refresh_token() == kept


def test_strict_rotation_goes_on_for_ever(bench: Bench) -> None:
    bench.cloud.rotation = Rotation.STRICT
    for _ in range(20):
        bench.expire()
        bench.get()

    assert (bench.cloud.refreshes, bench.refresh_token()) == (20, "CNRY-refresh-20")


def test_both_audiences_survive_rotation(bench: Bench) -> None:
    bench.cloud.rotation = Rotation.STRICT
    bench.expire()
    tokens = {bench.get(purpose).value for _ in range(3) for purpose in (CONTACTS, MAIL)}

    assert tokens == {"CNRY-access-graph-1", "CNRY-access-outlook-2"}


def test_a_newer_consent_wins_over_a_slow_refresh(bench: Bench) -> None:
    bench.cloud.rotation = Rotation.GRACE
    bench.expire()
    bench.cloud.meanwhile = bench.save_newer_consent

    assert "its consent changed" in str(bench.fail(Transient))
    assert bench.refresh_token() == "CNRY-newer-consent"


def test_a_refresh_that_fails_does_not_count_against_a_newer_consent(bench: Bench) -> None:
    bench.expire()
    bench.cloud.living.clear()
    bench.cloud.released.clear()
    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(bench.get)
        assert bench.cloud.entered.wait(10)
        bench.save_newer_consent()
        bench.cloud.living.clear()
        bench.cloud.released.set()

        assert isinstance(refreshing.exception(10), Transient)
    assert bench.grant().failures == 0


def test_a_disconnect_during_a_refresh_stays_a_disconnect(bench: Bench) -> None:
    def disconnect() -> None:
        with bench.store.write() as tx:
            tx.drop_grant(bench.account.id)

    bench.expire()
    bench.cloud.meanwhile = disconnect
    bench.fail(Transient)

    assert "disconnected" in str(bench.fail(ConsentNeeded))


class BusyStore:
    """The test's store, whose next writes that save a grant find the database busy."""

    def __init__(self, store: Store, busy: int) -> None:
        self._store = store
        self.busy = busy

    def read(self) -> Any:
        return self._store.read()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self._store.write() as tx:
            before = tx.grant(1)
            yield tx
            if tx.grant(1) != before and self.busy:
                self.busy -= 1
                raise StoreUnavailable("busy")

    def close(self) -> None:
        self._store.close()


def test_a_new_refresh_token_is_saved_although_the_store_is_busy(bench: Bench) -> None:
    bench.cloud.rotation = Rotation.STRICT
    bench.expire()
    token = bench.another("x", store=BusyStore(bench.store, 2)).access_token(bench.account.id, CONTACTS)

    assert token.value == "CNRY-access-graph-1"
    assert (bench.cloud.refreshes, bench.refresh_token()) == (1, "CNRY-refresh-1")


def test_a_token_that_could_not_be_made_durable_is_not_used(bench: Bench) -> None:
    """I6."""
    bench.cloud.rotation = Rotation.GRACE
    bench.expire()
    with pytest.raises(StoreUnavailable):
        bench.another("x", store=BusyStore(bench.store, 99)).access_token(bench.account.id, CONTACTS)

    assert bench.refresh_token() == "CNRY-refresh-first"
    assert bench.get().value == "CNRY-access-graph-2"


# --- failures


@pytest.mark.parametrize("error", [Transient("500"), BadAnswer("HTML"), RateLimited("429")])
def test_a_provider_in_trouble_keeps_the_grant_and_recovers_by_itself(bench: Bench, error: CcdaemonError) -> None:
    """R-22, F-20."""
    bench.expire()
    bench.cloud.failures = [error] * 20
    for _ in range(20):
        assert bench.fail(Transient) is error
    assert (bench.grant().failures, bench.grant().last_error) == (20, error.code)

    assert bench.get().value == "CNRY-access-graph-21"
    assert (bench.grant().failures, bench.grant().last_error) == (0, None)
    assert bench.refresh_token() == "CNRY-refresh-first"


def test_a_token_in_its_last_minutes_is_still_used_when_the_refresh_fails(bench: Bench) -> None:
    bench.clock.move(HOUR - 4 * MINUTE)
    bench.cloud.failures = [Transient("500")]

    assert bench.get().value == "CNRY-access-graph-0"
    assert bench.grant().failures == 1


def test_a_refused_token_is_never_given_again(bench: Bench) -> None:
    bench.cloud.failures = [Transient("500")]

    bench.fail(Transient, force=True)


def test_one_invalid_grant_is_not_believed(bench: Bench) -> None:
    """R-23: once, then well again."""
    bench.expire()
    bench.cloud.failures = [ConsentNeeded("invalid_grant")]
    error = bench.fail(Transient)
    assert isinstance(error, Transient)
    assert error.retry_after == CONFIRM
    assert (bench.grant().needs_consent, bench.grant().failures) == (False, 1)
    bench.clock.move(CONFIRM)

    assert bench.get().value == "CNRY-access-graph-2"
    assert bench.grant().failures == 0


def test_invalid_grant_twice_a_minute_apart_needs_a_person(bench: Bench) -> None:
    """R-23, R-21: at most three calls, the refresh token stays, others are not concerned."""
    bench.expire()
    bench.cloud.living.clear()
    bench.fail(Transient)
    bench.clock.move(CONFIRM)
    bench.fail(ConsentNeeded)
    for _ in range(5):
        bench.fail(ConsentNeeded)
        bench.clock.move(HOUR)

    assert bench.grant().needs_consent
    assert bench.cloud.refreshes == 2
    assert bench.refresh_token() == "CNRY-refresh-first"


def test_within_a_minute_of_an_invalid_grant_nobody_asks_again(bench: Bench) -> None:
    bench.expire()
    bench.cloud.living.clear()
    bench.fail(Transient)
    bench.clock.move(CONFIRM / 2)
    error = bench.fail(Transient)

    assert isinstance(error, Transient)
    assert error.retry_after == CONFIRM / 2
    assert (bench.cloud.refreshes, bench.grant().failures) == (1, 1)


def test_other_trouble_between_two_invalid_grants_starts_the_count_again(bench: Bench) -> None:
    bench.expire()
    for error in (ConsentNeeded("invalid_grant"), Transient("500"), ConsentNeeded("invalid_grant")):
        bench.cloud.failures = [error]
        bench.fail(Transient)
        bench.clock.move(CONFIRM)

    assert not bench.grant().needs_consent


def test_a_clock_that_went_back_neither_confirms_nor_blocks(bench: Bench) -> None:
    bench.expire()
    bench.cloud.living.clear()
    bench.fail(Transient)
    bench.clock.move(-10 * MINUTE)
    bench.fail(Transient)
    assert (bench.cloud.refreshes, bench.grant().needs_consent) == (2, False)
    bench.clock.move(CONFIRM)

    bench.fail(ConsentNeeded)


def test_a_new_consent_ends_the_need_for_one(bench: Bench) -> None:
    bench.expire()
    bench.cloud.living.clear()
    bench.fail(Transient)
    bench.clock.move(CONFIRM)
    bench.fail(ConsentNeeded)
    bench.save_newer_consent()

    assert bench.get().value == "CNRY-access-graph-3"


def test_a_refusal_that_is_no_invalid_grant_is_passed_on_and_counted(bench: Bench) -> None:
    bench.expire()
    bench.cloud.failures = [NotPermitted("the organisation forbids it")]
    error = bench.fail(NotPermitted)

    assert not isinstance(error, ConsentNeeded)
    assert (bench.grant().failures, bench.grant().last_error) == (1, "no_permission")


def test_a_defect_gives_the_lease_back(bench: Bench) -> None:
    bench.expire()
    bench.cloud.failures = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        bench.get()

    second = bench.another("second", wait=lambda _seconds: pytest.fail("the lease was kept"))
    assert second.access_token(bench.account.id, CONTACTS).value == "CNRY-access-graph-2"


def test_the_audit_log_tells_when_a_consent_ended(bench: Bench, database_url: str) -> None:
    bench.expire()
    bench.cloud.living.clear()
    bench.fail(Transient)
    bench.clock.move(CONFIRM)
    bench.fail(ConsentNeeded)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        lines = database.execute("SELECT actor, action, subject FROM audit ORDER BY id").fetchall()

    assert lines[-1] == ("ccdaemon", "grant.needs_consent", bench.account.ref)
