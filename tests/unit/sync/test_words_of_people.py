"""Random histories of a provider and a person, whose word holds until the provider's side moves, and no longer."""

import random
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ccdaemon.errors import BadData
from ccdaemon.store.engine import open_store
from ccdaemon.sync.retention import RETENTION, prune
from ccdaemon.sync.undo import Undoer
from tests.machine.cloud import Cloud, TextCodec
from tests.unit.sync.bench import Bench

STILL = 40  # items that nobody touches, so that the guard has nothing to hold
MOVING = 6
SEEDS, STEPS = 8, 35


class Spelling(TextCodec):
    """Each version writes everything in another way."""

    def __init__(self, version: int) -> None:
        self.version = version

    def to_body(self, group):
        body = super().to_body(group)
        return None if body is None else f"{body} v{self.version}"


@dataclass
class Life:
    """The same history told to ccdaemon and to a model of it."""

    bench: Bench
    chance: random.Random
    shown: dict[str, str] = field(default_factory=dict)  # group -> text at the provider
    seen: dict[str, str] = field(default_factory=dict)  # the same at the last pull
    words: dict[str, str | None] = field(default_factory=dict)  # group -> body that a person left it with, None: away
    happened: set[str] = field(default_factory=set)

    def write(self, group: str, text: str | None) -> None:
        self.bench.cloud.write(group, None if text is None else {"id": group, "text": text})
        self.shown.pop(group, None)
        if text is not None:
            self.shown[group] = text

    def change(self) -> None:
        group = f"o{self.chance.randrange(MOVING)}"
        self.write(group, self.chance.choice([None, f"{group} a", f"{group} b", f"{group} c"]))

    def pull(self) -> None:
        self.bench.clock += timedelta(hours=1)
        self.bench.pull(full=self.chance.random() < 0.3)
        for group in self.shown.keys() | self.seen.keys():
            if self.shown.get(group) != self.seen.get(group):
                self.words.pop(group, None)
        self.seen = dict(self.shown)
        assert self.bench.bodies() == self.expected()

    def expected(self) -> dict[str, str]:
        living = {group: f"{text} v{self.bench.codec.version}" for group, text in self.seen.items()}
        said = {group: body for group, body in self.words.items() if body is not None}
        return {group: body for group, body in living.items() if group not in self.words} | said

    def respell(self) -> None:
        self.bench.codec = Spelling(self.bench.codec.version + 1)
        self.pull()

    def undo(self) -> None:
        with self.bench.store.read() as tx:
            runs = [run for run in tx.runs(collection_id=self.bench.collection_id) if run.added < STILL]
        if runs:
            self.act(lambda undoer: undoer.undo(self.chance.choice(runs[:5]).id))

    def restore(self) -> None:
        with self.bench.store.read() as tx:
            gone = [item.item_id for item in tx.trash()]
        if gone:
            self.act(lambda undoer: undoer.restore(self.bench.collection_id, self.chance.sample(gone, 1)))

    def act(self, deed) -> None:
        undoer = Undoer(
            store=self.bench.store, codec=lambda *_: self.bench.codec, owner="ada", now=lambda: self.bench.clock
        )
        before = self.bench.bodies()
        try:
            done = deed(undoer)
        except BadData:
            self.happened.add("refused")
            return
        after = self.bench.bodies()
        for group in before.keys() | after.keys():
            if before.get(group) != after.get(group):
                self.happened.add("away" if group not in after else "back" if group not in before else "changed")
                self.words[group] = after.get(group)
                theirs = f"{self.seen[group]} v{self.bench.codec.version}" if group in self.seen else None
                if after.get(group) == theirs:  # both sides agree
                    del self.words[group]
        if done.run is not None:
            told = (done.run.added, done.run.changed, done.run.removed)
            assert told == (len(after.keys() - before), _changed(before, after), len(before.keys() - after))

    def forget(self) -> None:
        self.bench.clock += RETENTION + timedelta(days=1)
        prune(self.bench.store, now=self.bench.clock)


def _changed(before: dict[str, str], after: dict[str, str]) -> int:
    return sum(before[group] != after[group] for group in before.keys() & after)


def lived(url: str, seed: int, steps: int) -> Life:
    store = open_store(url)
    chance = random.Random(seed)
    life = Life(Bench(store, Cloud(chance)), chance)
    life.bench.faults.page_size = 50
    life.bench.codec = Spelling(1)
    for number in range(STILL):
        life.write(f"s{number}", f"s{number} still")
    life.pull()
    kinds = [life.change] * 8 + [life.pull] * 5 + [life.undo] * 6 + [life.restore] * 2 + [life.respell, life.forget]
    for _ in range(steps):
        chance.choice(kinds)()
    life.pull()
    store.close()
    return life


def test_i2_what_a_person_took_back_holds_until_the_provider_moves(sqlite_template: Path, tmp_path: Path):
    """Through pulls, full listings, other spellings, undoing what undid, restoring, and a month that passes."""
    happened: set[str] = set()
    for seed in range(SEEDS):
        database = tmp_path / f"{seed}.db"
        shutil.copy(sqlite_template, database)
        happened |= lived(f"sqlite:///{database}", seed, STEPS).happened

    assert happened == {"away", "back", "changed", "refused"}
