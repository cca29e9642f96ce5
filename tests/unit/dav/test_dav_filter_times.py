"""The tables of RFC 4791 section 9.9. The query asks for 10:00 to 12:00 in UTC on 2 March 2026, where nothing else is
said."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest

from ccdaemon.dav.filters.body_clock import MAX_EXPANSIONS
from ccdaemon.dav.filters.evaluation import matches
from tests.unit.dav.filter_bodies import Range, calendar, calendar_filter, component, event, prop_filter, todo

LATE_MORNING = Range("20260302T100000Z", "20260302T120000Z")
ZURICH = ZoneInfo("Europe/Zurich")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def touches(body: str, window: Range = LATE_MORNING, *, name: str = "VEVENT", zone: tzinfo = UTC) -> bool:
    return matches(calendar_filter(name, str(window)), body, zone=zone)


def at(clock: str) -> str:
    """ "0930" as a time of the day."""
    return f"20260302T{clock}00Z"


# --- VEVENT -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z"), False),
        (("DTSTART:20260302T090000Z", "DTEND:20260302T100001Z"), True),
        (("DTSTART:20260302T115959Z", "DTEND:20260302T130000Z"), True),
        (("DTSTART:20260302T120000Z", "DTEND:20260302T130000Z"), False),
        (("DTSTART:20260302T090000Z", "DURATION:PT1H"), False),
        (("DTSTART:20260302T090000Z", "DURATION:PT2H"), True),
        (("DTSTART:20260302T100000Z", "DURATION:PT0S"), True),
        (("DTSTART:20260302T095959Z", "DURATION:PT0S"), False),
        (("DTSTART:20260302T100000Z",), True),
        (("DTSTART:20260302T120000Z",), False),
        (("DTSTART;VALUE=DATE:20260302",), True),
        (("DTSTART;VALUE=DATE:20260301",), False),
        (("DTSTART;VALUE=DATE:20260228", "DTEND;VALUE=DATE:20260302"), False),
        (("DTSTART;VALUE=DATE:20260228", "DTEND;VALUE=DATE:20260303"), True),
    ],
)  # fmt: skip
def test_an_event_touches_the_range(lines: tuple[str, ...], expected: bool) -> None:
    assert expected is touches(event(*lines))


@pytest.mark.parametrize(
    ("window", "expected"),
    [(Range("20260302T100000Z", None), True), (Range(None, "20260302T120000Z"), True),
     (Range("20260302T110000Z", None), False), (Range(None, "20260302T100000Z"), False)],
    ids=["from", "until", "from-its-end", "until-its-start"],
)  # fmt: skip
def test_a_range_may_have_one_end_only(window: Range, expected: bool) -> None:
    assert expected is touches(event(f"DTSTART:{at('1000')}", f"DTEND:{at('1100')}"), window)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Range("20260302T000000Z", "20260303T000000Z"), True),
        (Range("20260303T000000Z", "20260304T000000Z"), False),
        (Range("20260304T000000Z", "20260305T000000Z"), False),
        (Range("20260305T000000Z", None), True),
        (Range("20270305T000000Z", None), False),
        (Range("20260310T000000Z", "20260311T000000Z"), True),
    ],
    ids=["first", "excluded", "moved-away", "from", "after-the-last", "where-it-moved"],
)
def test_the_occurrences_of_a_series_count_one_by_one(window: Range, expected: bool) -> None:
    master = component(
        "VEVENT", f"DTSTART:{at('0900')}", f"DTEND:{at('1000')}", "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE:20260303T090000Z",
    )  # fmt: skip
    changed = component("VEVENT", "RECURRENCE-ID:20260304T090000Z", "DTSTART:20260310T090000Z", "DURATION:PT1H")

    assert expected is touches(calendar(*master, *changed), window)


def test_a_series_without_end_is_met_in_any_later_range() -> None:
    series = event("DTSTART:19900101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    windows = Range("20260302T000000Z", None), Range("22000101T000000Z", None), Range(None, "19890101T000000Z")

    assert [touches(series, window) for window in windows] == [True, True, False]


# --- VTODO ------------------------------------------------------------------------------------------------------------


def times_of(**given: str) -> str:
    return todo(*(f"{name.upper()}:{value if value.startswith('P') else at(value)}" for name, value in given.items()))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # DTSTART and DURATION: (start <= DTSTART+DURATION) and ((end > DTSTART) or (end >= DTSTART+DURATION))
        ({"dtstart": "0900", "duration": "PT1H"}, True),
        ({"dtstart": "0900", "duration": "PT59M"}, False),
        ({"dtstart": "1159", "duration": "PT1H"}, True),
        ({"dtstart": "1200", "duration": "PT1H"}, False),
        ({"dtstart": "1200", "duration": "PT0S"}, True),
        # DTSTART and DUE: ((start < DUE) or (start <= DTSTART)) and ((end > DTSTART) or (end >= DUE))
        ({"dtstart": "0900", "due": "1000"}, False),
        ({"dtstart": "0900", "due": "1001"}, True),
        ({"dtstart": "1000", "due": "1000"}, True),
        ({"dtstart": "1159", "due": "1300"}, True),
        ({"dtstart": "1200", "due": "1300"}, False),
        ({"dtstart": "1200", "due": "1200"}, True),
        # DTSTART: (start <= DTSTART) and (end > DTSTART)
        ({"dtstart": "1000"}, True),
        ({"dtstart": "0959"}, False),
        ({"dtstart": "1200"}, False),
        # DUE: (start < DUE) and (end >= DUE)
        ({"due": "1000"}, False),
        ({"due": "1001"}, True),
        ({"due": "1200"}, True),
        ({"due": "1201"}, False),
        # both: ((start <= CREATED) or (start <= COMPLETED)) and ((end >= CREATED) or (end >= COMPLETED))
        ({"created": "0900", "completed": "1000"}, True),
        ({"created": "0900", "completed": "0959"}, False),
        ({"created": "1200", "completed": "1300"}, True),
        ({"created": "1201", "completed": "1300"}, False),
        ({"created": "0900", "completed": "1300"}, True),
        # COMPLETED: (start <= COMPLETED) and (end >= COMPLETED)
        ({"completed": "1000"}, True),
        ({"completed": "1200"}, True),
        ({"completed": "0959"}, False),
        ({"completed": "1201"}, False),
        # CREATED: (end > CREATED)
        ({"created": "0000"}, True),
        ({"created": "1159"}, True),
        ({"created": "1200"}, False),
        # none of them
        ({}, True),
        # what is planned counts before what was done
        ({"due": "0900", "completed": "1100"}, False),
    ],
)
def test_a_task_touches_the_range(given: dict[str, str], expected: bool) -> None:
    assert expected is touches(times_of(**given), name="VTODO")


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Range("20260305T110000Z", "20260305T120000Z"), False),
        (Range("20260305T100000Z", "20260305T110000Z"), True),
        (Range("20260305T083000Z", "20260305T090000Z"), False),
        (Range("20260306T090000Z", None), True),
        (Range("20260306T110000Z", None), False),
    ],
    ids=["after-due", "until-due", "before-start", "the-last", "after-the-last"],
)
def test_each_occurrence_of_a_task_has_its_own_start_and_due(window: Range, expected: bool) -> None:
    body = todo(f"DTSTART:{at('0900')}", f"DUE:{at('1030')}", "RRULE:FREQ=DAILY;COUNT=5")

    assert expected is touches(body, window, name="VTODO")


def test_a_task_due_on_a_day_is_due_when_that_begins() -> None:
    body = todo("DUE;VALUE=DATE:20260302")
    until = [Range("20260301T120000Z", f"2026030{end}Z") for end in ("1T225959", "1T230000")]

    assert [touches(body, window, name="VTODO", zone=ZURICH) for window in until] == [False, True]


# --- VJOURNAL, VFREEBUSY ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((f"DTSTART:{at('1000')}",), True),
        ((f"DTSTART:{at('0959')}",), False),
        ((f"DTSTART:{at('1200')}",), False),
        (("DTSTART;VALUE=DATE:20260302",), True),
        (("DTSTART;VALUE=DATE:20260301",), False),
        ((), False),
        ((f"DTSTART:{at('0700')}", "RRULE:FREQ=HOURLY;COUNT=3"), False),
        ((f"DTSTART:{at('0700')}", "RRULE:FREQ=HOURLY;COUNT=4"), True),
    ],
)
def test_a_journal_touches_the_range(lines: tuple[str, ...], expected: bool) -> None:
    assert expected is touches(calendar(*component("VJOURNAL", *lines)), name="VJOURNAL")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((f"DTSTART:{at('0900')}", f"DTEND:{at('1000')}"), True),
        ((f"DTSTART:{at('0900')}", f"DTEND:{at('0959')}"), False),
        ((f"DTSTART:{at('1200')}", f"DTEND:{at('1300')}"), False),
        ((f"FREEBUSY:{at('0900')}/PT1H",), False),
        ((f"FREEBUSY:{at('0900')}/PT1H,{at('1100')}/{at('1130')}",), True),
        ((f"FREEBUSY:{at('0900')}/PT1H", f"FREEBUSY;FBTYPE=BUSY:{at('0930')}/PT1H"), True),
        ((), False),
    ],
)
def test_free_and_busy_time_touches_the_range(lines: tuple[str, ...], expected: bool) -> None:
    assert expected is touches(calendar(*component("VFREEBUSY", *lines)), name="VFREEBUSY")


# --- VALARM -----------------------------------------------------------------------------------------------------------


def alarm(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VALARM", "ACTION:DISPLAY", *lines, "END:VALARM")


def rings(body: str, window: Range = LATE_MORNING, *, name: str = "VEVENT", zone: tzinfo = UTC) -> bool:
    return matches(calendar_filter(name, f'<c:comp-filter name="VALARM">{window}</c:comp-filter>'), body, zone=zone)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("TRIGGER:-PT15M",), True),
        (("TRIGGER:-PT3H",), False),
        (("TRIGGER:PT0S",), False),
        (("TRIGGER;RELATED=END:-PT1H",), False),
        (("TRIGGER;RELATED=END:-PT2H1M",), True),
        ((f"TRIGGER;VALUE=DATE-TIME:{at('1000')}",), True),
        ((f"TRIGGER;VALUE=DATE-TIME:{at('1200')}",), False),
        (("TRIGGER:-PT3H", "REPEAT:3", "DURATION:PT30M"), True),
        (("TRIGGER:-PT3H", "REPEAT:1", "DURATION:PT30M"), False),
        (("TRIGGER:-PT3H", "REPEAT:999999", "DURATION:PT5H"), False),
        (("TRIGGER:-PT3H", "REPEAT:3"), False),
        (("TRIGGER:-P10D", "REPEAT:10", "DURATION:PT23H54M"), True),
        (("TRIGGER:soon",), False),
        ((), False),
    ],
)
def test_an_alarm_goes_off_in_the_range(lines: tuple[str, ...], expected: bool) -> None:
    body = event(f"DTSTART:{at('1200')}", f"DTEND:{at('1400')}", *alarm(*lines))

    assert expected is rings(body)


def test_an_alarm_goes_off_before_every_occurrence() -> None:
    body = event(f"DTSTART:{at('1200')}", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3", *alarm("TRIGGER:-P2D"))
    days = ("20260307", "20260308", "20260314", "20260321")
    windows = [Range(f"{day}T000000Z", f"{day}T235959Z") for day in days]

    assert [rings(body, window) for window in windows] == [True, False, True, False]


def test_an_alarm_of_a_changed_occurrence_is_its_own() -> None:
    master = component("VEVENT", f"DTSTART:{at('1100')}", "RRULE:FREQ=DAILY;COUNT=3", *alarm("TRIGGER:PT0S"))
    changed = component("VEVENT", "RECURRENCE-ID:20260303T110000Z", "DTSTART:20260303T150000Z", *alarm("TRIGGER:-PT5H"))
    body = calendar(*master, *changed)
    windows = [Range(f"20260303T{begin}0000Z", f"20260303T{end}0000Z") for begin, end in (("10", "11"), ("11", "12"))]

    assert [rings(body, window) for window in windows] == [True, False]


@pytest.mark.parametrize(
    ("start", "trigger", "hours"),
    [("20260330T090000", "-P2D", ("08", "07")), ("20260328T090000", "P2D", ("07", "08"))],
    ids=["before", "after"],
)
def test_days_mean_the_same_wall_clock_also_where_clocks_change(
    start: str, trigger: str, hours: tuple[str, str]
) -> None:
    body = event(f"DTSTART;TZID=Europe/Zurich:{start}", "DURATION:PT1H", *alarm(f"TRIGGER:{trigger}"))
    day = "20260328" if trigger.startswith("-") else "20260330"

    assert [rings(body, Range(f"{day}T{hour}0000Z", f"{day}T{hour}3000Z")) for hour in hours] == [True, False]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((f"DUE:{at('1130')}", *alarm("TRIGGER;RELATED=END:-PT15M")), True),
        ((f"DUE:{at('1130')}", *alarm("TRIGGER:-PT15M")), True),
        ((f"DTSTART:{at('0800')}", f"DUE:{at('1130')}", *alarm("TRIGGER:-PT15M")), False),
        ((f"DTSTART:{at('0800')}", "DURATION:PT3H", *alarm("TRIGGER;RELATED=END:PT0S")), True),
        (("SUMMARY:Milk", *alarm("TRIGGER:-PT15M")), False),
        ((f"DTSTART:{at('0800')}", "DURATION:PT3H", "RRULE:FREQ=HOURLY;COUNT=3", *alarm("TRIGGER:-PT1M")), False),
        ((f"DTSTART:{at('0800')}", "DURATION:PT3H", "RRULE:FREQ=HOURLY;COUNT=4", *alarm("TRIGGER:-PT1M")), True),
    ],
)
def test_an_alarm_of_a_task_goes_off_in_the_range(lines: tuple[str, ...], expected: bool) -> None:
    assert expected is rings(todo(*lines), name="VTODO")


# --- properties -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"LAST-MODIFIED:{at('1000')}", True),
        (f"LAST-MODIFIED:{at('1159')}", True),
        (f"LAST-MODIFIED:{at('1200')}", False),
        (f"LAST-MODIFIED:{at('0959')}", False),
        ("LAST-MODIFIED;VALUE=DATE:20260302", True),
        ("LAST-MODIFIED;VALUE=DATE:20260301", False),
        ("LAST-MODIFIED:yesterday", False),
        ("LAST-MODIFIED;TZID=Europe/Zurich:20260302T110000", True),
        ("LAST-MODIFIED;TZID=Europe/Zurich:20260302T105959", False),
        ("CREATED:20260302T110000Z", False),
    ],
)
def test_a_property_lies_in_the_range(line: str, expected: bool) -> None:
    content = prop_filter("LAST-MODIFIED", str(LATE_MORNING))

    assert expected is matches(calendar_filter("VEVENT", content), event(line), zone=UTC)


def test_a_range_of_the_whole_object_means_whatever_is_in_it() -> None:
    asked = calendar_filter("VEVENT", str(LATE_MORNING))
    window = asked.components[0].window
    whole = type(asked)(name="VCALENDAR", window=window)
    bodies = event(f"DTSTART:{at('1100')}"), event(f"DTSTART:{at('1200')}"), todo(f"DUE:{at('1200')}")

    assert [matches(whole, body, zone=UTC) for body in bodies] == [True, False, True]


# --- zones ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "window", "expected"),
    [
        (ZURICH, Range("20260301T220000Z", "20260301T230000Z"), False),
        (ZURICH, Range("20260301T230000Z", "20260301T230001Z"), True),
        (ZURICH, Range("20260302T225959Z", "20260302T230000Z"), True),
        (ZURICH, Range("20260302T230000Z", "20260303T000000Z"), False),
        (LOS_ANGELES, Range("20260302T000000Z", "20260302T080000Z"), False),
        (LOS_ANGELES, Range("20260302T080000Z", "20260302T080001Z"), True),
        (LOS_ANGELES, Range("20260303T075959Z", "20260303T080000Z"), True),
        (LOS_ANGELES, Range("20260303T080000Z", "20260304T000000Z"), False),
    ],
)
def test_a_day_is_that_of_the_zone_of_who_asks(zone: tzinfo, window: Range, expected: bool) -> None:
    assert expected is touches(event("DTSTART;VALUE=DATE:20260302"), window, zone=zone)


@pytest.mark.parametrize(
    ("zone", "expected"), [(UTC, True), (ZURICH, False), (LOS_ANGELES, False)], ids=["utc", "zurich", "los-angeles"]
)
def test_a_floating_time_is_of_the_zone_of_who_asks(zone: tzinfo, expected: bool) -> None:
    assert expected is touches(event("DTSTART:20260302T103000", "DURATION:PT30M"), zone=zone)


def test_a_zone_that_only_the_body_describes_counts() -> None:
    zone = (
        "BEGIN:VTIMEZONE", "TZID:Customized Time Zone", "BEGIN:STANDARD", "DTSTART:16010101T000000",
        "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    start = "DTSTART;TZID=Customized Time Zone:20260302T153000"
    bodies = calendar(*zone, *component("VEVENT", start)), calendar(*zone, *component("VTODO", start))

    assert [touches(body, name=name) for body, name in zip(bodies, ("VEVENT", "VTODO"), strict=True)] == [True, True]


# --- what nobody can expand -------------------------------------------------------------------------------------------

BOMBS = (
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;BYHOUR=25",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;COUNT=2147483647;BYSETPOS=366",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=HOURLY;UNTIL=99991231T235959Z",
    "no rule",
)


@pytest.mark.parametrize("rule", BOMBS)
@pytest.mark.parametrize("name", ["VEVENT", "VTODO", "VJOURNAL"])
def test_a_rule_that_nobody_can_expand_matches_where_its_occurrences_may_lie(name: str, rule: str) -> None:
    body = calendar(*component(name, "DTSTART:20260302T110000Z", "DURATION:PT30M", f"RRULE:{rule}"))
    before, around = Range("20250101T000000Z", "20250201T000000Z"), LATE_MORNING

    assert [touches(body, window, name=name) for window in (before, around)] == [False, True]


@pytest.mark.parametrize("name", ["VEVENT", "VTODO"])
def test_a_floating_one_may_lie_a_day_earlier_or_later(name: str) -> None:
    body = calendar(*component(name, "DTSTART:20260302T233000", "DURATION:PT1S", "RRULE:FREQ=SECONDLY;COUNT=5"))

    assert touches(body, name=name, zone=ZoneInfo("Pacific/Kiritimati"))


@pytest.mark.parametrize(("count", "expected"), [(MAX_EXPANSIONS, False), (MAX_EXPANSIONS + 1, True)])
def test_past_so_many_ranges_of_one_series_only_the_one_that_encloses_it_decides(count: int, expected: bool) -> None:
    alarms = [line for number in range(count) for line in alarm(f"TRIGGER:-PT{number}M")]
    body = event(f"DTSTART:{at('0900')}", "RRULE:FREQ=DAILY", *alarms)

    assert expected is rings(body)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("DTSTART:yesterday",),
        ("DTSTART;VALUE=DATE:00010101", "DURATION:P9999W"),
        ("DTSTART:99991231T235959Z", "DURATION:P9W"),
    ],
)
@pytest.mark.parametrize("zone", [UTC, ZURICH, LOS_ANGELES], ids=str)
def test_an_event_of_no_time_or_beyond_the_calendar_never_raises(lines: tuple[str, ...], zone: tzinfo) -> None:
    bodies = [calendar(*component(name, *lines, *alarm("TRIGGER:-P9999W"))) for name in ("VEVENT", "VTODO", "VJOURNAL")]

    answers = [
        asked(body, window, name=name, zone=zone)
        for body, name in zip(bodies, ("VEVENT", "VTODO", "VJOURNAL"), strict=True)
        for asked in (touches, rings)
        for window in (LATE_MORNING, Range("20260302T100000Z", None), Range(None, "00010101T000001Z"))
    ]

    assert {bool} == set(map(type, answers))
