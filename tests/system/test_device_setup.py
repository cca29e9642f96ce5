"""``device add`` with a QR code and a profile, as a command that people run."""

import plistlib
import stat

import pytest

from tests.system.installation import Installation

pytestmark = pytest.mark.system


@pytest.fixture
def public(bare: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setitem(bare.env, "CCDAEMON_DAV__PUBLIC_URL", "https://dav.example.org")
    return bare


def test_a_device_is_added_with_code_and_profile(public: Installation) -> None:
    profile = public.folder / "ada.mobileconfig"

    shown = public.run("device", "add", "phone", "--qr", "--mobileconfig", str(profile)).stdout

    assert "URL:      https://dav.example.org/ada/" in shown
    assert "█" in shown
    assert "\x1b" not in shown  # colours are for terminals
    accounts = plistlib.loads(profile.read_bytes())["PayloadContent"]
    assert {account["PayloadType"] for account in accounts} == {"com.apple.caldav.account", "com.apple.carddav.account"}
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    [password] = [line.split()[1] for line in shown.splitlines() if line.startswith("password:")]
    assert password not in profile.read_text()


def test_a_profile_is_never_overwritten(public: Installation) -> None:
    profile = public.folder / "ada.mobileconfig"
    profile.write_text("mine")

    said = public.refused("device", "add", "phone", "--mobileconfig", str(profile), status=65)

    assert "exists already" in said
    assert profile.read_text() == "mine"
    assert public.json("device", "list")["devices"] == []


def test_without_a_public_address_there_is_no_code(bare: Installation) -> None:
    assert "set dav.public_url" in bare.refused("device", "add", "phone", "--qr", status=78)
