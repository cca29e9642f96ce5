"""OData query options, the part of them that Outlook's resources understand; everything else is a 400."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from ccdaemon.sandbox.graph_names import PROPERTIES
from ccdaemon.sandbox.graph_protocol import HOST, MAX_PAGE_SIZE, Call, bad_request
from ccdaemon.sandbox.graph_zones import instant, read_moment
from ccdaemon.sandbox.wire import Json, Request

DEFAULT_PAGE_SIZE = 10

ORDERABLE = {
    "contact": frozenset(("displayName", "givenName", "surname", "createdDateTime", "lastModifiedDateTime", "fileAs")),
    "event": frozenset(("subject", "createdDateTime", "lastModifiedDateTime", "start/dateTime", "end/dateTime")),
    "todoTask": frozenset(
        ("title", "importance", "status", "createdDateTime", "lastModifiedDateTime", "dueDateTime/dateTime")
    ),
}

MOMENTS = frozenset(
    f"{name}/dateTime"
    for name in ("start", "end", "dueDateTime", "startDateTime", "reminderDateTime", "completedDateTime")
)
TEXTS = frozenset(("type", "subject", "displayName", "givenName", "surname", "showAs", "title", "status", "importance"))
"""Properties that a filter may compare."""
EXPANDABLE = {"todoTask": {"checklistItems": "checklistItem", "linkedResources": "linkedResource"}}
"""Navigation properties of tasks and their types."""

_SEGMENTED = re.compile(r",(?![^(]*\))")  # a comma outside parentheses
_EXPANSION = re.compile(r"(\w+)(?:\((.*)\))?")
_EXTENDED = re.compile(r"\$filter=id eq '([^']+)'(?: or id eq '([^']+)')*")
_COMPARISON = re.compile(r"([\w/]+) (eq|ne|gt|ge|lt|le) (?:'((?:[^']|'')*)'|(\S+))")
_PREFIX = re.compile(r"startswith\((\w+), ?'((?:[^']|'')*)'\)")
_ANY_MAIL = re.compile(r"emailAddresses/any\((\w+): ?\1/address eq '((?:[^']|'')*)'\)")
_ANY_EXTENDED = re.compile(
    r"singleValueExtendedProperties/any\((\w+): ?\1/id eq '([^']*)' and \1/value eq '([^']*)'\)", re.IGNORECASE
)

Filter = Callable[[Json, Mapping[str, str]], bool]
"""Whether an item, given its payload and extended properties, is wanted."""

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "gt": lambda left, right: bool(left > right),
    "ge": lambda left, right: bool(left >= right),
    "lt": lambda left, right: bool(left < right),
    "le": lambda left, right: bool(left <= right),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """The query options of one request, checked."""

    select: tuple[str, ...] | None = None
    top: int | None = None
    skip: int = 0
    count: bool = False
    wanted: Filter | None = None
    order: tuple[str, bool] | None = None  # property path, descending
    expand: Mapping[str, tuple[str, ...]] | None = None  # navigation property → its own $select or ids wanted
    others: Mapping[str, str] | None = None  # allowed parameters without a dollar, by lower-case name

    def page_size(self, preferred: int | None) -> int:
        """How many items the answer may hold."""
        return min(self.top or preferred or DEFAULT_PAGE_SIZE, preferred or MAX_PAGE_SIZE, MAX_PAGE_SIZE)


def read_options(request: Request, kind: str, allowed: Iterable[str]) -> Options:
    """Check a query against what a resource allows; names are matched without case. Raises GraphError 400."""
    known = {name.lower() for name in allowed}
    given: dict[str, str] = {}
    for name, value in request.query:
        if name.lower() not in known:
            raise bad_request(f"The query specified in the URI is not valid. Query option '{name}' is not allowed.")
        if name.lower() in given:
            raise bad_request(f"Query parameter '{name}' is specified multiple times, but it should be at most once.")
        given[name.lower()] = value
    return Options(
        select=_select(given["$select"], kind) if "$select" in given else None,
        top=_number("$top", given["$top"], least=1) if "$top" in given else None,
        skip=_number("$skip", given.get("$skip", "0"), least=0),
        count=_flag(given.get("$count", "false")),
        wanted=_filter(given["$filter"]) if "$filter" in given else None,
        order=_order(given["$orderby"], kind) if "$orderby" in given else None,
        expand=_expand(given["$expand"], kind) if "$expand" in given else None,
        others={name: value for name, value in given.items() if not name.startswith("$")},
    )


def sorted_by(items: list[tuple[Json, Any]], order: tuple[str, bool] | None) -> list[Any]:
    """The second halves of pairs (payload, item), in the order that was asked for."""
    if order is None:
        return [item for _, item in items]
    path, descending = order
    return [item for _, item in sorted(items, key=lambda pair: _order_key(pair[0], path), reverse=descending)]


def pick(payload: Json, select: Sequence[str]) -> Json:
    """The selected properties; id and etag come unasked."""
    wanted = {*select, "id", "@odata.etag", "@odata.type"}
    return {name: value for name, value in payload.items() if name in wanted}


def next_link(call: Call, skip: int) -> str:
    """The same request, further on."""
    query = [(name, value) for name, value in call.request.query if name.lower() not in {"$skip", "$skiptoken"}]
    text = urlencode([*query, ("$skip", str(skip))], quote_via=quote, safe="")
    return f"https://{HOST}{call.request.path}?{text}"


def _number(name: str, text: str, *, least: int) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise bad_request(f"Invalid value '{text}' for $count query option found.")
    return text == "true"


def _select(text: str, kind: str) -> tuple[str, ...] | None:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name != "*" and name not in PROPERTIES[kind]:
            raise bad_request(
                f"Parsing OData Select and Expand failed: "
                f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            )
    return None if "*" in names else names


def _expand(text: str, kind: str) -> Mapping[str, tuple[str, ...]]:
    expanded = {}
    for part in _SEGMENTED.split(text):
        match = _EXPANSION.fullmatch(part.strip())
        if match is None:
            raise bad_request("Parsing OData Select and Expand failed.")
        name, inner = match.groups()
        if name == "singleValueExtendedProperties" and kind in {"contact", "event"}:
            if not inner or not _EXTENDED.fullmatch(inner):
                raise bad_request("Parsing Select and Expand failed.")
            expanded[name] = tuple(re.findall(r"id eq '([^']+)'", inner))
        elif name == "exceptionOccurrences" and kind == "event":
            expanded[name] = _nested_select(inner, kind)
        elif name in EXPANDABLE.get(kind, {}):
            expanded[name] = _nested_select(inner, EXPANDABLE[kind][name])
        else:
            raise bad_request(
                f"Parsing OData Select and Expand failed: "
                f"Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            )
    return expanded


def _nested_select(inner: str | None, kind: str) -> tuple[str, ...]:
    if inner is None:
        return ()
    if not inner.startswith("$select="):
        raise bad_request("Parsing OData Select and Expand failed.")
    return _select(inner.removeprefix("$select="), kind) or ()


def _order(text: str, kind: str) -> tuple[str, bool]:
    path, _, direction = text.strip().partition(" ")
    if path not in ORDERABLE.get(kind, ()) or direction not in {"", "asc", "desc"}:
        raise bad_request("The property or direction of '$orderby' is not supported.", "ErrorInvalidUrlQuery")
    return path, direction == "desc"


def _order_key(payload: Json, path: str) -> str:
    name, _, inner = path.partition("/")
    value = payload.get(name)
    if inner:
        return instant(value).isoformat() if value else ""
    return str(value or "").casefold()


def _filter(text: str) -> Filter:
    clauses = [_clause(part) for part in re.split(r" and (?![^(]*\))", text.strip())]
    return lambda payload, extended: all(clause(payload, extended) for clause in clauses)


def _clause(text: str) -> Filter:
    if match := _PREFIX.fullmatch(text):
        name, prefix = match[1], _unquoted(match[2]).casefold()
        return lambda payload, _: str(payload.get(name) or "").casefold().startswith(prefix)
    if match := _ANY_MAIL.fullmatch(text):
        address = _unquoted(match[2]).casefold()
        return lambda payload, _: any(
            str(mail.get("address")).casefold() == address for mail in payload.get("emailAddresses") or ()
        )
    if match := _ANY_EXTENDED.fullmatch(text):
        name, wanted = match[2], match[3]
        return lambda _, extended: extended.get(name) == wanted
    if match := _COMPARISON.fullmatch(text):
        return _comparison(match[1], match[2], match[3], match[4])
    raise bad_request(f"Invalid filter clause: {text}")


def _comparison(path: str, operator: str, quoted: str | None, bare: str | None) -> Filter:
    compare = _OPERATORS[operator]
    if path in MOMENTS:
        name, moment = path.partition("/")[0], _moment(quoted if quoted is not None else bare)
        return lambda payload, _: bool(payload.get(name)) and compare(instant(payload[name]), moment)
    if path in {"createdDateTime", "lastModifiedDateTime"} and bare is not None:
        moment = _moment(bare)
        return lambda payload, _: compare(_moment(payload[path]), moment)
    if path in TEXTS and quoted is not None:
        text = _unquoted(quoted)
        return lambda payload, _: compare(str(payload.get(path) or ""), text)
    if path in {"isAllDay", "isCancelled", "isOrganizer"} and bare in {"true", "false"}:
        return lambda payload, _: compare(bool(payload.get(path)), bare == "true")
    raise bad_request(f"Invalid filter clause: {path} cannot be compared like this.")


def _moment(text: str | None) -> datetime:
    try:
        return read_moment(text or "").astimezone(UTC)
    except ValueError:
        raise bad_request("Invalid filter clause: that is no date and time.") from None


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
