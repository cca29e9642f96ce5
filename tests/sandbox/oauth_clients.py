"""The providers' own client libraries, mapped onto a sandbox as ``provider.*.endpoint`` maps ours."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httplib2
import msal
import requests
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import Resource, build

AUTH = "https://www.googleapis.com/auth/"
CONTACTS, CALENDAR = f"{AUTH}contacts.readonly", f"{AUTH}calendar.readonly"
GOOGLE_REDIRECT = "http://127.0.0.1:49152/"
MICROSOFT_REDIRECT = "http://localhost:49152/"

Json = dict[str, Any]


class Mapped(requests.Session):
    """Sends what is meant for ``https://HOST/…`` to ``SANDBOX/HOST/…`` and follows no redirect."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        options |= {"allow_redirects": False, "timeout": 10}
        return super().request(method, f"{self.url}/{url.removeprefix('https://')}", **options)


class MappedAdapter(requests.adapters.HTTPAdapter):
    """The same, for a library that brings its own session."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = f"{self.url}/{(request.url or '').removeprefix('https://')}"
        return super().send(request, *args, **options)


class MappedHttp:
    """What google-api-python-client wants of an HTTP object."""

    def __init__(self, session: Mapped, token: str) -> None:
        self._session = session
        self._token = token

    def request(self, uri: str, method: str = "GET", **options: Any) -> tuple[httplib2.Response, bytes]:
        headers = {**(options.get("headers") or {}), "Authorization": f"Bearer {self._token}"}
        answer = self._session.request(method, uri, data=options.get("body"), headers=headers)
        return httplib2.Response({**answer.headers, "status": str(answer.status_code)}), answer.content


def parameters(location: str) -> dict[str, str]:
    """The query of a redirect."""
    return dict(parse_qsl(urlsplit(location).query))


class GoogleClient:
    """google-auth-oauthlib and google-api-python-client as a desktop program uses them."""

    def __init__(self, url: str, *, client_secret: str = "secret") -> None:
        self.http = Mapped(url)
        self.config = {
            "client_id": "desktop.apps.googleusercontent.com",
            "client_secret": client_secret,
            "auth_uri": "https://accounts.google.com/o/oauth2/v2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
        }

    def flow(self, *scopes: str) -> Flow:
        """A flow with PKCE; of contacts and identity unless scopes are named."""
        asked = scopes or ("openid", "email", CONTACTS)
        flow = Flow.from_client_config({"installed": self.config}, asked, redirect_uri=GOOGLE_REDIRECT)
        flow.oauth2session.mount("https://", MappedAdapter(self.http.url))
        return flow

    def consent(self, flow: Flow, **options: Any) -> str:
        """Where the browser ends up; ``options`` go into the authorisation URL."""
        options = {"access_type": "offline", "prompt": "consent", **options}
        url, _ = flow.authorization_url(**options)
        answer = self.http.get(url)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def enrol(self, *scopes: str, **options: Any) -> Json:
        """All the way to the token answer."""
        flow = self.flow(*scopes)
        found: Json = flow.fetch_token(code=parameters(self.consent(flow, **options))["code"])
        return found

    def token(self, **form: str) -> requests.Response:
        """The token endpoint, by hand."""
        client = {name: self.config[name] for name in ("client_id", "client_secret")}
        return self.http.post(self.config["token_uri"], data={**client, **form})

    def refresh(self, refresh_token: str) -> requests.Response:
        """A refresh."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def service(self, name: str, version: str, token: str) -> Resource:
        """A client built from the discovery document in the package."""
        return build(name, version, http=MappedHttp(self.http, token), static_discovery=True)


class MicrosoftClient:
    """msal as a desktop program uses it. Its caches are its own: make a new one to forget an error."""

    def __init__(self, url: str, *, tenant: str = "common", client_id: str = "desktop") -> None:
        self.http = Mapped(url)
        self.app = msal.PublicClientApplication(
            client_id,
            authority=f"https://login.microsoftonline.com/{tenant}",
            http_client=self.http,
            instance_discovery=False,
        )

    def flow(self, *scopes: str) -> Json:
        """A pending flow with PKCE, state and nonce, answered by a form as msal recommends."""
        found: Json = self.app.initiate_auth_code_flow(
            list(scopes or ("User.Read", "Contacts.Read")), redirect_uri=MICROSOFT_REDIRECT, response_mode="form_post"
        )
        return found

    def answer(self, flow: Json, **query: str) -> dict[str, str]:
        """What the browser hands to the program."""
        page = self.http.get(flow["auth_uri"], params=query)
        assert page.status_code == 200, page.text
        return {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)}

    def enrol(self, *scopes: str, **query: str) -> Json:
        """All the way to the token answer."""
        flow = self.flow(*scopes)
        found: Json = self.app.acquire_token_by_auth_code_flow(flow, self.answer(flow, **query))
        return found

    def token(self, **form: str) -> requests.Response:
        """The token endpoint, by hand."""
        url = "https://login.microsoftonline.com/common/oauth2/v2.0/token"
        return self.http.post(url, data={"client_id": self.app.client_id, **form})

    def refresh(self, refresh_token: str, scope: str = "User.Read") -> requests.Response:
        """A refresh."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, scope=scope)
