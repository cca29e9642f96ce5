"""What a DAV client may store."""

import pytest

from ccdaemon.errors import BadData, Unstorable
from ccdaemon.mapping.objects import MAX_OCTETS, checked
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Kind
from tests.unit.mapping.event_texts import at, calendar, event, single

EVENT = ("DTSTART:20260301T090000Z", "DTEND:20260301T100000Z", "SUMMARY:x")
BOMB_DATES = ",".join(["20260301T090000Z"] * 10_001)


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


def refused(body: str, kind: Kind) -> str:
    with pytest.raises(Unstorable) as caught:
        checked(body, kind)
    assert isinstance(caught.value, BadData)
    return caught.value.precondition


def test_an_event_is_known_by_its_uid_and_times() -> None:
    found = checked(single(*EVENT), Kind.EVENTS)

    assert found == BodyIndex(
        uid="1",
        component="VEVENT",
        name="x",
        starts_at=at("2026-03-01T09:00"),
        ends_at=at("2026-03-01T10:00"),
        recurring=False,
    )


def test_a_task_and_a_card_are_known_too() -> None:
    task = checked(calendar(event("SUMMARY:x", name="VTODO")), Kind.TASKS)
    person = checked(card("UID:2", "FN:y"), Kind.CONTACTS)

    assert (task.uid, task.component, task.name) == ("1", "VTODO", "x")
    assert (
        person.uid,
        person.component,
        person.name,
        person.starts_at,
        person.ends_at,
    ) == ("2", "", "y", TIME_MIN, TIME_MAX)


ODD_EVENTS = {
    "a period": ("RRULE:FREQ=DAILY", "RDATE;VALUE=PERIOD:20260305T090000Z/PT3H"),
    "a conference": ("CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:https://example.org/a,b",),
    "an extension with commas": ('X-APPLE-STRUCTURED-LOCATION;X-TITLE="a,b;c":geo:1,2',),
    "html": ("X-ALT-DESC;FMTTYPE=text/html:<p>a\\, b</p>",),
    "an unknown zone": ("RECURRENCE-ID;TZID=Mars/Olympus:20260301T090000",),
    "an end before the start": ("DTEND:20250101T000000Z",),
    "no such duration": ("DURATION:soon",),
    "all later occurrences": ("RECURRENCE-ID;RANGE=THISANDFUTURE:20260301T090000Z",),
    "rare": ("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",),
    "an unknown component": ("BEGIN:X-NOTE", "X:1", "END:X-NOTE"),
}


@pytest.mark.parametrize("lines", ODD_EVENTS.values(), ids=ODD_EVENTS.keys())
def test_an_oddity_may_pass(lines: tuple[str, ...]) -> None:
    assert checked(single("DTSTART:20260301T090000Z", *lines), Kind.EVENTS).uid == "1"


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        (("UID:1", "FN:x", "PHOTO:data:image/png;base64,AAAA"), "4.0"),
        (("UID:1", "FN:x", "GENDER:O;it's complicated"), "4.0"),
        (("UID:1", "FN:x", "NICKNAME:a,b", "X-LIST:a,b;c"), "3.0"),
        (("UID:1", "FN:"), "3.0"),
        (("UID:1", "FN:x", "ADR:;;;;;;"), "3.0"),
    ],
    ids=["a photo as URI", "gender", "lists", "an empty name", "no N"],
)
def test_an_odd_card_may_pass(lines: tuple[str, ...], version: str) -> None:
    assert checked(card(*lines, version=version), Kind.CONTACTS).uid == "1"


def test_a_card_without_uid_goes_by_its_text() -> None:
    one, other = card("FN:x"), card("FN:y")

    assert checked(one, Kind.CONTACTS).uid == checked(one, Kind.CONTACTS).uid != checked(other, Kind.CONTACTS).uid


