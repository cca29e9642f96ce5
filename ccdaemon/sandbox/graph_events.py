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
EDGE_DAYS = 2  # of a window: whatever begins that far inside of it does so by every clock on earth
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
    return (Instance(event, day, _starts_at(event, day)) for day in instance_days(event, first, last))


def instance_days(event: Event, first: datetime, last: datetime) -> Iterator[date | None]:
    """The original days of ``instances``; None for a single event."""
    if not event.is_series:
        if _overlaps(event.payload, first, last):
            yield None
        return
    for day, payload in event.exceptions.items():
        if day not in event.cancelled and _overlaps(payload, first, last):
            yield day
    clock = clockwork(event)
    inside = range(first.toordinal() + EDGE_DAYS, last.toordinal() - EDGE_DAYS + 1)
    for day in original_days(event, last.date() + timedelta(days=1)):
        if day in event.cancelled or day in event.exceptions:
            continue
        if day.toordinal() in inside or _is_regular_within(clock, day, first, last):
            yield day


def _is_regular_within(clock: Clockwork, day: date, first: datetime, last: datetime) -> bool:
    """Whether the instance that the rule of a series makes on that day overlaps [first, last)."""
    if day + clock.duration < first.date() - timedelta(days=EDGE_DAYS):
        return False
    start = _on(clock, day)
    end = (start + clock.duration).replace(tzinfo=clock.rules).astimezone(UTC)
    starts_at = start.replace(tzinfo=clock.rules).astimezone(UTC)
    return starts_at < last and (end > first or starts_at >= first)


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
    return write_moment(_regular_start(event, day))


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


def written_occurrence(event: Event, day: date, *, immutable: bool) -> bytes:
    """An unchanged instance in the meagre shape of a change feed, kept too: a feed is mostly made of these."""
    key = (immutable, day)
    if key not in event.written:
        event.written[key] = dumped(_meagre(event, day, immutable=immutable))
    return event.written[key]


def _meagre(event: Event, day: date, *, immutable: bool) -> Json:
    """Its times are in a Windows zone, whatever was asked for."""
    clock = clockwork(event)
    name = windows_name(clock.zone_name) or "UTC"
    same_clock = name != "UTC" or clock.zone_name == "UTC" or bool(event.payload.get("isAllDay"))
    start = _on(clock, day) if same_clock else _regular_start(event, day).replace(tzinfo=None)
    form = str if immutable else graph_ids.regular
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": event.payload.get("@odata.etag"),
        "id": form(graph_ids.occurrence_id(event.id, day)),
        "seriesMasterId": form(event.id),
        "type": "occurrence",
        "start": {"dateTime": write_wall(start), "timeZone": name},
        "end": {"dateTime": write_wall(start + clock.duration), "timeZone": name},
    }


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


def _starts_at(event: Event, day: date | None) -> datetime:
    """When the single event (``day`` None) or an instance begins, in UTC."""
    if day is not None and day not in event.exceptions:
        return _regular_start(event, day)
    return instant(payload_of(event, day)["start"])


def _regular_start(event: Event, day: date) -> datetime:
    clock = clockwork(event)
    return _on(clock, day).replace(tzinfo=clock.rules).astimezone(UTC)


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
