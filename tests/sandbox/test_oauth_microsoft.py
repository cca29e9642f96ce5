"""Microsoft's sign-in, run with msal. providers.md 2.1; trust.md F-17, T-02, T-03."""

import json
import re
from collections.abc import Iterator
from html import unescape

import jwt
import pytest
import requests

from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.sandbox.identities import PERSONAL_TENANT
from tests.sandbox.oauth_clients import MICROSOFT_REDIRECT, MicrosoftClient, parameters

LOGIN = "https://login.microsoftonline.com"
OUTLOOK = "https://outlook.office.com/IMAP.AccessAsUser.All"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(contacts=3, events=3, listen="127.0.0.1:0")) as sandbox:
        yield sandbox
        assert sandbox.journal.crashes == 0


@pytest.fixture
def url(sandbox: Sandbox) -> str:
    return sandbox.start()


@pytest.fixture
def client(url: str) -> MicrosoftClient:
    return MicrosoftClient(url)


def test_a_program_enrols_with_msal_and_reads(client: MicrosoftClient, sandbox: Sandbox) -> None:
    token = client.enrol("User.Read", "Contacts.Read")

    ada = sandbox.world.identities["ada"]
    assert token["id_token_claims"]["oid"] == ada.microsoft_oid
    assert token["id_token_claims"]["tid"] == PERSONAL_TENANT
    assert token["id_token_claims"]["preferred_username"] == ada.microsoft_upn
    assert set(token["scope"].split()) == {"openid", "profile", "User.Read", "Contacts.Read"}
    assert 3600 <= token["expires_in"] <= 5400
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert client.http.get("https://graph.microsoft.com/v1.0/me", headers=bearer).json()["id"]
    assert client.http.get("https://graph.microsoft.com/oidc/userinfo", headers=bearer).json()["name"] == ada.name


def test_the_account_is_found_silently_and_keyed_by_object_and_tenant(
    client: MicrosoftClient, sandbox: Sandbox
) -> None:
    client.enrol(sandbox_person="grace")
    grace = sandbox.world.identities["grace"]

    account = client.app.get_accounts()[0]
    cached = client.app.acquire_token_silent(["User.Read"], account=account)
    forced = client.app.acquire_token_silent(["User.Read"], account=account, force_refresh=True)

    assert account["home_account_id"] == f"{grace.microsoft_oid}.{grace.microsoft_tid}"
    assert cached["token_source"] == "cache"
    assert forced["token_source"] == "identity_provider"
    assert forced["access_token"] != cached["access_token"]


def test_the_id_token_verifies_against_the_published_keys(client: MicrosoftClient) -> None:
    token = client.enrol()
    keys = jwt.PyJWKSet.from_dict(client.http.get(f"{LOGIN}/common/discovery/v2.0/keys").json())

    claims = jwt.decode(token["id_token"], keys.keys[0].key, algorithms=["RS256"], audience=client.app.client_id)

    assert claims["iss"] == f"{LOGIN}/{PERSONAL_TENANT}/v2.0"


def test_a_refresh_gives_a_new_token_and_the_old_one_stays_valid(client: MicrosoftClient) -> None:
    first = client.enrol()["refresh_token"]

    second = client.refresh(first).json()["refresh_token"]

    assert second != first
    assert client.refresh(first).status_code == client.refresh(second).status_code == 200


@pytest.mark.parametrize(("rotation", "old_works", "new_comes"), [("strict", False, True), ("none", True, False)])
def test_rotation_is_switched(
    client: MicrosoftClient, sandbox: Sandbox, rotation: str, old_works: bool, new_comes: bool
) -> None:
    first = client.enrol()["refresh_token"]
    sandbox.switches.change({"microsoft_rotation": rotation})

    answer = client.refresh(first).json()

    assert ("refresh_token" in answer) is new_comes
    assert (client.refresh(first).status_code == 200) is old_works


def test_refresh_tokens_live_ninety_days_from_each_use(client: MicrosoftClient, url: str) -> None:
    first = client.enrol()["refresh_token"]
    requests.post(f"{url}/__sandbox__/clock", json={"advance_seconds": 89 * 86_400}, timeout=10)
    second = client.refresh(first).json()["refresh_token"]
    requests.post(f"{url}/__sandbox__/clock", json={"advance_seconds": 89 * 86_400}, timeout=10)

    dead = client.refresh(first)

    assert (dead.status_code, dead.json()["error"], dead.json()["error_codes"]) == (400, "invalid_grant", [700082])
    assert client.refresh(second).status_code == 200


