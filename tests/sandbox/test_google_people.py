"""Contacts of the imitated Google. providers.md 1.2."""

import re
from typing import Any

import pytest
import requests

from tests.sandbox.google_driver import AUTH, EVERY_FIELD, PEOPLE, GoogleDriver, ids

CONNECTIONS = f"{PEOPLE}/people/me/connections"


def test_a_full_listing_pages_once_through_everybody(google: GoogleDriver) -> None:
    pages = list(google.pages(CONNECTIONS, personFields="names,metadata", pageSize=10, requestSyncToken="true"))

    assert [len(page["connections"]) for page in pages] == [10, 10, 5]
    assert ["nextSyncToken" in page for page in pages] == [False, False, True]
    listed = [name for page in pages for name in ids(page["connections"])]
    assert sorted(listed) == sorted(ids(google.truth()["contacts"]))
    assert {page["totalPeople"] for page in pages} == {25}


def test_without_requesting_one_no_sync_token_comes(google: GoogleDriver) -> None:
    assert "nextSyncToken" not in google.read(CONNECTIONS, personFields="names")


def test_only_the_fields_of_the_mask_are_answered(google: GoogleDriver) -> None:
    listed, _ = google.connections(personFields="emailAddresses,photos")

    assert {name for person in listed for name in person} == {"resourceName", "etag", "emailAddresses", "photos"}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"personFields": ""},
        {"personFields": "names,fileAses"},
        {"personFields": "names", "pageSize": 1001},
        {"personFields": "names", "pageSize": -1},
        {"personFields": "names", "pageSize": "many"},
        {"personFields": "names", "sortOrder": "RANDOM"},
        {"personFields": "names", "requestSyncToken": "yes"},
        {"personFields": "names", "sources": "READ_SOURCE_TYPE_DREAM"},
        {"personFields": "names", "syncToken": "not one of ours"},
        {"personFields": "names", "pageToken": "bm90IG9uZSBvZiBvdXJz"},
        {"personFields": "names", "maxResults": 10},
        {"personFields": "names", "alt": "media"},
        {"personFields": "names", "fields": "people(names)"},
        {"personFields": "names", "fields": "connections(names"},
    ],
)
def test_a_doubtful_request_is_refused(google: GoogleDriver, query: dict[str, Any]) -> None:
    answer = google.get(CONNECTIONS, **query)

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_delta_holds_what_changed_and_tombstones(google: GoogleDriver) -> None:
    listed, token = google.connections()
    first, second, third = ids(listed)[:3]
    google.mutate("contact", "update", id=first, patch={"nicknames": [{"value": "Countess"}]})
    google.mutate("contact", "delete", id=second)
    google.mutate("photo", "update", id=third)
    created = google.mutate("contact", "create", patch={"names": [{"givenName": "New", "familyName": "Person"}]})

    changed, _ = google.connections(syncToken=token)

    assert ids(changed) == [first, second, third, created["resourceName"]]
    assert changed[0]["nicknames"][0]["value"] == "Countess"
    tombstone = changed[1]
    assert set(tombstone) == {"resourceName", "etag", "metadata", "photos"}
    assert tombstone["metadata"]["deleted"] is True
    assert tombstone["metadata"]["sources"][0]["updateTime"] == "1970-01-01T00:00:00Z"
    assert tombstone["photos"][0]["default"] is True
    assert changed[3]["names"][0]["displayName"] == "New Person"


def test_an_empty_delta_is_the_sync_token_alone(google: GoogleDriver) -> None:
    _, token = google.connections()

    delta = google.read(CONNECTIONS, personFields=EVERY_FIELD, requestSyncToken="true", syncToken=token)

    assert list(delta) == ["nextSyncToken"]


def test_a_delta_must_repeat_the_parameters_of_the_full_listing(google: GoogleDriver) -> None:
    _, token = google.connections(pageSize=100)
    same: dict[str, Any] = {
        "personFields": EVERY_FIELD,
        "requestSyncToken": "true",
        "pageSize": 100,
        "syncToken": token,
    }

    assert google.get(CONNECTIONS, **same).status_code == 200
    assert google.refused(CONNECTIONS, **{**same, "pageSize": 50}) == (400, "INVALID_ARGUMENT")
    assert google.refused(CONNECTIONS, **{**same, "personFields": "names"}) == (400, "INVALID_ARGUMENT")
    assert google.refused(CONNECTIONS, **same, token=google.token(person="grace")) == (400, "INVALID_ARGUMENT")


def test_a_sync_token_dies_seven_days_after_the_full_listing_however_many_deltas_follow(google: GoogleDriver) -> None:
    _, token = google.connections()
    google.control("clock", {"advance_seconds": 4 * 86_400})
    google.session.headers["Authorization"] = f"Bearer {google.token()}"
    _, later = google.connections(syncToken=token)
    google.control("clock", {"advance_seconds": 3 * 86_400 + 60})
    google.session.headers["Authorization"] = f"Bearer {google.token()}"

    answer = google.get(CONNECTIONS, personFields=EVERY_FIELD, requestSyncToken="true", syncToken=later)

    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
    assert error["details"][0]["reason"] == "EXPIRED_SYNC_TOKEN"


