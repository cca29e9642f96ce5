"""Which bytes are a photo."""

import base64

import pytest

from ccdaemon.model import Part
from ccdaemon.providers.photos import MAX_PHOTO_BYTES, media_type, photo

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (PNG, "image/png"),
        (b"GIF87a...", "image/gif"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_an_image_is(data: bytes, expected: str | None) -> None:
    assert media_type(data) == expected


def test_a_photo_is_an_original_of_its_contact() -> None:
    original = photo("7b", "key", PNG)

    assert (original.remote_id, original.group_id, original.part, original.etag) == (
        "7b#photo",
        "7b",
        Part.PHOTO,
        "key",
    )
    assert original.payload == {"media_type": "image/png", "data": base64.b64encode(PNG).decode()}


@pytest.mark.parametrize("data", [None, b"<svg/>", PNG + b"\0" * MAX_PHOTO_BYTES])
def test_t34_what_is_no_small_image_is_no_photo(data: bytes | None) -> None:
    assert photo("7b", "key", data).payload == {}
