"""Processes on one store, interleaved by the seed and not by chance: one goes on at a time, and only at boundaries does
another take over. Boundaries lie before and after every transaction and before every answer of a provider."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from ccdaemon.errors import LeaseLost
from ccdaemon.model import Lease
from ccdaemon.store.base import Reader, Store, Transaction
from tests.machine.cloud import Crash

GIVES_WAY = 0.3  # how often another one goes on, at a boundary
PATIENCE = 60.0  # seconds; a thread that waits longer for its turn never gets it


class Turns:
    """Plays some works, each in a thread, of which exactly one runs at any time."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._gates: dict[threading.Thread, threading.Semaphore] = {}
        self._errors: list[BaseException] = []
        self._over = threading.Event()

    def play(self, *works: Callable[[], object]) -> None:
        """Return when all have ended. Raises what the first of them raised, but for Crash: that ends one alone."""
        for work in works:
            thread = threading.Thread(target=self._act, args=(work,), daemon=True)
            self._gates[thread] = threading.Semaphore(0)
            thread.start()
        threads = list(self._gates)
        self._let_go_on()
        assert self._over.wait(PATIENCE), "nobody's turn ends"
        for thread in threads:
            thread.join(PATIENCE)
        if self._errors:
            raise self._errors[0]

    def give_way(self) -> None:
        """A boundary: perhaps somebody else goes on."""
        me = threading.current_thread()
        if self._chance.random() < GIVES_WAY and (next_one := self._chance.choice(list(self._gates))) is not me:
            self._gates[next_one].release()
            self._wait(me)

    def _act(self, work: Callable[[], object]) -> None:
        me = threading.current_thread()
        self._wait(me)
        try:
            work()
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in ``play``
            self._errors.append(error)
        del self._gates[me]
        self._let_go_on()

    def _wait(self, me: threading.Thread) -> None:
        assert self._gates[me].acquire(timeout=PATIENCE), "its turn never came"

    def _let_go_on(self) -> None:
        if self._gates:
            self._gates[self._chance.choice(list(self._gates))].release()
        else:
            self._over.set()


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """When a process dies: at so many boundaries, or right after so many commits."""

    boundaries: int | None = None
    commits: int | None = None


class Watched:
    """A transaction, of which it is noted who has which lease: nobody may work under one that another took."""

    def __init__(self, tx: Transaction, generations: dict[str, int]) -> None:
        self._tx = tx
        self._generations = generations  # by the name of a lease, as they were committed
        self._taken: list[Lease] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def take_lease(self, name: str, owner: str, *, now: datetime, until: datetime) -> Lease | None:
        lease = self._tx.take_lease(name, owner, now=now, until=until)
        self._taken += [lease] if lease is not None else []
        return lease

    def keep_lease(self, lease: Lease, *, until: datetime) -> Lease:
        kept = self._tx.keep_lease(lease, until=until)
        self._check(lease)
        return kept

    def fence(self, lease: Lease) -> None:
        self._tx.fence(lease)
        self._check(lease)

    def committed(self) -> None:
        self._generations.update({lease.name: lease.generation for lease in self._taken})

    def _check(self, lease: Lease) -> None:
        if lease.generation != self._generations[lease.name]:
            raise Misled(f"{lease.owner} works on under {lease.name} though another took it")


class Misled(BaseException):
    """Something is wrong that nothing in the engine may catch."""


@dataclass
class Process:
    """A store as one process sees it, and what the process passes on its way: it may die at any boundary."""

    store: Store
    turns: Turns | None = None
    death: Death | None = None
    happened: Counter[str] = field(default_factory=Counter)
    generations: dict[str, int] = field(default_factory=dict)  # of leases, known to all processes of a history
    passed: int = field(default=0, init=False)  # boundaries
    committed: int = field(default=0, init=False)
    is_dead: bool = field(default=False, init=False)

    def boundary(self, *, is_open: bool = True) -> None:
        """``is_open``: no transaction is, so that others may go on."""
        self.passed += 1
        if self.is_dead:  # its ``finally`` blocks do nothing any more
            raise Crash
        if self.death is not None and self.passed == self.death.boundaries:
            self._die("process died" if is_open else "process died before a commit")
        if self.turns is not None and is_open:
            self.turns.give_way()

    @contextmanager
    def read(self) -> Iterator[Reader]:
        self.boundary()
        with self.store.read() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self.boundary()
        with self.store.write() as tx:
            watched = Watched(tx, self.generations)
            try:
                yield cast(Transaction, watched)
            except LeaseLost:
                self.happened["lease lost"] += 1
                raise
            self.boundary(is_open=False)
        watched.committed()
        self.committed += 1
        if self.death is not None and self.committed == self.death.commits:
            self._die("process died after a commit")
        self.boundary()

    def _die(self, how: str) -> None:
        self.is_dead = True
        self.happened[how] += 1
        raise Crash

    def close(self) -> None:
        """The store is not this process's to close."""
