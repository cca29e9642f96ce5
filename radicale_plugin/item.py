"""One stored item as Radicale wants to see it, with nothing left for vobject to compute."""

from typing import Any

from radicale.item import Item as RadicaleItem
from radicale.storage import BaseCollection

from ccdaemon.dav.revisions import http_date
from ccdaemon.model import Item


class StoredItem(RadicaleItem):
    """All seven lazy fields are given, so that reading, listing and syncing never parse the body."""

    def __init__(self, collection: BaseCollection, row: Item) -> None:
        # Radicale's own __init__ is left out: it only fills these fields and sanitises the path once more per item.
        self._collection_path = collection.path
        self.collection = collection
        self.href = row.href
        self.last_modified = http_date(row.modified_at)
        self._text = row.body
        self._vobject_item = None
        self._etag = row.etag
        self._uid = row.index.uid
        self._name = "VCALENDAR" if row.index.component else "VCARD"
        self._component_name = row.index.component
        self._time_range = (row.index.starts_at, row.index.ends_at)

    @property
    def vobject_item(self) -> Any:
        """The parsed body, for Radicale's filters and expansion only; what is served is the text.

        Both want one VEVENT that is no exception. Invitations to single occurrences of somebody's series have none:
        the first of them stands for it.
        """
        parsed = super().vobject_item
        events = getattr(parsed, "vevent_list", [])
        if events and all(hasattr(event, "recurrence_id") for event in events):
            del events[0].recurrence_id
        return parsed
