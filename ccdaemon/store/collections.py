"""Table ``collections``: what the provider lists, and how far its pull has come."""

from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, case, exists, func, insert, select, update

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Collection, Cursor, Decision, Kind, Part, Presence, ProviderName, RemoteCollection
from ccdaemon.store.bound import Bound
from ccdaemon.store.prepared import Prepared, PreparedValues
from ccdaemon.store.schema import accounts, collections, grants, held_deletions, items, originals, quarantine

WRITE_BACK = False
"""Whether a DAV write can reach a provider. Until then collections of clouds are read-only, whatever those allow."""

HREF_CHARACTERS = 16  # 80 bits
KINDS, PROVIDERS = {str(kind): kind for kind in Kind}, {str(name): name for name in ProviderName}

DESCRIPTION = ("name", "description", "color", "time_zone", "remote_writable", "is_primary")
"""Columns that say what the provider lists; all others are the state of our pull."""

OTHER, OTHERS_ACCOUNT = collections.alias("other"), accounts.alias("others_account")
HAS_NAMESAKE = (
    select(OTHER.c.id)
    .join(OTHERS_ACCOUNT, OTHERS_ACCOUNT.c.id == OTHER.c.account_id)
    .where(
        OTHERS_ACCOUNT.c.person_id == accounts.c.person_id,
        OTHERS_ACCOUNT.c.id != accounts.c.id,
        OTHER.c.kind == collections.c.kind,
        OTHER.c.listed,
        OTHER.c.name == collections.c.name,
    )
    .exists()
)
TITLE = case((HAS_NAMESAKE, collections.c.name + " (" + accounts.c.label + ")"), else_=collections.c.name)
"""Two accounts of one person usually both have a "Contacts"."""

ALL: Select[*tuple[Any, ...]] = (
    select(
        collections.c.id,
        collections.c.account_id,
        accounts.c.person_id,
        collections.c.kind,
        collections.c.remote_id,
        collections.c.href,
        collections.c.name,
        collections.c.description,
        collections.c.color,
        collections.c.time_zone,
        TITLE.label("title"),
        accounts.c.address,
        accounts.c.provider,
        (collections.c.remote_writable & accounts.c.writable).label("writable"),
        collections.c.is_primary,
        collections.c.revision,
        collections.c.floor,
        collections.c.cursor,
        collections.c.generation,
        collections.c.codec_version,
        collections.c.next_pull_at,
        collections.c.last_success_at,
        collections.c.changed_at,
        collections.c.missing_since,
        collections.c.failures,
        collections.c.last_error,
    )
    .join(accounts, accounts.c.id == collections.c.account_id)
    .where(collections.c.listed)
)
IN_ORDER = ALL.order_by(collections.c.id)


def _collection(
    collection_id: int,
    account_id: int,
    person_id: int,
    kind: str,
    remote_id: str,
    href: str,
    name: str,
    description: str,
    color: str | None,
    time_zone: str | None,
    title: str,
    address: str,
    provider: str,
    writable: bool,
    is_primary: bool,
    revision: int,
    floor: int,
    cursor: Cursor | None,
    generation: int,
    codec_version: int,
    next_pull_at: datetime,
    last_success_at: datetime | None,
    changed_at: datetime | None,
    missing_since: datetime | None,
    failures: int,
    last_error: str | None,
) -> Collection:
    """From the columns of ALL, in their order: a home is polled for ever."""
    is_local = provider == ProviderName.LOCAL
    return Collection(
        id=collection_id,
        account_id=account_id,
        person_id=person_id,
        kind=KINDS[kind],
        remote_id=remote_id,
        href=href,
        name=name,
        description=description,
        color=color,
        time_zone=time_zone,
        title=title,
        address=address,
        provider=PROVIDERS[provider],
        writable=is_local or (WRITE_BACK and bool(writable)),
        is_primary=is_primary,
        revision=revision,
        floor=floor,
        cursor=cursor,
        generation=generation,
        codec_version=codec_version,
        next_pull_at=next_pull_at,
        last_success_at=last_success_at,
        changed_at=changed_at,
        missing_since=missing_since,
        failures=failures,
        last_error=last_error,
    )


