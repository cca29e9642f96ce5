"""What Microsoft To Do holds at the start: lists, and tasks with days, reminders, rules, steps, links and HTML notes.

Days are midnights of the owner's clock, kept in UTC, as To Do's own apps write them; some were written by an API at
midnight UTC.
"""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from ccdaemon.sandbox import graph_ids
from ccdaemon.sandbox.graph_events import as_html
from ccdaemon.sandbox.graph_mailbox import Mailbox, TodoList, TodoTask
from ccdaemon.sandbox.graph_recurrence import WEEKDAYS
from ccdaemon.sandbox.graph_todo_writes import list_payload, task_payload
from ccdaemon.sandbox.graph_zones import write_moment, write_wall, zone
from ccdaemon.sandbox.wire import Json

PAST_DAYS, FUTURE_DAYS = 200, 250  # around the anchor
OWNER_ZONE = "Europe/Zurich"
FLAGGED = "flagged"

#: key, name, well-known name, whether somebody else shares it, share of the tasks
LISTS: tuple[tuple[str, str, str, bool, float], ...] = (
    ("tasks", "Tasks", "defaultList", False, 0.5),
    ("home", "Haus & Garten 🏡", "none", False, 0.25),
    ("team", "Team, shared; weekly", "none", True, 0.15),
    (FLAGGED, "Flagged Emails", "flaggedEmails", False, 0.1),
    ("empty", "Someday", "none", False, 0.0),
)
TITLES = (
    *(
        "Shop for dinner",
        "Steuererklärung; Belege, Quittungen",
        "Renew the passport 🛂",
        "レポートを書く",
        "Back\\slash",
    ),
    *("Water the plants", 'Call "Bob" & <Ann>', "اتصل بالطبيب", "Review §4, then reply", "Préparer la réunion", ""),
)
TEXTS = (
    "Two lines:\r\nsecond; with, commas",
    "Emoji 🎉👩‍🚀 and a tab\there",
    "Read https://example.com/?a=1&b=2 first",
    "long ünd weiter, " * 60,
)
HTML = (
    as_html("plain in HTML"),
    "<html><body><p>Steps:</p><ul><li>one</li><li>two &amp; three</li></ul>"
    '<a href="https://example.com/?a=1&amp;b=2">link</a></body></html>',
)
STEPS = ("Create a draft", "Review with the team", "Milk; eggs, bread", "Fertig 🎯", "最後")
CATEGORIES = ("Red category", "Work", "VIP, important", "Fußball ⚽")
STATES = (
    "notStarted",
    "notStarted",
    "notStarted",
    "inProgress",
    "completed",
    "completed",
    "waitingOnOthers",
    "deferred",
)
LINKED: tuple[Json, ...] = (
    {
        "applicationName": "Microsoft",
        "displayName": "Microsoft",
        "webUrl": "https://microsoft.com",
        "externalId": "x-1",
    },
    {"applicationName": "Partner App Name", "displayName": "Ticket #42, urgent", "externalId": "teset1243434"},
)


def populate_todo(mailbox: Mailbox, anchor: date) -> None:
    """The lists that everybody has, others when there are tasks, and the tasks."""
    ids = {}
    for key, name, well_known, shared, _ in LISTS:
        if well_known == "none" and not mailbox.world.tasks:
            continue
        ids[key] = graph_ids.container_id(mailbox.world.seed, mailbox.identity.id, key)
        payload = list_payload(ids[key], name, well_known=well_known, shared_by_other=shared)
        mailbox.todo_lists[ids[key]] = TodoList(payload=payload)
        payload["@odata.etag"] = f'W/"{graph_ids.change_key("tasklist", mailbox.identity.id, len(ids))}"'
    for number in range(mailbox.world.tasks):
        chance = mailbox.world.chance("graph", mailbox.identity.id, "task", number)
        key = chance.choices([one[0] for one in LISTS], [one[4] for one in LISTS])[0]
        task = _task(mailbox, number, anchor, chance, is_flagged=key == FLAGGED)
        mailbox.todo_tasks[task.id] = TodoTask(
            payload=task.payload, list_id=ids[key], checklist=task.checklist, linked=task.linked
        )


