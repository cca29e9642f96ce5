"""The way back of To Do tasks: the PATCH, and the changes of its checklist, that an edited VTODO means.

To Do holds days, one reminder, one rule and three steps of importance. What a client says beyond that stays in our
store, and ``unheld`` names it. Files and links of a task are read only.
Sources: https://learn.microsoft.com/graph/api/todotask-update, todotask-post-checklistitems, providers.md section 2.4
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import vtodo
from ccdaemon.mapping.contentline import ContentLine, unescape_text
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.graph_recurrence import pattern_of
from ccdaemon.mapping.graph_tasks.fields import (
    CHECKLIST_ITEM,
    STATES,
    WORDS_OF_STATES,
    day_of,
    first_day,
    may_be_kept,
    uid_resource,
)
from ccdaemon.mapping.html_text import text_of_html
from ccdaemon.mapping.merge import Absence, absence, align
from ccdaemon.mapping.text import clean
from ccdaemon.mapping.vtodo import EVERYBODY, Todo
from ccdaemon.model import Action, Json, Original, Target, Write

_HELD = frozenset({
    "SUMMARY", "DESCRIPTION", "X-ALT-DESC", "DTSTART", "DUE", "RRULE", "STATUS", "X-MICROSOFT-STATUS", "PRIORITY",
    "CATEGORIES", "VALARM", CHECKLIST_ITEM,
})  # fmt: skip
_IMPORTANCE = {1: "high", 0: "normal", -1: "low"}
_PLAIN = {"NEEDS-ACTION": "notStarted", "IN-PROCESS": "inProgress", "COMPLETED": "completed"}
_OF_WORD = {word: status for status, word in WORDS_OF_STATES.items()}
_UTC = "UTC"


def writes(body: str | None, own_body: str | None, original: Original | None, knows: frozenset[str]) -> Sequence[Write]:
    """See ``Codec.to_writes``; ``own_body`` is what ``original`` maps to."""
    if original is None or own_body is None:
        return [] if body is None else [_create(vtodo.read(body))]
    if body is None:
        return [Write(action=Action.DELETE, remote_id=original.remote_id, etag=original.etag)]
    base, mine = vtodo.read(own_body), vtodo.read(body)
    if mine.has_occurrences:
        raise Unwritable("RECURRENCE-ID: To Do has no single occurrences of a task")
    judged = _absence(mine, knows)
    patch = _patch(base, mine, original.payload, judged)
    found = []
    if patch:
        found.append(Write(action=Action.PATCH, remote_id=original.remote_id, etag=original.etag, payload=patch))
    return [*found, *_checklist_writes(base, mine, original.remote_id, judged)]


def unheld(body: str, own_body: str | None) -> Sequence[str]:
    """See ``Codec.unheld``."""
    base, mine = None if own_body is None else vtodo.read(own_body), vtodo.read(body)
    found = set(vtodo.own_lines(base, mine, _HELD))
    found.update(name for name in ("DTSTART", "DUE") if vtodo.has_time(mine, name))
    if mine.state == "CANCELLED":
        found.add("STATUS")
    if vtodo.unheld_alarms(mine):
        found.add("VALARM")
    return sorted(found)


def _absence(mine: Todo, knows: frozenset[str]) -> Absence:
    """A client that sends one alarm knows alarms."""
    alarms = [ContentLine(part.name, (), "") for part in mine.component.components]
    return absence([*mine.component.lines, *alarms], everybody=EVERYBODY, knows=knows)


# --- the task ---------------------------------------------------------------------------------------------------------


def _create(mine: Todo) -> Write:
    """The checklist follows when the task has an id."""
    payload: Json = {"title": mine.summary}
    if mine.description:
        payload["body"] = _body(mine)
    if mine.due is not None:
        payload["dueDateTime"] = _midnight(mine.due, _UTC)
    payload |= _changed_start(mine, {})
    if mine.rules:
        payload["recurrence"] = _recurrence(mine)
    if (status := _status(mine, "", keeps_word=False)) != "notStarted":
        payload["status"] = status
        if mine.completed is not None:
            payload["completedDateTime"] = _instant(mine.completed)
    if mine.priority:
        payload["importance"] = _IMPORTANCE[mine.priority]
    if mine.categories:
        payload["categories"] = list(mine.categories)
    if times := vtodo.alarm_times(mine):
        payload |= {"isReminderOn": True, "reminderDateTime": _instant(times[0])}
    if may_be_kept(mine.uid):
        payload["linkedResources"] = [uid_resource(mine.uid, mine.summary)]
    return Write(action=Action.CREATE, remote_id="", payload=payload)


def _patch(base: Todo, mine: Todo, task: Json, judged: Absence) -> Json:
    changed = vtodo.changed(base, mine, judged)
    payload: Json = {}
    if "SUMMARY" in changed:
        payload["title"] = mine.summary or None
    if "DESCRIPTION" in changed or ("X-ALT-DESC" in changed and mine.html):  # HTML stays as long as its text does
        payload |= _changed_body(mine, changed)
    if "DUE" in changed:
        payload["dueDateTime"] = None if mine.due is None else _midnight(mine.due, _zone(task, "dueDateTime"))
    if base.start != mine.start or not changed.isdisjoint({"DUE", "RRULE"}):
        payload |= _changed_start(mine, task) if mine.start or judged.counts("DTSTART") else {}
    if mine.rules and not changed.isdisjoint({"RRULE"} if mine.due else {"RRULE", "DUE"}):
        payload["recurrence"] = _recurrence(mine)
    elif "RRULE" in changed and not mine.rules and mine.component.first("RRULE") is None:  # one that is over may stay
        payload["recurrence"] = None
    payload |= _changed_status(base, mine, task, judged, changed)
    if "PRIORITY" in changed:
        payload["importance"] = _IMPORTANCE[mine.priority]
    if "CATEGORIES" in changed:
        payload["categories"] = list(mine.categories)
    return payload | _changed_alarm(base, mine, judged)


def _body(mine: Todo) -> Json:
    """The HTML where the text is what it shows; else a client edited the text alone."""
    if mine.html and mine.description == text_of_html(mine.html, keep_line_ends=False):
        return {"contentType": "html", "content": mine.html}
    return {"contentType": "text", "content": mine.description}


def _changed_body(mine: Todo, changed: frozenset[str]) -> Json:
    """HTML that shows something else than the text, which is as it was, is not believed."""
    body = _body(mine)
    is_stray = "DESCRIPTION" not in changed and mine.html and body["contentType"] == "text"
    return {} if is_stray else {"body": body}


def _changed_start(mine: Todo, task: Json) -> Json:
    """What makes DTSTART of the task what it is in ``mine``, where the rest of ``mine`` would not do so already."""
    told = day_of(task, "startDateTime")
    if mine.start is None:
        return {} if told is None else {"startDateTime": None}
    is_late = mine.due is not None and mine.start > mine.due  # then it has no place
    if is_late or mine.start == first_day(told, mine.due, recurs=bool(mine.rules)):
        return {}
    return {"startDateTime": _midnight(mine.start, _zone(task, "startDateTime"))}


def _midnight(day: date, zone: str) -> Json:
    return {"dateTime": f"{day.isoformat()}T00:00:00.0000000", "timeZone": zone}


def _zone(task: Json, name: str) -> str:
    """The zone that the day stood in: Graph tells UTC unless it was asked for another one."""
    return text(member(task, name), "timeZone") or _UTC


def _instant(at: datetime) -> Json:
    return {"dateTime": f"{at.replace(tzinfo=None).isoformat()}.0000000", "timeZone": _UTC}


def _recurrence(mine: Todo) -> Json:
    if mine.due is None:
        raise Unwritable("RRULE: To Do repeats no task without a DUE")
    if len(mine.rules) > 1 or mine.component.first("RDATE") is not None or mine.component.first("EXDATE") is not None:
        raise Unwritable("RRULE: To Do has one rule for a task, without extra and excluded days")
    return pattern_of(mine.rules[0], mine.start or mine.due, _UTC)


def _status(mine: Todo, status: str, *, keeps_word: bool) -> str:
    """What To Do calls the state; ``status`` is what it is called there now, "" for a new task.

    X-MICROSOFT-STATUS counts where it is a shade of STATUS. ``keeps_word``: its absence means nothing.
    """
    wanted = _OF_WORD.get(mine.component.text("X-MICROSOFT-STATUS").strip().upper(), "")
    if STATES.get(wanted) == mine.state:
        return wanted
    if mine.state == "CANCELLED" or (keeps_word and STATES.get(status) == mine.state):
        return status or "notStarted"
    return _PLAIN[mine.state]


def _changed_status(base: Todo, mine: Todo, task: Json, judged: Absence, changed: frozenset[str]) -> Json:
    now = text(task, "status")
    now = now if now in STATES else "notStarted"
    if "STATUS" not in changed and base.state != mine.state:
        return {}
    status = _status(mine, now, keeps_word=not judged.counts("X-MICROSOFT-STATUS"))
    payload: Json = {} if status == now else {"status": status}
    if status == "completed" and mine.completed is not None and mine.completed != base.completed:
        payload["completedDateTime"] = _instant(mine.completed)
    return payload


def _changed_alarm(base: Todo, mine: Todo, judged: Absence) -> Json:
    """To Do holds one: the same as before while a client still has it, else its first."""
    before, after = vtodo.alarm_times(base), vtodo.alarm_times(mine)
    if before == after or (before and before[0] in after):
        return {}
    if after:
        return {"isReminderOn": True, "reminderDateTime": _instant(after[0])}
    return {"isReminderOn": False} if judged.counts("VALARM") else {}


# --- the checklist ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """One checklist item as a line says it."""

    id: str
    name: str
    is_checked: bool

    @property
    def says(self) -> Json:
        return {"displayName": self.name, "isChecked": self.is_checked}


def _steps(todo: Todo) -> list[_Step]:
    return [
        _Step(
            id="".join(one.param("X-ID")[:1]),
            name=clean(unescape_text(one.value)),
            is_checked=[word.upper() for word in one.param("X-CHECKED")] == ["TRUE"],
        )
        for one in todo.component.all(CHECKLIST_ITEM)
    ]


def _checklist_writes(base: Todo, mine: Todo, task_id: str, judged: Absence) -> Iterator[Write]:
    """Removals last: a list that is cut short in between has lost nothing."""
    before, after = _steps(base), _steps(mine)
    removed = []
    for left, right in align(before, after, lambda step: step.id or object(), lambda step: step.name):
        if right is None:
            assert left is not None
            removed.append(before[left])
        elif left is None:
            yield _step_write(Action.CREATE, "", task_id, after[right].says)
        elif before[left].id and before[left].says != after[right].says:
            changed = {name: said for name, said in after[right].says.items() if before[left].says[name] != said}
            yield _step_write(Action.PATCH, before[left].id, task_id, changed)
    if judged.counts(CHECKLIST_ITEM):
        for step in filter(lambda one: one.id, removed):
            yield _step_write(Action.DELETE, step.id, task_id, {})


def _step_write(action: Action, remote_id: str, task_id: str, payload: Json) -> Write:
    return Write(action=action, target=Target.CHECKLIST_ITEM, remote_id=remote_id, parent=task_id, payload=payload)