OF_PERSON = PreparedValues(IN_ORDER.where(accounts.c.person_id == bindparam("person_id")), _collection)
OF_ACCOUNT = PreparedValues(IN_ORDER.where(collections.c.account_id == bindparam("account_id")), _collection)
BY_ID = PreparedValues(ALL.where(collections.c.id == bindparam("id")), _collection)
BY_HREF = PreparedValues(
    ALL.where(collections.c.href == bindparam("href"), accounts.c.person_id == bindparam("person_id")), _collection
)
PULLABLE = (
    ALL.join(grants, grants.c.account_id == collections.c.account_id)
    .where(
        collections.c.account_id.not_in(bindparam("besides", expanding=True)),
        ~accounts.c.paused,
        ~grants.c.needs_consent,
        collections.c.missing_since.is_(None),
    )
    .order_by(collections.c.next_pull_at, collections.c.id)
    .limit(bindparam("limit"))
)
DUE = PULLABLE.where(collections.c.next_pull_at <= bindparam("now"))
TOO_FAR = PULLABLE.where(collections.c.next_pull_at > bindparam("latest"))  # apart: an OR of both would use no index
COUNT_ITEMS = select(func.count()).where(items.c.collection_id == bindparam("collection_id"), ~items.c.deleted)
LIVING_OBJECTS_IN_QUARANTINE = (
    originals.c.collection_id == quarantine.c.collection_id,
    originals.c.group_id == quarantine.c.group_id,
    ~originals.c.deleted,
    originals.c.part == Part.OBJECT,
)
IS_KEPT_BY_PERSON = exists().where(*LIVING_OBJECTS_IN_QUARANTINE) & ~exists().where(
    *LIVING_OBJECTS_IN_QUARANTINE,
    ~exists().where(
        held_deletions.c.collection_id == originals.c.collection_id,
        held_deletions.c.remote_id == originals.c.remote_id,
        held_deletions.c.decision == Decision.REJECTED,
    ),
)
"""Of a group in quarantine: the provider has nothing of it any more, and a person wants what it published to stay.
Nothing could be published instead until the provider shows something of it again."""

COUNT_QUARANTINED = select(func.count()).where(
    quarantine.c.collection_id == bindparam("collection_id"), ~IS_KEPT_BY_PERSON
)

OWNER = (
    select(accounts.c.provider, accounts.c.subject).where(accounts.c.id == bindparam("account_id")).with_for_update()
)
LISTED = {"listed": True, "missing_since": None, "missing_decision": Decision.NONE}
"""Columns of a collection that the provider lists."""

STORED = select(
    collections.c.id,
    collections.c.remote_id,
    collections.c.listed,
    collections.c.missing_since,
    *(collections.c[name] for name in DESCRIPTION),
).where(collections.c.account_id == bindparam("account_id"), collections.c.kind == bindparam("kind"))
PRESENCES = (
    select(
        collections.c.id,
        select(func.count()).where(items.c.collection_id == collections.c.id, ~items.c.deleted).scalar_subquery(),
        collections.c.missing_since,
        collections.c.missing_decision,
    )
    .where(
        collections.c.account_id == bindparam("account_id"),
        collections.c.kind == bindparam("kind"),
        collections.c.listed,
    )
    .order_by(collections.c.id)
)
ADD = insert(collections)
CHANGE = update(collections).where(collections.c.id == bindparam("row_id"))

LOCK = Prepared(select(collections.c.revision).where(collections.c.id == bindparam("row_id")).with_for_update())
MOVE = CHANGE.values(revision=collections.c.revision + bindparam("by")).returning(collections.c.revision)
BEGIN_LISTING = CHANGE.values(generation=collections.c.generation + 1, cursor=None).returning(collections.c.generation)
FAIL_PULL = CHANGE.values(
    failures=collections.c.failures + 1, last_error=bindparam("error"), next_pull_at=bindparam("at")
)


