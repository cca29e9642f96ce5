"""VEVENTs as clients write them: read into our values, and compared by what they mean."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.attendees import Answer, Guest, people_lines
from ccdaemon.mapping.contentline import line, parse, serialise
from ccdaemon.mapping.event_lines import Alarm, alarm_lines
from ccdaemon.mapping.ical import Component, Event, Times, calendar
from ccdaemon.mapping.merge import absence
from ccdaemon.mapping.moments import posix
from ccdaemon.mapping.recurrence import parse as parse_rule
from ccdaemon.mapping.zones import zone

ZURICH, TOKYO = zone("Europe/Zurich"), zone("Asia/Tokyo")
START = "DTSTART;TZID=Europe/Zurich:20260302T091500"
NOTHING_IS_KNOWN = absence([], everybody=())
EVERYTHING_IS_KNOWN = absence([line("X-CCD-KEEP", "1")], everybody=())


def body(*lines, outer=(), uid="UID:7"):
    """One VCALENDAR; each of ``lines`` is the text of one VEVENT's lines or of one line of a single VEVENT."""
    events = [one if isinstance(one, tuple) else None for one in lines]
    if None in events:
        events = [lines]
    texts = ("\r\n".join(("BEGIN:VEVENT", uid, *event, "END:VEVENT")) for event in events)
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *outer, *texts, "END:VCALENDAR", ""))


def entry(*lines, start=START):
    found = vevent.read(body(start, *lines), ZURICH).master
    assert found is not None
    return found


def zurich(*moment):
    return datetime(*moment, tzinfo=ZURICH)


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        (["DTSTART;TZID=Europe/Zurich:20260302T091500", "DTEND;TZID=Asia/Tokyo:20260302T180000"],
         zurich(2026, 3, 2, 9, 15), datetime(2026, 3, 2, 18, tzinfo=TOKYO)),
        (['DTSTART;TZID="W. Europe Standard Time":20260302T091500'],
         datetime(2026, 3, 2, 9, 15, tzinfo=zone("Europe/Berlin")), None),
        (["DTSTART;TZID=/citadel.org/20210210_1/Europe/Zurich:20260302T091500", "DURATION:PT1H"],
         zurich(2026, 3, 2, 9, 15), zurich(2026, 3, 2, 10, 15)),
        (["DTSTART:20260302T081500Z", "DTEND:20260302T081500Z"], datetime(2026, 3, 2, 8, 15, tzinfo=UTC), None),
        (["DTSTART;VALUE=DATE:20260302"], date(2026, 3, 2), None),
        (["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260302"], date(2026, 3, 2), None),
        (["DTSTART;VALUE=DATE:20260302", "DURATION:P3D"], date(2026, 3, 2), date(2026, 3, 5)),
        (["DTSTART;VALUE=DATE:20260302", "DURATION:PT48H"], date(2026, 3, 2), date(2026, 3, 4)),
        # nominal days keep the clock, hours are exact (trap 23)
        (["DTSTART;TZID=Europe/Zurich:20260328T120000", "DURATION:P1D"],
         zurich(2026, 3, 28, 12), zurich(2026, 3, 29, 12)),
        (["DTSTART;TZID=Europe/Zurich:20260328T120000", "DURATION:PT24H"],
         zurich(2026, 3, 28, 12), zurich(2026, 3, 29, 13)),
        (["DTSTART;TZID=Europe/Zurich:20261024T120000", "DURATION:P1DT2H"],
         zurich(2026, 10, 24, 12), zurich(2026, 10, 25, 14)),
        # floating times are pinned to the calendar (trap 21)
        (["DTSTART:20260302T091500", "DTEND:20260302T101500"], zurich(2026, 3, 2, 9, 15), zurich(2026, 3, 2, 10, 15)),
        # skipped by clocks: the offset before the gap counts (trap 19)
        (["DTSTART;TZID=Europe/Zurich:20260329T023000"], zurich(2026, 3, 29, 3, 30), None),
        # shown twice: the first (trap 19)
        (["DTSTART;TZID=Europe/Zurich:20261025T023000", "DURATION:PT1H"],
         zurich(2026, 10, 25, 2, 30), zurich(2026, 10, 25, 2, 30).replace(fold=1)),
    ],
)  # fmt: skip
def test_an_event_is_when_its_client_means(lines, start, end):
    times = vevent.read(body(*lines), ZURICH).master.times

    assert [type(start), posix(start)] == [type(times.start), posix(times.start)]
    assert [start, getattr(start, "tzinfo", None)] == [times.start, getattr(times.start, "tzinfo", None)]
    assert (None if end is None else posix(end)) == (None if times.end is None else posix(times.end))


