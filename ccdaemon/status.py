"""How every account is, in the shape that ``status --json`` prints and later the console shows (contract.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ccdaemon.model import CLOUDS, Account, AccountState, Collection, Grant, Kind, Outcome, Purpose, Run
from ccdaemon.store.base import Reader

KIND_OF_PURPOSE = {Purpose.CONTACTS: Kind.CONTACTS, Purpose.CALENDAR: Kind.EVENTS, Purpose.TASKS: Kind.TASKS}
"""Which kind of collection a purpose pulls; the other purposes pull none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionStatus:
    """One collection and what it holds."""

    collection: Collection
    items: int
    quarantined: int


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
    collections = [
        CollectionStatus(collection=collection, items=items, quarantined=quarantined)
        for collection in tx.collections(account_id=account.id)
        for items, quarantined in [tx.counts(collection.id)]
    ]
    listing = _failed_listing(tx.runs(account_id=account.id), now - 2 * interval)
    state, problem = _judge(account, grant, [entry.collection for entry in collections], listing, missing)
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
    )


def _failed_listing(runs: Sequence[Run], since: datetime) -> Run | None:
    """The newest listing of the account's collections if it failed, and not long ago."""
    newest = next((run for run in runs if run.collection_id is None), None)
    has_failed = newest is not None and newest.outcome is Outcome.FAILED and newest.finished_at >= since
    return newest if has_failed else None


def _judge(
    account: Account,
    grant: Grant | None,
    collections: Sequence[Collection],
    listing: Run | None,
    missing: Sequence[Purpose],
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
    failing = [collection for collection in collections if collection.last_error is not None]
    if failing and len(failing) == len(collections):
        return AccountState.ERROR, f"no collection could be pulled ({failing[0].last_error})"
    if listing is not None:
        state = AccountState.DEGRADED if collections else AccountState.ERROR
        return state, f"the collections could not be listed ({listing.error}): {listing.detail}"
    if failing:
        return AccountState.DEGRADED, f"{len(failing)} of {len(collections)} collections could not be pulled"
    if missing:
        names = ", ".join(missing)
        return AccountState.DEGRADED, f"consent does not cover {names}; {again} and leave every box ticked"
    if grant.failures:
        return AccountState.DEGRADED, f"the last {grant.failures} refreshes of the grant failed ({grant.last_error})"
    return AccountState.OK, None


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
        "held_deletions": 0,  # nothing is held yet
        "last_success_at": collection.last_success_at,
        "next_pull_at": collection.next_pull_at,
        "failures": collection.failures,
        "last_error": collection.last_error,
    }
