"""Calendars, events, instances and calendar views at Graph: reading them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_contacts import extended, listing
from ccdaemon.sandbox.graph_events import (
    Instance,
    has_instance,
    instances,
    original_start,
    payload_of,
    regular_oid,
    viewed,
    written,
)
from ccdaemon.sandbox.graph_mailbox import Event, Mailbox
from ccdaemon.sandbox.graph_odata import Options, pick, read_options, sorted_by
from ccdaemon.sandbox.graph_protocol import Call, View, bad_request, dumped, not_found
from ccdaemon.sandbox.graph_zones import read_moment
from ccdaemon.sandbox.wire import Answer, Json

MAX_WINDOW = timedelta(days=1825)
WINDOW = ("startDateTime", "endDateTime")
LIST_OPTIONS = ("$select", "$top", "$skip", "$filter", "$orderby", "$count", "$expand")
VIEW_OPTIONS = (*LIST_OPTIONS, *WINDOW)

Window = tuple[datetime, datetime]


def list_calendars(call: Call) -> Answer:
    """Every calendar that the mailbox shows, the default one first."""
    options = read_options(call.request, "calendar", ("$select", "$top", "$skip", "$count"))
    calendars = [calendar.payload for calendar in call.mailbox.calendars.values()]
    context = f"{call.context}/calendars"
    return listing(call, options, context, calendars, lambda payload: _written_calendar(payload, options))


def get_calendar(call: Call, calendar_id: str | None = None) -> Answer:
    """One calendar, by default the default one."""
    options = read_options(call.request, "calendar", ("$select",))
    payload = call.mailbox.calendars[find_calendar_id(call.mailbox, calendar_id)].payload
    return call.one(f"{call.context}/calendars/$entity", _written_calendar(payload, options))


def list_events(call: Call, calendar_id: str | None = None) -> Answer:
    """The single events and masters of one calendar, by default of the default one."""
    options = read_options(call.request, "event", LIST_OPTIONS)
    _refuse_exceptions(options)
    found = call.mailbox.events_in(find_calendar_id(call.mailbox, calendar_id))
    if options.wanted is not None:
        found = [event for event in found if options.wanted(event.payload, event.extended)]
    if options.order is not None:
        found = sorted_by([(event.payload, event) for event in found], options.order)
    where = "events" if calendar_id is None else f"calendars('{calendar_id}')/events"
    view = call.prefer.view()
    return listing(call, options, f"{call.context}/{where}", found, lambda one: _row(one, None, view, options))


def get_event(call: Call, event_id: str, calendar_id: str | None = None) -> Answer:
    """One single event, master, exception or occurrence; below a calendar's path only when it is in there."""
    options = read_options(call.request, "event", ("$select", "$expand"))
    event, day = find_event(call, event_id)
    if calendar_id is not None and event.calendar_id != find_calendar_id(call.mailbox, calendar_id):
        raise not_found()
    selected = f"({','.join(options.select)})" if options.select is not None else ""
    return call.one(f"{call.context}/events{selected}/$entity", _written_alone(event, day, call.prefer.view(), options))


def list_instances(call: Call, event_id: str) -> Answer:
    """The instances of one series that overlap a window."""
    options = read_options(call.request, "event", VIEW_OPTIONS)
    _refuse_exceptions(options)
    window = read_window(options)
    event, day = find_event(call, event_id)
    if day is not None or not event.is_series:
        raise bad_request("The operation can only be performed on a recurring master.", "ErrorInvalidRequest")
    found = _wanted(instances(event, *window), options)
    return _listing(call, options, f"events('{event_id}')/instances", found)


def calendar_view(call: Call, calendar_id: str | None = None) -> Answer:
    """Single events, occurrences and exceptions that overlap a window, in full and by their start."""
    options = read_options(call.request, "event", VIEW_OPTIONS)
    _refuse_exceptions(options)
    window = read_window(options)
    calendar = find_calendar_id(call.mailbox, calendar_id)
    where = "calendarView" if calendar_id is None else f"calendars('{calendar_id}')/calendarView"
    return _listing(call, options, where, _wanted(_in_view(call.mailbox, calendar, window), options))


def find_calendar_id(mailbox: Mailbox, calendar_id: str | None) -> str:
    """The id of an existing calendar, by default of the default one. Raises GraphError 404."""
    found = mailbox.default_calendar_id if calendar_id is None else calendar_id
    if found not in mailbox.calendars:
        raise not_found()
    return found


def find_event(call: Call, event_id: str) -> tuple[Event, date | None]:
    """The event of an id in the form that the call asked for, and the day of an instance. Raises GraphError 404."""
    kept = event_id if call.prefer.immutable else graph_ids.immutable(event_id)
    return resolve_event(call.mailbox, kept or "")


