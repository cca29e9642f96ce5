"""Undoing and putting back, on the real store over a cloud in memory: it holds until the provider moves."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, LeaseLost, UnknownName
from ccdaemon.model import Kind, ProviderName, Run
from ccdaemon.store.engine import open_store
from ccdaemon.sync.lease import LEASE, of_collection
from ccdaemon.sync.reindex import known_of
from ccdaemon.sync.retention import RETENTION
from ccdaemon.sync.undo import Undoer
from ccdaemon.sync.way_back import Deed, Left
from tests.machine.cloud import LABEL, Cloud, TextCodec
from tests.unit.sync.bench import NOW, Bench


class Louder(TextCodec):
    """A newer mapping of the same originals: every fingerprint is another."""

    version = 2

    def to_body(self, group):
        body = super().to_body(group)
        return None if body is None else f"{body}!"


@pytest.fixture
def bench(sqlite_url: str) -> Iterator[Bench]:
    store = open_store(sqlite_url)
    yield Bench(store, Cloud(random.Random(1)))
    store.close()


def undoer(bench: Bench) -> Undoer:
    return Undoer(
        store=bench.store, codec=lambda _provider, _kind: bench.codec, owner="a person", now=lambda: bench.clock
    )


def pulled(bench: Bench) -> int:
    """The id of the Run of a pull that found something."""
    run = bench.pull()
    assert run is not None
    assert run.id is not None
    return run.id


def revision(bench: Bench) -> int:
    with bench.store.read() as tx:
        collection = tx.collection(bench.collection_id)
    assert collection is not None
    return collection.revision


def trashed(bench: Bench) -> dict[str, int]:
    with bench.store.read() as tx:
        return {item.group_id: item.item_id for item in tx.trash()}


def fill(bench: Bench, count: int = 5) -> int:
    for number in range(count):
        bench.write(f"o{number}", f"text {number}")
    return pulled(bench)


def disturb(bench: Bench) -> tuple[dict[str, str], int]:
    """One of each: added, changed, removed. What was before, and the Run."""
    before = bench.bodies()
    bench.write("o0", "changed")
    bench.cloud.write("o1", None)
    bench.write("new", "added")
    return before, pulled(bench)


def test_an_undone_run_leaves_what_was_before_it_and_undoing_that_leaves_what_was_after(bench: Bench):
    fill(bench)
    before, run_id = disturb(bench)
    after = bench.bodies()

    first = undoer(bench).undo(run_id)
    between = bench.bodies()
    second = undoer(bench).undo(first.run.id)

    assert between == before
    assert bench.bodies() == after
    assert (first.run.added, first.run.changed, first.run.removed, first.run.undoes) == (1, 1, 1, run_id)
    assert (second.run.added, second.run.changed, second.run.removed, second.run.undoes) == (1, 1, 1, first.run.id)
    with bench.store.read() as tx:
        assert list(tx.runs())[:2] == [second.run, first.run]


def test_what_was_undone_stays_so_through_every_pull_full_listing_and_new_codec(bench: Bench):
    """I2: as long as the provider's side does not move, a person's word counts."""
    fill(bench)
    before, run_id = disturb(bench)
    undoer(bench).undo(run_id)

    at = revision(bench)
    for full in (False, True):
        assert bench.pull(full=full).revision_to == at
    bench.codec = Louder()
    louder = bench.pull()

    told = {group: f"{body}!" for group, body in before.items()} | {"o0": before["o0"], "o1": before["o1"]}
    assert bench.bodies() == told  # what stands apart keeps the body that was put back
    assert (louder.added, louder.changed, louder.removed) == (0, 3, 0)
    bench.cloud.label = "another"  # every group looks otherwise, no object moved
    bench.cloud.write(LABEL, {})
    bench.pull(full=True)
    assert {group: body for group, body in bench.bodies().items() if group in {"o0", "o1", "new"}} == {
        "o0": before["o0"], "o1": before["o1"],
    }  # fmt: skip


def test_what_was_undone_follows_the_provider_again_once_that_moves(bench: Bench):
    fill(bench)
    _, run_id = disturb(bench)
    undoer(bench).undo(run_id)

    bench.write("o0", "changed again")
    bench.write("o1", "back at the provider")
    bench.write("new", "still there")
    run = bench.pull()

    assert [bench.bodies()[key] for key in ("o0", "o1", "new")] == [
        "changed again",
        "back at the provider",
        "still there",
    ]
    assert (run.added, run.changed, run.removed) == (1, 2, 0)


def test_what_was_taken_away_and_then_ends_at_the_provider_is_forgotten_and_comes_back_with_it(bench: Bench):
    fill(bench)
    _, run_id = disturb(bench)
    undoer(bench).undo(run_id)

    bench.cloud.write("new", None)
    bench.pull()
    gone = bench.bodies()
    bench.write("new", "added")
    bench.pull()

    assert "new" not in gone
    assert "new" in bench.bodies()


def test_what_a_later_run_touched_again_is_left_alone_and_counted(bench: Bench):
    fill(bench)
    before, run_id = disturb(bench)
    bench.write("o0", "changed again")
    bench.cloud.write("new", None)
    later = bench.bodies()["o2"]
    bench.pull()

    done = undoer(bench).undo(run_id)

    assert done.left == {Left.CHANGED_SINCE: 2}
    assert [(step.deed, step.name) for step in done.steps] == [(Deed.PUT_BACK, done.steps[0].name)]
    assert bench.bodies()["o1"] == before["o1"]
    assert bench.bodies()["o2"] == later
    assert "new" not in bench.bodies()


def test_a_dry_run_says_the_same_and_writes_nothing(bench: Bench):
    fill(bench)
    _, run_id = disturb(bench)
    rows = bench.rows()

    told = undoer(bench).undo(run_id, dry_run=True)

    assert bench.rows() == rows
    assert told.run is None
    assert told.steps == undoer(bench).undo(run_id).steps


@pytest.mark.parametrize("why", ["unknown", "old", "quiet", "listing", "twice", "busy"])
def test_what_cannot_be_undone_is_refused_with_the_reason(why: str, bench: Bench):
    run_id = fill(bench)
    kind, words = BadData, ""
    if why == "unknown":
        run_id, kind, words = 99, UnknownName, "no run 99"
    elif why == "old":
        bench.clock += RETENTION + timedelta(seconds=1)
        words = "older than 30 days"
    elif why == "quiet":
        run_id, words = bench.pull(full=True).id, "changed nothing"
    elif why == "listing":
        with bench.store.write() as tx:
            run_id = tx.add_run(replace(tx.run(run_id), collection_id=None))
        words = "listed the collections"
    elif why == "twice":
        undoer(bench).undo(run_id)
        words = "took it back"
    else:
        with bench.store.write() as tx:
            tx.take_lease(of_collection(bench.collection_id), "other", now=bench.clock, until=bench.clock + LEASE)
        kind, words = LeaseLost, "try again"
    rows = bench.rows()

    with pytest.raises(kind, match=words) as refused:
        undoer(bench).undo(run_id)

    assert refused.value.exit_code == (75 if why == "busy" else 65)
    assert bench.rows() == rows


def test_undoing_the_first_pull_takes_everything_away_and_it_stays_away(bench: Bench):
    run_id = fill(bench)

    undoer(bench).undo(run_id)
    bench.pull(full=True)

    assert bench.bodies() == {}
    assert sorted(trashed(bench)) == [f"o{number}" for number in range(5)]


def test_r16_a_removed_item_is_restored_with_its_body_and_a_revision_of_its_own(bench: Bench):
    fill(bench)
    before, _ = disturb(bench)
    at = revision(bench)

    done = undoer(bench).restore(bench.collection_id, [trashed(bench)["o1"]])
    bench.pull(full=True)

    assert bench.bodies()["o1"] == before["o1"]
    assert trashed(bench) == {}
    assert (done.run.added, done.run.undoes) == (1, None)
    assert revision(bench) == at + 1
    with bench.store.read() as tx:
        [change] = tx.changes(bench.collection_id, at)[1]
        assert change.etag == tx.item_of_group(bench.collection_id, "o1").etag


def test_what_is_no_longer_in_the_trash_is_counted_and_leaves_no_run(bench: Bench):
    fill(bench)
    with bench.store.read() as tx:
        living = tx.item_of_group(bench.collection_id, "o0").id

    done = undoer(bench).restore(bench.collection_id, [living, 99])

    assert (done.run, done.steps, done.left) == (None, [], {Left.GONE: 2})


def test_an_item_whose_uid_another_has_by_now_is_not_put_back(bench: Bench):
    """Two objects with one UID in a collection would confuse every client."""

    class SameUid(TextCodec):
        def index(self, body):
            return replace(super().index(body), uid="the same")

    bench.codec = SameUid()
    bench.write("o0", "text")
    bench.pull()
    bench.cloud.write("o0", None)
    bench.write("o1", "moved")
    run_id = pulled(bench)

    restored = undoer(bench).restore(bench.collection_id, [trashed(bench)["o0"]])
    undone = undoer(bench).undo(run_id)

    assert (restored.run, restored.left) == (None, {Left.IN_THE_WAY: 1})
    assert list(bench.bodies()) == ["o0"]  # what was added went first
    assert undone.left == {}


def test_a_pull_that_was_killed_is_told_by_the_next_run_and_undone_with_it(bench: Bench):
    """R-01: what a killed pull committed is in somebody's history."""
    fill(bench)
    before = bench.bodies()
    with bench.store.write() as tx:  # as if a pull had ended between its last page and its Run
        tx.remove(bench.collection_id, tx.item_of_group(bench.collection_id, "o3").href, now=NOW)
    bench.cloud.write("o3", None)
    bench.write("o4", "changed")

    run = bench.pull()

    assert (run.changed, run.removed) == (1, 1)
    undoer(bench).undo(run.id)
    assert bench.bodies() == before


