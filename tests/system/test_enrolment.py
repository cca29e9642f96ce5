"""Consent in every way that the contract offers, and every way in which it can go wrong."""

import os
import signal
import sys
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from tests.system.client import PATIENCE
from tests.system.installation import Cloud, Installation, only_message

pytestmark = pytest.mark.system

GOOGLE_CONTACTS_ONLY = "openid email profile https://www.googleapis.com/auth/contacts.readonly"
MICROSOFT_CONTACTS_ONLY = "openid profile offline_access User.Read Contacts.Read"


def redirected(url: str, identity: str = "ada") -> str:
    """Where a browser on another machine ends: an address that it cannot show."""
    answer = requests.get(f"{url}&sandbox_person={identity}", allow_redirects=False, timeout=PATIENCE)
    return answer.headers["Location"]


def scopes(listed: str) -> str:
    return f"&sandbox_scopes={quote(listed)}"


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_the_address_pasted_on_standard_input_enrols(provider: str, bare: Installation) -> None:
    process = bare.start("enroll", provider, "--no-browser")
    try:
        url = process.line()
        process.say("http://127.0.0.1:1/?state=wrong&code=wrong")
        process.say(redirected(url))
        said = bare.said_in(process.wait)
    finally:
        process.close()

    [account] = bare.json("account", "list")["accounts"]
    assert account["provider"] == provider
    assert account["services"] == ["contacts", "calendar"]
    assert "Not that one" in bare.log.read_text(), said


def test_standard_output_holds_the_url_and_nothing_else(bare: Installation) -> None:
    process = bare.start("enroll", "google", "--no-browser")
    try:
        url = process.line()
        requests.get(f"{url}&sandbox_person=ada", timeout=PATIENCE)
        assert process.popen.stdout is not None
        rest = process.popen.stdout.read()
        assert process.wait() == 0
    finally:
        process.close()

    assert bare.cloud is not None
    assert url.startswith(f"{bare.cloud.url}/")
    assert rest == ""


def test_a_label_names_the_account_in_commands(bare: Installation) -> None:
    assert bare.enroll("google", "ada", "--label", "private one", "--service", "contacts") == 0

    assert [one["label"] for one in bare.json("account", "list")["accounts"]] == ["private one"]
    assert bare.run("sync", "private one").stdout.startswith("private one ")


def test_enrolling_again_renews_the_consent_and_keeps_account_and_items(bare: Installation) -> None:
    bare.enroll("google", "ada", "--service", "contacts")
    bare.run("sync")
    before, items = bare.json("account", "list")["accounts"], bare.rows("SELECT id, href, etag, revision FROM items")

    assert bare.enroll("google", "ada", "--service", "contacts") == 0
    bare.run("sync")

    assert bare.json("account", "list")["accounts"] == before
    assert bare.rows("SELECT id, href, etag, revision FROM items") == items


def test_a_device_code_signs_in_at_microsoft(bare: Installation) -> None:
    process = bare.start("enroll", "microsoft", "--device-code", "--service", "contacts")
    try:
        page, code = process.line(), process.line()
        answer = requests.get(page, params={"user_code": code, "sandbox_person": "ada"}, timeout=PATIENCE)
        assert answer.ok, answer.text
        assert process.wait() == 0
    finally:
        process.close()

    [account] = bare.json("account", "list")["accounts"]
    assert account["provider"] == "microsoft"
    bare.run("sync")


def test_google_offers_no_device_code(bare: Installation) -> None:
    assert "--no-browser" in bare.refused("enroll", "google", "--device-code", status=65)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_denied_consent_says_so_and_stores_nothing(provider: str, bare: Installation) -> None:
    codes: list[int] = []
    said = bare.said_in(lambda: codes.append(bare.enroll(provider, consent="&sandbox_deny=1")))

    assert codes == [77]
    assert "access was not given" in only_message(said)
    assert bare.json("account", "list")["accounts"] == []


def test_fewer_granted_scopes_work_with_the_rest_and_say_what_is_missing(bare: Installation) -> None:
    codes: list[int] = []
    said = bare.said_in(lambda: codes.append(bare.enroll("google", consent=scopes(GOOGLE_CONTACTS_ONLY))))

    assert codes == [0]
    assert "Not granted: calendar" in said

    done = bare.run("sync", ok=False)
    assert bare.cloud is not None
    contacts = len(bare.cloud.holds("google")["contacts"])
    [account] = bare.status()["accounts"]

    assert done.returncode == 1
    assert account["state"] == "degraded"
    assert "calendar" in account["problem"]
    assert [(one["kind"], one["items"], one["last_error"]) for one in account["collections"]] == [
        ("contacts", contacts, None)
    ]


def test_microsoft_which_grants_all_or_nothing_says_that_something_was_not_allowed(bare: Installation) -> None:
    codes: list[int] = []
    said = bare.said_in(lambda: codes.append(bare.enroll("microsoft", consent=scopes(MICROSOFT_CONTACTS_ONLY))))

    assert codes == [77]
    assert "not everything that was asked for was allowed" in only_message(said)
    assert bare.json("account", "list")["accounts"] == []


def test_nothing_granted_enrols_nobody(bare: Installation) -> None:
    codes: list[int] = []
    said = bare.said_in(lambda: codes.append(bare.enroll("google", consent=scopes("openid email"))))

    assert codes == [77]
    assert "none of what was asked for was granted" in only_message(said)
    assert bare.json("account", "list")["accounts"] == []


def test_a_window_that_closes_says_so(bare: Installation) -> None:
    message = bare.refused("enroll", "google", "--no-browser", "--timeout", "0.01", status=77)

    assert "the window of 1 seconds closed" in message
    assert bare.json("account", "list")["accounts"] == []


def test_ctrl_c_ends_an_enrolment_and_stores_nothing(bare: Installation) -> None:
    process = bare.start("enroll", "google", "--no-browser")
    try:
        [waits_at] = parse_qs(urlsplit(process.line()).query)["redirect_uri"]
        requests.get(f"{waits_at}favicon.ico", timeout=PATIENCE)  # answered: it listens
        os.kill(process.popen.pid, signal.SIGINT)
        assert process.wait(10) == 128 + signal.SIGINT
    finally:
        process.close()

    assert bare.json("account", "list")["accounts"] == []
    assert "Traceback" not in bare.log.read_text()


def test_the_second_person_cannot_take_the_first_ones_account(bare: Installation) -> None:
    bare.run("person", "add", "grace")
    bare.enroll("google", "ada", "--person", "ada")
    codes: list[int] = []
    said = bare.said_in(lambda: codes.append(bare.enroll("google", "ada", "--person", "grace")))

    assert codes == [77]
    assert "enrolled by another person" in only_message(said)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_a_browser_that_keeps_its_caller_waiting_is_heard_all_the_same(
    provider: str, tmp_path: Path, small_cloud: Cloud
) -> None:
    """The default way in, with a browser that ends only when it has its page."""
    browser = f'{sys.executable} -c "import sys, requests; requests.get(sys.argv[1], timeout=60)" %s'
    home = Installation(tmp_path, small_cloud, env={"BROWSER": browser})
    home.write_config()
    home.run("init", "--person", "ada")

    said = home.run("enroll", provider, "--timeout", "1").stderr

    assert "enrolled as" in said
