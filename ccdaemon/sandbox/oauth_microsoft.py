"""Microsoft's identity platform v2.0: authorize, token, device code, discovery, keys, userinfo, logout.

Source: providers.md 2.1; learn.microsoft.com/entra/identity-platform/{v2-oauth2-auth-code-flow, v2-oauth2-device-code,
refresh-tokens, reference-error-codes}.
"""

import base64
import hashlib
import json
import re
import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ccdaemon.sandbox.consent import Decision, consent_page, decide, page, posted, redirect
from ccdaemon.sandbox.grants import DEVICE_CODE_LIFETIME, Grants
from ccdaemon.sandbox.identities import PERSONAL_TENANT
from ccdaemon.sandbox.microsoft_errors import HOST, aad_error, described, error_page
from ccdaemon.sandbox.microsoft_scopes import GRAPH, OIDC_SCOPES, Scopes
from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.wire import Answer, Json, Request, Routes
from ccdaemon.sandbox.world import Identity, World

PROVIDER = "microsoft"
REFRESH_LIFETIME = timedelta(days=90)
POLL_SECONDS = 5
TENANT_WORDS = frozenset({"common", "organizations", "consumers"})
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
LOCALHOST = re.compile(r"http://localhost(:\d+)?(/[^#]*)?\Z")
DEVICE_PAGE = "https://microsoft.com/devicelogin"


