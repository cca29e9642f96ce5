"""Photos as originals: small, of a known image type, or absent. Pure."""

import base64

from ccdaemon.model import Original, Part

MAX_PHOTO_BYTES = 2 * 1024 * 1024
SUFFIX = "#photo"

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def media_type(data: bytes) -> str | None:
    """What the first bytes say that an image is; None for everything else, SVG included (it can hold scripts)."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def photo(contact_id: str, key: str, data: bytes | None) -> Original:
    """The PHOTO original of a contact; payload {} where ``data`` is None, too large or no image."""
    kind = media_type(data) if data is not None and len(data) <= MAX_PHOTO_BYTES else None
    return Original(
        remote_id=contact_id + SUFFIX,
        group_id=contact_id,
        part=Part.PHOTO,
        etag=key,
        version=0,
        payload={} if data is None or kind is None else {"media_type": kind, "data": base64.b64encode(data).decode()},
    )
