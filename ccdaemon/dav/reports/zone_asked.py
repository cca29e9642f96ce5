"""The time zone in which a report takes dates and floating times where it names none itself (RFC 4791 section 7.3)."""

from datetime import tzinfo

from ccdaemon.dav.properties.calendar_zone import described_zone
from ccdaemon.dav.properties.live import TIME_ZONE, TIME_ZONE_ID
from ccdaemon.dav.trees import text_of, tree
from ccdaemon.mapping.zones import find_zone, first_zone
from ccdaemon.model import Collection
from ccdaemon.store.base import Reader


def zone_of(reader: Reader, collection: Collection) -> tzinfo:
    """What a client has set for the collection, by either property; else the provider's; else UTC."""
    stored = reader.properties([collection.id]).get(collection.id, {})
    if TIME_ZONE_ID in stored and (found := find_zone(text_of(tree(stored[TIME_ZONE_ID].encode())))):
        return found
    if TIME_ZONE in stored and (found := described_zone(text_of(tree(stored[TIME_ZONE].encode())))):
        return found
    return first_zone(collection.time_zone)
