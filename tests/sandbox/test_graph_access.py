"""Who may call the imitated Graph, and how it refuses. providers.md 2.2."""

import json
from datetime import timedelta

import pytest

from ccdaemon.sandbox.graph_access import CONCURRENT_REQUESTS
from tests.sandbox.graph_driver import GraphDriver


@pytest.fixture
def graph() -> GraphDriver:
    return GraphDriver(contacts=5, events=5)


def test_a_call_without_a_token_is_challenged(graph: GraphDriver) -> None:
    answer = graph.get("/me/contacts", token=None)

    assert answer.status == 401
    assert json.loads(answer.body)["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_an_unknown_token_is_refused(graph: GraphDriver) -> None:
    assert graph.refused("/me/contacts", token="nonsense") == (401, "InvalidAuthenticationToken")


def test_a_token_dies_when_its_time_is_over(graph: GraphDriver) -> None:
    graph.world.clock.advance(timedelta(seconds=3601))

    assert graph.refused("/me/contacts") == (401, "InvalidAuthenticationToken")


def test_a_token_for_another_resource_is_refused(graph: GraphDriver) -> None:
    graph.issue("mail", audience="https://outlook.office.com")

    assert graph.refused("/me/contacts", token="mail") == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("path", "scope", "code"),
    [
        ("/me", "User.Read", "Authorization_RequestDenied"),
        ("/me/contacts", "Contacts.Read", "ErrorAccessDenied"),
        ("/me/contactFolders/delta", "Contacts.Read", "ErrorAccessDenied"),
        ("/me/calendars", "Calendars.Read", "ErrorAccessDenied"),
        ("/me/events", "Calendars.Read", "ErrorAccessDenied"),
        ("/me/mailboxSettings", "MailboxSettings.Read", "ErrorAccessDenied"),
        ("/me/drive", "Files.Read", "accessDenied"),
    ],
)
def test_each_service_demands_its_own_scope(graph: GraphDriver, path: str, scope: str, code: str) -> None:
    others = ("User.Read", "Contacts.Read", "Calendars.Read", "MailboxSettings.Read", "Files.Read")
    graph.issue("others", scopes=tuple(name for name in others if name != scope))
    graph.issue("writer", scopes=(scope.replace(".Read", ".ReadWrite"),))

    assert graph.refused(path, token="others") == (403, code)
    assert graph.get(path, token="writer").status == 200


def test_every_answer_names_its_request(graph: GraphDriver) -> None:
    asked = "01234567-89ab-cdef-0123-456789abcdef"
    good = graph.get("/me", **{"client-request-id": asked})
    bad = graph.get("/me/contacts/nobody", **{"client-request-id": asked})

    inner = json.loads(bad.body)["error"]["innerError"]
    assert [good.headers["client-request-id"], bad.headers["client-request-id"]] == [asked, asked]
    assert inner["request-id"] == bad.headers["request-id"] != good.headers["request-id"]


@pytest.mark.parametrize(
    "query",
    [
        "$foo=1",
        "pageSize=5",
        "$select=nonsense",
        "$select=displayName&$select=id",
        "$top=0",
        "$top=many",
        "$skip=-1",
        "$count=yes",
        "$orderby=personalNotes",
        "$filter=personalNotes eq 'x'",
        "$filter=displayName",
        "$expand=photo",
        "$expand=singleValueExtendedProperties",
    ],
)
def test_query_options_that_graph_does_not_have_are_refused(graph: GraphDriver, query: str) -> None:
    status, _ = graph.refused(f"/me/contacts?{query}")

    assert status == 400


def test_preferences_that_were_followed_are_echoed(graph: GraphDriver) -> None:
    prefer = 'IdType="ImmutableId", outlook.timezone="Europe/Zurich", odata.maxpagesize=2, handling=lenient'

    answer = graph.get("/me/events", prefer=prefer)

    expected = 'IdType="ImmutableId", outlook.timezone="Europe/Zurich", odata.maxpagesize=2'
    assert answer.headers["Preference-Applied"] == expected
    assert len(json.loads(answer.body)["value"]) == 2


