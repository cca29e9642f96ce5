"""Consent and refresh at Microsoft: msal over our transport.

A new msal application for each call: its in-process caches (discovery for a day, refusals for a minute) would otherwise
answer for the provider. Sources: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow,
providers.md sections 2.1 and 4.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msal
import requests

from ccdaemon.errors import (
    BadAnswer,
    BadConfiguration,
    BadData,
    CcdaemonError,
    ConsentNeeded,
    NotPermitted,
)
from ccdaemon.model import AccessToken, ProviderName, Purpose
from ccdaemon.providers.answers import error_of_payload, read_json, redirect_error
from ccdaemon.providers.base import ClientCredentials, Granted, PendingConsent, PendingDevice, Refreshed
from ccdaemon.providers.tokens import TokenAnswer, claim, claims, read_token_answer
from ccdaemon.providers.transport import Transport, TransportFactory, error_of_response, pinned_host

HOST = "login.microsoftonline.com"
MAX_ANSWER_BYTES = 1024 * 1024

_GRAPH = "https://graph.microsoft.com/"
_MAIL = "https://outlook.office.com/"
_SCOPES: dict[Purpose, tuple[tuple[str, ...], tuple[str, ...]]] = {  # to read, to write
    Purpose.CONTACTS: (("Contacts.Read",), ("Contacts.ReadWrite",)),
    Purpose.CALENDAR: (("Calendars.Read",), ("Calendars.ReadWrite",)),
    Purpose.TASKS: (("Tasks.Read",), ("Tasks.ReadWrite",)),
    Purpose.STORAGE: (("Files.Read",), ("Files.Read",)),
    Purpose.MAIL: ((f"{_MAIL}IMAP.AccessAsUser.All", f"{_MAIL}SMTP.Send"),) * 2,
}
_TENANT = re.compile(r"[\w.-]+")
_IDENTITY = "User.Read"
_MSALS_OWN = frozenset({"openid", "profile", "email", "offline_access"})  # msal adds them and raises when it is told
_ASKED = "ccdaemon_scopes"  # our own entry in msal's device flow
_PENDING = frozenset({"authorization_pending", "slow_down"})
_WHERE = "microsoft oauth"


class MicrosoftOAuth:
    """Meets ``providers.base.OAuth``, and offers the device code besides."""

    provider: ProviderName = ProviderName.MICROSOFT

    def __init__(
        self, credentials: ClientCredentials, transport_factory: TransportFactory, now: Callable[[], datetime]
    ) -> None:
        if not _TENANT.fullmatch(credentials.tenant):
            raise BadConfiguration("provider.microsoft.tenant is common, organizations, consumers or a tenant's id")
        self._credentials = credentials
        self._transport_factory = transport_factory
        self._now = now

    def scopes(self, purposes: Sequence[Purpose], *, write: bool) -> tuple[str, ...]:
        """``User.Read`` and what each purpose needs. Raises BadData for a purpose that Microsoft does not have."""
        unknown = [purpose.value for purpose in purposes if purpose not in _SCOPES]
        if unknown:
            raise BadData(f"Microsoft offers nothing for {', '.join(unknown)}")
        return (_IDENTITY, *(scope for purpose in dict.fromkeys(purposes) for scope in _SCOPES[purpose][write]))

    @staticmethod
    def covered(scopes: Sequence[str]) -> tuple[Purpose, ...]:
        """Purposes that these scopes, in short or in long form, allow to read."""
        given = {_short(scope) for scope in scopes}
        return tuple(
            purpose
            for purpose, alternatives in _SCOPES.items()
            if any(given.issuperset(_short(scope) for scope in enough) for enough in alternatives)
        )

    def audience(self, purpose: Purpose) -> str:
        """The mail servers take tokens of their own; everything else is Graph."""
        return (_MAIL if purpose is Purpose.MAIL else _GRAPH).rstrip("/")

    def begin(
        self, purposes: Sequence[Purpose], *, write: bool, redirect_uri: str, login_hint: str | None = None
    ) -> PendingConsent:
        """Asks Microsoft where its endpoints are; the person chooses the account."""
        with self._app() as app:
            flow: dict[str, object] = app.initiate_auth_code_flow(
                list(self.scopes(purposes, write=write)),
                redirect_uri=redirect_uri,
                state=secrets.token_urlsafe(32),
                prompt="select_account",
                login_hint=login_hint,
                response_mode="form_post",
            )
        # msal warns about every mode but form_post, which no loopback listener and no pasted URL could take.
        url = str(flow["auth_uri"]).replace("response_mode=form_post", "response_mode=query")
        pinned_host(url, {HOST})
        return PendingConsent(
            provider=self.provider,
            authorization_url=url,
            redirect_uri=redirect_uri,
            state=str(flow["state"]),
            flow=flow,
        )

    def finish(self, pending: PendingConsent, answer: Mapping[str, str]) -> Granted:
        """Exchange the code. Scopes of the mail servers, another resource, are proven by a refresh of their own."""
        if not hmac.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise NotPermitted(f"{_WHERE}: this answer does not belong to this enrolment")
        if "iss" in answer and not answer["iss"].startswith(f"https://{HOST}/"):
            raise NotPermitted(f"{_WHERE}: this answer comes from another issuer")
        refused = redirect_error(answer, _WHERE)
        if refused is not None:
            raise refused
        if not answer.get("code"):
            raise BadAnswer(f"{_WHERE}: the redirect holds neither a code nor an error")
        asked = [str(scope) for scope in _list(pending.flow.get("scope")) if scope not in _MSALS_OWN]
        with self._app() as app:
            result = app.acquire_token_by_auth_code_flow(
                dict(pending.flow), {"state": pending.state, "code": answer["code"]}, scopes=_graph_only(asked)
            )
        return self._granted(result, asked)

    def refresh(self, refresh_token: str, purpose: Purpose, scopes: Sequence[str]) -> Refreshed:
        """A token for the one resource that serves the purpose. The refresh token comes back renewed."""
        if purpose not in self.covered(scopes):
            raise NotPermitted(f"{_WHERE}: the grant does not cover {purpose}")
        wanted = [scope for scope in scopes if _short(scope) not in _MSALS_OWN]
        wanted = _mail_only(wanted) if purpose is Purpose.MAIL else _graph_only(wanted)
        with self._app() as app:
            answer = self._read(app.acquire_token_by_refresh_token(refresh_token, wanted))
        return Refreshed(
            access=self._access(answer, wanted), refresh_token=answer.refresh_token, refresh_expires_at=None
        )

    def revoke(self, refresh_token: str) -> bool:  # noqa: ARG002
        """False: only the person can, at https://account.live.com/consent/Manage or https://myapps.microsoft.com."""
        return False

    def begin_device(self, purposes: Sequence[Purpose], *, write: bool) -> PendingDevice:
        """A code to type on another device. Raises BadConfiguration for an application that has a secret."""
        if self._credentials.client_secret is not None:
            raise BadConfiguration("a device code needs an application without a client secret")
        asked = _graph_only(self.scopes(purposes, write=write))
        with self._app() as app:
            flow: dict[str, Any] = app.initiate_device_flow(asked)
        if "device_code" not in flow:
            raise error_of_payload(400, {}, flow, _WHERE)
        return PendingDevice(
            provider=self.provider,
            verification_uri=str(flow.get("verification_uri")),
            user_code=str(flow.get("user_code")),
            interval=timedelta(seconds=int(flow.get("interval", 5))),
            expires_in=timedelta(seconds=int(flow.get("expires_in", 900))),
            flow=flow | {_ASKED: asked},
        )

    def poll_device(self, pending: PendingDevice) -> Granted | None:
        """One poll; None: not yet. Raises NotPermitted when the person declined or was too late."""
        with self._app() as app:
            result = app.acquire_token_by_device_flow(dict(pending.flow), exit_condition=lambda _: True)
        if result.get("error") in _PENDING:
            return None
        return self._granted(result, [str(scope) for scope in _list(pending.flow.get(_ASKED))])

    def _granted(self, result: Mapping[str, Any], asked: Sequence[str]) -> Granted:
        answer = self._read(result)
        identity = claims(answer.id_token, self._credentials.client_id, _WHERE)
        tenant, person = claim(identity, "tid"), claim(identity, "oid")
        if not tenant or not person or claim(identity, "iss") != f"https://{HOST}/{tenant}/v2.0":
            raise BadAnswer(f"{_WHERE}: the id_token is not one of Microsoft's")
        access = self._access(answer, asked)
        mail = self._proven_mail(answer.refresh_token, _mail_only(asked), access)
        address = claim(identity, "preferred_username") or claim(identity, "email")
        return Granted(
            subject=f"{tenant}.{person}",
            address=address,
            display_name=claim(identity, "name") or address,
            scopes=tuple(dict.fromkeys((*access.scopes, *mail))),
            refresh_token=answer.refresh_token,
            refresh_expires_at=None,
            access=access,
        )

    def _proven_mail(self, refresh_token: str | None, asked: Sequence[str], access: AccessToken) -> tuple[str, ...]:
        if not asked or refresh_token is None or Purpose.MAIL in self.covered(access.scopes):
            return ()
        try:
            return self.refresh(refresh_token, Purpose.MAIL, asked).access.scopes
        except ConsentNeeded:
            return ()

    def _read(self, result: Mapping[str, Any]) -> TokenAnswer:
        """What msal returned: a token, or an error as the provider worded it."""
        if "error" in result:
            raise error_of_payload(400, {}, dict(result), _WHERE)
        return read_token_answer(dict(result), _WHERE)

    def _access(self, answer: TokenAnswer, asked: Sequence[str]) -> AccessToken:
        return AccessToken(
            value=answer.access_token,
            expires_at=self._now() + answer.expires_in,
            scopes=answer.scopes if answer.scopes is not None else tuple(asked),
        )

    @contextmanager
    def _app(self) -> Iterator[Any]:
        """An msal application of its own, whose mishaps leave as our errors."""
        secret = self._credentials.client_secret
        kind = msal.PublicClientApplication if secret is None else msal.ConfidentialClientApplication
        with self._transport_factory({HOST}, max_bytes=MAX_ANSWER_BYTES) as transport:
            try:
                yield kind(
                    self._credentials.client_id,
                    client_credential=secret,
                    authority=f"https://{HOST}/{self._credentials.tenant}",
                    http_client=MsalHttp(transport),
                    instance_discovery=False,
                )
            except CcdaemonError:
                raise
            except (ValueError, KeyError, RuntimeError, TypeError) as error:
                # Not chained: msal's messages repeat states, nonces and whole answers.
                raise BadAnswer(f"{_WHERE}: msal refused the answer ({type(error).__name__})") from None


class MsalHttp:
    """msal's ``http_client`` over our transport: hands it JSON only, and nothing that a retry could mend."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        """Discovery."""
        response = self._transport.get(url, params=params, headers=headers)
        error = error_of_response(response, _WHERE)
        if error is not None:
            raise error
        read_json(response.content, _WHERE)
        return response

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        """The token and device code endpoints. A refresh may be repeated: the old token stays valid; a code may not."""
        again = isinstance(data, Mapping) and data.get("grant_type") == "refresh_token"
        response = self._transport.post(url, params=params, data=data, headers=headers, idempotent=again)
        error = error_of_response(response, _WHERE)
        if error is not None and "error" not in read_json(response.content, _WHERE):
            raise error
        return response

    def close(self) -> None:
        """The transport is closed by who opened it."""


def _short(scope: str) -> str:
    return scope.lower().removeprefix(_GRAPH)


def _graph_only(scopes: Sequence[str]) -> list[str]:
    return [scope for scope in scopes if not scope.lower().startswith(_MAIL)]


def _mail_only(scopes: Sequence[str]) -> list[str]:
    return [scope for scope in scopes if scope.lower().startswith(_MAIL)]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