def test_only_a_start_without_any_zone_floats():
    assert entry(start="DTSTART:20260302T091500").floating is True
    assert [entry(start=start).floating for start in (START, "DTSTART:20260302T091500Z", "DTSTART:20260302")] == [
        False,
        False,
        False,
    ]


def test_a_floating_clock_is_given_back():
    assert vevent.floating(zurich(2026, 10, 25, 2, 30).replace(fold=1)) == datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001
    assert vevent.floating(date(2026, 3, 2)) == date(2026, 3, 2)


def test_rules_and_dates_are_of_the_starts_type_and_zone():
    times = entry(
        "RRULE:FREQ=DAILY;UNTIL=20260401",
        "EXRULE:FREQ=WEEKLY",
        "EXDATE:20260303T081500Z,20260304T081500Z",
        "EXDATE;VALUE=DATE:20260305",
        "EXDATE;TZID=Asia/Tokyo:20260306T171500",
        "EXDATE:",
        "RDATE;TZID=Europe/Zurich:20260307T120000",
        "RDATE;VALUE=PERIOD:20260308T110000Z/20260308T120000Z",
    ).times

    assert [rule.value for rule in times.rules] == ["FREQ=DAILY;UNTIL=20260401T215959Z"]
    assert [rule.value for rule in times.exclusion_rules] == ["FREQ=WEEKLY"]
    assert list(times.excluded) == [zurich(2026, 3, day, 9, 15) for day in (3, 4, 5, 6)]
    assert list(times.extra) == [zurich(2026, 3, 7, 12), zurich(2026, 3, 8, 12)]
    assert {moment.tzinfo for moment in (*times.excluded, *times.extra)} == {ZURICH}


def test_a_time_in_an_all_day_series_is_its_day():
    times = entry("RRULE:FREQ=DAILY;UNTIL=20260401T000000Z", "EXDATE:20260303T000000Z", start="DTSTART:20260302").times

    assert [rule.value for rule in times.rules] == ["FREQ=DAILY;UNTIL=20260401"]
    assert list(times.excluded) == [date(2026, 3, 3)]


def test_a_series_in_a_skipped_hour_keeps_its_clock():
    times = entry("RRULE:FREQ=DAILY", start="DTSTART;TZID=Europe/Zurich:20260329T023000").times

    assert times.start.replace(tzinfo=None) == datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001


def test_changed_occurrences_come_in_order_with_the_masters_zone():
    series = vevent.read(
        body(
            ("RECURRENCE-ID:20260309T081500Z", "DTSTART;TZID=Asia/Tokyo:20260310T090000", "SUMMARY:b"),
            ("RECURRENCE-ID;VALUE=DATE:20260304", "DTSTART;VALUE=DATE:20260304", "SUMMARY:a"),
            (START, "RRULE:FREQ=DAILY", "SUMMARY:m"),
            ("RECURRENCE-ID;TZID=Europe/Zurich:20260309T091500", START, "SUMMARY:the second for one occurrence"),
        ),
        ZURICH,
    )

    assert series.uid == "7"
    assert series.master.component.text("SUMMARY") == "m"
    assert [one.component.text("SUMMARY") for one in series.occurrences] == ["a", "b"]
    assert [one.times.recurrence_id for one in series.occurrences] == [
        zurich(2026, 3, 4, 9, 15),
        zurich(2026, 3, 9, 9, 15),
    ]
    assert [one.times.start for one in series.occurrences] == [
        date(2026, 3, 4),
        datetime(2026, 3, 10, 9, tzinfo=TOKYO),
    ]


