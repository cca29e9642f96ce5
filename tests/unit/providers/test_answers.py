"""One table from answers to errors, and how answers are read."""

import json
from datetime import timedelta

import pytest

from ccdaemon import errors
from ccdaemon.providers import answers
from tests.conftest import SHARED

COMPOSED = SHARED / "payloads" / "composed"

EXPECTED = {
    "errors_google.json": {
        "oauth_invalid_grant_revoked": errors.ConsentNeeded,
        "oauth_invalid_grant_bad_request": errors.ConsentNeeded,
        "calendar_410_sync_token_guide_shape": errors.CursorExpired,
        "people_400_expired_sync_token": errors.CursorExpired,
        "people_429_full_sync_quota": errors.RateLimited,
        "people_429_critical_reads": errors.RateLimited,
        "calendar_403_user_rate": errors.RateLimited,
        "calendar_403_rate": errors.RateLimited,
        "calendar_412": errors.Stale,
        "calendar_409_duplicate": errors.Stale,
        "calendar_410_deleted": errors.NotFound,
        "calendar_403_non_organizer": errors.NotPermitted,
    },
    "errors_microsoft.json": {
        "token_invalid_grant_700082": errors.ConsentNeeded,
        "token_invalid_grant_50173": errors.ConsentNeeded,
        "token_invalid_scope_70011": errors.Rejected,
        "device_authorization_pending": errors.Transient,
        "graph_410_delta": errors.CursorExpired,
        "graph_429": errors.RateLimited,
        "graph_range": errors.Rejected,
        "graph_timezone": errors.Rejected,
        "graph_401_cae": errors.ConsentNeeded,
        "graph_occurrence_crossing": errors.Rejected,
        "graph_412": errors.Stale,
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_recorded_error_body_means_what_the_table_says(name: str) -> None:
    if not (COMPOSED / name).exists():
        pytest.skip(f"shared/payloads/composed/{name} is not here")
    recorded = json.loads((COMPOSED / name).read_text())

    found = {
        case: type(
            answers.error_of(one["http"], one.get("headers", {}), json.dumps(one.get("body")).encode(), "somewhere")
        )
        for case, one in recorded.items()
    }

    assert found == EXPECTED[name]


def _google(reason: str) -> bytes:
    return json.dumps({"error": {"errors": [{"reason": reason}], "code": 403, "message": "secret@example"}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"", errors.ConsentNeeded),
        (403, b"<html>", errors.NotPermitted),
        (403, _google("insufficientPermissions"), errors.MissingScope),
        (403, _google("accessNotConfigured"), errors.NotPermitted),
        (403, b'{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}',
         errors.MissingScope),
        (403, b'{"error":{"code":"ErrorAccessDenied"}}', errors.MissingScope),
        (404, b'{"error":{"code":"ErrorItemNotFound"}}', errors.NotFound),
        (410, b'{"error":{"code":"resyncRequired"}}', errors.CursorExpired),
        (410, b"", errors.CursorExpired),
        (400, b'{"error":{"status":"FAILED_PRECONDITION"}}', errors.Stale),
        (400, b'{"error":{"status":"INVALID_ARGUMENT"}}', errors.Rejected),
        (400, b'{"error":"invalid_grant","error_subtype":"invalid_rapt"}', errors.ConsentNeeded),
        (400, b'{"error":"invalid_grant","error_codes":[53003]}', errors.NotPermitted),
        (401, b'{"error":"invalid_client"}', errors.BadConfiguration),
        (400, b'{"error":"temporarily_unavailable"}', errors.Transient),
        (500, b"", errors.Transient),
        (502, b"<html>", errors.Transient),
        (503, b"[" * 5000, errors.Transient),
        (504, b"null", errors.Transient),
        (418, b"", errors.Rejected),
        (302, b"", errors.BadAnswer),
    ],
)  # fmt: skip
def test_status_and_word_decide_the_class(status: int, body: bytes, expected: type[errors.CcdaemonError]) -> None:
    assert type(answers.error_of(status, {}, body, "somewhere")) is expected


@pytest.mark.parametrize("status", [200, 204, 206, 304])
def test_what_worked_is_no_error(status: int) -> None:
    assert answers.error_of(status, {}, b"", "somewhere") is None


def test_a_message_repeats_words_of_the_provider_and_nothing_else() -> None:
    error = answers.error_of(403, {}, _google("forbidden"), "google people")
    odd = answers.error_of(403, {}, _google("bob@example.org said no"), "google people")

    assert (str(error), str(odd)) == ("google people: 403 forbidden", "google people: 403")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"retry-after": "0"}, timedelta()),
        ({"Retry-After": "86400"}, timedelta(hours=1)),
        ({"Retry-After": "9" * 40}, timedelta(hours=1)),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "x"}, None),
        ({"Retry-After": "٣"}, None),
        ({}, None),
        (
            {"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"},
            timedelta(seconds=30),
        ),
        ({"Retry-After": "Sat, 21 Nov 2026 09:00:00 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, timedelta()),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        (
            {"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"},
            timedelta(seconds=30),
        ),
        ({"Retry-After": "Sat, 21 Nov 99999 10:00:30 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, None),
        ({"Retry-After": 7}, timedelta(seconds=7)),  # in a part of a batch, whose headers are JSON
        ({"Retry-After": {}}, None),
    ],
)
def test_f09_retry_after_is_honoured_capped_or_ignored(headers: dict[str, str], expected: timedelta | None) -> None:
    assert answers.retry_after(headers) == expected


@pytest.mark.parametrize(
    ("delay", "headers", "expected"),
    [
        pytest.param("53s", {}, timedelta(seconds=53), id="seconds"),
        pytest.param("0.250s", {}, timedelta(seconds=0.25), id="a fraction"),
        pytest.param("999999999s", {}, timedelta(hours=1), id="too long"),
        pytest.param("53s", {"Retry-After": "7"}, timedelta(seconds=7), id="the header says otherwise"),
        pytest.param("-3s", {}, None, id="negative"),
        pytest.param("soon", {}, None, id="no time"),
        pytest.param(["53s"], {}, None, id="no text"),
    ],
)
def test_f09_a_wait_that_only_the_body_names_is_honoured(
    delay: object, headers: dict[str, str], expected: timedelta | None
) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": ["x", quota, info]}}

    error = answers.error_of_payload(429, headers, body, "people")

    assert isinstance(error, errors.RateLimited)
    assert error.retry_after == expected


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"a":', b'{"a": NaN}', b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}", b"\xff\xfe"],
)
def test_f12_what_is_not_a_json_object_is_believed_in_no_part(body: bytes) -> None:
    with pytest.raises(errors.BadAnswer):
        answers.read_json(body, "somewhere")


def test_t45_what_no_database_stores_is_replaced() -> None:
    found = answers.read_json(rb'{"a": ["x\u0000y", "\ud800z", "\ud83d\ude00"], "\udfff": "\\u0000"}', "somewhere")

    assert found == {"a": ["x\ufffdy", "\ufffdz", "😀"], "\ufffd": "\\u0000"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"code": "c"}, None),
        ({"error": "access_denied"}, errors.NotPermitted),
        ({"error": "admin_policy_enforced"}, errors.NotPermitted),
        ({"error": "<script>"}, errors.NotPermitted),
        ({"error": "server_error"}, errors.Transient),
        ({"error": "access_denied", "error_description": "AADSTS65001: nobody"}, errors.ConsentNeeded),
    ],
)
def test_a_redirect_with_an_error_says_what_to_do(query: dict[str, str], expected: type[Exception] | None) -> None:
    error = answers.redirect_error(query, "oauth")

    assert (None if error is None else type(error)) == expected


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T01:00:00.1234567+01:00", 123_456),
        ("0001-01-01T00:00:00Z", 0),
        ("yesterday", 0),
        (None, 0),
    ],
)
def test_times_become_microseconds(stamp: str | None, expected: int) -> None:
    assert answers.microseconds(stamp) == expected
