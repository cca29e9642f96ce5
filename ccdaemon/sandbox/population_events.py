"""Google calendars and events for a new sandbox: every shape that a mapper must survive, around the first of January.

The same seed gives the same agenda within one year. Recipes make one event or a series with its exceptions; trimmings
(attendees, reminders, colours, descriptions) are hung onto any of them.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ccdaemon.sandbox.calendar_book import Agenda
from ccdaemon.sandbox.calendar_objects import Calendar
from ccdaemon.sandbox.calendar_recurrence import Series, written
from ccdaemon.sandbox.people_book import Book
from ccdaemon.sandbox.people_pool import Pool, pool
from ccdaemon.sandbox.wire import Json

HOME_ZONE = "Europe/Berlin"
ZONES = (
    *(HOME_ZONE, HOME_ZONE, HOME_ZONE, "America/New_York", "Asia/Kolkata", "Asia/Calcutta", "Australia/Lord_Howe"),
    *("America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "Europe/London", "UTC", "Europe/Kiev"),
)
REACH_DAYS = 400  # events lie this far before and after the anchor
SPECIAL_SHARE = 20  # one event in so many goes to each of the holiday, birthday and busy-only calendars

SUMMARIES = (
    *("Stand-up", "Zahnarzt 🦷", "Dinner; bring wine, cheese", "Réunion d'équipe", "会議", "اجتماع", "1:1", "Yoga"),
    *("Flight LH 400\\nwindow seat", "Review <draft>", "Müllabfuhr", "Call back: +1 (555) 010-0000", ""),
)
LOCATIONS = (
    "Room 1; upstairs",
    "Hauptstraße 1, 10115 Berlin, Deutschland",
    "https://meet.example/x?a=1,2",
    "東京駅",
    "",
)
DESCRIPTIONS = (
    "Plain text.\nSecond line; with, commas.",
    '<p>Agenda:</p><ul><li>one</li><li>two &amp; three</li></ul><br><a href="https://example.com/?a=1&amp;b=2">link</a>',
    "Tabs\tand \\backslashes\\ and emoji 🎉👩‍🚀",
    "Zeile eins\r\nZeile zwei\n\n\nEnde",
    "long ünd weiter, " * 300,
)
WEEKLY = ("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU")
RULES = (
    *WEEKLY,
    *("FREQ=DAILY;COUNT=10", "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=2TH"),
    *("FREQ=MONTHLY;BYDAY=-1FR;COUNT=12", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY"),
)
ALL_DAY_RULES = ("FREQ=YEARLY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=1;COUNT=24", "FREQ=DAILY;COUNT=5")
RESPONSES = ("needsAction", "declined", "tentative", "accepted")
REMINDERS: tuple[Json, ...] = (
    {"useDefault": True},
    {"useDefault": False},
    {"useDefault": False, "overrides": [{"method": "popup", "minutes": 10}]},
    {"useDefault": False, "overrides": [{"method": "email", "minutes": 1440}, {"method": "popup", "minutes": 0}]},
    {
        "useDefault": False,
        "overrides": [{"method": "popup", "minutes": minutes} for minutes in (5, 15, 60, 720, 40320)],
    },
)
HOLIDAYS = (("New Year's Day", 1, 1), ("Independence Day", 7, 4), ("Veterans Day", 11, 11), ("Christmas Day", 12, 25))
MEET_ICON = (
    "https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4_color_2x_web_512dp.png"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kitchen:
    """What a recipe needs."""

    agenda: Agenda
    calendar: Calendar
    chance: random.Random
    people: Pool
    anchor: date

    def day(self) -> date:
        """Some day within reach."""
        return self.anchor + timedelta(days=self.chance.randint(-REACH_DAYS, REACH_DAYS))

    def zone(self) -> ZoneInfo:
        """Some zone, the home zone most often."""
        return ZoneInfo(self.chance.choice(ZONES))

    def timed(self, zone: ZoneInfo, *, day: date | None = None, names_zone: bool = True) -> Json:
        """``start`` and ``end`` within a day, written with the calendar's offset as Google does."""
        clock = time(self.chance.randint(0, 23), self.chance.choice((0, 0, 15, 30, 45)))
        start = datetime.combine(day or self.day(), clock, zone)
        end = start.astimezone(UTC) + timedelta(minutes=self.chance.choice((0, 15, 30, 60, 60, 90, 600, 2880)))
        shown = ZoneInfo(self.calendar.time_zone)
        named = {"timeZone": zone.key} if names_zone else {}
        return {
            "start": {"dateTime": written(start, shown), **named},
            "end": {"dateTime": written(end, shown), **named},
        }

    def all_day(self, *, days: int = 1) -> Json:
        """``start`` and exclusive ``end`` as dates."""
        first = self.day()
        return {"start": {"date": first.isoformat()}, "end": {"date": (first + timedelta(days=days)).isoformat()}}


