"""Microsoft To Do tasks as iCalendar bodies. Fields: Graph v1.0 metadata, ``todoTask``, read with its checklist."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec, tasks
from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.event_lines import (
    description_lines,
    html_description_lines,
    stamp_line,
    text_line,
    text_list_line,
    uri,
)
from ccdaemon.mapping.fields import member, objects, text, texts
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.graph_recurrence import rule_of
from ccdaemon.mapping.graph_tasks import writes as graph_task_writes
from ccdaemon.mapping.graph_tasks.fields import (
    CHECKLIST_ITEM,
    LINKED_RESOURCE,
    PRIORITIES,
    STATES,
    WORDS_OF_STATES,
    client_uid,
    day_of,
    first_day,
    is_ours,
    moment_of,
)
from ccdaemon.mapping.moments import in_zone, moment_line, parse_rfc3339, stamp, value_of
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, ProviderName, Write


class GraphTaskCodec(Codec):
    """The Codec of Microsoft To Do lists."""

    version = 1

    def group_id(self, payload: Json) -> str:
        """The task's own id."""
        found = text(payload, "id")
        if not found:
            raise Unmappable("id: missing")
        return found

    def photo_key(self, payload: Json) -> str | None:  # noqa: ARG002
        """None: tasks have no photo."""
        return None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The task with its checklist; None when it is gone."""
        found = tasks.task_of(group)
        if found is None:
            return None
        task = found.payload
        return tasks.calendar(
            uid=client_uid(task) or tasks.uid(ProviderName.MICROSOFT, self.group_id(task)),
            stamp=_stamp(task, "lastModifiedDateTime") or _stamp(task, "createdDateTime"),
            lines=(*_texts(task), *_times(task), *_progress(task), *_checklist(task), *_links(task), *_alarm(task)),
        )

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """See graph_tasks/writes.py."""
        return graph_task_writes.writes(body, self.to_body(group), tasks.task_of(group), knows)

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """See graph_tasks/writes.py."""
        return graph_task_writes.unheld(body, self.to_body(group))

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """See mapping/tasks.py."""
        return tasks.index(body)


def _stamp(source: Json, field: str) -> datetime | None:
    return stamp(text(source, field), field)


def _texts(task: Json) -> Iterator[ContentLine]:
    yield from text_line("SUMMARY", text(task, "title"))
    body = member(task, "body")
    if text(body, "contentType").lower() == "html":
        yield from html_description_lines(text(body, "content"), keep_line_ends=False)
    else:
        yield from description_lines(text(body, "content"))
    yield from text_list_line("CATEGORIES", texts(task, "categories"))


# --- times ------------------------------------------------------------------------------------------------------------


def _times(task: Json) -> Iterator[ContentLine]:
    """DTSTART, DUE and RRULE (trap 53)."""
    due, told, recurrence = day_of(task, "dueDateTime"), day_of(task, "startDateTime"), member(task, "recurrence")
    start = first_day(told, due, recurs=bool(recurrence)) or _first_day(recurrence)
    recurs = bool(recurrence) and start is not None and not _is_over(recurrence, start)
    if not recurs:
        start = first_day(told, due, recurs=False)
    if start is not None:
        yield moment_line("DTSTART", start)
    if due is not None:
        yield moment_line("DUE", due)
    if recurs and start is not None:
        yield line("RRULE", rule_of(recurrence, start).value)


def _instant(task: Json, field: str) -> datetime | None:
    """A ``dateTimeTimeZone`` in UTC."""
    moment = moment_of(task, field)
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        raise Unmappable(f"{field}: has no time")
    zone = find_zone(text(member(task, field), "timeZone")) or UTC
    return in_zone(moment if moment.tzinfo else moment.replace(tzinfo=zone), UTC)


def _first_day(recurrence: Json) -> date | None:
    value = text(member(recurrence, "range"), "startDate")
    moment = parse_rfc3339(value[:10], "recurrence.range.startDate") if value else None
    return moment.date() if isinstance(moment, datetime) else moment


def _is_over(recurrence: Json, start: date) -> bool:
    """Whether this is what To Do made of the last occurrence: it moves the task on, the end of the series stays."""
    extent = member(recurrence, "range")
    if text(extent, "type").lower() != "enddate" or not (value := text(extent, "endDate")):
        return False
    last = parse_rfc3339(value[:10], "recurrence.range.endDate")
    return last < start


# --- everything else --------------------------------------------------------------------------------------------------


def _progress(task: Json) -> Iterator[ContentLine]:
    """STATUS has no word for waiting and for put off: those stand beside it (trap 53)."""
    status = text(task, "status")
    state = STATES.get(status, "NEEDS-ACTION")
    completed = _instant(task, "completedDateTime") if state == "COMPLETED" else None
    yield from tasks.state_lines(state, completed)
    if word := WORDS_OF_STATES.get(status):
        yield line("X-MICROSOFT-STATUS", word)
    if priority := PRIORITIES.get(text(task, "importance")):
        yield line("PRIORITY", priority)
    yield from stamp_line("CREATED", _stamp(task, "createdDateTime"))
    yield from stamp_line("LAST-MODIFIED", _stamp(task, "lastModifiedDateTime"))


def _checklist(task: Json) -> Iterator[ContentLine]:
    """Steps are too small to be tasks of their own: each is a line, in To Do's order."""
    for item in objects(task, "checklistItems"):
        created, checked = _stamp(item, "createdDateTime"), _stamp(item, "checkedDateTime")
        yield line(
            CHECKLIST_ITEM,
            escape_text(text(item, "displayName")),
            X_ID=text(item, "id") or None,
            X_CHECKED="TRUE" if item.get("isChecked") is True else "FALSE",
            X_CREATED=value_of(created) if created else None,
            X_CHECKED_AT=value_of(checked) if checked else None,
        )


def _links(task: Json) -> Iterator[ContentLine]:
    """What the task was made from: a link, or what another program calls it. Files are told of, not given."""
    for resource in objects(task, "linkedResources"):
        if is_ours(resource):
            continue
        address = uri(text(resource, "webUrl"))
        name = text(resource, "displayName")
        yield line(
            "ATTACH" if address else LINKED_RESOURCE,
            address or escape_text(name),
            FILENAME=(name or None) if address else None,
            X_MICROSOFT_APPLICATION=text(resource, "applicationName") or None,
            X_EXTERNAL_ID=text(resource, "externalId") or None,
            X_ID=text(resource, "id") or None,
        )
    if task.get("hasAttachments") is True:
        yield line("X-MICROSOFT-HAS-ATTACHMENTS", "TRUE")


def _alarm(task: Json) -> Iterator[ContentLine]:
    """A reminder is an instant, whatever day the task is due."""
    at = _instant(task, "reminderDateTime") if task.get("isReminderOn") is True else None
    if at is not None:
        yield line("BEGIN", "VALARM")
        yield line("ACTION", "DISPLAY")
        yield line("TRIGGER", value_of(at), VALUE="DATE-TIME")
        yield line("DESCRIPTION", escape_text(text(task, "title") or "Reminder"))
        yield line("END", "VALARM")
