"""Google's sign-in, run with Google's own libraries. providers.md 1.1; trust.md T-02, T-03, T-05, T-08."""

import base64
import json
from collections.abc import Iterator

import jwt
import pytest
import requests

from ccdaemon.sandbox.app import Sandbox, Settings
from tests.sandbox.gate import Gate
from tests.sandbox.google_driver import GoogleDriver
from tests.sandbox.oauth_clients import AUTH, CALENDAR, CONTACTS, GOOGLE_REDIRECT, GoogleClient, parameters

ACCOUNTS = "https://accounts.google.com/o/oauth2/v2/auth"


@pytest.fixture
def sandbox(gate: Gate) -> Iterator[Sandbox]:
    with Sandbox(Settings(contacts=3, events=6, listen="127.0.0.1:0"), observer=gate) as sandbox:
        yield sandbox
        gate.close()
        assert sandbox.journal.crashes == 0


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> GoogleClient:
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # Google spells "email" differently in its answer
    return GoogleClient(sandbox.start())


def test_a_program_enrols_and_reads_with_google_s_own_libraries(client: GoogleClient, sandbox: Sandbox) -> None:
    token = client.enrol("openid", "email", "profile", CONTACTS, CALENDAR)

    people = client.service("people", "v1", token["access_token"])
    request = people.people().connections().list(resourceName="people/me", pageSize=2, personFields="names,metadata")
    listed = []
    while request is not None:
        page = request.execute()
        listed += page["connections"]
        request = people.people().connections().list_next(request, page)
    calendar = client.service("calendar", "v3", token["access_token"])
    events = calendar.events().list(calendarId="primary", maxResults=2500, showDeleted=True).execute()["items"]

    assert (token["expires_in"], token["token_type"]) == (3599, "Bearer")
    assert len(listed) == 3
    assert events
    assert sandbox.journal.counters["GET people.googleapis.com /v1/people/me/connections"] == 2


def test_the_id_token_tells_who_signed_in_and_verifies(client: GoogleClient, sandbox: Sandbox) -> None:
    token = client.enrol("openid", "email", "profile", login_hint="grace", nonce="n-1")
    grace = sandbox.world.identities["grace"]
    keys = jwt.PyJWKSet.from_dict(client.http.get("https://www.googleapis.com/oauth2/v3/certs").json())

    claims = jwt.decode(
        token["id_token"],
        keys.keys[0].key,
        algorithms=["RS256"],
        audience=client.config["client_id"],
        issuer="https://accounts.google.com",
    )

    assert (claims["sub"], claims["email"], claims["nonce"]) == (grace.google_sub, grace.google_email, "n-1")
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    userinfo = client.http.get("https://openidconnect.googleapis.com/v1/userinfo", headers=bearer).json()
    assert userinfo["sub"] == grace.google_sub
    info = client.http.get(f"https://oauth2.googleapis.com/tokeninfo?access_token={token['access_token']}").json()
    assert (info["sub"], info["aud"]) == (grace.google_sub, client.config["client_id"])
    info = client.http.get(f"https://oauth2.googleapis.com/tokeninfo?id_token={token['id_token']}").json()
    assert info["email"] == grace.google_email
    forged = token["id_token"][:-4] + "AAAA"
    assert client.http.get(f"https://oauth2.googleapis.com/tokeninfo?id_token={forged}").status_code == 400


def test_scopes_come_back_in_google_s_spelling(client: GoogleClient) -> None:
    flow = client.flow("openid", "email", "profile", CONTACTS)

    answer = client.consent(flow)

    assert set(parameters(answer)["scope"].split()) == {
        *("openid", f"{AUTH}userinfo.email", f"{AUTH}userinfo.profile", CONTACTS)
    }