def test_the_control_plane_expires_sync_tokens(google: GoogleDriver) -> None:
    _, token = google.connections()
    google.control("expire", {"what": "sync_tokens", "provider": "google"})

    query = {"personFields": EVERY_FIELD, "requestSyncToken": "true", "syncToken": token}
    assert google.refused(CONNECTIONS, **query) == (400, "EXPIRED_SYNC_TOKEN")


def test_pages_neither_skip_nor_repeat_when_contacts_change_between(google: GoogleDriver) -> None:
    before = sorted(ids(google.truth()["contacts"]))
    query = {"personFields": "names", "requestSyncToken": "true", "pageSize": 10}
    first = google.read(CONNECTIONS, **query)
    google.mutate("contact", "update", id=ids(first["connections"])[0], patch={"nicknames": [{"value": "moved"}]})

    rest = list(google.pages(CONNECTIONS, **query, pageToken=first["nextPageToken"]))

    listed = [*ids(first["connections"]), *(name for page in rest for name in ids(page["connections"]))]
    assert sorted(listed) == before
    delta = google.read(CONNECTIONS, **query, syncToken=rest[-1]["nextSyncToken"])
    assert ids(delta["connections"]) == ids(first["connections"])[:1]


def test_a_contact_that_goes_while_pages_are_turned_is_a_tombstone_of_the_next_delta_only(google: GoogleDriver) -> None:
    query = {"personFields": "names", "requestSyncToken": "true", "pageSize": 20}
    first = google.read(CONNECTIONS, **query)
    last = ids(google.truth()["contacts"])[-1]
    google.mutate("contact", "delete", id=last)

    second = google.read(CONNECTIONS, **query, pageToken=first["nextPageToken"])

    assert last not in ids(second["connections"])
    delta = google.read(CONNECTIONS, **query, syncToken=second["nextSyncToken"])["connections"]
    assert [(one["resourceName"], one["metadata"]["deleted"]) for one in delta] == [(last, True)]


def test_linking_changes_the_resource_name_and_keeps_the_source(google: GoogleDriver) -> None:
    listed, token = google.connections()
    old = listed[0]
    google.mutate("contact", "rename", id=old["resourceName"])

    changed, _ = google.connections(syncToken=token)

    assert changed[0]["resourceName"] != old["resourceName"]
    assert changed[0]["metadata"]["previousResourceNames"] == [old["resourceName"]]
    assert changed[0]["metadata"]["sources"][0]["id"] == old["metadata"]["sources"][0]["id"]
    assert google.read(f"{PEOPLE}/{old['resourceName']}", personFields="names")["resourceName"] == ids(changed)[0]


def test_deltas_lag_behind_when_the_switch_says_so(google: GoogleDriver) -> None:
    listed, token = google.connections()
    google.control("switches", {"people_delay_seconds": 60})
    google.mutate("contact", "delete", id=ids(listed)[0])

    assert google.connections(syncToken=token)[0] == []
    google.control("clock", {"advance_seconds": 61})
    assert ids(google.connections(syncToken=token)[0]) == ids(listed)[:1]


def test_people_are_sorted_as_asked(google: GoogleDriver) -> None:
    by_name, _ = google.connections(sortOrder="FIRST_NAME_ASCENDING")
    newest, _ = google.connections(sortOrder="LAST_MODIFIED_DESCENDING")
    oldest, _ = google.connections()

    given = [person.get("names", [{}])[0].get("givenName", "").casefold() for person in by_name]
    assert given == sorted(given)
    assert ids(newest) == ids(oldest)[::-1]


def test_one_person_and_a_batch_are_read_by_name(google: GoogleDriver) -> None:
    listed, _ = google.connections()
    names = [ids(listed)[3], "people/c1", ids(listed)[1]]

    batch = google.read(f"{PEOPLE}/people:batchGet", resourceNames=names, personFields=EVERY_FIELD)["responses"]

    assert [one["requestedResourceName"] for one in batch] == names
    assert [one["httpStatusCode"] for one in batch] == [200, 404, 200]
    assert batch[0]["person"] == listed[3] == google.read(f"{PEOPLE}/{names[0]}", personFields=EVERY_FIELD)
    assert google.refused(f"{PEOPLE}/people/c1", personFields="names") == (404, "NOT_FOUND")
    assert google.refused(f"{PEOPLE}/people:batchGet", personFields="names") == (400, "INVALID_ARGUMENT")


