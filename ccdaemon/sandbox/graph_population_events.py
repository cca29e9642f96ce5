"""What a mailbox' calendars hold at the start: single events, series of every pattern, and what happened to them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from random import Random

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_event_writes import NEVER, NO_END, blank_event
from ccdaemon.sandbox.graph_events import as_html, occurrence, original_days, preview
from ccdaemon.sandbox.graph_mailbox import Calendar, Event, Mailbox
from ccdaemon.sandbox.graph_recurrence import INDEXES, WEEKDAYS, days
from ccdaemon.sandbox.graph_writes import calendar_payload
from ccdaemon.sandbox.graph_zones import CUSTOM_ZONE, write_moment, write_wall
from ccdaemon.sandbox.wire import Json

SERIES_SHARE = 0.22
PAST_DAYS, FUTURE_DAYS = 500, 700  # around the anchor

#: name, colour, hexadecimal colour, writable, share of the events
CALENDARS = (
    ("Calendar", "auto", "", True, 0.7),
    ("Familie & Freunde 🎈", "lightGreen", "#7bd148", True, 0.2),
    ("Team (read only)", "lightOrange", "", False, 0.1),
)
ZONES = (
    "W. Europe Standard Time",
    "Pacific Standard Time",
    "Tokyo Standard Time",
    "UTC",
    "GMT Standard Time",
    "India Standard Time",
    "AUS Eastern Standard Time",
    "Central Brazilian Standard Time",
    "FLE Standard Time",
    "Morocco Standard Time",
    "Nepal Standard Time",
    "Newfoundland Standard Time",
)
SUBJECTS = (
    "Stand-up",
    "Budget, Q3; draft",
    "Zahnarzt",
    "誕生日会 🎂",
    "1:1 Ada/Grace",
    "Réunion d'équipe — café",
    "Ferien",
    "פגישה",
    "Re: \\n is no line break",
    "",
)
PLACES = ("", "Room 4/1102", "Café Zürich, Bahnhofstr. 1", "https://example.com/room?id=1&pw=2", "会議室A")
TEXTS = (
    "",
    "Agenda:\r\n1. Numbers, please\r\n2. Any other business;\r\n\r\nBring tea ☕",
    "Bitte pünktlich sein.\r\nDanke & Gruß <Team>",
    "See C:\\temp\\plan.txt",
)
PEOPLE = (
    ("Adele Vance", "adelev@example.com"),
    ("Müller, Jörg", "joerg@example.org"),
    ("山田 太郎", "taro@example.net"),
    ("", "no-name@example.com"),
    ("Conf Room Rainier", "rainier@example.com"),
)
CATEGORIES = ("Work", "Red category", "Travel, abroad")
WEEKDAY_SETS: tuple[tuple[str, ...], ...] = (
    ("monday",),
    ("tuesday", "thursday"),
    ("monday", "tuesday", "wednesday", "thursday", "friday"),
    ("saturday", "sunday"),
)
JOIN_BLOB = (
    '<br><div style="width:100%"><span>________________________________________________________________</span></div>'
    '<div class="me-email-text"><div>Microsoft Teams meeting</div><div><a href="{url}">Join the meeting now</a></div>'
    "<div>Meeting ID: 212 000 {number:03d} 000</div></div>"
)


def populate_events(mailbox: Mailbox, anchor: date) -> None:
    """Fill a new mailbox' calendars."""
    ids = _calendars(mailbox)
    shares = [share for *_, share in CALENDARS]
    for number in range(mailbox.world.events):
        chance = mailbox.world.chance("graph", mailbox.identity.id, "event", number)
        calendar_id = chance.choices(ids, shares)[0]
        _event(mailbox, calendar_id, number, anchor, chance)


def _calendars(mailbox: Mailbox) -> Sequence[str]:
    ids: list[str] = []
    for name, color, hex_color, writable, _ in CALENDARS:
        default = not ids
        made = graph_ids.container_id(mailbox.world.seed, mailbox.identity.id, "calendar", name)
        calendar_id = mailbox.default_calendar_id if default else made
        mailbox.revision += 1
        payload = calendar_payload(mailbox, calendar_id, name) | {
            "color": color,
            "hexColor": hex_color,
            "isDefaultCalendar": default,
            "isRemovable": not default,
        }
        if not writable:
            payload |= {
                "canEdit": False,
                "canShare": False,
                "canViewPrivateItems": False,
                "owner": {"name": "Grace Team", "address": "team@example.com"},
            }
        mailbox.calendars[calendar_id] = Calendar(payload=payload, revision=mailbox.revision)
        ids.append(calendar_id)
    return ids


