"""The People API as far as writes need it: what the provider makes of a Write, for the tests of the way back.

It does what the reference says: fields are replaced whole, what profiles say stays, displayName follows from the name,
one entry of each field is the primary one.
"""

from collections.abc import Sequence
from dataclasses import replace

from ccdaemon.mapping.google_contacts.codec import GoogleContactCodec
from ccdaemon.model import Action, Json, Original, Part, Target, Write

_SPOKEN = ("honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix")
_DERIVED = {"displayName", "displayNameLastFirst"}


def settle(codec: GoogleContactCodec, body: str | None, group: Sequence[Original]) -> list[Original]:
    """The group after every write that the body asks for, also those that waited for an answer."""
    for _ in range(4):
        writes = codec.to_writes(body, group)
        if not writes:
            return list(group)
        for write in writes:
            group = apply(write, group)
        if body is None:
            return list(group)
    raise AssertionError(f"still asked for: {[(write.action, write.target, write.fields) for write in writes]}")


def apply(write: Write, group: Sequence[Original]) -> list[Original]:
    match write.target, write.action:
        case Target.OBJECT, Action.CREATE:
            person = {"resourceName": "people/c77", "metadata": {"sources": [{"type": "CONTACT", "id": "4d"}]}}
            return [*group, as_answered(person | write.payload, "4d")]
        case Target.OBJECT, Action.PATCH:
            return [
                as_answered(_merged(one.payload, write.payload), one.remote_id)
                if one.remote_id == write.remote_id
                else one
                for one in group
            ]
        case Target.OBJECT, Action.DELETE:
            return [one for one in group if one.remote_id != write.remote_id]
        case Target.GROUP, Action.CREATE:
            return _with_group(write.payload["contactGroup"]["name"], group)
        case Target.PHOTO, _:
            return _with_photo(write, group)
        case _:
            raise AssertionError(f"the People API has no {write.action} of a {write.target}")


def as_answered(payload: Json, remote_id: str = "people/c1") -> Original:
    """The person as the API answers it."""
    payload = dict(payload)
    for name, entries in payload.items():
        if isinstance(entries, list) and name not in ("memberships", "photos", "clientData"):
            payload[name] = _with_primary([one for one in entries if isinstance(one, dict)])
    payload["names"] = [_named(name) for name in payload.get("names", [])]
    return Original(remote_id=remote_id, group_id="g", part=Part.OBJECT, etag="%new", version=0, payload=payload)


def _merged(person: Json, patch: Json) -> Json:
    foreign = {name: [one for one in person.get(name, []) if _is_foreign(one)] for name in patch}
    return person | {name: foreign[name] + entries for name, entries in patch.items()}


def _is_foreign(entry: Json) -> bool:
    return entry.get("metadata", {}).get("source", {}).get("type", "CONTACT") != "CONTACT"


def _with_primary(entries: list[Json]) -> list[Json]:
    def known(entry: Json) -> Json:
        return entry.get("metadata", {})

    chosen = next((one for one in entries if known(one).get("sourcePrimary")), None)
    chosen = chosen or next((one for one in entries if known(one).get("primary")), None) or next(iter(entries), None)
    return [{**one, "metadata": {**known(one), "primary": one is chosen}} for one in entries]


def _named(name: Json) -> Json:
    said = {key: value for key, value in name.items() if key not in _DERIVED}
    parts = " ".join(said[part] for part in _SPOKEN if said.get(part))
    return said | {"displayName": parts or said.get("unstructuredName", "")}


def _with_group(name: str, group: Sequence[Original]) -> list[Original]:
    def has(one: Original) -> bool:
        names = [known["name"].replace(" ", "").casefold() for known in one.payload["contactGroups"]]
        return name.replace(" ", "").casefold() in names

    shared = [one for one in group if one.part is Part.SHARED] or [
        Original(
            remote_id="#contactGroups", group_id="", part=Part.SHARED, etag="", version=0, payload={"contactGroups": []}
        )
    ]
    assert not has(shared[0]), "409 ALREADY_EXISTS"
    known = shared[0].payload["contactGroups"]
    new = {"resourceName": f"contactGroups/n{len(known)}", "groupType": "USER_CONTACT_GROUP", "name": name}
    return [
        *(one for one in group if one.part is not Part.SHARED),
        replace(shared[0], payload={"contactGroups": [*known, new]}),
    ]


def _with_photo(write: Write, group: Sequence[Original]) -> list[Original]:
    url = [{"url": "https://x.example/new", "metadata": {"source": {"type": "CONTACT"}}}]
    photos = url if write.action is Action.PATCH else []
    others = [
        replace(one, payload={**one.payload, "photos": photos}) if one.remote_id == write.parent else one
        for one in group
        if one.part is not Part.PHOTO
    ]
    if write.action is Action.DELETE:
        return others
    return [
        *others,
        Original(
            remote_id=write.remote_id, group_id="g", part=Part.PHOTO, etag="", version=1, payload=dict(write.payload)
        ),
    ]
