"""Seeded random histories of the pull engine. A sync bug is first a seed of this machine.

Every history mixes what people do at the provider with lost answers, crashes around every commit, lagging replicas,
duplicates, any order, expired cursors, full listings, photos that fail and return, a second worker that takes over and
clocks that are set back; a DAV client follows by sync-token all along. Run one seed
with ``pytest tests/machine --seed N``; ``make soak`` runs many.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from ccdaemon.model import Json, Kind, ProviderName, Purpose
from ccdaemon.store.base import Store, Transaction
from ccdaemon.store.engine import open_store
from ccdaemon.sync.worker import Worker
from tests.machine.cloud import POISON, Cloud, CloudRemote, Crash, Faults, TextCodec, body_of, group_of

STEPS = 25
LEASE_RUNS_OUT = timedelta(minutes=10)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("machine") / "ccdaemon.db"
    store = open_store(f"sqlite:///{path}", create=True)
    yield store
    store.close()


class CrashingStore:
    """The real store, but the process dies around one of its commits."""

    def __init__(self, store: Store, before: int | None, after: int | None) -> None:
        self._store, self._before, self._after = store, before, after
        self._commits = 0
        self.read = store.read

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self._commits += 1
        with self._store.write() as tx:
            yield tx
            if self._commits == self._before:
                raise Crash
        if self._commits == self._after:
            raise Crash

    def close(self) -> None:
        self._store.close()


class History:
    """One seed: a cloud, a collection that mirrors it, and a DAV client that mirrors the collection."""

    def __init__(self, seed: int, store: Store) -> None:
        self.chance = random.Random(seed)
        self.store = store
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.cloud = Cloud(self.chance, tombstones_carry_versions=self.chance.random() < 0.5)
        self.codec = TextCodec()
        with store.write() as tx:
            person = tx.add_person(f"p{seed}", self.now)
            self.account = tx.add_account(
                person_id=person.id,
                provider=ProviderName.GOOGLE,
                subject=f"s{seed}",
                ref=f"r{seed}",
                label=f"l{seed}",
                address="",
                purposes=[Purpose.CONTACTS],
                writable=False,
                now=self.now,
            )
        self.worker(store, Faults()).list_collections(self.account)
        with store.read() as tx:
            self.collection_id = tx.collections(account_id=self.account.id)[0].id
        self.seen_revision = 0
        self.mirror: dict[str, str] = {}

    def worker(self, store: Store, faults: Faults, owner: str = "machine") -> Worker:
        return Worker(
            store=store,
            remote=lambda _account, _kind: CloudRemote(self.cloud, faults),
            kinds=lambda _account: (Kind.CONTACTS,),
            codec=lambda _provider, _kind: self.codec,
            interval=timedelta(minutes=15),
            now=lambda: self.now,
            owner=owner,
            chance=self.chance.random,
        )

    # --- what can happen

    def edit(self) -> None:
        remote_id = f"o{self.chance.randrange(6)}" + self.chance.choice(["", "", "_x", "_y"])
        text = POISON if self.chance.random() < 0.05 else f"text {self.chance.randrange(1000)}"
        photo = self.chance.choice([None, "none", f"photo {self.chance.randrange(1000)}"])
        before = self.cloud.living(self.cloud.head).get(remote_id)
        if before is not None and self.chance.random() < 0.5:
            photo = before[1]["photo"]
        self.cloud.write(remote_id, {"id": remote_id, "text": text, "photo": photo})

    def rename(self) -> None:
        """Back and forth between few names: what a crash left half done may be undone by the next renaming."""
        self.cloud.label = self.chance.choice(["", "label"])

    def delete(self) -> None:
        living = sorted(self.cloud.living(self.cloud.head))
        if living:
            self.cloud.write(self.chance.choice(living), None)

    def undelete(self) -> None:
        dead = sorted(key for key, (_at, payload) in self.cloud.state(self.cloud.head).items() if payload is None)
        if dead:
            key = self.chance.choice(dead)
            self.cloud.write(key, {"id": key, "text": "back", "photo": "photo back"})

    def expire(self) -> None:
        self.cloud.oldest_cursor = self.cloud.head + 1

    def map_anew(self) -> None:
        self.codec.version += 1

    def pull(self) -> None:
        few = partial(self.chance.randrange, 4)
        faults = Faults(
            lag=self.chance.choice([0, 0, 1, 3]),
            disorder=self.chance.random() < 0.5,
            missing_photos=self.chance.choice([0.0, 0.0, 0.5, 1.0]),
        )
        before = after = None
        match self.chance.randrange(7):
            case 0:
                faults.fail_before_page = few()
            case 1:
                faults.crash_before_page = few()
            case 2:
                before = 1 + few()
            case 3:
                after = 1 + few()
            case 4:
                faults.stall_before_page = few()
                faults.meanwhile = self.overtake
        try:
            self.worker(CrashingStore(self.store, before, after), faults).pull(
                self.collection_id, full=self.chance.random() < 0.1
            )
        except Crash:
            self.now += LEASE_RUNS_OUT

    def overtake(self) -> None:
        """The one who pulls sleeps past the end of its lease, the cloud moves on, and another one pulls."""
        self.now += LEASE_RUNS_OUT
        self.chance.choice([self.edit, self.delete, self.rename])()
        faults = Faults(disorder=self.chance.random() < 0.5, missing_photos=self.chance.choice([0.0, 0.5]))
        self.worker(self.store, faults, owner="another").pull(self.collection_id)

    def set_the_clock_back(self) -> None:
        self.now -= timedelta(hours=self.chance.choice([1, 24 * 400]))

    def step(self) -> None:
        weighted = (
            [self.edit] * 6 + [self.delete] * 3 + [self.undelete] + [self.expire] + [self.rename] * 3 + [self.pull] * 6
        )
        self.chance.choice([*weighted, self.map_anew])()
        self.now += timedelta(seconds=self.chance.randrange(1, 600))
        self.follow()

    # --- what must hold

    def follow(self) -> None:
        """A DAV client reads the changes since its token; its mirror must be the collection, always."""
        with self.store.read() as tx:
            revision, changes = tx.changes(self.collection_id, self.seen_revision)
            published = {item.href: item.etag for item in tx.items(self.collection_id)}
        for change in changes:
            if change.etag is None:
                self.mirror.pop(change.href, None)
            else:
                self.mirror[change.href] = change.etag
        self.seen_revision = revision

        assert published == self.mirror

    def settle_down(self) -> None:
        """Faults stopped: after two more pulls everything is as the cloud has it, and a third changes nothing."""
        self.now += LEASE_RUNS_OUT
        for _ in range(2):
            self.worker(self.store, Faults()).pull(self.collection_id)
            self.follow()
        with self.store.read() as tx:
            published = {item.group_id: item.body for item in tx.items(self.collection_id)}
            quarantined = {entry.group_id for entry in tx.quarantined(self.collection_id)}
            revision = tx.changes(self.collection_id, 0)[0]
        groups: dict[str, dict[str, Json]] = {}
        for key, (_at, payload) in self.cloud.living(self.cloud.head).items():
            groups.setdefault(group_of(key), {})[key] = payload
        poisoned = {
            group for group, objects in groups.items() if any(one["text"] == POISON for one in objects.values())
        }
        expected = {
            group: body_of(self.cloud.label, objects) for group, objects in groups.items() if group not in poisoned
        }

        assert {group: body for group, body in published.items() if group not in poisoned} == expected
        assert quarantined == poisoned

        self.worker(self.store, Faults()).pull(self.collection_id)
        with self.store.read() as tx:
            assert tx.changes(self.collection_id, 0)[0] == revision


def test_every_history_converges_and_no_client_is_ever_misled(store: Store, seeds: range):
    for seed in seeds:
        history = History(seed, store)
        try:
            for _ in range(STEPS):
                history.step()
            history.settle_down()
        except BaseException as error:
            error.add_note(f"seed {seed}: repeat with `pytest tests/machine --seed {seed}`")
            raise
