"""How every account is, in the shape that ``status --json`` prints and later the console shows (contract.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ccdaemon.errors import DELETIONS_HELD, DiskFull
from ccdaemon.model import CLOUDS, Account, AccountState, Collection, Grant, Kind, Outcome, Purpose, Run
from ccdaemon.store.base import Reader
from ccdaemon.sync.guard import collections_awaiting_person

KIND_OF_PURPOSE = {Purpose.CONTACTS: Kind.CONTACTS, Purpose.CALENDAR: Kind.EVENTS, Purpose.TASKS: Kind.TASKS}
"""Which kind of collection a purpose pulls; the other purposes pull none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionStatus:
    """One collection and what it holds."""

    collection: Collection
    items: int
    quarantined: int
    held: int = 0  # items whose end waits for a second look or for a person

    @property
    def last_error(self) -> str | None:
        """Stable word; None while all is well."""
        return self.collection.last_error or (DELETIONS_HELD if self.held else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountStatus:
    """One account with everything that can be said of it."""

    account: Account
    person: str
    state: AccountState
    endpoint: str | None  # non-standard; None: the provider's real hosts
    grant: Grant | None
    collections: Sequence[CollectionStatus]
    problem: str | None  # the first thing a person should know, in a sentence; None when all is well
    retry_at: datetime | None  # when what failed is tried again, the first of it; None: nothing failed


def account_status(
    tx: Reader,
    account: Account,
    *,
    endpoint: str | None,
    missing: Sequence[Purpose],
    interval: timedelta,
    now: datetime,
) -> AccountStatus:
    """What is known of one account. ``missing``: purposes asked for that the granted scopes do not cover."""
    grant = tx.grant(account.id)
    person = tx.person_by_id(account.person_id)
    ending = _awaiting_person(tx, account.id)
    collections = [
        CollectionStatus(
            collection=collection,
            items=items,
            quarantined=quarantined,
            held=items if collection.id in ending else tx.count_held(collection.id),
        )
        for collection in tx.collections(account_id=account.id)
        for items, quarantined in [tx.counts(collection.id)]
    ]
    runs = tx.runs(account_id=account.id)
    listing = _failed_listing(runs, now - 2 * interval)
    state, problem = _judge(account, grant, collections, listing, missing, _reason(runs, collections))
    aside = sum(entry.quarantined for entry in collections)
    if problem is None and aside:  # the account works as it should; the object is its owner's business
        problem = f"{aside} objects could not be published: ccdaemon quarantine list"
    return AccountStatus(
        account=account,
        person=person.name if person else "",
        state=state,
        endpoint=endpoint,
        grant=grant,
        collections=collections,
        problem=problem,
        retry_at=_retry_at(collections) if state in {AccountState.DEGRADED, AccountState.ERROR} else None,
    )


def _retry_at(collections: Sequence[CollectionStatus]) -> datetime | None:
    failing = (entry.collection for entry in collections if entry.collection.last_error is not None)
    return min((collection.next_pull_at for collection in failing), default=None)


def _reason(runs: Sequence[Run], collections: Sequence[CollectionStatus]) -> str:
    """What the newest pull that failed said, of those that have not worked since, and when it is tried again; "" where
    nothing failed."""
    failing = {one.collection.id: one.collection for one in collections if one.collection.last_error is not None}
    told = next((run for run in runs if run.collection_id in failing and run.outcome is Outcome.FAILED), None)
    retry_at = _retry_at(collections)
    if retry_at is None:
        return ""
    error, detail = (told.error, told.detail) if told else (next(iter(failing.values())).last_error, None)
    again = retry_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"({error}){f': {detail}' if detail else ''}; tried again at {again}"


def _awaiting_person(tx: Reader, account_id: int) -> frozenset[int]:
    """Collections that the provider no longer lists and that end by a person's word only."""
    kinds = {one.kind for one in tx.collections(account_id=account_id) if one.missing_since}
    return frozenset().union(*(collections_awaiting_person(tx.presences(account_id, kind)) for kind in kinds))


def _failed_listing(runs: Sequence[Run], since: datetime) -> Run | None:
    """The newest listing of the account's collections if it failed, and not long ago."""
    newest = next((run for run in runs if run.collection_id is None), None)
    has_failed = newest is not None and newest.outcome is Outcome.FAILED and newest.finished_at >= since
    return newest if has_failed else None


def _judge(
    account: Account,
    grant: Grant | None,
    collections: Sequence[CollectionStatus],
    listing: Run | None,
    missing: Sequence[Purpose],
    reason: str,
) -> tuple[AccountState, str | None]:
    """The worst thing that is true, and a sentence about it."""
    again = f"enrol it again: ccdaemon enroll {account.provider}"
    if account.paused:
        return AccountState.PAUSED, None
    if account.provider not in CLOUDS:  # there is nobody to ask, and nothing to ask for
        return AccountState.OK, None
    if grant is None:
        return AccountState.NEEDS_CONSENT, f"the account is disconnected; {again}"
    if grant.needs_consent:
        return AccountState.NEEDS_CONSENT, f"{account.provider} no longer accepts the grant; {again}"
    failing = [entry.collection for entry in collections if entry.collection.last_error is not None]
    held = sum(entry.held for entry in collections)
    if failing and len(failing) == len(collections):
        return AccountState.ERROR, f"no collection could be pulled {reason}"
    if listing is not None:
        state = AccountState.DEGRADED if collections else AccountState.ERROR
        return state, f"the collections could not be listed ({listing.error}): {listing.detail}"
    if held:
        told = f"{held} deletions are held, everything stays published: ccdaemon deletions list {account.ref}"
        return AccountState.DEGRADED, told
    if failing:
        return AccountState.DEGRADED, f"{len(failing)} of {len(collections)} collections could not be pulled {reason}"
    if missing:
        names = ", ".join(missing)
        return AccountState.DEGRADED, f"consent does not cover {names}; {again} and leave every box ticked"
    if grant.failures:
        return AccountState.DEGRADED, f"the last {grant.failures} refreshes of the grant failed ({grant.last_error})"
    return AccountState.OK, None


def without_room(status: AccountStatus) -> AccountStatus:
    """The same where nothing can be stored: what every collection with a cloud suffers from, unless it is worse off."""
    if status.state in {AccountState.PAUSED, AccountState.NEEDS_CONSENT} or status.account.provider not in CLOUDS:
        return status
    return replace(
        status,
        state=AccountState.ERROR if status.state is AccountState.ERROR else AccountState.DEGRADED,
        problem="nothing new can be stored (disk_full): the disk is full, or may only be read; "
        "what is there is still served",
        collections=[
            replace(entry, collection=replace(entry.collection, last_error=DiskFull.code))
            for entry in status.collections
        ],
    )


def as_json(status: AccountStatus) -> dict[str, object]:
    """The object of contract.md for one account; times stay datetimes."""
    grant = status.grant
    return {
        "account": status.account.ref,
        "provider": status.account.provider,
        "label": status.account.label,
        "person": status.person,
        "state": status.state,
        "problem": status.problem,
        "retry_at": status.retry_at,
        "endpoint": status.endpoint,
        "grant": {
            "access_expires_at": grant.access_expires_at if grant else None,
            "refresh_expires_at": grant.refresh_expires_at if grant else None,
            "failures": grant.failures if grant else 0,
            "last_error": grant.last_error if grant else _of_no_grant(status.account),
        },
        "collections": [_collection_json(entry) for entry in status.collections],
        "outbox": {"pending": 0, "conflicts": 0, "dead": 0},  # nothing is written back yet
    }


def _of_no_grant(account: Account) -> str | None:
    return "consent_needed" if account.provider in CLOUDS else None


def _collection_json(entry: CollectionStatus) -> dict[str, object]:
    collection = entry.collection
    return {
        "collection": collection.href,
        "kind": collection.kind,
        "name": collection.name,
        "items": entry.items,
        "quarantined": entry.quarantined,
        "held_deletions": entry.held,
        "missing_since": collection.missing_since,
        "last_success_at": collection.last_success_at,
        "next_pull_at": collection.next_pull_at,
        "failures": collection.failures,
        "last_error": entry.last_error,
    }
