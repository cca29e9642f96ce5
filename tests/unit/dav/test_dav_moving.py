"""DELETE and MOVE within collections that are kept here only."""

from collections.abc import Iterator
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import make_wsgi_app
from tests.unit.dav.dav_client import DavClient, propfind, sync_collection
from tests.unit.dav.household import START, Household, card, event
from tests.unit.dav.local import Local, add_local, two_people
from tests.unit.dav.test_dav_writing import held

EVENT = event("Lunch", "lunch", START)[0].encode()
OTHER = event("Other", "other", START)[0].encode()


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with two_people(tmp_path_factory.mktemp("household")) as household:
        yield household


@pytest.fixture(scope="module")
def application(household: Household) -> WSGIApplication:
    return make_wsgi_app(household.store, public_url=None, now=household.clock)


@pytest.fixture
def local(household: Household, application: WSGIApplication, anna: DavClient) -> Local:
    """With one event."""
    local = add_local(household.store, "anna")
    assert anna.ask("PUT", local.calendar_url + "lunch.ics", EVENT).status == 201
    return local


@pytest.fixture
def second(household: Household, local: Local) -> str:
    """The URL of another calendar of anna's."""
    return add_local(household.store, "anna").calendar_url


# --- DELETE


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (204, {}),
        (204, {"If_Match": "{etag}"}),
        (204, {"If_Match": '"x", W/{etag}'}),
        (204, {"If_Match": "*"}),
        (412, {"If_Match": '"x"'}),
        (412, {"If_None_Match": "*"}),
    ],
    ids=lambda value: str(value),
)
def test_a_delete_heeds_its_conditions(
    anna: DavClient, household: Household, local: Local, status: int, headers: dict[str, str]
) -> None:
    url = local.calendar_url + "lunch.ics"
    etag = anna.ask("GET", url).headers["etag"]

    response = anna.ask("DELETE", url, **{name: value.format(etag=etag) for name, value in headers.items()})

    assert (status, status == 204) == (response.status, response.body == b"")
    assert ({} if status == 204 else {"lunch.ics": EVENT}) == held(household, local.calendar)


def test_a_deleted_item_is_gone_and_a_sync_tells_it(anna: DavClient, local: Local) -> None:
    url = local.calendar_url + "lunch.ics"
    token = anna.ask("REPORT", local.calendar_url, sync_collection()).sync_token

    anna.ask("DELETE", url)
    changes = anna.ask("REPORT", local.calendar_url, sync_collection(token)).resources

    assert {url: 404} == {href: gone.status for href, gone in changes.items()}
    assert (anna.ask("GET", url).status, anna.ask("DELETE", url).status) == (404, 404)


def test_a_local_collection_can_be_deleted_with_all_that_is_in_it(
    anna: DavClient, household: Household, local: Local
) -> None:
    assert anna.ask("DELETE", local.calendar_url).status in (200, 204)
    assert anna.ask("GET", local.calendar_url + "lunch.ics").status == 404
    assert anna.ask("PUT", local.calendar_url + "lunch.ics", EVENT).status == 403
    assert local.calendar_url not in anna.ask("PROPFIND", "/anna/", propfind("d:displayname"), Depth="1").resources
    assert local.book_url in anna.ask("PROPFIND", "/anna/", propfind("d:displayname"), Depth="1").resources


@pytest.mark.parametrize(
    ("is_met", "headers"),
    [
        (True, {"If_Match": "{etag}"}),
        (True, {"If": "([{etag}])"}),
        (False, {"If_Match": '"x"'}),
        (False, {"If_None_Match": "*"}),
        (False, {"If": '(["x"])'}),
    ],
    ids=lambda value: str(value),
)
def test_a_collection_is_deleted_only_as_its_conditions_want_it(
    anna: DavClient, local: Local, is_met: bool, headers: dict[str, str]
) -> None:
    url = local.calendar_url
    etag = anna.ask("PROPFIND", url, propfind("d:getetag"), Depth="0").resources[url].text("d:getetag")

    response = anna.ask("DELETE", url, **{name: value.format(etag=etag) for name, value in headers.items()})

    assert (200 if is_met else 412) == response.status
    assert (404 if is_met else 200) == anna.ask("GET", url + "lunch.ics").status


@pytest.mark.parametrize(
    "path", ["{cloud}", "{cloud}000000.ics", "/anna/", "/", "{foreign}", "/anna/ghost/", "/ghost/"]
)
def test_nothing_else_can_be_deleted(anna: DavClient, household: Household, local: Local, path: str) -> None:
    foreign = add_local(household.store, "ben")
    place = path.format(cloud=household.anna.calendar_url, foreign=foreign.calendar_url)

    assert anna.ask("DELETE", place).status == 403
    assert len(held(household, household.anna.calendar)) == 3
    with household.store.read() as reader:
        assert reader.collection(foreign.calendar.id) is not None


# --- MOVE


def test_an_item_moves_within_its_collection(anna: DavClient, household: Household, local: Local) -> None:
    token = anna.ask("REPORT", local.calendar_url, sync_collection()).sync_token
    old, new = local.calendar_url + "lunch.ics", local.calendar_url + "later.ics"

    response = anna.ask("MOVE", old, Destination=f"http://127.0.0.1:5232{new}")
    changes = anna.ask("REPORT", local.calendar_url, sync_collection(token)).resources

    assert response.status == 201
    assert held(household, local.calendar) == {"later.ics": EVENT}
    assert {old: 404, new: None} == {href: changed.status for href, changed in changes.items()}


