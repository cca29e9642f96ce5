"""How an event, a series and each of its instances look: zones, bodies, ids, occurrence shapes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from html import escape
from html.parser import HTMLParser

from ccdaemon.sandbox import graph_ids, graph_recurrence
from ccdaemon.sandbox.graph_mailbox import Event
from ccdaemon.sandbox.graph_odata import pick
from ccdaemon.sandbox.graph_protocol import View, dumped
from ccdaemon.sandbox.graph_zones import in_zone, instant, read_wall, windows_name, write_moment, write_wall, zone
from ccdaemon.sandbox.wire import Json

#: Come only when selected; the first two only where one event is asked for.
ON_REQUEST = ("cancelledOccurrences", "exceptionOccurrences", "originalStart")
PREVIEW_CHARACTERS = 255
HTML_HEAD = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>'


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a series, or the single event itself (``day`` None)."""

    event: Event
    day: date | None  # the original one
    starts_at: datetime  # aware UTC


@dataclass(frozen=True, slots=True)
class Clockwork:
    """When a series happens by its own clock."""

    zone_name: str
    rules: tzinfo
    start: datetime  # wall clock of the first instance
    duration: timedelta  # by the wall clock


def clockwork(event: Event) -> Clockwork:
    """The wall clock of a series in the zone that its rule is meant in; UTC where that is unknown."""
    if event.clock is None:
        event.clock = _clockwork(event)
    clock: Clockwork = event.clock
    return clock


def _clockwork(event: Event) -> Clockwork:
    recurrence = event.payload.get("recurrence") or {}
    names = (
        recurrence.get("range", {}).get("recurrenceTimeZone"),
        event.payload.get("originalStartTimeZone"),
        event.payload["start"]["timeZone"],
    )
    name = next((name for name in names if name and zone(name) is not None), "UTC")
    start, end = event.payload["start"], event.payload["end"]
    if not event.payload.get("isAllDay"):
        start, end = in_zone(start, name), in_zone(end, name)
    first = read_wall(start["dateTime"])
    return Clockwork(name, zone(name) or UTC, first, read_wall(end["dateTime"]) - first)


def instances(event: Event, first: datetime, last: datetime) -> Iterator[Instance]:
    """What of an event overlaps [first, last), changed instances included and deleted ones left out."""
    if not event.is_series:
        if _overlaps(event.payload, first, last):
            yield Instance(event, None, instant(event.payload["start"]))
        return
    for day, payload in event.exceptions.items():
        if day not in event.cancelled and _overlaps(payload, first, last):
            yield Instance(event, day, instant(payload["start"]))
    clock = clockwork(event)
    for day in original_days(event, last.date() + timedelta(days=1)):
        if day + clock.duration < first.date() - timedelta(days=2):
            continue
        if day in event.cancelled or day in event.exceptions:
            continue
        start = _on(clock, day)
        end = (start + clock.duration).replace(tzinfo=clock.rules).astimezone(UTC)
        starts_at = start.replace(tzinfo=clock.rules).astimezone(UTC)
        if starts_at < last and (end > first or starts_at >= first):
            yield Instance(event, day, starts_at)


def original_days(event: Event, until: date) -> Iterator[date]:
    """Every day that the rule of a series names; none where a loaded series lacks its rule."""
    recurrence = event.payload.get("recurrence")
    return graph_recurrence.days(recurrence, until) if recurrence else iter(())


def has_instance(event: Event, day: date) -> bool:
    """Whether the series has an instance that originally begins on that day and was not deleted."""
    if day in event.cancelled:
        return False
    return day in event.exceptions or day in original_days(event, day)


def occurrence(event: Event, day: date) -> Json:
    """An unchanged instance as a whole payload, by the clock of its series."""
    clock = clockwork(event)
    start = _on(clock, day)
    master = event.payload
    kept_zone = master["start"]["timeZone"] if master.get("isAllDay") else clock.zone_name
    uid = master.get("iCalUId")
    return master | {
        "id": graph_ids.occurrence_id(event.id, day),
        "iCalUId": graph_ids.instance_uid(uid, day) if uid else uid,
        "seriesMasterId": event.id,
        "type": "occurrence",
        "occurrenceId": graph_ids.oid(event.id, day),
        "start": {"dateTime": write_wall(start), "timeZone": kept_zone},
        "end": {"dateTime": write_wall(start + clock.duration), "timeZone": kept_zone},
        "recurrence": None,
    }


def original_start(event: Event, day: date) -> str:
    """When the instance would have begun by the rule, in UTC."""
    clock = clockwork(event)
    return write_moment(_on(clock, day).replace(tzinfo=clock.rules).astimezone(UTC))


