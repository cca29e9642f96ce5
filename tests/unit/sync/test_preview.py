"""A preview and the pull after it say the same, whatever happened before; in between no byte of the database moved."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from ccdaemon.model import Account, Kind, ProviderName, Purpose, Run
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.store.rehearsal import Effect, Fate, rehearsal
from ccdaemon.sync.worker import Worker
from tests.machine.cloud import POISON, Cloud, CloudRemote, Faults, TextCodec

ROUNDS = 5
WIPES = (slice(None), slice(2, None), slice(None, None, 2))  # what goes at once of all that is there
AT_FIRST = 80  # objects: more than may go at once
COUNTED = ("outcome", "error", "full", "added", "changed", "removed", "held", "quarantined")


class History:
    """A cloud that moves on, and a collection that is pulled from it."""

    def __init__(self, seed: int, path: Path) -> None:
        self.chance = random.Random(seed)
        self.cloud = Cloud(random.Random(seed), tombstones_carry_versions=self.chance.random() < 0.5)
        self.codec = TextCodec()
        self.path = path
        self.store = open_store(f"sqlite:///{path}")
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.faults = Faults()
        with self.store.write() as tx:
            person = tx.add_person("ada", self.now)
            self.account: Account = tx.add_account(
                person_id=person.id,
                provider=ProviderName.GOOGLE,
                subject="subject",
                ref="ref",
                label="label",
                address="",
                purposes=[Purpose.CONTACTS],
                writable=False,
                now=self.now,
            )

    def worker(self, store: Store) -> Worker:
        return Worker(
            store=store,
            remote=lambda _account, _kind: CloudRemote(self.cloud, self.faults),
            kinds=lambda _account: (Kind.CONTACTS,),
            codec=lambda _provider, _kind: self.codec,
            interval=timedelta(minutes=15),
            now=lambda: self.now,
            owner="machine",
            chance=lambda: 0.5,
        )

    def move_on(self) -> None:
        """Some days at the cloud: mostly edits, now and then a wipe."""
        for _ in range(self.chance.randrange(1, 8) if self.cloud.head else AT_FIRST):
            remote_id = f"o{self.chance.randrange(AT_FIRST)}{self.chance.choice(['', '', '_x'])}"
            text = POISON if self.chance.random() < 0.05 else f"text {self.chance.randrange(1000)}"
            photo = self.chance.choice([None, "none", f"photo {self.chance.randrange(9)}"])
            is_gone = self.cloud.head > AT_FIRST and self.chance.random() < 0.3
            self.cloud.write(remote_id, None if is_gone else {"id": remote_id, "text": text, "photo": photo})
        if self.cloud.head > AT_FIRST and self.chance.random() < 0.5:
            for remote_id in sorted(self.cloud.living(self.cloud.head))[self.chance.choice(WIPES)]:
                self.cloud.write(remote_id, None)
        if self.chance.random() < 0.2:
            self.cloud.label = self.chance.choice(["", "label", "other"])
        if self.chance.random() < 0.1:
            self.codec.version += 1
        if self.chance.random() < 0.2:
            self.cloud.oldest_cursor = self.cloud.head + 1
        self.now += timedelta(minutes=self.chance.choice([1, 11, 600]))
        self.faults = Faults(
            lag=self.chance.choice([0, 0, 2]),
            disorder=self.chance.random() < 0.5,
            missing_photos=self.chance.choice([0.0, 0.5]),
            fail_before_page=self.chance.choice([None] * 5 + [2]),
        )

    def pull(self, store: Store, *, full: bool, luck: int) -> Run:
        """What ``sync`` does with the account, on this store."""
        self.cloud.chance = random.Random(luck)  # the cloud answers twice in the same way
        worker = self.worker(store)
        worker.list_collections(self.account)
        with store.read() as tx:
            [collection] = tx.collections(account_id=self.account.id)
        run = worker.pull(collection.id, full=full)
        assert run is not None
        return run

    def published(self) -> dict[str, tuple[str, str]]:
        with self.store.read() as tx:
            collections = tx.collections(account_id=self.account.id)
            return {item.href: (item.etag, item.index.name) for one in collections for item in tx.items(one.id)}

    def quarantined(self) -> set[str]:
        with self.store.read() as tx:
            return {entry.group_id for entry in tx.quarantined()}

    def held(self) -> int:
        with self.store.read() as tx:
            return sum(tx.count_held(one.id) for one in tx.collections())

    def digest(self) -> list[bytes]:
        """Of the database and its WAL."""
        return [
            sha256(file.read_bytes()).digest() for file in (self.path, self.path.with_name(f"{self.path.name}-wal"))
        ]


def counted(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in COUNTED}


def names(effects: Mapping[Fate, Effect], fate: Fate) -> Counter[str]:
    return Counter(one.name for one in effects[fate].first)


@pytest.mark.parametrize("seed", range(6))
def test_a_preview_says_what_the_pull_then_does(seed: int, sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "ccdaemon.db"
    path.write_bytes(sqlite_template.read_bytes())
    history = History(seed, path)
    for _ in range(ROUNDS):
        history.move_on()
        full, luck = history.chance.random() < 0.3, history.chance.randrange(1000)
        before, quarantined, digest = history.published(), history.quarantined(), history.digest()

        only_to_look = open_store(f"sqlite:///{path}", read_only=True)
        with rehearsal(only_to_look, history.account.id) as copy:
            foretold = history.pull(copy.store, full=full, luck=luck)
            effects = copy.effects(foretold.collection_id or 0)
        only_to_look.close()
        assert history.digest() == digest
        run = history.pull(history.store, full=full, luck=luck)
        after = history.published()

        assert counted(foretold) == counted(run)
        assert names(effects, Fate.ADDED) == Counter(after[href][1] for href in after.keys() - before.keys())
        assert names(effects, Fate.REMOVED) == Counter(before[href][1] for href in before.keys() - after.keys())
        assert names(effects, Fate.CHANGED) == Counter(
            after[href][1] for href in after.keys() & before.keys() if after[href][0] != before[href][0]
        )
        assert effects[Fate.QUARANTINED].count == len(history.quarantined() - quarantined)
        assert effects[Fate.HELD].count == history.held()
    history.store.close()
