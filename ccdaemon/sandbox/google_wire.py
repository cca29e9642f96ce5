"""What all imitated Google APIs do alike: bearer check, strict parameters, partial responses, error envelopes.

Sources: providers.md 1.1–1.3; cloud.google.com/apis/design/errors; the Calendar API's guides/errors.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccdaemon.sandbox.wire import Answer, Json, Refusal, Request, compact
from ccdaemon.sandbox.world import Identity, World

REALM = 'Bearer realm="https://accounts.google.com/"'
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
STANDARD_PARAMETERS = frozenset(
    {
        *("alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "oauth_token", "access_token"),
        *("$.xgafv", "callback", "uploadType", "upload_protocol"),
    }
)
"""Query parameters that every Google API takes; generated clients send some of them."""
JSON_HEADERS = {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "private", "Vary": "Origin"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """What a query parameter may hold."""

    kind: type = str  # str, int, bool or datetime
    repeated: bool = False
    values: frozenset[str] = frozenset()  # empty: any
    minimum: int = 0
    maximum: int | None = None


def google_error(
    status: int,
    message: str,
    *,
    word: str | None = None,
    reason: str | None = None,
    domain: str = "global",
    location: tuple[str, str] | None = None,
    details: list[Json] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """Google's error envelope. Newer APIs send ``word`` and ``details``, older ones ``reason`` in an ``errors`` list.

    ``location`` is a pair such as ("parameter", "syncToken").
    """
    error: Json = {"code": status, "message": message}
    if reason is not None:
        inner: Json = {"domain": domain, "reason": reason, "message": message}
        if location is not None:
            inner |= {"locationType": location[0], "location": location[1]}
        error["errors"] = [inner]
    if word is not None:
        error["status"] = word
    if details is not None:
        error["details"] = details
    return Refusal(Answer.of_json(status, {"error": error}, headers))


def invalid_argument(message: str) -> Refusal:
    """400 of the newer APIs."""
    return google_error(400, message, word="INVALID_ARGUMENT")


def bad_parameter(name: str, message: str) -> Refusal:
    """400 of the older APIs."""
    return google_error(400, message, reason="invalid", location=("parameter", name))


def authorised(request: Request, world: World, scopes: frozenset[str]) -> Identity:
    """Whose bearer token that is; one of ``scopes`` must have been granted. Raises Refusal (401, 403)."""
    token = world.token(request.bearer())
    if token is None or token.provider != "google":
        message = (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
            "other valid authentication credential."
        )
        error = ', error="invalid_token"' if request.bearer() else ""
        raise google_error(
            401,
            message,
            word="UNAUTHENTICATED",
            reason="authError",
            location=("header", "Authorization"),
            headers={"WWW-Authenticate": REALM + error},
        )
    if not token.scopes & scopes:
        info = {"@type": ERROR_INFO, "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com"}
        raise google_error(
            403,
            "Request had insufficient authentication scopes.",
            word="PERMISSION_DENIED",
            reason="insufficientPermissions",
            details=[info | {"metadata": {"service": request.host}}],
            headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{" ".join(sorted(scopes))}"'},
        )
    return token.identity


def parameters(request: Request, known: Mapping[str, Parameter]) -> dict[str, Any]:
    """The parsed query parameters that are present; repeated ones as lists. Raises Refusal for anything doubtful."""
    if request.one("alt") not in {None, "json"}:
        raise _refused(request, "alt", "Invalid value for alt.")
    parsed: dict[str, Any] = {}
    for name, text in request.query:
        if name in STANDARD_PARAMETERS:
            continue
        parameter = known.get(name)
        if parameter is None:
            raise _unknown_parameter(request, name)
        if name in parsed and not parameter.repeated:
            raise _refused(request, name, f"Parameter '{name}' was given twice.")
        value = _parsed(request, name, text, parameter)
        parsed[name] = [*parsed.get(name, ()), value] if parameter.repeated else value
    return parsed


def partial(request: Request, body: bytes, top_level: Iterable[str]) -> Answer:
    """The 200 answer, cut down to what ``fields`` selects; ``top_level`` are the names that the answer may have."""
    selector = request.one("fields")
    if selector is None:
        return Answer(200, body, JSON_HEADERS)
    selection = _selection(request, selector)
    for name in selection:
        if name not in {*top_level, "*"}:
            raise google_error(
                400,
                f"Invalid field selection {name}",
                word="INVALID_ARGUMENT",
                reason="invalidParameter",
                location=("parameter", "fields"),
            )
    return Answer(200, compact(_chosen(json.loads(body), selection)), JSON_HEADERS)


def dumped(payload: Any) -> bytes:
    """Compact JSON."""
    return compact(payload)


def rfc3339(moment: datetime) -> str:
    """With milliseconds and Z, as Google writes modification times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _parsed(request: Request, name: str, text: str, parameter: Parameter) -> Any:
    if parameter.kind is bool:
        if text not in {"true", "false"}:
            raise _refused(request, name, f"Invalid boolean value: '{text}'.")
        return text == "true"
    if parameter.kind is int:
        if not re.fullmatch(r"-?\d{1,10}", text):
            raise _refused(request, name, f"Invalid integer value: '{text}'.")
        number = int(text)
        if number < parameter.minimum or (parameter.maximum is not None and number > parameter.maximum):
            raise _refused(request, name, f"Invalid value '{number}'. Values must be within the allowed range.")
        return number
    if parameter.kind is datetime:
        return _moment(request, name, text)
    if parameter.values and text not in parameter.values:
        raise _refused(request, name, f"Invalid string value: '{text}'.")
    return text