class CollectionsReader(Bound):
    """Living collections: those that the provider lists, or whose end is not believed yet. Others are as if unknown."""

    def collections(self, *, account_id: int | None = None, person_id: int | None = None) -> Sequence[Collection]:
        """Of one account, of one person, or all."""
        if person_id is not None:
            of_person = OF_PERSON.all(self.connection, {"person_id": person_id})
            return [found for found in of_person if account_id in (None, found.account_id)]
        if account_id is not None:
            return OF_ACCOUNT.all(self.connection, {"account_id": account_id})
        return [_collection(*row) for row in self.connection.execute(IN_ORDER)]

    def collection(self, collection_id: int) -> Collection | None:
        """By our number."""
        return BY_ID.first(self.connection, {"id": collection_id})

    def collection_by_href(self, person_id: int, href: str) -> Collection | None:
        """By the path segment; somebody else's is as if it did not exist."""
        return BY_HREF.first(self.connection, {"person_id": person_id, "href": href})

    def due(
        self, now: datetime, limit: int, *, latest: datetime | None = None, besides: Iterable[int] = ()
    ) -> Sequence[Collection]:
        """Those whose ``next_pull_at`` has come or lies after ``latest``, longest overdue first.

        Not those of accounts that are paused, need consent, have no grant at all, or are among ``besides``; nor those
        that the provider does not list.
        """
        asked = {"besides": list(besides), "limit": limit}
        found = list(self.connection.execute(DUE, {**asked, "now": now}))
        if latest is not None and len(found) < limit:
            too_far = self.connection.execute(TOO_FAR, {**asked, "latest": latest, "limit": limit - len(found)})
            found += too_far
        return [_collection(*row) for row in found]

    def counts(self, collection_id: int) -> tuple[int, int]:
        """Items published and objects quarantined."""
        this = {"collection_id": collection_id}
        published: int = self.connection.execute(COUNT_ITEMS, this).scalar_one()
        quarantined: int = self.connection.execute(COUNT_QUARANTINED, this).scalar_one()
        return published, quarantined

    def presences(self, account_id: int, kind: Kind) -> Sequence[Presence]:
        """Of every living collection of the kind, by id."""
        rows = self.connection.execute(PRESENCES, {"account_id": account_id, "kind": kind})
        return [
            Presence(collection_id=row_id, items=count, missing_since=since, decision=Decision(decision))
            for row_id, count, since, decision in rows
        ]


