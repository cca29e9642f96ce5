"""Google's official schemas: the discovery documents inside google-api-python-client, as strict JSON Schemas.

A discovery document declares properties and types, not what is required and hardly any enumerations;
``REQUIRED`` and ``ENUMERATIONS`` add what the reference pages say.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient
from jsonschema import Draft202012Validator, FormatChecker

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
APIS = ("people.v1", "calendar.v3", "tasks.v1", "drive.v3")

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "calendar.v3 Event": ("kind", "etag", "id", "status"),
    "calendar.v3 Events": ("kind", "etag", "items", "timeZone", "accessRole", "defaultReminders"),
    "calendar.v3 CalendarList": ("kind", "etag", "items"),
    "calendar.v3 CalendarListEntry": ("kind", "etag", "id"),
    "calendar.v3 Calendar": ("kind", "etag", "id", "summary", "timeZone"),
    "people.v1 Person": ("resourceName", "etag"),
    "people.v1 ContactGroup": ("resourceName", "etag"),
    "calendar.v3 EventReminder": ("method", "minutes"),
    "tasks.v1 TaskLists": ("kind", "etag", "items"),
    "tasks.v1 TaskList": ("kind", "id", "etag", "title", "updated", "selfLink"),
    "tasks.v1 Tasks": ("kind", "etag", "items"),
    "tasks.v1 Task": ("kind", "id", "etag", "title", "updated", "selfLink", "position", "status"),
}
ENUMERATIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("calendar.v3 Event", "status"): ("confirmed", "tentative", "cancelled"),
    ("calendar.v3 Event", "transparency"): ("opaque", "transparent"),
    ("calendar.v3 Event", "visibility"): ("default", "public", "private", "confidential"),
    ("calendar.v3 Event", "eventType"): (
        "birthday",
        "default",
        "focusTime",
        "fromGmail",
        "outOfOffice",
        "workingLocation",
    ),
    ("calendar.v3 EventAttendee", "responseStatus"): ("needsAction", "declined", "tentative", "accepted"),
    ("calendar.v3 EventReminder", "method"): ("email", "popup"),
    ("calendar.v3 CalendarListEntry", "accessRole"): ("freeBusyReader", "reader", "writer", "owner"),
    ("calendar.v3 EntryPoint", "entryPointType"): ("video", "phone", "sip", "more"),
    ("tasks.v1 TaskLists", "kind"): ("tasks#taskLists",),
    ("tasks.v1 TaskList", "kind"): ("tasks#taskList",),
    ("tasks.v1 Tasks", "kind"): ("tasks#tasks",),
    ("tasks.v1 Task", "kind"): ("tasks#task",),
    ("tasks.v1 Task", "status"): ("needsAction", "completed"),
}
FORMATS = FormatChecker(formats=())


@dataclass(frozen=True)
class Method:
    """One API method as the discovery document declares it."""

    id: str
    host: str
    path: re.Pattern[str]
    parameters: frozenset[str]  # of the query
    scopes: frozenset[str]
    validator: Draft202012Validator  # of the answer
    parts: Mapping[str, Draft202012Validator]  # lists at the top of the answer, by name: one item's validator


@cache
def document(api: str) -> Mapping[str, Any]:
    """The discovery document of an API such as "people.v1"."""
    found: Mapping[str, Any] = json.loads((DOCUMENTS / f"{api}.json").read_text())
    return found


@cache
def reading_methods() -> tuple[Method, ...]:
    """Every GET method of the four APIs."""
    return tuple(method for api in APIS for method in _methods(api, document(api)))


@cache
def validator(api: str, schema: str) -> Draft202012Validator:
    """What checks an object of that schema."""
    definitions = {name: _strict(f"{api} {name}", inner) for name, inner in document(api)["schemas"].items()}
    whole = {"$ref": f"#/definitions/{schema}", "definitions": definitions}
    return Draft202012Validator(whole, format_checker=FORMATS)


def _methods(api: str, node: Mapping[str, Any]) -> list[Method]:
    found = [_method(api, method) for method in node.get("methods", {}).values() if method["httpMethod"] == "GET"]
    for inner in node.get("resources", {}).values():
        found += _methods(api, inner)
    return found


def _method(api: str, method: Mapping[str, Any]) -> Method:
    whole = document(api)
    template = "/" + whole["servicePath"] + method.get("flatPath", method["path"])
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    schema = method.get("response", {}).get("$ref", "Empty")
    lists = whole["schemas"].get(schema, {}).get("properties", {})
    return Method(
        id=method["id"],
        host=whole["rootUrl"].removeprefix("https://").rstrip("/"),
        path=re.compile(pattern),
        parameters=frozenset(n for n, p in method.get("parameters", {}).items() if p["location"] == "query"),
        scopes=frozenset(method.get("scopes", ())),
        validator=validator(api, schema),
        parts={n: validator(api, p["items"]["$ref"]) for n, p in lists.items() if "$ref" in p.get("items", {})},
    )


def _strict(name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    """A discovery schema as JSON Schema; ``name`` is that of API and schema, "" below it."""
    if "$ref" in node:
        return {"$ref": f"#/definitions/{node['$ref']}"}
    found: dict[str, Any] = {} if node.get("type") == "any" else {"type": node["type"]}
    found |= {key: node[key] for key in ("enum", "format", "pattern") if key in node}
    if "items" in node:
        found["items"] = _strict("", node["items"])
    if node.get("type") == "object":
        found["properties"] = {key: _property(name, key, inner) for key, inner in node.get("properties", {}).items()}
        found["additionalProperties"] = (
            _strict("", node["additionalProperties"]) if "additionalProperties" in node else False
        )
        found |= {"required": list(REQUIRED[name])} if name in REQUIRED else {}
    return found


def _property(schema: str, name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    found = _strict("", node)
    if (schema, name) in ENUMERATIONS:
        found["enum"] = list(ENUMERATIONS[schema, name])
    return found


def _format(name: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    return FORMATS.checks(name, raises=(ValueError, binascii.Error))


@_format("date-time")
def _is_date_time(value: Any) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_format("google-datetime")
def _is_google_datetime(value: Any) -> bool:
    return _is_date_time(value) and (not isinstance(value, str) or value.endswith("Z"))


@_format("date")
def _is_date(value: Any) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@_format("int64")
def _is_int64(value: Any) -> bool:
    return not isinstance(value, str) or str(int(value)) == value


@_format("int32")
def _is_int32(value: Any) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_format("byte")
def _is_byte(value: Any) -> bool:
    return not isinstance(value, str) or base64.b64decode(value, validate=True) is not None