def _moment(request: Request, name: str, text: str) -> datetime:
    """RFC 3339 with a mandatory offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused(request, name, "Bad Request: not an RFC 3339 timestamp.") from error
    if moment.tzinfo is None:
        raise _refused(request, name, "Bad Request: the timestamp has no time zone offset.")
    return moment


def _unknown_parameter(request: Request, name: str) -> Refusal:
    text = (
        f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
    )
    violation = {"@type": BAD_REQUEST, "fieldViolations": [{"description": text}]}
    if request.host == "www.googleapis.com":
        return google_error(400, text, reason="invalidParameter", location=("parameter", name))
    return google_error(400, text, word="INVALID_ARGUMENT", details=[violation])


def _refused(request: Request, name: str, message: str) -> Refusal:
    if request.host == "www.googleapis.com":
        return google_error(400, message, reason="invalidParameter", location=("parameter", name))
    return google_error(400, message, word="INVALID_ARGUMENT")


Selection = dict[str, Any]
"""Field name -> Selection of what is below it; an empty one means everything below."""


def _selection(request: Request, text: str) -> Selection:
    """Parse ``items(id,start/date),nextPageToken``.

    Source: developers.google.com/workspace/calendar/api/guides/performance#partial-response
    """
    tokens: list[str] = re.findall(r"[\w*@.-]+|[(),/]", text)
    if "".join(tokens) != text:
        raise _refused(request, "fields", f"Invalid field selection {text}")
    position = 0

    def group() -> Selection:
        nonlocal position
        found: Selection = {}
        while True:
            at = found
            path = [word()]
            while position < len(tokens) and tokens[position] == "/":
                position += 1
                path.append(word())
            for name in path:
                at = at.setdefault(name, {})
            if position < len(tokens) and tokens[position] == "(":
                position += 1
                at.update(group())
                if position >= len(tokens) or tokens[position] != ")":
                    raise _refused(request, "fields", f"Invalid field selection {text}")
                position += 1
            if position >= len(tokens) or tokens[position] != ",":
                return found
            position += 1

    def word() -> str:
        nonlocal position
        if position >= len(tokens) or tokens[position] in "(),/":
            raise _refused(request, "fields", f"Invalid field selection {text}")
        position += 1
        return tokens[position - 1]

    selection = group()
    if position != len(tokens):
        raise _refused(request, "fields", f"Invalid field selection {text}")
    return selection


def _chosen(value: Any, selection: Selection) -> Any:
    if isinstance(value, list):
        return [_chosen(inner, selection) for inner in value]
    if not selection or not isinstance(value, dict):
        return value
    if "*" in selection:
        return {name: _chosen(inner, selection["*"] | selection.get(name, {})) for name, inner in value.items()}
    return {name: _chosen(value[name], inner) for name, inner in selection.items() if name in value}
