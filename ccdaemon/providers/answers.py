"""ONE table: what a provider answered -> the error whose class says what to do next. Pure.

Words are what the providers mean to be matched: Google's ``reason`` and ``status``, Graph's ``code``, OAuth's
``error``, Microsoft's AADSTS numbers. Messages are never matched and never repeated: they may echo the request.
Sources: ``../shared/design/providers.md`` sections 1 and 2, ``../shared/payloads/composed/errors_*.json``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from ccdaemon.errors import (
    BadAnswer,
    BadConfiguration,
    CcdaemonError,
    ConsentNeeded,
    CursorExpired,
    MissingScope,
    NotFound,
    NotPermitted,
    RateLimited,
    Rejected,
    Stale,
    Transient,
)
from ccdaemon.model import Json

ANY = 0
"""A row of the table that holds whatever the status is."""

LONGEST_RETRY_AFTER = timedelta(hours=1)
MAX_VALUES = 3_000_000  # of one answer; a page of a thousand large objects has some hundred thousand

_BY_WORD: dict[tuple[int, str], type[CcdaemonError]] = {
    # --- cursors
    (400, "EXPIRED_SYNC_TOKEN"): CursorExpired,  # People
    (410, "EXPIRED_SYNC_TOKEN"): CursorExpired,  # People, as older documentation has it
    (410, "fullSyncRequired"): CursorExpired,  # Calendar
    (410, "updatedMinTooLongAgo"): CursorExpired,
    (410, "deleted"): NotFound,  # Calendar: deleted before
    (ANY, "SyncStateNotFound"): CursorExpired,  # Graph
    (ANY, "SyncStateInvalid"): CursorExpired,
    (ANY, "resyncRequired"): CursorExpired,
    # --- quota
    (403, "rateLimitExceeded"): RateLimited,
    (403, "userRateLimitExceeded"): RateLimited,
    (403, "quotaExceeded"): RateLimited,
    (403, "dailyLimitExceeded"): RateLimited,
    (403, "RATE_LIMIT_EXCEEDED"): RateLimited,
    (ANY, "ApplicationThrottled"): RateLimited,  # Graph, in parts of a batch also
    (ANY, "activityLimitReached"): RateLimited,
    # --- what the grant or the provider does not allow
    (403, "insufficientPermissions"): MissingScope,
    (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"): MissingScope,
    (403, "ErrorAccessDenied"): MissingScope,  # Graph's answer to a token without the scope
    (403, "accessDenied"): MissingScope,
    (404, "MailboxNotEnabledForRESTAPI"): NotPermitted,  # an account without a mailbox
    # --- versions
    (400, "FAILED_PRECONDITION"): Stale,  # People says so instead of 412
    # --- OAuth at the token endpoint and at the redirect
    (ANY, "invalid_grant"): ConsentNeeded,
    (ANY, "invalid_rapt"): ConsentNeeded,  # a Workspace asks its people to sign in again
    (ANY, "interaction_required"): ConsentNeeded,
    (ANY, "consent_required"): ConsentNeeded,
    (ANY, "login_required"): ConsentNeeded,
    (ANY, "access_denied"): NotPermitted,
    (ANY, "admin_policy_enforced"): NotPermitted,
    (ANY, "org_internal"): NotPermitted,
    (ANY, "authorization_declined"): NotPermitted,
    (ANY, "bad_verification_code"): NotPermitted,  # a device code that was used or never given
    (ANY, "expired_token"): NotPermitted,  # nobody typed the device code in time
    (ANY, "invalid_client"): BadConfiguration,
    (ANY, "unauthorized_client"): BadConfiguration,
    (ANY, "redirect_uri_mismatch"): BadConfiguration,
    (ANY, "invalid_scope"): Rejected,
    (ANY, "invalid_request"): Rejected,
    (ANY, "unsupported_grant_type"): Rejected,
    (ANY, "invalid_token"): Rejected,  # revoking what is not alive
    (ANY, "temporarily_unavailable"): Transient,
    (ANY, "server_error"): Transient,
    (ANY, "authorization_pending"): Transient,
    (ANY, "slow_down"): RateLimited,
    # --- Microsoft's own numbers, which say more than the OAuth word beside them
    (ANY, "AADSTS50034"): ConsentNeeded,  # no such user any more
    (ANY, "AADSTS50076"): ConsentNeeded,  # a second factor is due
    (ANY, "AADSTS50079"): ConsentNeeded,
    (ANY, "AADSTS50158"): ConsentNeeded,
    (ANY, "AADSTS50173"): ConsentNeeded,  # revoked, or the password changed
    (ANY, "AADSTS54005"): ConsentNeeded,  # the code was used before
    (ANY, "AADSTS65001"): ConsentNeeded,  # nobody consented
    (ANY, "AADSTS70008"): ConsentNeeded,  # code or refresh token expired
    (ANY, "AADSTS70043"): ConsentNeeded,  # sign-in frequency
    (ANY, "AADSTS700082"): ConsentNeeded,  # 90 days unused
    (ANY, "AADSTS53003"): NotPermitted,  # conditional access
    (ANY, "AADSTS90094"): NotPermitted,  # an administrator has to consent
    (ANY, "AADSTS50011"): BadConfiguration,  # redirect address not registered
    (ANY, "AADSTS90002"): BadConfiguration,  # unknown tenant
    (ANY, "AADSTS700016"): BadConfiguration,  # unknown application
    (ANY, "AADSTS7000215"): BadConfiguration,  # wrong client secret
    (ANY, "AADSTS7000218"): BadConfiguration,  # registered as web: needs a client secret
    (ANY, "AADSTS7000222"): BadConfiguration,  # client secret expired
    (ANY, "AADSTS28000"): Rejected,  # scopes of two resources
    (ANY, "AADSTS70011"): Rejected,  # no such scope
    (ANY, "AADSTS50196"): Transient,  # loop detected
    (ANY, "AADSTS90033"): Transient,
}

_BY_STATUS: dict[int, type[CcdaemonError]] = {
    401: ConsentNeeded,  # asked again with a fresh token before this row is read
    403: NotPermitted,
    404: NotFound,
    408: Transient,
    409: Stale,
    410: CursorExpired,
    412: Stale,
    429: RateLimited,
    509: RateLimited,  # Graph: bandwidth limit
}

_MEANING: dict[str, str] = {
    # what a word means to the person who reads it, where it is theirs to mend
    "access_denied": "access was not given",
    "authorization_declined": "access was not given",
    "AADSTS65004": "access was not given",
    "AADSTS65001": "not everything that was asked for was allowed",
    "expired_token": "the code was not entered in time",
    "admin_policy_enforced": "an administrator of the organisation has to allow this application",
    "org_internal": "the OAuth client is for members of its organisation only",
    "AADSTS90094": "an administrator of the organisation has to allow this application",
    "AADSTS53003": "a rule of the organisation does not let this device or place in",
    "invalid_client": "client_id or client secret is wrong",
    "AADSTS700016": "client_id is unknown in this tenant",
    "AADSTS90002": "there is no such tenant",
    "AADSTS7000215": "the client secret is wrong",
    "AADSTS7000222": "the client secret has expired",
    "AADSTS7000218": "register the redirect address under mobile and desktop applications, not under web",
    "redirect_uri_mismatch": "the redirect address is not registered",
    "AADSTS50011": "the redirect address is not registered",
}

_TABLE = {(status, word.casefold()): error for (status, word), error in _BY_WORD.items()}
_WORD = re.compile(r"[A-Za-z][\w.]{0,63}\Z")  # a provider's word; anything else is not repeated in a message
_DURATION = re.compile(r"\d{1,9}(?:\.\d{1,9})?s\Z", re.ASCII)  # as JSON has google.protobuf.Duration
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # what no database stores and no vCard holds
_NOT_TEXT_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def error_of(status: int, headers: Mapping[str, str], body: bytes, where: str) -> CcdaemonError | None:
    """The error that an answer means; None for 2xx and 304.

    ``where`` says who was asked for what, without any address or id ("people.connections.list").
    """
    if 200 <= status < 300 or status == 304:
        return None
    return error_of_payload(status, headers, _parsed(body), where)


def error_of_payload(status: int, headers: Mapping[str, str], payload: Any, where: str) -> CcdaemonError:
    """``error_of`` for a refusal whose body is parsed already (a part of a batch, an error that a library hands on)."""
    asked = retry_after(headers)
    return error_of_words(status, tuple(_words(payload)), where, _retry_delay(payload) if asked is None else asked)


def redirect_error(answer: Mapping[str, str], where: str) -> CcdaemonError | None:
    """The error that the query of an OAuth redirect holds; None when it holds none. Never milder than NotPermitted."""
    word = answer.get("error")
    if word is None:
        return None
    code = re.match(r"AADSTS\d+", answer.get("error_description", ""))
    error = error_of_words(0, (*([code[0]] if code else []), word), where)
    return NotPermitted(str(error)) if type(error) in {BadAnswer, Rejected} else error


def error_of_words(status: int, words: tuple[str, ...], where: str, wait: timedelta | None = None) -> CcdaemonError:
    """The error for words already taken from an answer, the most telling first. ``status`` 0: there was none."""
    kind = next(
        (_TABLE[key] for word in words for key in ((status, word.casefold()), (ANY, word.casefold())) if key in _TABLE),
        _BY_STATUS.get(status, Transient if status >= 500 else Rejected if status >= 400 else BadAnswer),
    )
    said = next((word for word in words if _WORD.match(word)), "")
    meaning = next((f"({_MEANING[word]})" for word in words if word in _MEANING), "")
    message = " ".join(part for part in (f"{where}:", str(status or ""), said, meaning) if part)
    return kind(message, retry_after=wait) if issubclass(kind, Transient) else kind(message)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long the provider asks to wait, an hour at most; None when it names no time that can be read.

    A date counts from the answer's own ``Date``: our clock has no say. Source: RFC 9110 section 10.2.3.
    """
    value = _header(headers, "retry-after")
    if value.isascii() and value.isdigit():
        seconds = int(value) if len(value) < 10 else 10**9
        return timedelta(seconds=min(seconds, LONGEST_RETRY_AFTER.total_seconds()))
    until, said_at = _http_date(value), _http_date(_header(headers, "date"))
    if until is None or said_at is None:
        return None
    return min(max(until - said_at, timedelta()), LONGEST_RETRY_AFTER)


