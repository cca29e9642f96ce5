"""Answers about tasks that the clouds may give and that no sandbox run shows every time."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ccdaemon.errors import BadAnswer, CursorExpired, Rejected
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Cursor, Kind, Original, Page, ProviderName
from ccdaemon.providers.google.tasks import GoogleTasks
from ccdaemon.providers.microsoft.tasks import ToDoLists
from ccdaemon.providers.originals import is_nameless
from ccdaemon.providers.paging import make_cursor
from tests.unit.providers.conftest import Script
from tests.unit.providers.test_odd_payloads import _collection, _factory, _said, _tokens

Start = Callable[..., Script]
LIST = _collection("list", Kind.TASKS)
DELTA = "https://graph.microsoft.com/v1.0/me/todo/lists/list/tasks/delta?$deltatoken=t"


def _google(script: Script) -> GoogleTasks:
    return GoogleTasks(_factory(script), _tokens, CODECS[ProviderName.GOOGLE, Kind.TASKS])


def _graph(script: Script) -> ToDoLists:
    return ToDoLists(_factory(script), _tokens, CODECS[ProviderName.MICROSOFT, Kind.TASKS])


def _listed(scripted: Start, *rows: Mapping[str, Any], cursor: Cursor | None = None) -> Page:
    [page] = _google(scripted(_said({"kind": "tasks#tasks", "items": rows}))).pull(LIST, cursor)
    return page


def _fed(scripted: Start, *rows: Mapping[str, Any]) -> list[Original]:
    [page] = _graph(scripted(_said({"value": rows, "@odata.deltaLink": DELTA}))).pull(LIST, None)
    return list(page.originals)


def _place(page: Page) -> dict[str, Any]:
    place: dict[str, Any] = json.loads(page.cursor or "")
    return place


# --- Google -----------------------------------------------------------------------------------------------------------


def test_the_cursor_is_the_newest_time_that_google_told(scripted: Start) -> None:
    page = _listed(
        scripted,
        {"id": "a", "updated": "2026-03-01T00:00:00.000Z"},
        {"id": "b", "updated": "2026-03-02T00:00:00.500Z"},
        {"id": "c", "updated": "soon"},
        {"id": "d"},
    )

    assert _place(page) == {"v": 1, "updated": "1772409600500000", "deltas": "0"}


def test_an_empty_list_has_a_cursor_and_the_next_pull_asks_for_everything(scripted: Start) -> None:
    empty = _listed(scripted)
    script = scripted(_said({"kind": "tasks#tasks"}))

    [page] = _google(script).pull(LIST, empty.cursor)

    assert _place(empty) == {"v": 1, "updated": "0", "deltas": "0"}
    assert _place(page) == {"v": 1, "updated": "0", "deltas": "1"}
    assert "updatedMin" not in script.heard[0].line
    assert "showDeleted=true" in script.heard[0].line


def test_a_delta_begins_a_little_before_the_newest_change_and_never_goes_back(scripted: Start) -> None:
    script = scripted(_said({"kind": "tasks#tasks", "items": [{"id": "a", "updated": "2020-01-01T00:00:00Z"}]}))
    cursor = make_cursor(1, updated="1772409600500000", deltas="7")

    [page] = _google(script).pull(LIST, cursor)

    assert "updatedMin=2026-03-01T23%3A55%3A00.500Z" in script.heard[0].line
    assert _place(page) == {"v": 1, "updated": "1772409600500000", "deltas": "8"}


def test_a_time_beyond_all_times_does_no_harm(scripted: Start) -> None:
    page = _listed(scripted, {"id": "a", "updated": "9999-12-31T23:59:59.999999Z"})
    script = scripted(_said({"kind": "tasks#tasks"}))

    list(_google(script).pull(LIST, page.cursor))

    assert "updatedMin=9999-12-31T23%3A54%3A59.000Z" in script.heard[0].line


@pytest.mark.parametrize(
    "place",
    [{}, {"updated": "x", "deltas": "0"}, {"updated": "-1", "deltas": "0"}, {"updated": "1" * 99, "deltas": "0"}],
)
def test_a_cursor_that_names_no_time_is_expired(scripted: Start, place: dict[str, str]) -> None:
    with pytest.raises(CursorExpired):
        next(_google(scripted()).pull(LIST, make_cursor(1, **place)))


def test_a_time_that_google_refuses_is_expired(scripted: Start) -> None:
    script = scripted(_said({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}, 400))

    with pytest.raises(CursorExpired):
        next(_google(script).pull(LIST, make_cursor(1, updated="1772409600500000", deltas="0")))


def test_an_account_without_any_task_list_is_a_bad_answer(scripted: Start) -> None:
    with pytest.raises(BadAnswer):
        _google(scripted(_said({"kind": "tasks#taskLists"}))).collections()
    with pytest.raises(BadAnswer):
        _graph(scripted(_said({"value": []}))).collections()


# --- both -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [{}, {"id": None}, {"id": ""}, {"id": 7}, {"id": ["x"]}])
def test_r51_a_task_without_an_id_does_not_keep_its_page_away(scripted: Start, odd: Mapping[str, Any]) -> None:
    google = _listed(scripted, {**odd, "title": "x"}, {"id": "a"}).originals
    graph = _fed(scripted, {**odd, "title": "x"}, {"id": "a"})

    for found in (google, graph):
        assert [is_nameless(one.remote_id) for one in found] == [True, False]
        assert found[1].remote_id == "a"
        assert found[0].payload == {**odd, "title": "x"}


def test_what_has_no_name_is_not_asked_for(scripted: Start) -> None:
    [nameless, _] = _fed(scripted, {}, {"id": "a"})

    assert _google(scripted()).get(LIST, nameless.remote_id) is None
    assert _graph(scripted()).get(LIST, nameless.remote_id) is None


def test_an_empty_object_is_no_task(scripted: Start) -> None:
    with pytest.raises(BadAnswer):
        _google(scripted(_said({}))).get(LIST, "a")
    with pytest.raises(BadAnswer):
        _graph(scripted(_said({}))).get(LIST, "a")


# --- Graph ------------------------------------------------------------------------------------------------------------


def test_marks_of_how_a_task_was_asked_for_are_no_part_of_it(scripted: Start) -> None:
    [found] = _fed(
        scripted,
        {
            "@odata.etag": 'W/"1"',
            "@odata.context": "x",
            "id": "a",
            "checklistItems@odata.context": "x",
            "checklistItems": [{"@odata.type": "x", "id": "1"}, 7],
            "linkedResources": None,
        },
    )

    assert found.payload == {
        "@odata.etag": 'W/"1"',
        "id": "a",
        "checklistItems": [{"id": "1"}, 7],
        "linkedResources": None,
    }


def test_a_task_that_another_list_has_is_none_and_any_other_refusal_is_told(scripted: Start) -> None:
    refusal = _said({"error": {"code": "invalidRequest"}}, 400)

    assert _graph(scripted(refusal, refusal)).get(LIST, "a") is None
    with pytest.raises(Rejected):
        _graph(scripted(refusal, _said({"id": "a"}))).get(LIST, "a")
