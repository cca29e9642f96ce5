"""What becomes of each member of a To Do task, and the tables that both directions read."""

from datetime import UTC, date, datetime, timedelta

from ccdaemon.mapping.coverage import Row, Ways
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.moments import Moment, parse_rfc3339, shifted
from ccdaemon.mapping.zones import find_zone
from ccdaemon.model import Json

CHECKLIST_ITEM = "X-MICROSOFT-CHECKLIST-ITEM"
LINKED_RESOURCE = "X-MICROSOFT-LINKED-RESOURCE"

STATES = {
    "notStarted": "NEEDS-ACTION",
    "inProgress": "IN-PROCESS",
    "completed": "COMPLETED",
    "waitingOnOthers": "IN-PROCESS",
    "deferred": "NEEDS-ACTION",
}
"""status -> STATUS."""

WORDS_OF_STATES = {"waitingOnOthers": "WAITING-ON-OTHERS", "deferred": "DEFERRED"}
"""status -> X-MICROSOFT-STATUS, where STATUS does not say it all."""

PRIORITIES = {"high": "1", "low": "9"}
"""importance -> PRIORITY (RFC 5545 section 3.8.1.9); none for normal."""

_APPLICATION = "ccdaemon"
_MAX_UID = 255  # characters
_HALF_A_DAY = timedelta(hours=12)


def day_of(task: Json, field: str) -> date | None:
    """The day that a ``dateTimeTimeZone`` stands for. Raises Unmappable where it is no date or time.

    To Do has days without a time. Graph keeps one as the midnight of whoever set it and tells it in UTC, without their
    zone. The nearest midnight is taken, which is right for every zone from UTC-12 to UTC+12.
    Source: https://github.com/RogerSelwyn/MS365-ToDo/issues/29; Microsoft's own examples show 04:00.
    """
    moment = moment_of(task, field)
    if not isinstance(moment, datetime):
        return moment
    zone = find_zone(text(member(task, field), "timeZone"))
    if moment.tzinfo is None and zone is not None and zone is not UTC:
        return moment.date()
    nearest = shifted(moment, _HALF_A_DAY)
    return nearest.date() if isinstance(nearest, datetime) else nearest


def moment_of(task: Json, field: str) -> Moment | None:
    """What a ``dateTimeTimeZone`` says without its zone."""
    value = text(member(task, field), "dateTime")
    return parse_rfc3339(value, field) if value else None


def first_day(start: date | None, due: date | None, *, recurs: bool) -> date | None:
    """DTSTART: what was set, unless it lies behind DUE, where RFC 5545 has no place for it.

    A task that recurs must have one (RFC 5545 section 3.8.2.4): its due day, as Apple writes it.
    """
    if start is not None and (due is None or start <= due):
        return start
    return due if recurs else None


def client_uid(task: Json) -> str:
    """The UID that a client gave to a task that it created, "" where it was created elsewhere."""
    return next((text(one, "externalId") for one in objects(task, "linkedResources") if is_ours(one)), "")


def is_ours(resource: Json) -> bool:
    """Whether a linked resource is the one that keeps the client's UID."""
    return text(resource, "applicationName") == _APPLICATION and may_be_kept(text(resource, "externalId"))


def may_be_kept(uid: str) -> bool:
    """Whether a UID is one that a task may keep."""
    return 0 < len(uid) <= _MAX_UID and uid.isprintable() and uid == uid.strip()


def uid_resource(uid: str, title: str) -> Json:
    """The linked resource that keeps a client's UID; To Do shows its name below the task."""
    return {"applicationName": _APPLICATION, "externalId": uid, "displayName": title or _APPLICATION}


_DAY = "a day; To Do tells the midnight of whoever set it in UTC, the nearest midnight is taken"

