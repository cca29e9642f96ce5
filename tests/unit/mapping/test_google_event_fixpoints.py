"""Whatever a client edits of whatever Google holds: once written, both say the same, and nothing is left to write."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ccdaemon.errors import BadData, Unmappable, Unwritable
from ccdaemon.mapping import vevent
from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.merge import Absence
from tests.unit.mapping import event_oracle
from tests.unit.mapping.client_bodies import added, edited, joined, name_of, unfolded
from tests.unit.mapping.event_payloads import (
    GOOGLE_CALENDAR,
    GOOGLE_EXCEPTION,
    GOOGLE_SERIES,
    MARKER,
    SPOILS,
    original,
    paths,
    shared,
    spoiled,
)
from tests.unit.mapping.google_calendar import apply, assert_official

CODEC = GoogleEventCodec()
CALENDAR = shared(GOOGLE_CALENDAR)
EVERYTHING_COUNTS = Absence(True, frozenset())
DERIVED = frozenset({"X-GOOGLE-SOURCE-TITLE", "X-GOOGLE-CONFERENCE", "ORGANIZER"})
"""What Google itself adds, changes or drops when something else is written."""

ZONES = st.sampled_from(["Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
WORDS = st.text(st.characters(exclude_categories=["C"], exclude_characters="\x85\u2028\u2029"), min_size=1, max_size=20)
TEXTS = WORDS.map(str.strip).filter(bool)
STARTS = st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2040-01-01")).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
LENGTHS = st.integers(1, 5000).map(lambda minutes: timedelta(minutes=minutes))


def edge(moment: datetime, zone: str):
    return {"dateTime": moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).isoformat(), "timeZone": zone}


@st.composite
def events(draw: st.DrawFn):
    """One event of the account's own, as Google may hold it."""
    zone, start, length = draw(ZONES), draw(STARTS), draw(LENGTHS)
    if draw(st.booleans()):
        times = {"start": edge(start, zone), "end": edge(start + length, zone)}
    else:
        days = timedelta(days=draw(st.integers(1, 5)))
        times = {"start": {"date": start.date().isoformat()}, "end": {"date": (start.date() + days).isoformat()}}
    optional = {
        "summary": TEXTS,
        "location": TEXTS,
        "description": TEXTS | st.just("<b>Agenda</b><br>one"),
        "transparency": st.sampled_from(["opaque", "transparent"]),
        "visibility": st.sampled_from(["default", "public", "private", "confidential"]),
        "status": st.sampled_from(["confirmed", "tentative"]),
        "colorId": st.sampled_from([str(number) for number in range(1, 12)]),
        "reminders": st.sampled_from(
            [
                {"useDefault": True},
                {"useDefault": False},
                {
                    "useDefault": False,
                    "overrides": [{"method": "popup", "minutes": 5}, {"method": "email", "minutes": 7}],
                },
            ]
        ),
        "attendees": st.just(
            [{"email": "ada@example.com", "self": True}, {"email": "bob@example.com", "responseStatus": "declined"}]
        ),
        "attachments": st.just([{"fileUrl": "https://a.example/1", "title": "Plan", "fileId": "1"}]),
        "source": st.just({"url": "https://a.example/2", "title": "Ticket"}),
        "recurrence": st.sampled_from([["RRULE:FREQ=DAILY;COUNT=9"], ["RRULE:FREQ=WEEKLY;WKST=SU"]]),
        "extendedProperties": st.just({"private": {"other": "1", "ccdaemon-stash-1": "PRIORITY:3\nX-APPLE-FOO:bar\n"}}),
    }
    own = {"email": "ada@example.com", "self": True}
    payload = {"id": "event0", "status": "confirmed", "iCalUID": "event0@google.com", "organizer": own, "creator": own}
    return payload | times | draw(st.fixed_dictionaries({}, optional=optional))


def alarm(*lines: str) -> list[str]:
    return ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", *lines, "END:VALARM"]


