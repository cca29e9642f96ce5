"""Table ``collection_properties``: what clients set by PROPPATCH, each as the XML that they sent."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, delete, insert, select

from ccdaemon.store.bound import Bound
from ccdaemon.store.schema import collection_properties

OF_COLLECTIONS = (
    select(collection_properties.c.collection_id, collection_properties.c.name, collection_properties.c.value)
    .where(collection_properties.c.collection_id.in_(bindparam("collection_ids", expanding=True)))
    .order_by(collection_properties.c.collection_id, collection_properties.c.name)
)
ADD = insert(collection_properties)
REMOVE = delete(collection_properties).where(
    collection_properties.c.collection_id == bindparam("in_collection"),
    collection_properties.c.name == bindparam("named"),
)


class PropertiesReader(Bound):
    """Clark name -> the element as XML text."""

    def properties(self, collection_ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Of each of these collections, by name; {} of one that has none."""
        found: dict[int, dict[str, str]] = {collection_id: {} for collection_id in collection_ids}
        rows = self.connection.execute(OF_COLLECTIONS, {"collection_ids": list(found)}) if found else ()
        for collection_id, name, value in rows:
            found[collection_id][name] = value
        return found


class PropertiesWriter(PropertiesReader):
    """Setting and taking away."""

    def set_properties(self, collection_id: int, changes: Mapping[str, str | None]) -> None:
        """None takes one away. Neither revision nor ctag moves. Raises UnknownName when there is no such collection."""
        if not changes:
            return
        self.connection.execute(REMOVE, [{"in_collection": collection_id, "named": name} for name in changes])
        added = [
            {"collection_id": collection_id, "name": name, "value": value}
            for name, value in changes.items()
            if value is not None
        ]
        if added:
            self.connection.execute(ADD, added)
