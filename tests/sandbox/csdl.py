"""The gate: every answer of the imitated Graph against Microsoft's own schema (CSDL), read from ``../shared/schemas``.

Stricter than OData: types that the schema calls open may hold only what is declared, plus the three properties that
v1.0 answers without declaring them. What type an answer should be is taken from its path, not from what it says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ccdaemon.sandbox.poison import MARK
from ccdaemon.sandbox.wire import Answer, Request

CSDL = Path(__file__).parents[3] / "shared" / "schemas" / "graph-v1.0-Prod.csdl"
HOST = "graph.microsoft.com"
ROOT = f"https://{HOST}/v1.0/"

_NAMESPACE = "{http://docs.oasis-open.org/odata/ns/edm}"
_MEMBERS = {_NAMESPACE + name for name in ("Property", "NavigationProperty")}

UNDECLARED = {
    "event": {"uid": "Edm.String", "occurrenceId": "Edm.String"},
    "calendar": {"groupClassId": "Edm.String"},
}

#: path below /v1.0 → type; a list is written with a star
SHAPES: tuple[tuple[str, str], ...] = (
    (r"/me", "user"),
    (r"/me/mailboxSettings", "mailboxSettings"),
    (r"/me/mailboxSettings/timeZone", "=Edm.String"),
    (r"/me/outlook/supportedTimeZones(\(.*\))?", "*timeZoneInformation"),
    (r"/me/drive", "drive"),
    (r"/me/contactFolders(/delta|/[^/]+/childFolders)?", "*contactFolder"),
    (r"/me/contactFolders/[^/]+", "contactFolder"),
    (r"/me(/contactFolders/[^/]+)?/contacts(/delta)?", "*contact"),
    (r"/me(/contactFolders/[^/]+)?/contacts/[^/]+", "contact"),
    (r"/me/calendars", "*calendar"),
    (r"/me/calendar(s/[^/]+)?", "calendar"),
    (r"/me(/calendar(s/[^/]+)?)?/(events|calendarView|calendarView/delta)", "*event"),
    (r"/me/events/[^/]+/instances", "*event"),
    (r"/me(/calendars/[^/]+)?/events/[^/]+", "event"),
    (r"/me/todo/lists(/delta)?", "*todoTaskList"),
    (r"/me/todo/lists/[^/]+", "todoTaskList"),
    (r"/me/todo/lists/[^/]+/tasks(/delta)?", "*todoTask"),
    (r"/me/todo/lists/[^/]+/tasks/[^/]+", "todoTask"),
    (r"/me/todo/lists/[^/]+/tasks/[^/]+/checklistItems", "*checklistItem"),
    (r"/me/todo/lists/[^/]+/tasks/[^/]+/checklistItems/[^/]+", "checklistItem"),
    (r"/me/todo/lists/[^/]+/tasks/[^/]+/linkedResources", "*linkedResource"),
    (r"/me/todo/lists/[^/]+/tasks/[^/]+/linkedResources/[^/]+", "linkedResource"),
)

_PRIMITIVES: Mapping[str, re.Pattern[str] | type | tuple[type, ...]] = {
    "Edm.String": str,
    "Edm.Boolean": bool,
    "Edm.Int32": int,
    "Edm.Int64": int,
    "Edm.Double": (int, float),
    "Edm.Binary": str,
    "Edm.Stream": str,
    "Edm.Date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "Edm.TimeOfDay": re.compile(r"\d{2}:\d{2}:\d{2}(\.\d{1,7})?"),
    "Edm.DateTimeOffset": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,7})?Z"),
    "Edm.Guid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
}


class Violation(AssertionError):
    """An answer that Microsoft's schema does not allow."""


@dataclass(frozen=True)
class Member:
    """A property of a type."""

    type: str
    nullable: bool


@dataclass
class Schema:
    """The part of a CSDL that answers are checked against."""

    structures: dict[str, dict[str, Member]] = field(default_factory=dict)
    enumerations: dict[str, frozenset[str]] = field(default_factory=dict)

    def check(self, value: Any, type_name: str, place: str = "$", *, nullable: bool = True) -> None:
        """Raise Violation unless the value is one of that type."""
        if value is None:
            if not nullable:
                raise Violation(f"{place}: null where {type_name} is demanded")
            return
        if type_name.startswith("Collection("):
            self._check_list(value, type_name.removeprefix("Collection(").removesuffix(")"), place)
        elif type_name in _PRIMITIVES:
            _check_primitive(value, type_name, place)
        elif type_name in self.enumerations:
            if value not in self.enumerations[type_name]:
                raise Violation(f"{place}: {value!r} is no {type_name}")
        else:
            self._check_structure(value, type_name, place)

    def _check_list(self, value: Any, type_name: str, place: str) -> None:
        if not isinstance(value, list):
            raise Violation(f"{place}: a list of {type_name} is demanded")
        for number, item in enumerate(value):
            self.check(item, type_name, f"{place}[{number}]", nullable=False)

    def _check_structure(self, value: Any, type_name: str, place: str) -> None:
        if not isinstance(value, dict):
            raise Violation(f"{place}: an object of type {type_name} is demanded")
        members = self.structures[type_name]
        for name, inner in value.items():
            if "@" in name:
                _check_annotation(name, inner, type_name, place)
            elif name not in members:
                raise Violation(f"{place}: {type_name} has no property {name!r}")
            else:
                self.check(inner, members[name].type, f"{place}.{name}", nullable=members[name].nullable)


