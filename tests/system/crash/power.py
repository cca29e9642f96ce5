"""A power cut, made of what processes did: their writes and syncs as strace saw them, and what a disk keeps of them.

What was synced before the cut is there afterwards. Of the rest a disk keeps what it likes: a write as a whole, nothing
of it, or some of its sectors; of the changes of a directory the first ones, as file systems with a journal do.

Sources: https://www.sqlite.org/atomiccommit.html, section 2; https://man7.org/linux/man-pages/man2/fsync.2.html, which
says that a new file's name needs a sync of the directory.
"""

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

STORED = "openat,pwrite64,ftruncate,fsync,fdatasync,unlink"
RECORDER = ("strace", "-D", "-f", "-q", "-y", "-xx", "-s", str(1 << 20), "--seccomp-bpf", "-e", "signal=none")
SECTORS = (512, 4096)  # bytes that a disk writes as a whole
KEPT = (0.0, 0.5, 0.9, 1.0)  # how likely what was not synced is kept: nothing, this and that, nearly all, all
VOLATILE = "-shm"  # SQLite's index of the log, which it makes anew after a cut, whatever is there
CALL = re.compile(r"(\w+)\((.*)", re.DOTALL)
RESUMED = re.compile(r"<\.\.\. (fsync|fdatasync) resumed>.* = 0$")


@dataclass(frozen=True, kw_only=True)
class Wrote:
    """Bytes of a file."""

    file: str
    offset: int
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Resized:
    """A file has this size now."""

    file: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Made:
    """A file is in the directory, unless it was there before."""

    file: str


