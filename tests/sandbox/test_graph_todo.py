"""Microsoft To Do in the imitated Graph: lists, tasks, what hangs on them, their change feeds. providers.md 2.4."""

from typing import Any
from urllib.parse import quote

import pytest

from ccdaemon.sandbox.wire import Json, Refusal
from tests.sandbox.graph_driver import ADA, IMMUTABLE, GraphDriver

LISTS = "/me/todo/lists"
PAGED = f"{IMMUTABLE}, odata.maxpagesize=7"
EXPAND = "$expand=checklistItems,linkedResources"


@pytest.fixture
def graph() -> GraphDriver:
    return GraphDriver(contacts=0, events=0, tasks=150)


def tasks_of(graph: GraphDriver, list_id: str | None = None) -> str:
    return f"{LISTS}/{quote(list_id or graph.truth()['defaultListId'])}/tasks"


def replayed(known: dict[str, Json], items: list[Json]) -> dict[str, Json]:
    for item in items:
        if "@removed" in item:
            known.pop(item["id"], None)
        else:
            known[item["id"]] = bare(item)
    return known


def bare(item: Json) -> Json:
    return {name: value for name, value in item.items() if name not in {"@odata.type", "@odata.context"}}


def new_task(graph: GraphDriver, **patch: Any) -> Json:
    return graph.mutate(kind="task", action="create", patch={"title": "New"} | patch)


def test_every_task_that_exists_is_listed_once(graph: GraphDriver) -> None:
    listed = {
        one["id"]: [task["id"] for task in graph.everything(tasks_of(graph, one["id"]))]
        for one in graph.everything(LISTS)
    }

    truth = graph.truth()
    assert sum(map(len, listed.values())) == 150
    for task in truth["tasks"]:
        assert task["task"]["id"] in listed[task["listId"]]


def test_a_task_is_read_alone_as_it_is_listed(graph: GraphDriver) -> None:
    for task in graph.everything(f"{tasks_of(graph)}?{EXPAND}")[:30]:
        assert bare(graph.read(f"{tasks_of(graph)}/{task['id']}?{EXPAND}")) == task


def test_there_are_lists_of_every_kind(graph: GraphDriver) -> None:
    lists = graph.everything(LISTS)

    assert {one["wellknownListName"] for one in lists} == {"defaultList", "flaggedEmails", "none"}
    assert {(one["isOwner"], one["isShared"]) for one in lists} == {(True, False), (False, True)}
    assert bare(graph.read(f"{LISTS}/{quote(lists[0]['id'])}")) == lists[0]
    assert [one["displayName"] for one in graph.everything(f"{LISTS}?$filter=displayName eq 'Tasks'")] == ["Tasks"]


def test_the_population_has_every_property_of_a_task(graph: GraphDriver) -> None:
    tasks = [
        task for one in graph.everything(LISTS) for task in graph.everything(f"{tasks_of(graph, one['id'])}?{EXPAND}")
    ]

    seen = {name for task in tasks for name in task if not name.startswith("@") and "@" not in name}
    assert seen == {
        *("id", "body", "bodyLastModifiedDateTime", "categories", "completedDateTime", "createdDateTime"),
        *("dueDateTime", "hasAttachments", "importance", "isReminderOn", "lastModifiedDateTime", "recurrence"),
        *("reminderDateTime", "startDateTime", "status", "title", "checklistItems", "linkedResources"),
    }
    assert {task["status"] for task in tasks} == {
        *("notStarted", "inProgress", "completed", "waitingOnOthers", "deferred")
    }
    assert {task["importance"] for task in tasks} == {"low", "normal", "high"}
    assert {task["body"]["contentType"] for task in tasks} == {"text", "html"}
    assert {task["recurrence"]["pattern"]["type"] for task in tasks if "recurrence" in task} >= {"daily", "weekly"}
    assert {step["isChecked"] for task in tasks for step in task["checklistItems"]} == {True, False}
    assert [task for task in tasks if task["linkedResources"]]
    due = {task["dueDateTime"]["dateTime"][11:16] for task in tasks if "dueDateTime" in task}
    assert due == {"00:00", "22:00", "23:00"}, "midnight in UTC and by the owner's clock"