def test_an_occurrence_without_its_series_stands_alone():
    series = vevent.read(body("RECURRENCE-ID:20260309T081500Z", START), ZURICH)

    assert series.master is None
    assert [one.times.recurrence_id for one in series.occurrences] == [datetime(2026, 3, 9, 8, 15, tzinfo=UTC)]


def test_a_period_of_its_own_length_is_a_changed_occurrence():
    series = vevent.read(
        body(
            (START, "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:m",
             "RDATE;VALUE=PERIOD:20260307T110000Z/PT1H,20260308T110000Z/PT2H,20260309T110000Z/20260309T140000Z"),
            ("RECURRENCE-ID:20260309T110000Z", START, "SUMMARY:a"),
        ),
        ZURICH,
    )  # fmt: skip

    assert list(series.master.times.extra) == [zurich(2026, 3, day, 12) for day in (7, 8, 9)]
    assert [(one.component.text("SUMMARY"), one.times.start, one.times.end) for one in series.occurrences] == [
        ("m", zurich(2026, 3, 8, 12), zurich(2026, 3, 8, 14)),
        ("a", zurich(2026, 3, 2, 9, 15), None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:7\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
        body(START, uid="SUMMARY:no uid"),
        body("SUMMARY:no start"),
        body("DTSTART:tomorrow"),
        body("DTSTART:"),
        body((START,), (START,)),
        body(START, "BEGIN:VALARM"),
        "no line",
    ],
)
def test_what_is_no_event_is_bad_data(text):
    with pytest.raises(BadData):
        vevent.read(text, ZURICH)


def test_two_series_are_no_body():
    with pytest.raises(BadData, match=r"^UID: "):
        vevent.read(body((START, "END:VEVENT", "BEGIN:VEVENT", "UID:8", START)), ZURICH)


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["DTSTART;TZID=Mars/Olympus Mons:20260302T091500"], "DTSTART"),
        ([START, "DTEND;TZID=Europe/Zurich:20260302T091400"], "DTEND"),
        ([START, "DTEND;VALUE=DATE:20260303"], "DTEND"),
        ([START, "DTEND:soon"], "DTEND"),
        ([START, "DURATION:soon"], "DURATION"),
        ([START, "DURATION:P999999999D"], "DURATION"),
        ([START, "DURATION:-PT1H"], "DTEND"),
        ([START, "RRULE:FREQ=SOMETIMES"], "RRULE"),
        ([START, "RRULE:FREQ=SECONDLY"], "RRULE"),
        ([START, "RRULE:FREQ=HOURLY"], "RRULE"),
        ([START, "EXRULE:FREQ=DAILY;INTERVAL=0"], "EXRULE"),
        ([START, "RRULE:FREQ=DAILY", "EXDATE:never"], "EXDATE"),
        ([START, "RRULE:FREQ=DAILY", "RDATE;TZID=Nowhere:20260302T091500"], "RDATE"),
        ([START, "RDATE;VALUE=PERIOD:20260302T091500Z/20260301T091500Z"], "RDATE"),
        ([START, "RDATE;VALUE=PERIOD:20260302T091500Z/X"], "RDATE"),
        ([START, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260302T081500Z"], "RECURRENCE-ID"),
        ([START, "RECURRENCE-ID:never"], "RECURRENCE-ID"),
        ([START, "EXDATE:" + ",".join(["20260302T091500Z"] * 10_001), "RRULE:FREQ=DAILY"], "RRULE"),
    ],
)
def test_what_no_provider_holds_is_refused_by_the_name_of_its_property(lines, name):
    with pytest.raises(Unwritable, match=f"^{name}: ") as refusal:
        vevent.read(body(*lines), ZURICH)

    assert "Mars" not in str(refusal.value)


