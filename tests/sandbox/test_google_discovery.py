"""The imitation takes exactly the parameters and scopes that Google's discovery documents declare."""

from collections.abc import Iterator, Mapping

import pytest

from ccdaemon.sandbox import calendar_tables, drive, people, tasks
from ccdaemon.sandbox.google_wire import Parameter
from tests.sandbox.schemas import Method, document, reading_methods

LEFT_OUT = {
    "people.people.connections.list": {"requestMask.includeField"},
    "people.people.get": {"requestMask.includeField"},
    "people.people.getBatchGet": {"requestMask.includeField"},
}
"""Deprecated parameters that we refuse on purpose."""

PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    "people.people.connections.list": people.CONNECTIONS,
    "people.people.get": people.READ,
    "people.people.getBatchGet": people.BATCH_GET,
    "people.contactGroups.list": people.GROUPS,
    "people.contactGroups.get": people.GROUP,
    "calendar.calendarList.list": calendar_tables.LIST_PARAMETERS,
    "calendar.calendarList.get": {},
    "calendar.calendars.get": {},
    "calendar.events.list": calendar_tables.EVENTS_PARAMETERS,
    "calendar.events.get": calendar_tables.EVENT_PARAMETERS,
    "calendar.events.instances": calendar_tables.INSTANCES_PARAMETERS,
    "calendar.colors.get": {},
    "calendar.settings.list": calendar_tables.SETTINGS_PARAMETERS,
    "calendar.settings.get": {},
    "tasks.tasklists.list": tasks.LISTS_PARAMETERS,
    "tasks.tasklists.get": {},
    "tasks.tasks.list": tasks.TASKS_PARAMETERS,
    "tasks.tasks.get": {},
    "drive.about.get": {},
}
SCOPES: Mapping[str, frozenset[str]] = {
    "people.people.connections.list": people.CONTACT_SCOPES,
    "people.contactGroups.list": people.CONTACT_SCOPES,
    "calendar.calendarList.list": calendar_tables.LIST_SCOPES,
    "calendar.calendars.get": calendar_tables.CALENDAR_SCOPES,
    "calendar.events.list": calendar_tables.EVENT_SCOPES,
    "calendar.colors.get": calendar_tables.COLOUR_SCOPES,
    "calendar.settings.list": calendar_tables.SETTING_SCOPES,
    "tasks.tasklists.list": tasks.SCOPES,
    "tasks.tasks.list": tasks.SCOPES,
    "drive.about.get": drive.SCOPES,
}


def _method(name: str) -> Method:
    return next(method for method in reading_methods() if method.id == name)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_method_takes_the_declared_parameters_and_no_others(name: str) -> None:
    declared = _method(name).parameters - LEFT_OUT.get(name, set())

    assert set(PARAMETERS[name]) == declared


@pytest.mark.parametrize("name", SCOPES)
def test_every_scope_that_opens_a_method_here_opens_it_at_google(name: str) -> None:
    assert _method(name).scopes >= SCOPES[name]


@pytest.mark.parametrize(
    ("api", "schema", "names"),
    [
        ("calendar.v3", "Event", calendar_tables.EVENT_FIELDS),
        ("calendar.v3", "Events", calendar_tables.EVENTS_FIELDS),
        ("calendar.v3", "CalendarListEntry", calendar_tables.ENTRY_FIELDS),
        ("calendar.v3", "Calendar", calendar_tables.CALENDAR_FIELDS),
        ("people.v1", "ListConnectionsResponse", frozenset(people.CONNECTIONS_FIELDS)),
        ("people.v1", "ContactGroup", frozenset(people.GROUP_TOP_FIELDS)),
        ("tasks.v1", "Task", tasks.TASK_FIELDS),
        ("tasks.v1", "TaskList", tasks.LIST_FIELDS),
        ("tasks.v1", "Tasks", tasks.ENVELOPE_FIELDS),
    ],
)
def test_partial_responses_may_select_what_the_schema_has(api: str, schema: str, names: frozenset[str]) -> None:
    assert names == set(document(api)["schemas"][schema]["properties"])


def test_enumerated_parameters_take_the_declared_values() -> None:
    assert dict(_enumerations("calendar.v3")) == {
        "minAccessRole": set(calendar_tables.ACCESS_ROLES),
        "eventTypes": calendar_tables.EVENT_TYPES,
        "orderBy": {"startTime", "updated"},
    }


def _enumerations(api: str) -> Iterator[tuple[str, set[str]]]:
    resources = document(api)["resources"]
    for resource, method in (("calendarList", "list"), ("events", "list")):
        for name, declared in resources[resource]["methods"][method]["parameters"].items():
            if "enum" in declared:
                yield name, set(declared["enum"])