def test_what_hangs_on_a_task_comes_when_asked_for(graph: GraphDriver) -> None:
    task = new_task(graph, linkedResources=[{"applicationName": "ccdaemon", "externalId": "uid-1"}])
    step = graph.mutate(kind="checklistitem", action="create", task=task["id"], patch={"displayName": "one"})
    path = f"{tasks_of(graph)}/{task['id']}"

    plain = graph.read(path)
    expanded = graph.read(f"{path}?{EXPAND}")

    assert not {"checklistItems", "linkedResources"} & set(plain)
    assert expanded["checklistItems"] == [step]
    assert graph.everything(f"{path}/checklistItems") == [step]
    assert bare(graph.read(f"{path}/checklistItems/{step['id']}")) == step
    linked = expanded["linkedResources"]
    assert [(one["applicationName"], one["externalId"]) for one in linked] == [("ccdaemon", "uid-1")]
    assert graph.everything(f"{path}/linkedResources") == linked
    assert bare(graph.read(f"{path}/linkedResources/{linked[0]['id']}")) == linked[0]
    assert graph.refused(f"{path}/checklistItems/nothing") == (404, "ErrorItemNotFound")
    selected = graph.read(f"{path}?$select=title&$expand=checklistItems($select=displayName)")
    assert selected["checklistItems"] == [{"displayName": "one", "id": step["id"]}]
    assert "status" not in selected


def test_a_change_of_a_step_is_a_change_of_its_task(graph: GraphDriver) -> None:
    task = new_task(graph)
    _, link = graph.round(f"{tasks_of(graph)}/delta?$expand=checklistItems")
    step = graph.mutate(kind="checklistitem", action="create", task=task["id"], patch={"displayName": "one"})
    (changed,), link = graph.round(link)
    assert changed["checklistItems"] == [step]

    done = graph.mutate(
        kind="checklistitem", action="update", task=task["id"], id=step["id"], patch={"isChecked": True}
    )

    (changed,), link = graph.round(link)
    assert "checkedDateTime" in done
    assert changed["checklistItems"] == [done]
    graph.mutate(kind="checklistitem", action="delete", task=task["id"], id=step["id"])
    (changed,), _ = graph.round(link)
    assert changed["checklistItems"] == []


def test_a_first_round_tells_every_task_of_one_list(graph: GraphDriver) -> None:
    items, _ = graph.round(f"{tasks_of(graph)}/delta", prefer=PAGED)

    assert replayed({}, items) == {task["id"]: task for task in graph.everything(tasks_of(graph))}


def test_later_rounds_tell_what_changed_came_and_went(graph: GraphDriver) -> None:
    items, link = graph.round(f"{tasks_of(graph)}/delta", prefer=PAGED)
    known = replayed({}, items)
    one, other, third, *_ = sorted(known)
    home = next(found["id"] for found in graph.everything(LISTS) if found["wellknownListName"] == "none")

    graph.mutate(kind="task", action="update", id=one, patch={"title": "changed"})
    graph.mutate(kind="task", action="delete", id=other)
    graph.mutate(kind="task", action="move", id=third, collection=home)
    made = new_task(graph)

    items, link = graph.round(link, prefer=PAGED)
    assert {item["id"]: item.get("@removed") for item in items} == {
        one: None,
        other: {"reason": "deleted"},
        third: {"reason": "changed"},
        made["id"]: None,
    }
    assert replayed(known, items) == {task["id"]: task for task in graph.everything(tasks_of(graph))}
    assert graph.round(link)[0] == []
    assert third in [task["id"] for task in graph.everything(tasks_of(graph, home))]


def test_the_lists_can_be_followed(graph: GraphDriver) -> None:
    lists, link = graph.round(f"{LISTS}/delta")
    made = graph.mutate(kind="tasklist", action="create", patch={"displayName": "One"})
    gone = next(one["id"] for one in lists if one["wellknownListName"] == "none")
    graph.mutate(kind="tasklist", action="update", id=made["id"], patch={"displayName": "Two"})
    graph.mutate(kind="tasklist", action="delete", id=gone)

    changes, _ = graph.round(link)

    assert [(one["id"], one.get("displayName"), one.get("@removed")) for one in changes] == [
        (made["id"], "Two", None),
        (gone, None, {"reason": "deleted"}),
    ]
    assert replayed({}, lists + changes) == {one["id"]: one for one in graph.everything(LISTS)}
    assert graph.refused(f"{LISTS}/{quote(gone)}/tasks") == (404, "ErrorItemNotFound")


def test_a_round_keeps_what_its_first_request_asked_for(graph: GraphDriver) -> None:
    first = graph.read(f"{tasks_of(graph)}/delta?$select=title&{EXPAND}&$top=5")
    second = graph.read(first["@odata.nextLink"])

    for page in (first, second):
        assert len(page["value"]) == 5
        for task in page["value"]:
            assert {name for name in task if "@" not in name} == {"id", "title", "checklistItems", "linkedResources"}