WORDS = st.sampled_from(
    ["", "20260302", "20260302T091500", "20260302T091500Z", "99991231T235959", "00010101T000000", "PT1H", "-P1D",
     "P99999999W", "FREQ=DAILY", "FREQ=YEARLY;UNTIL=99991231T235959Z", "FREQ=HOURLY;INTERVAL=5", "x",
     "20260308T110000Z/PT2H", "99991231T235959Z/P9D", "mailto:a@example.com", "-PT15M"]
)  # fmt: skip
HEADS = st.sampled_from(
    ["DTSTART", "DTSTART;TZID=Europe/Zurich", "DTSTART;TZID=Own", "DTEND", "DTEND;TZID=Asia/Kathmandu", "DURATION",
     "RRULE", "EXRULE", "RDATE", "RDATE;VALUE=PERIOD", "EXDATE;TZID=Own", "RECURRENCE-ID", "ATTENDEE;PARTSTAT=X",
     "ORGANIZER", "GEO", "SUMMARY", "CATEGORIES", "BEGIN:VALARM\r\nTRIGGER;RELATED=END",
     "BEGIN:VALARM\r\nACTION:EMAIL\r\nTRIGGER"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(HEADS, WORDS), max_size=8))
def test_any_event_is_read_and_equal_to_itself_or_refused(lines):
    texts = [f"{head}:{value}" + ("\r\nEND:VALARM" if head.startswith("BEGIN") else "") for head, value in lines]
    try:
        series = vevent.read(body(START, *texts), ZURICH)
    except (BadData, Unwritable):
        return

    for one in (series.master, *series.occurrences):
        if one is not None:
            assert vevent.changed(one, one, EVERYTHING_IS_KNOWN) == frozenset()
            assert one.times.end is None or posix(one.times.end) > posix(one.times.start)
            vevent.organizer(one), vevent.guests(one), vevent.alarms(one), vevent.texts(one, "CATEGORIES")


def test_the_times_that_we_write_are_read_as_they_were():
    times = Times(
        start=zurich(2026, 3, 2, 9, 15),
        end=datetime(2026, 3, 2, 18, tzinfo=TOKYO),
        rules=(parse_rule("FREQ=DAILY;COUNT=9"),),
        extra=(zurich(2026, 4, 1, 9, 15),),
        excluded=(zurich(2026, 3, 3, 9, 15),),
    )
    changed = Times(start=date(2026, 3, 5), end=date(2026, 3, 6), recurrence_id=zurich(2026, 3, 5, 9, 15))
    stamp = datetime(2026, 1, 1, tzinfo=UTC)

    series = vevent.read(
        calendar([Event(uid="7", stamp=stamp, times=one) for one in (times, changed)]), TOKYO
    )  # fmt: skip

    assert series.master.times == times
    assert [one.times for one in series.occurrences] == [changed]


# --- people -----------------------------------------------------------------------------------------------------------


def test_guests_are_read_as_they_were_written():
    guests = [
        Guest(address="a@example.com", name="A", answer=Answer.ACCEPTED),
        Guest(address="b,c@example.com", answer=Answer.DECLINED, is_optional=True, comment='"No", he said'),
        Guest(address="room@example.com", is_resource=True, guests=3),
    ]
    lines = list(people_lines("boss@example.com", "boss@example.com", guests))

    found = entry(*serialise(lines).splitlines())

    assert vevent.guests(found) == guests
    assert vevent.organizer(found) == ("boss@example.com", "")


def test_guests_of_every_client_are_told_by_their_address():
    found = entry(
        "ORGANIZER;CN=Boss;SENT-BY=\"mailto:x@example.com\":MAILTO:boss@example.com",
        "ATTENDEE;CN=B;EMAIL=b@example.com;PARTSTAT=tentative;ROLE=CHAIR:/principals/b/",
        "ATTENDEE;CUTYPE=ROOM;ROLE=NON-PARTICIPANT:mailto:room@example.com",
        "ATTENDEE;PARTSTAT=X-LATER:mailto:a%40b@example.com",
        "ATTENDEE:MAILTO:B@example.com",
        "ATTENDEE:urn:uuid:1",
        "ATTENDEE;X-NUM-GUESTS=99999999:c@example.com",
    )  # fmt: skip

    assert vevent.organizer(found) == ("boss@example.com", "Boss")
    assert vevent.guests(found) == [
        Guest(address="b@example.com", name="B", answer=Answer.TENTATIVE),
        Guest(address="room@example.com", is_resource=True, is_optional=True),
        Guest(address="a@b@example.com"),
        Guest(address="c@example.com"),
    ]
    assert vevent.organizer(entry()) == ("", "")


