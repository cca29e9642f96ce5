"""What ``device add`` gives beside the password: a QR code for DAVx5, a profile for Apple's programs."""

import json
import os
import plistlib
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import cli
from ccdaemon.cli.client_setup import HALVES, QUIET_ZONE, apple_profile, davx5_link, qr_lines
from ccdaemon.cli.device import new_file
from ccdaemon.errors import BadConfiguration, StoreUnavailable

PUBLIC = "https://dav.example.org:8443/sync"
COMMON_KEYS = {
    "PayloadType": str,
    "PayloadVersion": int,
    "PayloadIdentifier": str,
    "PayloadUUID": str,
    "PayloadDisplayName": str,
}
ACCOUNT_KEYS = {"AccountDescription": str, "HostName": str, "Port": int, "UseSSL": bool, "Username": str} | {
    "PrincipalURL": str
}
"""As Apple's schema has them, with their types: https://github.com/apple/device-management, mdm/profiles."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in [name for name in os.environ if name.startswith("CCDAEMON_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "ccdaemon.toml"
    config.write_text(f'data_dir = "data"\n[dav]\npublic_url = "{PUBLIC}"\n')

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--config", str(config), *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run("init", "--person", "ada")
    return run


def devices(run: Any) -> list[str]:
    return [one["device"] for one in json.loads(run("device", "list", "--json").output)["devices"]]


# --- the QR code ------------------------------------------------------------------------------------------------------


def modules(lines: list[str]) -> list[list[bool]]:
    """The matrix as it is drawn; True is dark."""
    pairs = {sign: pair for pair, sign in HALVES.items()}
    drawn = [[pairs[sign] for sign in line.split("m", 1)[1].split("\x1b")[0]] for line in lines]
    return [[pair[half] for pair in row] for row in drawn for half in (0, 1)]


def test_the_link_opens_davx5_with_address_and_name_and_nothing_secret() -> None:
    assert davx5_link(f"{PUBLIC}/ada/", "ada") == "davx5://ada@dav.example.org:8443/sync/ada/"


def test_the_drawn_code_is_the_code_of_the_text_with_light_around_it() -> None:
    import segno

    text = "davx5://ada@dav.example.org/ada/"
    expected = [list(map(bool, row)) for row in segno.make_qr(text, error="m").matrix]
    drawn = modules(qr_lines(text))
    size = len(expected)

    assert [row[QUIET_ZONE : QUIET_ZONE + size] for row in drawn[QUIET_ZONE : QUIET_ZONE + size]] == expected
    assert len(drawn[0]) == size + 2 * QUIET_ZONE
    assert not any(map(any, drawn[:QUIET_ZONE] + drawn[QUIET_ZONE + size :]))
    assert not any(any(row[:QUIET_ZONE] + row[QUIET_ZONE + size :]) for row in drawn)


def test_qr_shows_a_code_and_json_the_link_behind_it(run: Any) -> None:
    shown = run("device", "add", "phone", "--qr").output
    told = json.loads(run("device", "add", "tablet", "--qr", "--json").output)

    assert shown.count("█") > 100
    assert told["davx5_url"] == "davx5://ada@dav.example.org:8443/sync/ada/"
    assert told["password"] not in told["davx5_url"]


def test_without_qr_the_keys_of_json_are_what_they_were(run: Any) -> None:
    assert set(json.loads(run("device", "add", "phone", "--json").output)) == {
        "user",
        "password",
        "caldav_url",
        "carddav_url",
    }


def test_a_phone_is_not_sent_to_http(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCDAEMON_DAV__PUBLIC_URL", "")

    said = run("device", "add", "phone", "--qr", code=78).output

    assert "set dav.public_url" in said
    assert devices(run) == []


def test_an_address_that_is_not_known_yet_is_told_as_such(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCDAEMON_DAV__PUBLIC_URL", "")
    monkeypatch.setenv("CCDAEMON_DAV__LISTEN", "127.0.0.1:0")
    said = run("device", "add", "phone").stderr
    monkeypatch.setenv("CCDAEMON_DAV__LISTEN", "127.0.0.1:5232")

    assert "until `ccdaemon run` prints its address" in said
    assert "until" not in run("device", "add", "tablet").stderr


# --- the profile ------------------------------------------------------------------------------------------------------


def test_the_profile_holds_both_accounts_with_apples_keys_and_no_other(run: Any, tmp_path: Path) -> None:
    told = json.loads(run("device", "add", "phone", "--json", "--mobileconfig", str(tmp_path / "ada")).output)
    text = (tmp_path / "ada").read_text()
    profile = plistlib.loads(text.encode())
    calendars, contacts = profile.pop("PayloadContent")

    assert {key: type(value) for key, value in profile.items()} == COMMON_KEYS | {"PayloadDescription": str}
    for account, prefix in ((calendars, "CalDAV"), (contacts, "CardDAV")):
        expected = COMMON_KEYS | {prefix + key: kind for key, kind in ACCOUNT_KEYS.items()}
        assert {key: type(value) for key, value in account.items()} == expected
    assert profile["PayloadType"] == "Configuration"
    assert (calendars["PayloadType"], contacts["PayloadType"]) == (
        "com.apple.caldav.account",
        "com.apple.carddav.account",
    )
    assert calendars["CalDAVHostName"] == contacts["CardDAVHostName"] == "dav.example.org"
    assert calendars["CalDAVPort"] == contacts["CardDAVPort"] == 8443
    assert calendars["CalDAVUseSSL"] is contacts["CardDAVUseSSL"] is True
    assert calendars["CalDAVUsername"] == contacts["CardDAVUsername"] == "ada"
    assert calendars["CalDAVPrincipalURL"] == contacts["CardDAVPrincipalURL"] == "/sync/ada/"
    assert told["password"] not in text


def test_a_profile_is_for_its_owner_only(run: Any, tmp_path: Path) -> None:
    run("device", "add", "phone", "--mobileconfig", str(tmp_path / "ada.mobileconfig"))

    assert stat.S_IMODE((tmp_path / "ada.mobileconfig").stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*"))


def test_the_same_account_has_the_same_identifiers_and_another_has_others() -> None:
    again = apple_profile("https://dav.example.org/ada/", "ada")
    ids = [
        [one["PayloadUUID"] for one in (profile, *profile["PayloadContent"])]
        for profile in (
            plistlib.loads(apple_profile(url, user).encode())
            for url, user in (
                ("https://dav.example.org/ada/", "ada"),
                ("https://dav.example.org/grace/", "grace"),
                ("https://example.org/ada/", "ada"),
            )
        )
    ]

    assert again == apple_profile("https://dav.example.org/ada/", "ada")
    assert len({one for some in ids for one in some}) == 9


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("https://dav.example.org/ada/", "dav.example.org", 443, True),
        ("https://[2001:db8::1]:8443/ada/", "2001:db8::1", 8443, True),
        ("http://127.0.0.1:5232/ada/", "127.0.0.1", 5232, False),
        ("http://localhost/ada/", "localhost", 80, False),
    ],
)
def test_host_port_and_tls_come_from_the_address(url: str, host: str, port: int, secure: bool) -> None:
    account = plistlib.loads(apple_profile(url, "ada").encode())["PayloadContent"][0]

    assert (account["CalDAVHostName"], account["CalDAVPort"], account["CalDAVUseSSL"]) == (host, port, secure)


@pytest.mark.parametrize("url", ["http://dav.example.org/ada/", "http://192.168.1.5:5232/ada/"])
def test_no_profile_sends_passwords_over_the_net_in_clear(url: str) -> None:
    with pytest.raises(BadConfiguration, match=r"set dav\.public_url"):
        apple_profile(url, "ada")


def test_a_profile_without_a_port_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="ccdaemon run"):
        apple_profile("http://127.0.0.1:0/ada/", "ada")


def test_a_profile_for_this_machine_says_so(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCDAEMON_DAV__PUBLIC_URL", "")

    assert "this machine only" in run("device", "add", "mac", "--mobileconfig", str(tmp_path / "mac")).stderr


@pytest.mark.parametrize("made", ["file", "folder", "link", "dangling link"])
def test_nothing_is_overwritten_and_then_no_device_is_added(run: Any, tmp_path: Path, made: str) -> None:
    path = tmp_path / "there"
    if made == "folder":
        path.mkdir()
    elif made == "file":
        path.write_text("mine")
    else:
        target = tmp_path / "target"
        path.symlink_to(target)
        if made == "link":
            target.write_text("mine")

    said = run("device", "add", "phone", "--mobileconfig", str(path), code=65).output

    assert "exists already" in said
    assert devices(run) == []
    assert made in ("folder", "dangling link") or path.read_text() == "mine"
    assert made != "dangling link" or not (tmp_path / "target").exists()


def test_a_profile_that_cannot_be_written_adds_no_device(run: Any, tmp_path: Path) -> None:
    run("device", "add", "phone", "--mobileconfig", str(tmp_path / "no" / "such"), code=65)

    assert devices(run) == []


def test_a_device_that_cannot_be_added_leaves_no_profile(run: Any, tmp_path: Path) -> None:
    run("device", "add", "phone")
    run("device", "add", "phone", "--mobileconfig", str(tmp_path / "profile"), code=65)

    assert not (tmp_path / "profile").exists()


def test_a_transaction_that_fails_after_the_profile_was_written_takes_it_away(tmp_path: Path) -> None:
    path = tmp_path / "profile"

    def profile_then_failure() -> None:
        with new_file(path, "text"):
            assert path.read_text() == "text"
            raise StoreUnavailable("the database is locked")

    with pytest.raises(StoreUnavailable):
        profile_then_failure()
    assert not path.exists()
