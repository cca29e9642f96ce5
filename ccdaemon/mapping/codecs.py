"""The table (provider, kind) -> Codec."""

from collections.abc import Mapping

from ccdaemon.mapping import Codec
from ccdaemon.mapping.google_contacts import GoogleContactCodec
from ccdaemon.mapping.google_events import GoogleEventCodec
from ccdaemon.mapping.graph_contacts import GraphContactCodec
from ccdaemon.mapping.graph_events import GraphEventCodec
from ccdaemon.model import Kind, ProviderName

CODECS: Mapping[tuple[ProviderName, Kind], Codec] = {
    (ProviderName.GOOGLE, Kind.CONTACTS): GoogleContactCodec(),
    (ProviderName.GOOGLE, Kind.EVENTS): GoogleEventCodec(),
    (ProviderName.MICROSOFT, Kind.CONTACTS): GraphContactCodec(),
    (ProviderName.MICROSOFT, Kind.EVENTS): GraphEventCodec(),
}
"""Codecs have no state; one of each serves every thread."""
