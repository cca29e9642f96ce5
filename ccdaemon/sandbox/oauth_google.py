"""Google's identity platform: authorize, token, revoke, userinfo, tokeninfo, key set, discovery.

Source: providers.md 1.1; developers.google.com/identity/protocols/oauth2/native-app, …/openid-connect.
"""

import base64
import hashlib
import re
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from ccdaemon.sandbox.consent import Decision, consent_page, decide, page, redirect
from ccdaemon.sandbox.grants import Code, Grants, RefreshToken
from ccdaemon.sandbox.jwt import claims_of
from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.wire import Answer, Json, Refusal, Request, Routes
from ccdaemon.sandbox.world import Identity, IssuedToken, World

PROVIDER = "google"
ISSUER = "https://accounts.google.com"
AUTH = "https://www.googleapis.com/auth/"
ALIASES = {"email": f"{AUTH}userinfo.email", "profile": f"{AUTH}userinfo.profile"}
"""Short scope names and what Google writes for them in every answer."""
IDENTITY_SCOPES = frozenset({"openid", *ALIASES.values()})
SCOPES = IDENTITY_SCOPES | {
    *(AUTH + name for name in ("contacts", "contacts.readonly", "contacts.other.readonly", "directory.readonly")),
    *(AUTH + name for name in ("calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly")),
    *(AUTH + name for name in ("calendar.calendarlist", "calendar.calendarlist.readonly")),
    *(AUTH + name for name in ("calendar.calendars", "calendar.calendars.readonly", "calendar.settings.readonly")),
    *(AUTH + name for name in ("tasks", "tasks.readonly", "business.manage", "carddav")),
    *(AUTH + name for name in ("drive", "drive.readonly", "drive.file", "drive.appdata")),
    *(AUTH + name for name in ("drive.metadata", "drive.metadata.readonly")),
    "https://mail.google.com/",
}
TESTING_LIFETIME = timedelta(days=7)
IDLE_LIFETIME = timedelta(days=182)
REFRESH_TOKENS_PER_CLIENT = 100
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:\d+)?(/[^#]*)?\Z")


class GoogleIdentity:
    """The routes, on the shared memory of grants."""

    def __init__(self, world: World, grants: Grants, switches: Switches, access_token_seconds: int) -> None:
        self._world = world
        self._grants = grants
        self._switches = switches
        self._access_token_seconds = access_token_seconds

    def register(self, routes: Routes) -> None:
        """Everything under accounts.google.com and its API hosts."""
        routes.add("GET", "accounts.google.com", "/o/oauth2/v2/auth", self.authorize)
        routes.add("GET", "accounts.google.com", "/o/oauth2/auth", self.authorize)
        routes.add("GET", "accounts.google.com", "/.well-known/openid-configuration", self.discovery)
        for host, path in (("oauth2.googleapis.com", "/token"), ("accounts.google.com", "/o/oauth2/token")):
            routes.add("POST", host, path, self.token)
        for host, path in (("oauth2.googleapis.com", "/revoke"), ("accounts.google.com", "/o/oauth2/revoke")):
            routes.add("POST", host, path, self.revoke)
        routes.add("GET", "oauth2.googleapis.com", "/tokeninfo", self.tokeninfo)
        routes.add("GET", "www.googleapis.com", "/oauth2/v3/certs", self.certificates)
        routes.add("GET", "openidconnect.googleapis.com", "/v1/userinfo", self.userinfo)
        routes.add("GET", "www.googleapis.com", "/oauth2/v3/userinfo", self.userinfo)

    # Authorize

    def authorize(self, request: Request) -> Answer:
        """Ask for consent; a 302 to the client, or an error page when the client cannot be trusted."""
        redirect_uri = request.one("redirect_uri") or ""
        asked = self._asked(request, redirect_uri)
        challenge = _challenge(request)
        with self._world.lock:
            people = list(self._world.identities.values())
            decision = decide(request, people, self._switches)
            if decision is None:
                return consent_page(request, brand="Google", people=people, scopes=sorted(asked))
            if decision.denied:
                return redirect(redirect_uri, {"error": "access_denied", "state": request.one("state")})
            return self._consented(request, redirect_uri, asked, challenge, decision)

    def _asked(self, request: Request, redirect_uri: str) -> frozenset[str]:
        """The scopes, canonical. Raises Refusal with an error page."""
        if not request.one("client_id"):
            raise _error_page("invalid_request", "Missing required parameter: client_id")
        if not _is_allowed_redirect(redirect_uri):
            raise _error_page(
                "redirect_uri_mismatch", "The redirect URI in the request is not allowed for this client."
            )
        if request.one("response_type") != "code":
            raise _error_page("unsupported_response_type", "Invalid response_type")
        asked = canonical(request.one("scope") or "")
        if not asked:
            raise _error_page("invalid_request", "Missing required parameter: scope")
        if not asked <= SCOPES:
            raise _error_page("invalid_scope", "Some requested scopes were invalid.")
        if request.one("access_type") not in {None, "online", "offline"}:
            raise _error_page("invalid_request", "Invalid access_type")
        return asked

    def _consented(
        self, request: Request, redirect_uri: str, asked: frozenset[str], challenge: str | None, decision: Decision
    ) -> Answer:
        client_id = request.one("client_id") or ""
        prompts = (request.one("prompt") or "").split()
        before = self._grants.consented(PROVIDER, client_id, decision.identity)
        is_shown = "consent" in prompts or not asked <= before
        if "none" in prompts and is_shown:
            return redirect(redirect_uri, {"error": "interaction_required", "state": request.one("state")})
        granted = asked if decision.scopes is None else asked & (canonical(" ".join(decision.scopes)) | {"openid"})
        self._grants.consent(PROVIDER, client_id, decision.identity, granted)
        code = self._grants.new_code(
            provider=PROVIDER,
            prefix="4/0",
            client_id=client_id,
            identity=decision.identity,
            redirect_uri=redirect_uri,
            scopes=tuple(sorted(granted)),
            challenge=challenge,
            nonce=request.one("nonce"),
            offline=request.one("access_type") == "offline" and is_shown,
        )
        answer = {"state": request.one("state"), "code": code.value, "scope": " ".join(code.scopes)}
        return redirect(redirect_uri, {**answer, "authuser": "0", "prompt": "consent" if is_shown else "none"})

    # Token

    def token(self, request: Request) -> Answer:
        """Redeem a code or a refresh token."""
        form = request.form()
        with self._world.lock:
            client_id = self._authenticated(request, form)
            grant_type = form.get("grant_type")
            if grant_type == "authorization_code":
                return self._redeemed(form, client_id)
            if grant_type == "refresh_token":
                return self._refreshed(form, client_id)
        raise _token_error(400, "unsupported_grant_type", f"Invalid grant_type: {grant_type or ''}")

    def _authenticated(self, request: Request, form: Json) -> str:
        """The client id, its secret checked; in the form or as HTTP Basic."""
        client_id, client_secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
        if not client_id:
            raise _token_error(400, "invalid_request", "Could not determine client ID from request.")
        if not client_secret:
            raise _token_error(400, "invalid_request", "client_secret is missing.")
        if not self._grants.secret_fits(PROVIDER, client_id, client_secret):
            raise _token_error(401, "invalid_client", "Unauthorized")
        return client_id

    def _redeemed(self, form: Json, client_id: str) -> Answer:
        if not form.get("code"):
            raise _token_error(400, "invalid_request", "Missing required parameter: code")
        code = self._grants.code(PROVIDER, form["code"])
        if code is None or code.used or code.client_id != client_id or code.expires_at <= self._world.clock.now():
            raise _token_error(400, "invalid_grant", "Bad Request")
        if code.redirect_uri != form.get("redirect_uri"):
            raise _token_error(400, "redirect_uri_mismatch", "Bad Request")
        if not code.verifies(form.get("code_verifier")):
            missing = "Missing code verifier." if not form.get("code_verifier") else "Invalid code verifier."
            raise _token_error(400, "invalid_grant", missing)
        code.used = True
        refresh = self._new_refresh_token(code) if code.offline and self._switches.google_refresh_token else None
        return self._issued(code.identity, client_id, code.scopes, refresh=refresh, nonce=code.nonce)

    def _new_refresh_token(self, code: Code) -> RefreshToken:
        is_short = self._switches.google_testing and not IDENTITY_SCOPES.issuperset(code.scopes)
        return self._grants.new_refresh_token(
            provider=PROVIDER,
            prefix="1//",
            client_id=code.client_id,
            identity=code.identity,
            scopes=code.scopes,
            lifetime=TESTING_LIFETIME if is_short else None,
            at_most=REFRESH_TOKENS_PER_CLIENT,
        )

    def _refreshed(self, form: Json, client_id: str) -> Answer:
        if not form.get("refresh_token"):
            raise _token_error(400, "invalid_request", "Missing required parameter: refresh_token")
        token = self._grants.refresh_token(PROVIDER, client_id, form["refresh_token"], at_most_idle=IDLE_LIFETIME)
        if token is None:
            raise _token_error(400, "invalid_grant", "Token has been expired or revoked.")
        wanted = canonical(form.get("scope", "")) or frozenset(token.scopes)
        if not wanted <= set(token.scopes):
            raise _token_error(400, "invalid_scope", "Bad Request")
        return self._issued(token.identity, client_id, tuple(sorted(wanted)))

    def _issued(
        self,
        identity: Identity,
        client_id: str,
        scopes: tuple[str, ...],
        *,
        refresh: RefreshToken | None = None,
        nonce: str | None = None,
    ) -> Answer:
        access_token = self._grants.new_access_token(
            provider=PROVIDER,
            prefix="ya29.",
            client_id=client_id,
            identity=identity,
            audience=PROVIDER,
            scopes=frozenset(scopes),
            lifetime=timedelta(seconds=self._access_token_seconds),
        )
        payload: Json = {"access_token": access_token, "expires_in": self._access_token_seconds}
        if refresh is not None:
            payload["refresh_token"] = refresh.value
            if refresh.expires_at is not None:
                left = refresh.expires_at - self._world.clock.now()
                payload["refresh_token_expires_in"] = round(left.total_seconds())
        payload |= {"scope": " ".join(scopes), "token_type": "Bearer"}
        if "openid" in scopes:
            payload["id_token"] = self._id_token(identity, client_id, frozenset(scopes), access_token, nonce)
        return Answer.of_json(200, payload, {"Cache-Control": "no-store"})

    def _id_token(
        self, identity: Identity, client_id: str, scopes: frozenset[str], access_token: str, nonce: str | None
    ) -> str:
        now = int(self._world.clock.now().timestamp())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims: Json = {"iss": ISSUER, "azp": client_id, "aud": client_id, "sub": identity.google_sub}
        claims |= {name: value for name, value in _profile(identity, scopes).items() if name != "sub"}
        claims["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        claims |= {"nonce": nonce} if nonce else {}
        return self._grants.key.token(claims | {"iat": now, "exp": now + 3600})

    # The rest

    def revoke(self, request: Request) -> Answer:
        """RFC 7009, in Google's manner: any token of the grant ends the whole grant."""
        value = request.form().get("token") or request.one("token")
        with self._world.lock:
            if not value:
                raise _token_error(400, "invalid_request", "Missing required parameter: token")
            if not self._grants.revoke(PROVIDER, value):
                raise _token_error(400, "invalid_token", "Token expired or revoked")
        return Answer.of_json(200, {})

    def userinfo(self, request: Request) -> Answer:
        """OpenID Connect Core section 5.3."""
        token = self._world.token(request.bearer())
        if token is None or token.provider != PROVIDER:
            return _bad_bearer()
        return Answer.of_json(200, _profile(token.identity, token.scopes))

    def tokeninfo(self, request: Request) -> Answer:
        """What a token is: ``access_token=`` or ``id_token=``."""
        if request.one("id_token"):
            return self._id_token_info(request.one("id_token") or "")
        value = request.one("access_token") or ""
        token = self._world.token(value)
        if token is None or token.provider != PROVIDER:
            raise _token_error(400, "invalid_token", "Invalid Value")
        return Answer.of_json(200, self._token_info(value, token))

    def _token_info(self, value: str, token: IssuedToken) -> Json:
        client_id = self._grants.client_of(value)
        left = token.expires_at - self._world.clock.now()
        info: Json = {"azp": client_id, "aud": client_id, "sub": token.identity.google_sub}
        info |= {"scope": " ".join(sorted(token.scopes)), "exp": str(int(token.expires_at.timestamp()))}
        info |= {"expires_in": str(int(left.total_seconds())), "access_type": "offline"}
        if ALIASES["email"] in token.scopes:
            info |= {"email": token.identity.google_email, "email_verified": "true"}
        return info

    def _id_token_info(self, token: str) -> Answer:
        try:
            claims = claims_of(token)
        except ValueError as error:
            raise _token_error(400, "invalid_token", "Invalid Value") from error
        is_ours = self._grants.key.token(claims) == token
        if not is_ours or claims["exp"] <= self._world.clock.now().timestamp():
            raise _token_error(400, "invalid_token", "Invalid Value")
        key = {"alg": "RS256", "kid": self._grants.key.id, "typ": "JWT"}
        return Answer.of_json(200, {name: str(value) for name, value in claims.items()} | key)

    def certificates(self, _request: Request) -> Answer:
        """The key set."""
        return Answer.of_json(200, {"keys": [self._grants.key.public()]}, {"Cache-Control": "public, max-age=20000"})

    def discovery(self, _request: Request) -> Answer:
        """OpenID Connect Discovery 1.0."""
        return Answer.of_json(
            200,
            {
                "issuer": ISSUER,
                "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
                "token_endpoint": "https://oauth2.googleapis.com/token",
                "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
                "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
                "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "picture", "sub"],
                "code_challenge_methods_supported": ["plain", "S256"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
            },
        )


def canonical(scope: str) -> frozenset[str]:
    """A scope parameter as Google writes it back."""
    return frozenset(ALIASES.get(name, name) for name in scope.split())


def _profile(identity: Identity, scopes: frozenset[str]) -> Json:
    claims: Json = {"sub": identity.google_sub}
    if ALIASES["profile"] in scopes:
        claims |= {"name": identity.name, "given_name": identity.given_name, "family_name": identity.family_name}
        claims["picture"] = f"https://lh3.googleusercontent.com/a/{identity.google_sub}=s96-c"
    if ALIASES["email"] in scopes:
        claims |= {"email": identity.google_email, "email_verified": True}
    return claims


def _challenge(request: Request) -> str | None:
    challenge = request.one("code_challenge")
    if challenge is not None and request.one("code_challenge_method") != "S256":
        raise _error_page("invalid_request", "Only code_challenge_method=S256 is accepted here.")
    return challenge


def _is_allowed_redirect(uri: str) -> bool:
    """Loopback with any port, as for a "Desktop app" client; https as for a registered web client."""
    parts = urlsplit(uri)
    is_web = parts.scheme == "https" and bool(parts.hostname) and not parts.fragment
    return is_web or LOOPBACK.match(uri) is not None


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError as error:
        raise _token_error(400, "invalid_request", "Bad Authorization header") from error
    return unquote(user), unquote(password)


def _bad_bearer() -> Answer:
    payload = {"error": "invalid_request", "error_description": "Invalid Credentials"}
    return Answer.of_json(401, payload, {"WWW-Authenticate": f'Bearer realm="{ISSUER}/", error="invalid_token"'})


def _token_error(status: int, error: str, description: str) -> Refusal:
    return Refusal(Answer.of_json(status, {"error": error, "error_description": description}))


def _error_page(error: str, description: str) -> Refusal:
    return Refusal(page("Access blocked", f"<p>{description}</p><p>Error 400: {error}</p>", status=400))
