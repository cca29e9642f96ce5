"""What we keep with an Outlook contact comes when that one contact is asked for; its change feed cannot tell it."""

from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_property
from ccdaemon.model import Kind, ProviderName, Purpose
from tests.contract.remotes.clouds import SERVICES, Clouds, Tokens, collection_of

SERVICE = next(one for one in SERVICES if (one.provider, one.kind) == (ProviderName.MICROSOFT, Kind.CONTACTS))
CODEC = CODECS[ProviderName.MICROSOFT, Kind.CONTACTS]
OURS = [graph_property(UID_KEY, "kept@client"), graph_property(STASH_KEY, "X-CLIENT-NOTE:kept\n")]


def test_trap_49_a_contact_that_is_asked_for_brings_its_uid_and_stash(clouds: Clouds) -> None:
    tokens = Tokens(clouds.oauth(SERVICE.provider), clouds.enrol(SERVICE.provider), Purpose.CONTACTS)
    remote = clouds.provider(SERVICE.provider).remote(SERVICE.kind, tokens)
    collection = collection_of(remote.collections()[0])
    patch = {"displayName": "Kept", "singleValueExtendedProperties": OURS}

    made = SERVICE.mutate(clouds, "create", collection.remote_id, patch=patch)["id"]
    found = remote.get(collection, made)
    SERVICE.mutate(clouds, "delete", collection.remote_id, id=made)

    assert found is not None
    body = CODEC.to_body([found]) or ""
    assert "UID:kept@client\r\n" in body
    assert "X-CLIENT-NOTE:kept\r\n" in body
