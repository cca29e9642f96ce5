"""What DAV clients write: items, and the collections of local accounts, which nothing pulls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from ccdaemon.errors import BadData, NotPermitted, UnknownName
from ccdaemon.model import BodyIndex, Collection, Item, Kind, ProviderName, SearchIndex
from ccdaemon.store.base import Draft
from ccdaemon.store.collections import CHANGE, CollectionsWriter, lock_collection, new_pull
from ccdaemon.store.items import ItemsWriter
from ccdaemon.store.prepared import Prepared
from ccdaemon.store.schema import accounts, collections, items

LOCAL_ACCOUNT = (
    select(accounts.c.id)
    .where(accounts.c.person_id == bindparam("person_id"), accounts.c.provider == ProviderName.LOCAL)
    .order_by(accounts.c.id)
    .limit(1)
    .with_for_update()
)
TAKEN = (
    select(collections.c.id)
    .join(accounts, accounts.c.id == collections.c.account_id)
    .where(collections.c.href == bindparam("href"), accounts.c.person_id == bindparam("person_id"))
)
NAMESAKE = Prepared(
    select(items.c.id)
    .where(
        items.c.collection_id == bindparam("collection_id"),
        items.c.uid == bindparam("uid"),
        ~items.c.deleted,
        items.c.href != bindparam("href"),
    )
    .limit(1)
)
PROVIDER = (
    select(accounts.c.provider)
    .join(collections, collections.c.account_id == accounts.c.id)
    .where(collections.c.id == bindparam("collection_id"))
)
ADD = insert(collections)
DROP = delete(collections).where(collections.c.id == bindparam("row_id"))


class LocalWriter(CollectionsWriter, ItemsWriter):
    """Everything that a DAV client may change."""

    def edit(
        self, collection_id: int, *, href: str, body: str, index: BodyIndex, search: SearchIndex, now: datetime
    ) -> Item:
        """What a DAV client wrote. An item that is there keeps its group and its base; a new one gets a group of its
        own. The very same body again moves no revision.

        Raises BadData when another living item of the collection has the UID, UnknownName when there is no such
        collection.
        """
        revision = lock_collection(self.connection, collection_id)
        self._refuse_uid(collection_id, index.uid, besides=href)
        stored = self.item(collection_id, href)
        draft = Draft(
            group_id=stored.group_id if stored else _own_group(revision),
            href=href,
            body=body,
            index=index,
            base=stored.base if stored else None,
            search=search,
        )
        return self._written(collection_id, draft, now)

    def rename(self, collection_id: int, href: str, *, to_collection: int, to_href: str, now: datetime) -> Item:
        """Move a living item to a free href, of the same collection or of another local one.

        Raises BadData when something lives at ``to_href`` or another item there has the UID, UnknownName when nothing
        lives at ``href``, NotPermitted when one of two collections is of a cloud.
        """
        revisions = {one: lock_collection(self.connection, one) for one in sorted({collection_id, to_collection})}
        if collection_id != to_collection:
            self._refuse_cloud(collection_id)
            self._refuse_cloud(to_collection)
        item = self.item(collection_id, href)
        if item is None:
            raise UnknownName(f"collection {collection_id}: nothing lives at that href")
        if self.item(to_collection, to_href) is not None:
            raise BadData(f"collection {to_collection}: that href is taken")
        if collection_id != to_collection:
            self._refuse_uid(to_collection, item.index.uid, besides=to_href)
        draft = Draft(
            group_id=item.group_id if collection_id == to_collection else _own_group(revisions[to_collection]),
            href=to_href,
            body=item.body,
            index=item.index,
            base=item.base,
            search=self.index_of(item.id),
        )
        self.remove(collection_id, href, now=now)
        return self._written(to_collection, draft, now)

    def add_local_collection(
        self, person_id: int, kind: Kind, *, href: str, name: str, description: str, now: datetime
    ) -> Collection:
        """In the person's local account. Raises UnknownName when they have none, BadData when the href is taken."""
        account_id: int | None = self.connection.execute(LOCAL_ACCOUNT, {"person_id": person_id}).scalar()
        if account_id is None:
            raise UnknownName(f"person {person_id} has no local account")
        if self.connection.execute(TAKEN, {"person_id": person_id, "href": href}).first() is not None:
            raise BadData(f"person {person_id}: another collection has this href")
        row: Mapping[str, Any] = {
            "account_id": account_id,
            "kind": kind,
            "remote_id": href,
            "href": href,
            "name": name,
            "description": description,
            "remote_writable": True,
            "is_primary": False,
            **new_pull(now),
        }
        self.connection.execute(ADD, row)
        collection = self.collection_by_href(person_id, href)
        assert collection is not None, "what was added is there"
        return collection

    def drop_local_collection(self, collection_id: int) -> None:
        """With everything in it. Raises NotPermitted for one of a cloud, UnknownName when there is none."""
        self._refuse_cloud(collection_id)
        self.connection.execute(DROP, {"row_id": collection_id})

    def describe_local_collection(self, collection_id: int, *, name: str, description: str) -> None:
        """Raises NotPermitted for one of a cloud, UnknownName when there is none."""
        self._refuse_cloud(collection_id)
        self.connection.execute(CHANGE, {"row_id": collection_id, "name": name, "description": description})

    def _written(self, collection_id: int, draft: Draft, now: datetime) -> Item:
        self.put_many(collection_id, [draft], now=now)
        item = self.item(collection_id, draft.href)
        assert item is not None, "what was put is there"
        return item

    def _refuse_uid(self, collection_id: int, uid: str, *, besides: str) -> None:
        asked = {"collection_id": collection_id, "uid": uid, "href": besides}
        if NAMESAKE.first(self.connection, asked) is not None:
            raise BadData(f"collection {collection_id}: another item has this UID")

    def _refuse_cloud(self, collection_id: int) -> None:
        provider = self.connection.execute(PROVIDER, {"collection_id": collection_id}).scalar()
        if provider is None:
            raise UnknownName(f"there is no collection {collection_id}")
        if provider != ProviderName.LOCAL:
            raise NotPermitted(f"collection {collection_id} is of {provider}: only what is kept here alone is changed")


def _own_group(revision: int) -> str:
    """The group of a new item, which nothing was made of: no other write of the collection has had this revision."""
    return f"dav:{revision + 1}"