@st.composite
def edits(draw: st.DrawFn):
    """Lines instead of others, and names of what goes."""
    start, length = draw(STARTS), draw(LENGTHS)
    text = draw(TEXTS).replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    day = start.strftime("%Y%m%d")
    one = st.sampled_from(
        [
            ([f"SUMMARY:{text}"], []),
            ([f"LOCATION:{text}"], []),
            ([f"DESCRIPTION:{text}"], []),
            ([f"X-ALT-DESC;FMTTYPE=text/html:<i>{text}</i>"], []),
            ([], ["SUMMARY"]),
            ([], ["DESCRIPTION", "X-ALT-DESC"]),
            (["TRANSP:TRANSPARENT"], []),
            (["TRANSP:OPAQUE"], []),
            (["CLASS:PRIVATE"], []),
            ([], ["CLASS"]),
            (["STATUS:TENTATIVE"], []),
            (["COLOR:navy"], []),
            ([], ["COLOR"]),
            (["URL:https://c.example/"], []),
            ([], ["URL"]),
            (["URL:tel:+411"], []),
            (["ATTACH:https://c.example/3"], []),
            ([], ["ATTACH"]),
            (["CATEGORIES:a,b\\,c"], []),
            (["PRIORITY:1"], []),
            (["GEO:1.5;2.5"], []),
            (["X-APPLE-OTHER;X-P=1:2"], []),
            ([], ["X-APPLE-FOO"]),
            (["ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.com"], []),
            (["ATTENDEE:mailto:bob@example.com", "ATTENDEE:mailto:carl@example.com"], []),
            ([], ["ATTENDEE", "ORGANIZER"]),
            ([f"DTSTART;VALUE=DATE:{day}"], ["DTEND"]),
            ([f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + length:%Y%m%dT%H%M%SZ}"], []),
            ([f"DTSTART:{start:%Y%m%dT%H%M%S}", "DURATION:PT1H"], ["DTEND"]),
            (["RRULE:FREQ=DAILY;INTERVAL=2"], []),
            ([], ["RRULE"]),
            (alarm("TRIGGER:-PT25M"), []),
            (alarm("TRIGGER:PT5M"), []),
            ([], ["VALARM"]),
        ]
    )
    return draw(st.lists(one, min_size=1, max_size=4))


def read(body: str):
    return vevent.read(body, ZoneInfo("Europe/Zurich"))


def differences(body: str, wanted: str) -> set[str]:
    """What the master of a body says otherwise than that of another."""
    left, right = read(body).master, read(wanted).master
    assert left is not None
    assert right is not None
    return set(vevent.changed(left, right, EVERYTHING_COUNTS)) - DERIVED


@given(events(), edits())
@settings(deadline=None, max_examples=150)
def test_what_was_written_is_what_the_client_said_and_nothing_is_left_to_write(payload, changes):
    group = [original(payload), CALENDAR]
    body = CODEC.to_body(group)
    for lines, without in changes:
        body = edited(body, *lines, without=without)
    html_stays = {"X-ALT-DESC", "DESCRIPTION"} if "<b>" in payload.get("description", "") else set()

    writes = CODEC.to_writes(body, group)
    after = apply(writes, group)

    assert_official(writes)
    assert CODEC.to_writes(body, after) == []
    assert CODEC.unheld(body, group) == []
    assert differences(CODEC.to_body(after), body) - html_stays - spaces(body) == set()
    assert [write.action for write in writes] in ([], ["patch"])


def spaces(body: str) -> set[str]:
    """Texts that were written as HTML lose double spaces."""
    return {"DESCRIPTION", "X-ALT-DESC"} if "<i>" in body or "&" in body or "<" in body else set()


@given(events(), edits())
@settings(deadline=None, max_examples=80)
def test_a_created_event_says_what_the_client_said(payload, changes):
    body = CODEC.to_body([original(payload), CALENDAR])
    for lines, without in changes:
        body = edited(body, *lines, without=without)
    body = joined([line for line in unfolded(body) if not name_of(line).startswith(("X-GOOGLE", "X-CCD-KEEP"))])

    writes = CODEC.to_writes(body, [CALENDAR])
    after = apply(writes, [CALENDAR])

    assert_official(writes)
    assert [write.action for write in writes] == ["create"]
    assert CODEC.to_writes(body, after) == []
    assert differences(CODEC.to_body(after), body) - spaces(body) == set()
    event_oracle.assert_sound(CODEC.to_body(after))


# --- series -----------------------------------------------------------------------------------------------------------

DAILY = {
    "id": "series0",
    "status": "confirmed",
    "iCalUID": "series0@google.com",
    "organizer": {"email": "ada@example.com", "self": True},
    "summary": "Stand-up",
    "start": {"dateTime": "2026-03-20T09:15:00+01:00", "timeZone": "Europe/Zurich"},
    "end": {"dateTime": "2026-03-20T09:30:00+01:00", "timeZone": "Europe/Zurich"},
    "recurrence": ["RRULE:FREQ=DAILY;COUNT=30", "EXDATE;TZID=Europe/Zurich:20260325T091500"],
}
DAYS = st.integers(1, 29).map(lambda number: datetime.fromisoformat("2026-03-20T09:15") + timedelta(days=number))


def exception(day: datetime):
    local = day.replace(tzinfo=ZoneInfo("Europe/Zurich"))
    original_start = {"dateTime": local.isoformat(), "timeZone": "Europe/Zurich"}
    moved = {"dateTime": (local + timedelta(hours=2)).isoformat(), "timeZone": "Europe/Zurich"}
    end = {"dateTime": (local + timedelta(hours=3)).isoformat(), "timeZone": "Europe/Zurich"}
    inherited = {key: value for key, value in DAILY.items() if key != "recurrence"}
    return inherited | {
        "id": f"series0_{local.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "recurringEventId": "series0",
        "originalStartTime": original_start,
        "start": moved,
        "end": end,
        "summary": "Moved",
    }


def cancelled(day: datetime):
    kept = ("id", "recurringEventId", "originalStartTime")
    return {"status": "cancelled"} | {key: value for key, value in exception(day).items() if key in kept}


def occurrences(body: str) -> dict[str, tuple[str, str]]:
    """Every occurrence of the series by its original start: when it is, and what it is called."""
    master, *changed = event_oracle.events(body)
    until = datetime.fromisoformat("2027-01-01")
    found = {f"{start:%m%d}": (f"{start:%m%dT%H%M}", str(master["SUMMARY"]))
             for start in event_oracle.starts(master, until=until)}  # fmt: skip
    for event in changed:
        start = event["DTSTART"].dt.astimezone(ZoneInfo("Europe/Zurich"))
        place = event["RECURRENCE-ID"].dt.astimezone(ZoneInfo("Europe/Zurich"))
        found[f"{place:%m%d}"] = (f"{start:%m%dT%H%M}", str(event["SUMMARY"]))
    return found


@st.composite
def series_edits(draw: st.DrawFn):
    """A group, and what a client made of its body."""
    changed, gone = draw(st.sets(DAYS, max_size=3)), draw(st.sets(DAYS, max_size=2))
    payloads = [DAILY, *map(exception, changed), *map(cancelled, gone - changed)]
    group = [*map(original, payloads), CALENDAR]
    body = CODEC.to_body(group)
    wanted_changed, wanted_gone = draw(st.sets(DAYS, max_size=3)), draw(st.sets(DAYS, max_size=3))
    lines = unfolded(body)
    first_end = lines.index("END:VEVENT")
    keeps_changed, keeps_gone = draw(st.booleans()), draw(st.booleans())
    head = lines[: first_end + 1] if not keeps_changed else lines[:-1]
    body = joined([*head, "END:VCALENDAR"])
    exdates = [line for line in lines if line.startswith("EXDATE")] if keeps_gone else []
    exdates += [f"EXDATE;TZID=Europe/Zurich:{day:%Y%m%dT%H%M%S}" for day in wanted_gone]
    body = edited(body, *exdates, without=["EXDATE"])
    if draw(st.booleans()):
        body = edited(body, "SUMMARY:Renamed")
    for day in wanted_changed - wanted_gone - (changed if keeps_changed else set()):
        body = added(
            body,
            f"RECURRENCE-ID;TZID=Europe/Zurich:{day:%Y%m%dT%H%M%S}",
            f"DTSTART;TZID=Europe/Zurich:{day + timedelta(hours=1):%Y%m%dT%H%M%S}",
            f"DTEND;TZID=Europe/Zurich:{day + timedelta(hours=4):%Y%m%dT%H%M%S}",
            "SUMMARY:By the client",
        )
    return group, body


@given(series_edits())
@settings(deadline=None, max_examples=80)
def test_after_the_writes_the_series_has_the_occurrences_of_the_client(given_edit):
    group, body = given_edit

    writes = CODEC.to_writes(body, group)
    after = apply(writes, group)

    assert_official(writes)
    assert CODEC.to_writes(body, after) == []
    assert occurrences(CODEC.to_body(after)) == occurrences(body)
    ids = [write.remote_id for write in writes]
    assert len(ids) == len(set(ids))
    assert ids == sorted(ids, key=lambda one: (one != "series0", one))


# --- poison -----------------------------------------------------------------------------------------------------------

PLACES = paths(GOOGLE_SERIES)


@given(st.sampled_from(PLACES), SPOILS, st.sampled_from(["SUMMARY:x", "DTSTART:20260303T080000Z", "COLOR:navy"]))
@settings(deadline=None, max_examples=100)
def test_a_spoiled_payload_has_a_way_back_or_a_refusal_without_its_content(path, value, line):
    group = [original(spoiled(GOOGLE_SERIES, path, value)), original(GOOGLE_EXCEPTION), CALENDAR]
    with suppress(Unmappable, Unwritable):
        body = CODEC.to_body(group)
        if body is not None:
            assert CODEC.to_writes(body, group) == []
            assert_refused_or_written(edited(body, line), group)
            assert_refused_or_written(None, group)


LINES = st.sampled_from(unfolded(CODEC.to_body([original(GOOGLE_SERIES), original(GOOGLE_EXCEPTION), CALENDAR])))


@given(LINES, st.text(max_size=40), st.integers(0, 60))
@settings(deadline=None, max_examples=100)
def test_a_spoiled_body_is_bad_data_refused_or_written(line, text, at):
    group = [original(GOOGLE_SERIES), original(GOOGLE_EXCEPTION), CALENDAR]
    body = CODEC.to_body(group)

    assert_refused_or_written(joined(unfolded(body)).replace(line, line[:at] + text + line[at:]), group)


def assert_refused_or_written(body, group):
    refusal = ""
    try:
        CODEC.to_writes(body, group)
        if body is not None:
            CODEC.unheld(body, group)
    except (BadData, Unwritable) as error:
        refusal = str(error)
    assert MARKER not in refusal
    assert len(refusal) < 120