def test_an_item_moves_to_another_collection_of_its_kind(
    anna: DavClient, household: Household, local: Local, second: str
) -> None:
    response = anna.ask("MOVE", local.calendar_url + "lunch.ics", Destination=second + "lunch.ics")

    assert response.status == 201
    assert anna.ask("GET", second + "lunch.ics").body == EVENT
    assert held(household, local.calendar) == {}


@pytest.mark.parametrize(("overwrite", "status"), [("", 204), ("T", 204), ("F", 412)])
def test_an_item_of_the_same_uid_makes_way_unless_it_must_not(
    anna: DavClient, household: Household, local: Local, second: str, overwrite: str, status: int
) -> None:
    """RFC 4918 section 9.9.3: without the header it may."""
    anna.ask("PUT", second + "here.ics", EVENT.replace(b"Lunch", b"Old"))

    response = anna.ask("MOVE", local.calendar_url + "lunch.ics", Destination=second + "here.ics", Overwrite=overwrite)

    assert status == response.status
    assert (b"Old" in anna.ask("GET", second + "here.ics").body) == (status == 412)
    assert (status == 412) == bool(held(household, local.calendar))


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (201, {"If_Match": "{etag}"}),
        (201, {"If": "([{etag}])"}),
        (412, {"If_Match": '"x"'}),
        (412, {"If_None_Match": "*"}),
        (412, {"If_Unmodified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"}),
        (412, {"If": '(["x"])'}),
    ],
    ids=lambda value: str(value),
)
def test_a_move_heeds_its_conditions(
    anna: DavClient, household: Household, local: Local, status: int, headers: dict[str, str]
) -> None:
    url = local.calendar_url + "lunch.ics"
    etag = anna.ask("GET", url).headers["etag"]
    sent = {name: value.format(etag=etag) for name, value in headers.items()}

    response = anna.ask("MOVE", url, Destination=local.calendar_url + "new.ics", **sent)

    assert status == response.status
    assert {"new.ics" if status == 201 else "lunch.ics": EVENT} == held(household, local.calendar)


def test_a_move_makes_no_second_item_of_a_uid(anna: DavClient, household: Household, local: Local, second: str) -> None:
    anna.ask("PUT", second + "same.ics", EVENT)
    anna.ask("PUT", second + "other.ics", OTHER)

    answers = [
        anna.ask("MOVE", local.calendar_url + "lunch.ics", Destination=second + name)
        for name in ("new.ics", "other.ics")
    ]

    assert [answer.status for answer in answers] == [409, 409]
    assert held(household, local.calendar) == {"lunch.ics": EVENT}


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("{cloud}x.ics", 403),
        ("{foreign}x.ics", 403),
        ("/anna/ghost/x.ics", 403),
        ("{calendar}", 403),
        ("{calendar}lunch.ics", 403),
        ("{tasks}lunch.ics", 403),
        ("{book}lunch.ics", 403),
        ("/anna/", 403),
        ("/", 403),
        ("", 403),
        ("http://elsewhere.example{calendar}x.ics", 502),
        ("http://[", 400),
        ("http://127.0.0.1:99999{calendar}x.ics", 201),
        ("https://127.0.0.1{calendar}x.ics", 201),
        ("{calendar}x%00.ics", 400),
        ("{calendar}x%3Fy.ics", 400),
        ("{calendar}%c3%bc.ics", 400),
        ("{calendar}../..{foreign}x.ics", 403),
        ("{calendar}" + "x" * 300, 400),
    ],
    ids=range(19),
)
def test_a_move_stays_within_what_is_kept_here(
    anna: DavClient, household: Household, local: Local, destination: str, status: int
) -> None:
    foreign = add_local(household.store, "ben")
    place = destination.format(
        cloud=household.anna.calendar_url,
        foreign=foreign.calendar_url,
        calendar=local.calendar_url,
        tasks=local.tasks_url,
        book=local.book_url,
    )

    response = anna.ask("MOVE", local.calendar_url + "lunch.ics", Destination=place)

    assert status == response.status
    assert list(held(household, local.calendar).values()) == [EVENT]
    assert held(household, foreign.calendar) | held(household, local.tasks) | held(household, local.contacts) == {}


def test_nothing_moves_out_of_a_cloud_and_no_collection_moves(
    anna: DavClient, household: Household, local: Local
) -> None:
    from_cloud = anna.ask("MOVE", household.anna.calendar_url + "000000.ics", Destination=local.calendar_url + "x.ics")
    collection = anna.ask("MOVE", local.calendar_url, Destination="/anna/elsewhere/")
    missing = anna.ask("MOVE", local.calendar_url + "ghost.ics", Destination=local.calendar_url + "x.ics")

    assert (from_cloud.status, collection.status, missing.status) == (403, 403, 404)


# --- what else there is of WebDAV


@pytest.mark.parametrize("method", ["COPY", "LOCK", "UNLOCK", "ACL"])
def test_what_does_not_work_is_not_allowed_and_not_announced(anna: DavClient, local: Local, method: str) -> None:
    options = anna.ask("OPTIONS", local.calendar_url)

    assert anna.ask(method, local.calendar_url + "lunch.ics", Destination=local.calendar_url + "x.ics").status == 405
    assert method not in options.headers.get("allow", "")
    assert "2" not in options.headers["dav"].replace(" ", "").split(",")


def test_a_card_is_deleted_without_conditions(anna: DavClient, local: Local) -> None:
    """As Thunderbird does."""
    anna.ask("PUT", local.book_url + "jane.vcf", card("Jane", "jane")[0].encode())

    assert anna.ask("DELETE", local.book_url + "jane.vcf").status == 204
