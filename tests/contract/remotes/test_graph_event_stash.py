"""What we keep with an Outlook event arrives by every road: the listing, the feed, and the question for one event."""

from datetime import timedelta

import pytest

from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_property
from ccdaemon.model import Collection, Kind, Original, Part, ProviderName, Purpose
from ccdaemon.providers.base import Remote
from tests.contract.remotes.clouds import SERVICES, Clouds, Copy, Tokens, collection_of, now

SERVICE = SERVICES[3]
CODEC = CODECS[ProviderName.MICROSOFT, Kind.EVENTS]
OURS = [graph_property(UID_KEY, "kept@client"), graph_property(STASH_KEY, "X-CLIENT-NOTE:kept\n")]


@pytest.fixture
def opened(clouds: Clouds) -> tuple[Remote, Collection]:
    tokens = Tokens(clouds.oauth(SERVICE.provider), clouds.enrol(SERVICE.provider), Purpose.CALENDAR)
    remote = clouds.provider(SERVICE.provider).remote(SERVICE.kind, tokens)
    return remote, collection_of(remote.collections()[0])


def body_of(original: Original | None) -> str:
    assert original is not None
    return CODEC.to_body([original]) or ""


def is_kept(body: str) -> bool:
    return "UID:kept@client\r\n" in body and "X-CLIENT-NOTE:kept\r\n" in body


@pytest.mark.parametrize("is_series", [False, True], ids=["single", "series"])
def test_trap_32_an_event_keeps_its_uid_by_every_road(
    clouds: Clouds, opened: tuple[Remote, Collection], is_series: bool
) -> None:
    remote, collection = opened
    copy = Copy({})
    copy.follow(remote, collection)
    day = (now() + timedelta(days=30)).date().isoformat()
    times = {
        name: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "UTC"} for name, hour in (("start", 10), ("end", 11))
    }
    patch = {"subject": "Kept", **times, "singleValueExtendedProperties": OURS}
    if is_series:
        extent = {"type": "numbered", "numberOfOccurrences": 3, "startDate": day}
        patch["recurrence"] = {"pattern": {"type": "daily", "interval": 1}, "range": extent}

    made = SERVICE.mutate(clouds, "create", collection.remote_id, patch=patch)["id"]
    copy.follow(remote, collection)
    by_feed = copy.originals[made]
    by_id = remote.get(collection, made)
    whole = Copy({})
    whole.follow(remote, collection)
    by_listing = whole.originals[made]
    SERVICE.mutate(clouds, "delete", collection.remote_id, id=made)

    assert [is_kept(body_of(one)) for one in (by_feed, by_id, by_listing)] == [True, True, True]
    assert by_listing.part is Part.OBJECT
