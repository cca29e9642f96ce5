"""What the rest of ccdaemon knows of the database: two Protocols, met by SQLite and PostgreSQL alike.

A transaction is short and holds no network call, no sleep and no callback of the caller's. ``read()`` sees one snapshot
and blocks nobody; ``write()`` is exclusive against other writers of the same rows and commits when its block ends well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from ccdaemon.model import (
    Account,
    Base,
    BodyIndex,
    Candidate,
    Change,
    Collection,
    Cursor,
    Decision,
    Device,
    Earlier,
    Fingerprint,
    Grant,
    Held,
    Item,
    Json,
    Kind,
    Lease,
    Original,
    Outcome,
    Person,
    Presence,
    ProviderName,
    Purpose,
    Quarantined,
    RemoteCollection,
    Run,
    SearchIndex,
    Selection,
    Touched,
    Trashed,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An item that is to be put."""

    group_id: str  # the originals that it was made of
    href: str  # opaque, ends in .vcf or .ics
    body: str  # CRLF lines
    index: BodyIndex
    base: Base | None
    search: SearchIndex | None = None  # None: queries look at the body until ``save_index``


class Reader(Protocol):
    """Everything that can be asked. All sequences are lists in a stable order (by id where nothing else is said)."""

    # --- people and devices
    def persons(self) -> Sequence[Person]: ...
    def person(self, name: str) -> Person | None: ...
    def person_by_id(self, person_id: int) -> Person | None: ...
    def devices(self, person_id: int | None = None) -> Sequence[Device]: ...

    def device_by_secret_hash(self, secret_hash: bytes) -> Device | None:
        """The device whose password hashes (SHA-256, 32 bytes) to this."""

    # --- accounts and grants
    def accounts(self, person_id: int | None = None) -> Sequence[Account]: ...
    def account(self, account_id: int) -> Account | None: ...
    def account_by_subject(self, provider: ProviderName, subject: str) -> Account | None: ...
    def grant(self, account_id: int) -> Grant | None: ...

    def sealed_refresh_token(self, account_id: int) -> bytes | None:
        """Ciphertext; only the vault can read it."""

    def sealed_access_token(self, account_id: int, audience: str) -> tuple[bytes, datetime, int] | None:
        """Ciphertext, its expiry and the grant generation it belongs to."""

    # --- collections
    def collections(self, *, account_id: int | None = None, person_id: int | None = None) -> Sequence[Collection]:
        """Living collections: listed by the provider, or their end is not believed yet."""

    def collection(self, collection_id: int) -> Collection | None: ...
    def collection_by_href(self, person_id: int, href: str) -> Collection | None: ...

    def due(
        self, now: datetime, limit: int, *, latest: datetime | None = None, besides: Iterable[int] = ()
    ) -> Sequence[Collection]:
        """Listed collections of accounts neither paused nor in need of consent whose ``next_pull_at`` has come,
        longest overdue first.

        A ``next_pull_at`` after ``latest`` counts as come: a clock that ran ahead left it behind. ``besides`` are
        account ids to leave out.
        """

    def counts(self, collection_id: int) -> tuple[int, int]:
        """Items published and objects quarantined."""

    def presences(self, account_id: int, kind: Kind) -> Sequence[Presence]:
        """Of every living collection of the kind, by id."""

    # --- before a lease is taken
    def is_at_rest(self, collection_id: int, lease: str) -> bool:
        """Whether nobody has the lease, and no pull left anything to do: no deletion is held, no photo is waited for,
        and the Runs tell of everything that was done."""

    def shared_payloads(self, collection_id: int) -> Mapping[str, Json]:
        """remote_id -> payload of the living SHARED originals."""

    def siblings(self, account_id: int) -> int:
        """How many collections the account has, those included that ended."""

    def lease_at(self, name: str) -> int | None:
        """The generation of a lease that nobody has, 0 if nobody ever had it; None: somebody seems to have it."""

    def is_listed_so(self, account_id: int, kind: Kind, listed: Sequence[RemoteCollection]) -> bool:
        """Whether ``save_collections`` would have nothing to save."""

    def last_listing(self, account_id: int) -> Outcome | None:
        """How the newest Run of a listing of the account's collections ended; None: there is none."""

    # --- originals
    def group(self, collection_id: int, group_id: str) -> Sequence[Original]:
        """Living originals of one group, without the SHARED ones, by remote_id."""

    def groups(self, collection_id: int, group_ids: Sequence[str]) -> Mapping[str, Sequence[Original]]:
        """What ``group`` says of each of these, in few statements; [] where nothing lives."""

    def shared(self, collection_id: int) -> Sequence[Original]:
        """Living SHARED originals of the collection, by remote_id."""

    def group_ids(self, collection_id: int) -> Sequence[str]:
        """Every group that has a living OBJECT or a living item, sorted; "" is not among them."""

    def etags(self, collection_id: int, remote_ids: Sequence[str]) -> Mapping[str, str]:
        """etag of each of these originals that is stored and living."""

    def buried(self, collection_id: int, remote_ids: Sequence[str]) -> Mapping[str, int]:
        """The version with which each of these originals ended, of those that did."""

    def unseen(self, collection_id: int, generation: int) -> Sequence[str]:
        """remote_ids of living OBJECT originals last observed in an older listing than ``generation``, sorted."""

    def groups_awaiting_photo(self, collection_id: int) -> Sequence[str]:
        """Groups that have a living PHOTO original with etag "": it could not be had yet. Sorted, by an index."""

    # --- held deletions
    def held(self, collection_id: int | None = None) -> Sequence[Held]:
        """Of one collection, or all; by collection and remote_id."""

    def count_held(self, collection_id: int) -> int:
        """Items whose end waits; those that a person wants to keep are not counted."""

    def kin(self, collection_id: int, remote_ids: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """The groups that these living OBJECT originals belong to, or that have such a name: group_id -> remote_id ->
        version of every living OBJECT of the group. By its name a group is found whose head never lived here."""

    def groups_provided(self, collection_id: int, group_ids: Sequence[str]) -> Sequence[str]:
        """Those of the groups that have a living item which the provider had; unordered."""

    def count_provided(self, collection_id: int) -> int:
        """Living items that the provider had: all but those that a person put back."""

    # --- items
    def items(self, collection_id: int) -> Iterator[Item]:
        """Living items by href, streamed."""

    def item(self, collection_id: int, href: str) -> Item | None: ...

    def items_by_href(self, collection_id: int, hrefs: Sequence[str]) -> Sequence[Item]:
        """Those that exist, in any order; any number of hrefs."""

    def item_of_group(self, collection_id: int, group_id: str) -> Item | None: ...

    def items_of_groups(self, collection_id: int, group_ids: Sequence[str]) -> Mapping[str, Item]:
        """What ``item_of_group`` says of each of these, in few statements, where there is one."""

    def uid_exists(self, collection_id: int, uid: str) -> bool: ...

    def groups_named(self, collection_id: int, name: str) -> Sequence[str]:
        """Groups that ``name`` may mean: their own id, the href or UID of their living item, the remote_id of one of
        their living originals. Sorted."""

    def changes(
        self, collection_id: int, since: int, *, limit: int | None = None, begun: int | None = None
    ) -> tuple[int, Sequence[Change]]:
        """The collection's revision and what changed after ``since``, oldest first, each href once.

        ``since`` 0 lists living items only. With ``limit`` at most so many; where more changed, the revision is that
        of the last one given, from which the next call goes on. Raises UnknownName when ``since`` lies under the floor
        or ahead of the revision: that sync-token is not valid.

        A first listing that was cut goes on with ``begun``, the collection's revision when it began: with the living,
        and with what died after that; the floor may lie above ``since`` then, but not above ``begun``.
        """

    # --- for DAV's own answers: plain tuples, in the order of hrefs where nothing else is said
    def rendered(self, collection_id: int, *, before: str, between: str, after: str) -> str:
        """``before href between etag after`` of every living item, joined by the database: ten thousand in
        milliseconds. The texts are constants of the program; hrefs and etags are given as they are.

        For collections of clouds only, whose hrefs need no quoting anywhere ([a-z0-9]+ and .vcf or .ics); what clients
        chose for items of local ones may be anything.
        """

    def etags_by_href(self, collection_id: int, hrefs: Sequence[str] | None = None) -> Sequence[tuple[str, str]]:
        """(href, etag) of the living items among ``hrefs``; None: of all."""

    def bodies(self, collection_id: int, hrefs: Sequence[str] | None = None) -> Iterator[tuple[str, str, str]]:
        """(href, etag, body) of the living items among ``hrefs``; None: of all. Streamed."""

    def select(self, collection_id: int, selection: Selection, *, bodies: bool = True) -> Sequence[Candidate]:
        """Every item of which the Selection holds, and every one of which only the body can tell. Without ``bodies``
        only the latter have theirs, the others "".

        Work and memory are those of the answer, not of the collection, where times or equal texts are asked for; a
        part of a text is looked for in the texts of that property alone.
        """

    def busy(
        self, collection_id: int, selection: Selection, *, zone: tzinfo
    ) -> tuple[Sequence[tuple[int, int, str]], Sequence[str]]:
        """(starts_at, ends_at, free_busy) of spans that take time between the bounds, in order, floating ones moved
        to the asker's ``zone``; and the bodies of which only a look can tell, none of them one whose spans are given.
        Raises BadData where the Selection has no bounds."""

    def properties(self, collection_ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """What clients set by PROPPATCH: Clark name -> the element as XML text, for each of the collections."""

    def to_index(self, version: int, *, horizon: int, limit: int) -> Sequence[tuple[int, str, str]]:
        """(item id, component, body) of living items indexed by another version of mapping.indexing, never, or not
        until ``horizon`` (POSIX seconds) though they go on after that. By id; few, found by an index.

        An item whose times cannot be known (no event, or a body that cannot be expanded) is not asked for again.
        """

    def index_of(self, item_id: int) -> SearchIndex | None:
        """What was saved of a living item; None: nothing."""

    # --- quarantine, runs
    def quarantined(self, collection_id: int | None = None) -> Sequence[Quarantined]:
        """Without what the provider no longer has and a person keeps as it is: that waits for nothing."""

    def groups_in_quarantine(self, collection_id: int) -> frozenset[str]:
        """All of them."""

    def runs(
        self,
        *,
        account_id: int | None = None,
        collection_id: int | None = None,
        only_failed: bool = False,
        limit: int = 50,
    ) -> Sequence[Run]:
        """Newest first."""

    def run(self, run_id: int) -> Run | None: ...

    def undoing(self, run_id: int) -> int | None:
        """The newest Run that took this one back; None: none did."""

    def told_to(self, collection_id: int) -> int | None:
        """Up to which revision of the collection its Runs tell what happened; None: it has none."""

    def last_noted(self) -> datetime | None:
        """The latest moment that is stored of a pull; None: nothing was ever pulled."""

    # --- what is gone
    def trash(self, *, account_id: int | None = None, collection_id: int | None = None) -> Iterator[Trashed]:
        """Removed items that can be put back, newest first; of living collections. Streamed."""

    def trashed(self, item_id: int) -> Trashed | None: ...

    def hidden(self, collection_id: int, group_ids: Sequence[str]) -> Mapping[str, tuple[int, Base]]:
        """Of these groups, those whose item a person took away: its id, and what the provider showed then."""

    def earlier(self, item_id: int) -> Sequence[Earlier]:
        """What an item was before, by the revision with which each body ended."""

    def ended_bodies(self, collection_id: int, after: int, upto: int) -> Sequence[tuple[int, int]]:
        """(item id, revision) of every earlier body that ended with a revision after ``after`` and up to ``upto``."""

    def touched(self, collection_id: int, after: int) -> Sequence[Touched]:
        """Items that changed or ended after this revision of the collection, by the one with which they last did."""


class Transaction(Reader, Protocol):
    """Everything that can be done. Every method works at once inside the open transaction."""

    # --- people and devices
    def add_person(self, name: str, now: datetime) -> Person:
        """Raises BadData when the name is taken."""

    def remove_person(self, person_id: int) -> None:
        """Raises NotPermitted while the person still owns accounts."""

    def add_device(self, person_id: int, name: str, secret_hash: bytes, now: datetime) -> Device:
        """Raises BadData when the person has a device of that name."""

    def remove_device(self, device_id: int) -> None: ...
    def touch_device(self, device_id: int, now: datetime) -> None: ...

    # --- accounts and grants
    def add_account(
        self,
        *,
        person_id: int,
        provider: ProviderName,
        subject: str,
        ref: str,
        label: str,
        address: str,
        purposes: Sequence[Purpose],
        writable: bool,
        now: datetime,
    ) -> Account:
        """Raises BadData when the subject, ref or label is taken."""

    def update_account(
        self,
        account_id: int,
        *,
        label: str | None = None,
        address: str | None = None,
        purposes: Sequence[Purpose] | None = None,
        writable: bool | None = None,
        paused: bool | None = None,
    ) -> Account: ...

    def remove_account(self, account_id: int) -> None:
        """With its grant, collections, originals, items and runs."""

    def save_grant(
        self,
        account_id: int,
        *,
        expected_generation: int,
        sealed_refresh_token: bytes,
        scopes: Sequence[str],
        refresh_expires_at: datetime | None,
        now: datetime,
    ) -> Grant:
        """A new consent or a refresh that worked: generation + 1, failures 0, needs_consent off.

        ``expected_generation`` is what the caller read before (0: there was none). Raises Stale when another was
        saved since: keep that one.
        """

    def save_access_token(
        self, account_id: int, audience: str, *, sealed: bytes, expires_at: datetime, generation: int
    ) -> None:
        """Replaces the one of the same audience, unless ``generation`` is older than the grant's."""

    def fail_grant(self, account_id: int, *, error: str, needs_consent: bool, now: datetime) -> Grant:
        """failures + 1; the refresh token stays."""

    def drop_grant(self, account_id: int) -> None:
        """Disconnect: grant and access tokens go, the data stays."""

    # --- leases
    def take_lease(self, name: str, owner: str, *, now: datetime, until: datetime) -> Lease | None:
        """None while somebody else's has not expired. A taken lease has a higher generation than any before it."""

    def keep_lease(self, lease: Lease, *, until: datetime) -> Lease:
        """Raises LeaseLost when it is no longer ours (same owner and generation)."""

    def fence(self, lease: Lease) -> None:
        """Raises LeaseLost when it is no longer ours. Call it first in every transaction done under a lease."""

    def drop_lease(self, lease: Lease) -> None:
        """Silent when it is no longer ours."""

    # --- collections
    def save_collections(
        self, account_id: int, kind: Kind, listed: Sequence[RemoteCollection], *, now: datetime
    ) -> Sequence[Collection]:
        """Add and update what the provider lists; note since when it no longer lists the others of the kind.

        A collection that comes back gets its old href. Unchanged rows are not written.
        """

    def end_collections(self, collection_ids: Sequence[int], *, now: datetime) -> None:
        """They end to be alive. Their rows, items and hrefs stay, for when they come back; for how long counts from
        ``now``."""

    def decide_missing(self, collection_id: int, decision: Decision) -> None:
        """What a person said of the end of a collection that is not listed."""

    def begin_listing(self, collection_id: int) -> int:
        """Start a full listing: generation + 1, the cursor is dropped; returns the generation."""

    def advance(self, collection_id: int, cursor: Cursor | None, next_pull_at: datetime) -> None:
        """Save the cursor with the page it belongs to. None keeps the stored one."""

    def finish_pull(
        self,
        collection_id: int,
        *,
        error: str | None,
        next_pull_at: datetime,
        now: datetime,
        changed: bool = False,
    ) -> None:
        """error None: last_success_at = now, failures 0; else failures + 1. ``changed``: changed_at = now too."""

    def note_quiet(self, collection: Collection, cursor: Cursor, *, next_pull_at: datetime, now: datetime) -> bool:
        """A pull found nothing new behind the cursor of ``collection``. Needs no lease: silent, and False, where the
        collection is not what it was when that was read."""

    def schedule(self, collection_id: int, next_pull_at: datetime) -> None: ...

    def hold(self, *collection_ids: int) -> None:
        """Keep other writers out of these collections until the transaction ends. Whoever decides by what is there
        (a precondition, a free name) holds it before looking. Silent where one is gone."""

    def mapped(self, collection_id: int, codec_version: int) -> None:
        """Every item of the collection is now mapped with this version of its Codec."""

    # --- originals
    def observe(self, collection_id: int, originals: Sequence[Original], *, generation: int = 0) -> Sequence[str]:
        """Upsert originals verbatim; the sorted ids of the groups that changed ("" stands for SHARED).

        The observations of one call count in their order. One that is older than the stored version is ignored, and
        so is a tombstone of something unknown; a version of 0 is unknown, neither older nor newer than any other.
        ``generation`` (0: none) marks what a full listing has seen, also where nothing else changed. An original that
        moved to another group touches both; a tombstone keeps the stored group. What ends as it was is not written.
        """

    def observe_groups(
        self, collection_id: int, originals: Sequence[Original], *, generation: int = 0
    ) -> Mapping[str, Sequence[Original]]:
        """``observe``, and what ``groups`` then says of the groups that changed; "" is not among them."""

    # --- held deletions
    def set_held(self, collection_id: int, rows: Sequence[Held]) -> None:
        """These and no others are held from now on. Of a row that is there the decision stays."""

    def decide_held(self, collection_id: int, decision: Decision, *, overrules: bool = True) -> int:
        """What a person said of all that is held there; how many rows changed their decision. ``overrules``: also of
        what they said otherwise of before."""

    # --- items
    def put(
        self,
        collection_id: int,
        *,
        group_id: str,
        href: str,
        body: str,
        index: BodyIndex,
        base: Base | None,
        now: datetime,
    ) -> Item:
        """Add or replace the item of a group: revision + 1 of the collection, etag from the body's bytes."""

    def put_many(
        self, collection_id: int, drafts: Sequence[Draft], *, now: datetime, keeps_earlier: bool = False
    ) -> None:
        """What ``put`` does for each of these, in few statements; no href and no group may come twice.

        ``keeps_earlier``: a body that is replaced, also that of a tombstone, stays to be put back.
        """

    def agree(self, item_id: int, base: Base) -> None:
        """Only the base moves; neither revision nor etag does. Also of a tombstone."""

    def remove(self, collection_id: int, href: str, *, now: datetime) -> None:
        """Softly: the row stays as a tombstone with its last body; revision + 1."""

    def hide(self, item_id: int, *, remote: Fingerprint | None, now: datetime) -> None:
        """Like ``remove``, but because a person says so: it stays away for as long as the provider shows ``remote``
        (None: it shows nothing)."""

    def forget_trash(self, before: datetime, *, limit: int) -> int:
        """Drop tombstones of items that ended before then, oldest first and at most so many; how many went. Floors
        rise to the highest revision that was dropped. What a person hid stays."""

    def forget_earlier(self, before: datetime, *, limit: int) -> int:
        """Drop bodies that ended before then, oldest first and at most so many; how many went."""

    def forget_collections(self, before: datetime, *, limit: int) -> int:
        """Drop what is left of collections that ended before then: at most so many rows, the collection's own last; how
        many went."""

    def edit(
        self,
        collection_id: int,
        *,
        href: str,
        body: str,
        index: BodyIndex,
        search: SearchIndex,
        now: datetime,
    ) -> Item:
        """What a DAV client wrote. An item that is there keeps its group and its base; a new one gets a group of its
        own. Raises BadData when another living item of the collection has the UID."""

    def rename(self, collection_id: int, href: str, *, to_collection: int, to_href: str, now: datetime) -> Item:
        """Move a living item to a free href, of the same collection or of another local one. Raises BadData, as
        ``edit`` does, and UnknownName when nothing lives at ``href``."""

    def save_index(self, item_id: int, search: SearchIndex, *, version: int, body: str | None = None) -> None:
        """Replace what queries know of an item's body. No revision moves. Silent where the item is gone, or where
        ``body`` (what ``search`` was made of) is given and is not the item's any more."""

    def set_properties(self, collection_id: int, changes: Mapping[str, str | None]) -> None:
        """Clark name -> element as XML text; None takes it away. Neither revision nor ctag moves."""

    def add_local_collection(
        self, person_id: int, kind: Kind, *, href: str, name: str, description: str, now: datetime
    ) -> Collection:
        """In the person's local account. Raises UnknownName when they have none, BadData when the href is taken."""

    def drop_local_collection(self, collection_id: int) -> None:
        """With everything in it. Raises NotPermitted for one of a cloud."""

    def describe_local_collection(self, collection_id: int, *, name: str, description: str) -> None:
        """Raises NotPermitted for one of a cloud, whose name and description the provider gives."""

    # --- quarantine, runs, audit
    def quarantine(self, collection_id: int, group_id: str, reason: str, now: datetime) -> None: ...
    def release(self, collection_id: int, group_id: str) -> None: ...
    def add_run(self, run: Run) -> int: ...
    def forget_runs(self, before: datetime, *, limit: int) -> int: ...
    def audit(self, *, actor: str, action: str, subject: str, now: datetime) -> None: ...


class Store(Protocol):
    """A database that holds the current schema."""

    def read(self) -> AbstractContextManager[Reader]: ...

    def write(self) -> AbstractContextManager[Transaction]:
        """Raises StoreUnavailable, DiskFull; nothing is committed when the block raises."""

    def close(self) -> None: ...
