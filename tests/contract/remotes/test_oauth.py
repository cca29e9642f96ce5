"""Consent, refresh and revocation: one suite, two clouds."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from ccdaemon.errors import (
    BadAnswer,
    BadConfiguration,
    BadData,
    ConsentNeeded,
    ForeignLink,
    NotPermitted,
    RateLimited,
    Transient,
)
from ccdaemon.model import ProviderName, Purpose
from ccdaemon.providers.base import ClientCredentials
from ccdaemon.providers.google.oauth import GoogleOAuth
from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
from tests.contract.remotes.clouds import CREDENTIALS, PURPOSES, REDIRECTS, Clouds, now

GOOGLE, MICROSOFT = ProviderName.GOOGLE, ProviderName.MICROSOFT
TOKEN_PATHS = {GOOGLE: "/token", MICROSOFT: "/oauth2/v2.0/token"}


def _token_requests(clouds: Clouds, provider: ProviderName) -> int:
    return len([one for one in clouds.asked(TOKEN_PATHS[provider]) if one["method"] == "POST"])


def test_a_consent_gives_subject_name_scopes_and_both_tokens(clouds: Clouds, provider: ProviderName) -> None:
    person = clouds.control("GET people")["people"][0]

    granted = clouds.enrol(provider)

    subjects = {
        GOOGLE: person["google"]["sub"],
        MICROSOFT: f"{person['microsoft']['tid']}.{person['microsoft']['oid']}",
    }
    addresses = {GOOGLE: person["google"]["email"], MICROSOFT: person["microsoft"]["upn"]}
    assert granted.subject == subjects[provider]
    assert (granted.address, granted.display_name) == (addresses[provider], person["name"])
    assert clouds.oauth(provider).covered(granted.scopes) == PURPOSES
    assert granted.refresh_token
    assert granted.access.value
    assert granted.access.expires_at > now()
    assert granted.access.value not in repr(granted)
    assert granted.refresh_token not in repr(granted)


def test_t03_every_consent_has_a_fresh_state_and_s256_verifier(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)
    pending = [oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider]) for _ in range(20)]

    queries = [parse_qs(urlsplit(one.authorization_url).query) for one in pending]
    verifiers = [str(one.flow["code_verifier"]) for one in pending]
    challenges = [
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        for verifier in verifiers
    ]

    assert [query["code_challenge"] for query in queries] == [[challenge] for challenge in challenges]
    assert {query["code_challenge_method"][0] for query in queries} == {"S256"}
    assert [query["state"] for query in queries] == [[one.state] for one in pending]
    assert len({one.state for one in pending}) == len(set(verifiers)) == 20
    assert min(map(len, verifiers)) >= 43
    assert min(len(one.state) for one in pending) >= 43


def test_reading_asks_for_reading_scopes_only(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)

    reading, writing = oauth.scopes(PURPOSES, write=False), oauth.scopes(PURPOSES, write=True)

    assert oauth.covered(reading) == oauth.covered(writing) == PURPOSES
    assert not any(scope.lower().endswith(("write", "auth/contacts", "auth/calendar")) for scope in reading)
    assert len(reading) == len(writing)
    assert set(reading) != set(writing)


def test_t02_an_answer_with_another_state_reaches_no_token_endpoint(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])
    answer = clouds.browse(pending, sandbox_person="ada")

    for state in ("", "x", pending.state[:-1], pending.state + "x", "ä"):
        with pytest.raises(NotPermitted):
            oauth.finish(pending, answer | {"state": state})

    assert _token_requests(clouds, provider) == 0


def test_t04_an_answer_of_another_issuer_reaches_no_token_endpoint(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])
    answer = clouds.browse(pending, sandbox_person="ada")

    with pytest.raises(NotPermitted):
        oauth.finish(pending, answer | {"iss": "https://evil.example"})

    assert _token_requests(clouds, provider) == 0


def test_a_denied_consent_is_not_permitted(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])
    answer = clouds.browse(pending, sandbox_deny="1")

    with pytest.raises(NotPermitted, match="oauth"):
        oauth.finish(pending, answer)

    assert _token_requests(clouds, provider) == 0


def test_a_code_is_good_once(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])
    answer = clouds.browse(pending, sandbox_person="ada")
    oauth.finish(pending, answer)

    with pytest.raises(NotPermitted):
        oauth.finish(pending, answer)


def test_t05_a_code_of_another_enrolment_does_not_fit_the_verifier(clouds: Clouds, provider: ProviderName) -> None:
    oauth = clouds.oauth(provider)
    theirs = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])
    stolen = clouds.browse(theirs, sandbox_person="grace")["code"]
    ours = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])

    with pytest.raises(NotPermitted):
        oauth.finish(ours, {"state": ours.state, "code": stolen})


def test_t08_fewer_scopes_are_what_was_granted_and_no_error(clouds: Clouds) -> None:
    oauth = clouds.oauth(GOOGLE)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[GOOGLE])
    ticked = "openid https://www.googleapis.com/auth/calendar.readonly"

    granted = oauth.finish(pending, clouds.browse(pending, sandbox_person="ada", sandbox_scopes=ticked))

    assert oauth.covered(granted.scopes) == (Purpose.CALENDAR,)


def test_an_administrator_has_to_consent(clouds: Clouds) -> None:
    clouds.control("POST switches", {"microsoft_admin_consent": True})
    oauth = clouds.oauth(MICROSOFT)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[MICROSOFT])

    with pytest.raises(NotPermitted, match="AADSTS90094"):
        oauth.finish(pending, clouds.browse(pending, sandbox_person="ada"))


def test_a_refresh_gives_a_new_access_token(clouds: Clouds, provider: ProviderName) -> None:
    granted = clouds.enrol(provider)
    assert granted.refresh_token is not None

    refreshed = clouds.oauth(provider).refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)

    assert refreshed.access.value != granted.access.value
    assert clouds.oauth(provider).covered(refreshed.access.scopes) == PURPOSES
    assert (refreshed.refresh_token is None) == (provider is GOOGLE)


def test_f17_the_old_microsoft_token_works_after_its_renewal(clouds: Clouds) -> None:
    granted, oauth = clouds.enrol(MICROSOFT), clouds.oauth(MICROSOFT)
    assert granted.refresh_token is not None

    first = oauth.refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)
    second = oauth.refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)

    assert len({granted.refresh_token, first.refresh_token, second.refresh_token}) == 3


def test_a_dead_grant_needs_consent_and_a_new_one_works_at_once(clouds: Clouds, provider: ProviderName) -> None:
    granted, oauth = clouds.enrol(provider), clouds.oauth(provider)
    clouds.control("POST expire", {"what": "refresh_tokens"})
    assert granted.refresh_token is not None

    for _ in range(2):
        with pytest.raises(ConsentNeeded):
            oauth.refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)
    again = clouds.enrol(provider)

    assert again.refresh_token is not None
    assert oauth.refresh(again.refresh_token, Purpose.CONTACTS, again.scopes).access.value


def test_f20_a_refresh_survives_one_bad_moment(clouds: Clouds, provider: ProviderName) -> None:
    granted = clouds.enrol(provider)
    fault = clouds.fault({"method": "POST", "path": "token", "nth": 1}, {"status": 503})
    assert granted.refresh_token is not None

    refreshed = clouds.oauth(provider).refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)

    assert refreshed.access.value
    assert clouds.fired(fault) == 1


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ({"html": True}, BadAnswer),
        ({"status": 500}, Transient),
        ({"status": 429}, RateLimited),
        ({"status": 307, "headers": {"Location": "https://evil.example/"}}, ForeignLink),
        ({"reset": True}, Transient),
        ({"status": 200, "body": {"access_token": "x", "token_type": "Bearer", "expires_in": "abc"}}, BadAnswer),
        ({"status": 200, "body": {"access_token": "x", "token_type": "Bearer", "expires_in": -1}}, BadAnswer),
        ({"status": 200, "body": {"access_token": "x", "token_type": "mac", "expires_in": 3600}}, BadAnswer),
        ({"status": 200, "body": {"token_type": "Bearer", "expires_in": 3600}}, BadAnswer),
        ({"gzip_bomb": True}, BadAnswer),
    ],
)
def test_t10_a_poisoned_token_answer_is_refused(
    clouds: Clouds, provider: ProviderName, do: dict[str, object], expected: type[Exception]
) -> None:
    granted, oauth = clouds.enrol(provider), clouds.oauth(provider)
    pending = oauth.begin(PURPOSES, write=False, redirect_uri=REDIRECTS[provider])
    answer = clouds.browse(pending, sandbox_person="ada")
    fault = clouds.fault({"method": "POST", "path": "token"}, do)
    assert granted.refresh_token is not None

    with pytest.raises(expected):
        oauth.refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)
    with pytest.raises(expected):
        oauth.finish(pending, answer)

    assert clouds.fired(fault) >= 2


def test_revoking_ends_a_google_grant_and_microsoft_offers_no_way(clouds: Clouds, provider: ProviderName) -> None:
    granted, oauth = clouds.enrol(provider), clouds.oauth(provider)
    assert granted.refresh_token is not None

    assert oauth.revoke(granted.refresh_token) == (provider is GOOGLE)

    if provider is GOOGLE:
        with pytest.raises(ConsentNeeded):
            oauth.refresh(granted.refresh_token, Purpose.CONTACTS, granted.scopes)
        assert oauth.revoke(granted.refresh_token)


def test_a_purpose_that_was_not_granted_is_not_refreshed(clouds: Clouds, provider: ProviderName) -> None:
    granted = clouds.enrol(provider)
    before = _token_requests(clouds, provider)
    assert granted.refresh_token is not None

    with pytest.raises(NotPermitted):
        clouds.oauth(provider).refresh(granted.refresh_token, Purpose.MAIL, granted.scopes)

    assert _token_requests(clouds, provider) == before


def test_mail_at_microsoft_has_an_access_token_of_its_own(clouds: Clouds) -> None:
    oauth = clouds.oauth(MICROSOFT)
    purposes = (Purpose.CONTACTS, Purpose.MAIL)
    pending = oauth.begin(purposes, write=False, redirect_uri=REDIRECTS[MICROSOFT])

    granted = oauth.finish(pending, clouds.browse(pending, sandbox_person="ada"))

    assert oauth.covered(granted.scopes) == purposes
    assert oauth.covered(granted.access.scopes) == (Purpose.CONTACTS,)
    assert oauth.audience(Purpose.MAIL) != oauth.audience(Purpose.CONTACTS) == oauth.audience(Purpose.CALENDAR)
    assert granted.refresh_token is not None
    mail = oauth.refresh(granted.refresh_token, Purpose.MAIL, granted.scopes)
    assert oauth.covered(mail.access.scopes) == (Purpose.MAIL,)


def test_a_wrong_client_secret_is_a_matter_of_configuration(clouds: Clouds) -> None:
    granted = clouds.enrol(GOOGLE)
    wrong = ClientCredentials(client_id=CREDENTIALS[GOOGLE].client_id, client_secret="wrong")
    assert granted.refresh_token is not None

    with pytest.raises(BadConfiguration):
        GoogleOAuth(wrong, clouds.transport_factory, now).refresh(
            granted.refresh_token, Purpose.CONTACTS, granted.scopes
        )


def test_an_unknown_tenant_is_a_matter_of_configuration(clouds: Clouds) -> None:
    for tenant in ("no such tenant", "../common", "nowhere"):
        wrong = ClientCredentials(client_id="x", client_secret=None, tenant=tenant)

        with pytest.raises(BadConfiguration):
            MicrosoftOAuth(wrong, clouds.transport_factory, now).begin(
                PURPOSES, write=False, redirect_uri=REDIRECTS[MICROSOFT]
            )


def test_what_microsoft_does_not_have_cannot_be_asked_for(clouds: Clouds) -> None:
    with pytest.raises(BadData):
        clouds.oauth(MICROSOFT).scopes([Purpose.BUSINESS], write=False)


def test_a_device_code_waits_for_its_person(clouds: Clouds) -> None:
    oauth = MicrosoftOAuth(CREDENTIALS[MICROSOFT], clouds.transport_factory, now)
    pending = oauth.begin_device(PURPOSES, write=False)

    before = oauth.poll_device(pending)
    clouds.control("POST device", {"user_code": pending.user_code, "person": "grace"})
    granted = oauth.poll_device(pending)

    assert before is None
    assert granted is not None
    assert (granted.display_name, oauth.covered(granted.scopes)) == ("Grace Hopper", PURPOSES)
    with pytest.raises(NotPermitted):
        oauth.poll_device(pending)
