"""SQLite answers what is asked all day from an index, however large the collection is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import event

from ccdaemon.model import TIME_MAX, SearchIndex, Selection, Span, TextHow, TextTest
from ccdaemon.store import prepared
from ccdaemon.store.base import Draft, Transaction
from ccdaemon.store.engine import open_store
from tests.contract.store.scene import NOW, draft, enrolled, index, original

KNOWN = SearchIndex(
    texts=(("UID", "u"),), complete=True, spans=(Span(0, 9, False, ""),), covered_from=0, covered_to=9, version=1
)


def indexed(group_id: str) -> Draft:
    return replace(draft(group_id, body="I"), search=KNOWN)


def having(how: TextHow, *, negated: bool = False) -> Selection:
    return Selection(any_of=((TextTest(property="UID", how=how, value="u", negated=negated),),))


QUESTIONS: dict[str, Callable[[Transaction, int], object]] = {
    "device_by_secret_hash": lambda tx, _: tx.device_by_secret_hash(b"0" * 32),
    "person": lambda tx, _: tx.person("ada"),
    "collection": lambda tx, book: tx.collection(book),
    "collection_by_href": lambda tx, _: tx.collection_by_href(1, "href"),
    "due": lambda tx, _: tx.due(NOW, 10, latest=NOW, besides=[7]),
    "counts": lambda tx, book: tx.counts(book),
    "group": lambda tx, book: tx.group(book, "a"),
    "groups": lambda tx, book: tx.groups(book, ["a", "b", "c"]),
    "shared": lambda tx, book: tx.shared(book),
    "etags": lambda tx, book: tx.etags(book, ["a", "b"]),
    "groups_awaiting_photo": lambda tx, book: tx.groups_awaiting_photo(book),
    "item": lambda tx, book: tx.item(book, "a.ics"),
    "items_by_href": lambda tx, book: tx.items_by_href(book, ["a.ics", "b.ics"]),
    "item_of_group": lambda tx, book: tx.item_of_group(book, "a"),
    "items_of_groups": lambda tx, book: tx.items_of_groups(book, ["a", "b"]),
    "uid_exists": lambda tx, book: tx.uid_exists(book, "a"),
    "groups_named": lambda tx, book: tx.groups_named(book, "a"),
    "changes": lambda tx, book: tx.changes(book, 1),
    "observe": lambda tx, book: tx.observe(book, [original("a", version=2), original("n")], generation=1),
    "put_many": lambda tx, book: tx.put_many(book, [draft("a", body="N"), draft("n")], now=NOW),
    "put_many with an index": lambda tx, book: tx.put_many(book, [indexed("a"), indexed("n")], now=NOW),
    "save_index": lambda tx, _: tx.save_index(1, KNOWN, version=1),
    "edit": lambda tx, book: tx.edit(book, href="a.ics", body="E", index=index("a"), search=KNOWN, now=NOW),
    "rename": lambda tx, book: tx.rename(book, "a.ics", to_collection=book, to_href="z.ics", now=NOW),
    "etags_by_href": lambda tx, book: tx.etags_by_href(book, ["a.ics", "b.ics"]),
    "bodies": lambda tx, book: list(tx.bodies(book, ["a.ics", "b.ics"])),
    "collections of a person": lambda tx, _: tx.collections(person_id=1),
    "select by time": lambda tx, book: tx.select(book, Selection(component="VEVENT", starts_at=0, ends_at=9)),
    "select without bodies": lambda tx, book: tx.select(book, Selection(starts_at=0, ends_at=9), bodies=False),
    "select without an end": lambda tx, book: tx.select(book, Selection(starts_at=0, ends_at=TIME_MAX)),
    "select by an equal text": lambda tx, book: tx.select(book, having(TextHow.EQUALS)),
    "select by a part": lambda tx, book: tx.select(book, having(TextHow.CONTAINS)),
    "select by time and text": lambda tx, book: tx.select(
        book, Selection(starts_at=0, ends_at=9, any_of=having(TextHow.CONTAINS, negated=True).any_of)
    ),
    "busy": lambda tx, book: tx.busy(book, Selection(starts_at=0, ends_at=9), zone=UTC),
    "properties": lambda tx, book: tx.properties([book, 7]),
    "set_properties": lambda tx, book: tx.set_properties(book, {"{DAV:}a": "<a/>", "{DAV:}b": None}),
    "to_index": lambda tx, _: tx.to_index(1, horizon=9, limit=9),
    "a cut first listing": lambda tx, book: tx.changes(book, 1, begun=2, limit=1),
    "hidden": lambda tx, book: tx.hidden(book, ["a", "b"]),
    "trashed": lambda tx, _: tx.trashed(1),
    "earlier": lambda tx, _: tx.earlier(1),
    "ended_bodies": lambda tx, book: tx.ended_bodies(book, 0, 9),
    "touched": lambda tx, book: tx.touched(book, 1),
    "put_many that keeps": lambda tx, book: tx.put_many(book, [draft("a", body="K")], now=NOW, keeps_earlier=True),
    "hide": lambda tx, _: tx.hide(1, remote=None, now=NOW),
    "forget_trash": lambda tx, _: tx.forget_trash(NOW, limit=9),
    "forget_earlier": lambda tx, _: tx.forget_earlier(NOW, limit=9),
    "runs of an account": lambda tx, _: tx.runs(account_id=1),
    "run": lambda tx, _: tx.run(1),
    "told_to": lambda tx, book: tx.told_to(book),
    "remove": lambda tx, book: tx.remove(book, "a.ics", now=NOW),
}

GIVEN = ("SCAN json_each", "SCAN anon_1")
"""The strings that were asked for, and the rows of a subquery that is shown itself."""

WHOLE_COLLECTION = "(collection_id=?)"
"""How a plan ends that walks through everything of a collection."""

COVERED = {
    "properties": "collection_properties",
    "counts": "COVERING INDEX",
    "changes": "COVERING INDEX ix_items_changes",
    "a cut first listing": "COVERING INDEX ix_items_changes",
    "told_to": "ix_runs_collection_id",  # its last entry
    "shared": "(collection_id=? AND group_id=?)",
    "groups_awaiting_photo": "ix_originals_awaiting_photo",
}
"""Questions that may walk through a whole index, and the index that it is."""


@pytest.fixture
def transaction(sqlite_template: Path, tmp_path: Path) -> Transaction:
    path = tmp_path / "plans.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    with store.write() as tx:
        scene = enrolled(tx, "ada")
        assert scene.book.id == 1
        tx.observe(1, [original("a"), original("b")])
        tx.put_many(1, [draft("a"), draft("b")], now=NOW)
        yield tx
    store.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_of_all_day_walks_through_a_table(transaction: Transaction, question: str) -> None:
    plans = plans_of(transaction, lambda: QUESTIONS[question](transaction, 1))

    assert plans
    for plan in plans:
        assert plan.startswith(GIVEN) or not plan.startswith("SCAN"), plan
        assert not plan.endswith(WHOLE_COLLECTION) or COVERED.get(question, "never") in plan, plan


@pytest.mark.parametrize("question", ["rendered", "etags"])
def test_a_listing_reads_no_body_and_sorts_nothing(transaction: Transaction, question: str) -> None:
    ask = {
        "rendered": lambda: transaction.rendered(1, before="<", between=" ", after=">"),
        "etags": lambda: transaction.etags_by_href(1),
    }[question]

    plans = plans_of(transaction, ask)

    assert any("COVERING INDEX ix_items_listing" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)


def test_what_is_known_is_found_without_reading_an_item(transaction: Transaction) -> None:
    """But for those that are found: by their number."""
    tx = transaction
    selections = [
        Selection(component="VEVENT", starts_at=0, ends_at=9),
        Selection(starts_at=0, ends_at=TIME_MAX),
        having(TextHow.CONTAINS),
        having(TextHow.EQUALS),
    ]

    plans = [plan for asked in selections for plan in plans_of(tx, lambda asked=asked: tx.select(1, asked))]

    by_number = "SEARCH items USING INTEGER PRIMARY KEY (rowid=?)"
    searches = [plan for plan in plans if plan.startswith("SEARCH") and plan != by_number]
    assert by_number in plans
    assert [plan for plan in searches if "COVERING INDEX" not in plan and "PRIMARY KEY" not in plan] == []


def test_a_sync_token_is_answered_without_reading_a_body(transaction: Transaction) -> None:
    for since in (0, 1):
        plans = plans_of(transaction, lambda since=since: transaction.changes(1, since))

        assert any("COVERING INDEX ix_items_changes" in plan for plan in plans)
        assert not any("TEMP B-TREE" in plan for plan in plans)


def plans_of(tx: Transaction, ask: Callable[[], object]) -> list[str]:
    """The steps of all statements that ``ask`` sends."""
    sent: list[tuple[str, object]] = []
    connection = tx.connection

    def note(*arguments: object) -> None:
        many = arguments[5]
        parameters = arguments[3]
        sent.append((str(arguments[2]), parameters[0] if many else parameters))

    class Noting:
        """The driver's connection as prepared.py sees it."""

        def execute(self, statement: str, parameters: object) -> object:
            sent.append((statement, parameters))
            return raw.execute(statement, parameters)

        def executemany(self, statement: str, rows: list[object]) -> object:
            sent.append((statement, rows[0]))
            return raw.executemany(statement, rows)

    raw = connection.connection.driver_connection
    event.listen(connection, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "driver_of", lambda _: Noting())
        ask()
    event.remove(connection, "before_cursor_execute", note)
    return [
        row[3]
        for statement, parameters in sent
        for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    ]