def test_an_undo_that_was_killed_is_finished_by_asking_again(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ccdaemon.sync.undo.BATCH", 2)
    fill(bench)
    before, run_id = disturb(bench)

    class Killed(BaseException):
        pass

    moments = iter(range(8))

    def now():
        if next(moments, None) is None:
            raise Killed
        return bench.clock

    with pytest.raises(Killed):
        replace(undoer(bench), now=now).undo(run_id)
    assert bench.bodies() != before

    undoer(bench).undo(run_id)

    assert bench.bodies() == before


def test_what_a_new_codec_wrote_anew_is_never_taken_for_added(bench: Bench):
    """An undo must not take away what only looks otherwise."""
    fill(bench)
    bench.codec = Louder()
    bench.write("o0", "changed")
    run = bench.pull()
    louder = bench.bodies()

    done = undoer(bench).undo(run.id)

    assert done.left == {Left.NOT_KNOWN: 4}
    assert [step.deed for step in done.steps] == [Deed.CHANGE_BACK]
    assert {key: body for key, body in bench.bodies().items() if key != "o0"} == {
        key: body for key, body in louder.items() if key != "o0"
    }


def test_a_failed_run_tells_what_it_had_committed_and_is_undone_like_any_other(bench: Bench):
    bench.faults.fail_before_page = 2
    for number in range(6):
        bench.write(f"o{number}", "text")
    run = bench.pull()
    bench.faults.fail_before_page = None

    assert (run.error, run.added) == ("unavailable", 4)
    undoer(bench).undo(run.id)
    assert bench.bodies() == {}


def test_what_clients_wrote_into_a_collection_of_ours_is_no_part_of_the_run_after_it(bench: Bench):
    """Nobody pulls it, and DAV clients leave no Run: taking back a restore must take away nothing of theirs."""
    with bench.store.write() as tx:
        owner = tx.persons()[0].id
        tx.add_account(
            person_id=owner, provider=ProviderName.LOCAL, subject="here", ref="here", label="here", address="",
            purposes=[], writable=True, now=NOW,
        )  # fmt: skip
        home = tx.add_local_collection(owner, Kind.CONTACTS, href="home", name="Home", description="", now=NOW).id

    def write(*names: str) -> None:
        with bench.store.write() as tx:
            for name in names:
                index = bench.codec.index(name)
                tx.edit(home, href=name, body=name, index=index, search=known_of(name, "", now=NOW), now=NOW)

    def lose(name: str) -> None:
        with bench.store.write() as tx:
            tx.remove(home, name, now=NOW)

    def restored() -> Run:
        with bench.store.read() as tx:
            [gone] = list(tx.trash(collection_id=home))
        return undoer(bench).restore(home, [gone.item_id]).run

    write("a", "b")
    lose("a")
    restored()
    write("by a client", "another")
    lose("b")
    run = restored()
    undoer(bench).undo(run.id)

    assert (run.added, run.changed, run.removed) == (1, 0, 0)
    with bench.store.read() as tx:
        assert [item.href for item in tx.items(home)] == ["a", "another", "by a client"]


STEP = st.tuples(st.integers(0, 5), st.one_of(st.none(), st.sampled_from(["a", "b", "c"])))
State = dict[str, str]


def expected(states: list[State], number: int) -> State:
    """Every item that Run ``number`` touched and none after it is as it was before; all others stay."""

    def differing(one: int) -> set[str]:
        before, after = states[one], states[one + 1]
        return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}

    later: set[str] = set().union(*(differing(one) for one in range(number + 1, len(states) - 1)))
    mine = differing(number) - later
    kept = {key: body for key, body in states[-1].items() if key not in mine}
    return kept | {key: body for key, body in states[number].items() if key in mine}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pulls=st.lists(st.lists(STEP, max_size=4), min_size=1, max_size=5), choice=st.integers(0, 9))
def test_whatever_happened_a_run_is_taken_back_where_nothing_touched_its_items_since(
    bench: Bench, pulls: list[list[tuple[int, str | None]]], choice: int
):
    """And taking that back in turn leads to where it began."""
    states = [bench.bodies()]
    runs: list[Run] = []
    for writes in pulls:
        for number, text in writes:
            payload = {"id": f"o{number}", "text": f"{number}{text}"}  # the codec makes UIDs of texts
            bench.cloud.write(f"o{number}", None if text is None else payload)
        run = bench.pull()
        if run.revision_from != run.revision_to:
            runs.append(run)
            states.append(bench.bodies())
    if not runs:
        return
    number = choice % len(runs)
    wanted = expected(states, number)

    try:
        first = undoer(bench).undo(runs[number].id)
    except BadData:
        assert wanted == states[-1]
        return
    assert bench.bodies() == wanted
    undoer(bench).undo(first.run.id)
    assert bench.bodies() == states[-1]
