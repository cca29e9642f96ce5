"""Our bodies of series against the imitations' own expansion: two authors, two readers, the same instants.

The imitation answers ``/instances`` from the provider's rules (month ends included); the body goes through dateutil,
and through our own expansion.
"""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote

from ccdaemon.mapping.google_events.codec import GoogleEventCodec
from ccdaemon.mapping.graph_events.codec import GraphEventCodec
from ccdaemon.mapping.occurrences import occurrences as expanded
from ccdaemon.model import Json, Original, Part
from tests.sandbox.google_driver import CALENDAR, GoogleDriver
from tests.sandbox.graph_driver import IMMUTABLE, GraphDriver
from tests.unit.mapping import event_oracle

BEGIN, END = datetime(2025, 6, 1, tzinfo=UTC), datetime(2028, 6, 1, tzinfo=UTC)
FIELDS = (
    "attendees,body,cancelledOccurrences,categories,createdDateTime,end,iCalUId,isAllDay,isCancelled,isReminderOn,"
    "lastModifiedDateTime,location,organizer,originalEndTimeZone,originalStart,originalStartTimeZone,recurrence,"
    "reminderMinutesBeforeStart,responseStatus,seriesMasterId,showAs,start,subject,type"
)


def original(payload: Json, part: Part = Part.OBJECT, remote_id: str = "") -> Original:
    return Original(
        remote_id=remote_id or payload["id"], group_id="", part=part, etag="", version=0, payload=payload
    )  # fmt: skip


def instant(moment: date | datetime) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)


def occurrences(body: str) -> set[tuple[datetime, str]]:
    """Start and title of every occurrence within the window, changed ones as they are now."""
    event_oracle.assert_sound(body)
    master, *changed = event_oracle.events(body)
    zone = master["DTSTART"].dt.tzinfo if isinstance(master["DTSTART"].dt, datetime) else UTC
    starts = {
        start.replace(tzinfo=zone).astimezone(UTC)
        for start in event_oracle.starts(master, until=END.replace(tzinfo=None) + timedelta(days=2))
    }
    found = {
        (start, str(master.get("SUMMARY", "")))
        for start in starts - {instant(one["RECURRENCE-ID"].dt) for one in changed}
    }
    found |= {(instant(one["DTSTART"].dt), str(one.get("SUMMARY", ""))) for one in changed}
    return {(start, title) for start, title in found if BEGIN <= start < END}


def our_occurrences(body: str) -> set[tuple[datetime, str]]:
    """The same by our own expansion, without a DTSTART that the rule does not meet: with us it always occurs."""
    found = expanded(body, int(BEGIN.timestamp()), int(END.timestamp()))
    master, *_ = event_oracle.events(body)
    undefined = {instant(master["DTSTART"].dt)} - {start for start, _ in occurrences(body)}
    return {
        (start, one.component.text("SUMMARY"))
        for one in found
        if (start := datetime.fromtimestamp(one.starts_at, UTC)) >= BEGIN and start not in undefined
    }


def test_a_graph_series_falls_on_its_instances():
    graph = GraphDriver(events=400)
    codec = GraphEventCodec()
    window = f"startDateTime={BEGIN:%Y-%m-%dT%H:%M:%SZ}&endDateTime={END:%Y-%m-%dT%H:%M:%SZ}"
    series = 0
    for row in graph.everything("/me/events"):
        if row["type"] != "seriesMaster":
            continue
        zone = row["originalStartTimeZone"]
        prefer = IMMUTABLE if zone.startswith("tzone:") else f'{IMMUTABLE}, outlook.timezone="{zone}"'
        path = f"/me/events/{quote(row['id'])}"
        master = graph.read(f"{path}?$select={FIELDS}&$expand=exceptionOccurrences", prefer=prefer)
        instances = graph.everything(f"{path}/instances?{window}")
        expected = {
            (datetime.fromisoformat(one["start"]["dateTime"][:19]).replace(tzinfo=UTC), one["subject"] or "")
            for one in instances
        }

        body = codec.to_body([original(master)])

        assert body is not None
        within = {(start, title) for start, title in expected if BEGIN <= start < END}
        assert occurrences(body) == within
        assert our_occurrences(body) == within
        series += 1

    assert series >= 20


def test_a_google_series_falls_on_its_instances(google: GoogleDriver):
    codec = GoogleEventCodec()
    series = 0
    entries = google.read(f"{CALENDAR}/users/me/calendarList")["items"]
    for entry in (one for one in entries if one["accessRole"] != "freeBusyReader"):
        path = f"{CALENDAR}/calendars/{quote(entry['id'])}/events"
        groups = defaultdict(list)
        for page in google.pages(path):
            for event in page["items"]:
                groups[codec.group_id(event)].append(original(event))
        shared = original(entry, Part.SHARED, "#calendar")
        for group_id, group in groups.items():
            if not any("recurrence" in one.payload for one in group):
                continue
            body = codec.to_body([*group, shared])
            instances = [
                one
                for page in google.pages(
                    f"{path}/{group_id}/instances", timeMin=BEGIN.isoformat(), timeMax=END.isoformat()
                )
                for one in page["items"]
            ]
            expected = {
                (instant(datetime.fromisoformat(start["dateTime"]) if "dateTime" in start else
                         date.fromisoformat(start["date"])), one.get("summary", ""))
                for one in instances
                if (start := one["start"])
            }  # fmt: skip

            assert body is not None
            within = {(start, title) for start, title in expected if BEGIN <= start < END}
            assert occurrences(body) == within
            assert our_occurrences(body) == within
            series += 1

    assert series >= 10