class MicrosoftIdentity:
    """The routes, on the shared memory of grants."""

    def __init__(self, world: World, grants: Grants, switches: Switches, access_token_seconds: int) -> None:
        self._world = world
        self._grants = grants
        self._switches = switches
        self._access_token_seconds = access_token_seconds
        self._chance = world.chance("microsoft token lifetimes")

    def register(self, routes: Routes) -> None:
        """Everything under login.microsoftonline.com, the device page, and Graph's userinfo."""
        for method, path, action in (
            ("GET", "/{tenant}/oauth2/v2.0/authorize", self.authorize),
            ("POST", "/{tenant}/oauth2/v2.0/token", self.token),
            ("POST", "/{tenant}/oauth2/v2.0/devicecode", self.device_code),
            ("GET", "/{tenant}/oauth2/v2.0/logout", self.logout),
            ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self.discovery),
            ("GET", "/{tenant}/discovery/v2.0/keys", self.keys),
            ("GET", "/{tenant}/discovery/instance", self.instances),
            ("GET", "/{tenant}/oauth2/deviceauth", self.device_page),
        ):
            routes.add(method, HOST, path, action)
        routes.add("GET", "microsoft.com", "/devicelogin", self.device_page)
        routes.add("GET", "graph.microsoft.com", "/oidc/userinfo", self.userinfo)

    # Authorize

    def authorize(self, request: Request, tenant: str) -> Answer:
        """Ask for consent; the answer goes to the client in the response mode that it chose."""
        now = self._world.clock.now()
        redirect_uri = request.one("redirect_uri") or ""
        _check_client(request, tenant, redirect_uri, now)
        scopes = Scopes.of((request.one("scope") or "").split())
        problem = _authorize_problem(request, scopes)
        if problem:
            return _respond(request, {"error": problem[0], "error_description": described(problem[1], problem[2], now)})
        with self._world.lock:
            people = [person for person in self._world.identities.values() if _belongs(person, tenant)]
            if not people:
                raise error_page(90002, f"Tenant '{tenant}' not found.", now)
            decision = decide(request, people, self._switches)
            if decision is None:
                return consent_page(request, brand="Microsoft", people=people, scopes=_unticked(scopes))
            return _respond(request, self._decided(request, scopes, decision))

    def _decided(self, request: Request, scopes: Scopes, decision: Decision) -> Json:
        now = self._world.clock.now()
        if decision.denied:
            text = described(65004, "User declined to consent to access the app.", now)
            return {"error": "access_denied", "error_subcode": "cancel", "error_description": text}
        if self._switches.microsoft_admin_consent:
            text = described(90094, "This app requires an administrator's approval.", now)
            return {"error": "access_denied", "error_description": text}
        client_id = request.one("client_id") or ""
        if decision.scopes is not None:
            kept = decision.scopes | OIDC_SCOPES
            written = [name for names in scopes.resources.values() for name in names.values()]
            scopes = Scopes.of([*scopes.oidc, *(name for name in written if name in kept)])
        before = self._grants.consented(PROVIDER, client_id, decision.identity)
        if request.one("prompt") == "none" and not scopes.flat() <= before:
            text = described(65001, "The user or administrator has not consented to use the application.", now)
            return {"error": "interaction_required", "error_description": text}
        self._grants.consent(PROVIDER, client_id, decision.identity, scopes.flat())
        code = self._grants.new_code(
            provider=PROVIDER,
            prefix="M.C5_BL2.2.U.",
            client_id=client_id,
            identity=decision.identity,
            redirect_uri=request.one("redirect_uri") or "",
            scopes=tuple((request.one("scope") or "").split()) if decision.scopes is None else _written(scopes),
            challenge=request.one("code_challenge"),
            nonce=request.one("nonce"),
            offline="offline_access" in scopes.oidc,
        )
        shown = {"client_info": _client_info(decision.identity)} if request.one("client_info") == "1" else {}
        return {"code": code.value, **shown, "session_state": str(uuid.uuid4())}

    # Token

    def token(self, request: Request, tenant: str) -> Answer:
        """Redeem a code, a refresh token or a device code."""
        form = request.form()
        now = self._world.clock.now()
        if not form.get("client_id"):
            raise aad_error("invalid_request", 900144, "The request body must contain 'client_id'.", now)
        if not _is_tenant(tenant):
            raise aad_error("invalid_request", 90002, f"Tenant '{tenant}' not found.", now)
        with self._world.lock:
            self._authenticate(form)
            match form.get("grant_type"):
                case "authorization_code":
                    return self._redeemed(form)
                case "refresh_token":
                    return self._refreshed(form)
                case "urn:ietf:params:oauth:grant-type:device_code" | "device_code":
                    return self._polled(form)
        raise aad_error("unsupported_grant_type", 70003, "The grant type is not supported.", now)

    def _authenticate(self, form: Json) -> None:
        """A client that once showed a secret must show it always."""
        client_id, client_secret = form["client_id"], form.get("client_secret")
        now = self._world.clock.now()
        if client_secret is None and self._grants.is_confidential(PROVIDER, client_id):
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise aad_error("invalid_client", 7000218, text, now, status=401)
        if client_secret is not None and not self._grants.secret_fits(PROVIDER, client_id, client_secret):
            raise aad_error("invalid_client", 7000215, "Invalid client secret provided.", now, status=401)

    def _redeemed(self, form: Json) -> Answer:
        now = self._world.clock.now()
        code = self._grants.code(PROVIDER, form.get("code", ""))
        if code is None or code.client_id != form["client_id"]:
            raise aad_error("invalid_grant", 70000, "The provided value for the 'code' parameter is not valid.", now)
        if code.used:
            text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
            raise aad_error("invalid_grant", 54005, text, now)
        if code.expires_at <= now:
            raise aad_error("invalid_grant", 70008, "The provided authorization code has expired.", now)
        if code.redirect_uri != form.get("redirect_uri"):
            raise aad_error("invalid_request", 500112, "The reply address does not match the one of the request.", now)
        if not code.verifies(form.get("code_verifier")):
            text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
            raise aad_error("invalid_grant", 501481, text, now)
        code.used = True
        return self._issued(code.identity, form, code.scopes, nonce=code.nonce, offline=code.offline)

    def _refreshed(self, form: Json) -> Answer:
        now = self._world.clock.now()
        client_id = form["client_id"]
        token = self._grants.refresh_token(PROVIDER, client_id, form.get("refresh_token", ""))
        if token is None:
            text = "The refresh token has expired due to inactivity, or was revoked."
            raise aad_error("invalid_grant", 700082, text, now, suberror="bad_token")
        if self._switches.microsoft_rotation == "strict":
            token.dead = True
        rotates = self._switches.microsoft_rotation != "none"
        return self._issued(token.identity, form, token.scopes, nonce=None, offline=rotates)

    def _polled(self, form: Json) -> Answer:
        now = self._world.clock.now()
        device = self._grants.device(form.get("device_code", ""))
        if device is None or device.client_id != form["client_id"]:
            raise aad_error("bad_verification_code", 70019, "The device code is not recognised.", now)
        if device.expires_at <= now:
            raise aad_error("expired_token", 70020, "The device code has expired.", now)
        if device.declined:
            raise aad_error("authorization_declined", 70018, "The user declined the sign-in.", now)
        if device.identity is None:
            raise aad_error("authorization_pending", 70016, "The user has not signed in yet.", now)
        self._grants.drop_device(device)
        scopes = Scopes.of(device.scopes)
        self._grants.consent(PROVIDER, device.client_id, device.identity, scopes.flat())
        offline = "offline_access" in scopes.oidc
        return self._issued(device.identity, form, device.scopes, nonce=None, offline=offline)

    def _issued(
        self, identity: Identity, form: Json, granted: tuple[str, ...], *, nonce: str | None, offline: bool
    ) -> Answer:
        """Tokens for one resource: the one that the request names, else the first that was granted."""
        client_id = form["client_id"]
        audience, scopes, shown = self._one_resource(form.get("scope"), granted)
        seconds = self._access_token_seconds + 1 + self._chance.randrange(self._access_token_seconds // 2 + 1)
        access_token = self._grants.new_access_token(
            provider=PROVIDER,
            prefix="EwB4A8l6",
            client_id=client_id,
            identity=identity,
            audience=audience,
            scopes=scopes,
            lifetime=timedelta(seconds=seconds),
        )
        payload: Json = {"token_type": "Bearer", "scope": " ".join(shown), "expires_in": seconds}
        payload |= {"ext_expires_in": seconds, "access_token": access_token}
        if offline:
            payload["refresh_token"] = self._grants.new_refresh_token(
                provider=PROVIDER,
                prefix="M.C5_",
                client_id=client_id,
                identity=identity,
                scopes=granted,
                lifetime=REFRESH_LIFETIME,
            ).value
        if "openid" in Scopes.of(granted).oidc:
            payload["id_token"] = self._id_token(identity, client_id, nonce, scopes)
        if form.get("client_info") == "1":
            payload["client_info"] = _client_info(identity)
        return Answer.of_json(200, payload, {"Cache-Control": "no-store"})

    def _one_resource(self, wanted: str | None, granted: tuple[str, ...]) -> tuple[str, frozenset[str], list[str]]:
        """Audience, bare scopes, and the scopes as the answer writes them. Raises Refusal."""
        now = self._world.clock.now()
        have = Scopes.of(granted)
        asked = Scopes.of((wanted or "").split())
        if asked.unknown:
            raise aad_error("invalid_scope", 70011, f"The scope '{asked.unknown[0]}' is not valid.", now)
        if len(asked.resources) > 1:
            text = (
                "Provided value for the input parameter scope is not valid because it contains more than one resource."
            )
            raise aad_error("invalid_request", 28000, text, now)
        audience = next(iter(asked.resources or have.resources), GRAPH)
        held = have.resources.get(audience, {})
        names = asked.resources.get(audience) or held
        if not names.keys() <= held.keys():
            text = "The user or administrator has not consented to use the application."
            raise aad_error("invalid_grant", 65001, text, now, suberror="consent_required")
        oidc = sorted(have.oidc - {"offline_access"})
        return audience, frozenset(names) | frozenset(oidc), [*oidc, *names.values()]

    def _id_token(self, identity: Identity, client_id: str, nonce: str | None, scopes: frozenset[str]) -> str:
        now = int(self._world.clock.now().timestamp())
        pair = hashlib.sha256(f"{identity.microsoft_oid}:{client_id}".encode()).digest()
        claims: Json = {
            "aud": client_id,
            "iss": f"https://{HOST}/{identity.microsoft_tid}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": identity.name,
            "oid": identity.microsoft_oid,
            "preferred_username": identity.microsoft_upn,
            "sub": base64.urlsafe_b64encode(pair).rstrip(b"=").decode(),
            "tid": identity.microsoft_tid,
            "ver": "2.0",
        }
        claims |= {"email": identity.microsoft_upn} if "email" in scopes else {}
        return self._grants.key.token(claims | ({"nonce": nonce} if nonce else {}))

    # Device code

    def device_code(self, request: Request, tenant: str) -> Answer:
        """RFC 8628 section 3.2."""
        form = request.form()
        now = self._world.clock.now()
        if not form.get("client_id"):
            raise aad_error("invalid_request", 900144, "The request body must contain 'client_id'.", now)
        scopes = Scopes.of(form.get("scope", "").split())
        if scopes.unknown or not (scopes.resources or scopes.oidc) or not _is_tenant(tenant):
            raise aad_error("invalid_scope", 70011, "The scope is not valid.", now)
        with self._world.lock:
            device = self._grants.new_device_code(form["client_id"], tuple(form["scope"].split()))
        payload: Json = {"user_code": device.user_code, "device_code": device.device_code}
        payload |= {"verification_uri": DEVICE_PAGE, "expires_in": int(DEVICE_CODE_LIFETIME.total_seconds())}
        text = f"To sign in, use a web browser to open the page {DEVICE_PAGE} and enter the code {device.user_code}"
        return Answer.of_json(200, payload | {"interval": POLL_SECONDS, "message": f"{text} to authenticate."})

    def device_page(self, request: Request, tenant: str = "common") -> Answer:
        """Where a person types the code; ``user_code`` and ``sandbox_person`` in the query do it at once."""
        with self._world.lock:
            people = [person for person in self._world.identities.values() if _belongs(person, tenant)]
            user_code = request.one("user_code") or request.one("otc")
            if not user_code:
                field = '<label>Code <input name="user_code" autofocus></label>'
                return page("Enter code", f'<form method="get">{field}<button>Next</button></form>')
            decision = decide(request, people, self._switches)
            if decision is None:
                return consent_page(request, brand="Microsoft", people=people, scopes=())
            try:
                return self._device_decided(user_code, decision)
            except KeyError:
                return page("Enter code", "<p>That code did not work. Check it and try again.</p>", status=400)

    def _device_decided(self, user_code: str, decision: Decision) -> Answer:
        if decision.denied:
            self._grants.decline_device(user_code)
            return page("You declined", "<p>You may close this window.</p>")
        self._grants.approve_device(user_code, decision.identity)
        return page("You are signed in", "<p>You may close this window.</p>")

    # The rest

    def userinfo(self, request: Request) -> Answer:
        """OpenID Connect Core section 5.3, at Graph."""
        token = self._world.token(request.bearer())
        if token is None or token.audience != GRAPH or "openid" not in token.scopes:
            error = {
                "code": "InvalidAuthenticationToken",
                "message": "Access token is empty, expired or not for OpenID.",
            }
            return Answer.of_json(401, {"error": error}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        person = token.identity
        claims: Json = {"sub": person.microsoft_oid, "name": person.name, "given_name": person.given_name}
        return Answer.of_json(200, claims | {"family_name": person.family_name, "email": person.microsoft_upn})

    def keys(self, _request: Request, tenant: str) -> Answer:  # noqa: ARG002 - one key set for all tenants
        """The key set."""
        return Answer.of_json(200, {"keys": [self._grants.key.public()]})

    def logout(self, request: Request, tenant: str) -> Answer:  # noqa: ARG002
        """Sign out of the browser session; tokens live on."""
        target = request.one("post_logout_redirect_uri")
        return redirect(target, {"state": request.one("state")}) if target else page("You signed out", "")

    def instances(self, _request: Request, tenant: str) -> Answer:  # noqa: ARG002
        """Instance discovery, which msal uses for aliases."""
        entry = {
            "preferred_network": HOST,
            "preferred_cache": "login.windows.net",
            "aliases": [HOST, "login.windows.net"],
        }
        where = f"https://{HOST}/common/v2.0/.well-known/openid-configuration"
        return Answer.of_json(200, {"tenant_discovery_endpoint": where, "api-version": "1.1", "metadata": [entry]})

    def discovery(self, _request: Request, tenant: str) -> Answer:
        """OpenID Connect Discovery 1.0; for several tenants the issuer holds a literal placeholder."""
        if not _is_tenant(tenant):
            raise aad_error("invalid_tenant", 90002, f"Tenant '{tenant}' not found.", self._world.clock.now())
        base = f"https://{HOST}/{tenant}"
        issued_by = {"common": "{tenantid}", "organizations": "{tenantid}", "consumers": PERSONAL_TENANT}.get(
            tenant, tenant
        )
        return Answer.of_json(
            200,
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": f"https://{HOST}/{issued_by}/v2.0",
                "userinfo_endpoint": f"{GRAPH}/oidc/userinfo",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
                "tenant_region_scope": None,
                "cloud_instance_name": "microsoftonline.com",
            },
        )


def _check_client(request: Request, tenant: str, redirect_uri: str, now: datetime) -> None:
    """What must not be redirected: an unknown tenant, client or redirect URI. Raises Refusal."""
    if not _is_tenant(tenant):
        raise error_page(90002, f"Tenant '{tenant}' not found.", now)
    if not request.one("client_id"):
        raise error_page(900144, "The request must contain the following parameter: 'client_id'.", now)
    parts = urlsplit(redirect_uri)
    is_web = parts.scheme == "https" and bool(parts.hostname) and not parts.fragment
    if not is_web and not LOCALHOST.match(redirect_uri):
        text = (
            "The redirect URI specified in the request does not match the redirect URIs configured for the application."
        )
        raise error_page(50011, text, now)


def _authorize_problem(request: Request, scopes: Scopes) -> tuple[str, int, str] | None:
    """Error, AADSTS number and text of a request that may be answered at the redirect URI."""
    if request.one("response_type") != "code":
        return "unsupported_response_type", 70005, "The response type is not supported."
    if scopes.unknown or not (scopes.oidc or scopes.resources):
        return "invalid_scope", 70011, f"The scope '{' '.join(scopes.unknown)}' is not valid."
    if request.one("code_challenge") is not None and request.one("code_challenge_method") != "S256":
        return "invalid_request", 501491, "The size or method of the code challenge is invalid."
    if request.one("response_mode") not in {None, "query", "fragment", "form_post"}:
        return "invalid_request", 90023, "The response mode is not valid."
    return None


def _respond(request: Request, parameters: Json) -> Answer:
    """Hand parameters to the client as its ``response_mode`` says."""
    uri = request.one("redirect_uri") or ""
    parameters = {**parameters, "state": request.one("state")}
    mode = request.one("response_mode")
    if mode == "form_post":
        return posted(uri, parameters)
    return redirect(uri, parameters, separator="#" if mode == "fragment" else None)


def _written(scopes: Scopes) -> tuple[str, ...]:
    return (*sorted(scopes.oidc), *(written for names in scopes.resources.values() for written in names.values()))


def _unticked(scopes: Scopes) -> list[str]:
    return [written for names in scopes.resources.values() for written in names.values()]


def _is_tenant(tenant: str) -> bool:
    return tenant in TENANT_WORDS or GUID.match(tenant) is not None or "." in tenant


def _belongs(person: Identity, tenant: str) -> bool:
    """Whether the person may sign in there."""
    is_personal = person.microsoft_tid == PERSONAL_TENANT
    by_word = {"common": True, "consumers": is_personal, "organizations": not is_personal}
    return by_word.get(tenant, person.microsoft_tid == tenant.lower())


def _client_info(person: Identity) -> str:
    payload = json.dumps({"uid": person.microsoft_oid, "utid": person.microsoft_tid}, separators=(",", ":"))
    return base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()
