"""google-api-python-client over our transport: its method names and paging, none of its networking."""

import threading
from collections.abc import Mapping
from typing import Any

import httplib2
from googleapiclient.discovery import build
from googleapiclient.model import JsonModel

from ccdaemon.errors import Transient
from ccdaemon.model import Json
from ccdaemon.providers.answers import read_json
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.transport import Transport, ask

_OURS = frozenset({"accept-encoding", "content-length", "user-agent"})  # headers that the transport knows better
_OVERRIDE = "x-http-method-override"
_building = threading.Lock()
_built: dict[tuple[str, ...], Any] = {}
"""The library's Resources, built once and used by every thread: each takes megabytes and tens of milliseconds. They are
not documented as thread-safe, because of the connection that they hold; ours hold none, and a call of their methods
only reads them. (Read in googleapiclient 2.x: discovery.createMethod.)"""


class RequestsHttp:
    """What google-api-python-client takes for an ``httplib2.Http``. Answers of 400 and more leave it as our errors."""

    def __init__(self, transport: Transport, tokens: TokenSource, where: str) -> None:
        self._transport = transport
        self._tokens = tokens
        self._where = where

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **_httplib2_settings: Any,
    ) -> tuple[httplib2.Response, bytes]:
        """One request with a bearer token. Raises what ``transport.ask`` raises."""
        kept = {name: value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        if kept.pop(_OVERRIDE, None) == "GET":
            # The library turns a URL of more than 2,048 characters into a POST. Ours may be longer, and a GET repeated.
            method, uri, body = "GET", f"{uri}?{body}", None
            kept.pop("content-type", None)
        response = ask(self._transport, self._tokens, method, uri, self._where, headers=kept, data=body)
        return httplib2.Response({**response.headers, "status": str(response.status_code)}), response.content


class Api:
    """One Google API for one account; ``service`` builds requests, ``execute`` sends them."""

    def __init__(self, name: str, version: str, transport: Transport, tokens: TokenSource) -> None:
        self.service = _service(name, version)
        self._name = (name, version)
        self._http = RequestsHttp(transport, tokens, f"google {name}")

    def of(self, *path: str) -> Any:
        """The resource at a path: ``of("people", "connections")``. Built once: the library would build a new one at
        every call, with all its methods and the text of their help."""
        key = (*self._name, *path)
        if key not in _built:
            above = self.of(*path[:-1]) if len(path) > 1 else self.service
            with _building:
                _built.setdefault(key, getattr(above, path[-1])())
        return _built[key]

    def execute(self, request: Any) -> Json:
        """The answer to a request that ``service`` built. Raises our errors only."""
        answer: Json = request.execute(http=self._http, num_retries=0)
        return answer


class _StrictModel(JsonModel):  # type: ignore[misc]  # the library has no types
    """Reads answers as strictly as every other answer is read."""

    def __init__(self, where: str) -> None:
        super().__init__(data_wrapper=False)
        self._where = where

    def deserialize(self, content: bytes) -> Json:
        """The JSON object; raises BadAnswer."""
        return read_json(content, self._where)

    @property
    def no_content_response(self) -> Any:
        """What a 204 means where an object was asked for."""
        return read_json(b"", self._where)


class _NoHttp:
    """Given to ``build``, which must not need it: the API descriptions ship with the library."""

    def request(self, *_: Any, **__: Any) -> Any:
        """Refuse."""
        raise Transient("google: an API description is missing from the installed library")


def _service(name: str, version: str) -> Any:
    """The Resource of an API."""
    with _building:
        if (name, version) not in _built:
            _built[name, version] = build(
                name,
                version,
                http=_NoHttp(),
                model=_StrictModel(f"google {name}"),
                static_discovery=True,
                cache_discovery=False,
                num_retries=0,
            )
        return _built[name, version]
