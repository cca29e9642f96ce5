"""A DAV client that follows one book by sync-token, and judges whatever goes from it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from ccdaemon.model import Decision, Held, Kind
from ccdaemon.store.base import Reader, Store
from ccdaemon.sync.settle import item_href
from tests.machine.cloud import Cloud, group_of

GUARD_PAUSE = timedelta(minutes=10)
AT_ONCE, QUARTER, HALF = 20, 4, 2  # what may go unasked: so many, or that share; more than what share needs a person


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """How a person left an item."""

    body: str | None  # None: taken away
    firm_since: int | None  # head of the book, up to which the engine knew all; None: it did not
    looks: int  # how often everything looked different before


@dataclass(kw_only=True)
class Mirror:
    """What the client knows, and what is needed to judge."""

    collection_id: int
    book: Cloud
    traits: frozenset[str]
    happened: Counter[str]
    revision: int = 0
    etags: dict[str, str] = field(default_factory=dict)  # by href
    held: Mapping[str, Held] = field(default_factory=dict)  # by remote_id
    quarantined: frozenset[str] = frozenset()  # groups
    doubted: dict[str, timedelta] = field(default_factory=dict)  # object -> since when the provider says: it is gone
    approved: set[str] = field(default_factory=set)  # hrefs whose end a person approved
    rejected: set[str] = field(default_factory=set)  # hrefs whose end a person did not want
    words: dict[str, Word] = field(default_factory=dict)  # href -> how a person left it
    pulls: int = 0  # in this step
    looks: int = 0  # how often everything came to look different, by a renaming or another mapping

    def follow(self, store: Store, elapsed: timedelta, *, since: timedelta) -> None:
        """Read the changes since the token; the mirror must be the collection then, always. ``since``: when the pulls
        that may have changed it began at the earliest.
        """
        before = set(self.etags)
        with store.read() as tx:
            revision, changes = tx.changes(self.collection_id, self.revision)
            published = dict(tx.etags_by_href(self.collection_id))
            if self.pulls:
                self._look_at_held({row.remote_id: row for row in tx.held(self.collection_id)}, published)
                self._look_at_quarantined(tx)
                self._look_at_cursor(tx)
        assert revision >= self.revision, "the token went back"
        for change in changes:
            if change.etag is None:
                self.etags.pop(change.href, None)
            else:
                self.etags[change.href] = change.etag
        self.revision = revision

        assert self.etags == published
        gone = {change.href for change in changes if change.etag is None} - self._taken_away()
        if gone:
            self._judge(before, gone, elapsed)
        self._note_doubts(since)
        self.pulls = 0

    def bodies(self, tx: Reader) -> dict[str, str]:
        """What is published, by href."""
        return {href: body for href, _etag, body in tx.bodies(self.collection_id)}

    def objects(self, href: str) -> Sequence[str]:
        """The objects of which an item may have been made."""
        ids = dict.fromkeys(key for key, _payload in self.book.history)
        return [one for one in ids if href_of(one) == href]

    def is_firm(self, href: str, word: Word, shown: Collection[str]) -> bool:
        """Whether no object of the item moved since the person's word. ``shown``: how the provider may have shown it
        meanwhile; where that is what the person wanted both sides agreed, and may go on from there.
        """
        if word.firm_since is None:
            return False
        is_same_look = word.looks == self.looks
        has_moved = href in {href_of(key) for key, _payload in self.book.history[word.firm_since :]}
        is_doubtful = has_moved or any(self.book.was_ever_poison(one) for one in self.objects(href))
        return not is_doubtful and (is_same_look or word.body not in shown)

    def _taken_away(self) -> set[str]:
        """What is not there because a person said so."""
        return {href for href, word in self.words.items() if word.body is None}

    def _judge(self, before: set[str], gone: set[str], elapsed: timedelta) -> None:
        """I2: nothing goes of which the provider's last word was that it lives, and no mass at one word."""
        for href in gone:
            ids = self.objects(href)
            assert not any(self.book.told.get(one, False) for one in ids), f"removed though it lives: {ids}"
            if "lag" not in self.traits:  # what nobody was told of is no part of the item yet
                known = [one for one in ids if one in self.book.told]
                assert all(map(self.book.ever_ended, known)), f"removed though it was never deleted: {known}"
        assert not gone & self.rejected, "removed though a person said no"
        self.happened["item gone"] += len(gone)
        went, left = gone & before - self.approved, {*before, *self.etags} - self.approved
        is_mass = len(went) > max(AT_ONCE, len(left) / QUARTER) or (went == left and len(left) > 1)
        if not is_mass or self.pulls != 1:
            return
        assert len(went) * HALF <= len(left), f"{len(went)} of {len(left)} items went, and nobody was asked"
        for href in went:
            doubts = [self.doubted[one] for one in self.objects(href) if one in self.doubted]
            assert doubts, f"{len(went)} of {len(left)} items went at the first word"
            if "jumps" not in self.traits:
                assert min(doubts) <= elapsed - GUARD_PAUSE, f"{len(went)} of {len(left)} items went too soon"
        self.happened["mass gone by a second listing"] += 1

    def _note_doubts(self, since: timedelta) -> None:
        for one, lives in self.book.told.items():
            if lives:
                self.doubted.pop(one, None)
                self.approved.discard(href_of(one))
                self.rejected.discard(href_of(one))
            else:
                self.doubted.setdefault(one, since)

    def _look_at_held(self, held: Mapping[str, Held], published: Mapping[str, str]) -> None:
        """What is held stays published, whatever was said of it; and what became of what was held before."""
        for remote_id, row in held.items():
            href = item_href(Kind.CONTACTS, row.group_id)
            if row.decision is not Decision.APPROVED and href in self.etags and href not in self.words:
                assert href in published, f"{remote_id} is held, and gone"
        self.happened["held"] += len(held.keys() - self.held.keys())
        self.happened["held until a person says"] += any(row.confirmed_at is not None for row in held.values())
        for remote_id in self.held.keys() - held.keys():
            lives = self.book.told.get(remote_id, False)
            self.happened["held and seen again" if lives else "held and carried out"] += 1
        self.held = held

    def _look_at_quarantined(self, tx: Reader) -> None:
        if "poison" in self.traits:
            quarantined = frozenset(entry.group_id for entry in tx.quarantined(self.collection_id))
            self.happened["into quarantine"] += len(quarantined - self.quarantined)
            self.happened["out of quarantine"] += len(self.quarantined - quarantined)
            self.quarantined = quarantined

    def _look_at_cursor(self, tx: Reader) -> None:
        """I1: it names nothing that is not stored, or has ended since. A replica that lags may deny single objects
        beside it."""
        collection = tx.collection(self.collection_id)
        if "lag" in self.traits or collection is None or collection.cursor is None:
            return
        living = self.book.living(int(collection.cursor))
        known = {one: entry for one, entry in living.items() if self.book.told.get(one, True)}
        groups = tx.groups(self.collection_id, sorted({group_of(one) for one in known}))
        stored = {one.remote_id: one.version for group in groups.values() for one in group}
        lost = [one for one, (version, _payload) in known.items() if stored.get(one, 0) < version]
        assert not lost, f"the cursor says that these are stored: {lost}"


@cache
def href_of(remote_id: str) -> str:
    """Of the item of an object's group."""
    return item_href(Kind.CONTACTS, group_of(remote_id))
