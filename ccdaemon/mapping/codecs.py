"""The tables (provider, kind) -> Codec, and -> what becomes of each member of its payloads."""

from collections.abc import Mapping, Sequence

from ccdaemon.mapping import Codec
from ccdaemon.mapping.coverage import Row
from ccdaemon.mapping.google_contacts import fields as google_contact_fields
from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.mapping.google_events import fields as google_event_fields
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.google_tasks import fields as google_task_fields
from ccdaemon.mapping.google_tasks.codec import GoogleTaskCodec
from ccdaemon.mapping.graph_contacts import fields as graph_contact_fields
from ccdaemon.mapping.graph_contacts.codec import GraphContactCodec
from ccdaemon.mapping.graph_events import fields as graph_event_fields
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.mapping.graph_tasks import fields as graph_task_fields
from ccdaemon.mapping.graph_tasks.codec import GraphTaskCodec
from ccdaemon.model import Kind, ProviderName

CODECS: Mapping[tuple[ProviderName, Kind], Codec] = {
    (ProviderName.GOOGLE, Kind.CONTACTS): GoogleContactCodec(),
    (ProviderName.GOOGLE, Kind.EVENTS): GoogleEventCodec(),
    (ProviderName.GOOGLE, Kind.TASKS): GoogleTaskCodec(),
    (ProviderName.MICROSOFT, Kind.CONTACTS): GraphContactCodec(),
    (ProviderName.MICROSOFT, Kind.EVENTS): GraphEventCodec(),
    (ProviderName.MICROSOFT, Kind.TASKS): GraphTaskCodec(),
}
"""Codecs have no state; one of each serves every thread."""

COVERAGE: Mapping[tuple[ProviderName, Kind], Sequence[Row]] = {
    (ProviderName.GOOGLE, Kind.CONTACTS): google_contact_fields.COVERAGE,
    (ProviderName.GOOGLE, Kind.EVENTS): google_event_fields.COVERAGE,
    (ProviderName.GOOGLE, Kind.TASKS): google_task_fields.COVERAGE,
    (ProviderName.MICROSOFT, Kind.CONTACTS): graph_contact_fields.COVERAGE,
    (ProviderName.MICROSOFT, Kind.EVENTS): graph_event_fields.COVERAGE,
    (ProviderName.MICROSOFT, Kind.TASKS): graph_task_fields.COVERAGE,
}
"""A Row for every member that the official schemas know; docs/mapping.md and ``explain`` read it."""
