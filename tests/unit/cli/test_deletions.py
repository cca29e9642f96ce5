"""``ccdaemon deletions`` and what ``status`` says of what is held, on a database without a provider."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import cli
from ccdaemon.cli.sync import exit_code
from ccdaemon.model import (
    TIME_MAX,
    TIME_MIN,
    Base,
    BodyIndex,
    Decision,
    Fingerprint,
    Held,
    Kind,
    Outcome,
    ProviderName,
    Purpose,
    RemoteCollection,
    Run,
)
from ccdaemon.store.base import Draft
from ccdaemon.store.engine import SqlStore, open_store

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FINGERPRINT = Fingerprint("f")
ITEMS, GONE = 30, 25


@dataclass
class House:
    """One account with an address book of thirty contacts, of which twenty-five are said to be gone."""

    run: Callable[..., Result]
    store: SqlStore
    account_id: int
    book: int

    def told(self, *arguments: str, code: int = 0) -> str:
        result = self.run(*arguments)
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    def decisions(self) -> set[Decision]:
        with self.store.read() as tx:
            return {row.decision for row in tx.held(self.book)}

    def audited(self) -> list[tuple[str, str]]:
        with self.store.read() as tx:
            return [tuple(row) for row in tx.connection.exec_driver_sql("SELECT action, subject FROM audit")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--config", str(config), *arguments])

    assert run("init", "--person", "ada").exit_code == 0
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.write() as tx:
        account = tx.add_account(
            person_id=tx.persons()[0].id, provider=ProviderName.GOOGLE, subject="s", ref="ref12345", label="mine",
            address="", purposes=[Purpose.CONTACTS], writable=False, now=NOW,
        )  # fmt: skip
        tx.save_grant(
            account.id, expected_generation=0, sealed_refresh_token=b"x", scopes=["https://www.googleapis.com/auth/contacts.readonly"],
            refresh_expires_at=None, now=NOW,
        )  # fmt: skip
        listed = RemoteCollection(remote_id="people", kind=Kind.CONTACTS, name="Contacts")
        [book] = tx.save_collections(account.id, Kind.CONTACTS, [listed], now=NOW)
        tx.put_many(book.id, [draft(number) for number in range(ITEMS)], now=NOW)
        tx.set_held(book.id, [held(book.id, number) for number in range(GONE)])
    yield House(run, store, account.id, book.id)
    store.close()


def draft(number: int) -> Draft:
    index = BodyIndex(
        uid=f"u{number}", component="", name=f"Person {number:02}", starts_at=TIME_MIN, ends_at=TIME_MAX,
        recurring=False,
    )  # fmt: skip
    return Draft(
        group_id=f"o{number:02}", href=f"o{number:02}.vcf", body=f"BODY {number}\r\n", index=index,
        base=Base(local=FINGERPRINT, remote=FINGERPRINT),
    )  # fmt: skip


def held(collection_id: int, number: int) -> Held:
    return Held(
        collection_id=collection_id, remote_id=f"o{number:02}", group_id=f"o{number:02}", found_at=NOW,
        confirmed_at=None, decision=Decision.NONE,
    )  # fmt: skip


def test_what_is_held_is_told_by_status_with_its_exit_code_and_by_the_list(house: House):
    """I11"""
    status = json.loads(house.told("status", "--json", code=1))["accounts"][0]
    text = house.told("status", code=1)
    listed = house.told("deletions", "list", "mine")
    everything = json.loads(house.told("deletions", "list", "--all", "--json"))["deletions"]

    assert (status["state"], status["collections"][0]["held_deletions"]) == ("degraded", GONE)
    assert status["collections"][0]["last_error"] == "deletions_held"
    assert "25 deletions are held, everything stays published: ccdaemon deletions list ref12345" in text
    assert "mine Contacts: 25 of 30 items since 2026-11-24T00:00:00Z" in listed
    assert listed.count("  - Person") == 10
    assert "and 15 more" in listed
    assert [len(one["names"]) for one in everything] == [GONE]
    assert (everything[0]["waits_for"], everything[0]["whole_collection"]) == ("listing", False)


def test_what_is_rejected_stays_and_nobody_is_alarmed_any_more(house: House):
    assert "25 items are kept" in house.told("deletions", "reject", "mine", "--collection", "Contacts")

    assert house.decisions() == {Decision.REJECTED}
    assert "state" in house.told("status", "--json")
    assert "rejected: kept here" in house.told("deletions", "list")
    assert [one for one in house.audited() if "deletions" in one[0]] == [
        ("deletions.reject", "ref12345/" + href(house))
    ]


def test_an_approval_is_noted_and_due_at_once_also_where_the_provider_cannot_be_asked(house: House):
    said = house.told("deletions", "approve", "mine", code=1)

    assert "failed (bad_configuration)" in said
    assert house.decisions() == {Decision.APPROVED}
    assert "approved: the next pull carries it out" in house.told("deletions", "list")
    assert ("deletions.approve", "ref12345/" + href(house)) in house.audited()


def test_what_a_person_keeps_is_not_swept_away_by_an_approval_of_what_came_later(house: House):
    """R-16: each word is about what it was said of, unless it says otherwise."""
    house.told("deletions", "reject", "mine")
    with house.store.write() as tx:
        tx.set_held(house.book, [held(house.book, number) for number in range(GONE + 2)])

    assert "failed" in house.told("deletions", "approve", "mine", code=1)
    decisions = [row.decision for row in rows(house)]
    again = house.told("deletions", "approve", "mine", code=1)
    with house.store.write() as tx:
        tx.set_held(house.book, [row for row in tx.held(house.book) if row.decision is Decision.REJECTED])
    only_rejected = house.told("deletions", "approve", "mine")
    house.told("deletions", "approve", "mine", "--rejected", code=1)

    assert decisions == [Decision.REJECTED] * GONE + [Decision.APPROVED] * 2
    assert "failed" in again
    assert only_rejected == "no deletion of mine is held: all were rejected; see --rejected\n"
    assert house.decisions() == {Decision.APPROVED}


def test_f05_a_collection_that_is_not_listed_is_listed_here_and_decided_as_a_whole(house: House):
    with house.store.write() as tx:
        tx.set_held(house.book, [])
        tx.save_collections(house.account_id, Kind.CONTACTS, [], now=NOW - timedelta(days=1))
    [entry] = json.loads(house.told("deletions", "list", "--json"))["deletions"]
    text = house.told("status", code=1)

    assert (entry["whole_collection"], entry["held"], entry["waits_for"]) == (True, ITEMS, "person")
    assert "not listed since 2026-11-23T00:00:00Z" in text
    assert "30 deletions are held" in text

    house.told("deletions", "reject", "mine")

    assert "not listed since" in house.told("status")
    with house.store.read() as tx:
        assert tx.presences(house.account_id, Kind.CONTACTS)[0].decision is Decision.REJECTED


def test_a_sync_that_holds_deletions_ends_with_1_and_one_that_does_not_with_0(house: House):
    """R-13: a script that only looks at the exit code is told."""
    run = Run(
        account_id=house.account_id, collection_id=house.book, started_at=NOW, finished_at=NOW, outcome=Outcome.DONE,
        full=True,
    )  # fmt: skip

    assert [exit_code([run, replace(run, held=number)]) for number in (0, 3)] == [0, 1]


def test_what_is_not_there_is_named_in_one_sentence(house: House):
    assert "there is no account nobody" in house.told("deletions", "approve", "nobody", code=65)
    assert "mine has no collection Birds" in house.told("deletions", "reject", "mine", "--collection", "Birds", code=65)
    with house.store.write() as tx:
        tx.set_held(house.book, [])

    assert house.told("deletions", "list") == "no deletion is held\n"
    assert house.told("deletions", "reject", "mine") == "no deletion of mine is held\n"


def rows(house: House) -> Sequence[Held]:
    with house.store.read() as tx:
        return tx.held(house.book)


def href(house: House) -> str:
    with house.store.read() as tx:
        return tx.collection(house.book).href
