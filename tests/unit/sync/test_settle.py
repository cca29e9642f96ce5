"""Settling groups on the real store: quarantine alone, what was published stays, nothing needless is written."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccdaemon.errors import Transient
from ccdaemon.model import Json, Kind, Original, Part, ProviderName, Purpose
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.sync.settle import item_href
from ccdaemon.sync.worker import Worker
from tests.machine.cloud import POISON, Cloud, CloudRemote, Faults, TextCodec

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Bench:
    """One collection over a cloud in memory."""

    def __init__(self, store: Store, cloud: Cloud) -> None:
        self.store, self.cloud, self.codec = store, cloud, TextCodec()
        self.faults = Faults()
        with store.write() as tx:
            person = tx.add_person("ada", NOW)
            self.account = tx.add_account(
                person_id=person.id, provider=ProviderName.GOOGLE, subject="s", ref="r", label="l", address="",
                purposes=[Purpose.CONTACTS], writable=False, now=NOW,
            )  # fmt: skip
        self.worker = Worker(
            store=store,
            remote=lambda _account, _kind: CloudRemote(cloud, self.faults),
            kinds=lambda _account: (Kind.CONTACTS,),
            codec=lambda _provider, _kind: self.codec,
            interval=timedelta(minutes=15),
            now=lambda: NOW,
            owner="bench",
        )
        self.worker.list_collections(self.account)
        with store.read() as tx:
            self.collection_id = tx.collections()[0].id

    def pull(self, **options: bool):
        return self.worker.pull(self.collection_id, **options)

    def bodies(self) -> dict[str, str]:
        with self.store.read() as tx:
            return {item.group_id: item.body for item in tx.items(self.collection_id)}

    def write(self, remote_id: str, text: str) -> None:
        self.cloud.write(remote_id, {"id": remote_id, "text": text})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:

    store = open_store(f"sqlite:///{tmp_path}/ccdaemon.db", create=True)
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
            if group[0].payload["text"] == "secret":
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
    bench.pull()
    bench.codec = Louder()
    bench.faults = Faults(fail_before_page=0)

    run = bench.pull()

    assert run.error == Transient.code
    assert bench.bodies() == {"o1": "TEXT"}


class SharedCodec(TextCodec):
    """A body begins with what its collection shares."""

    def to_body(self, group: Sequence[Original]) -> str | None:
        title = "".join(one.payload["title"] for one in group if one.part is Part.SHARED)
        rest = super().to_body([one for one in group if one.part is not Part.SHARED])
        return rest and title + rest


class SharedRemote(CloudRemote):
    """Sends a SHARED original with every first page."""

    title = "one: "

    def pull(self, collection, cursor):
        payload: Json = {"title": self.title}
        shared = Original(remote_id="#t", group_id="", part=Part.SHARED, etag="", version=0, payload=payload)
        for number, page in enumerate(super().pull(collection, cursor)):
            yield type(page)(originals=[*([shared] if number == 0 else []), *page.originals], cursor=page.cursor)


def test_what_is_shared_reaches_every_item_when_it_changes(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.codec = SharedCodec()
    remote = SharedRemote(bench.cloud, bench.faults)
    worker = Worker(
        store=bench.store, remote=lambda _a, _k: remote, kinds=bench.worker.kinds, codec=bench.worker.codec,
        interval=bench.worker.interval, now=bench.worker.now, owner="bench",
    )  # fmt: skip
    bench.write("o1", "a")
    bench.write("o2", "b")
    worker.pull(bench.collection_id)
    assert bench.bodies() == {"o1": "one: a", "o2": "one: b"}

    remote.title = "two: "
    run = worker.pull(bench.collection_id)

    assert bench.bodies() == {"o1": "two: a", "o2": "two: b"}
    assert run.changed == 2


def test_an_href_is_opaque_and_the_same_for_ever():
    assert item_href(Kind.CONTACTS, "../../etc/passwd") == "g5knnsz2hdqrqxs3hawv6pxt.vcf"
    assert item_href(Kind.EVENTS, "x" * 10_000).endswith(".ics")
