"""How an account is judged: the worst thing that is true, in one sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from ccdaemon.model import Account, AccountState, Kind, Outcome, ProviderName, Purpose, RemoteCollection, Run
from ccdaemon.status import AccountStatus, account_status, as_json
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store

NOW = datetime(2026, 11, 24, tzinfo=UTC)
INTERVAL = timedelta(minutes=15)


@dataclass
class Bench:
    store: Store
    account: Account
    collections: list[int]

    def status(self, missing: tuple[Purpose, ...] = ()) -> AccountStatus:
        with self.store.read() as tx:
            account = tx.account(self.account.id)
            assert account is not None
            return account_status(tx, account, endpoint=None, missing=missing, interval=INTERVAL, now=NOW)

    def fail(self, *collections: int) -> None:
        with self.store.write() as tx:
            for collection in collections:
                tx.finish_pull(collection, error="unavailable", next_pull_at=NOW, now=NOW)

    def listing(self, outcome: Outcome, at: datetime) -> None:
        with self.store.write() as tx:
            tx.add_run(
                Run(
                    account_id=self.account.id, collection_id=None, started_at=at, finished_at=at, outcome=outcome,
                    full=True, error="unavailable" if outcome is Outcome.FAILED else None, detail="no answer",
                )
            )  # fmt: skip


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    with store.write() as tx:
        person = tx.add_person("ada", NOW)
        account = tx.add_account(
            person_id=person.id, provider=ProviderName.GOOGLE, subject="s", ref="r", label="l", address="",
            purposes=[Purpose.CONTACTS, Purpose.CALENDAR], writable=False, now=NOW,
        )  # fmt: skip
        listed = [RemoteCollection(remote_id=name, kind=Kind.EVENTS, name=name) for name in ("one", "two")]
        collections = [one.id for one in tx.save_collections(account.id, Kind.EVENTS, listed, now=NOW)]
        tx.save_grant(
            account.id, expected_generation=0, sealed_refresh_token=b"x", scopes=["a"], refresh_expires_at=None, now=NOW
        )
    yield Bench(store, account, collections)
    store.close()


def test_an_account_of_which_nothing_is_wrong_is_ok(bench: Bench):
    assert (bench.status().state, bench.status().problem) == (AccountState.OK, None)


def test_one_failing_collection_degrades_and_all_failing_is_an_error(bench: Bench):
    bench.fail(bench.collections[0])
    assert bench.status().state is AccountState.DEGRADED

    bench.fail(bench.collections[1])
    assert bench.status().state is AccountState.ERROR


def test_why_nobody_is_asked_is_told_and_until_when(bench: Bench):
    """F-09: what opened a circuit is known to the daemon alone; its Runs tell it."""
    bench.fail(bench.collections[1])
    why = "google calendar: not asked, after 6 failures in a row"
    with bench.store.write() as tx:
        tx.finish_pull(bench.collections[0], error="unavailable", next_pull_at=NOW + INTERVAL, now=NOW)
        tx.add_run(
            Run(
                account_id=bench.account.id, collection_id=bench.collections[0], started_at=NOW, finished_at=NOW,
                outcome=Outcome.FAILED, full=False, error="unavailable", detail=why,
            )
        )  # fmt: skip
    status = bench.status()

    assert status.problem == (
        f"no collection could be pulled (unavailable): {why}; tried again at 2026-11-24T00:00:00Z"
    )
    assert as_json(status)["retry_at"] == NOW

    with bench.store.write() as tx:
        for collection in bench.collections:
            tx.finish_pull(collection, error=None, next_pull_at=NOW, now=NOW)
    assert as_json(bench.status())["retry_at"] is None


def test_a_missing_purpose_degrades_and_is_named(bench: Bench):
    status = bench.status(missing=(Purpose.CONTACTS,))

    assert status.state is AccountState.DEGRADED
    assert "contacts" in (status.problem or "")


def test_a_listing_that_failed_lately_degrades_until_one_works(bench: Bench):
    bench.listing(Outcome.FAILED, NOW - timedelta(minutes=20))
    assert bench.status().state is AccountState.DEGRADED

    bench.listing(Outcome.DONE, NOW - timedelta(minutes=5))
    assert bench.status().state is AccountState.OK


def test_a_dead_grant_needs_consent_and_says_what_to_do(bench: Bench):
    with bench.store.write() as tx:
        tx.fail_grant(bench.account.id, error="consent_needed", needs_consent=True, now=NOW)
    status = bench.status()

    assert status.state is AccountState.NEEDS_CONSENT
    assert "ccdaemon enroll google" in (status.problem or "")


def test_a_disconnected_account_needs_consent(bench: Bench):
    with bench.store.write() as tx:
        tx.drop_grant(bench.account.id)

    assert bench.status().state is AccountState.NEEDS_CONSENT


def test_a_failing_refresh_degrades_before_it_ends_in_consent(bench: Bench):
    with bench.store.write() as tx:
        tx.fail_grant(bench.account.id, error="unavailable", needs_consent=False, now=NOW)

    assert bench.status().state is AccountState.DEGRADED


def test_pausing_comes_before_everything_else(bench: Bench):
    bench.fail(*bench.collections)
    with bench.store.write() as tx:
        tx.update_account(bench.account.id, paused=True)

    assert bench.status().state is AccountState.PAUSED


def test_what_is_in_quarantine_is_told_and_does_not_degrade_the_account(bench: Bench):
    with bench.store.write() as tx:
        tx.quarantine(bench.collections[0], "group", "reason", NOW)
    status = bench.status()

    assert status.state is AccountState.OK
    assert "quarantine list" in (status.problem or "")


def test_the_json_has_the_keys_of_the_contract(bench: Bench):
    told = as_json(bench.status())

    assert set(told) - {"problem", "retry_at"} == {
        "account", "provider", "label", "person", "state", "endpoint", "grant", "collections", "outbox",
    }  # fmt: skip
    assert set(told["collections"][0]) == {
        "collection", "kind", "name", "items", "quarantined", "held_deletions", "missing_since", "last_success_at",
        "next_pull_at", "failures", "last_error",
    }  # fmt: skip
    assert set(told["grant"]) == {"access_expires_at", "refresh_expires_at", "failures", "last_error"}
    assert set(told["outbox"]) == {"pending", "conflicts", "dead"}


def test_an_account_that_is_kept_here_only_needs_no_consent(bench: Bench):
    with bench.store.write() as tx:
        local = tx.add_account(
            person_id=bench.account.person_id, provider=ProviderName.LOCAL, subject="local", ref="x", label="local",
            address="", purposes=[], writable=True, now=NOW,
        )  # fmt: skip
        tx.add_local_collection(local.person_id, Kind.EVENTS, href="h", name="Home", description="", now=NOW)
        status = account_status(tx, local, endpoint=None, missing=(), interval=INTERVAL, now=NOW)

    assert (status.state, status.problem, len(status.collections)) == (AccountState.OK, None, 1)
    assert as_json(status)["grant"] == {
        "access_expires_at": None,
        "refresh_expires_at": None,
        "failures": 0,
        "last_error": None,
    }
