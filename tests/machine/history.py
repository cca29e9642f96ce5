"""One seed of the machine: what happens, step by step, and what must hold after each."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from ccdaemon.errors import BadData, LeaseLost, UnknownName
from ccdaemon.model import Account, Decision, Kind, ProviderName, Purpose
from ccdaemon.store.base import Store
from ccdaemon.store.owner import owner_name
from ccdaemon.sync.settle import item_href
from ccdaemon.sync.undo import Undoer
from ccdaemon.sync.worker import Worker
from tests.machine.cloud import BOOK, LABELS, LOOKS, POISON, Cloud, Crash, Faults, Shelves, TextCodec, group_of
from tests.machine.mirror import Mirror, Word
from tests.machine.steps import Step, traits_of
from tests.machine.turns import Death, Process, Turns

LEASE_RUNS_OUT = timedelta(minutes=10)
GUARD_LOOKS_AGAIN = timedelta(minutes=11)
OTHER_BOOK = "other"
CROWD = 60  # groups where masses are deleted
BOUNDARIES, COMMITS = 45, 8  # about as many as a pull has


class History:
    """Clouds, collections that mirror them, and DAV clients that mirror the collections."""

    def __init__(self, seed: int, store: Store) -> None:
        self.traits = traits_of(seed)
        self.chance = random.Random(seed)
        self.store = store
        self.now = datetime(2026, 11, 24, tzinfo=UTC)  # what clocks show
        self.latest = self.now
        self.elapsed = timedelta()  # what really passed
        self.began = self.elapsed  # the step that is going on
        self.books = {
            name: Cloud(self.chance, name=name, tombstones_carry_versions=self.chance.random() < 0.5)
            for name in ([BOOK, OTHER_BOOK] if "books" in self.traits else [BOOK])
        }
        self.listed = list(self.books)
        self.codec = TextCodec()
        self.codec.look = LOOKS[self.codec.version % len(LOOKS)]
        self.numbers = count(1)
        self.happened: Counter[str] = Counter()
        self.generations: dict[str, int] = {}  # of leases
        self.account = self._account(f"{seed}")
        self.process().list_collections(self.account)
        with store.read() as tx:
            self.mirrors = {
                collection.remote_id: Mirror(
                    collection_id=collection.id,
                    book=self.books[collection.remote_id],
                    traits=self.traits,
                    happened=self.happened,
                )
                for collection in tx.collections(account_id=self.account.id)
            }

    def _account(self, name: str) -> Account:
        with self.store.write() as tx:
            person = tx.add_person(name, self.now)
            return tx.add_account(
                person_id=person.id, provider=ProviderName.GOOGLE, subject=name, ref=name, label=name, address="",
                purposes=[Purpose.CONTACTS], writable=False, now=self.now,
            )  # fmt: skip

    def process(
        self, faults: Faults | None = None, *, turns: Turns | None = None, death: Death | None = None
    ) -> Worker:
        """A process of its own, as ``ccdaemon run`` or a command starts one."""
        process = Process(self.store, turns=turns, death=death, happened=self.happened, generations=self.generations)
        name = self._name()
        if death is not None and self.chance.random() < 0.5:  # its end is seen at once, not when its leases run out
            name = owner_name().rpartition(":")[0].rpartition(":")[0] + ":ended:0"
        return Worker(
            store=process,
            remote=lambda _account, _kind: Shelves(
                self.books,
                self.listed,
                faults or Faults(page_size=20),
                boundary=process.boundary,
                happened=self.happened,
            ),
            kinds=lambda _account: (Kind.CONTACTS,),
            codec=lambda _provider, _kind: self.codec,
            interval=timedelta(minutes=15),
            now=lambda: self.now,
            owner=name,
            chance=self.chance.random,
        )

    def _name(self) -> str:
        """Of a new process."""
        return f"process {next(self.numbers)}"

    def pass_time(self, duration: timedelta) -> None:
        self.now += duration
        self.elapsed += duration
        self.latest = max(self.latest, self.now)

    # --- what can happen

    def take(self, step: Step) -> None:
        """One step, and a look at what came of it."""
        self.chance.seed(step.seed)
        self.book = self.books[self.chance.choice(sorted(self.books))]
        self.happened[step.name] += 1
        self.began = self.elapsed
        getattr(self, f"_{step.name}")()
        self.pass_time(timedelta(seconds=self.chance.randrange(1, 600)))
        self.follow()

    def _edit(self) -> None:
        remote_id = self.chance.choice([*self._crowd()] or self._names())
        text = POISON if "poison" in self.traits and self.chance.random() < 0.1 else f"text {self.chance.random()}"
        self.book.write(remote_id, {"id": remote_id, "text": text, "photo": self._photo(remote_id)})

    def _names(self) -> list[str]:
        return [f"o{number}{part}" for number in range(6) for part in ("", "", "_x", "_y")]

    def _crowd(self) -> Iterator[str]:
        if "crowd" in self.traits and self.chance.random() < 0.7:
            yield from (f"m{number}" for number in range(CROWD))

    def _photo(self, remote_id: str) -> str | None:
        if "photos" not in self.traits:
            return None
        before = self.book.living(self.book.head).get(remote_id)
        if before is not None and self.chance.random() < 0.5:
            kept: str | None = before[1]["photo"]
            return kept
        return self.chance.choice([None, "none", f"photo {self.chance.randrange(1000)}"])

    def _rename(self) -> None:
        """Back and forth between few names: what a crash left half done may be undone by the next renaming."""
        self.book.label = self.chance.choice(LABELS)
        self._mirror.looks += 1

    def _delete(self) -> None:
        living = sorted(self.book.living(self.book.head))
        heads = [one for one in living if "_" in one and group_of(one) in living and "silence" in self.traits]
        if living:
            self._end(group_of(self.chance.choice(heads)) if heads else self.chance.choice(living))

    def _end(self, remote_id: str) -> None:
        """A series may take what belongs to it with it, and no feed tells of that."""
        if "silence" in self.traits and remote_id == group_of(remote_id):
            for other in sorted(self.book.living(self.book.head)):
                if group_of(other) == remote_id != other:
                    self.book.write(other, None, is_silent=True)
                    self.happened["silent end"] += 1
        self.book.write(remote_id, None)

    def _undelete(self) -> None:
        dead = sorted(key for key, (_at, payload) in self.book.state(self.book.head).items() if payload is None)
        if dead:
            self._bring_back(self.chance.choice(dead))

    def _bring_back(self, remote_id: str) -> None:
        self.book.write(remote_id, {"id": remote_id, "text": f"back {self.chance.random()}", "photo": None})

    def _fill(self) -> None:
        """A crowd, pulled."""
        for number in range(self.chance.choice([CROWD // 2, CROWD])):
            self._bring_back(f"m{number}")
        self._mirror.pulls += 1
        self.process().pull(self._mirror.collection_id)

    def _wipe(self) -> None:
        """Much or all of it is deleted by one click, somewhere."""
        living = sorted(self.book.living(self.book.head))
        for remote_id in self.chance.sample(living, int(len(living) * self.chance.choice([0.3, 0.45, 0.6, 1]))):
            self.book.write(remote_id, None)

    def _refill(self) -> None:
        """Deleted by mistake, restored there by somebody."""
        dead = [key for key, (_at, payload) in self.book.state(self.book.head).items() if payload is None]
        for remote_id in sorted(dead):
            self._bring_back(remote_id)

    def _expire(self) -> None:
        self.book.oldest_cursor = self.book.head + 1

    def _map_anew(self) -> None:
        self.codec.version += 1
        self.codec.look = LOOKS[self.codec.version % len(LOOKS)]  # every other version makes other bodies
        for mirror in self.mirrors.values():
            mirror.looks += 1
        self.codec.eats_poison = self.chance.random() < 0.3

    def _jump(self) -> None:
        self.now += timedelta(hours=self.chance.choice([-24 * 400, -1, 1, 24 * 400]))
        self.latest = max(self.latest, self.now)

    def _list_books(self) -> None:
        self.listed = self.chance.choice([[BOOK], [OTHER_BOOK], [BOOK, OTHER_BOOK], [BOOK, OTHER_BOOK]])
        self.happened["book not listed"] += len(self.listed) < len(self.books)
        self._run(partial(self.process(death=self._death()).list_collections, self.account))

    def _wait(self) -> None:
        """Until the guard looks again."""
        self.pass_time(GUARD_LOOKS_AGAIN)

    def _decide(self) -> None:
        """A person says what is to become of the deletions that are held, and of books that are missing."""
        decision = self.chance.choice([Decision.APPROVED, Decision.REJECTED])
        for mirror in self.mirrors.values():
            self.say(mirror, decision)

    def say(self, mirror: Mirror, decision: Decision) -> None:
        """What a person says of all that is held of a book, and of the book."""
        with self.store.write() as tx:
            hrefs = {item_href(Kind.CONTACTS, row.group_id) for row in tx.held(mirror.collection_id)}
            collection = tx.collection(mirror.collection_id)
            if collection is not None and collection.missing_since is not None:
                tx.decide_missing(mirror.collection_id, decision)
                self.happened[f"missing book {decision}"] += 1
            self.happened[f"held and {decision}"] += len(hrefs)
            tx.decide_held(mirror.collection_id, decision)
        if decision is Decision.APPROVED:
            mirror.approved |= hrefs
            mirror.rejected -= hrefs
        else:
            mirror.rejected |= hrefs
            mirror.approved -= hrefs

    def _undo(self, turns: Turns | None = None) -> None:
        """A person takes back what a Run did."""
        self._perhaps_pull(turns)
        with self.store.read() as tx:
            runs = tx.runs(account_id=self.account.id, collection_id=self._mirror.collection_id)
        changing = [run.id for run in runs if run.revision_to > run.revision_from and run.id is not None]
        if changing:
            chosen = self.chance.choice([changing[0], *changing])  # of others than the last little is left
            self._by_a_person(lambda undoer: undoer.undo(chosen), turns)

    def _restore(self, turns: Turns | None = None) -> None:
        """A person puts back some of what is in the trash."""
        self._perhaps_pull(turns)
        with self.store.read() as tx:
            trash = [one.item_id for one in tx.trash(collection_id=self._mirror.collection_id)]
        chosen = self.chance.sample(trash, min(len(trash), 3))
        if chosen:
            self._by_a_person(lambda undoer: undoer.restore(self._mirror.collection_id, chosen), turns)

    def _perhaps_pull(self, turns: Turns | None) -> None:
        """So that more often than by chance all is known that a person speaks of."""
        if turns is None and self.chance.random() < 0.5:
            self._mirror.pulls += 1
            self.process().pull(self._mirror.collection_id)
        self.follow()

    def _by_a_person(self, act: Callable[[Undoer], object], turns: Turns | None) -> None:
        """Note how the items are afterwards: so they stay, until the provider's side moves."""
        mirror = self._mirror
        with self.store.read() as tx:
            collection = tx.collection(mirror.collection_id)
            is_known = collection is not None and collection.cursor == str(self.book.head)
            is_known = is_known and not tx.groups_awaiting_photo(mirror.collection_id) and turns is None
            before = mirror.bodies(tx)
        process = Process(
            self.store, turns=turns, death=self._death(), happened=self.happened, generations=self.generations
        )
        undoer = Undoer(
            store=process, codec=lambda _provider, _kind: self.codec, owner=self._name(), now=lambda: self.now
        )
        try:
            act(undoer)
            self.happened["undone or put back"] += 1
        except (UnknownName, BadData, LeaseLost, Crash) as refusal:
            self.happened[f"{type(refusal).__name__} of a person's wish"] += 1
        finally:
            with self.store.read() as tx:
                after = mirror.bodies(tx)
            place = self.book.head if is_known and not {"lag", "stale"} & self.traits else None
            for href in before.keys() | after.keys():
                if before.get(href) != after.get(href):
                    mirror.words[href] = Word(body=after.get(href), firm_since=place, looks=self._mirror.looks)

    def _pull(self) -> None:
        self._run(self._pulling())

    def _duet(self) -> None:
        """Two or three at once, on one book."""
        turns = Turns(self.chance)
        others = [self._pulling, self._pulling, self._listing]
        if "people" in self.traits:
            others += [self._undoing, self._restoring]
        turns.play(self._pulling(turns), self.chance.choice(others)(turns), partial(self._weather, turns))

    def _weather(self, turns: Turns) -> None:
        """What goes on in the world meanwhile."""
        happens = [self._edit, self._delete, self._rename, self._expire, self._undelete, self._decide, self._sleep]
        happens += [self._sleep] * 4  # leases run out, and whoever had one goes on
        for _ in range(self.chance.randrange(1, 5)):
            turns.give_way()
            self.chance.choice(happens)()

    def _sleep(self) -> None:
        """Longer than any lease."""
        self.pass_time(LEASE_RUNS_OUT)

    # --- work of processes

    @property
    def _mirror(self) -> Mirror:
        return self.mirrors[self.book.name]

    def _pulling(self, turns: Turns | None = None) -> Callable[[], object]:
        worker = self.process(self._faults(), turns=turns, death=self._death())
        self._mirror.pulls += 1
        is_full = self.chance.random() < 0.1
        self.happened["listed without need"] += is_full
        return partial(worker.pull, self._mirror.collection_id, full=is_full)

    def _listing(self, turns: Turns | None = None) -> Callable[[], object]:
        return partial(self.process(turns=turns, death=self._death()).list_collections, self.account)

    def _undoing(self, turns: Turns | None = None) -> Callable[[], object]:
        return partial(self._undo, turns)

    def _restoring(self, turns: Turns | None = None) -> Callable[[], object]:
        return partial(self._restore, turns)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Crash:
            if self.chance.random() < 0.7:
                self._sleep()

    def _death(self) -> Death | None:
        if "crashes" not in self.traits or self.chance.random() >= 0.4:
            return None
        if self.chance.random() < 0.5:
            return Death(commits=self.chance.randrange(1, COMMITS))
        return Death(boundaries=self.chance.randrange(1, BOUNDARIES))

    def _faults(self) -> Faults:
        chance, few = self.chance, self.chance.choice([None, None, None, *range(4)])
        faults = Faults(page_size=chance.choice([2, 3]) if "crowd" not in self.traits else 20)
        if "lag" in self.traits:
            faults.lag = chance.choice([0, 0, 1, 3, self.book.head])
            faults.by_id_lag = chance.choice([None, 0])
        if "disorder" in self.traits:
            faults.disorder = chance.random() < 0.7
        if "stale" in self.traits:
            faults.stale = chance.choice([0.0, 0.5, 1.0])
        if "photos" in self.traits:
            faults.missing_photos = chance.choice([0.0, 0.0, 0.5, 1.0])
            faults.photo_room = chance.choice([None, None, 0, 1, 3])
        if chance.random() < 0.7:
            faults.fail_before_page = few
        else:
            faults.expire_before_page = few
        return faults

    # --- what must hold

    def follow(self) -> None:
        """DAV clients read the changes since their tokens; their mirrors must be the collections, always."""
        for mirror in self.mirrors.values():
            mirror.follow(self.store, self.elapsed, since=self.began)