def _event(mailbox: Mailbox, calendar_id: str, number: int, anchor: date, chance: Random) -> None:
    event_id = graph_ids.item_id(mailbox.world.seed, mailbox.identity.id, "event", number)
    payload = blank_event(mailbox, event_id, graph_ids.ical_uid(mailbox.world.seed, mailbox.identity.id, number))
    _versions(mailbox, payload, anchor, chance)
    event = Event(payload=payload, calendar_id=calendar_id, revision=mailbox.revision)
    payload |= _looks(chance)
    payload |= _times(chance, anchor)
    _body(payload, number, chance)
    _people(mailbox, payload, number, chance)
    if number < len(CHANGES):
        _make_showcase(event, number, anchor)
    elif chance.random() < SERIES_SHARE:
        _make_series(event, chance)
    mailbox.events[event_id] = event


def _versions(mailbox: Mailbox, payload: Json, anchor: date, chance: Random) -> None:
    mailbox.revision += 1
    key = graph_ids.change_key("event", mailbox.identity.id, mailbox.revision)
    created = datetime.combine(anchor, time(), UTC) - timedelta(microseconds=chance.randrange(1, 3 * 10**13))
    payload |= {
        "@odata.etag": f'W/"{key}"',
        "changeKey": key,
        "createdDateTime": write_moment(created),
        "lastModifiedDateTime": write_moment(created + timedelta(microseconds=chance.randrange(10**12))),
    }


def _looks(chance: Random) -> Json:
    place = chance.choice(PLACES)
    location: Json = {"displayName": place, "locationType": "default", "uniqueIdType": "unknown"}
    detail: Json = {"uniqueId": place, "uniqueIdType": "private"} if place else {"address": {}, "coordinates": {}}
    location |= detail
    reminder = chance.choice((None, 0, 5, 15, 15, 15, 60, 1440, 20160))
    return {
        "subject": chance.choice(SUBJECTS),
        "location": location,
        "locations": [location] if place else [],
        "categories": chance.sample(CATEGORIES, chance.choice((0, 0, 0, 1, 2))),
        "importance": chance.choice(("normal", "normal", "normal", "low", "high")),
        "sensitivity": chance.choice(("normal", "normal", "normal", "personal", "private", "confidential")),
        "showAs": chance.choice(("busy", "busy", "busy", "free", "tentative", "oof", "workingElsewhere")),
        "isReminderOn": reminder is not None,
        "reminderMinutesBeforeStart": reminder or 0,
    }


def _times(chance: Random, anchor: date) -> Json:
    day = anchor + timedelta(days=chance.randrange(-PAST_DAYS, FUTURE_DAYS))
    zone = chance.choice(ZONES)
    if chance.random() < 0.15:
        length = timedelta(days=chance.choice((1, 1, 2, 5, 14)))
        start = datetime.combine(day, time())
        return _span(start, start + length, zone, zone) | {"isAllDay": True}
    start = datetime.combine(day, time(chance.randrange(0, 24), chance.choice((0, 0, 15, 30, 45))))
    length = timedelta(minutes=chance.choice((0, 15, 30, 30, 60, 60, 90, 26 * 60)))
    original = CUSTOM_ZONE if zone == "UTC" and chance.random() < 0.2 else zone
    return _span(start, start + length, zone, original)


def _span(start: datetime, end: datetime, zone: str, original: str) -> Json:
    return {
        "start": {"dateTime": write_wall(start), "timeZone": zone},
        "end": {"dateTime": write_wall(end), "timeZone": zone},
        "originalStartTimeZone": original,
        "originalEndTimeZone": original,
    }


