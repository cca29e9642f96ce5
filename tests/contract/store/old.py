"""A database as the first release left it, with items in it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import insert

from ccdaemon.model import BodyIndex, Kind
from ccdaemon.store import engine
from ccdaemon.store.engine import open_store
from ccdaemon.store.items import etag_of
from ccdaemon.store.revisions import REVISIONS
from ccdaemon.store.schema import accounts, collections, items, persons
from tests.contract.store.scene import NOW

FIRST = "0001"
BOOK, CALENDAR = 1, 2
LOST = 7  # the id of a collection that was there and went

PERSON = {"id": 1, "name": "ada", "created_at": NOW}
ACCOUNT = {
    "id": 1,
    "ref": "ref-ada",
    "person_id": 1,
    "provider": "google",
    "subject": "subject-ada",
    "label": "label-ada",
    "address": "ada@example.org",
    "purposes": ("contacts", "calendar"),
    "writable": False,
    "paused": False,
    "grant_generation": 0,
    "created_at": NOW,
}


@contextmanager
def release_of(revision: str) -> Iterator[None]:
    """As if this program were the one that brought this revision."""
    known = REVISIONS[: REVISIONS.index(revision) + 1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "REVISIONS", known)
        patch.setattr(engine, "HEAD", revision)
        yield


def first_release() -> AbstractContextManager[None]:
    """As if this program were the first release."""
    return release_of(FIRST)


def write_old(url: str, calendar: Sequence[tuple[BodyIndex, str]]) -> None:
    """Create the database; the hrefs of its events are their UIDs and ``.ics``."""
    with first_release():
        store = open_store(url, create=True)
        with store.write() as tx:
            tx.connection.execute(insert(persons), PERSON)
            tx.connection.execute(insert(accounts), ACCOUNT)
            for collection_id, kind in ((BOOK, Kind.CONTACTS), (CALENDAR, Kind.EVENTS), (LOST, Kind.TASKS)):
                tx.connection.execute(insert(collections), _collection(collection_id, kind, len(calendar)))
            tx.connection.exec_driver_sql(f"DELETE FROM collections WHERE id = {LOST}")
            if tx.connection.dialect.name == "postgresql":
                tx.connection.exec_driver_sql(f"SELECT setval('collections_id_seq', {LOST})")
            if calendar:
                rows = [_item(number, index, body) for number, (index, body) in enumerate(calendar, 1)]
                tx.connection.execute(insert(items), rows)
        store.close()


def _collection(collection_id: int, kind: Kind, revision: int) -> dict[str, object]:
    return {
        "id": collection_id,
        "account_id": 1,
        "kind": kind,
        "remote_id": f"remote-{kind}",
        "href": f"href{kind}",
        "name": "Name",
        "description": "",
        "remote_writable": False,
        "is_primary": False,
        "listed": True,
        "revision": revision,
        "floor": 0,
        "generation": 1,
        "codec_version": 1,
        "next_pull_at": NOW,
        "failures": 0,
    }


def _item(number: int, index: BodyIndex, body: str) -> dict[str, object]:
    return {
        "collection_id": CALENDAR,
        "href": f"{index.uid}.ics",
        "group_id": index.uid,
        "etag": etag_of(body.encode()),
        "revision": number,
        "deleted": False,
        "uid": index.uid,
        "component": index.component,
        "name": index.name,
        "starts_at": index.starts_at,
        "ends_at": index.ends_at,
        "recurring": index.recurring,
        "modified_at": NOW,
        "body": body,
    }
