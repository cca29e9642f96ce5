"""What every Graph route shares: errors in Graph's shape, preferences, the call and its answers."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ccdaemon.sandbox.graph_mailbox import Mailbox
from ccdaemon.sandbox.graph_zones import zone
from ccdaemon.sandbox.wire import Answer, Json, Request, compact
from ccdaemon.sandbox.world import Identity

HOST = "graph.microsoft.com"
ROOT = f"https://{HOST}/v1.0"
JSON_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"
MAX_PAGE_SIZE = 1000

_PREFERENCE = re.compile(r'\s*([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;]+)))?\s*(?:[,;]|\Z)')


class GraphError(Exception):
    """A refusal in Graph's words; ``code`` is what a client may match on."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def bad_request(message: str, code: str = "BadRequest") -> GraphError:
    """A 400."""
    return GraphError(400, code, message)


def not_found() -> GraphError:
    """The 404 for an item, folder or calendar that is not there (or is named by the wrong form of its id)."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How items are written out; one cache entry each."""

    zone: str = "UTC"  # of start and end, a name that was checked
    body: str = ""  # "html", "text", or "" for as it is kept
    immutable: bool = True  # which form of item ids


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferences:
    """The Prefer header, understood."""

    immutable: bool = False
    zone: str | None = None  # as asked for, perhaps unknown
    body: str = ""
    page_size: int | None = None
    applied: Sequence[str] = ()  # what the answer echoes

    @classmethod
    def of(cls, header: str) -> "Preferences":
        """Read a Prefer header; what is not understood is ignored, as RFC 7240 says. Raises GraphError."""
        found: dict[str, Any] = {}
        applied = []
        for name, quoted, bare in _PREFERENCE.findall(header):
            value = quoted or bare
            match name.lower():
                case "idtype" if value == "ImmutableId":
                    found["immutable"] = True
                case "outlook.timezone":
                    found["zone"] = value
                case "outlook.body-content-type" if value.lower() in {"text", "html"}:
                    found["body"] = value.lower()
                case "odata.maxpagesize":
                    found["page_size"] = _page_size(value)
                case _:
                    continue
            applied.append(f'{name}="{value}"' if quoted else f"{name}={value}")
        return cls(applied=applied, **found)

    def view(self) -> View:
        """How to write items out. Raises GraphError where the zone is unknown."""
        name = "UTC" if self.zone is None else self.zone
        check_zone(name)
        return View(zone=name, body=self.body, immutable=self.immutable)


def check_zone(name: str) -> None:
    """Raise GraphError for a time zone that Graph would not know."""
    if zone(name) is None:
        raise bad_request(
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.",
            "TimeZoneNotSupportedException",
        )


def _page_size(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise bad_request("Invalid value for the odata.maxpagesize preference.", "ErrorInvalidParameter")
    return min(int(text), MAX_PAGE_SIZE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One authorised request to one mailbox."""

    request: Request
    identity: Identity
    mailbox: Mailbox
    prefer: Preferences = field(default_factory=Preferences)

    @property
    def context(self) -> str:
        """How ``@odata.context`` begins."""
        return f"{ROOT}/$metadata#users('{self.identity.microsoft_oid}')"

    def one(self, context: str, item: bytes | Json) -> Answer:
        """An answer that is one object."""
        return self._json(b'{"@odata.context":' + _quoted(context) + b"," + _dumped(item)[1:])

    def many(self, context: str, items: Iterable[bytes | Json], more: Mapping[str, Any] | None = None) -> Answer:
        """An answer that is a list; ``more`` holds links and the count."""
        tail = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in (more or {}).items())
        body = b",".join(_dumped(item) for item in items)
        return self._json(b'{"@odata.context":' + _quoted(context) + b',"value":[' + body + b"]" + tail.encode() + b"}")

    def octets(self, content: bytes, content_type: str) -> Answer:
        """An answer that is a file."""
        return Answer(200, content, {"Content-Type": content_type})

    def _json(self, body: bytes) -> Answer:
        headers = {"Content-Type": JSON_TYPE}
        if self.prefer.applied:
            headers["Preference-Applied"] = ", ".join(self.prefer.applied)
        return Answer(200, body, headers)


def dumped(item: Json) -> bytes:
    """One object as it goes out."""
    return compact(item)


def _dumped(item: bytes | Json) -> bytes:
    return item if isinstance(item, bytes) else dumped(item)


def _quoted(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()