def test_the_profile_needs_no_contact_scope(google: GoogleDriver) -> None:
    profile = google.get(
        f"{PEOPLE}/people/me", personFields="names,emailAddresses", token=google.token(f"{AUTH}userinfo.profile")
    ).json()

    assert profile["emailAddresses"][0]["value"] == google.person.google_email


def test_system_groups_come_with_the_user_s_own_and_count_members(google: GoogleDriver) -> None:
    groups = google.read(f"{PEOPLE}/contactGroups", pageSize=100)["contactGroups"]

    by_name = {group["name"]: group for group in groups}
    assert {"myContacts", "starred", "all", "Book club"} <= set(by_name)
    assert by_name["myContacts"]["memberCount"] == 25
    assert by_name["myContacts"]["formattedName"] == "My Contacts"
    assert by_name["Book club"]["groupType"] == "USER_CONTACT_GROUP"
    one = google.read(f"{PEOPLE}/{by_name['myContacts']['resourceName']}", maxMembers=3)
    assert len(one["memberResourceNames"]) == 3


def test_groups_page_and_give_no_sync_token(google: GoogleDriver) -> None:
    pages = list(google.pages(f"{PEOPLE}/contactGroups", pageSize=4, groupFields="name"))

    assert all("nextSyncToken" not in page for page in pages)
    assert sum(len(page["contactGroups"]) for page in pages) == len(google.truth()["groups"])
    assert {name for page in pages for group in page["contactGroups"] for name in group} == {
        *("resourceName", "etag", "name", "formattedName")
    }
    assert google.refused(f"{PEOPLE}/contactGroups", syncToken="x") == (400, "INVALID_ARGUMENT")
    assert google.refused(f"{PEOPLE}/contactGroups", groupFields="members") == (400, "INVALID_ARGUMENT")


def test_a_removed_group_leaves_its_members_changed(google: GoogleDriver) -> None:
    group = google.mutate("group", "create", patch={"name": "Choir"})
    member = google.mutate(
        "contact",
        "create",
        patch={
            "names": [{"givenName": "Alto"}],
            "memberships": [{"contactGroupMembership": {"contactGroupResourceName": group["resourceName"]}}],
        },
    )
    _, token = google.connections()
    google.mutate("group", "delete", id=group["resourceName"])

    changed, _ = google.connections(syncToken=token)

    assert ids(changed) == [member["resourceName"]]
    assert changed[0]["memberships"][0]["contactGroupMembership"]["contactGroupId"] == "myContacts"
    assert changed[0]["etag"] != member["etag"]
    assert google.refused(f"{PEOPLE}/{group['resourceName']}") == (404, "NOT_FOUND")


def test_photos_need_no_token_and_scale_by_the_suffix_of_the_path(google: GoogleDriver) -> None:
    listed, _ = google.connections()
    person = google.mutate("photo", "update", id=ids(listed)[0])
    url = person["photos"][0]["url"].replace("https://", f"{google.url}/")

    def size(suffix: str) -> tuple[int, int]:
        picture = requests.get(url.replace("=s100", suffix), timeout=10).content
        assert picture.startswith(b"\x89PNG")
        return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")

    assert size("=s100") == size("=s100?sz=720") == (100, 100)
    assert size("=s720") == size("") == (256, 256)
    assert requests.get(url.replace("=s100", "=huge"), timeout=10).status_code == 404
    google.mutate("photo", "delete", id=person["resourceName"])
    assert requests.get(url, timeout=10).status_code == 404


def test_a_partial_response_holds_what_was_selected(google: GoogleDriver) -> None:
    page = google.read(
        CONNECTIONS, personFields="names", fields="connections(resourceName,names/displayName),nextPageToken"
    )

    assert set(page) == {"connections"}
    assert {name for person in page["connections"] for name in person} <= {"resourceName", "names"}
    named = [person["names"][0] for person in page["connections"] if "names" in person]
    assert {name for entry in named for name in entry} == {"displayName"}


def test_scopes_are_demanded(google: GoogleDriver) -> None:
    full, calendar = google.token(f"{AUTH}contacts"), google.token(f"{AUTH}calendar")

    assert google.get(CONNECTIONS, personFields="names", token=full).status_code == 200
    assert google.refused(CONNECTIONS, personFields="names", token=calendar) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    assert google.refused(CONNECTIONS, personFields="names", token="") == (401, "authError")
    answer = google.get(CONNECTIONS, personFields="names", token="ya29.unknown")
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    assert re.fullmatch(r'Bearer realm="[^"]+", error="invalid_token"', answer.headers["WWW-Authenticate"])


def test_two_people_share_nothing(google: GoogleDriver) -> None:
    mine, _ = google.connections()
    theirs = google.get(CONNECTIONS, personFields="names", token=google.token(person="grace")).json()["connections"]

    assert not set(ids(mine)) & set(ids(theirs))
    assert google.get(f"{PEOPLE}/{ids(theirs)[0]}", personFields="names").status_code == 404