def _body(payload: Json, number: int, chance: Random) -> None:
    text = chance.choice(TEXTS)
    kind = chance.choice(("html", "html", "html", "text"))
    content = text if kind == "text" else as_html(text)
    if kind == "html" and chance.random() < 0.25:
        url = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{number:08d}%40thread.v2/0?context=%7b%7d"
        content = content.replace("</body>", JOIN_BLOB.format(url=url, number=number % 1000) + "</body>")
        payload |= {
            "isOnlineMeeting": True,
            "onlineMeetingProvider": "teamsForBusiness",
            "onlineMeeting": {"joinUrl": url},
        }
    payload["body"] = {"contentType": kind, "content": content}
    payload["bodyPreview"] = preview(payload["body"])


def _people(mailbox: Mailbox, payload: Json, number: int, chance: Random) -> None:
    """Nobody else, guests of one's own event, or oneself among the guests of another's."""
    role = chance.choice(("alone", "alone", "organizer", "guest"))
    if role == "alone":
        payload["transactionId"] = f"00000000-0000-4000-8000-{number:012d}" if chance.random() < 0.3 else None
        return
    me = {"name": mailbox.identity.name, "address": mailbox.identity.microsoft_upn}
    guests = [_attendee(name, address, chance) for name, address in chance.sample(PEOPLE[:4], chance.randrange(1, 4))]
    if chance.random() < 0.2:
        guests.append(_attendee(*PEOPLE[4], chance) | {"type": "resource"})
    payload["attendees"] = guests
    if role == "organizer":
        return
    response = chance.choice(("accepted", "tentativelyAccepted", "notResponded", "declined"))
    status = {"response": response, "time": NEVER if response == "notResponded" else "2026-01-02T03:04:05Z"}
    host = {"name": "Organizer, Olga", "address": "olga@example.com"}
    payload |= {
        "isOrganizer": False,
        "responseRequested": chance.random() < 0.9,
        "organizer": {"emailAddress": host},
        "responseStatus": status,
        "allowNewTimeProposals": chance.random() < 0.8,
        "hideAttendees": chance.random() < 0.2,
    }
    own = {"type": "required", "status": status, "emailAddress": me}
    organizer = {"type": "required", "status": {"response": "none", "time": NEVER}, "emailAddress": host}
    payload["attendees"] = [own] if payload["hideAttendees"] else [organizer, own, *guests]


def _attendee(name: str, address: str, chance: Random) -> Json:
    response = chance.choice(("none", "accepted", "declined", "tentativelyAccepted", "notResponded"))
    answered = response not in {"none", "notResponded"}
    return {
        "type": chance.choice(("required", "required", "optional")),
        "status": {"response": response, "time": "2026-01-01T08:00:00Z" if answered else NEVER},
        "emailAddress": {"name": name or address, "address": address},
    }


def _make_showcase(event: Event, number: int, anchor: date) -> None:
    """Even a small mailbox has a weekly series for each thing that can happen to an instance."""
    first = anchor + timedelta(weeks=number)
    zone = ZONES[number % len(ZONES)]
    start = datetime.combine(first, time(9, 30))
    weekly = {"type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": [WEEKDAYS[first.weekday()]]}
    event.payload |= _span(start, start + timedelta(minutes=45), zone, zone)
    event.payload |= {
        "isAllDay": False,
        "type": "seriesMaster",
        "recurrence": {
            "pattern": weekly | {"firstDayOfWeek": "monday", "index": "first"},
            "range": {
                "type": "numbered",
                "startDate": first.isoformat(),
                "endDate": NO_END,
                "recurrenceTimeZone": zone,
                "numberOfOccurrences": 20,
            },
        },
    }
    CHANGES[number](event, first + timedelta(weeks=2))


def _make_series(event: Event, chance: Random) -> None:
    payload = event.payload
    start = date.fromisoformat(payload["start"]["dateTime"][:10])
    pattern, first = _pattern(start, chance)
    _begin_on(payload, first)
    zone = payload["originalStartTimeZone"]
    payload |= {
        "type": "seriesMaster",
        "recurrence": {"pattern": pattern, "range": _range(pattern, first, zone, chance)},
    }
    if chance.random() < 0.4:
        return
    some = list(islice(original_days(event, first + timedelta(days=800)), 1, 9))
    chance.shuffle(some)
    for day, change in zip(some, chance.sample(CHANGES, chance.randrange(1, 4)), strict=False):
        change(event, day)


