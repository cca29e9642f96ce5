"""Reading what a token endpoint answers: checked before anything of it is believed (T-10). Pure."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ccdaemon.errors import BadAnswer
from ccdaemon.model import Json

LONGEST_LIFE = timedelta(days=2)  # Microsoft's longest access token lives 28 hours
_MAX_TOKEN = 16 * 1024  # characters; Google documents 2,048, Microsoft's run to a few thousand


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenAnswer:
    """A token endpoint's answer that holds what RFC 6749 section 5.1 asks for."""

    access_token: str = field(repr=False)
    expires_in: timedelta
    scopes: tuple[str, ...] | None  # None: the ones that were asked for
    refresh_token: str | None = field(repr=False)
    refresh_expires_in: timedelta | None  # only Google names it, and only for grants with an end
    id_token: str | None = field(repr=False)


def read_token_answer(payload: Json, where: str) -> TokenAnswer:
    """Raises BadAnswer, naming the field and not its content."""
    if str(payload.get("token_type", "")).lower() != "bearer":
        raise BadAnswer(f"{where}: token_type is not Bearer")
    expires_in = _seconds(payload.get("expires_in"))
    if expires_in is None or expires_in > LONGEST_LIFE:
        raise BadAnswer(f"{where}: expires_in is not a number of seconds that makes sense")
    access_token = _token(payload, "access_token", where)
    if access_token is None:
        raise BadAnswer(f"{where}: access_token is missing")
    scope = payload.get("scope")
    return TokenAnswer(
        access_token=access_token,
        expires_in=expires_in,
        scopes=tuple(scope.split()) if isinstance(scope, str) else None,
        refresh_token=_token(payload, "refresh_token", where),
        refresh_expires_in=_seconds(payload.get("refresh_token_expires_in")),
        id_token=_token(payload, "id_token", where),
    )


def claims(id_token: str | None, audience: str, where: str) -> Json:
    """The claims of an id_token made for ``audience``; the caller checks the issuer, which differs by provider.

    Its signature and times are not checked: it came from the token endpoint itself over TLS (OpenID Connect Core
    3.1.3.7 number 6) a moment ago, and a machine with a wrong clock shall be able to enrol. Raises BadAnswer.
    """
    parts = (id_token or "").split(".")
    try:
        decoded: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        raise BadAnswer(f"{where}: no readable id_token") from None
    if not isinstance(decoded, dict) or decoded.get("aud") != audience:
        raise BadAnswer(f"{where}: the id_token was made for another application")
    return decoded


def claim(claims_: Json, name: str) -> str:
    """A text claim; "" when there is none."""
    value = claims_.get(name)
    return value if isinstance(value, str) else ""


def _token(payload: Json, name: str, where: str) -> str | None:
    value = payload.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _MAX_TOKEN or not value.isascii() or not value.isprintable():
        raise BadAnswer(f"{where}: {name} is not a token")
    return value


def _seconds(value: object) -> timedelta | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)  # older Microsoft endpoints send text
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**9:
        return None
    return timedelta(seconds=value)
