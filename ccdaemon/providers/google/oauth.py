"""Consent and refresh at Google: authorisation code with PKCE for a desktop application.

Sources: https://developers.google.com/identity/protocols/oauth2/native-app, providers.md section 1.1.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import requests
from google_auth_oauthlib.flow import Flow

from ccdaemon.errors import BadAnswer, BadData, NotPermitted
from ccdaemon.model import AccessToken, ProviderName, Purpose
from ccdaemon.providers.answers import read_json, redirect_error
from ccdaemon.providers.base import ClientCredentials, Granted, PendingConsent, Refreshed
from ccdaemon.providers.tokens import TokenAnswer, claim, claims, read_token_answer
from ccdaemon.providers.transport import Transport, TransportFactory, error_of_response

AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
REVOKE_URL = "https://oauth2.googleapis.com/revoke"
HOSTS = frozenset({"oauth2.googleapis.com"})
ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
MAX_ANSWER_BYTES = 1024 * 1024

IDENTITY_SCOPES = ("openid", "email", "profile")
_AUTH = "https://www.googleapis.com/auth/"
_SCOPES: dict[Purpose, tuple[str, str]] = {  # to read, to write
    Purpose.CONTACTS: (_AUTH + "contacts.readonly", _AUTH + "contacts"),
    Purpose.CALENDAR: (_AUTH + "calendar.readonly", _AUTH + "calendar"),
    Purpose.TASKS: (_AUTH + "tasks.readonly", _AUTH + "tasks"),
    Purpose.STORAGE: (_AUTH + "drive.file", _AUTH + "drive.file"),  # the weakest that shows the quota
    Purpose.MAIL: ("https://mail.google.com/", "https://mail.google.com/"),
    Purpose.BUSINESS: (_AUTH + "business.manage", _AUTH + "business.manage"),
}
_WHERE = "google oauth"


class GoogleOAuth:
    """Meets ``providers.base.OAuth``. One instance may serve several threads: each call has a session of its own."""

    provider: ProviderName = ProviderName.GOOGLE

    def __init__(
        self, credentials: ClientCredentials, transport_factory: TransportFactory, now: Callable[[], datetime]
    ) -> None:
        self._credentials = credentials
        self._transport_factory = transport_factory
        self._now = now

    def scopes(self, purposes: Sequence[Purpose], *, write: bool) -> tuple[str, ...]:
        """The identity scopes and one scope for each purpose."""
        return (*IDENTITY_SCOPES, *(_SCOPES[purpose][write] for purpose in dict.fromkeys(purposes)))

    @staticmethod
    def covered(scopes: Sequence[str]) -> tuple[Purpose, ...]:
        """Purposes that these scopes allow to read."""
        return tuple(purpose for purpose, enough in _SCOPES.items() if not set(enough).isdisjoint(scopes))

    def audience(self, purpose: Purpose) -> str:  # noqa: ARG002  # Google makes no difference
        """One for all: an access token holds every granted scope."""
        return "google"

    def begin(
        self, purposes: Sequence[Purpose], *, write: bool, redirect_uri: str, login_hint: str | None = None
    ) -> PendingConsent:
        """No network. ``prompt=consent`` since a refresh token comes with a shown consent only."""
        if not purposes:
            raise BadData("an enrolment without a purpose")
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        asked = self.scopes(purposes, write=write)
        url, _ = self._flow(redirect_uri, verifier, asked).authorization_url(
            access_type="offline",
            prompt="consent",
            state=state,
            **({"login_hint": login_hint} if login_hint else {}),
        )
        return PendingConsent(
            provider=self.provider,
            authorization_url=url,
            redirect_uri=redirect_uri,
            state=state,
            flow={"code_verifier": verifier, "scopes": list(asked)},
        )

    def finish(self, pending: PendingConsent, answer: Mapping[str, str]) -> Granted:
        """Exchange the code. A code of another enrolment or of another issuer never reaches the token endpoint."""
        if not hmac.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise NotPermitted(f"{_WHERE}: this answer does not belong to this enrolment")
        if "iss" in answer and answer["iss"] not in ISSUERS:
            raise NotPermitted(f"{_WHERE}: this answer comes from another issuer")
        refused = redirect_error(answer, _WHERE)
        if refused is not None:
            raise refused
        if not answer.get("code"):
            raise BadAnswer(f"{_WHERE}: the redirect holds neither a code nor an error")
        return self._granted(pending, self._exchange(pending, answer["code"]))

    def refresh(self, refresh_token: str, purpose: Purpose, scopes: Sequence[str]) -> Refreshed:
        """One access token serves every purpose; Google keeps the refresh token. May be repeated safely."""
        if purpose not in self.covered(scopes):
            raise NotPermitted(f"{_WHERE}: the grant does not cover {purpose}")
        answer = self._post(
            TOKEN_URL,
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "client_id": self._credentials.client_id,
                "client_secret": self._credentials.client_secret or "",
            },
        )
        read = read_token_answer(read_json(answer.content, _WHERE), _WHERE)
        return Refreshed(
            access=self._access(read, scopes),
            refresh_token=read.refresh_token,
            refresh_expires_at=self._after(read.refresh_expires_in),
        )

    def revoke(self, refresh_token: str) -> bool:
        """Ends every scope that the person gave this application. True also when the grant was dead already."""
        with self._transport() as transport:
            response = transport.post(REVOKE_URL, data={"token": refresh_token}, idempotent=True)
        error = error_of_response(response, _WHERE)
        if error is not None and response.status_code != 400:
            raise error
        return True

    def _exchange(self, pending: PendingConsent, code: str) -> TokenAnswer:
        """The one-shot exchange, without retry. The library is not told the scopes: it raises when some are missing."""
        read: list[TokenAnswer] = []

        def check(response: requests.Response) -> requests.Response:
            error = error_of_response(response, _WHERE)
            if error is not None:
                raise error
            read.append(read_token_answer(read_json(response.content, _WHERE), _WHERE))
            return response

        flow = self._flow(pending.redirect_uri, str(pending.flow["code_verifier"]), None)
        flow.oauth2session.register_compliance_hook("access_token_response", check)
        with self._transport() as transport:
            transport.mount_on(flow.oauth2session)
            flow.fetch_token(code=code, include_client_id=True)
        return read[0]

    def _granted(self, pending: PendingConsent, answer: TokenAnswer) -> Granted:
        identity = claims(answer.id_token, self._credentials.client_id, _WHERE)
        if claim(identity, "iss") not in ISSUERS or not claim(identity, "sub"):
            raise BadAnswer(f"{_WHERE}: the id_token is not one of Google's")
        asked = pending.flow.get("scopes")
        access = self._access(answer, [str(scope) for scope in asked] if isinstance(asked, list) else [])
        address = claim(identity, "email")
        return Granted(
            subject=claim(identity, "sub"),
            address=address,
            display_name=claim(identity, "name") or address,
            scopes=access.scopes,
            refresh_token=answer.refresh_token,
            refresh_expires_at=self._after(answer.refresh_expires_in),
            access=access,
        )

    def _flow(self, redirect_uri: str, verifier: str, scopes: Sequence[str] | None) -> Any:
        client = {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "auth_uri": AUTHORIZE_URL,
            "token_uri": TOKEN_URL,
        }
        return Flow.from_client_config(
            {"installed": client},
            scopes,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
            autogenerate_code_verifier=False,
        )

    def _post(self, url: str, form: Mapping[str, str]) -> requests.Response:
        with self._transport() as transport:
            response = transport.post(url, data=form, idempotent=True)
        error = error_of_response(response, _WHERE)
        if error is not None:
            raise error
        return response

    def _transport(self) -> Transport:
        return self._transport_factory(HOSTS, max_bytes=MAX_ANSWER_BYTES)

    def _access(self, answer: TokenAnswer, asked: Sequence[str]) -> AccessToken:
        return AccessToken(
            value=answer.access_token,
            expires_at=self._now() + answer.expires_in,
            scopes=answer.scopes if answer.scopes is not None else tuple(asked),
        )

    def _after(self, duration: timedelta | None) -> datetime | None:
        return None if duration is None else self._now() + duration
