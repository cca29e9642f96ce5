"""Random histories of one collection against a model in plain Python; Hypothesis prints how to repeat a failure."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ccdaemon.model import Base, Change, Item, Original, Part
from ccdaemon.store.check import findings
from ccdaemon.store.engine import SqlStore, open_store
from ccdaemon.store.items import etag_of
from tests.contract.store.scene import NOW, base, draft, enrolled

IDS = st.sampled_from(["a", "b", "c"])
GROUPS = st.sampled_from(["a", "b", "g"])
BODIES = st.sampled_from(["1\r\n", "2\r\n"])
BASES = st.sampled_from([None, base("1"), base("2")])


@st.composite
def observations(draw: st.DrawFn) -> Original:
    """Living or dead, with or without a version, of few objects in few groups: so that histories meet."""
    part = draw(st.sampled_from([Part.OBJECT, Part.OBJECT, Part.PHOTO, Part.SHARED]))
    deleted = draw(st.booleans())
    return Original(
        remote_id=draw(IDS),
        group_id="" if part is Part.SHARED else draw(GROUPS),
        part=part,
        etag="" if deleted else draw(st.sampled_from(["x", "y"])),
        version=draw(st.integers(0, 4)),
        payload={} if deleted else {"n": draw(st.integers(0, 1))},
        deleted=deleted,
    )


class Model:
    """What the docstrings of ``store.base`` promise, in the plainest words."""

    def __init__(self) -> None:
        self.originals: dict[str, Original] = {}
        self.seen_in: dict[str, int] = {}
        self.items: dict[str, tuple[str, str, Base | None]] = {}  # href -> group, body, base
        self.log: list[tuple[str, str | None]] = []  # href and etag of every revision

    # --- originals

    def group(self, group_id: str) -> list[Original]:
        living = [o for o in self.originals.values() if not o.deleted and o.group_id == group_id]
        return sorted(living, key=lambda o: o.remote_id)

    def observe(self, page: list[Original], generation: int) -> list[str]:
        groups = {o.group_id for o in (*page, *self.originals.values())}
        before = {group_id: self.group(group_id) for group_id in groups}
        for seen in page:
            self._observe_one(seen)
            if seen.remote_id in self.originals:
                self.seen_in[seen.remote_id] = max(generation, self.seen_in.get(seen.remote_id, 0))
        return sorted(group_id for group_id in groups if self.group(group_id) != before[group_id])

    def _observe_one(self, seen: Original) -> None:
        stored = self.originals.get(seen.remote_id)
        if stored is None:
            if not seen.deleted:
                self.originals[seen.remote_id] = seen
            return
        known = seen.version > 0
        if known and seen.version < stored.version:
            return
        version = seen.version if known else stored.version
        if seen.deleted:
            seen = replace(seen, group_id=stored.group_id, part=stored.part)
        self.originals[seen.remote_id] = replace(seen, version=version)

    def unseen(self, generation: int) -> list[str]:
        return sorted(
            o.remote_id
            for o in self.originals.values()
            if not o.deleted and o.part is Part.OBJECT and self.seen_in[o.remote_id] < generation
        )

    # --- items

    def put(self, group_id: str, href: str, body: str, agreed: Base | None) -> bool:
        """False: refused."""
        if href in self.items and self.items[href][0] != group_id:
            return False
        if href not in self.items or self.items[href][1] != body:
            for other in [at for at, (group, _, _) in self.items.items() if group == group_id and at != href]:
                self.remove(other)
            self.log.append((href, etag_of(body.encode())))
        self.items[href] = (group_id, body, agreed)
        return True

    def remove(self, href: str) -> None:
        if self.items.pop(href, None) is not None:
            self.log.append((href, None))

    def changes(self, since: int) -> list[Change]:
        last = {href: (revision, etag) for revision, (href, etag) in enumerate(self.log, 1)}
        found = [Change(href=href, etag=etag, revision=revision) for href, (revision, etag) in last.items()]
        wanted = [c for c in found if c.revision > since and (since or c.etag is not None)]
        return sorted(wanted, key=lambda c: c.revision)


def machine(store: SqlStore) -> type[RuleBasedStateMachine]:
    class History(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.model = Model()
            self.generation = 0
            self.block = store.write()
            self.tx = self.block.__enter__()
            self.book = enrolled(self.tx, "ada").book.id

        def teardown(self) -> None:
            if hasattr(self, "block"):  # never committed: the next history begins on the same empty database
                self.block.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

        @rule(page=st.lists(observations(), max_size=5), listing=st.booleans())
        def observe(self, page: list[Original], listing: bool) -> None:
            generation = self.generation if listing else 0
            touched = self.tx.observe(self.book, page, generation=generation)

            assert touched == self.model.observe(page, generation)

        @rule()
        def begin_listing(self) -> None:
            self.generation = self.tx.begin_listing(self.book)

        @rule(group_id=GROUPS, href=IDS, body=BODIES, agreed=BASES)
        def put(self, group_id: str, href: str, body: str, agreed: Base | None) -> None:
            wanted = draft(group_id, href=href, body=body, agreed=agreed)
            if self.model.put(group_id, href, body, agreed):
                self.tx.put_many(self.book, [wanted], now=NOW)
            else:
                with pytest.raises(Exception, match="belongs to another group"):
                    self.tx.put_many(self.book, [wanted], now=NOW)

        @rule(href=IDS)
        def remove(self, href: str) -> None:
            self.model.remove(href)
            self.tx.remove(self.book, href, now=NOW)

        @invariant()
        def originals_are_those_of_the_model(self) -> None:
            for group_id in ("a", "b", "g"):
                assert self.tx.group(self.book, group_id) == self.model.group(group_id)
            assert self.tx.shared(self.book) == self.model.group("")
            assert self.tx.unseen(self.book, self.generation) == self.model.unseen(self.generation)

        @invariant()
        def items_are_those_of_the_model(self) -> None:
            found: list[Item] = list(self.tx.items(self.book))
            assert {i.href: (i.group_id, i.body, i.base) for i in found} == self.model.items
            assert all(item.etag == etag_of(item.body.encode()) for item in found)

        @invariant()
        def changes_are_those_of_the_model_since_every_revision(self) -> None:
            revision = len(self.model.log)
            for since in range(revision + 1):
                assert self.tx.changes(self.book, since) == (revision, self.model.changes(since))

    return History


def test_random_histories_end_as_the_model_says(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}")

    run_state_machine_as_test(
        machine(store),
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert findings(store, True) == []
    store.close()