def test_texts_of_a_list_come_once_and_in_order():
    assert vevent.texts(entry("CATEGORIES:b,a\\,c,,b", "categories:d, a"), "CATEGORIES") == ["b", "a,c", "d", "a"]


# --- alarms -----------------------------------------------------------------------------------------------------------


def alarm(*lines):
    return ("BEGIN:VALARM", *lines, "END:VALARM")


def test_alarms_are_read_as_they_were_written():
    alarms = [
        Alarm(minutes=0),
        Alarm(minutes=10, is_default=True),
        Alarm(minutes=10, mail_to="ada@example.com"),
        Alarm(minutes=1440),
    ]
    lines = [one for alarm in reversed(alarms) for one in alarm_lines(alarm, "Stand-up")]

    assert vevent.alarms(entry(*serialise(lines).splitlines())) == (alarms, [])


@pytest.mark.parametrize(
    ("lines", "minutes"),
    [
        (["ACTION:AUDIO", "TRIGGER:-PT15M", "ATTACH;VALUE=URI:Basso"], 15),
        (["action:display", "TRIGGER;VALUE=DURATION:-P1W"], 10080),
        (["TRIGGER:-P1DT1H30M"], 1530),
        (["ACTION:DISPLAY", "TRIGGER;RELATED=START:-PT60S", "REPEAT:0"], 1),
        (["ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT75M"], 15),
    ],
)
def test_whole_minutes_before_the_start_are_an_alarm(lines, minutes):
    assert vevent.alarms(entry("DURATION:PT1H", *alarm(*lines))) == ([Alarm(minutes=minutes)], [])


@pytest.mark.parametrize(
    "lines",
    [
        ["ACTION:DISPLAY", "TRIGGER:PT15M"],
        ["ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT15M"],
        ["ACTION:DISPLAY", "TRIGGER:-PT90S"],
        ["ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20260302T080000Z"],
        ["ACTION:DISPLAY", "TRIGGER:-PT15M", "REPEAT:2", "DURATION:PT5M"],
        ["ACTION:EMAIL", "TRIGGER:-PT15M"],
        ["ACTION:EMAIL", "TRIGGER:-PT15M", "ATTENDEE:mailto:a@example.com", "ATTENDEE:mailto:b@example.com"],
        ["ACTION:PROCEDURE", "TRIGGER:-PT15M"],
        ["ACTION:DISPLAY", "TRIGGER:-PT15M", "PROXIMITY:ARRIVE"],
        ["ACTION:DISPLAY"],
    ],
)
def test_other_alarms_stay_what_they_are(lines):
    said, others = vevent.alarms(entry("DURATION:PT1H", *alarm(*lines)))

    assert said == []
    assert [[f"{one.name}:{one.value}" for one in other.lines if not one.params] for other in others] == [
        [one for one in lines if ";" not in one]
    ]


def test_a_snoozed_copy_and_apples_mark_for_none_are_no_alarms():
    snoozed = alarm("ACTION:DISPLAY", "TRIGGER;VALUE=DATE-TIME:20260302T080000Z", "RELATED-TO;RELTYPE=SNOOZE:1")
    none = alarm("ACTION:NONE", "TRIGGER;VALUE=DATE-TIME:19760401T005545Z")

    assert vevent.alarms(entry(*snoozed, *none)) == ([], [])


# --- what differs -----------------------------------------------------------------------------------------------------

GUEST = "ATTENDEE;CN=A;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:a@example.com"