def test_a_task_in_another_zone_shows_that_zones_clock(graph: GraphDriver) -> None:
    task = new_task(
        graph,
        dueDateTime={"dateTime": "2026-07-03T15:00:00", "timeZone": "Europe/Zurich"},
        reminderDateTime={"dateTime": "2026-07-03T08:30:00", "timeZone": "W. Europe Standard Time"},
    )
    path = f"{tasks_of(graph)}/{task['id']}"

    plain = graph.read(path)
    local = graph.read(path, prefer=f'{IMMUTABLE}, outlook.timezone="Europe/Zurich"')

    assert plain["dueDateTime"] == {"dateTime": "2026-07-02T22:00:00.0000000", "timeZone": "UTC"}
    assert plain["reminderDateTime"] == {"dateTime": "2026-07-03T06:30:00.0000000", "timeZone": "UTC"}
    assert plain["isReminderOn"] is True
    assert local["dueDateTime"] == {"dateTime": "2026-07-03T00:00:00.0000000", "timeZone": "Europe/Zurich"}
    assert local["reminderDateTime"]["dateTime"] == "2026-07-03T08:30:00.0000000"
    assert graph.refused(path, prefer='outlook.timezone="Mars"')[1] == "ErrorItemNotFound"
    unknown = graph.refused(path, prefer=f'{IMMUTABLE}, outlook.timezone="Mars"')
    assert unknown == (400, "TimeZoneNotSupportedException")


def test_completing_a_task_notes_the_day_and_reopening_it_forgets(graph: GraphDriver) -> None:
    task = new_task(graph)

    done = graph.mutate(kind="task", action="update", id=task["id"], patch={"status": "completed"})
    opened = graph.mutate(kind="task", action="update", id=task["id"], patch={"status": "deferred"})

    assert done["completedDateTime"]["dateTime"].endswith("T00:00:00.0000000")
    assert "completedDateTime" not in opened


def test_what_is_set_to_null_is_left_out(graph: GraphDriver) -> None:
    day = {"dateTime": "2026-07-03T00:00:00", "timeZone": "UTC"}
    task = new_task(graph, dueDateTime=day)

    graph.mutate(kind="task", action="update", id=task["id"], patch={"dueDateTime": None})

    assert "dueDateTime" not in graph.read(f"{tasks_of(graph)}/{task['id']}")


def test_a_body_comes_as_text_when_asked_for(graph: GraphDriver) -> None:
    task = new_task(graph, body={"contentType": "html", "content": "<p>one &amp; two</p>"})
    path = f"{tasks_of(graph)}/{task['id']}"

    text = graph.read(path, prefer=f'{IMMUTABLE}, outlook.body-content-type="text"')

    assert graph.read(path)["body"] == {"contentType": "html", "content": "<p>one &amp; two</p>"}
    assert text["body"] == {"contentType": "text", "content": "one & two"}


def test_a_regular_id_reads_the_same_task(graph: GraphDriver) -> None:
    regular = graph.everything(tasks_of(graph), prefer="")[0]
    kept = graph.everything(tasks_of(graph))[0]

    assert regular["id"] != kept["id"]
    assert graph.read(f"{tasks_of(graph)}/{regular['id']}", prefer="")["title"] == kept["title"]
    assert graph.refused(f"{tasks_of(graph)}/{regular['id']}") == (404, "ErrorItemNotFound")


def test_lists_are_filtered_ordered_and_counted(graph: GraphDriver) -> None:
    open_ones = graph.everything(f"{tasks_of(graph)}?$filter=status ne 'completed'")
    ordered = graph.everything(f"{tasks_of(graph)}?$orderby=createdDateTime desc")
    counted = graph.read(f"{tasks_of(graph)}?$count=true&$top=1")
    day = "2026-01-01T00:00:00Z"
    due = graph.everything(f"{tasks_of(graph)}?$filter=dueDateTime/dateTime ge '{day}'")

    everything = graph.everything(tasks_of(graph))
    assert len(open_ones) == len([task for task in everything if task["status"] != "completed"])
    assert [task["createdDateTime"] for task in ordered] == sorted(
        (task["createdDateTime"] for task in everything), reverse=True
    )
    assert counted["@odata.count"] == len(everything)
    assert len(due) == len([t for t in everything if t.get("dueDateTime", {}).get("dateTime", "") >= day[:10]])


