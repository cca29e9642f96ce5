"""Names of time zones: what they mean, and that no name can do harm (T-44)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tzlocal.windows_tz import tz_win, win_tz

from ccdaemon.mapping.tzif import zone_bytes, zone_names
from ccdaemon.mapping.zones import find_zone, first_zone, iana_name, windows_name, zone, zone_name


def test_every_windows_name_means_its_cldr_zone():
    assert {name: iana_name(name) for name in win_tz} == win_tz | {"UTC": "UTC"}


def test_every_iana_name_means_itself_however_old():
    assert [name for name in zone_names() if iana_name(name) != name] == []


def test_every_iana_name_of_cldr_has_its_windows_name():
    known = {name: windows for name, windows in tz_win.items() if name in zone_names()}

    assert {name: windows_name(name) for name in known} == known


def test_old_and_new_names_of_a_place_have_one_windows_name():
    assert windows_name("Europe/Kiev") == windows_name("Europe/Kyiv") == "FLE Standard Time"
    assert windows_name("Asia/Calcutta") == windows_name("Asia/Kolkata") == "India Standard Time"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("europe/zurich", "Europe/Zurich"),
        ("w. europe standard time", "Europe/Berlin"),
        ("tzone://Microsoft/Utc", "Etc/UTC"),
        ("tzone://Microsoft/Pacific Standard Time", "America/Los_Angeles"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/citadel.org/20190914_1/America/Argentina/Salta", "America/Argentina/Salta"),
        ("+01:00", "Etc/GMT-1"),
        ("UTC-08:00", "Etc/GMT+8"),
        ("+00:00", "Etc/UTC"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/Dublin"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(GMT+09:00) Osaka, Sapporo, Tokyo", "Asia/Tokyo"),
    ],
)
def test_other_spellings_are_understood(name, expected):
    assert iana_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "tzone://Microsoft/Custom",
        "Customized Time Zone",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/../Europe/Zurich",
        "Europe",
        "x" * 5000,
        "\0",
        "\ud800",
        "+25:00",
        "+05:30",
        "(UTC+01:00) Atlantis",
        "(UTC+09:00) Amsterdam",
        "Europe/Zurich\r\nX-EVIL:1",
    ],
)
def test_a_name_without_meaning_means_nothing_and_the_next_one_counts(name):
    assert iana_name(name) is None
    assert find_zone(name) is None
    assert first_zone(name, None, "Europe/Zurich") is zone("Europe/Zurich")
    assert first_zone(name) is UTC


@given(st.text())
def test_any_text_is_a_zone_of_the_package_or_none(name):
    assert iana_name(name) in zone_names() | {None}


@pytest.mark.parametrize("name", ["../zones", "zone.tab", "Europe", "", "leapseconds"])
def test_a_name_never_becomes_a_path(name):
    with pytest.raises(KeyError):
        zone_bytes(name)


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "GMT", "Zulu", "Etc/GMT"])
def test_utc_needs_no_tzid(name):
    assert zone(name) is UTC
    assert zone_name(zone(name)) is None


def test_a_zone_is_the_packages_own_and_keeps_the_name_it_was_given():
    moment = datetime(2026, 7, 1, 12, tzinfo=zone("Europe/Kiev"))

    assert zone_name(moment.tzinfo) == "Europe/Kiev"
    assert moment.utcoffset() == datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Kyiv")).utcoffset()