@pytest.mark.parametrize(
    ("base", "mine"),
    [
        (["SUMMARY:a\\, b"], ["summary;LANGUAGE=de:a, b "]),
        (["DESCRIPTION:a\\nb"], ["DESCRIPTION;ALTREP=\"cid:1\":a\\Nb\\n"]),
        ([], ["LOCATION:", "TRANSP:opaque", "STATUS:CONFIRMED", "PRIORITY:0", "CLASS:PUBLIC"]),
        (["CATEGORIES:a,b"], ["CATEGORIES:b", "CATEGORIES:a"]),
        (["GEO:47.37;8.54"], ["GEO:47.370000;8.540000"]),
        (["COLOR:khaki"], ["COLOR:Khaki"]),
        (["URL:https://a.example/x%2Cy"], ["URL:https://a.example/x%2Cy"]),
        (["ATTACH;FILENAME=a:https://a.example/"], ["ATTACH;FMTTYPE=text/plain:https://a.example/"]),
        (["DTEND;TZID=Europe/Zurich:20260302T101500"], ["DURATION:PT1H"]),
        (["DTEND;TZID=Europe/Zurich:20260302T101500"], ["DTEND:20260302T091500Z"]),
        (["DTEND;TZID=Europe/Zurich:20260302T101500"], ["DTEND;TZID=Asia/Tokyo:20260302T181500"]),
        (["RRULE:FREQ=WEEKLY"], ["RRULE:FREQ=WEEKLY;BYDAY=MO;WKST=SU;INTERVAL=1"]),
        (["RRULE:FREQ=MONTHLY;BYDAY=1MO"], ["RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1"]),
        (["RRULE:FREQ=YEARLY"], ["RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2"]),
        (["RRULE:FREQ=DAILY;BYDAY=MO,TU"], ["RRULE:FREQ=WEEKLY;BYDAY=TU,MO"]),
        (["RRULE:FREQ=DAILY;UNTIL=20260310T225959Z"], ["RRULE:FREQ=DAILY;UNTIL=20260310T081500Z"]),
        (["RRULE:FREQ=DAILY;UNTIL=20260310T225959Z"], ["RRULE:FREQ=DAILY;UNTIL=20260310"]),
        (["RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Zurich:20260303T091500"],
         ["RRULE:FREQ=DAILY", "EXDATE:20260303T081500Z"]),
        ([GUEST], ["ATTENDEE;RSVP=TRUE;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;CN=Anna:MAILTO:A@example.com"]),
        (["ORGANIZER:mailto:o@example.com", GUEST],
         ["ORGANIZER;CN=O:mailto:O@example.com", GUEST, "ATTENDEE;ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:o@example.com"]),
        ([*alarm("ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:a", "X-CCD-DEFAULT-ALARM:1")],
         [*alarm("UID:1", "TRIGGER;RELATED=START:-PT900S", "ACTION:AUDIO", "ACKNOWLEDGED:20260302T080000Z")]),
        ([], ["X-MOZ-LASTACK:20260302T080000Z", "X-MOZ-GENERATION:3", "X-MOZ-SNOOZE-TIME-1:20260302T080000Z"]),
        (["DTSTAMP:20260101T000000Z", "SEQUENCE:1"],
         ["DTSTAMP:20260102T000000Z", "SEQUENCE:2", "CREATED:20260102T000000Z"]),
        (["X-OTHER;KEY=a:1", "X-OTHER;KEY=b:2"], ["X-OTHER;KEY=b:2", "X-OTHER;KEY=a:1"]),
    ],
)  # fmt: skip
def test_what_programs_write_in_other_words_does_not_differ(base, mine):
    left, right = entry(*base), entry(*mine)

    assert vevent.changed(left, right, EVERYTHING_IS_KNOWN) == frozenset()
    assert vevent.changed(right, left, EVERYTHING_IS_KNOWN) == frozenset()