@pytest.mark.parametrize("zone", ["Greenwich Mean Time", "Europe/Atlantis", "America", "../../etc/passwd", ""])
def test_an_unknown_time_zone_is_refused(graph: GraphDriver, zone: str) -> None:
    refused = graph.refused("/me/events", prefer=f'outlook.timezone="{zone}"')

    assert refused == (400, "TimeZoneNotSupportedException")


def test_the_fifth_request_at_a_time_is_throttled(graph: GraphDriver) -> None:
    """F-09: with Retry-After, and per mailbox."""
    first, *others = graph.crowd("/me", CONCURRENT_REQUESTS + 1)

    assert (first.status, first.headers["Retry-After"]) == (429, "1")
    assert json.loads(first.body)["error"]["code"] == "ApplicationThrottled"
    assert [answer.status for answer in others] == [200] * CONCURRENT_REQUESTS


def test_four_requests_at_a_time_are_served(graph: GraphDriver) -> None:
    answers = graph.crowd("/me", CONCURRENT_REQUESTS)

    assert [answer.status for answer in answers] == [200] * CONCURRENT_REQUESTS


def test_a_personal_account_has_no_mail(graph: GraphDriver) -> None:
    work, personal = graph.read("/me"), graph.read("/me", token="bob")

    assert [work["mail"], personal["mail"]] == ["ada@contoso.example.com", None]
    assert personal["userPrincipalName"] == "bob@outlook.example.com"
    assert set(graph.read("/me?$select=displayName")) == {"@odata.context", "displayName"}


def test_the_quota_adds_up(graph: GraphDriver) -> None:
    quota = graph.read("/me/drive?$select=id,driveType,quota")["quota"]

    assert quota["total"] == quota["used"] + quota["remaining"]


def test_the_mailbox_zone_is_one_that_graph_supports(graph: GraphDriver) -> None:
    zone = graph.read("/me/mailboxSettings/timeZone")["value"]
    windows = graph.read("/me/outlook/supportedTimeZones")["value"]
    iana = graph.read("/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')")

    assert graph.read("/me/mailboxSettings")["timeZone"] == zone
    assert zone in {entry["alias"] for entry in windows}
    assert "Europe/Zurich" in {entry["alias"] for entry in iana["value"]}


def test_a_batch_runs_each_part_with_its_own_headers(graph: GraphDriver) -> None:
    contact = graph.read("/me/contacts?$top=1")["value"][0]["id"]

    parts = graph.batch(
        {"id": "1", "method": "GET", "url": f"/me/contacts/{contact}", "headers": {"Prefer": 'IdType="ImmutableId"'}},
        {"id": "2", "method": "GET", "url": f"/me/contacts/{contact}"},
        {"id": "3", "method": "GET", "url": "/me/nothing"},
        {"id": "4", "method": "GET", "url": "/me?$select=id", "dependsOn": ["2"]},
    )

    assert {name: part["status"] for name, part in parts.items()} == {"1": 200, "2": 404, "3": 400, "4": 424}
    assert parts["1"]["body"]["id"] == contact


def test_a_batch_takes_no_more_than_twenty_parts(graph: GraphDriver) -> None:
    parts = [{"id": str(number), "method": "GET", "url": "/me"} for number in range(21)]

    with pytest.raises(AssertionError, match="exceeds the maximum value of 20"):
        graph.batch(*parts)


def test_a_part_is_refused_for_a_scope_that_the_token_lacks(graph: GraphDriver) -> None:
    graph.issue("narrow", scopes=("Contacts.Read",))

    parts = graph.batch({"id": "c", "method": "GET", "url": "/me/contacts"}, _part("e", "/me/events"), token="narrow")

    assert {name: part["status"] for name, part in parts.items()} == {"c": 200, "e": 403}


def _part(name: str, url: str) -> dict[str, str]:
    return {"id": name, "method": "GET", "url": url}
