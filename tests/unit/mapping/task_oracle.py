"""What every body of a task must be, judged by readers that share no code with ours, and what they read in it."""

from typing import Any

import icalendar

from tests.unit.mapping import line_oracle

ONCE = frozenset({
    "UID", "DTSTAMP", "DTSTART", "DUE", "SUMMARY", "DESCRIPTION", "X-ALT-DESC", "CREATED", "LAST-MODIFIED", "STATUS",
    "COMPLETED", "PERCENT-COMPLETE", "PRIORITY", "CATEGORIES", "RRULE", "RELATED-TO", "URL", "X-CCD-KEEP",
    "X-APPLE-SORT-ORDER", "X-GOOGLE-POSITION", "X-GOOGLE-HIDDEN", "X-GOOGLE-ASSIGNED-FROM", "X-MICROSOFT-STATUS",
    "X-MICROSOFT-HAS-ATTACHMENTS",
})  # fmt: skip
OFTEN = frozenset({"ATTACH", "X-MICROSOFT-LINKED-RESOURCE", "X-MICROSOFT-CHECKLIST-ITEM"})
ALLOWED = {
    "VCALENDAR": frozenset({"VERSION", "PRODID"}),
    "VTODO": ONCE | OFTEN,
    "VALARM": frozenset({"ACTION", "TRIGGER", "DESCRIPTION"}),
}


def assert_sound(body: str) -> None:
    """No line that the codec does not mean, and readable by the icalendar library."""
    assert all(len(line.encode()) <= 75 for line in line_oracle.physical_lines(body))
    assert [character for character in body if character < " " and character not in "\r\n\t"] == []
    path: list[str] = []
    names: list[str] = []
    for line in line_oracle.read(body):
        if line.name == "BEGIN":
            path.append(line.value)
        elif line.name == "END":
            assert path.pop() == line.value
        else:
            assert line.name in ALLOWED[path[-1]], line.name
            names += [line.name] if path[-1] == "VTODO" else []
    assert path == []
    assert all(names.count(name) == 1 for name in ("UID", "DTSTAMP", "STATUS", "X-CCD-KEEP"))
    assert all(names.count(name) <= 1 for name in ONCE)
    task = todo(body)
    assert "DTSTART" in task or "RRULE" not in task
    if "DTSTART" in task and "DUE" in task:
        assert type(task["DTSTART"].dt) is type(task["DUE"].dt)
        assert task["DTSTART"].dt <= task["DUE"].dt
    assert [part.errors for part in icalendar.Calendar.from_ical(body).walk() if part.errors] == []


def todo(body: str) -> Any:
    [found] = icalendar.Calendar.from_ical(body).walk("VTODO")
    return found


def says(body: str) -> dict[str, Any]:
    """What a body says that both directions know; equal for equal meanings. Alarms by their times."""
    task = todo(body)
    found = {
        "SUMMARY": str(task.get("SUMMARY", "")),
        "DESCRIPTION": str(task.get("DESCRIPTION", "")).strip("\n"),
        "STATUS": str(task.get("STATUS", "NEEDS-ACTION")),
        "PRIORITY": int(task.get("PRIORITY", 0)),
        "CATEGORIES": sorted({str(one) for one in task["CATEGORIES"].cats}) if "CATEGORIES" in task else [],
        "RRULE": task["RRULE"].to_ical() if "RRULE" in task else b"",
        "RELATED-TO": str(task.get("RELATED-TO", "")),
        "X-MICROSOFT-STATUS": str(task.get("X-MICROSOFT-STATUS", "")),
        "steps": [(str(one), one.params.get("X-CHECKED")) for one in _all(task.get("X-MICROSOFT-CHECKLIST-ITEM"))],
        "alarms": [alarm["TRIGGER"].dt for alarm in task.walk("VALARM")],
    }
    for name in ("DTSTART", "DUE", "COMPLETED"):
        found[name] = task[name].dt if name in task else None
    return found


def _all(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