def test_a_code_is_good_once(client: GoogleClient) -> None:
    flow = client.flow()
    code = parameters(client.consent(flow))["code"]
    flow.fetch_token(code=code)

    again = client.token(
        grant_type="authorization_code", code=code, redirect_uri=GOOGLE_REDIRECT, code_verifier=flow.code_verifier
    )

    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant", "error_description": "Bad Request"})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/"}, "redirect_uri_mismatch"),
        ({"code": "4/0unknown"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
        ({"client_id": "another", "client_secret": "another"}, "invalid_grant"),
        ({"client_secret": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_code_is_redeemed_only_by_whom_it_was_made_for(
    client: GoogleClient, change: dict[str, str], error: str
) -> None:
    flow = client.flow()
    code = parameters(client.consent(flow))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": GOOGLE_REDIRECT}

    answer = client.token(**{**form, "code_verifier": str(flow.code_verifier), **change})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_code_lives_for_ten_minutes(client: GoogleClient, sandbox: Sandbox) -> None:
    flow = client.flow()
    code = parameters(client.consent(flow))["code"]
    requests.post(f"{client.http.url}/__sandbox__/clock", json={"advance_seconds": 601}, timeout=10)

    answer = client.token(
        grant_type="authorization_code", code=code, redirect_uri=GOOGLE_REDIRECT, code_verifier=flow.code_verifier
    )

    assert answer.json()["error"] == "invalid_grant"


def test_another_secret_is_refused_and_basic_authentication_works(client: GoogleClient) -> None:
    token = client.enrol()
    form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    login = (client.config["client_id"], client.config["client_secret"])

    wrong = client.token(**form, client_secret="another")
    basic = client.http.post(client.config["token_uri"], data=form, auth=login)

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert basic.status_code == 200


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("http://127.0.0.1:1234/", 302),
        ("http://127.0.0.1:1234", 302),
        ("http://[::1]:80/callback", 302),
        ("https://console.example/oauth/callback/google", 302),
        ("http://localhost:1234/", 400),
        ("http://127.0.0.1.evil.example/", 400),
        ("http://192.168.1.1/", 400),
        ("urn:ietf:wg:oauth:2.0:oob", 400),
        ("https:///nowhere", 400),
        ("", 400),
    ],
)
def test_only_loopback_and_https_redirects_are_followed(client: GoogleClient, uri: str, status: int) -> None:
    query = {"client_id": "x", "response_type": "code", "scope": "openid", "redirect_uri": uri}

    assert client.http.get(ACCOUNTS, params=query).status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": ""},
        {"response_type": "token"},
        {"scope": ""},
        {"scope": f"openid {AUTH}everything"},
        {"access_type": "sometimes"},
        {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
        {"code_challenge": "x" * 43},
        {"sandbox_person": "nobody"},
    ],
)
def test_a_wrong_authorisation_request_ends_on_an_error_page(client: GoogleClient, change: dict[str, str]) -> None:
    query = {"client_id": "x", "response_type": "code", "scope": "openid", "redirect_uri": GOOGLE_REDIRECT}

    answer = client.http.get(ACCOUNTS, params={**query, **change})

    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_browser_chooses_a_person_and_unticks_a_scope(client: GoogleClient) -> None:
    flow = client.flow("openid", "email", CONTACTS, CALENDAR)
    url, state = flow.authorization_url(access_type="offline")
    page = client.http.get(url, headers={"Accept": "text/html,application/xhtml+xml"})
    assert page.status_code == 200
    assert "Grace Hopper" in page.text
    assert 'action="' not in page.text  # the form comes back to where it is, below any prefix

    chosen = client.http.get(f"{url}&sandbox_scopes=&sandbox_person=grace&sandbox_scopes={CONTACTS}")
    token = flow.fetch_token(code=parameters(chosen.headers["Location"])["code"])

    assert parameters(chosen.headers["Location"])["state"] == state
    assert set(token["scope"]) == {"openid", CONTACTS}
    claims = json.loads(base64.urlsafe_b64decode(token["id_token"].split(".")[1] + "=="))
    assert "email" not in claims
    denied = client.http.get(f"{url}&sandbox_deny=1")
    assert parameters(denied.headers["Location"]) == {"error": "access_denied", "state": state}


def test_a_refresh_token_comes_with_the_first_consent_and_then_only_when_asked(client: GoogleClient) -> None:
    first = client.enrol(prompt="select_account")
    second = client.enrol(prompt="select_account")
    third = client.enrol(prompt="consent")
    online = client.enrol(access_type="online")

    assert ["refresh_token" in token for token in (first, second, third, online)] == [True, False, True, False]


def test_more_scopes_than_before_ask_for_consent_again(client: GoogleClient) -> None:
    client.enrol(CONTACTS, prompt="select_account")

    wider = client.enrol(CONTACTS, CALENDAR, prompt="select_account")
    silent = client.consent(client.flow(CALENDAR), prompt="none")
    refused = client.consent(client.flow(f"{AUTH}tasks"), prompt="none")

    assert "refresh_token" in wider
    assert "code" in parameters(silent)
    assert parameters(refused)["error"] == "interaction_required"


def test_a_refresh_does_not_rotate_and_can_narrow_scopes(client: GoogleClient) -> None:
    token = client.enrol("openid", CONTACTS, CALENDAR)

    refreshed = client.refresh(token["refresh_token"]).json()
    narrow = client.token(grant_type="refresh_token", refresh_token=token["refresh_token"], scope=CONTACTS).json()
    wide = client.token(grant_type="refresh_token", refresh_token=token["refresh_token"], scope=f"{AUTH}tasks")

    assert set(refreshed) == {"access_token", "expires_in", "scope", "token_type", "id_token"}
    assert narrow["scope"] == CONTACTS
    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")


def test_the_hundred_and_first_refresh_token_kills_the_first(client: GoogleClient) -> None:
    tokens = [client.enrol("openid")["refresh_token"] for _ in range(101)]

    assert client.refresh(tokens[0]).json()["error_description"] == "Token has been expired or revoked."
    assert client.refresh(tokens[1]).status_code == 200
    assert client.refresh(tokens[100]).status_code == 200


def test_revoking_any_token_ends_the_whole_grant(client: GoogleClient, sandbox: Sandbox) -> None:
    token = client.enrol()
    other = client.enrol()
    driver = GoogleDriver(sandbox, client.http.url)

    revoked = client.http.post("https://oauth2.googleapis.com/revoke", data={"token": token["access_token"]})
    again = client.http.post("https://oauth2.googleapis.com/revoke", data={"token": token["access_token"]})

    assert (revoked.status_code, revoked.json()) == (200, {})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")
    assert client.refresh(other["refresh_token"]).json()["error"] == "invalid_grant"
    answer = driver.get(
        "people.googleapis.com/v1/people/me/connections", personFields="names", token=other["access_token"]
    )
    assert answer.status_code == 401


def test_in_testing_mode_a_refresh_token_lives_for_a_week(client: GoogleClient, sandbox: Sandbox) -> None:
    sandbox.switches.change({"google_testing": True})
    token, identity = client.enrol(), client.enrol("openid", "email")
    requests.post(f"{client.http.url}/__sandbox__/clock", json={"advance_seconds": 604_801}, timeout=10)

    assert token["refresh_token_expires_in"] == 604_800
    assert "refresh_token_expires_in" not in identity
    assert client.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.refresh(identity["refresh_token"]).status_code == 200


def test_half_a_year_unused_is_the_end(client: GoogleClient) -> None:
    token = client.enrol()
    for days in (180, 180):
        seconds = days * 86_400
        requests.post(f"{client.http.url}/__sandbox__/clock", json={"advance_seconds": seconds}, timeout=10)
        assert client.refresh(token["refresh_token"]).status_code == 200
    requests.post(f"{client.http.url}/__sandbox__/clock", json={"advance_seconds": 183 * 86_400}, timeout=10)

    assert client.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"


def test_switches_deny_and_leave_the_refresh_token_out(client: GoogleClient, sandbox: Sandbox) -> None:
    sandbox.switches.change({"google_refresh_token": False})
    assert "refresh_token" not in client.enrol()

    sandbox.switches.change({"deny": True})
    assert parameters(client.consent(client.flow()))["error"] == "access_denied"


def test_every_secret_carries_a_canary(client: GoogleClient) -> None:
    flow = client.flow()
    code = parameters(client.consent(flow))["code"]
    token = flow.fetch_token(code=code)

    assert code.startswith("4/0CNRY")
    assert token["access_token"].startswith("ya29.CNRY")
    assert token["refresh_token"].startswith("1//CNRY")
    assert len(code) <= 256
    assert len(token["refresh_token"]) <= 512
    assert len(token["access_token"]) <= 2048


def test_discovery_names_the_endpoints_that_answer(client: GoogleClient) -> None:
    found = client.http.get("https://accounts.google.com/.well-known/openid-configuration").json()

    assert found["token_endpoint"] == client.config["token_uri"]
    assert client.http.get(found["jwks_uri"]).json()["keys"][0]["alg"] == "RS256"
    assert client.http.get(found["userinfo_endpoint"]).status_code == 401
