"""Google tasks for a new sandbox: lists, subtasks, days, notes, what was done, cleared, deleted or assigned.

The same seed gives the same tasks within one year.
"""

import random
from datetime import date, datetime, timedelta

from ccdaemon.sandbox.people_pool import NOTES
from ccdaemon.sandbox.tasks_book import Task, TaskBook, TaskList
from ccdaemon.sandbox.wire import Json

LISTS = ("Einkauf & Haushalt 🛒", 'Work; projects, "Q1"', "Someday")
"""Besides the default one; the last stays empty."""
SHARES = (0.55, 0.25, 0.2)
REACH_DAYS = 200  # days lie this far before and after the anchor
SUBTASK_SHARE = 0.3
TITLES = (
    *("Call the dentist", "Müll rausbringen", "Steuer: Belege sortieren; Teil 1, 2", "買い物", "Réserver le train"),
    *("Renew passport 🛂", 'Buy "milk" & <eggs>', "Back\\slash, comma; semicolon", "موعد", "Fix the bike", ""),
)
LINKS: tuple[Json, ...] = (
    {"type": "email", "description": "Re: invoice, March", "link": "https://mail.google.com/mail/#all/18c2f0"},
    {"type": "generic", "description": "", "link": "https://example.com/page?a=1&b=2"},
)
ASSIGNMENTS: tuple[Json, ...] = (
    {
        "linkToTask": "https://docs.google.com/document/d/1AbC/edit?taskId=x1",
        "surfaceType": "DOCUMENT",
        "driveResourceInfo": {"driveFileId": "1AbC", "resourceKey": "0-Key"},
    },
    {
        "linkToTask": "https://chat.google.com/room/AAAA/tasks/x2",
        "surfaceType": "SPACE",
        "spaceInfo": {"space": "spaces/AAAA"},
    },
)


def populate_tasks(book: TaskBook, chance: random.Random, count: int, *, anchor: date) -> None:
    """Fill a book with that many tasks, deleted ones not counted, and with the lists for them."""
    if not count:
        return
    lists = [book.task_list("@default"), *(book.create_list(title) for title in LISTS)]
    for number in range(count):
        found = chance.choices(lists[:3], SHARES)[0]
        parents = [task for task in found.children(None) if "assignmentInfo" not in task.payload]
        parent = chance.choice(parents).id if parents and chance.random() < SUBTASK_SHARE else None
        task = book.insert(found, _fields(chance, number, anchor), parent=parent)
        _decorate(task, chance, number)
    for found in lists[:3]:
        _grow_old(book, found, chance)


def _fields(chance: random.Random, number: int, anchor: date) -> Json:
    fields: Json = {"title": TITLES[number % len(TITLES)] if number < len(TITLES) else chance.choice(TITLES)}
    if chance.random() < 0.4:
        fields["notes"] = chance.choice(NOTES)
    day = anchor + timedelta(days=chance.randint(-REACH_DAYS, REACH_DAYS))
    if chance.random() < 0.55:
        fields["due"] = f"{day.isoformat()}T00:00:00.000Z"
    if chance.random() < 0.3:
        done = datetime(day.year, day.month, day.day, chance.randrange(24), chance.randrange(60))  # noqa: DTZ001
        fields |= {"status": "completed", "completed": f"{done.isoformat()}.{chance.randrange(1000):03}Z"}
    return fields


def _decorate(task: Task, chance: random.Random, number: int) -> None:
    """What no client can write."""
    if chance.random() < 0.1:
        task.payload["links"] = [dict(link) for link in LINKS[: chance.randint(1, 2)]]
    if number % 17 == 16 and "parent" not in task.payload:
        task.payload["assignmentInfo"] = ASSIGNMENTS[number // 17 % len(ASSIGNMENTS)]


def _grow_old(book: TaskBook, found: TaskList, chance: random.Random) -> None:
    """Some completed tasks were hidden when they were ticked off, and some tasks were deleted."""
    for task in found.tasks.values():
        if task.payload["status"] == "completed" and chance.random() < 0.5:
            task.payload["hidden"] = True
    for number in range(min(2, len(found.tasks))):
        gone = book.insert(found, {"title": f"Deleted long ago {number}"})
        book.delete(found, gone.id)
