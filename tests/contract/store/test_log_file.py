"""SQLite's write-ahead log stays short though somebody always reads (F-26)."""

import threading
from pathlib import Path

from ccdaemon.store.engine import open_store
from ccdaemon.store.log_file import LIMIT_BYTES
from tests.contract.store.scene import NOW, draft, enrolled

MEBIBYTE = 1 << 20
HOLD_SECONDS = 0.03  # how long a reader keeps its snapshot
WRITTEN = 2 * LIMIT_BYTES


def test_the_log_stays_short_beside_readers_that_overlap(sqlite_url: str, tmp_path: Path) -> None:
    """F-26, I9: nothing is ever read twice from one snapshot, and there is no moment without a reader."""
    store = open_store(sqlite_url)
    with store.write() as tx:
        book = enrolled(tx, "ada").book.id
    log = tmp_path / "ccdaemon.db-wal"
    is_over, handed_on = threading.Event(), threading.Semaphore(0)
    snapshots = []

    def read() -> None:
        """Keep a snapshot until the other reader has one too."""
        while not is_over.is_set():
            with store.read() as reader:
                snapshots.append(reader.counts(book))
                handed_on.release()
                is_over.wait(HOLD_SECONDS)
                handed_on.acquire(timeout=2 * HOLD_SECONDS)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    longest = 0
    for number in range(WRITTEN // MEBIBYTE):
        with store.write() as tx:
            tx.put_many(book, [draft(f"{number}", body="x" * MEBIBYTE)], now=NOW)
        longest = max(longest, log.stat().st_size)
    is_over.set()
    for reader in readers:
        reader.join()

    assert len(snapshots) > 2
    assert LIMIT_BYTES // 2 < longest <= LIMIT_BYTES * 1.6
    with store.read() as reader:
        assert reader.counts(book) == (WRITTEN // MEBIBYTE, 0)
    store.close()