@pytest.mark.parametrize(
    ("base", "mine", "names"),
    [
        (["SUMMARY:a"], ["SUMMARY:b"], {"SUMMARY"}),
        (["SUMMARY:a"], ["SUMMARY:A"], {"SUMMARY"}),
        ([], ["X-OTHER:1", "LOCATION:x"], {"X-OTHER", "LOCATION"}),
        (["X-OTHER;KEY=a:1"], ["X-OTHER;KEY=b:1"], {"X-OTHER"}),
        (["TRANSP:TRANSPARENT"], ["TRANSP:OPAQUE"], {"TRANSP"}),
        ([], ["STATUS:TENTATIVE"], {"STATUS"}),
        ([], ["CLASS:PRIVATE"], {"CLASS"}),
        (["CATEGORIES:a"], ["CATEGORIES:a\\,b"], {"CATEGORIES"}),
        ([], ["DURATION:PT1H"], {"TIME"}),
        (["DURATION:PT1H"], ["DTEND:20260302T091600Z"], {"TIME"}),
        ([], ["RRULE:FREQ=DAILY"], {"RULE"}),
        (["RRULE:FREQ=WEEKLY"], ["RRULE:FREQ=WEEKLY;BYDAY=TU"], {"RULE"}),
        (["RRULE:FREQ=WEEKLY;INTERVAL=2"], ["RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU"], {"RULE"}),
        (["RRULE:FREQ=DAILY"], ["RRULE:FREQ=DAILY", "RDATE:20260701T100000Z"], {"RULE"}),
        (["RRULE:FREQ=DAILY"], ["RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"], {"RULE"}),
        (["RRULE:FREQ=DAILY"], ["RRULE:FREQ=DAILY", "EXDATE:20260701T071500Z"], {"EXDATE"}),
        ([GUEST], [GUEST.replace("ACCEPTED", "DECLINED")], {"ATTENDEE"}),
        ([GUEST], [GUEST.replace("REQ-PARTICIPANT", "OPT-PARTICIPANT")], {"ATTENDEE"}),
        ([GUEST], [GUEST, "ATTENDEE:mailto:b@example.com"], {"ATTENDEE"}),
        ([GUEST], [GUEST.replace(":mailto", ";X-NUM-GUESTS=2:mailto")], {"ATTENDEE"}),
        ([], ["ORGANIZER:mailto:o@example.com"], {"ORGANIZER"}),
        ([], [*alarm("ACTION:DISPLAY", "TRIGGER:-PT15M")], {"VALARM"}),
        ([*alarm("TRIGGER:-PT15M")], [*alarm("TRIGGER:-PT20M")], {"VALARM"}),
        ([*alarm("TRIGGER:-PT15M")], [*alarm("ACTION:NONE", "TRIGGER:-PT15M")], {"VALARM"}),
        ([], [*alarm("ACTION:DISPLAY", "TRIGGER:PT15M")], {"VALARM"}),
        ([], ["BEGIN:VLOCATION", "NAME:x", "END:VLOCATION"], {"VLOCATION"}),
    ],
)
def test_a_difference_is_told_by_its_name(base, mine, names):
    assert vevent.changed(entry(*base), entry(*mine), NOTHING_IS_KNOWN) == names


def test_parameters_that_a_client_does_not_know_are_kept():
    base = entry("ATTENDEE;X-NUM-GUESTS=2;X-RESPONSE-COMMENT=ok;CUTYPE=RESOURCE:mailto:a@example.com")

    assert vevent.changed(base, entry("ATTENDEE:mailto:a@example.com"), EVERYTHING_IS_KNOWN) == frozenset()


@pytest.mark.parametrize(
    "start",
    [
        "DTSTART;TZID=Europe/Zurich:20260302T091600",
        "DTSTART;TZID=Africa/Lagos:20260302T091500",  # the same now, but not in summer
        "DTSTART:20260302T091500",
        "DTSTART;VALUE=DATE:20260302",
    ],
)
def test_another_time_zone_or_type_is_another_time(start):
    assert vevent.changed(entry(), entry(start=start), NOTHING_IS_KNOWN) == {"TIME"}


@pytest.mark.parametrize(("rule", "expected"), [((), frozenset()), (("RRULE:FREQ=DAILY;COUNT=3",), {"TIME"})])
def test_utc_is_another_zone_only_for_a_series(rule, expected):
    told_in_utc = entry(*rule, start="DTSTART:20260302T081500Z")

    assert vevent.changed(entry(*rule), told_in_utc, NOTHING_IS_KNOWN) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DTSTART;TZID=Europe/Kiev:20260302T091500", "DTSTART;TZID=Europe/Kyiv:20260302T091500"),
        (START, "DTSTART;TZID=W. Europe Standard Time:20260302T091500"),
        ("DTSTART;TZID=Etc/UTC:20260302T091500", "DTSTART:20260302T091500Z"),
    ],
)
def test_a_zone_of_the_same_clock_is_the_same_time(one, other):
    assert vevent.changed(entry(start=one), entry(start=other), NOTHING_IS_KNOWN) == frozenset()


