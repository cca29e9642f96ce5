"""The way back of Google tasks: the PATCH, and the move below another task, that an edited VTODO means.

Google holds a title, notes, a day and whether a task is done. What a client says beyond that (a rule, alarms, a start,
a time of day, a priority) has no place there and stays in our store: ``unheld`` names it. It is no reason to refuse the
rest: a task without its reminder is still the task.
Source: https://developers.google.com/workspace/tasks/reference/rest/v1/tasks
"""

from collections.abc import Sequence
from datetime import date, datetime

from ccdaemon.errors import Unwritable
from ccdaemon.mapping import vtodo
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.google_tasks.fields import id_of
from ccdaemon.mapping.merge import absence
from ccdaemon.mapping.vtodo import EVERYBODY, Todo
from ccdaemon.model import Action, Json, Original, Write

_HELD = frozenset({"SUMMARY", "DESCRIPTION", "DUE", "STATUS", "RELATED-TO"})
_LONGEST = {"title": 1024, "notes": 8192}  # characters
_PROPERTY = {"title": "SUMMARY", "notes": "DESCRIPTION"}


def writes(body: str | None, own_body: str | None, original: Original | None, knows: frozenset[str]) -> Sequence[Write]:
    """See ``Codec.to_writes``; ``own_body`` is what ``original`` maps to."""
    if original is None or own_body is None:
        return [] if body is None else [_create(vtodo.read(body))]
    if body is None:
        return [Write(action=Action.DELETE, remote_id=original.remote_id, etag=original.etag)]
    base, mine = vtodo.read(own_body), vtodo.read(body)
    changed = vtodo.changed(base, mine, absence(mine.component.lines, everybody=EVERYBODY, knows=knows))
    found = []
    if patch := _patch(changed, base, mine, original.payload):
        found.append(
            Write(action=Action.PATCH, remote_id=original.remote_id, etag=original.etag, payload=_checked(patch))
        )
    if "RELATED-TO" in changed and _can_move(mine):
        _refuse_move_of_assigned(original.payload)
        found.append(Write(action=Action.MOVE, remote_id=original.remote_id, payload=_new_place(mine)))
    return found


def unheld(body: str, own_body: str | None) -> Sequence[str]:
    """See ``Codec.unheld``."""
    base, mine = None if own_body is None else vtodo.read(own_body), vtodo.read(body)
    found = set(vtodo.own_lines(base, mine, _HELD))
    if vtodo.has_time(mine, "DUE"):
        found.add("DUE")
    if mine.state in ("IN-PROCESS", "CANCELLED"):
        found.add("STATUS")
    if mine.parent != (base.parent if base else "") and not _can_move(mine):
        found.add("RELATED-TO")
    return sorted(found)


def _create(mine: Todo) -> Write:
    """The parent is named beside the payload: ``tasks.insert`` takes it as a parameter."""
    payload: Json = {}
    if mine.summary:
        payload["title"] = mine.summary
    if mine.description:
        payload["notes"] = mine.description
    if mine.due is not None:
        payload["due"] = _due(mine.due)
    if mine.state == "COMPLETED":
        payload |= _done(mine.completed)
    return Write(action=Action.CREATE, remote_id="", parent=id_of(mine.parent), payload=_checked(payload))


def _patch(changed: frozenset[str], base: Todo, mine: Todo, task: Json) -> Json:
    payload: Json = {}
    if "SUMMARY" in changed:
        payload["title"] = mine.summary
    if "DESCRIPTION" in changed:
        _refuse_notes_of_document(mine, task)
        payload["notes"] = mine.description
    if "DUE" in changed:
        payload["due"] = None if mine.due is None else _due(mine.due)
    is_done, was_done = mine.state == "COMPLETED", base.state == "COMPLETED"
    if is_done and (not was_done or "COMPLETED" in changed):
        payload |= _done(mine.completed) if not was_done else {"completed": _done(mine.completed)["completed"]}
    elif was_done and "STATUS" in changed and not is_done:
        payload |= {"status": "needsAction", "completed": None}
    return payload


def _done(completed: datetime | None) -> Json:
    """Google writes the time itself where a client named none."""
    told = {} if completed is None else {"completed": f"{completed.replace(tzinfo=None).isoformat()}.000Z"}
    return {"status": "completed", **told}


def _due(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z"


def _can_move(mine: Todo) -> bool:
    """To the top of the list, or below a task that Google knows."""
    return not mine.parent or bool(id_of(mine.parent))


def _new_place(mine: Todo) -> Json:
    return {"parent": id_of(mine.parent)} if mine.parent else {}


def _checked(payload: Json) -> Json:
    for name, longest in _LONGEST.items():
        if len(payload.get(name) or "") > longest:
            raise Unwritable(f"{_PROPERTY[name]}: longer than the {longest:,} characters that Google takes")
    return payload


def _refuse_notes_of_document(mine: Todo, task: Json) -> None:
    if mine.description and text(member(task, "assignmentInfo"), "surfaceType") == "DOCUMENT":
        raise Unwritable("DESCRIPTION: Google takes no notes for a task that was assigned in a document")


def _refuse_move_of_assigned(task: Json) -> None:
    if member(task, "assignmentInfo"):
        raise Unwritable("RELATED-TO: Google moves no assigned task below another one")