def payload_of(event: Event, day: date | None) -> Json:
    """The kept payload of the single event, the master (``day`` None) or an instance."""
    if day is None:
        return event.payload
    return event.exceptions[day] if day in event.exceptions else occurrence(event, day)


def written(event: Event, day: date | None, view: View, select: Sequence[str] | None = None) -> bytes:
    """An event as it goes out in a list; whole ones are kept unless they are mere occurrences."""
    if select is not None:
        payload = viewed(payload_of(event, day), view)
        if "originalStart" in select:
            payload = payload | {"originalStart": None}
        return dumped(pick(payload, [name for name in select if name not in ON_REQUEST[:2]]))
    key = (view, day)
    if key in event.written:
        return event.written[key]
    body = dumped(viewed(payload_of(event, day), view))
    if day is None or day in event.exceptions:
        event.written[key] = body
    return body


def written_occurrence(event: Event, days: Sequence[date], immutable: bool) -> Iterator[bytes]:
    """Unchanged instances in the meagre shape of a change feed: a Windows zone, whatever was asked for."""
    clock = clockwork(event)
    name = windows_name(clock.zone_name) or "UTC"
    same_clock = name != "UTC" or clock.zone_name == "UTC" or bool(event.payload.get("isAllDay"))
    master_id = event.id if immutable else graph_ids.regular(event.id)
    for day in days:
        start = _on(clock, day)
        if not same_clock:
            start = start.replace(tzinfo=clock.rules).astimezone(UTC).replace(tzinfo=None)
        item = graph_ids.occurrence_id(event.id, day)
        yield dumped(
            {
                "@odata.type": "#microsoft.graph.event",
                "@odata.etag": event.payload.get("@odata.etag"),
                "id": item if immutable else graph_ids.regular(item),
                "seriesMasterId": master_id,
                "type": "occurrence",
                "start": {"dateTime": write_wall(start), "timeZone": name},
                "end": {"dateTime": write_wall(start + clock.duration), "timeZone": name},
            }
        )


def viewed(payload: Json, view: View) -> Json:
    """A payload with its times in the view's zone, its body in the view's type and its ids in the view's form."""
    seen = dict(payload)
    for name in ("start", "end"):
        if isinstance(kept := payload.get(name), dict):
            seen[name] = (
                {"dateTime": kept["dateTime"], "timeZone": view.zone}
                if payload.get("isAllDay")
                else in_zone(kept, view.zone)
            )
    if view.body and isinstance(body := payload.get("body"), dict) and body["contentType"] != view.body:
        convert = as_text if view.body == "text" else as_html
        seen["body"] = {"contentType": view.body, "content": convert(body["content"])}
    if not view.immutable:
        _use_regular_ids(seen)
    return seen


@lru_cache(maxsize=4096)
def as_text(html: str) -> str:
    """The text of an HTML body, one line per block."""
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    return reader.text()


def as_html(text: str) -> str:
    """An HTML body that shows a text."""
    lines = escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return f"{HTML_HEAD}<body>{lines}</body></html>"


def preview(body: Json) -> str:
    """What ``bodyPreview`` holds."""
    text = as_text(body["content"]) if body["contentType"] == "html" else body["content"]
    return str(text).replace("\r\n", "\n").strip()[:PREVIEW_CHARACTERS]


def _on(clock: Clockwork, day: date) -> datetime:
    return datetime.combine(day, time(clock.start.hour, clock.start.minute, clock.start.second))


def _overlaps(payload: Json, first: datetime, last: datetime) -> bool:
    start, end = instant(payload["start"]), instant(payload["end"])
    return start < last and (end > first or start >= first)


def _use_regular_ids(seen: Json) -> None:
    for name in ("id", "seriesMasterId"):
        if seen.get(name):
            seen[name] = graph_ids.regular(seen[name])
    if seen.get("occurrenceId"):
        seen["occurrenceId"] = regular_oid(seen["occurrenceId"])


def regular_oid(text: str) -> str:
    """An occurrenceId with the regular form of its master's id."""
    parts = graph_ids.split_oid(text)
    return graph_ids.oid(graph_ids.regular(parts[0]), parts[1]) if parts else text


class _TextReader(HTMLParser):
    BLOCKS = frozenset(("br", "p", "div", "tr", "li", "h1", "h2", "h3", "hr"))
    HIDDEN = frozenset(("head", "style", "script"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in self.HIDDEN:
            self._hidden += 1
        elif tag in self.BLOCKS:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self.BLOCKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._parts.append(data.replace("\r", "").replace("\n", " "))

    def text(self) -> str:
        lines = (line.strip() for line in "".join(self._parts).split("\n"))
        return "\r\n".join(line for line in lines if line)
