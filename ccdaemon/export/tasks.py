"""Task lists as documents: JSON and CSV of their VTODOs. iCalendar and jCal are those of events.py and jcal.py."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ccdaemon.export import calendar_values as values
from ccdaemon.export.events_csv import SEPARATOR, date_cell, is_private, recurrence_cell, time_cell
from ccdaemon.export.spreadsheet import row
from ccdaemon.mapping.contentline import unescape_text
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.moments import Moment

_STATUS = {
    "needs-action": "Not Started",
    "in-process": "In Progress",
    "completed": "Completed",
    "cancelled": "Cancelled",
}  # as Outlook calls them


def tasks_json(bodies: Iterable[str]) -> Iterator[str]:
    """A JSON array of ``task_object``, one VTODO a line. Raises BadData when a body is no iCalendar object."""
    return values.json_array(map(task_object, values.parts_of(bodies, "VTODO")))


def task_object(task: Component) -> dict[str, Any]:
    """One VTODO as an object that always has the same keys.

    Text: ``uid, parent`` (the UID of the task that this one is a step of), ``summary, location, description, url``, ""
    when absent; ``status, classification``, in lower case, null when absent. Times are RFC 3339, a date where the task
    has only one, null when absent: ``start, due, completed, created, last_modified``. ``percent_complete`` and
    ``priority`` are numbers, 0 when absent; ``rrule`` is a list of rules, ``categories`` one of text, ``alarms`` one of
    ``{action, trigger, is_default}``, ``checklist`` one of ``{text, checked}``.
    """
    return {
        "uid": task.text("UID"),
        "parent": task.text("RELATED-TO"),
        "summary": task.text("SUMMARY"),
        "location": task.text("LOCATION"),
        "description": task.text("DESCRIPTION"),
        "url": values.raw(task, "URL"),
        "status": values.word(task, "STATUS"),
        "classification": values.word(task, "CLASS"),
        "percent_complete": values.number(task, "PERCENT-COMPLETE"),
        "priority": values.number(task, "PRIORITY"),
        "rrule": [one.value for one in task.all("RRULE")],
        "categories": values.texts(task, "CATEGORIES"),
        "alarms": [values.alarm(part) for part in task.components if part.name == "VALARM"],
        "checklist": _checklist(task),
        **{key: _time(task, name) for key, name in _TIMES.items()},
    }


_TIMES = {
    "start": "DTSTART",
    "due": "DUE",
    "completed": "COMPLETED",
    "created": "CREATED",
    "last_modified": "LAST-MODIFIED",
}


def _time(task: Component, name: str) -> str | None:
    moment = _moment(task, name)
    return None if moment is None else values.time_text(moment)


def _moment(task: Component, name: str) -> Moment | None:
    return next(iter(values.moments(task, name)), None)


def _checklist(task: Component) -> list[dict[str, Any]]:
    """The steps of a task of Microsoft To Do."""
    return [
        {"text": unescape_text(one.value), "checked": "TRUE" in map(str.upper, one.param("X-CHECKED"))}
        for one in task.all("X-MICROSOFT-CHECKLIST-ITEM")
    ]


# --- CSV --------------------------------------------------------------------------------------------------------------


def tasks_csv(bodies: Iterable[str], *, spreadsheet_safe: bool = False) -> Iterator[str]:
    """RFC 4180 with a header line, then one row for each VTODO; dates as in ``events_csv``.

    Names of columns are those of Outlook's tasks where it has one. Raises BadData as above.
    """
    yield row(COLUMNS)
    for task in values.parts_of(bodies, "VTODO"):
        yield row((column(task) for column in COLUMNS.values()), spreadsheet_safe=spreadsheet_safe)


def _date(name: str) -> Callable[[Component], str]:
    return lambda task: date_cell(_moment(task, name))


def _priority(task: Component) -> str:
    """RFC 5545 section 3.8.1.9: 1 to 4 is high, 6 to 9 low."""
    number = values.number(task, "PRIORITY")
    return "High" if 1 <= number <= 4 else "Low" if 6 <= number <= 9 else "Normal"


COLUMNS: dict[str, Callable[[Component], str]] = {
    "Subject": lambda task: task.text("SUMMARY"),
    "Start Date": _date("DTSTART"),
    "Due Date": _date("DUE"),
    "Due Time": lambda task: time_cell(_moment(task, "DUE")),
    "Date Completed": _date("COMPLETED"),
    "% Complete": lambda task: str(values.number(task, "PERCENT-COMPLETE")),
    "Categories": lambda task: SEPARATOR.join(values.texts(task, "CATEGORIES")),
    "Notes": lambda task: task.text("DESCRIPTION"),
    "Priority": _priority,
    "Private": lambda task: str(is_private(task)),
    "Status": lambda task: _STATUS.get(values.word(task, "STATUS") or "needs-action", ""),
    "Recurrence": recurrence_cell,
    "Checklist": lambda task: "\n".join(
        f"[{'x' if one['checked'] else ' '}] {one['text']}" for one in _checklist(task)
    ),
    "Parent": lambda task: task.text("RELATED-TO"),
    "UID": lambda task: task.text("UID"),
}
"""The columns in their order and where each comes from."""
