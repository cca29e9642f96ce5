"""google-api-python-client over our transport."""

import socket
import threading
from collections.abc import Callable
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
    monkeypatch.setattr(api, "_built", threading.local())
    monkeypatch.setattr(socket, "create_connection", _refuse)
    monkeypatch.setattr(socket.socket, "connect", _refuse)

    built = Api(name, version, Transport(frozenset()), _tokens)

    assert built.service is not None


def test_a_thread_builds_each_description_once() -> None:
    first, second = (Api("people", "v1", Transport(frozenset()), _tokens) for _ in range(2))
    others: list[object] = []
    thread = threading.Thread(
        target=lambda: others.append(Api("people", "v1", Transport(frozenset()), _tokens).service)
    )
    thread.start()
    thread.join()

    assert first.service is second.service
    assert others[0] is not first.service


def test_a_thread_builds_each_resource_once() -> None:
    first, second = (Api("people", "v1", Transport(frozenset()), _tokens) for _ in range(2))

    connections = first.of("people", "connections")

    assert connections is second.of("people", "connections")
    assert connections.list(resourceName="people/me").uri.startswith("https://people.googleapis.com/v1/people/me/conn")


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
