"""What the store's tests put into a database before they ask something of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ccdaemon.model import (
    TIME_MAX,
    TIME_MIN,
    Account,
    Base,
    BodyIndex,
    Collection,
    Fingerprint,
    Grant,
    Json,
    Kind,
    Original,
    Part,
    Person,
    ProviderName,
    Purpose,
    RemoteCollection,
)
from ccdaemon.store.base import Draft, Transaction

NOW = datetime(2026, 11, 24, 8, 30, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Scene:
    person: Person
    account: Account
    grant: Grant
    book: Collection
    calendar: Collection


def enrolled(tx: Transaction, name: str) -> Scene:
    person = tx.add_person(name, NOW)
    account = add_account(tx, person, name)
    grant = save_grant(tx, account.id, expected_generation=0)
    [book] = tx.save_collections(account.id, Kind.CONTACTS, [remote("people", Kind.CONTACTS)], now=NOW)
    [calendar] = tx.save_collections(account.id, Kind.EVENTS, [remote("primary", Kind.EVENTS)], now=NOW)
    return Scene(person=person, account=account, grant=grant, book=book, calendar=calendar)


def add_account(tx: Transaction, person: Person, name: str) -> Account:
    return tx.add_account(
        person_id=person.id,
        provider=ProviderName.GOOGLE,
        subject=f"subject-{name}",
        ref=f"ref-{name}",
        label=f"label-{name}",
        address=f"{name}@example.org",
        purposes=[Purpose.CONTACTS, Purpose.CALENDAR],
        writable=False,
        now=NOW,
    )


def save_grant(tx: Transaction, account_id: int, *, expected_generation: int, sealed: bytes = b"sealed") -> Grant:
    return tx.save_grant(
        account_id,
        expected_generation=expected_generation,
        sealed_refresh_token=sealed,
        scopes=["contacts", "calendar"],
        refresh_expires_at=None,
        now=NOW,
    )


def remote(remote_id: str, kind: Kind, *, name: str = "Name", color: str | None = None) -> RemoteCollection:
    return RemoteCollection(remote_id=remote_id, kind=kind, name=name, color=color)


def original(
    remote_id: str,
    *,
    group_id: str | None = None,
    part: Part = Part.OBJECT,
    etag: str = "e",
    version: int = 1,
    payload: Json | None = None,
) -> Original:
    return Original(
        remote_id=remote_id,
        group_id=remote_id if group_id is None else group_id,
        part=part,
        etag=etag,
        version=version,
        payload={"id": remote_id} if payload is None else payload,
    )


def tombstone(remote_id: str, *, group_id: str | None = None, version: int = 0) -> Original:
    return Original(
        remote_id=remote_id,
        group_id=remote_id if group_id is None else group_id,
        part=Part.OBJECT,
        etag="",
        version=version,
        payload={},
        deleted=True,
    )


def shared(remote_id: str, *, version: int = 1, payload: Json | None = None) -> Original:
    return original(remote_id, group_id="", part=Part.SHARED, version=version, payload=payload)


def photo(remote_id: str, *, etag: str) -> Original:
    return original(f"{remote_id}#photo", group_id=remote_id, part=Part.PHOTO, etag=etag, version=0, payload={})


def index(uid: str = "uid") -> BodyIndex:
    return BodyIndex(uid=uid, component="VEVENT", name="Lunch", starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False)


def base(word: str) -> Base:
    return Base(local=Fingerprint(f"local-{word}"), remote=Fingerprint(f"remote-{word}"))


def draft(group_id: str, *, href: str | None = None, body: str = "BODY\r\n", agreed: Base | None = None) -> Draft:
    return Draft(group_id=group_id, href=href or f"{group_id}.ics", body=body, index=index(group_id), base=agreed)