def test_one_refresh_token_serves_several_resources_one_at_a_time(client: MicrosoftClient, sandbox: Sandbox) -> None:
    flow = client.flow("User.Read", OUTLOOK)
    code = client.answer(flow)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": MICROSOFT_REDIRECT}
    form |= {"code_verifier": flow["code_verifier"]}

    both = client.token(**form, scope=f"User.Read {OUTLOOK}")
    assert (both.json()["error"], both.json()["error_codes"]) == ("invalid_request", [28000])

    flow = client.flow("User.Read", OUTLOOK)
    form |= {"code": client.answer(flow)["code"], "code_verifier": flow["code_verifier"]}
    graph = client.token(**form, scope="User.Read").json()
    mail = client.refresh(graph["refresh_token"], scope=OUTLOOK).json()
    audiences = [sandbox.world.access_tokens[token["access_token"]].audience for token in (graph, mail)]
    assert audiences == ["https://graph.microsoft.com", "https://outlook.office.com"]
    refused = client.refresh(graph["refresh_token"], scope="Calendars.Read").json()
    assert (refused["error"], refused["suberror"]) == ("invalid_grant", "consent_required")


def test_no_refresh_token_without_offline_access(client: MicrosoftClient) -> None:
    query = {"client_id": "x", "response_type": "code", "redirect_uri": MICROSOFT_REDIRECT, "scope": "User.Read"}
    answer = client.http.get(f"{LOGIN}/common/oauth2/v2.0/authorize", params=query)
    code = parameters(answer.headers["Location"])["code"]

    token = client.token(
        client_id="x", grant_type="authorization_code", code=code, redirect_uri=MICROSOFT_REDIRECT
    ).json()

    assert set(token) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}


@pytest.mark.parametrize(
    ("change", "error", "number"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant", 501481),
        ({"redirect_uri": "http://localhost:1/"}, "invalid_request", 500112),
        ({"code": "unknown"}, "invalid_grant", 70000),
        ({"client_id": "another"}, "invalid_grant", 70000),
        ({"client_id": ""}, "invalid_request", 900144),
        ({"scope": "Everything.Read"}, "invalid_scope", 70011),
        ({"grant_type": "password"}, "unsupported_grant_type", 70003),
    ],
)
def test_a_wrong_redemption_is_refused(
    client: MicrosoftClient, change: dict[str, str], error: str, number: int
) -> None:
    flow = client.flow()
    form = {"grant_type": "authorization_code", "code": client.answer(flow)["code"]}
    form |= {"redirect_uri": MICROSOFT_REDIRECT, "code_verifier": flow["code_verifier"], "scope": "User.Read"}

    answer = client.token(**{**form, **change})

    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (400, error, [number])
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")


def test_a_code_is_good_once_and_for_ten_minutes(client: MicrosoftClient, url: str) -> None:
    codes = []
    for flow in (client.flow(), client.flow()):
        form = {"grant_type": "authorization_code", "code": client.answer(flow)["code"]}
        codes.append({**form, "redirect_uri": MICROSOFT_REDIRECT, "code_verifier": flow["code_verifier"]})
    assert client.token(**codes[0]).status_code == 200

    assert client.token(**codes[0]).json()["error_codes"] == [54005]
    requests.post(f"{url}/__sandbox__/clock", json={"advance_seconds": 601}, timeout=10)
    assert client.token(**codes[1]).json()["error_codes"] == [70008]


def test_a_client_that_showed_a_secret_must_show_it_again(client: MicrosoftClient) -> None:
    token = client.enrol()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert client.token(**form, client_secret="s").status_code == 200

    assert client.token(**form).json()["error_codes"] == [7000218]
    wrong = client.token(**form, client_secret="t")
    assert (wrong.status_code, wrong.json()["error_codes"]) == (401, [7000215])


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("http://localhost:4711/", 302),
        ("http://localhost", 302),
        (f"{LOGIN}/common/oauth2/nativeclient", 302),
        ("http://127.0.0.1:4711/", 400),
        ("http://localhost.evil.example/", 400),
        ("", 400),
    ],
)
def test_only_localhost_and_https_redirects_are_followed(client: MicrosoftClient, uri: str, status: int) -> None:
    query = {"client_id": "x", "response_type": "code", "scope": "openid", "redirect_uri": uri}

    answer = client.http.get(f"{LOGIN}/common/oauth2/v2.0/authorize", params=query)

    assert answer.status_code == status
    assert ("AADSTS50011" in answer.text) is (status == 400)


def test_an_error_page_repeats_nothing_as_markup(client: MicrosoftClient) -> None:
    answer = client.http.get(f"{LOGIN}/%3Cscript%3E/oauth2/v2.0/authorize")

    assert answer.status_code == 400
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "Everything.Read"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "interaction_required"),
        ({"sandbox_deny": "1"}, "access_denied"),
    ],
)
def test_a_refusal_goes_back_to_the_program(client: MicrosoftClient, change: dict[str, str], error: str) -> None:
    query = {"client_id": "x", "response_type": "code", "scope": "User.Read", "redirect_uri": MICROSOFT_REDIRECT}

    answer = client.http.get(f"{LOGIN}/common/oauth2/v2.0/authorize", params={**query, "state": "s", **change})

    found = parameters(answer.headers["Location"])
    assert (found["error"], found["state"]) == (error, "s")


def test_an_administrator_may_have_to_consent(client: MicrosoftClient, sandbox: Sandbox) -> None:
    sandbox.switches.change({"microsoft_admin_consent": True})

    assert "AADSTS90094" in client.answer(client.flow())["error_description"]


