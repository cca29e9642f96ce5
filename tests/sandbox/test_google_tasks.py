"""Task lists and tasks of the imitated Google. providers.md 1.4."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.google_driver import AUTH, TASKS, GoogleDriver, ids

LISTS = f"{TASKS}/users/@me/lists"
EVERYTHING = {"showDeleted": "true", "showHidden": "true", "showAssigned": "true"}

Json = dict[str, Any]


def tasks_of(task_list: str = "@default") -> str:
    return f"{TASKS}/lists/{task_list}/tasks"


def all_tasks(google: GoogleDriver, **query: str) -> list[Json]:
    """Of every list."""
    lists = google.read(LISTS)["items"]
    return [task for one in lists for task in google.tasks(one["id"], maxResults=100, **query)]


def test_every_task_that_exists_is_listed_once(google: GoogleDriver) -> None:
    listed = [
        task
        for one in google.read(LISTS)["items"]
        for task in google.tasks(one["id"], maxResults=3, showHidden="true", showAssigned="true")
    ]

    assert len(set(ids(listed))) == len(listed) == 40
    assert sorted(ids(listed)) == sorted(task["id"] for tasks in google.truth()["tasks"].values() for task in tasks)


def test_a_task_is_read_alone_as_it_is_listed(google: GoogleDriver) -> None:
    for one in google.read(LISTS)["items"]:
        for task in google.tasks(one["id"], **EVERYTHING):
            assert google.read(f"{tasks_of(one['id'])}/{task['id']}") == task
        assert google.read(f"{LISTS}/{one['id']}") == one


def test_a_page_holds_twenty_tasks_and_never_more_than_a_hundred(google: GoogleDriver) -> None:
    for number in range(120):
        google.mutate("task", "create", patch={"title": str(number)})

    assert len(google.read(tasks_of())["items"]) == 20
    assert len(google.read(tasks_of(), maxResults=1000)["items"]) == 100


def test_pages_neither_skip_nor_repeat_when_tasks_come_between(google: GoogleDriver) -> None:
    first = google.read(tasks_of(), maxResults=5)
    google.mutate("task", "create", patch={"title": "new"})

    rest = list(google.pages(tasks_of(), maxResults=7, pageToken=first["nextPageToken"]))

    found = ids([task for page in (first, *rest) for task in page["items"]])
    assert len(set(found)) == len(found)
    assert "new" not in [task["title"] for page in rest for task in page["items"]]


def test_the_default_list_goes_by_two_names_and_comes_first(google: GoogleDriver) -> None:
    first = google.read(LISTS)["items"][0]

    assert google.read(f"{LISTS}/@default") == first
    assert google.tasks(first["id"]) == google.tasks("@default")


def test_an_empty_list_has_no_items(google: GoogleDriver) -> None:
    made = google.mutate("tasklist", "create", patch={"title": "Nothing"})

    assert google.read(tasks_of(made["id"]))["items"] == []


def test_what_is_hidden_deleted_assigned_or_done_shows_only_when_asked_for(google: GoogleDriver) -> None:
    shown = all_tasks(google)
    everything = all_tasks(google, **EVERYTHING)

    assert not [task for task in shown if task.get("hidden") or task.get("deleted") or "assignmentInfo" in task]
    assert [task for task in shown if task["status"] == "completed"]
    assert [task for task in everything if task.get("hidden")]
    assert [task for task in everything if task.get("deleted")]
    assert [task for task in everything if "assignmentInfo" in task]
    assert not [task for task in all_tasks(google, showCompleted="false") if task["status"] == "completed"]


def test_the_population_has_every_member_of_a_task(google: GoogleDriver) -> None:
    seen = {name for task in all_tasks(google, **EVERYTHING) for name in task}

    assert seen == {
        *("kind", "id", "etag", "title", "updated", "selfLink", "parent", "position", "notes", "status", "due"),
        *("completed", "deleted", "hidden", "links", "webViewLink", "assignmentInfo"),
    }
    assert [task for task in all_tasks(google, **EVERYTHING) if task["links"]]


def test_subtasks_name_a_parent_of_their_list(google: GoogleDriver) -> None:
    subtasks = 0
    for tasks in google.truth()["tasks"].values():
        here = {task["id"]: task for task in tasks}
        for task in tasks:
            if "parent" in task:
                subtasks += 1
                assert "assignmentInfo" not in here[task["parent"]]

    assert subtasks >= 5


def test_a_time_of_day_is_dropped_from_a_due_date(google: GoogleDriver) -> None:
    made = google.mutate("task", "create", patch={"title": "t", "due": "2026-05-04T23:30:00-08:00"})

    assert made["due"] == "2026-05-04T00:00:00.000Z"


def test_completing_a_task_notes_when_and_reopening_it_forgets(google: GoogleDriver) -> None:
    made = google.mutate("task", "create", patch={"title": "t"})

    done = google.mutate("task", "update", id=made["id"], patch={"status": "completed"})
    google.mutate("tasklist", "clear", id="@default")
    cleared = google.read(f"{tasks_of()}/{made['id']}")
    opened = google.mutate("task", "update", id=made["id"], patch={"status": "needsAction"})

    assert [one.get("status") for one in (made, done, cleared, opened)] == [
        *("needsAction", "completed", "completed", "needsAction")
    ]
    assert ["completed" in one for one in (made, done, cleared, opened)] == [False, True, True, False]
    assert [one.get("hidden") for one in (made, done, cleared, opened)] == [None, None, True, None]


def test_updated_since_tells_what_changed_and_what_was_deleted(google: GoogleDriver) -> None:
    highest = max(task["updated"] for task in google.tasks("@default", **EVERYTHING))
    google.control("clock", {"advance_seconds": 2})
    one, other, *_ = google.tasks()
    google.mutate("task", "update", id=one["id"], patch={"title": "changed"})
    google.mutate("task", "delete", id=other["id"])
    after = (datetime.fromisoformat(highest) + timedelta(milliseconds=1)).isoformat()

    changed = google.tasks("@default", updatedMin=after, **EVERYTHING)

    assert {(task["id"], task.get("deleted")) for task in changed} >= {(one["id"], None), (other["id"], True)}
    assert len(changed) < 10
    assert other["id"] not in ids(google.tasks("@default", updatedMin=after))
    assert google.tasks("@default", updatedMin=changed[0]["updated"], **EVERYTHING)


def test_a_deleted_task_keeps_its_content_and_takes_its_subtasks_along(google: GoogleDriver) -> None:
    parent = google.mutate("task", "create", patch={"title": "parent", "notes": "n"})
    child = google.mutate("task", "create", parent=parent["id"], patch={"title": "child"})

    google.mutate("task", "delete", id=parent["id"])

    gone = google.read(f"{tasks_of()}/{parent['id']}")
    assert (gone["title"], gone["notes"], gone["deleted"]) == ("parent", "n", True)
    assert google.read(f"{tasks_of()}/{child['id']}")["deleted"] is True


def test_days_bound_what_is_due_and_what_was_done(google: GoogleDriver) -> None:
    google.mutate("tasklist", "create", patch={"title": "Days"})
    here = google.read(LISTS)["items"][-1]["id"]
    for day in (1, 5, 9):
        patch = {"title": str(day), "due": f"2026-03-0{day}T00:00:00Z", "status": "completed"}
        google.mutate("task", "create", collection=here, patch=patch | {"completed": f"2026-04-0{day}T10:00:00.000Z"})
    google.mutate("task", "create", collection=here, patch={"title": "never"})

    due = google.tasks(here, dueMin="2026-03-05T00:00:00Z", dueMax="2026-03-08T00:00:00Z")
    late = google.tasks(here, dueMin="2026-03-05T00:00:00+02:00")
    done = google.tasks(here, completedMin="2026-04-01T10:00:00Z", completedMax="2026-04-05T10:00:00Z")

    assert [task["title"] for task in due] == ["5"]
    assert sorted(task["title"] for task in late) == ["5", "9"]
    assert sorted(task["title"] for task in done) == ["1", "5"]


def test_a_new_task_comes_first_and_a_moved_one_after_its_neighbour(google: GoogleDriver) -> None:
    here = google.mutate("tasklist", "create", patch={"title": "Order"})["id"]
    made = [google.mutate("task", "create", collection=here, patch={"title": name})["id"] for name in "abc"]

    google.mutate("task", "move", collection=here, id=made[0], previous=made[2])
    google.mutate("task", "move", collection=here, id=made[1], parent=made[0])

    listed = {task["title"]: task for task in google.tasks(here)}
    assert listed["b"]["parent"] == made[0]
    assert listed["c"]["position"] < listed["a"]["position"]
    assert all(len(task["position"]) == 20 for task in listed.values())
    google.mutate("task", "move", collection=here, id=made[0])
    assert [task["title"] for task in google.tasks(here) if "parent" not in task] == ["a", "c"]


def test_a_task_moves_to_another_list_with_its_subtasks(google: GoogleDriver) -> None:
    here = google.mutate("tasklist", "create", patch={"title": "There"})["id"]
    parent = google.mutate("task", "create", patch={"title": "parent"})["id"]
    child = google.mutate("task", "create", parent=parent, patch={"title": "child"})["id"]

    google.mutate("task", "move", id=parent, destination=here)

    assert {task["id"]: task.get("parent") for task in google.tasks(here)} == {parent: None, child: parent}
    assert google.read(f"{tasks_of()}/{parent}")["deleted"] is True


def test_lists_come_change_and_go(google: GoogleDriver) -> None:
    made = google.mutate("tasklist", "create", patch={"title": "One"})
    renamed = google.mutate("tasklist", "update", id=made["id"], patch={"title": "Two"})

    assert renamed["etag"] != made["etag"]
    assert google.read(LISTS)["items"][-1] == renamed
    google.mutate("tasklist", "delete", id=made["id"])
    assert made["id"] not in ids(google.read(LISTS)["items"])
    assert google.refused(tasks_of(made["id"])) == (404, "notFound")


def test_a_change_moves_the_etag_of_the_task_and_of_the_listing(google: GoogleDriver) -> None:
    before = google.read(tasks_of(), maxResults=1)
    task = before["items"][0]

    changed = google.mutate("task", "update", id=task["id"], patch={"notes": "other"})

    assert changed["etag"] != task["etag"]
    assert google.read(tasks_of(), maxResults=1)["etag"] != before["etag"]


@pytest.mark.parametrize(
    ("path", "query", "refusal"),
    [
        (LISTS, {"syncToken": "x"}, (400, "INVALID_ARGUMENT")),
        (LISTS, {"maxResults": "0"}, (400, "INVALID_ARGUMENT")),
        (LISTS, {"pageToken": "x"}, (400, "INVALID_ARGUMENT")),
        (f"{LISTS}/nowhere", {}, (404, "notFound")),
        (tasks_of("nowhere"), {}, (404, "notFound")),
        (f"{tasks_of()}/nothing", {}, (404, "notFound")),
        (tasks_of(), {"maxResults": "-1"}, (400, "INVALID_ARGUMENT")),
        (tasks_of(), {"maxResults": "many"}, (400, "INVALID_ARGUMENT")),
        (tasks_of(), {"updatedMin": "yesterday"}, (400, "INVALID_ARGUMENT")),
        (tasks_of(), {"updatedMin": "2026-01-01T00:00:00"}, (400, "INVALID_ARGUMENT")),
        (tasks_of(), {"showHidden": "yes"}, (400, "INVALID_ARGUMENT")),
        (tasks_of(), {"orderBy": "due"}, (400, "INVALID_ARGUMENT")),
        (f"{tasks_of()}/nothing", {"showHidden": "true"}, (400, "INVALID_ARGUMENT")),
    ],
)
def test_a_doubtful_request_is_refused(
    google: GoogleDriver, path: str, query: dict[str, str], refusal: tuple[int, str]
) -> None:
    assert google.refused(path, **query) == refusal


def test_a_page_token_serves_its_own_listing_only(google: GoogleDriver) -> None:
    token = google.read(tasks_of(), maxResults=1)["nextPageToken"]

    assert google.refused(tasks_of(), pageToken=token, showHidden="true") == (400, "INVALID_ARGUMENT")
    other = google.read(LISTS)["items"][1]["id"]
    assert google.refused(tasks_of(other), pageToken=token) == (400, "INVALID_ARGUMENT")


def test_a_token_without_the_scope_reads_no_task(google: GoogleDriver) -> None:
    wrong = google.token(f"{AUTH}calendar", f"{AUTH}contacts")
    right = google.token(f"{AUTH}tasks")

    assert google.refused(LISTS, token=wrong) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    assert google.refused(tasks_of(), token=wrong) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    assert google.refused(LISTS, token="") == (401, "authError")
    assert google.get(tasks_of(), token=right).status_code == 200


def test_other_people_see_their_own_tasks(google: GoogleDriver) -> None:
    other = next(one for one in google.sandbox.world.identities if one != google.person.id)
    token = google.token(f"{AUTH}tasks.readonly", person=other)

    theirs = google.get(LISTS, token=token).json()["items"]

    assert not set(ids(theirs)) & set(ids(google.read(LISTS)["items"]))
    assert google.get(tasks_of(google.read(LISTS)["items"][0]["id"]), token=token).status_code == 404


def test_a_loaded_task_comes_back_as_it_was(google: GoogleDriver) -> None:
    task = {
        "id": "blJQR1hfaXhSU0tMY3gwdg",
        "title": "Example Task",
        "selfLink": "https://www.googleapis.com/tasks/v1/lists/x/tasks/blJQR1hfaXhSU0tMY3gwdg",
        "position": "00000000000000000000",
        "status": "needsAction",
        "due": "2020-12-08T00:00:00.000Z",
        "notes": "Task notes here",
        "links": [],
        "webViewLink": "https://tasks.google.com/task/nRPGX_ixRSKLcx0v?sa=6",
    }
    google.load("task", [task])

    read = google.read(f"{tasks_of()}/{task['id']}")

    assert {name: value for name, value in read.items() if name not in {"kind", "etag", "updated"}} == task


@pytest.mark.parametrize(
    "patch",
    [{"title": "x" * 1025}, {"notes": "x" * 8193}, {"status": "done"}, {"due": "2026-01-01"}, {"parent": "x"}],
)
def test_what_google_would_not_keep_is_refused(google: GoogleDriver, patch: Json) -> None:
    order = {"person": google.person.id, "provider": "google", "kind": "task", "action": "create", "patch": patch}

    answer = google.session.post(f"{google.url}/__sandbox__/mutate", json=order, timeout=10)

    assert answer.status_code == 400
