from datetime import timedelta

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from radicale.item.filter import visit_time_ranges

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping import tasks, vtodo
from ccdaemon.model import TIME_MAX, TIME_MIN, ProviderName


def body(*lines):
    whole = ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VTODO", "UID:u", *lines, "END:VTODO", "END:VCALENDAR")
    return "".join(f"{line}\r\n" for line in whole)


def test_the_same_id_at_the_other_cloud_is_another_task():
    assert tasks.uid(ProviderName.GOOGLE, "1") != tasks.uid(ProviderName.MICROSOFT, "1")


def test_a_uid_never_moves():
    assert tasks.uid(ProviderName.MICROSOFT, "AAMkTask=") == "6b498927-9c0d-59ed-bc93-96455f971c97"


# --- the index --------------------------------------------------------------------------------------------------------


def enclosed_by_radicale(text):
    """The earliest start and the latest end that Radicale's own filter computes; no bounds: TIME_MIN, TIME_MAX."""
    found = []

    def in_range(start, end, is_recurrence):
        found.append((start.timestamp(), end.timestamp()))
        return False

    def endless(start):
        found.append((start.timestamp(), TIME_MAX))
        return True

    visit_time_ranges(vobject.readOne(text), "VTODO", in_range, endless)
    return min(start for start, _ in found), max(end for _, end in found)


MOMENTS = st.datetimes().filter(lambda at: 1990 < at.year < 2090).map(lambda at: f"{at:%Y%m%dT%H%M%S}Z")


@given(
    st.lists(st.tuples(st.sampled_from(["COMPLETED", "CREATED"]), MOMENTS), max_size=2, unique_by=lambda one: one[0]),
    st.none() | MOMENTS,
    st.none() | st.timedeltas(timedelta(0), timedelta(days=40)),
    st.sampled_from([None, "FREQ=DAILY;COUNT=9", "FREQ=MONTHLY;COUNT=4", "FREQ=YEARLY"]),
    st.booleans(),
)
@settings(database=None, max_examples=150)
def test_the_index_encloses_what_radicale_looks_at(told, start, length, rule, is_all_day):
    lines = [f"{name}:{value}" for name, value in told]
    if start is not None:
        shown = f";VALUE=DATE:{start[:8]}" if is_all_day else f":{start}"
        lines.append(f"DTSTART{shown}")
        lines += [f"DURATION:P{length.days}D"] if length else [f"DUE{shown}"]
        lines += [f"RRULE:{rule}"] if rule else []
    text = body(*lines)

    begin, end = enclosed_by_radicale(text)
    index = tasks.index(text)

    assert index.starts_at <= max(begin, TIME_MIN)
    assert index.ends_at >= min(end, TIME_MAX)
    assert index.recurring == (start is not None and rule is not None)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], (TIME_MIN, TIME_MAX)),
        (["DUE:nonsense"], (TIME_MIN, TIME_MAX)),
        (["CREATED:20260301T000000Z"], (1772323199, TIME_MAX)),
        (["DUE;VALUE=DATE:20260301", "RDATE;VALUE=DATE:20260401"], (TIME_MIN, TIME_MAX)),
        (["DTSTART:20260301T000000Z", "RRULE:FREQ=SECONDLY"], (1772323199, TIME_MAX)),
        (["DTSTART:20260301T000000Z", "RRULE:FREQ=NEVER"], (1772323199, TIME_MAX)),
        (["DUE;VALUE=DATE:20260301", "DURATION:P999999999W"], (1772323199, 1772323201)),
    ],
)
def test_what_says_nothing_of_time_widens_the_range(lines, expected):
    index = tasks.index(body(*lines))

    assert (index.starts_at, index.ends_at) == expected


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VTODO\r\n", "\0"])
def test_what_has_no_task_has_no_index(text):
    with pytest.raises(Unmappable):
        tasks.index(text)


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["STATUS:completed"], "COMPLETED"),
        (["STATUS:NEEDS-ACTION", "PERCENT-COMPLETE:100"], "NEEDS-ACTION"),
        (["COMPLETED:20260301T000000Z"], "COMPLETED"),
        (["PERCENT-COMPLETE:100"], "COMPLETED"),
        (["PERCENT-COMPLETE:40"], "IN-PROCESS"),
        (["PERCENT-COMPLETE:many"], "NEEDS-ACTION"),
        (["STATUS:UNHEARD-OF"], "NEEDS-ACTION"),
        ([], "NEEDS-ACTION"),
    ],
)
def test_the_state_is_told_in_three_ways(lines, state):
    assert vtodo.read(body(*lines)).state == state


@pytest.mark.parametrize(
    ("lines", "due"),
    [
        (["DUE;VALUE=DATE:20260301"], "2026-03-01"),
        (["DUE:20260301T235959"], "2026-03-01"),
        (["DUE;TZID=Nowhere/Else:20260301T235959"], "2026-03-01"),
        (["DTSTART;VALUE=DATE:20260301", "DURATION:P2D"], "2026-03-03"),
        (["DTSTART:20260301T230000Z", "DURATION:PT2H"], "2026-03-02"),
        (["DURATION:P2D"], "None"),
    ],
)
def test_the_due_day_is_the_one_on_the_clock_that_was_written(lines, due):
    assert str(vtodo.read(body(*lines)).due) == due


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["DUE:tomorrow"], "DUE: no date"),
        (["DTSTART:20260230"], "DTSTART: no date"),
        (["DTSTART:20260301T000000Z", "DURATION:long"], "DURATION: no length of time"),
        (["DTSTART:99991231T000000Z", "DURATION:P9W"], "DURATION: ends outside of the years 1 to 9999"),
        (["RRULE:FREQ=NEVER"], "RRULE: the rule has no known frequency"),
    ],
)
def test_a_time_that_is_none_is_refused_by_name(lines, reason):
    with pytest.raises(Unwritable) as error:
        vtodo.read(body(*lines))

    assert str(error.value) == reason


@pytest.mark.parametrize(
    "text",
    [
        body().replace("UID:u\r\n", ""),
        body().replace("VTODO", "VEVENT"),
        body("END:VTODO", "BEGIN:VTODO", "UID:u"),
        body("END:VTODO", "BEGIN:VTODO", "UID:other", "RECURRENCE-ID:20260301T000000Z"),
    ],
)
def test_one_body_is_one_task(text):
    with pytest.raises(BadData):
        vtodo.read(text)


@given(st.text(max_size=40))
@settings(database=None, max_examples=200)
def test_any_line_is_read_or_refused(text):
    for name in (
        "DUE",
        "DTSTART",
        "RRULE",
        "COMPLETED",
        "STATUS",
        "PRIORITY",
        "CATEGORIES",
        "RELATED-TO",
        "X-ALT-DESC",
    ):
        try:
            vtodo.read(body(f"{name}:{text}"))
        except (BadData, Unwritable):
            continue