def _pattern(start: date, chance: Random) -> tuple[Json, date]:
    """A pattern of any type, and the first day at or after ``start`` that satisfies it."""
    pattern: Json = {
        "type": chance.choice(
            ("daily", "weekly", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
        ),
        "interval": chance.choice((1, 1, 1, 2, 3)),
        "month": 0,
        "dayOfMonth": 0,
        "firstDayOfWeek": chance.choice(("sunday", "monday")),
        "index": "first",
    }
    kind = pattern["type"]
    if kind.startswith("relative"):
        pattern |= {"daysOfWeek": list(chance.choice(WEEKDAY_SETS[:3])), "index": chance.choice(tuple(INDEXES))}
    elif kind == "weekly":
        pattern["daysOfWeek"] = sorted({*chance.choice(WEEKDAY_SETS), WEEKDAYS[start.weekday()]}, key=WEEKDAYS.index)
    elif kind.startswith("absolute"):
        pattern["dayOfMonth"] = chance.choice((start.day, start.day, 29, 30, 31))
    if kind.endswith("Yearly"):
        pattern["month"] = start.month
    extent = {"type": "noEnd", "startDate": start.isoformat()}
    first = next(days({"pattern": pattern, "range": extent}, start + timedelta(days=5 * 366)))
    return pattern, first


def _begin_on(payload: Json, first: date) -> None:
    start = datetime.fromisoformat(payload["start"]["dateTime"][:19])
    end = datetime.fromisoformat(payload["end"]["dateTime"][:19])
    if payload["isAllDay"]:
        end = start + timedelta(days=1)
    elif end - start > timedelta(hours=12):
        end = start + timedelta(hours=1)  # instances must not overlap
    begun = datetime.combine(first, start.time())
    payload["start"]["dateTime"] = write_wall(begun)
    payload["end"]["dateTime"] = write_wall(begun + (end - start))


def _range(pattern: Json, first: date, zone: str, chance: Random) -> Json:
    kind = chance.choice(("numbered", "numbered", "endDate", "endDate", "noEnd"))
    if pattern["type"] == "daily" and kind == "noEnd":
        kind = "numbered"
    last = first + timedelta(days=chance.randrange(20, 400))
    return {
        "type": kind,
        "startDate": first.isoformat(),
        "endDate": last.isoformat() if kind == "endDate" else NO_END,
        "recurrenceTimeZone": zone,
        "numberOfOccurrences": chance.randrange(2, 21) if kind == "numbered" else 0,
    }


def _exception(event: Event, day: date, patch: Json) -> None:
    event.exceptions[day] = occurrence(event, day) | {"type": "exception"} | patch


def _moved(event: Event, day: date) -> None:
    """An hour later and in another zone, still on its day."""
    plain = occurrence(event, day)
    if plain["isAllDay"] or plain["start"]["dateTime"][11:13] > "21":
        _exception(event, day, {"subject": "Moved"})
        return
    shifted = {}
    for name in ("start", "end"):
        wall = datetime.fromisoformat(plain[name]["dateTime"][:19]) + timedelta(hours=1)
        shifted[name] = {"dateTime": write_wall(wall), "timeZone": plain[name]["timeZone"]}
    _exception(event, day, shifted)


def _renamed(event: Event, day: date) -> None:
    _exception(event, day, {"subject": f"{event.payload['subject']} (room change)", "showAs": "tentative"})


def _made_all_day(event: Event, day: date) -> None:
    zone = occurrence(event, day)["start"]["timeZone"]
    start = datetime.combine(day, time())
    _exception(event, day, _span(start, start + timedelta(days=1), zone, zone) | {"isAllDay": True})


def _deleted(event: Event, day: date) -> None:
    event.cancelled.add(day)


def _called_off(event: Event, day: date) -> None:
    subject = f"Canceled: {event.payload['subject']}"
    _exception(event, day, {"subject": subject, "isCancelled": True, "showAs": "free"})


CHANGES: tuple[Callable[[Event, date], None], ...] = (_moved, _renamed, _made_all_day, _deleted, _deleted, _called_off)
