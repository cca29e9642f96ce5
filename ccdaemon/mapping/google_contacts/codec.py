"""A person of Google's People API as vCard 3.0, and back. Schema: people.v1 in google-api-python-client, rev 20251117.

``formattedType`` and ``formattedName`` are in the language of the account and never used; ``formattedValue`` only where
an address has no parts at all. Which member stands where: google_contacts/fields.py.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from ccdaemon.mapping import Codec, contacts, vcard
from ccdaemon.mapping.component import Mapped, Written
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.google_contacts import singletons as google_contact_singletons
from ccdaemon.mapping.google_contacts import stash as google_contact_stash
from ccdaemon.mapping.google_contacts import writes as google_contact_writes
from ccdaemon.mapping.google_contacts.entries import file_as, holds, properties, read_only
from ccdaemon.mapping.google_contacts.facts import DAYS, NICKNAMES, ORGANIZATIONS, PEOPLE, WORDS
from ccdaemon.mapping.google_contacts.groups import domain_properties, group_names
from ccdaemon.mapping.google_contacts.names import (
    best_name,
    full_name,
    name_properties,
    phonetic_properties,
    profile_names,
)
from ccdaemon.mapping.google_contacts.reach import REACH
from ccdaemon.mapping.google_contacts.singletons import BIOGRAPHIES, BIRTHDAYS, GENDERS, Singleton
from ccdaemon.mapping.google_contacts.sources import is_foreign
from ccdaemon.mapping.google_contacts.values import Field
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, Part, ProviderName, Write


class GoogleContactCodec(Codec):
    """The Codec of Google contacts."""

    version = 2

    def group_id(self, payload: Json) -> str:
        """The id of the CONTACT source, which stays when resourceName changes; else the resourceName."""
        sources = objects(member(payload, "metadata"), "sources")
        ids = [text(source, "id") for source in sources if text(source, "type") == "CONTACT"]
        found = next(filter(None, ids), "") or text(payload, "resourceName")
        return contacts.required_id(found, "CONTACT source id and resourceName")

    def photo_key(self, payload: Json) -> str | None:
        """The URL of the photo, which moves when the photo does; the owner's before a profile's, no monogram."""
        photos = [photo for photo in objects(payload, "photos") if photo.get("default") is not True]
        return next((url for photo in sorted(photos, key=is_foreign) if (url := text(photo, "url"))), None)

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The card of a person; None when only a photo is left."""
        written = self._written(group)
        return None if written is None else written.body

    def mapped(self, group: Sequence[Original]) -> Mapped | None:
        """See Codec."""
        written = self._written(group)
        return None if written is None else contacts.mapped(written)

    def _written(self, group: Sequence[Original]) -> Written | None:
        person = contacts.object_payload(group)
        if person is None:
            return None
        uid = google_contact_stash.client_uid(person) or contacts.uid(ProviderName.GOOGLE, self.group_id(person))
        name = best_name(person)
        derived = full_name(person, name)
        kept = google_contact_stash.stashed(person, holds)
        listed = _fields(person, name, contacts.living(group, Part.SHARED))
        if (photos := contacts.photo_properties(group)) and self.photo_key(person) is not None:
            listed += photos
        if kept and (replaced := google_contact_stash.OVERRIDES.intersection(google_contact_stash.keys(kept))):
            listed = [one for one in listed if one.name.upper() not in replaced]
        return vcard.written(
            uid=uid,
            full_name=google_contact_stash.stashed_full_name(person, derived) or derived,
            properties=[*listed, *google_contact_stash.properties(kept)],
        )

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """See Codec. Google has a slot for what it has no field for: only a longer one is left out (``unheld``)."""
        return google_contact_writes.to_writes(body, self.to_body(group), group, knows)

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """See Codec."""
        return google_contact_writes.unheld(body, self.to_body(group), group)

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """UID and FN."""
        return contacts.index(body)


def _fields(person: Json, name: Json, shared: Sequence[Original]) -> list[Property]:
    listed = [*name_properties(person, name)]
    if "nicknames" in person:
        listed += properties(person, NICKNAMES)
    listed += phonetic_properties(name)
    for member_name, written in _MEMBERS:
        if member_name in person:
            listed += written(person)
    listed += read_only(person)
    listed += profile_names(person, name)
    if "memberships" in person:
        listed += contacts.categories(group_names(person, shared))
        listed += domain_properties(person)
    return listed


def _organizations(person: Json) -> Iterator[Property]:
    """The first ungrouped, where every client looks, unless it bears a label; each of the others in its own group."""
    for position, one in enumerate(properties(person, ORGANIZATIONS)):
        if position == 0 and not one.label:
            yield one._replace(grouped=False, companions=())
            yield from one.companions
        else:
            yield one


def _days(person: Json) -> Iterator[Property]:
    """X-ABDATE, which Apple and DAVx5 read; the first anniversary also as X-ANNIVERSARY, for other clients."""
    is_first = True
    for one in properties(person, DAYS):
        yield one
        if is_first and one.name == "X-ABDATE" and one.label == vcard.apple_label("Anniversary"):
            is_first = False
            yield Property(name="X-ANNIVERSARY", value=one.value, params=one.params)


def _of(field: Field) -> tuple[str, Callable[[Json], Iterable[Property]]]:
    return field.name, partial(properties, field=field)


def _of_one(singleton: Singleton) -> tuple[str, Callable[[Json], Iterable[Property]]]:
    return singleton.name, partial(google_contact_singletons.properties, singleton=singleton)


_MEMBERS: Sequence[tuple[str, Callable[[Json], Iterable[Property]]]] = (
    ("organizations", _organizations),
    *map(_of, REACH),
    _of_one(BIRTHDAYS),
    (DAYS.name, _days),
    _of(PEOPLE),
    _of_one(BIOGRAPHIES),
    *map(_of, WORDS),
    _of_one(GENDERS),
    ("fileAses", file_as),
)
"""Members of a person and what a card says of each, in its order; few people have many of them."""
