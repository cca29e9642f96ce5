"""VTIMEZONE against zoneinfo: the offset at any moment that it claims to describe (trap 19)."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache

import icalendar
import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.mapping.tzif import Change, Offset, parse_footer, parse_tzif, zone_names
from ccdaemon.mapping.vtimezone import vtimezone, yearly_rrule
from ccdaemon.mapping.zones import zone
from tests.unit.mapping import line_oracle

BEGIN, END = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2030-01-01")
NAMES = sorted(zone_names())
NOW = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
LAST_YEAR = 2070
MOMENTS = st.integers(-5_000_000_000, int(datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp()))


@cache
def onsets(text: str) -> list[tuple[datetime, timedelta]]:
    """Naive UTC onset and the offset after it, as RFC 5545 section 3.6.5 says, by dateutil and our oracle."""
    found, observance = [], {}
    for line in line_oracle.read(text):
        if line.name == "BEGIN":
            observance = {}
        elif line.name == "END" and line.value in ("STANDARD", "DAYLIGHT"):
            before, after = offset(observance["TZOFFSETFROM"]), offset(observance["TZOFFSETTO"])
            first = wall_clock(observance["DTSTART"])
            local = [first, *(wall_clock(value) for value in observance.get("RDATE", "").split(",") if value)]
            if "RRULE" in observance:
                until = datetime.fromisoformat(f"{LAST_YEAR + 1}-01-01")
                local += rrule.rrulestr(observance["RRULE"], dtstart=first).between(first, until, inc=True)
            found += [(moment - before, after) for moment in set(local)]
        else:
            observance[line.name] = line.value
    return sorted(found)


def wall_clock(value: str) -> datetime:
    return datetime.fromisoformat(value)


def offset(value: str) -> timedelta:
    hours, minutes, seconds = int(value[1:3]), int(value[3:5]), int(value[5:] or 0)
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -length if value[0] == "-" else length


def offset_at(text: str, moment: datetime) -> timedelta:
    known = onsets(text)
    at = bisect_right([onset for onset, _ in known], moment.replace(tzinfo=None))
    assert at > 0, "nothing is said about this moment"
    return known[at - 1][1]


@pytest.mark.parametrize("name", NAMES)
def test_every_zone_is_exact_from_now_on(name):
    text = vtimezone(name, NOW, None)
    moments = [datetime.fromtimestamp(NOW, UTC) + timedelta(days=9 * step) for step in range(41 * 25)]

    wrong = [moment for moment in moments if offset_at(text, moment) != moment.astimezone(zone(name)).utcoffset()]

    assert wrong == []


@given(st.sampled_from(NAMES), MOMENTS, MOMENTS, st.booleans())
@settings(deadline=None, max_examples=300)
def test_a_zone_is_exact_at_both_ends_of_any_span(name, first, last, endless):
    first, last = sorted((first, last))
    text = vtimezone(name, first, None if endless else last)

    for at in (first, (first + last) // 2, last):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
        assert offset_at(text, moment) == moment.astimezone(zone(name)).utcoffset()


@pytest.mark.parametrize(
    "name", ["Europe/Zurich", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Etc/GMT+3"]
)
def test_events_since_the_yearly_rule_began_share_one_text(name):
    texts = {vtimezone(name, int(datetime(year, 5, 1, tzinfo=UTC).timestamp()), None) for year in range(2010, 2090)}
    texts.add(vtimezone(name, NOW, NOW + 3600))

    assert len(texts) == 1


@pytest.mark.parametrize("name", ["Europe/Zurich", "Africa/Casablanca", "Africa/Cairo", "America/Nuuk", "Asia/Gaza"])
def test_the_icalendar_library_reads_the_same_offsets(name):
    component = icalendar.Timezone.from_ical(vtimezone(name, NOW, NOW + 86400 * 365))
    read = component.to_tz(lookup_tzid=False)

    for days in range(0, 365, 7):
        moment = datetime.fromtimestamp(NOW, UTC) + timedelta(days=days)
        assert moment.astimezone(read).utcoffset() == moment.astimezone(zone(name)).utcoffset()


@pytest.mark.parametrize("year", [1, 2, 1583, 1899, 1970, 2038, 2100, 9998, 9999])
def test_no_year_of_the_calendar_is_too_far(year):
    at = int(datetime(year, 6, 1, tzinfo=UTC).timestamp())

    assert vtimezone("Europe/Zurich", at, at + 3600).startswith("BEGIN:VTIMEZONE\r\nTZID:Europe/Zurich\r\n")
    assert vtimezone("Africa/Casablanca", at, None).endswith("END:VTIMEZONE\r\n")


def test_daylight_is_summer_also_where_the_law_calls_winter_the_exception():
    lines = vtimezone("Europe/Dublin", NOW, None).split("\r\n")

    assert lines[lines.index("TZNAME:IST") - 4] == "BEGIN:DAYLIGHT"
    assert lines[lines.index("TZNAME:GMT") - 4] == "BEGIN:STANDARD"


@pytest.mark.parametrize(
    ("footer", "expected"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
        ("EST5EDT,M3.2.0,M11.1.0", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
        ("IST-2IDT,M3.4.4/26,M10.5.0", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=23,24,25,26,27,28,29;BYDAY=FR"),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=24,25,26,27,28,29,30;BYDAY=SA"),
        ("EET-2EEST,M10.5.4/24,M4.5.5/0", None),
        ("EET-2EEST,M3.1.0/-1,M4.5.5/0", None),
        ("EET-2EEST,M2.5.0/-1,M4.5.5/0", None),
    ],
)
def test_a_yearly_onset_is_an_rrule_where_one_is_exact(footer, expected):
    start, _ = parse_footer(footer)

    assert yearly_rrule(start) == expected


def test_the_rrule_of_an_onset_falls_on_its_days():
    standard, dst = Offset(0, False, "A"), Offset(3600, True, "B")
    for week in range(1, 6):
        for weekday in range(7):
            for hours in (-25, -1, 2, 24, 26, 50):
                change = Change(3, week, weekday, hours * 3600, standard, dst)
                rule = yearly_rrule(change)
                if rule is None:
                    continue
                days = [change.day(year) + timedelta(hours=hours) // timedelta(days=1) * timedelta(days=1)
                        for year in range(2000, 2030)]  # fmt: skip
                expanded = rrule.rrulestr(rule, dtstart=BEGIN).between(BEGIN, END)

                assert [moment.date() for moment in expanded] == days


@pytest.mark.parametrize("content", [b"", b"TZif" + b"1" * 40, b"nonsense" * 10])
def test_what_is_no_zone_file_is_refused(content):
    with pytest.raises(ValueError, match="TZif"):
        parse_tzif(content)


@pytest.mark.parametrize("footer", ["", "CET-1CEST,J60,J300", "CET-1CEST", "\0"])
def test_a_footer_of_unknown_form_is_refused(footer):
    with pytest.raises(ValueError, match="POSIX TZ string"):
        parse_footer(footer)
