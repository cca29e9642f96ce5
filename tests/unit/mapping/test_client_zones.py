"""Which zone a TZID of a client's body means (traps 18, 20; T-44)."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from time import monotonic

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccdaemon.mapping.client_zones import ClientZones, same_clock
from ccdaemon.mapping.ical import Component, components
from ccdaemon.mapping.moments import posix
from ccdaemon.mapping.tzif import zone_names
from ccdaemon.mapping.vtimezone import vtimezone
from ccdaemon.mapping.zones import zone, zone_name

# As Outlook writes it: one rule for all time, from the beginning of Windows' calendar on.
EUROPE = """BEGIN:VTIMEZONE
TZID:{}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
FIXED = """BEGIN:VTIMEZONE
TZID:{}
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{}
TZOFFSETTO:{}
END:STANDARD
END:VTIMEZONE
"""


def found(text, tzid, first=2026, last=2027):
    return zone_name(ClientZones(components(text), first, last).find(tzid))


@pytest.mark.parametrize(
    "tzid", ["Customized Time Zone", "tzone://Microsoft/Custom", "Zürich", "/freeassociation.net/x", "\x01", "x" * 5000]
)
def test_a_name_that_nobody_knows_is_the_zone_that_its_description_describes(tzid):
    assert found(EUROPE.format(tzid), tzid) == "Europe/Berlin"


@pytest.mark.parametrize("tzid", ["Asia/Tokyo", "Tokyo Standard Time", "/a/b/Asia/Tokyo", "asia/tokyo"])
def test_a_known_name_wins_over_a_description_that_lies(tzid):
    assert found(EUROPE.format(tzid), tzid) == "Asia/Tokyo"


def test_the_name_that_libical_notes_wins_over_the_onsets():
    text = EUROPE.format("Own\nX-LIC-LOCATION:Europe/Zurich")

    assert found(text, "Own") == "Europe/Zurich"


def test_onsets_one_by_one_are_as_good_as_rules():
    text = """BEGIN:VTIMEZONE
TZID:Own
BEGIN:DAYLIGHT
DTSTART:20260308T020000
RDATE:20270314T020000,20280312T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20261101T020000
RDATE:20271107T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
"""
    assert found(text, "Own") == "America/New_York"
    assert found(text, "Own", 2026, 2030) is None  # clocks of the description stop in 2028


@pytest.mark.parametrize(
    ("offset", "expected"),
    [("+0000", None), ("+0530", "Asia/Kolkata"), ("+0545", "Asia/Katmandu"), ("-1100", "Etc/GMT+11"), ("+0007", None)],
)
def test_a_zone_without_summer_time_is_told_by_its_offset(offset, expected):
    zones = ClientZones(components(FIXED.format("Own", offset, offset)), 2026, 2026)
    is_none = zones.find("Own") is None

    assert zone_name(zones.find("Own")) == expected
    assert is_none == (offset == "+0007")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("BYDAY=-1SU;BYMONTH=3", "BYDAY=-2SU;BYMONTH=3"),
        ("TZOFFSETTO:+0200", "TZOFFSETTO:+0230"),
        ("TZOFFSETTO:+0200", "TZOFFSETTO:later"),
        ("DTSTART:16010101T020000", "DTSTART:16010101T033000"),
        ("DTSTART:16010101T020000", "DTSTART:16010101"),
        ("DTSTART:16010101T020000", "DTSTART:never"),
        ("FREQ=YEARLY", "FREQ=MONTHLY"),
        ("FREQ=YEARLY", "FREQ=YEARLY;INTERVAL=2"),
        ("FREQ=YEARLY", "FREQ=YEARLY;BYSETPOS=1"),
        ("FREQ=YEARLY", "FREQ=NEVER"),
        ("FREQ=YEARLY", "FREQ=YEARLY;UNTIL=20260401T000000Z"),
        ("FREQ=YEARLY", "FREQ=YEARLY;COUNT=426"),
        ("STANDARD", "DAYLIGHT\nTZOFFSETTO:none"),
        ("DTSTART:16010101T020000", "RDATE:" + ",".join(["20260329T020000"] * 5000) + "\nDTSTART:16010101T020000"),
    ],
)
def test_a_description_of_no_zone_of_ours_means_nothing(old, new):
    text = EUROPE.format("Own")

    assert found(text.replace(old, new), "Own") is None


def test_a_clock_that_was_changed_for_the_last_time_stays():
    text = EUROPE.format("Own").replace("FREQ=YEARLY", "FREQ=YEARLY;UNTIL=20200101T000000Z")

    assert found(text, "Own") == "Africa/Lagos"


def test_a_name_without_a_description_means_nothing():
    assert ClientZones([], 2026, 2026).find("Own") is None
    assert ClientZones([Component("VTIMEZONE")], 2026, 2026).find("") is None


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(zone_names())), st.integers(1950, 2080), st.integers(0, 12))
@example("Europe/Dublin", 2026, 12)
@example("America/Sao_Paulo", 2000, 12)
@example("Africa/Casablanca", 2026, 12)
@example("Asia/Pyongyang", 2010, 12)
def test_our_own_descriptions_are_understood_under_any_name(name, first, years):
    last = first + years
    text = vtimezone(name, posix(date(first, 1, 1)), posix(date(last, 12, 31))).replace(f"TZID:{name}", "TZID:Own")

    described = ClientZones(components(text), first, last).find("Own")

    assert described is not None
    assert same_offsets(described, zone(name), first, last)


def same_offsets(one, other, first, last):
    moments = (posix(date(first, 1, 1)) + hours * 3600 for hours in range(0, (last - first + 1) * 8766, 13))
    return all(offset(one, at) == offset(other, at) for at in moments)


def offset(of, at):
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(of).utcoffset()


def test_thousands_of_descriptions_and_rules_take_no_time():
    rules = "RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU\n"
    many = EUROPE.format("Many").replace("END:STANDARD", rules * 3_000 + "END:STANDARD")
    zones = ClientZones(
        components(many + "".join(EUROPE.format(f"Own{number}") for number in range(3_000))), 2026, 2046
    )

    begin = monotonic()
    found = [zones.find(tzid) for tzid in ("Many", "Own1", *(f"Own{number}" for number in range(3_000)))]
    assert [zone_name(one) for one in found[:3]] == [None, "Europe/Berlin", "Europe/Berlin"]
    assert monotonic() - begin < 2


def test_clocks_are_compared_from_a_year_on():
    zurich, berlin = zone("Europe/Zurich"), zone("Europe/Berlin")
    same = partial(same_clock, zurich, berlin)

    assert [same(1940), same(1985), same(9999)] == [False, True, True]
    assert same_clock(zone("Asia/Calcutta"), zone("Asia/Kolkata"), 1)
    assert same_clock(zone("Etc/UTC"), None, 2026)
    assert not same_clock(zurich, zone("Africa/Lagos"), 2026)
