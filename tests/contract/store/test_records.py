"""Quarantine, runs and the audit log; text and time as they go through both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Outcome, Quarantined, Run
from ccdaemon.store.engine import SqlStore
from ccdaemon.store.schema import audit
from tests.contract.store.scene import MINUTE, NOW, Scene, draft, enrolled, original
from tests.contract.store.writes import recorded


def test_a_group_in_quarantine_keeps_its_first_moment_and_its_latest_reason(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.quarantine(scene.book.id, "b", "no name", NOW)
        tx.quarantine(scene.book.id, "b", "no start", NOW + MINUTE)
        tx.quarantine(scene.book.id, "a", "no name", NOW)
        tx.quarantine(scene.calendar.id, "c", "no end", NOW)

        of_book = [
            Quarantined(collection_id=scene.book.id, group_id="a", reason="no name", since=NOW),
            Quarantined(collection_id=scene.book.id, group_id="b", reason="no start", since=NOW),
        ]
        of_calendar = Quarantined(collection_id=scene.calendar.id, group_id="c", reason="no end", since=NOW)
        assert list(tx.quarantined(scene.book.id)) == of_book
        assert list(tx.quarantined()) == [*of_book, of_calendar]


def test_the_same_reason_again_writes_nothing(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.quarantine(scene.book.id, "b", "no name", NOW)
        with recorded(tx) as writes:
            tx.quarantine(scene.book.id, "b", "no name", NOW + MINUTE)

    assert writes == []


def test_a_released_group_is_out_and_releasing_it_again_is_silent(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.quarantine(scene.book.id, "b", "no name", NOW)
        tx.release(scene.book.id, "b")
        tx.release(scene.book.id, "b")

        assert list(tx.quarantined()) == []
        with pytest.raises(UnknownName):
            tx.quarantine(99, "b", "no name", NOW)


def test_runs_come_newest_first_of_all_or_of_one_account(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")
        runs = [
            Run(
                account_id=owner.account.id,
                collection_id=owner.book.id,
                started_at=NOW,
                finished_at=NOW + number * MINUTE,
                outcome=Outcome.FAILED if number == 1 else Outcome.DONE,
                full=number == 0,
                added=number,
                changed=2,
                removed=3,
                quarantined=4,
                error="unavailable" if number == 1 else None,
                detail="The provider did not answer." if number == 1 else None,
            )
            for number, owner in enumerate([scene, scene, other])
        ]
        runs = [replace(run, id=tx.add_run(run)) for run in runs]

        assert list(tx.runs()) == runs[::-1]
        assert list(tx.runs(limit=1)) == runs[2:]
        assert list(tx.runs(account_id=scene.account.id)) == [runs[1], runs[0]]


def test_a_run_of_the_listing_of_collections_belongs_to_no_collection(store: SqlStore, scene: Scene) -> None:
    listing = Run(
        account_id=scene.account.id, collection_id=None, started_at=NOW, finished_at=NOW, outcome=Outcome.FAILED,
        full=True, error="unavailable", detail="events: the provider did not answer",
    )  # fmt: skip
    with store.write() as tx:
        added = tx.add_run(listing)

        assert list(tx.runs()) == [replace(listing, id=added)]


def test_a_run_of_a_collection_that_is_gone_says_so(store: SqlStore, scene: Scene) -> None:
    gone = Run(
        account_id=scene.account.id, collection_id=99, started_at=NOW, finished_at=NOW, outcome=Outcome.DONE, full=True
    )
    with pytest.raises(UnknownName), store.write() as tx:
        tx.add_run(gone)


def test_the_audit_log_keeps_who_did_what_to_what(store: SqlStore) -> None:
    with store.write() as tx:
        tx.audit(actor="ada", action="account.remove", subject="ref-ada", now=NOW)

        [row] = tx.connection.execute(select(audit.c.at, audit.c.actor, audit.c.action, audit.c.subject)).all()
        assert tuple(row) == (NOW, "ada", "account.remove", "ref-ada")


# --- text and time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\udfff"])
def test_text_that_is_not_clean_is_refused_alike_and_nothing_of_it_stored(
    store: SqlStore, scene: Scene, text: str
) -> None:
    """T-45, R-51: what only one database would take, neither takes."""
    with store.write() as tx:
        for act in (
            lambda: tx.put_many(scene.book.id, [draft("a", body=text)], now=NOW),
            lambda: tx.put_many(scene.book.id, [draft("a", href=text)], now=NOW),
            lambda: tx.observe(scene.book.id, [original("a", payload={"name": ["x", text]})]),
            lambda: tx.observe(scene.book.id, [original("a", payload={text: 1})]),
            lambda: tx.observe(scene.book.id, [original("a", etag=text)]),
            lambda: tx.quarantine(scene.book.id, "a", text, NOW),
            lambda: tx.item(scene.book.id, text),
        ):
            with pytest.raises(BadData):
                act()

    with store.read() as reader:
        assert reader.counts(scene.book.id) == (0, 0)
        assert list(reader.group_ids(scene.book.id)) == []


@pytest.mark.parametrize("payload", [{"a": float("nan")}, {"a": float("inf")}, {"a": {1, 2}}])
def test_a_payload_that_is_no_json_is_refused(store: SqlStore, scene: Scene, payload: dict[str, object]) -> None:
    with store.write() as tx, pytest.raises(BadData):
        tx.observe(scene.book.id, [original("a", payload=payload)])


def test_a_backslash_before_u0000_is_only_text(store: SqlStore, scene: Scene) -> None:
    payload = {"a": "\\u0000", "b": "\\\\u0000", "c": "u0000"}
    with store.write() as tx:
        tx.observe(scene.book.id, [original("a", payload=payload)])

        assert tx.group(scene.book.id, "a")[0].payload == payload


@pytest.mark.parametrize("payload", [{"a": "\\\0"}, {"a": "\\\\\0"}, {"\0": 1}])
def test_a_nul_behind_backslashes_is_still_a_nul(store: SqlStore, scene: Scene, payload: dict[str, object]) -> None:
    with store.write() as tx, pytest.raises(BadData):
        tx.observe(scene.book.id, [original("a", payload=payload)])


def test_a_number_that_does_not_fit_is_refused_alike(store: SqlStore, scene: Scene) -> None:
    with pytest.raises(BadData), store.write() as tx:
        tx.observe(scene.book.id, [original("a", version=2**63)])


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_a_moment_comes_back_to_the_microsecond_in_utc(store: SqlStore, moment: datetime) -> None:
    with store.write() as tx:
        tx.add_person("ada", moment)

    with store.read() as reader:
        found = reader.person("ada")
        assert found is not None
        assert (found.created_at, found.created_at.tzinfo) == (moment, UTC)


def test_a_time_without_its_zone_is_refused(store: SqlStore) -> None:
    with store.write() as tx, pytest.raises(BadData):
        tx.add_person("ada", datetime(2026, 1, 1))  # noqa: DTZ001 - that is the case