@dataclass(frozen=True, kw_only=True)
class Removed:
    """A file is in the directory no more."""

    file: str


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What a file, or the directory (""), was when the sync began is on the disk."""

    file: str
    since: int  # the number of events until then


@dataclass(frozen=True, kw_only=True)
class Said:
    """Bytes for somebody at the other end of a connection."""

    content: bytes


Event = Wrote | Resized | Made | Removed | Synced | Said


def recorder(log: Path) -> list[str]:
    """The command that runs another one, and writes down what it and all its children store and say."""
    return [*RECORDER, "-e", f"trace={STORED},sendto", "-o", str(log)]


def is_whole(log: Path, pid: int) -> bool:
    """Whether everything is written down of a process that has ended, and with it all that it waited for."""
    last = log.read_bytes()[-4096:].decode("ascii").splitlines()[1:]
    return any(line.split()[:3] == [str(pid), "+++", "exited"] for line in last)  # short numbers are padded


def events_of(log: Path, database: Path) -> list[Event]:
    """What happened to the files of a database, which are named by their names, and what was said, in that order."""
    events: list[Event] = []
    syncs: dict[str, Synced] = {}  # by process; those that have begun and not ended
    with log.open() as lines:
        for line in lines:
            process, call = line.split(maxsplit=1)
            if RESUMED.match(call) and process in syncs:
                events.append(syncs.pop(process))
            event = _event(call, database, len(events))
            if isinstance(event, Synced) and "<unfinished" in call:
                syncs[process] = event
            elif event is not None:
                events.append(event)
    return events


def _event(call: str, database: Path, number: int) -> Event | None:
    """What a line of strace tells, if it is of interest. Data and path are complete where a call is unfinished, too."""
    found = CALL.match(call)
    if found is None:
        return None
    name, words = found.groups()
    texts = [_bytes(text) for text in re.findall(r"[<\"]((?:\\x[0-9a-f]{2})+)[>\"]", words)]
    numbers = [int(number) for number in re.findall(r", (\d+)(?=[,) ])", words)]
    if name == "sendto":
        return Said(content=texts[1])
    path = Path(texts[-1 if name == "openat" else 0].decode()) if texts else Path()
    if name in {"fsync", "fdatasync"} and path == database.parent:
        return Synced(file="", since=number)
    if path.parent != database.parent or not path.name.startswith(database.name):
        return None
    match name:
        case "pwrite64":
            return Wrote(file=path.name, offset=numbers[1], content=texts[1])
        case "ftruncate":
            return Resized(file=path.name, size=numbers[0])
        case "openat":
            return Made(file=path.name) if "O_CREAT" in words else None
        case "unlink":
            return Removed(file=path.name)
        case _:
            return Synced(file=path.name, since=number)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class _File:
    """What is on the disk of it, and what was done to it since."""

    content: bytearray
    later: list[tuple[int, Wrote | Resized]] = field(default_factory=list)  # with the numbers of the events


class Disk:
    """Files and their directory, as events change them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """With these on it for sure."""
        self._names = {name: _File(bytearray(content)) for name, content in files.items()}  # as processes see it
        self._durable = dict(self._names)  # as it is on the disk
        self._later: list[tuple[int, Mapping[str, _File]]] = []  # the directory after each change since
        self.lost = 0  # pieces, at the last cut

    def take(self, number: int, event: Event) -> None:
        """The next event, and how many there were before."""
        match event:
            case Wrote() | Resized():
                if event.file in self._names:  # else somebody still had it open when it was removed
                    self._names[event.file].later.append((number, event))
            case Made():
                if event.file not in self._names:
                    self._rename({**self._names, event.file: _File(bytearray())}, number)
            case Removed():
                self._rename({name: file for name, file in self._names.items() if name != event.file}, number)
            case Synced(file="", since=since):
                for changed, names in self._later:
                    if changed < since:
                        self._durable = dict(names)
                self._later = [(changed, names) for changed, names in self._later if changed >= since]
            case Synced():
                if event.file in self._names:
                    _sync(self._names[event.file], event.since)

    def _rename(self, names: dict[str, _File], number: int) -> None:
        self._names = names
        self._later.append((number, names))

    def whole(self) -> dict[str, bytes]:
        """The files as processes see them."""
        return {name: bytes(_applied(bytearray(file.content), _all(file))) for name, file in self._names.items()}

    def after_a_cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files as the next start of the machine may find them."""
        self.lost = 0
        kept = chance.choice(KEPT)
        survived = chance.randint(0, len(self._later)) if 0 < kept < 1 else int(kept) * len(self._later)
        names = self._later[survived - 1][1] if survived else self._durable
        found = {}
        for name, file in names.items():
            if name.endswith(VOLATILE):
                found[name] = chance.randbytes(1 << 15)
                continue
            pieces = [piece for change in _all(file) for piece in _torn(change, chance.choice(SECTORS))]
            survivors = [piece for piece in pieces if chance.random() < kept]
            self.lost += len(pieces) - len(survivors)
            found[name] = bytes(_applied(bytearray(file.content), survivors))
        return found


def _all(file: _File) -> list[Wrote | Resized]:
    return [change for _, change in file.later]


def _sync(file: _File, since: int) -> None:
    _applied(file.content, [change for number, change in file.later if number < since])
    file.later = [(number, change) for number, change in file.later if number >= since]


def _applied(content: bytearray, changes: Iterable[Wrote | Resized]) -> bytearray:
    """The same content, changed."""
    for change in changes:
        size = change.size if isinstance(change, Resized) else change.offset
        content.extend(bytes(max(0, size - len(content))))  # a hole
        if isinstance(change, Resized):
            del content[size:]
        else:
            content[size : size + len(change.content)] = change.content
    return content


def _torn(change: Wrote | Resized, sector: int) -> Iterator[Wrote | Resized]:
    """A write sector by sector."""
    if isinstance(change, Resized):
        yield change
        return
    first = change.offset // sector * sector
    for begin in range(first, change.offset + len(change.content), sector):
        piece = change.content[max(0, begin - change.offset) : begin + sector - change.offset]
        yield Wrote(file=change.file, offset=max(begin, change.offset), content=piece)
