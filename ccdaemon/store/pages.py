"""Where in an SQLite file rows and index entries lie, so that a test can damage them and nothing else.

Source: https://www.sqlite.org/fileformat2.html, sections 1.6 (b-tree pages) and 1.7 (payload).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 0x02, 0x05, 0x0A, 0x0D
INTERIOR = (INDEX_INTERIOR, TABLE_INTERIOR)
HEADER_BYTES = 100  # of the file, on its first page
POINTER_BYTES = 4  # number of a page
ROOTS = "SELECT rootpage FROM sqlite_master WHERE rootpage > 0"

Span = tuple[int, int]
"""Offset in the file, and how many bytes."""


def content(path: Path) -> list[Span]:
    """Every entry of every tree, and what of it stands on further pages. The file is closed and sound.

    Entries that only lead to other pages hold no content.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        roots = [1, *(root for (root,) in connection.execute(ROOTS))]
    file = _File(path.read_bytes())
    return [span for root in roots for span in file.tree(root)]


@dataclass(frozen=True, slots=True)
class _File:
    """A whole file; pages have numbers from 1."""

    whole: bytes

    @property
    def page_bytes(self) -> int:
        size = int.from_bytes(self.whole[16:18], "big")
        return 65536 if size == 1 else size

    @property
    def usable_bytes(self) -> int:
        return self.page_bytes - self.whole[20]

    def tree(self, root: int) -> Iterator[Span]:
        """Of the tree with this page on top."""
        pages = [root]
        while pages:
            number = pages.pop()
            start = (number - 1) * self.page_bytes
            header = start + (HEADER_BYTES if number == 1 else 0)
            kind = self.whole[header]
            if kind in INTERIOR:
                pages.append(self._number(header + 8, POINTER_BYTES))
            pointers = header + (12 if kind in INTERIOR else 8)
            for cell in range(self._number(header + 3, 2)):
                at = start + self._number(pointers + 2 * cell, 2)
                if kind in INTERIOR:
                    pages.append(self._number(at, POINTER_BYTES))
                if kind != TABLE_INTERIOR:
                    yield from self._cell(at, kind)

    def _cell(self, at: int, kind: int) -> Iterator[Span]:
        here = at + (POINTER_BYTES if kind in INTERIOR else 0)
        payload, here = self._varint(here)
        if kind == TABLE_LEAF:
            _, here = self._varint(here)
        local = self._local(payload, kind)
        yield at, here + local - at
        left = payload - local
        following = self._number(here + local, POINTER_BYTES) if left else 0
        while left > 0:
            start = (following - 1) * self.page_bytes
            part = min(left, self.usable_bytes - POINTER_BYTES)
            yield start + POINTER_BYTES, part
            left, following = left - part, self._number(start, POINTER_BYTES)

    def _local(self, payload: int, kind: int) -> int:
        """How much of a payload stands on the page itself."""
        usable = self.usable_bytes
        most = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if payload <= most:
            return payload
        least = (usable - 12) * 32 // 255 - 23
        wanted = least + (payload - least) % (usable - POINTER_BYTES)
        return wanted if wanted <= most else least

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.whole[at : at + size], "big")

    def _varint(self, at: int) -> tuple[int, int]:
        """Its value, and where it ends."""
        value = 0
        for number in range(9):
            byte = self.whole[at + number]
            if number == 8:
                return value << 8 | byte, at + 9
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, at + number + 1
        raise AssertionError("a varint has nine bytes at most")
