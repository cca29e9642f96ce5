"""What is believed of a token endpoint's answer (T-10)."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from ccdaemon.errors import BadAnswer
from ccdaemon.providers.tokens import claim, claims, read_token_answer

GOOD = {"access_token": "ya29.abc", "token_type": "Bearer", "expires_in": 3599}


def _id_token(payload: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2lnbmF0dXJl"


def test_a_good_answer_is_read_and_hides_its_secrets() -> None:
    answer = read_token_answer(
        GOOD | {"scope": "a b", "refresh_token": "1//x", "refresh_token_expires_in": 604799, "id_token": "a.b.c"},
        "oauth",
    )

    assert (answer.access_token, answer.expires_in) == ("ya29.abc", timedelta(seconds=3599))
    assert (answer.scopes, answer.refresh_token) == (("a", "b"), "1//x")
    assert answer.refresh_expires_in == timedelta(seconds=604799)
    assert not any(secret in repr(answer) for secret in ("ya29.abc", "1//x", "a.b.c"))


def test_what_is_optional_may_be_missing() -> None:
    answer = read_token_answer(GOOD | {"token_type": "bearer", "expires_in": "3600"}, "oauth")

    assert (answer.scopes, answer.refresh_token, answer.id_token) == (None, None, None)
    assert answer.expires_in == timedelta(hours=1)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"expires_in": "abc"},
        {"expires_in": -1},
        {"expires_in": 0},
        {"expires_in": 1e308},
        {"expires_in": 3599.5},
        {"expires_in": True},
        {"expires_in": None},
        {"expires_in": 10**30},
        {"expires_in": 10**6},
        {"token_type": "mac"},
        {"token_type": None},
        {"access_token": ""},
        {"access_token": None},
        {"access_token": ["x"]},
        {"access_token": "x\r\nX-Evil: y"},
        {"access_token": "x" * 20_000},
        {"refresh_token": 7},
    ],
    ids=str,
)
def test_t10_what_makes_no_sense_is_refused(spoilt: dict[str, object]) -> None:
    with pytest.raises(BadAnswer) as caught:
        read_token_answer(GOOD | spoilt, "oauth")

    assert "ya29.abc" not in str(caught.value)


def test_claims_are_for_us() -> None:
    found = claims(_id_token({"aud": "us", "sub": "1", "email": 7}), "us", "oauth")

    assert (claim(found, "sub"), claim(found, "email"), claim(found, "name")) == ("1", "", "")


@pytest.mark.parametrize(
    "id_token",
    [None, "", "a.b", "a.!.c", "a.W10.c", _id_token({"aud": "them"}), _id_token({"aud": ["us"]}), _id_token([])],
)
def test_an_id_token_for_others_is_refused(id_token: str | None) -> None:
    with pytest.raises(BadAnswer):
        claims(id_token, "us", "oauth")
