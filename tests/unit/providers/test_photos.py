"""Which bytes are a photo."""

import base64
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import requests

from ccdaemon.errors import Transient
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Kind, Original, Part, ProviderName
from ccdaemon.providers.google.people import GoogleContacts
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


# --- Google's ---------------------------------------------------------------------------------------------------------

URL = "https://lh3.googleusercontent.com/"


class Host:
    """Where photos are, as a Transport of each thread: all but the first come only when four are asked for at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.together = threading.Barrier(4)

    def get(self, url: str) -> requests.Response:
        self.asked.append(url)
        if len(self.asked) > 1:
            self.together.wait(10.0)  # seconds; a thread alone fails
        found = requests.Response()
        found.url, found.status_code, found._content = url, 200, PNG
        return found

    def room(self) -> int:
        return 600


def photos_from(host: object, count: int) -> Sequence[Original]:
    remote = GoogleContacts(
        lambda _hosts, **_limits: host,
        lambda **_: pytest.fail("a photo was asked for with a token"),
        CODECS[ProviderName.GOOGLE, Kind.CONTACTS],
        now=lambda: datetime(2026, 11, 24, tzinfo=UTC),
    )
    return remote.photos(None, {f"{number:x}": f"{URL}{number}" for number in range(count)})


def test_four_photos_of_google_are_asked_for_at_once_after_the_first_one() -> None:
    host = Host()
    found = photos_from(host, 9)

    assert [one.remote_id for one in found] == [f"{number:x}#photo" for number in range(9)]
    assert [one.etag for one in found] == [f"{URL}{number}" for number in range(9)]
    assert host.asked[0] == f"{URL}0"
    assert sorted(host.asked) == sorted(f"{URL}{number}" for number in range(9))


class Broken(Host):
    """One of the photos meets a defect of ours, in whichever thread."""

    def get(self, url: str) -> requests.Response:
        if url.endswith("/3"):
            raise ZeroDivisionError
        self.together = threading.Barrier(1)
        return super().get(url)


def test_a_defect_in_one_of_the_threads_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        photos_from(Broken(), 9)


class Leaving(Host):
    """It is down after some photos."""

    def get(self, url: str) -> requests.Response:
        self.together = threading.Barrier(1)
        found = super().get(url)
        if len(self.asked) > 5:
            raise Transient("down")
        return found


def test_i9_a_host_that_goes_down_is_not_asked_for_all_that_are_left() -> None:
    host = Leaving()
    found = photos_from(host, 50)

    assert len(found) == 5
    assert len(host.asked) <= 5 + 3 + 3  # those that fail, and what the other threads are at then