class CollectionsWriter(CollectionsReader):
    """What the provider lists, and the state of pulls. Unknown collections raise UnknownName."""

    def save_collections(
        self, account_id: int, kind: Kind, listed: Sequence[RemoteCollection], *, now: datetime
    ) -> Sequence[Collection]:
        """Add and update what the provider lists; note since when it no longer lists the others of the kind, which live
        on until ``end_collections``.

        One that comes back gets its old href and items, and its next pull lists everything. New ones and those that
        came back are due at once. Unchanged rows are not written. Gives the living ones of the kind.
        """
        owner = self.connection.execute(OWNER, {"account_id": account_id}).mappings().first()
        if owner is None:
            raise UnknownName(f"there is no account {account_id}")
        stored = {
            row["remote_id"]: row
            for row in self.connection.execute(STORED, {"account_id": account_id, "kind": kind}).mappings()
        }
        seen = {remote.remote_id: remote for remote in listed}
        for remote in seen.values():
            self._save_collection(account_id, owner, kind, remote, stored.get(remote.remote_id), now)
        for remote_id, row in stored.items():
            since = row["missing_since"]
            if remote_id not in seen and (since is None or since > now):  # later than now: the clock was put back
                # whether it can be pulled is no question any more
                self._change_collection(row["id"], {"missing_since": now, "failures": 0, "last_error": None})
        return [found for found in self.collections(account_id=account_id) if found.kind is kind]

    def end_collections(self, collection_ids: Sequence[int], *, now: datetime) -> None:
        """They end to be alive. Their rows, items and hrefs stay, for when they come back; for how long counts from
        now, however long they waited for a person's word."""
        for collection_id in collection_ids:
            self._change_collection(collection_id, {"listed": False, "missing_since": now})

    def decide_missing(self, collection_id: int, decision: Decision) -> None:
        """What a person said of the end of a collection that is not listed."""
        self._change_collection(collection_id, {"missing_decision": decision})

    def begin_listing(self, collection_id: int) -> int:
        """Start a full listing: generation + 1, the cursor is dropped; returns the generation."""
        generation: int | None = self.connection.execute(BEGIN_LISTING, {"row_id": collection_id}).scalar()
        if generation is None:
            raise _unknown(collection_id)
        return generation

    def advance(self, collection_id: int, cursor: Cursor | None, next_pull_at: datetime) -> None:
        """Save the cursor with the page it belongs to. None keeps the stored one."""
        values: dict[str, Any] = {"next_pull_at": next_pull_at}
        if cursor is not None:
            values["cursor"] = cursor
        self._change_collection(collection_id, values)

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
        if error is None:
            values = {"last_success_at": now, "failures": 0, "last_error": None, "next_pull_at": next_pull_at}
            self._change_collection(collection_id, {**values, **({"changed_at": now} if changed else {})})
            return
        row = {"row_id": collection_id, "error": error, "at": next_pull_at}
        if self.connection.execute(FAIL_PULL, row).rowcount == 0:
            raise _unknown(collection_id)

    def schedule(self, collection_id: int, next_pull_at: datetime) -> None:
        """Only the next pull moves."""
        self._change_collection(collection_id, {"next_pull_at": next_pull_at})

    def hold(self, *collection_ids: int) -> None:
        """Keep other writers out of these collections until the transaction ends: what is read after this still holds
        when something is written. In one order, so that no two wait for each other. Silent where one is gone.
        """
        for collection_id in sorted(set(collection_ids)):
            LOCK.first(self.connection, {"row_id": collection_id})

    def mapped(self, collection_id: int, codec_version: int) -> None:
        """Every item of the collection is now mapped with this version of its Codec."""
        self._change_collection(collection_id, {"codec_version": codec_version})

    def _save_collection(
        self,
        account_id: int,
        owner: RowMapping,
        kind: Kind,
        remote: RemoteCollection,
        stored: RowMapping | None,
        now: datetime,
    ) -> None:
        if remote.kind is not kind:
            raise BadData(f"account {account_id}: a collection of {remote.kind} among those of {kind}")
        described = description(remote)
        if stored is None:
            href = collection_href(owner["provider"], owner["subject"], kind, remote.remote_id)
            identity = {"account_id": account_id, "kind": kind, "remote_id": remote.remote_id, "href": href}
            self.connection.execute(ADD, {**identity, **described, **new_pull(now)})
        elif not stored["listed"]:
            again = {**LISTED, "cursor": None, "next_pull_at": now, "failures": 0, "last_error": None}
            self._change_collection(stored["id"], {**described, **again})
        elif stored["missing_since"] is not None:
            self._change_collection(stored["id"], {**described, **LISTED, "next_pull_at": now})
        elif any(stored[name] != value for name, value in described.items()):
            self._change_collection(stored["id"], described)

    def _change_collection(self, collection_id: int, values: Mapping[str, Any]) -> None:
        if self.connection.execute(CHANGE, {"row_id": collection_id, **values}).rowcount == 0:
            raise _unknown(collection_id)


def collection_href(provider: str, subject: str, kind: Kind, remote_id: str) -> str:
    """The path segment of a collection: says nothing, and is the same on every machine and after a new start."""
    named = "|".join((provider, subject, kind, remote_id))
    return b32encode(sha256(named.encode()).digest()).decode().lower()[:HREF_CHARACTERS]


def lock_collection(connection: Connection, collection_id: int) -> int:
    """Keep other writers out of the collection until the transaction ends; its revision.

    Raises UnknownName when there is no such row.
    """
    row = LOCK.first(connection, {"row_id": collection_id})
    if row is None:
        raise _unknown(collection_id)
    revision: int = row[0]
    return revision


def move_revision(connection: Connection, collection_id: int, *, by: int = 1) -> int:
    """The collection's new revision. Other writers wait from here, so that revisions are committed in their order."""
    revision: int | None = connection.execute(MOVE, {"row_id": collection_id, "by": by}).scalar()
    if revision is None:
        raise _unknown(collection_id)
    return revision


def description(remote: RemoteCollection) -> dict[str, Any]:
    """What the provider says of a collection, by column."""
    return {
        "name": remote.name,
        "description": remote.description,
        "color": remote.color,
        "time_zone": remote.time_zone,
        "remote_writable": remote.writable,
        "is_primary": remote.is_primary,
    }


def new_pull(now: datetime) -> dict[str, Any]:
    """The state of the pull of a collection that never had one."""
    return {
        "listed": True,
        "revision": 0,
        "floor": 0,
        "generation": 0,
        "codec_version": 0,
        "next_pull_at": now,
        "failures": 0,
    }


def _unknown(collection_id: int) -> UnknownName:
    return UnknownName(f"there is no collection {collection_id}")