OVERRIDE = event("RECURRENCE-ID:20260302T090000Z", *EVENT)
REFUSED = {
    "nothing": ("", "valid-calendar-data"),
    "no calendar": ("hello", "valid-calendar-data"),
    "no line": (single(*EVENT, "a line"), "valid-calendar-data"),
    "cut": (single(*EVENT).replace("END:VCALENDAR\r\n", ""), "valid-calendar-data"),
    "two calendars": (single(*EVENT) + single(*EVENT), "valid-calendar-data"),
    "a card": (card("UID:1", "FN:x"), "valid-calendar-data"),
    "a control character": (single(*EVENT, "X:\x00"), "valid-calendar-data"),
    "half a character": (single(*EVENT, "X:\ud800"), "valid-calendar-data"),
    "vCalendar": (single(*EVENT).replace("VERSION:2.0", "VERSION:1.0"), "supported-calendar-data"),
    "a method": (calendar("METHOD:REQUEST", event(*EVENT)), "valid-calendar-object-resource"),
    "no event": (calendar(), "valid-calendar-object-resource"),
    "a task": (calendar(event("SUMMARY:x", name="VTODO")), "supported-calendar-component"),
    "a task too": (calendar(event(*EVENT), event("SUMMARY:x", name="VTODO")), "valid-calendar-object-resource"),
    "two events": (calendar(event(*EVENT), event(*EVENT)), "valid-calendar-object-resource"),
    "two UIDs": (calendar(event(*EVENT), OVERRIDE.replace("UID:1", "UID:2")), "valid-calendar-object-resource"),
    "no UID": (single(*EVENT).replace("UID:1\r\n", ""), "valid-calendar-object-resource"),
    "no start": (single("SUMMARY:x"), "valid-calendar-data"),
    "no date": (single("DTSTART:20260230T090000Z"), "valid-calendar-data"),
    "no original date": (single(*EVENT, "RECURRENCE-ID:then"), "valid-calendar-data"),
    "no rule": (single(*EVENT, "RRULE:FREQ=DAILY;INTERVAL=0"), "valid-calendar-data"),
    "every second": (single(*EVENT, "RRULE:FREQ=SECONDLY"), "max-instances"),
    "all of them excluded": (single(*EVENT, "RRULE:FREQ=DAILY", "EXRULE:FREQ=SECONDLY"), "max-instances"),
    "every hour": (single(*EVENT, "RRULE:FREQ=HOURLY"), "max-instances"),
    "rules": (single(*EVENT, *["RRULE:FREQ=YEARLY"] * 65), "max-instances"),
    "never": (single(*EVENT, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "max-instances"),
    "never in these steps": (single(*EVENT, "RRULE:FREQ=MONTHLY;INTERVAL=12;BYMONTH=2"), "max-instances"),
    "dates": (single(*EVENT, f"RDATE:{BOMB_DATES}"), "max-instances"),
    "exclusions": (single(*EVENT, f"EXDATE:{BOMB_DATES}"), "max-instances"),
    "changed occurrences": (calendar(*[OVERRIDE.replace("SUMMARY:x\n", "")] * 10_002), "max-instances"),
    "lines": (single(*EVENT, *["X:"] * 100_001), "max-resource-size"),
    "zones": (single(*EVENT, *(f"X;TZID={n}:" for n in range(1001))), "valid-calendar-data"),
    "parameters": (single(*EVENT, "X" + ";Y=" * 400_001 + ":"), "max-resource-size"),
    "values of a parameter": (single(*EVENT, "X;Y=" + "," * 400_001 + ":"), "max-resource-size"),
    "depth": (calendar("BEGIN:X\n" * 50 + "END:X\n" * 49 + "END:X"), "valid-calendar-data"),
    "too long": (single(*EVENT, "X:" + "x" * MAX_OCTETS), "max-resource-size"),
    "too long in UTF-8": (single(*EVENT, "X:" + "ü" * (MAX_OCTETS // 2)), "max-resource-size"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_no_calendar_can_hold_is_refused_by_name(case: str) -> None:
    body, precondition = REFUSED[case]

    assert refused(body, Kind.EVENTS) == precondition


@pytest.mark.parametrize(
    ("body", "precondition"),
    [
        (card("UID:1"), "valid-address-data"),
        (card("UID:1", "FN:x", version="2.1"), "supported-address-data"),
        ("BEGIN:VCARD\r\nUID:1\r\nFN:x\r\nEND:VCARD\r\n", "valid-address-data"),
        (card("UID:1", "FN:x") * 2, "valid-address-data"),
        (single(*EVENT), "valid-address-data"),
        (card("UID:1", "FN:x", "NOTE:\x0b"), "valid-address-data"),
        (card("UID:1", "FN:x", "PHOTO:" + "A" * MAX_OCTETS), "max-resource-size"),
    ],
    ids=["no name", "vCard 2.1", "no version", "two", "a calendar", "a control character", "too long"],
)
def test_what_no_address_book_can_hold_is_refused_by_name(body: str, precondition: str) -> None:
    assert refused(body, Kind.CONTACTS) == precondition


def test_a_task_list_holds_tasks_only() -> None:
    assert refused(single(*EVENT), Kind.TASKS) == "supported-calendar-component"


def test_a_task_with_a_rule_needs_a_start() -> None:
    assert refused(calendar(event("RRULE:FREQ=DAILY", name="VTODO")), Kind.TASKS) == "valid-calendar-data"
