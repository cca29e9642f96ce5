"""A contact of Microsoft Graph v1.0 as vCard 3.0. Schema: entity type ``contact`` of the v1.0 CSDL.

What stands where is in ``graph_contact_slots``, what has no slot in the stash (``graph_contact_entries``), which is one
of our single-value extended properties, as is the UID of a contact that a client made. Graph tells those only to who
asks for them with ``$expand``, which its change feed does not take.
"""

from collections.abc import Sequence

from ccdaemon.mapping import Codec, contacts, vcard
from ccdaemon.mapping.component import Mapped, Written
from ccdaemon.mapping.fields import text
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.graph_contacts import writes as graph_contact_writes
from ccdaemon.mapping.graph_contacts.entries import entries
from ccdaemon.mapping.graph_contacts.names import full_name, name_properties
from ccdaemon.mapping.stash import UID_KEY, graph_value
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, ProviderName, Write


class GraphContactCodec(Codec):
    """The Codec of Microsoft contacts."""

    version = 2

    def group_id(self, payload: Json) -> str:
        """The contact's (immutable) id."""
        return contacts.required_id(text(payload, "id"), "id")

    def photo_key(self, payload: Json) -> str | None:
        """The contact's version: a new photo moves it, and nothing tells a photo's version alone."""
        return text(payload, "changeKey") or text(payload, "@odata.etag") or None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The card of a contact; None when only a photo is left."""
        written = self._written(group)
        return None if written is None else written.body

    def mapped(self, group: Sequence[Original]) -> Mapped | None:
        """See Codec."""
        written = self._written(group)
        return None if written is None else contacts.mapped(written)

    def _written(self, group: Sequence[Original]) -> Written | None:
        contact = contacts.object_payload(group)
        if contact is None:
            return None
        found = entries(contact)
        properties = [
            *name_properties(contact),
            *[entry.property for entry in found if entry.member],
            *contacts.photo_properties(group),
            *[entry.property for entry in found if not entry.member],
        ]
        return vcard.written(uid=self._uid(contact), full_name=full_name(contact), properties=properties)

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """See graph_contacts/writes.py."""
        return graph_contact_writes.to_writes(body, self.to_body(group), group, knows)

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """What is too long for the stash, a photo that Graph does not take, and the removal of one."""
        return graph_contact_writes.unheld(body, self.to_body(group), group)

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """UID and FN."""
        return contacts.index(body)

    def _uid(self, contact: Json) -> str:
        """The UID that the client chose who made the contact, else ours."""
        chosen = graph_value(contact, UID_KEY)
        group_id = self.group_id(contact)
        return chosen if graph_contact_writes.is_sane_uid(chosen) else contacts.uid(ProviderName.MICROSOFT, group_id)
