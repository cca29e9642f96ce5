"""Answers that are meant to harm, through the real clients: no connection elsewhere, no memory without bound."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ccdaemon.errors import BadAnswer, CcdaemonError, ForeignLink
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.text import MAX_TEXT, clean_json
from ccdaemon.model import Kind, ProviderName
from ccdaemon.providers.answers import MAX_VALUES, read_json
from ccdaemon.providers.microsoft.contacts import MAX_FOLDERS, OutlookContacts
from ccdaemon.providers.transport import MAX_BYTES, Transport
from tests.contract.remotes.clouds import SERVICES, Clouds, Service, Tokens, collection_of
from tests.contract.remotes.test_remotes import GRAPH, PURPOSE, _remote, _tokens

MIB = 1024 * 1024
LINKS = (
    "http://127.0.0.1:{port}/v1.0/me",
    "https://127.0.0.1:{port}/v1.0/me",
    "//127.0.0.1:{port}/v1.0/me",
    "https://graph.microsoft.com:{port}/v1.0/me",
    "https://graph.microsoft.com@127.0.0.1:{port}/v1.0/me",
    "https://graph.microsoft.com\\@127.0.0.1:{port}/v1.0/me",
    "https://graph.microsoft.com.localhost:{port}/v1.0/me",
    "https://graph.microsoft.com/v1.0/../../127.0.0.1:{port}/me",
    "https://graph.microsoft.com/v1.0/%2e%2e/beta/me",
    "https://gräph.microsoft.com:{port}/v1.0/me",
    "http://graph.microsoft.com:{port}/v1.0/me",
    "\thttps://127.0.0.1:{port}/v1.0/me",
)


class Canary:
    """Listens, and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


def peak() -> int:
    """Bytes of memory at the most, since ``forget_peak``."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert match is not None
    return int(match[1]) * 1024


def forget_peak() -> int:
    """Count the peak anew; where it is now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak()


@pytest.mark.parametrize("service", GRAPH, ids=str)
def test_r37_no_form_of_a_link_reaches_anybody_else(clouds: Clouds, service: Service, canary: Canary) -> None:
    """R-37: as link to the next page and as the place of the next delta; the feed ends without a cursor."""
    remote = _remote(clouds, service)
    collection = collection_of(remote.collections()[0])
    refused = []
    for form in LINKS:
        link = form.format(port=canary.port)
        fault = clouds.fault({"path": "delta$"}, {"status": 200, "body": {"value": [], "@odata.nextLink": link}})
        with pytest.raises((ForeignLink, BadAnswer)) as caught:
            list(remote.pull(collection, None))
        refused.append(caught.value.code)
        assert clouds.fired(fault) == 1
        clouds.control("DELETE faults")

    assert (canary.connections, set(refused)) == (0, {"foreign_link"})


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_r38_no_redirect_of_an_api_is_followed(clouds: Clouds, service: Service, canary: Canary) -> None:
    remote = _remote(clouds, service)
    collection = collection_of(remote.collections()[0])
    for status in (301, 302, 307, 308):
        location = {"Location": f"http://127.0.0.1:{canary.port}/elsewhere"}
        fault = clouds.fault({"path": service.feed}, {"status": status, "body": "", "headers": location})
        with pytest.raises(ForeignLink):
            list(remote.pull(collection, None))
        assert clouds.fired(fault) == 1
        clouds.control("DELETE faults")

    assert canary.connections == 0


@pytest.mark.parametrize("provider", [ProviderName.GOOGLE, ProviderName.MICROSOFT], ids=str)
def test_r38_no_redirect_of_a_token_endpoint_is_followed(
    clouds: Clouds, provider: ProviderName, canary: Canary
) -> None:
    tokens = _tokens(clouds, next(one for one in SERVICES if one.provider is provider))
    for status in (302, 307):
        location = {"Location": f"http://127.0.0.1:{canary.port}/token"}
        fault = clouds.fault({"path": "token$"}, {"status": status, "body": "", "headers": location})
        with pytest.raises(CcdaemonError):
            tokens(force=True)
        assert clouds.fired(fault) >= 1
        clouds.control("DELETE faults")

    assert canary.connections == 0


SPOILT: dict[str, dict[str, Any]] = {
    "gzip bomb of 200 MB": {"gzip_bomb": 200},
    "nested 1,100 deep": {"status": 200, "body": '{"value": ' + "[" * 1100 + "]" * 1100 + "}"},
    "a number of 5,000 digits": {"status": 200, "body": '{"value": ' + "1" * 5000 + "}"},
    "NaN": {"status": 200, "body": '{"value": [NaN]}'},
    "nested, with a text to mend": {"status": 200, "body": '{"a": "\\u0000", "b": ' + "[" * 900 + "]" * 900 + "}"},
}


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_r50_an_answer_made_to_hurt_is_refused_within_bounded_memory(clouds: Clouds, service: Service) -> None:
    remote = _remote(clouds, service)
    collection = collection_of(remote.collections()[0])
    for name, spoilt in SPOILT.items():
        fault = clouds.fault({"path": service.feed}, spoilt)
        before = forget_peak()
        with pytest.raises(BadAnswer):
            list(remote.pull(collection, None))
        grown = peak() - before
        assert clouds.fired(fault) == 1, name
        assert grown < 100 * MIB, name
        clouds.control("DELETE faults")


def test_r50_many_tiny_values_are_refused_before_they_take_many_times_their_size() -> None:
    body = b'{"value": [' + b"[]," * (MAX_BYTES // 3 - 10) + b"[]]}"
    before = forget_peak()

    with pytest.raises(BadAnswer, match=str(MAX_VALUES)):
        read_json(body, "somewhere")

    assert peak() - before < MIB


def test_r50_a_text_of_20_mb_costs_its_object_alone() -> None:
    """The engine takes {} for a payload that is refused here, and quarantines its object."""
    for length, is_refused in ((MAX_TEXT, False), (20 * MIB, True)):
        payload = read_json(json.dumps({"notes": "n" * length}).encode(), "somewhere")
        if is_refused:
            with pytest.raises(BadAnswer, match="characters"):
                clean_json(payload)
        else:
            assert clean_json(payload) is payload


def test_r50_keys_that_come_twice_are_one() -> None:
    assert read_json(b'{"id": "a", "id": "b"}', "somewhere") == {"id": "b"}


def test_t31_folders_within_folders_without_end_are_bounded_work(clouds: Clouds) -> None:
    """Each of ten folders has ten more, ten deep: ten thousand million requests."""
    service = next(one for one in GRAPH if one.kind is Kind.CONTACTS)
    tokens = Tokens(clouds.oauth(service.provider), clouds.enrol(service.provider), PURPOSE[service.kind])
    folders = [{"id": f"f{number}", "displayName": "F"} for number in range(10)]
    listed = {"value": folders}
    answers = [{"id": str(number), "status": 200, "body": listed} for number in range(MAX_FOLDERS + 1)]
    first = clouds.fault({"path": "contactFolders$"}, {"status": 200, "body": listed})
    others = clouds.fault({"path": r"\$batch$"}, {"status": 200, "body": {"responses": answers}})
    remote = OutlookContacts(partial(Transport, endpoint=clouds.url), tokens, CODECS[service.provider, service.kind])

    with pytest.raises(BadAnswer, match="folders"):
        remote.collections()

    assert clouds.fired(first) == 1
    assert 0 < clouds.fired(others) <= MAX_FOLDERS / 20