def read_json(body: bytes, where: str) -> Json:
    """The JSON object of an answer, strictly, with NUL and lone surrogates in its texts replaced by U+FFFD.

    Raises BadAnswer for everything else: HTML, nothing, a cut text, NaN, nesting without end, and for so many values
    that they would take many times the memory of their text.
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise BadAnswer(f"{where}: an answer of more than {MAX_VALUES} values")
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadAnswer(f"{where}: the answer is not JSON") from None  # the cause would repeat the body
    if not isinstance(value, dict):
        raise BadAnswer(f"{where}: the answer is not a JSON object")
    if not _NOT_TEXT_ESCAPED.search(body):
        return value
    try:
        mended: Json = _without_broken_text(value)
    except RecursionError:
        raise BadAnswer(f"{where}: the answer is nested beyond reason") from None
    return mended


def members(payload: Json, name: str, where: str) -> list[Json]:
    """The list under ``name``; [] when absent. Raises BadAnswer when it is anything else.

    What is no object there becomes one without an id, so that it costs itself and not its page (R-51).
    """
    value = payload.get(name, [])
    if not isinstance(value, list):
        raise BadAnswer(f"{where}: {name} is not a list")
    return [one if isinstance(one, dict) else {"notAnObject": one} for one in value]


def text(payload: Json, name: str, where: str) -> str:
    """The non-empty text under ``name``. Raises BadAnswer when there is none."""
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"{where}: {name} is missing")
    return value


def microseconds(stamp: object) -> int:
    """RFC 3339 as microseconds since 1970, cut to the microsecond; 0 where it is none or from before 1970."""
    if not isinstance(stamp, str):
        return 0
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", stamp))
    except ValueError:
        return 0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0, (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1))


def _words(payload: Any) -> Iterator[str]:
    """Every word of an error body, the most telling first."""
    error = payload.get("error") if isinstance(payload, dict) else None
    if isinstance(error, str):  # OAuth
        codes = payload.get("error_codes")
        yield from (f"AADSTS{code}" for code in (codes if isinstance(codes, list) else []) if isinstance(code, int))
        yield from _texts(payload, "error_subtype", "suberror", "error")
    elif isinstance(error, dict):
        for part in ("details", "errors"):  # Google, new form and old
            listed = error.get(part)
            for one in listed if isinstance(listed, list) else []:
                yield from _texts(one, "reason")
        yield from _texts(error.get("innerError"), "code")  # Graph
        yield from _texts(error, "code", "status")


def _retry_delay(payload: Any) -> timedelta | None:
    """The same wish as ``Retry-After`` in the body of an error (google.rpc.RetryInfo), which Google's newer APIs may
    send instead; an hour at most. None where there is none that can be read.
    """
    error = payload.get("error") if isinstance(payload, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for one in details if isinstance(details, list) else []:
        delay = one.get("retryDelay") if isinstance(one, dict) else None
        if isinstance(delay, str) and _DURATION.match(delay):
            return min(timedelta(seconds=float(delay[:-1])), LONGEST_RETRY_AFTER)
    return None


def _texts(payload: Any, *names: str) -> Iterator[str]:
    for name in names:
        value = payload.get(name) if isinstance(payload, dict) else None
        if isinstance(value, str) and value:
            yield value


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None  # the status alone has to do


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _without_broken_text(value: Any) -> Any:
    if isinstance(value, str):
        return _NOT_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_broken_text(one) for one in value]
    if isinstance(value, dict):
        return {_NOT_TEXT.sub("\ufffd", key): _without_broken_text(one) for key, one in value.items()}
    return value


def _header(headers: Mapping[str, object], name: str) -> str:
    """A header's text; "" when there is none. In a part of a batch it may be a JSON number, and of any spelling."""
    return next((str(text).strip() for known, text in headers.items() if known.lower() == name), "")


def _http_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