@cache
def schema() -> Schema | None:
    """Microsoft's schema; None when it is not at hand."""
    if not CSDL.is_file():
        return None
    root = ElementTree.parse(CSDL).getroot()
    graph = next(s for s in root.iter(_NAMESPACE + "Schema") if s.get("Namespace") == "microsoft.graph")
    kinds = {str(node.get("Name")): node for node in graph if node.tag in _types()}
    found = Schema()
    for node in graph.iter(_NAMESPACE + "EnumType"):
        members = frozenset(str(member.get("Name")) for member in node)
        found.enumerations[str(node.get("Name"))] = members
    for name in kinds:
        found.structures[name] = dict(_members(kinds, name))
        for extra, type_name in UNDECLARED.get(name, {}).items():
            found.structures[name][extra] = Member(type_name, nullable=True)
    return found


class Gate:
    """An observer that checks every answer of graph.microsoft.com.

    ``checked`` counts them; ``violations`` keeps what was wrong, for suites whose server swallows what observers raise.
    """

    def __init__(self, known: Schema) -> None:
        self.checked = 0
        self.violations: list[str] = []
        self._schema = known

    def __call__(self, request: Request, answer: Answer) -> None:
        """Raise Violation for an answer that the schema does not allow."""
        if (
            request.host != HOST
            or MARK in answer.headers
            or not answer.headers.get("Content-Type", "").startswith("application/json")
        ):
            return
        try:
            self._check(request, answer)
        except Violation as violation:
            self.violations.append(str(violation))
            raise
        self.checked += 1

    def _check(self, request: Request, answer: Answer) -> None:
        body = json.loads(answer.body)
        path = request.path.removeprefix("/v1.0")
        if answer.status >= 400:
            _check_error(body)
        elif path == "/$batch":
            self._check_batch(request, body)
        else:
            self._check_body(path, body)

    def _check_batch(self, request: Request, body: Any) -> None:
        paths = {part["id"]: part["url"].partition("?")[0] for part in request.json()["requests"]}
        for part in body["responses"]:
            if part["status"] >= 400:
                if not {"code", "message"} <= set(part["body"]["error"]):
                    raise Violation("a part's error has no code or message")
            elif isinstance(part["body"], dict):
                self._check_body(paths[part["id"]], part["body"])

    def _check_body(self, path: str, body: Any) -> None:
        shape = next((shape for pattern, shape in SHAPES if re.fullmatch(pattern, path)), None)
        if shape is None:
            raise Violation(f"{path}: no shape is known for this path")
        if not body["@odata.context"].startswith(f"{ROOT}$metadata#"):
            raise Violation(f"{path}: the context is not of this service")
        if not shape.startswith(("*", "=")):
            self._schema.check(body, shape)
            return
        for name in set(body) - {"value", "@odata.context", "@odata.count"}:
            if name not in {"@odata.nextLink", "@odata.deltaLink"} or not body[name].startswith(ROOT):
                raise Violation(f"{path}: {name} has no business here")
        type_name = f"Collection({shape[1:]})" if shape.startswith("*") else shape[1:]
        self._schema.check(body["value"], type_name, nullable=False)


def _types() -> set[str]:
    return {_NAMESPACE + "EntityType", _NAMESPACE + "ComplexType"}


def _members(kinds: Mapping[str, ElementTree.Element], name: str) -> Iterator[tuple[str, Member]]:
    node = kinds[name]
    base = (node.get("BaseType") or "").removeprefix("graph.").removeprefix("microsoft.graph.")
    if base in kinds:
        yield from _members(kinds, base)
    for member in node:
        if member.tag in _MEMBERS:
            type_name = re.sub(r"(microsoft\.)?graph\.", "", str(member.get("Type")))
            yield str(member.get("Name")), Member(type_name, nullable=member.get("Nullable") != "false")


def _check_primitive(value: Any, type_name: str, place: str) -> None:
    rule = _PRIMITIVES[type_name]
    if isinstance(rule, re.Pattern):
        right = isinstance(value, str) and rule.fullmatch(value) is not None
    else:
        right = isinstance(value, rule) and (rule is bool or not isinstance(value, bool))
    if not right:
        raise Violation(f"{place}: {value!r} is no {type_name}")


def _check_annotation(name: str, value: Any, type_name: str, place: str) -> None:
    match name:
        case "@odata.type":
            right = value == f"#microsoft.graph.{type_name}"
        case "@odata.etag":
            right = isinstance(value, str) and re.fullmatch(r'W/"[^"]+"', value) is not None
        case "@odata.context":
            right = isinstance(value, str) and value.startswith(ROOT)
        case "@removed":
            right = value in ({"reason": "deleted"}, {"reason": "changed"})
        case _:
            right = name.endswith(("@odata.associationLink", "@odata.navigationLink", "@odata.context", "@odata.id"))
    if not right:
        raise Violation(f"{place}: {name} may not be {value!r}")


def _check_error(body: Any) -> None:
    error = body["error"]
    if set(error) != {"code", "message", "innerError"}:
        raise Violation("an error has code, message and innerError")
    if set(error["innerError"]) != {"date", "request-id", "client-request-id"}:
        raise Violation("an inner error has date and both request ids")