def resolve_event(mailbox: Mailbox, kept_id: str) -> tuple[Event, date | None]:
    """The event of an immutable id, and the day where it names an instance. Raises GraphError 404."""
    if kept_id in mailbox.events:
        return mailbox.events[kept_id], None
    parts = mailbox.instance_ids.get(kept_id) or graph_ids.split_occurrence_id(kept_id)
    event = mailbox.events.get(parts[0]) if parts else None
    if parts is None or event is None or not has_instance(event, parts[1]):
        raise not_found()
    return event, parts[1]


def read_window(options: Options) -> Window:
    """The time window of a view. Raises GraphError 400 where it is missing, wrong or too long."""
    texts = [(options.others or {}).get(name.lower()) for name in WINDOW]
    if not all(texts):
        raise bad_request(
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime.",
            "ErrorInvalidParameter",
        )
    try:
        first, last = (read_moment(text or "") for text in texts)
    except (ValueError, OverflowError):
        raise bad_request("The value of a time window parameter is invalid.", "ErrorInvalidParameter") from None
    if last < first:
        raise bad_request("The end of the time window is before its start.", "ErrorInvalidParameter")
    if last - first > MAX_WINDOW:
        raise bad_request(
            "Your request can't be completed. The range between the start and end dates is greater than the allowed "
            f"range. Maximum number of days: {MAX_WINDOW.days}",
            "ErrorInvalidRequest",
        )
    return first, last


def _in_view(mailbox: Mailbox, calendar_id: str, window: Window) -> list[Instance]:
    """The instances of a view by start; those of the newest view are kept for its next page."""
    key = (mailbox.revision, calendar_id, window)
    if mailbox.last_view[0] != key:
        found = [found for event in mailbox.events_in(calendar_id) for found in instances(event, *window)]
        mailbox.last_view = (key, sorted(found, key=lambda instance: instance.starts_at))
    return mailbox.last_view[1]


def _wanted(found: Iterable[Instance], options: Options) -> Sequence[Instance]:
    wanted = options.wanted
    if wanted is None and options.order is None:
        return list(found)
    pairs = [(payload_of(item.event, item.day), item) for item in found]
    if wanted is not None:
        pairs = [(payload, item) for payload, item in pairs if wanted(payload, item.event.extended)]
    return sorted_by(pairs, options.order)


def _listing(call: Call, options: Options, where: str, found: Sequence[Instance]) -> Answer:
    view = call.prefer.view()
    return listing(
        call, options, f"{call.context}/{where}", found, lambda item: _row(item.event, item.day, view, options)
    )


def _row(event: Event, day: date | None, view: View, options: Options) -> bytes | Json:
    """An event of a list; one without the extended properties that were asked for is the same as when none were."""
    if not (found := extended(event.extended, options)):
        return written(event, day, view, options.select)
    payload = viewed(payload_of(event, day), view)
    return (pick(payload, options.select) if options.select else payload) | found


def _written_alone(event: Event, day: date | None, view: View, options: Options) -> bytes:
    """An event that was asked for by its id; kept, as those of lists are, with what was selected and expanded."""
    if options.select is None and options.expand is None:
        return written(event, day, view)
    key = (view, day, options.select, tuple((options.expand or {}).items()))
    if key in event.written:
        return event.written[key]
    body = dumped(_alone(event, day, view, options))
    if day is None or day in event.exceptions:
        event.written[key] = body
    return body


def _alone(event: Event, day: date | None, view: View, options: Options) -> Json:
    payload = viewed(payload_of(event, day), view)
    if options.select is not None:
        payload = pick(payload | _on_request(event, day, view, options.select), options.select)
    payload |= extended(event.extended, options)
    if options.expand and "exceptionOccurrences" in options.expand and day is None:
        payload["exceptionOccurrences"] = _exceptions(event, view, options.expand["exceptionOccurrences"])
    return payload


def _refuse_exceptions(options: Options) -> None:
    if "exceptionOccurrences" in (options.expand or {}):
        raise bad_request(
            "Expanding 'exceptionOccurrences' is only supported for a single event.", "ErrorInvalidRequest"
        )


def _on_request(event: Event, day: date | None, view: View, select: tuple[str, ...]) -> Json:
    """What comes only when selected on one event."""
    found: Json = {}
    if "originalStart" in select:
        found["originalStart"] = None if day is None else original_start(event, day)
    if "cancelledOccurrences" in select and day is None:
        oids = [graph_ids.oid(event.id, cancelled) for cancelled in sorted(event.cancelled)]
        found["cancelledOccurrences"] = oids if view.immutable else [regular_oid(text) for text in oids]
    return found


def _exceptions(event: Event, view: View, select: tuple[str, ...]) -> list[Json]:
    found = []
    for day, kept in sorted(event.exceptions.items()):
        if day in event.cancelled:
            continue
        payload = viewed(kept, view)
        if not event.verbatim:
            payload["originalStart"] = original_start(event, day)
        found.append(pick(payload, select) if select else payload)
    return found


def _written_calendar(payload: Json, options: Options) -> bytes:
    return dumped(payload if options.select is None else pick(payload, options.select))