COVERAGE: tuple[Row, ...] = (
    Row(path="@odata.etag", property="", ways=Ways.NOISE),
    Row(path="id", property="UID", ways=Ways.READ, note="hashed; a UID that a client gave is kept instead"),
    Row(path="title", property="SUMMARY", ways=Ways.BOTH),
    Row(path="body", property="DESCRIPTION", ways=Ways.BOTH),
    Row(path="body.content", property="DESCRIPTION, X-ALT-DESC", ways=Ways.BOTH, note="HTML also as plain text"),
    Row(
        path="body.contentType", property="X-ALT-DESC", ways=Ways.BOTH, note="becomes text when only the text is edited"
    ),
    Row(path="bodyLastModifiedDateTime", property="", ways=Ways.KEPT, note="LAST-MODIFIED tells of the whole task"),
    Row(path="categories", property="CATEGORIES", ways=Ways.BOTH),
    Row(
        path="completedDateTime",
        property="COMPLETED",
        ways=Ways.BOTH,
        note="To Do itself tells a day, as midnight in UTC",
    ),
    Row(path="createdDateTime", property="CREATED", ways=Ways.READ),
    Row(path="dueDateTime", property="DUE", ways=Ways.BOTH, note=_DAY),
    Row(
        path="startDateTime",
        property="DTSTART",
        ways=Ways.BOTH,
        note="likewise; left out where it is after the due day",
    ),
    Row(path="hasAttachments", property="X-MICROSOFT-HAS-ATTACHMENTS", ways=Ways.READ, note="files are not read"),
    Row(path="importance", property="PRIORITY", ways=Ways.BOTH, note="three steps: 1 to 4, none or 5, 6 to 9"),
    Row(path="isReminderOn", property="VALARM", ways=Ways.BOTH),
    Row(
        path="reminderDateTime",
        property="VALARM",
        ways=Ways.BOTH,
        note="one alarm at an instant; not shown while switched off",
    ),
    Row(path="lastModifiedDateTime", property="DTSTAMP, LAST-MODIFIED", ways=Ways.READ),
    Row(
        path="recurrence",
        property="RRULE, DTSTART",
        ways=Ways.BOTH,
        note="DTSTART is the due day where no start is set; a rule that Graph has no pattern for is refused",
    ),
    Row(path="status", property="STATUS, PERCENT-COMPLETE, X-MICROSOFT-STATUS", ways=Ways.BOTH, note="not CANCELLED"),
    Row(path="checklistItems", property=CHECKLIST_ITEM, ways=Ways.BOTH),
    Row(path="checklistItems[].id", property=CHECKLIST_ITEM, ways=Ways.READ, note="parameter X-ID"),
    Row(path="checklistItems[].displayName", property=CHECKLIST_ITEM, ways=Ways.BOTH),
    Row(path="checklistItems[].isChecked", property=CHECKLIST_ITEM, ways=Ways.BOTH, note="parameter X-CHECKED"),
    Row(path="checklistItems[].createdDateTime", property=CHECKLIST_ITEM, ways=Ways.READ, note="parameter X-CREATED"),
    Row(
        path="checklistItems[].checkedDateTime", property=CHECKLIST_ITEM, ways=Ways.READ, note="parameter X-CHECKED-AT"
    ),
    Row(path="linkedResources", property=f"ATTACH, {LINKED_RESOURCE}", ways=Ways.READ),
    Row(path="linkedResources[].id", property=f"ATTACH, {LINKED_RESOURCE}", ways=Ways.READ, note="parameter X-ID"),
    Row(path="linkedResources[].webUrl", property="ATTACH", ways=Ways.READ, note="one that is no URI is left out"),
    Row(
        path="linkedResources[].displayName",
        property=f"ATTACH, {LINKED_RESOURCE}",
        ways=Ways.READ,
        note="parameter FILENAME of ATTACH",
    ),
    Row(
        path="linkedResources[].applicationName",
        property=f"ATTACH, {LINKED_RESOURCE}",
        ways=Ways.READ,
        note="parameter X-MICROSOFT-APPLICATION",
    ),
    Row(
        path="linkedResources[].externalId",
        property=f"ATTACH, {LINKED_RESOURCE}, UID",
        ways=Ways.READ,
        note="parameter X-EXTERNAL-ID; our own entry keeps the UID of the client that created the task",
    ),
    Row(path="attachments", property="", ways=Ways.KEPT, note="files: neither asked for nor stored"),
    Row(path="attachmentSessions", property="", ways=Ways.NOISE, note="uploads on their way"),
    Row(path="extensions", property="", ways=Ways.KEPT, note="data of other programs: not asked for"),
)
"""Every member of ``todoTask``, ``checklistItem`` and ``linkedResource`` in the CSDL of Graph v1.0."""
