"""google-api-python-client over our transport."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from ccdaemon.errors import BadAnswer, MissingScope
from ccdaemon.model import AccessToken
from ccdaemon.providers.google import api
from ccdaemon.providers.google.api import Api
from ccdaemon.providers.transport import Transport
from tests.unit.providers.conftest import Script, answer


def _tokens(*, force: bool = False) -> AccessToken:
    return AccessToken(value=f"token-{force}", expires_at=datetime(2027, 1, 1, tzinfo=UTC), scopes=())


def _people(script: Script) -> Api:
    return Api("people", "v1", Transport({"people.googleapis.com"}, script.url), _tokens)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a connection was opened")


@pytest.mark.parametrize(("name", "version"), [("people", "v1"), ("calendar", "v3")])
def test_the_descriptions_of_our_apis_need_no_network(monkeypatch: pytest.MonkeyPatch, name: str, version: str) -> None:
    monkeypatch.setattr(api, "_built", {})
    monkeypatch.setattr(socket, "create_connection", _refuse)
    monkeypatch.setattr(socket.socket, "connect", _refuse)

    built = Api(name, version, Transport(frozenset()), _tokens)

    assert built.service is not None


def test_every_thread_uses_what_was_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A description takes megabytes, and the daemon has a thread for each of several accounts."""
    monkeypatch.setattr(api, "_built", {})

    def use(_number: int) -> tuple[object, object]:
        people = Api("people", "v1", Transport(frozenset()), _tokens)
        return people.service, people.of("people", "connections")

    with ThreadPoolExecutor(4) as pool:
        used = list(pool.map(use, range(12)))

    assert len({(id(service), id(connections)) for service, connections in used}) == 1


def test_threads_that_share_a_resource_each_ask_for_their_own() -> None:
    """What they share knows neither who asks nor what for."""

    def asked(number: int) -> str:
        people = Api("people", "v1", Transport(frozenset()), _tokens).of("people")
        return str(people.get(resourceName=f"people/c{number}", personFields="names").uri)

    with ThreadPoolExecutor(4) as pool:
        uris = list(pool.map(asked, range(200)))

    assert [f"/v1/people/c{number}?" in uri for number, uri in enumerate(uris)] == [True] * 200


def test_a_request_carries_the_token_and_our_name(scripted: Callable[..., Script]) -> None:
    script = scripted(answer(200, b'{"resourceName": "people/c1"}'))
    people = _people(script)

    person = people.execute(people.service.people().get(resourceName="people/c1", personFields="names"))

    assert person == {"resourceName": "people/c1"}
    assert script.heard[0].line.startswith("GET /people.googleapis.com/v1/people/c1?personFields=names")
    assert script.heard[0].headers["authorization"] == "Bearer token-False"
    assert script.heard[0].headers["user-agent"].startswith("ccdaemon/")


def test_a_long_url_stays_a_get_that_may_be_repeated(scripted: Callable[..., Script]) -> None:
    script = scripted(answer(503), answer(200, b"{}"))
    people = _people(script)
    request = people.service.people().get(resourceName="people/c1", personFields="names," * 500)

    people.execute(request)

    assert [heard.line.partition(" ")[0] for heard in script.heard] == ["GET", "GET"]
    assert len(script.heard[0].line) > 2_500
    assert script.heard[0].body == b""


@pytest.mark.parametrize("said", [answer(200, b"<html>"), answer(200, b""), answer(204, b""), answer(200, b"[1]")])
def test_f12_an_answer_that_is_no_object_is_bad(scripted: Callable[..., Script], said: bytes) -> None:
    people = _people(scripted(said))

    with pytest.raises(BadAnswer):
        people.execute(people.service.people().get(resourceName="people/c1", personFields="names"))


def test_a_refusal_leaves_as_our_error(scripted: Callable[..., Script]) -> None:
    people = _people(scripted(answer(403, b'{"error":{"errors":[{"reason":"insufficientPermissions"}]}}')))

    with pytest.raises(MissingScope, match="google people: 403 insufficientPermissions"):
        people.execute(people.service.people().get(resourceName="people/c1", personFields="names"))