def test_the_answer_comes_in_the_mode_that_was_asked_for(client: MicrosoftClient) -> None:
    query = {"client_id": "x", "response_type": "code", "scope": "openid", "redirect_uri": MICROSOFT_REDIRECT}
    authorize = f"{LOGIN}/common/oauth2/v2.0/authorize"

    fragment = client.http.get(authorize, params={**query, "response_mode": "fragment"}).headers["Location"]
    page = client.http.get(authorize, params={**query, "response_mode": "form_post", "state": 's"<'}).text

    assert fragment.startswith(f"{MICROSOFT_REDIRECT}#code=")
    assert f'<form method="post" action="{MICROSOFT_REDIRECT}">' in page
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    assert unescape(fields["state"]) == 's"<'
    assert fields["code"].startswith("M.C5_BL2.2.U.CNRY")


def test_tenants_admit_their_own_people(url: str, sandbox: Sandbox) -> None:
    grace = sandbox.world.identities["grace"]

    personal = MicrosoftClient(url, tenant="consumers").enrol()
    work = MicrosoftClient(url, tenant="organizations").enrol()
    tenant = MicrosoftClient(url, tenant=grace.microsoft_tid).enrol()

    assert personal["id_token_claims"]["name"] == "Ada Lovelace"
    assert work["id_token_claims"]["name"] == tenant["id_token_claims"]["name"] == "Grace Hopper"


def test_discovery_of_several_tenants_holds_a_placeholder(client: MicrosoftClient) -> None:
    common = client.http.get(f"{LOGIN}/common/v2.0/.well-known/openid-configuration").json()
    personal = client.http.get(f"{LOGIN}/consumers/v2.0/.well-known/openid-configuration").json()

    assert common["issuer"] == f"{LOGIN}/{{tenantid}}/v2.0"
    assert personal["issuer"] == f"{LOGIN}/{PERSONAL_TENANT}/v2.0"
    unknown = client.http.get(f"{LOGIN}/nonsense/v2.0/.well-known/openid-configuration")
    assert unknown.json()["error_codes"] == [90002]


def test_a_device_signs_in_when_its_code_was_entered_elsewhere(client: MicrosoftClient) -> None:
    flow = client.app.initiate_device_flow(["User.Read"])
    assert (flow["interval"], flow["verification_uri"]) == (5, "https://microsoft.com/devicelogin")
    pending = client.token(
        grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=flow["device_code"]
    ).json()
    page = client.http.get(f"{flow['verification_uri']}?user_code={flow['user_code']}&sandbox_person=grace")

    token = client.app.acquire_token_by_device_flow(flow)

    assert (pending["error"], pending["error_codes"]) == ("authorization_pending", [70016])
    assert "You are signed in" in page.text
    assert token["id_token_claims"]["name"] == "Grace Hopper"
    assert "refresh_token" in token


def test_a_device_is_declined_or_times_out(client: MicrosoftClient, url: str) -> None:
    declined, late = (client.app.initiate_device_flow(["User.Read"]) for _ in range(2))
    client.http.get(f"{declined['verification_uri']}?user_code={declined['user_code']}&sandbox_deny=1")
    poll = "urn:ietf:params:oauth:grant-type:device_code"

    assert (
        client.token(grant_type=poll, device_code=declined["device_code"]).json()["error"] == "authorization_declined"
    )
    requests.post(f"{url}/__sandbox__/clock", json={"advance_seconds": 901}, timeout=10)
    assert client.token(grant_type=poll, device_code=late["device_code"]).json()["error"] == "expired_token"
    assert client.token(grant_type=poll, device_code="unknown").json()["error"] == "bad_verification_code"
    wrong = client.http.get(f"{late['verification_uri']}?user_code=NOPE&sandbox_person=ada")
    assert wrong.status_code == 400


def test_the_control_plane_approves_a_device_and_ends_grants(client: MicrosoftClient, url: str) -> None:
    flow = client.app.initiate_device_flow(["User.Read"])
    order = {"user_code": flow["user_code"], "person": "ada"}
    assert requests.post(f"{url}/__sandbox__/device", json=order, timeout=10).status_code == 200
    token = client.app.acquire_token_by_device_flow(flow)

    ended = requests.post(f"{url}/__sandbox__/expire", json={"what": "grants", "person": "ada"}, timeout=10).json()

    assert ended == {"expired": "grants", "count": 1}
    assert client.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert client.http.get("https://graph.microsoft.com/v1.0/me", headers=bearer).status_code == 401


def test_errors_look_like_microsoft_s(client: MicrosoftClient) -> None:
    answer = client.refresh("M.C5_unknown").json()

    assert set(answer) == {
        *(
            "error",
            "error_description",
            "error_codes",
            "timestamp",
            "trace_id",
            "correlation_id",
            "error_uri",
            "suberror",
        )
    }
    assert re.fullmatch(
        r"AADSTS700082: .*\r\nTrace ID: .*\r\nCorrelation ID: .*\r\nTimestamp: .*Z", answer["error_description"]
    )
    assert json.dumps(answer).count(answer["trace_id"]) == 2