def test_zones_that_parted_before_the_event_are_two():
    one, other = "DTSTART;TZID=Europe/Zurich:19450702T091500", "DTSTART;TZID=Europe/Berlin:19450702T081500"

    assert vevent.changed(entry(start=one), entry(start=one), NOTHING_IS_KNOWN) == frozenset()
    assert "TIME" in vevent.changed(entry(start=one), entry(start=other), NOTHING_IS_KNOWN)


def test_a_rule_that_moves_with_its_start_did_not_change():
    base, mine = entry("RRULE:FREQ=WEEKLY"), entry("RRULE:FREQ=WEEKLY", start="DTSTART:20260303T081500Z")

    assert vevent.changed(base, mine, NOTHING_IS_KNOWN) == {"TIME"}


@pytest.mark.parametrize(
    "lines",
    [
        ["SUMMARY:a"],
        ["CATEGORIES:a"],
        ["X-OTHER:a"],
        ["TRANSP:TRANSPARENT"],
        ["RRULE:FREQ=DAILY"],
        ["RDATE:20260303T081500Z"],
        ["RRULE:FREQ=DAILY", "EXDATE:20260303T081500Z"],
        [GUEST],
        ["ORGANIZER:mailto:o@example.com"],
        [*alarm("TRIGGER:-PT15M")],
        [*alarm("TRIGGER:PT15M")],
        ["BEGIN:VLOCATION", "NAME:x", "END:VLOCATION"],
    ],
)
def test_an_absence_counts_only_where_the_client_knows_the_property(lines):
    base, mine = entry(*lines), entry()

    assert vevent.changed(base, mine, NOTHING_IS_KNOWN) == frozenset()
    assert vevent.changed(base, mine, EVERYTHING_IS_KNOWN) != frozenset()


def test_one_that_is_left_shows_that_the_other_was_removed():
    base = entry(*alarm("TRIGGER:-PT15M"), *alarm("TRIGGER:-PT20M"), GUEST, GUEST.replace("a@", "b@"))
    mine = entry(*alarm("TRIGGER:-PT15M"), GUEST)

    assert vevent.changed(base, mine, NOTHING_IS_KNOWN) == {"VALARM", "ATTENDEE"}


# --- the stash --------------------------------------------------------------------------------------------------------


def test_the_stash_gets_what_nobody_claims():
    found = entry(
        "SUMMARY:a", "X-OTHER;KEY=a:1", "DTSTAMP:20260101T000000Z", "X-CCD-KEEP:1", "X-MOZ-LASTACK:1", "SEQUENCE:1",
        "CREATED:20260101T000000Z", "LAST-MODIFIED:20260101T000000Z", "RRULE:FREQ=DAILY", "x-lower:2",
        "BEGIN:VLOCATION", "NAME:x", "BEGIN:INNER", "A:1", "END:INNER", "BEGIN:INNER", "A:2", "END:INNER",
        "END:VLOCATION", *alarm("TRIGGER:-PT15M"),
    )  # fmt: skip

    lines = vevent.unknown_lines(found, {"SUMMARY", "VALARM"}.__contains__)

    assert serialise(lines).splitlines() == [
        "X-OTHER;KEY=a:1",
        "x-lower:2",
        "BEGIN:VLOCATION",
        "NAME:x",
        "BEGIN:INNER",
        "A:1",
        "END:INNER",
        "BEGIN:INNER",
        "A:2",
        "END:INNER",
        "END:VLOCATION",
    ]


def test_a_component_stands_with_its_begin_and_end():
    component = Component("VALARM", parse("TRIGGER:-PT15M\r\n"))

    assert serialise(vevent.component_lines(component)) == "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"


def test_ten_thousand_guests_and_alarms_are_compared_at_once():
    many = [f"ATTENDEE:mailto:{number}@example.com" for number in range(10_000)]
    many += [one for number in range(5_000) for one in alarm(f"TRIGGER:-PT{number}M")]
    many += [f"X-{number}:1" for number in range(10_000)]
    base, mine = entry(*many), entry(*reversed(many[:10_000]), *many[10_000:])

    begin = datetime.now(UTC)
    assert vevent.changed(base, mine, EVERYTHING_IS_KNOWN) == frozenset()
    assert datetime.now(UTC) - begin < timedelta(seconds=5)