def test_the_default_list_has_a_short_name_for_many_tasks_but_not_for_one(graph: GraphDriver) -> None:
    task = graph.everything(f"{LISTS}/Tasks/tasks")[0]

    assert graph.everything(tasks_of(graph))[0] == task
    assert graph.refused(f"{LISTS}/Tasks/tasks/{task['id']}") == (400, "invalidRequest")


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("?$top=0", (400, "BadRequest")),
        ("?$select=subject", (400, "BadRequest")),
        ("?$expand=attachments", (400, "BadRequest")),
        ("?$orderby=body", (400, "ErrorInvalidUrlQuery")),
        ("?$search=x", (400, "BadRequest")),
        ("/delta?$filter=status eq 'completed'", (400, "ErrorInvalidUrlQuery")),
        ("/delta?$orderby=title", (400, "ErrorInvalidUrlQuery")),
        ("/delta?$skip=1", (400, "BadRequest")),
        ("/delta?$expand=extensions", (400, "BadRequest")),
        ("/delta?$deltatoken=bad", (400, "ErrorInvalidUrlQuery")),
        ("/delta?$deltatoken=" + "A" * 43, (410, "SyncStateNotFound")),
        ("/nothing", (404, "ErrorItemNotFound")),
    ],
)
def test_a_doubtful_request_is_refused(graph: GraphDriver, path: str, refusal: tuple[int, str]) -> None:
    assert graph.refused(f"{tasks_of(graph)}{path}") == refusal


def test_tokens_run_out(graph: GraphDriver) -> None:
    _, link = graph.round(f"{tasks_of(graph)}/delta")

    graph.model.expire("sync_tokens")

    assert graph.refused(link) == (410, "SyncStateNotFound")


def test_scopes_open_tasks(graph: GraphDriver) -> None:
    """Documented for the changes of lists: reading alone is not enough."""
    graph.issue("reader", ADA, scopes=("Tasks.Read",))
    graph.issue("writer", ADA, scopes=("Tasks.ReadWrite",))
    graph.issue("other", ADA, scopes=("Calendars.ReadWrite",))

    for path in (LISTS, tasks_of(graph), f"{tasks_of(graph)}/delta"):
        assert graph.get(path, token="reader").status == 200
        assert graph.get(path, token="writer").status == 200
        assert graph.refused(path, token="other") == (403, "ErrorAccessDenied")
    assert graph.refused(f"{LISTS}/delta", token="reader") == (403, "ErrorAccessDenied")
    assert graph.get(f"{LISTS}/delta", token="writer").status == 200


def test_a_batch_reads_tasks(graph: GraphDriver) -> None:
    tasks = graph.everything(tasks_of(graph))[:3]
    parts = [
        {"id": task["id"], "method": "GET", "url": f"{tasks_of(graph)}/{task['id']}?{EXPAND}"}
        | {"headers": {"Prefer": IMMUTABLE}}
        for task in tasks
    ]

    answers = graph.batch(*parts)

    assert [answers[task["id"]]["body"]["title"] for task in tasks] == [task["title"] for task in tasks]


@pytest.mark.parametrize(
    "patch",
    [
        {"status": "done"},
        {"importance": "urgent"},
        {"dueDateTime": {"dateTime": "soon", "timeZone": "UTC"}},
        {"dueDateTime": {"dateTime": "2026-01-01T00:00:00", "timeZone": "Mars"}},
        {"recurrence": {"pattern": {"type": "hourly"}, "range": {}}},
        {"hasAttachments": True},
        {"subject": "no such property"},
    ],
)
def test_what_to_do_would_not_keep_is_refused(graph: GraphDriver, patch: Json) -> None:
    with pytest.raises(Refusal):
        new_task(graph, **patch)


def test_lists_of_the_service_stay(graph: GraphDriver) -> None:
    with pytest.raises(Refusal):
        graph.mutate(kind="tasklist", action="delete", id=graph.truth()["defaultListId"])


def test_linked_resources_come_and_go(graph: GraphDriver) -> None:
    task = new_task(graph)
    made = graph.mutate(kind="linkedresource", action="create", task=task["id"], patch={"displayName": "x"})

    graph.mutate(kind="linkedresource", action="delete", task=task["id"], id=made["id"])

    assert graph.everything(f"{tasks_of(graph)}/{task['id']}/linkedResources") == []


def test_the_same_seed_makes_the_same_tasks() -> None:
    first, second = (GraphDriver(contacts=0, events=0, tasks=30).truth() for _ in range(2))

    assert first["tasks"] == second["tasks"]