def _task(mailbox: Mailbox, number: int, anchor: date, chance: Random, *, is_flagged: bool) -> TodoTask:
    day = anchor + timedelta(days=chance.randint(-PAST_DAYS, FUTURE_DAYS))
    made = datetime.combine(day, time(chance.randrange(24), chance.randrange(60)), UTC) - timedelta(days=20)
    payload = task_payload(
        graph_ids.item_id(mailbox.world.seed, mailbox.identity.id, "task", number), write_moment(made)
    )
    payload |= {
        "title": TITLES[number] if number < len(TITLES) else chance.choice(TITLES),
        "importance": chance.choice(("normal", "normal", "normal", "low", "high")),
        "status": chance.choice(STATES),
        "categories": chance.sample(CATEGORIES, chance.choice((0, 0, 0, 1, 2))),
        "hasAttachments": chance.random() < 0.05,
        "lastModifiedDateTime": write_moment(made + timedelta(minutes=chance.randrange(9999))),
    }
    payload["@odata.etag"] = f'W/"{graph_ids.change_key("task", mailbox.identity.id, number)}"'
    payload |= _times(payload["status"], day, chance) | _body(payload, chance)
    checklist = _steps(number, payload["createdDateTime"], chance) if chance.random() < 0.25 else []
    linked = _linked(number, chance) if is_flagged or chance.random() < 0.1 else []
    return TodoTask(payload=payload, list_id="", checklist=checklist, linked=linked)


def _times(status: str, day: date, chance: Random) -> Json:
    found: Json = {}
    name = OWNER_ZONE if chance.random() < 0.7 else "UTC"
    if chance.random() < 0.6:
        found["dueDateTime"] = _midnight(day, name)
        if chance.random() < 0.3:
            found["startDateTime"] = _midnight(day - timedelta(days=chance.randrange(3)), name)
    if chance.random() < 0.3:
        at = datetime.combine(day, time(chance.randrange(6, 22), chance.choice((0, 15, 30))), zone(OWNER_ZONE))
        found |= {"reminderDateTime": _moment(at), "isReminderOn": status != "completed" and chance.random() < 0.9}
    if status == "completed":
        found["completedDateTime"] = _midnight(day + timedelta(days=chance.randrange(4)), name)
    elif "dueDateTime" in found and chance.random() < 0.35:
        found["recurrence"] = _recurrence(day, chance)
    return found


def _recurrence(day: date, chance: Random) -> Json:
    pattern: Json = {"type": "", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": []}
    pattern |= {"firstDayOfWeek": "sunday", "index": "first"}
    weekday, interval = WEEKDAYS[day.weekday()], chance.randint(1, 3)
    pattern |= chance.choice(
        (
            {"type": "daily", "interval": interval},
            {"type": "weekly", "interval": interval, "daysOfWeek": [weekday], "firstDayOfWeek": "monday"},
            {"type": "weekly", "daysOfWeek": sorted({"monday", "thursday", weekday})},
            {"type": "absoluteMonthly", "dayOfMonth": day.day},
            {"type": "relativeMonthly", "daysOfWeek": [weekday], "index": _index(day)},
            {"type": "absoluteYearly", "dayOfMonth": day.day, "month": day.month},
        )
    )
    extent: Json = {"type": "noEnd", "startDate": day.isoformat(), "endDate": "0001-01-01"}
    extent |= {"recurrenceTimeZone": "UTC", "numberOfOccurrences": 0}
    if chance.random() < 0.3:
        extent |= {"type": "endDate", "endDate": (day + timedelta(days=200)).isoformat()}
    return {"pattern": pattern, "range": extent}


def _index(day: date) -> str:
    return ("first", "second", "third", "fourth", "last")[(day.day - 1) // 7]


def _body(payload: Json, chance: Random) -> Json:
    if chance.random() < 0.55:
        return {}
    is_html = chance.random() < 0.3
    content = chance.choice(HTML if is_html else TEXTS)
    body = {"content": content, "contentType": "html" if is_html else "text"}
    return {"body": body, "bodyLastModifiedDateTime": payload["createdDateTime"]}


def _steps(number: int, created: str, chance: Random) -> list[Json]:
    steps = []
    for place, text in enumerate(chance.sample(STEPS, chance.randint(1, len(STEPS)))):
        step: Json = {"displayName": text, "createdDateTime": created}
        if chance.random() < 0.4:
            step |= {"checkedDateTime": created, "isChecked": True}
        else:
            step["isChecked"] = False
        steps.append(step | {"id": _part_id(number, "step", place, chance)})
    return steps


def _linked(number: int, chance: Random) -> list[Json]:
    return [dict(chance.choice(LINKED)) | {"id": _part_id(number, "link", 0, chance)}]


def _part_id(number: int, kind: str, place: int, chance: Random) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}:{kind}:{place}:{chance.random()}"))


def _midnight(day: date, name: str) -> Json:
    return _moment(datetime.combine(day, time(), zone(name)))


def _moment(moment: datetime) -> dict[str, Any]:
    return {"dateTime": write_wall(moment.astimezone(UTC).replace(tzinfo=None)), "timeZone": "UTC"}
