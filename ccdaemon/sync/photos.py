"""Photos beside their contacts: which are wanted, which go, which wait. Pure.

A contact names the photo that belongs to it by a key (``Codec.photo_key``), and the PHOTO original that was fetched
under a key has that as its etag. A PHOTO original with etag "" waits: until the right photo can be had it shows the
former one, or nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import Original, Part

SUFFIX = "#photo"
WAITING = ""
"""The etag of a PHOTO original that is not the one its contact names."""


def named(codec: Codec, originals: Iterable[Original]) -> dict[str, str]:
    """The photo key of each living contact that names one, by the contact's remote_id."""
    living = (one for one in originals if one.part is Part.OBJECT and not one.deleted)
    keys = ((one.remote_id, _key(codec, one)) for one in living)
    return {remote_id: key for remote_id, key in keys if key is not None}


def photo_id(remote_id: str) -> str:
    """The remote_id of a contact's PHOTO original."""
    return remote_id + SUFFIX


def corrections(codec: Codec, groups: Iterable[Sequence[Original]]) -> Iterator[Original]:
    """What to observe so that every contact of these stored groups has the photo that it names, or one that waits."""
    for group in groups:
        keys = named(codec, group)
        photos = {one.remote_id.removesuffix(SUFFIX): one for one in group if one.part is Part.PHOTO}
        yield from (replace(photo, deleted=True, payload={}) for owner, photo in photos.items() if owner not in keys)
        for owner in (one for one in group if one.remote_id in keys):
            photo = photos.get(owner.remote_id)
            if photo is None:
                yield _waiting(owner)
            elif photo.etag not in {keys[owner.remote_id], WAITING}:
                yield replace(photo, etag=WAITING)


def waiting(codec: Codec, groups: Mapping[str, Sequence[Original]]) -> dict[str, str]:
    """``named``, of those contacts in these stored groups whose photo waits."""
    originals = [one for group in groups.values() for one in group]
    ids = {one.remote_id for one in originals if one.part is Part.PHOTO and one.etag == WAITING}
    return {remote_id: key for remote_id, key in named(codec, originals).items() if photo_id(remote_id) in ids}


def _waiting(owner: Original) -> Original:
    return Original(
        remote_id=photo_id(owner.remote_id),
        group_id=owner.group_id,
        part=Part.PHOTO,
        etag=WAITING,
        version=0,
        payload={},
    )


def _key(codec: Codec, contact: Original) -> str | None:
    try:
        return codec.photo_key(contact.payload)
    except Unmappable:
        return None  # settling it will quarantine it with the reason
