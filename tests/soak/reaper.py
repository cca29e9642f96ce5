"""``ccdaemon run`` under kill -9: all of it or one of its parts in turn; and what its processes weigh meanwhile."""

import os
import signal
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.system.installation import Installation, Process, wait_until

VICTIMS = ("worker", "run", "dav", "dav worker", "dav")  # so that some workers live long enough to be weighed
SAMPLE_SECONDS = 2.0
WARM_SECONDS = 25.0  # after which the memory of a process should stay as it is
WEIGHED_SECONDS = 60.0  # that a warm process has to live before its memory says anything
ENDS_SECONDS = 10.0  # in which a part ends after its daemon was killed
MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(kw_only=True)
class Life:
    """One process from its first sample to its last."""

    role: str
    began: float  # monotonic seconds of the first sample
    samples: list[tuple[float, float]] = field(default_factory=list)  # age in seconds, resident MiB

    @property
    def peak(self) -> float:
        return max(size for _age, size in self.samples)

    @property
    def slope(self) -> float | None:
        """MiB per minute by which the last third of a warm life lies above all before it; None: too short to tell.

        A peak that stays, as after a large answer, is no slope; a leak is one in every part of a life.
        """
        warm = [sample for sample in self.samples if sample[0] >= WARM_SECONDS]
        lasted = warm[-1][0] - warm[0][0] if warm else 0.0
        if lasted < WEIGHED_SECONDS:
            return None
        before, last = warm[: len(warm) * 2 // 3], warm[len(warm) * 2 // 3 :]
        rise = statistics.median(size for _age, size in last) - max(size for _age, size in before)
        return max(0.0, rise) / (lasted / 6) * 60


class Reaper:
    """Keeps the daemon running, and kills it or a part of it from time to time."""

    def __init__(self, installation: Installation, *, every_seconds: float) -> None:
        self._installation = replace(installation, warm=None)  # its parts are found and killed by their command lines
        self._every = every_seconds
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=work.__name__, daemon=True) for work in (self._reap, self._weigh)
        ]
        self.kills: Counter[str] = Counter()
        self.lives: dict[int, Life] = {}
        self.wal_peak = 0.0  # MiB
        self.problems: list[str] = []

    def start(self) -> str:
        """Start the daemon, and then all else; where DAV is served."""
        url = self._start_daemon()
        for thread in self._threads:
            thread.start()
        return url

    def stop(self) -> None:
        """End the daemon by SIGTERM: in time, with exit code 0, and with nobody left."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        family = family_of(self._process.popen.pid)
        status = self._process.terminate(within=ENDS_SECONDS)
        if status != 0:
            self.problems.append(f"SIGTERM: exit code {status}")
        self._wait_for_the_end(family, "after SIGTERM")

    def _start_daemon(self) -> str:
        self._process = self._installation.start("run")
        ready = dict(self._process.ready("READY ").partition(" ")[::2] for _ in range(2))
        threading.Thread(target=self._drain, args=(self._process,), daemon=True).start()
        return ready["dav"]

    def _drain(self, process: Process) -> None:
        """Read on, or its pipe is full one day."""
        assert process.popen.stdout is not None
        with suppress(ValueError):  # it is closed
            for _line in process.popen.stdout:
                pass

    def _reap(self) -> None:
        turn = 0
        while not self._stop.wait(self._every):
            self._kill(VICTIMS[turn % len(VICTIMS)])
            turn += 1

    def _kill(self, victim: str) -> None:
        family = family_of(self._process.popen.pid)
        if victim == "run":
            self._process.popen.kill()
            self._process.popen.wait()
            self._wait_for_the_end({pid: role for pid, role in family.items() if role != "run"}, "after kill -9")
            self._start_daemon()
        else:
            pids = sorted(pid for pid, role in family.items() if role == victim)
            if not pids:
                return
            with suppress(ProcessLookupError):
                os.kill(pids[0], signal.SIGKILL)
        self.kills[victim] += 1

    def _wait_for_the_end(self, family: Mapping[int, str], when: str) -> None:
        try:
            wait_until(lambda: not any(map(is_alive, family)), "the end of all parts", within=ENDS_SECONDS)
        except AssertionError:
            left = [role for pid, role in family.items() if is_alive(pid)]
            self.problems.append(f"{when} there was left: {', '.join(left)}")

    def _weigh(self) -> None:
        wal = self._installation.folder / "data" / "ccdaemon.db-wal"
        while not self._stop.wait(SAMPLE_SECONDS):
            now = time.monotonic()
            for pid, role in family_of(self._process.popen.pid).items():
                life = self.lives.setdefault(pid, Life(role=role, began=now))
                with suppress(OSError):
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                    life.samples.append((now - life.began, pages * PAGE / MIB))
            with suppress(OSError):
                self.wal_peak = max(self.wal_peak, wal.stat().st_size / MIB)

    def by_role(self) -> dict[str, Sequence[Life]]:
        """Everything that was weighed."""
        found: dict[str, list[Life]] = defaultdict(list)
        for life in self.lives.values():
            if life.samples:
                found[life.role].append(life)
        return dict(found)


def family_of(pid: int) -> dict[int, str]:
    """The living process and all below it: what each is."""
    parents = dict(_parents())
    family = {pid: "run"} if is_alive(pid) else {}
    for _ in range(3):  # generations
        family |= {
            child: _role(child, family[parent])
            for child, parent in parents.items()
            if parent in family and child not in family and is_alive(child)
        }
    return family


def is_alive(pid: int) -> bool:
    """Whether it runs: what nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def _role(pid: int, parent: str) -> str:
    if parent != "run":
        return f"{parent} worker"
    with suppress(OSError, ValueError, IndexError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        return words[words.index("ccdaemon") + 1]
    return "unknown"


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])