Recipe = Callable[[Kitchen], None]


def populate_agenda(agenda: Agenda, chance: random.Random, count: int, *, anchor: date, birthdays: Book) -> None:
    """Give somebody seven calendars with ``count`` events, exceptions and cancelled occurrences in all."""
    primary, work, team, busy, holidays, contacts = _calendars(agenda)
    people = pool(chance)
    special = count // SPECIAL_SHARE

    def fill(calendar: Calendar, size: int, recipes: tuple[tuple[int, Recipe], ...]) -> None:
        kitchen = Kitchen(agenda=agenda, calendar=calendar, chance=chance, people=people, anchor=anchor)
        _fill(kitchen, size, recipes)

    left = count - _birthdays(agenda, contacts, birthdays, special)
    left -= _holidays(agenda, holidays, anchor, special)
    fill(busy, special, ((1, _single), (1, _all_day)))
    left -= special
    fill(team, left // 8, SHARED_RECIPES)
    fill(work, left // 3, RECIPES)
    fill(primary, left - left // 8 - left // 3, PRIMARY_RECIPES)


def _calendars(agenda: Agenda) -> tuple[Calendar, ...]:
    """Primary, work, shared to read, busy-only, holidays, birthdays."""
    defaults = [{"method": "popup", "minutes": 30}, {"method": "email", "minutes": 10}]
    group = "@group.v.calendar.google.com"
    entries: tuple[Json, ...] = (
        {"id": agenda.owner, "summary": agenda.owner, "primary": True, "defaultReminders": defaults},
        {
            "summary": "Work, projects; deadlines",
            "description": "All that pays",
            "colorId": "16",
            "timeZone": "America/New_York",
        },
        {"summary": "Team", "accessRole": "reader", "summaryOverride": "Our team 🚀", "backgroundColor": "#16a765"},
        {"id": "boss@company.example", "summary": "boss@company.example", "accessRole": "freeBusyReader"},
        {"id": f"en.usa#holiday{group}", "summary": "Holidays in United States", "accessRole": "reader"},
        {"id": f"addressbook#contacts{group}", "summary": "Birthdays", "accessRole": "reader"},
    )
    return tuple(agenda.add_calendar({"timeZone": HOME_ZONE, **entry}) for entry in entries)


def _birthdays(agenda: Agenda, calendar: Calendar, book: Book, limit: int) -> int:
    """Yearly events of eventType birthday for contacts that have one; how many."""
    made = 0
    for contact in book.living():
        day = (contact.fields.get("birthdays") or [{}])[0].get("date")
        if made >= limit or not day or (day["month"], day["day"]) == (2, 29):
            continue
        first = date(day.get("year", 1970), day["month"], day["day"])
        name = (contact.fields.get("names") or [{}])[0].get("displayName", "Somebody")
        fields: Json = {
            "summary": f"{name}'s birthday",
            "start": {"date": first.isoformat()},
            "end": {"date": (first + timedelta(days=1)).isoformat()},
            "recurrence": ["RRULE:FREQ=YEARLY"],
            "eventType": "birthday",
            "birthdayProperties": {"contact": contact.resource_name, "type": "birthday"},
            "transparency": "transparent",
            "visibility": "private",
        }
        agenda.insert(calendar, fields)
        made += 1
    return made


def _holidays(agenda: Agenda, calendar: Calendar, anchor: date, limit: int) -> int:
    """Single all-day events; how many."""
    days = [(name, date(anchor.year + year, month, day)) for year in range(-1, 3) for name, month, day in HOLIDAYS]
    for name, day in days[:limit]:
        fields = {"summary": name, "start": {"date": day.isoformat()}, "transparency": "transparent"}
        fields["visibility"] = "public"
        end = {"end": {"date": (day + timedelta(days=1)).isoformat()}}
        agenda.insert(calendar, {**fields, **end, "description": "Public holiday"})
    return len(days[:limit])


def _fill(kitchen: Kitchen, size: int, recipes: tuple[tuple[int, Recipe], ...]) -> None:
    """Cook until the calendar holds exactly ``size`` events; recipes that may overshoot are left out near the end."""
    weights, dishes = zip(*recipes, strict=True)
    while (left := size - len(kitchen.calendar.events)) > 0:
        recipe = kitchen.chance.choices(dishes, weights)[0] if left >= LARGEST_DISH else _single
        recipe(kitchen)


# Recipes


def _single(kitchen: Kitchen) -> None:
    names_zone = kitchen.chance.random() > 0.2
    zone = kitchen.zone() if names_zone else ZoneInfo(kitchen.calendar.time_zone)
    _serve(kitchen, kitchen.timed(zone, names_zone=names_zone))


def _all_day(kitchen: Kitchen) -> None:
    _serve(kitchen, kitchen.all_day(days=kitchen.chance.choice((1, 1, 2, 7))))


def _no_end(kitchen: Kitchen) -> None:
    times = kitchen.timed(kitchen.zone())
    _serve(kitchen, {**times, "end": times["start"], "endTimeUnspecified": True})


def _series(kitchen: Kitchen) -> None:
    """A timed series, with UNTIL or EXDATE now and then."""
    zone = kitchen.zone()
    times = kitchen.timed(zone)
    rule = kitchen.chance.choice(RULES)
    if "COUNT" not in rule and kitchen.chance.random() < 0.4:
        last = kitchen.day() + timedelta(days=2 * REACH_DAYS)
        rule += f";UNTIL={last:%Y%m%d}T225959Z"
    recurrence = [f"RRULE:{rule}"]
    if kitchen.chance.random() < 0.2:
        series = Series.of({**times, "recurrence": recurrence}, kitchen.calendar.time_zone)
        second = next(itertools.islice(series.occurrences(), 1, None), None)
        if second is not None:
            recurrence.insert(0, _exdate(kitchen, series, second))
    _serve(kitchen, {**times, "recurrence": recurrence})


def _all_day_series(kitchen: Kitchen) -> None:
    """Days, with one cancelled."""
    rule = kitchen.chance.choice(ALL_DAY_RULES)
    event_id = _serve(kitchen, {**kitchen.all_day(), "recurrence": [f"RRULE:{rule}"]})
    kitchen.agenda.delete(kitchen.calendar, kitchen.agenda.first_occurrence(kitchen.calendar, event_id, None))


def _changed_series(kitchen: Kitchen) -> None:
    """A weekly series with a cancelled, a moved and a renamed occurrence."""
    agenda, calendar = kitchen.agenda, kitchen.calendar
    zone = kitchen.zone()
    rule = kitchen.chance.choice(WEEKLY)
    event_id = _serve(kitchen, {**kitchen.timed(zone), "recurrence": [f"RRULE:{rule};COUNT=20"]})
    agenda.delete(calendar, agenda.first_occurrence(calendar, event_id, None))
    moved = agenda.first_occurrence(calendar, event_id, None)
    original = agenda.instance(calendar, moved)
    day = datetime.fromisoformat(original["start"]["dateTime"]).date() + timedelta(days=1)
    agenda.patch(calendar, moved, kitchen.timed(kitchen.zone(), day=day))
    agenda.patch(calendar, agenda.first_occurrence(calendar, event_id, None), {"summary": "Renamed, once only"})


def _split_series(kitchen: Kitchen) -> None:
    """A series that was changed "from here on"."""
    event_id = _serve(kitchen, {**kitchen.timed(kitchen.zone()), "recurrence": ["RRULE:FREQ=DAILY;COUNT=30"]})
    kitchen.agenda.split(kitchen.calendar, event_id, None, {"summary": "From here on"})


def _rdates(kitchen: Kitchen) -> None:
    """A series that names extra days."""
    zone = kitchen.zone()
    times = kitchen.timed(zone)
    series = Series.of({**times, "recurrence": []}, kitchen.calendar.time_zone)
    extra = series.start + timedelta(days=3)
    line = f"RDATE;TZID={zone.key}:{extra:%Y%m%dT%H%M%S}"
    _serve(kitchen, {**times, "recurrence": [line, "RRULE:FREQ=WEEKLY;COUNT=4"]})


def _meeting(kitchen: Kitchen) -> None:
    """Our own meeting with guests and a Meet link."""
    own = {"email": kitchen.agenda.owner, "organizer": True, "self": True, "responseStatus": "accepted"}
    fields = {**kitchen.timed(kitchen.zone()), "attendees": [own, *_guests(kitchen)], **_meet(kitchen)}
    _serve(kitchen, {**fields, "guestsCanModify": kitchen.chance.random() < 0.3})


def _invitation(kitchen: Kitchen) -> None:
    """Somebody else's meeting, which we have answered or not."""
    host = {"email": kitchen.people.mail_address(), "displayName": kitchen.people.full_name()}
    own = {"email": kitchen.agenda.owner, "self": True, "responseStatus": kitchen.chance.choice(RESPONSES)}
    if own["responseStatus"] == "tentative":
        own["comment"] = "Might be late; traffic"
    attendees = [{**host, "organizer": True, "responseStatus": "accepted"}, own, *_guests(kitchen)]
    fields = {**kitchen.timed(kitchen.zone()), "organizer": host, "creator": {"email": host["email"]}}
    recurrence = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=6"]} if kitchen.chance.random() < 0.3 else {}
    uid = f"{kitchen.chance.getrandbits(64):x}@elsewhere.example"
    _serve(kitchen, {**fields, **recurrence, "attendees": attendees, "iCalUID": uid})


def _special_type(kitchen: Kitchen) -> None:
    """Out of office, focus time, working location, from Gmail."""
    office = {"buildingId": "HQ", "floorId": "2", "deskId": "D-14", "label": "Main office"}
    decline = {"autoDeclineMode": "declineOnlyNewConflictingInvitations", "declineMessage": "Away; sorry, really"}
    timed, day = kitchen.timed(kitchen.zone()), kitchen.all_day()
    choices: tuple[Json, ...] = (
        {**timed, "eventType": "outOfOffice", "summary": "Out of office", "outOfOfficeProperties": decline},
        {**timed, "eventType": "focusTime", "focusTimeProperties": {**decline, "chatStatus": "doNotDisturb"}},
        {
            **day,
            "eventType": "workingLocation",
            "transparency": "transparent",
            "visibility": "public",
            "workingLocationProperties": {"type": "officeLocation", "officeLocation": office},
        },
        {
            **day,
            "eventType": "workingLocation",
            "transparency": "transparent",
            "visibility": "public",
            "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}},
        },
        {**timed, "eventType": "fromGmail", "summary": "Hotel booking", "locked": True, "privateCopy": True},
    )
    chosen = kitchen.chance.choice(choices)
    _serve(kitchen, {"summary": "Office", **chosen}, is_trimmed=False)


RECIPES: tuple[tuple[int, Recipe], ...] = (
    *((24, _single), (10, _all_day), (1, _no_end), (8, _series), (3, _all_day_series), (4, _changed_series)),
    *((1, _split_series), (1, _rdates), (8, _meeting), (8, _invitation)),
)
PRIMARY_RECIPES = (*RECIPES, (3, _special_type))
SHARED_RECIPES: tuple[tuple[int, Recipe], ...] = ((6, _single), (2, _all_day), (1, _series), (1, _changed_series))
LARGEST_DISH = 4  # a master and three exceptions


# Trimmings


def _serve(kitchen: Kitchen, fields: Json, *, is_trimmed: bool = True) -> str:
    """Insert, trimmed; the event's id."""
    return kitchen.agenda.insert(kitchen.calendar, {**(_trimmings(kitchen) if is_trimmed else {}), **fields}).id


def _trimmings(kitchen: Kitchen) -> Json:
    chance = kitchen.chance
    fields: Json = {"reminders": chance.choice(REMINDERS)}
    offers: tuple[tuple[float, str, object], ...] = (
        (0.95, "summary", chance.choice(SUMMARIES)),
        (0.3, "location", chance.choice(LOCATIONS)),
        (0.3, "description", chance.choice(DESCRIPTIONS)),
        (0.15, "transparency", "transparent"),
        (0.15, "visibility", chance.choice(("public", "private", "confidential"))),
        (0.1, "status", "tentative"),
        (0.1, "colorId", str(chance.randint(1, 11))),
        (0.03, "extendedProperties", {"private": {"some-app": "1;2,3"}, "shared": {"key": "välue"}}),
        (0.02, "source", {"url": "https://example.com/page?a=1", "title": "Where it came from"}),
        (0.02, "attachments", [{"fileUrl": "https://example.com/file.pdf", "title": "Plan, final.pdf"}]),
    )
    return fields | {name: value for share, name, value in offers if chance.random() < share and value}


def _guests(kitchen: Kitchen) -> list[Json]:
    guests: list[Json] = []
    for _ in range(kitchen.chance.choice((1, 2, 3, 8))):
        guest: Json = {"email": kitchen.people.mail_address(), "responseStatus": kitchen.chance.choice(RESPONSES)}
        guest |= {"displayName": kitchen.people.full_name()} if kitchen.chance.random() < 0.6 else {}
        guest |= {"optional": True} if kitchen.chance.random() < 0.2 else {}
        guest |= {"additionalGuests": 2} if kitchen.chance.random() < 0.05 else {}
        guests.append(guest)
    if kitchen.chance.random() < 0.2:
        room = {"email": "room-1@resource.calendar.google.com", "displayName": "Room 1, 2nd floor", "resource": True}
        guests.append({**room, "responseStatus": "accepted"})
    return guests


def _meet(kitchen: Kitchen) -> Json:
    letters = "".join(kitchen.chance.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(10))
    key = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    link = f"https://meet.google.com/{key}"
    phone = {"entryPointType": "phone", "uri": "tel:+1-555-010-0000", "label": "+1 555-010-0000", "pin": "123456789"}
    solution = {"key": {"type": "hangoutsMeet"}, "name": "Google Meet", "iconUri": MEET_ICON}
    entries = [{"entryPointType": "video", "uri": link, "label": f"meet.google.com/{key}"}, phone]
    return {
        "hangoutLink": link,
        "conferenceData": {"entryPoints": entries, "conferenceSolution": solution, "conferenceId": key},
    }


def _exdate(kitchen: Kitchen, series: Series, moment: date) -> str:
    """An EXDATE line in one of the ways that Google writes them."""
    if kitchen.chance.random() < 0.5:
        return f"EXDATE:{series.suffix(moment)}"
    return f"EXDATE;TZID={series.zone.key}:{moment:%Y%m%dT%H%M%S}"
