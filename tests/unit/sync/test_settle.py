"""Settling groups on the real store: quarantine alone, what was published stays, nothing needless is written."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from ccdaemon.errors import Transient
from ccdaemon.mapping.indexing import VERSION
from ccdaemon.mapping.text_match import folded
from ccdaemon.model import Kind, Original, Selection, TextHow, TextTest
from ccdaemon.store.engine import open_store
from ccdaemon.sync.settle import item_href
from tests.machine.cloud import POISON, Cloud, Faults, TextCodec
from tests.unit.sync.bench import Bench

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    yield Bench(store, Cloud(random.Random(1)))
    store.close()


def test_poison_is_quarantined_alone_and_listed_with_its_reason(bench: Bench):
    for number in range(5):
        bench.write(f"o{number}", POISON if number == 2 else f"text {number}")

    run = bench.pull()

    assert (run.added, run.quarantined) == (4, 1)
    assert sorted(bench.bodies()) == ["o0", "o1", "o3", "o4"]
    with bench.store.read() as tx:
        assert [(one.group_id, one.reason) for one in tx.quarantined()] == [("o2", "the text is poison")]


def test_what_was_published_stays_while_its_object_is_in_quarantine(bench: Bench):
    bench.write("o1", "good")
    bench.pull()
    bench.write("o1", POISON)
    bench.pull()

    assert bench.bodies() == {"o1": "good"}

    bench.write("o1", "better")
    bench.pull()

    assert bench.bodies() == {"o1": "better"}
    with bench.store.read() as tx:
        assert list(tx.quarantined()) == []


def test_a_defect_of_the_mapping_costs_one_item_and_tells_no_content(bench: Bench, caplog: pytest.LogCaptureFixture):
    class Defective(TextCodec):
        def to_body(self, group: Sequence[Original]) -> str | None:
            if any(one.payload.get("text") == "secret" for one in group):
                raise ValueError("cannot read secret")
            return super().to_body(group)

    bench.codec = Defective()
    bench.write("o1", "secret")
    bench.write("o2", "text")

    run = bench.pull()

    assert (run.added, run.quarantined) == (1, 1)
    with bench.store.read() as tx:
        (entry,) = tx.quarantined()
    assert entry.reason.startswith("defect in the mapping (ValueError in to_body")
    assert "secret" not in entry.reason + caplog.text


def test_a_pull_that_finds_nothing_new_leaves_no_run_and_no_revision(bench: Bench):
    bench.write("o1", "text")
    bench.pull()
    with bench.store.read() as tx:
        before = (tx.changes(bench.collection_id, 0), len(tx.runs()))

    bench.pull()
    bench.pull(full=True)

    with bench.store.read() as tx:
        assert tx.changes(bench.collection_id, 0) == before[0]
        assert [run.full for run in tx.runs()] == [True, True]  # only the listings that were asked for


def test_a_new_version_of_the_codec_maps_everything_again_without_fetching(bench: Bench):
    class Louder(TextCodec):
        version = 2

        def to_body(self, group: Sequence[Original]) -> str | None:
            body = super().to_body(group)
            return body and body.upper()

    bench.write("o1", "text")
    bench.write("o2", "LOUD ALREADY")
    bench.pull()
    with bench.store.read() as tx:
        before = {item.group_id: item for item in tx.items(bench.collection_id)}
    bench.codec = Louder()
    bench.faults = Faults(fail_before_page=0)

    run = bench.pull()

    with bench.store.read() as tx:
        after = {item.group_id: item for item in tx.items(bench.collection_id)}
    assert run.error == Transient.code
    assert bench.bodies() == {"o1": "TEXT", "o2": "LOUD ALREADY"}
    assert after["o1"].etag != before["o1"].etag
    assert after["o2"] == before["o2"]  # its etag and revision too


def test_what_is_shared_reaches_every_item_when_it_changes(bench: Bench):
    bench.cloud.label = "one"
    bench.write("o1", "a")
    bench.write("o2", "b")
    bench.pull()
    assert bench.bodies() == {"o1": "one\r\na", "o2": "one\r\nb"}

    bench.cloud.label = "two"
    run = bench.pull()

    assert bench.bodies() == {"o1": "two\r\na", "o2": "two\r\nb"}
    assert run.changed == 2


def test_an_href_is_opaque_and_the_same_for_ever():
    assert item_href(Kind.CONTACTS, "../../etc/passwd") == "g5knnsz2hdqrqxs3hawv6pxt.vcf"
    assert item_href(Kind.EVENTS, "x" * 10_000).endswith(".ics")


def test_what_is_pulled_is_indexed_for_queries_at_once(bench: Bench):
    bench.write("o1", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:Zoë\r\nEND:VCARD\r\n")
    bench.pull()

    zoe = TextTest(property="FN", how=TextHow.EQUALS, value=folded("ZOË"))
    with bench.store.read() as tx:
        found = tx.select(bench.collection_id, Selection(any_of=((zoe,),)))
        assert list(tx.to_index(VERSION, horizon=0, limit=9)) == []
    assert [one.sure for one in found] == [True]
