"""What every Remote promises: one suite, two clouds, contacts, events and tasks."""

import hashlib
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ccdaemon.errors import (
    BadAnswer,
    CcdaemonError,
    ConsentNeeded,
    CursorExpired,
    ForeignLink,
    MissingScope,
    RateLimited,
    Rejected,
    Transient,
)
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, ProviderName, Purpose
from ccdaemon.providers.base import Remote
from ccdaemon.providers.google import calendar as google_calendar
from ccdaemon.providers.google import people
from ccdaemon.providers.google import tasks as google_tasks
from ccdaemon.providers.microsoft import calendar as graph_calendar
from ccdaemon.providers.microsoft import contacts as graph_contacts
from ccdaemon.providers.microsoft import tasks as graph_tasks
from ccdaemon.providers.microsoft.calendar import OutlookCalendars, Window
from tests.contract.remotes.clouds import SERVICES, Clouds, Copy, Service, Tokens, collection_of, now

SHARING = [service for service in SERVICES if str(service) in {"google-contacts", "google-events", "microsoft-events"}]
FORGETTING = [service for service in SERVICES if service.has_token]
GRAPH = [service for service in SERVICES if service.provider is ProviderName.MICROSOFT]
CONTACTS = [service for service in SERVICES if service.kind is Kind.CONTACTS]


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


PURPOSE = {Kind.CONTACTS: Purpose.CONTACTS, Kind.EVENTS: Purpose.CALENDAR, Kind.TASKS: Purpose.TASKS}
Open = Callable[[Service], tuple[Remote, Collection]]


@pytest.fixture
def opened(clouds: Clouds) -> Open:
    """The Remote of ada's account and her first collection."""

    def opening(service: Service) -> tuple[Remote, Collection]:
        remote = _remote(clouds, service)
        return remote, collection_of(remote.collections()[0])

    return opening


def _remote(clouds: Clouds, service: Service, tokens: Tokens | None = None) -> Remote:
    return clouds.provider(service.provider).remote(service.kind, tokens or _tokens(clouds, service))


def _tokens(clouds: Clouds, service: Service) -> Tokens:
    return Tokens(clouds.oauth(service.provider), clouds.enrol(service.provider), PURPOSE[service.kind])


def _changeable(copy: Copy, **properties: object) -> str:
    """An object with these properties that is no part of another one, and near enough for Graph's change feed."""
    return min(
        one.remote_id
        for one in copy.originals.values()
        if one.part is Part.OBJECT
        and one.remote_id == one.group_id
        and one.payload.get("eventType", "default") == "default"
        and all(one.payload.get(name) == value for name, value in properties.items())
        and _is_near(one.payload)
    )


def _is_near(payload: Json) -> bool:
    start = payload.get("start", {}).get("dateTime") if "showAs" in payload else None
    if start is None:
        return True
    return abs(datetime.fromisoformat(start).replace(tzinfo=UTC) - now()) < timedelta(days=300)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (people, google_calendar, google_tasks, graph_contacts, graph_calendar, graph_tasks):
        monkeypatch.setattr(module, "PAGE_SIZE", 4)
    monkeypatch.setattr(graph_calendar, "DELTA_PAGE_SIZE", 20)


# --- listings ---------------------------------------------------------------------------------------------------------


def test_everything_arrives_as_it_is(clouds: Clouds, service: Service) -> None:
    remote = _remote(clouds, service)

    for listed in remote.collections():
        copy = Copy({})
        copy.follow(remote, collection_of(listed))
        assert service.seen(copy.originals) == service.truth(clouds, listed.remote_id)


@pytest.mark.usefixtures("small_pages")
def test_many_pages_are_one_listing(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    pages = list(remote.pull(collection, None))

    copy.follow(remote, collection)

    assert len(pages) > 3
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


def test_there_is_something_in_the_first_collection(clouds: Clouds, service: Service, opened: Open) -> None:
    _, collection = opened(service)

    assert len(service.truth(clouds, collection.remote_id)) > 5


def test_one_collection_is_primary_and_names_are_for_people(clouds: Clouds, service: Service) -> None:
    listed = _remote(clouds, service).collections()

    assert [one.is_primary for one in listed].count(True) == 1
    assert all(one.name and one.kind is service.kind for one in listed)
    assert len({one.remote_id for one in listed}) == len(listed)


def test_originals_are_grouped_as_their_codec_groups_them(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    codec = CODECS[service.provider, service.kind]

    objects = [one for one in copy.originals.values() if one.part is Part.OBJECT]

    assert [one.group_id for one in objects] == [codec.group_id(one.payload) for one in objects]
    assert all(one.etag and one.version > 10**15 for one in objects)


@pytest.mark.parametrize("service", SHARING, ids=str)
def test_what_all_share_comes_with_every_pull(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)

    first = [one for one in copy.originals.values() if one.part is Part.SHARED]
    again = [one for page in remote.pull(collection, copy.cursor) for one in page.originals if one.part is Part.SHARED]

    assert len(first) == 1
    assert again == first
    assert first[0].group_id == ""


# --- changes ----------------------------------------------------------------------------------------------------------


def test_nothing_new_is_nothing(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    before = dict(copy.originals)

    told = [copy.follow(remote, collection) for _ in range(2)]

    assert copy.originals == before
    assert told == [set(), set()] or not service.has_token  # Google's newest tasks are asked for once more


def test_a_change_moves_one_object(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    changed = _changeable(copy)
    before = copy.originals[changed]
    known = dict(copy.originals)

    service.change(clouds, collection.remote_id, changed)
    told = copy.follow(remote, collection)
    if not service.has_token:
        told = {one for one in told if copy.originals.get(one) != known.get(one)}

    assert {copy.originals[one].group_id for one in told} == {before.group_id}
    assert copy.originals[changed].version > before.version
    assert copy.originals[changed].etag != before.etag
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


def test_a_deletion_removes_one_object(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    gone = _changeable(copy)

    service.mutate(clouds, "delete", collection.remote_id, id=service.mutable_id(gone))
    told = copy.follow(remote, collection)

    assert gone in told
    assert gone not in copy.originals
    assert service.truth(clouds, collection.remote_id).items() <= service.seen(copy.originals).items()
    found = remote.get(collection, gone)
    assert found is None or found.deleted


def test_one_object_can_be_asked_for(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    asked = [one for one in copy.originals.values() if one.part is Part.OBJECT][:8]

    found = [remote.get(collection, one.remote_id) for one in asked]

    assert found == asked


@pytest.mark.parametrize("unknown", ["7fffffff0000", "nobody", "../../etc/passwd", "a/b", "x" * 300])
def test_what_does_not_exist_is_none(clouds: Clouds, service: Service, opened: Open, unknown: str) -> None:
    remote, collection = opened(service)

    assert remote.get(collection, unknown) is None


# --- cursors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", FORGETTING, ids=str)
def test_f07_an_expired_cursor_is_told_before_the_first_page(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    before = dict(copy.originals)
    clouds.control("POST expire", {"what": "sync_tokens", "provider": service.provider})

    with pytest.raises(CursorExpired):
        next(remote.pull(collection, copy.cursor))
    healed = Copy({})
    healed.follow(remote, collection)

    assert healed.originals == before


@pytest.mark.parametrize("cursor", ["", "null", "{}", '{"v": 0, "token": "x", "link": "x"}', "[" * 10_000])
def test_a_cursor_of_another_version_is_expired(clouds: Clouds, service: Service, opened: Open, cursor: str) -> None:
    remote, collection = opened(service)

    with pytest.raises(CursorExpired):
        next(remote.pull(collection, Cursor(cursor)))


def test_a_damaged_token_is_expired(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    assert copy.cursor is not None
    damaged = copy.cursor.replace("token=", "token=damaged").replace('"token": "', '"token": "damaged')
    damaged = Cursor(damaged.replace('"updated": "', '"updated": "damaged'))

    assert damaged != copy.cursor
    with pytest.raises(CursorExpired):
        next(remote.pull(collection, damaged))


# --- answers that are not to be believed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ({"drop_terminal": True}, BadAnswer),
        ({"html": True}, BadAnswer),
        ({"status": 200, "body": {}}, BadAnswer),
        ({"status": 200, "body": ""}, BadAnswer),
        ({"status": 204, "body": ""}, BadAnswer),
        ({"status": 200, "body": {"connections": None, "items": {}, "value": 7}}, BadAnswer),
        ({"status": 200, "body": {"error": {"code": 500}}}, BadAnswer),
        ({"gzip_bomb": 40}, BadAnswer),
        ({"truncate_at": 20}, Transient),
        ({"reset": True}, Transient),
        ({"status": 500}, Transient),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, RateLimited),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, ForeignLink),
        ({"status": 401}, ConsentNeeded),
    ],
    ids=str,
)
def test_f11_f12_a_spoilt_answer_gives_no_cursor(
    clouds: Clouds, service: Service, opened: Open, do: dict[str, object], expected: type[CcdaemonError]
) -> None:
    if do == {"drop_terminal": True} and not service.has_token:
        pytest.skip("a listing of Google tasks ends without a mark")
    remote, collection = opened(service)
    fault = clouds.fault({"path": service.feed}, do)

    pages: list[Page] = []
    with pytest.raises(expected):
        pages.extend(remote.pull(collection, None))

    assert [page.cursor for page in pages] == [None] * len(pages)
    assert clouds.fired(fault) >= 1


@pytest.mark.parametrize("do", [{"status": 503}, {"reset": True}, {"truncate_at": 20}, {"status": 401}], ids=str)
def test_f01_f10_one_bad_moment_is_not_noticed(
    clouds: Clouds, service: Service, opened: Open, do: dict[str, object]
) -> None:
    remote, collection = opened(service)
    fault = clouds.fault({"path": service.feed, "times": 1}, do)

    copy = Copy({})
    copy.follow(remote, collection)

    assert clouds.fired(fault) == 1
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


def test_f02_a_token_that_stays_refused_costs_one_refresh(clouds: Clouds, service: Service) -> None:
    tokens = _tokens(clouds, service)
    remote = _remote(clouds, service, tokens)
    collection = collection_of(remote.collections()[0])
    fault = clouds.fault({"path": service.feed}, {"status": 401})

    with pytest.raises(ConsentNeeded):
        next(remote.pull(collection, None))

    assert (clouds.fired(fault), tokens.forced) == (2, 1)


def test_f16_a_grant_that_dies_on_the_way_needs_consent(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    clouds.control("POST expire", {"what": "refresh_tokens"})
    clouds.control("POST expire", {"what": "access_tokens"})

    with pytest.raises(ConsentNeeded):
        next(remote.pull(collection, None))


def test_f04_a_missing_scope_is_told_as_such(clouds: Clouds, service: Service) -> None:
    other = Purpose.CALENDAR if service.kind is Kind.CONTACTS else Purpose.CONTACTS
    granted = clouds.enrol(service.provider, purposes=[other])
    tokens = Tokens(clouds.oauth(service.provider), granted, other)

    with pytest.raises(MissingScope):
        _remote(clouds, service, tokens).collections()


@pytest.mark.parametrize("do", [{"duplicate": True}, {"reorder": True}], ids=str)
@pytest.mark.usefixtures("small_pages")
def test_rows_that_come_twice_or_in_another_order_change_nothing(
    clouds: Clouds, service: Service, opened: Open, do: dict[str, object]
) -> None:
    remote, collection = opened(service)
    clouds.fault({"method": "GET"}, do)

    copy = Copy({})
    copy.follow(remote, collection)

    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


PAGES: dict[ProviderName, Callable[[str], dict[str, object]]] = {
    ProviderName.GOOGLE: lambda token: {
        "connections": [],
        "items": [],
        "nextPageToken": token,
        "kind": "tasks#tasks",
    },
    ProviderName.MICROSOFT: lambda token: {
        "value": [],
        "@odata.nextLink": f"https://graph.microsoft.com/v1.0/me/delta?{token}",
    },
}


def test_t31_pages_that_go_in_a_circle_end_in_an_error(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    for token in "ABA":
        page = {"status": 200, "body": PAGES[service.provider](token)}
        clouds.fault({"path": "(connections|events|tasks|delta)$", "times": 1}, page)

    with pytest.raises(BadAnswer, match="circle"):
        list(remote.pull(collection, None))


@pytest.mark.parametrize("service", GRAPH, ids=str)
@pytest.mark.parametrize(
    "origin", ["evil.example", "http://127.0.0.1:9", "graph.microsoft.com.evil.example", "graph.microsoft.com:444"]
)
@pytest.mark.usefixtures("small_pages")
def test_t32_a_link_out_of_graph_is_not_followed(clouds: Clouds, service: Service, opened: Open, origin: str) -> None:
    remote, collection = opened(service)
    fault = clouds.fault({"path": service.feed}, {"foreign_link": origin})

    with pytest.raises(ForeignLink):
        list(remote.pull(collection, None))

    assert clouds.fired(fault) == 1


@pytest.mark.parametrize("service", GRAPH, ids=str)
@pytest.mark.usefixtures("small_pages")
def test_every_graph_request_asks_for_immutable_ids(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    copy.follow(remote, collection)

    asked = clouds.asked("/v1.0/")

    assert len(asked) > 3
    assert all('IdType="ImmutableId"' in one["headers"]["prefer"] for one in asked)


# --- photos -----------------------------------------------------------------------------------------------------------


def _wanted(service: Service, copy: Copy) -> dict[str, str]:
    codec = CODECS[service.provider, service.kind]
    keys = {one.remote_id: codec.photo_key(one.payload) for one in copy.originals.values() if one.part is Part.OBJECT}
    return {remote_id: key for remote_id, key in keys.items() if key is not None}


def _image(original: Original) -> str | None:
    data = original.payload.get("data")
    return None if data is None else hashlib.sha256(b64decode(data)).hexdigest()


@pytest.mark.parametrize("service", CONTACTS, ids=str)
def test_photos_are_images_with_their_key(clouds: Clouds, service: Service, opened: Open) -> None:
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    wanted = _wanted(service, copy)

    photos = remote.photos(collection, wanted)

    assert {one.remote_id: one.etag for one in photos} == {f"{one}#photo": key for one, key in wanted.items()}
    assert {one.part for one in photos} == {Part.PHOTO}
    assert {one.group_id for one in photos} == set(wanted)
    assert any(one.payload.get("media_type") in {"image/jpeg", "image/png"} for one in photos)
    if service.provider is ProviderName.MICROSOFT:
        known = clouds.control("GET truth?person=ada")["ada"]["microsoft"]["photos"]
        assert {one.group_id: _image(one) for one in photos} == {one: known.get(one) for one in wanted}


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "http://[::1]:5232/",
        "https://127.0.0.1/x",
        "https://lh3.googleusercontent.com@127.0.0.1/x",
        "https://evil.example/x.jpg",
        "https://lh3.googleusercontent.com.evil.example/x",
    ],
)
def test_t34_r39_a_photo_elsewhere_is_never_asked_for(clouds: Clouds, opened: Open, url: str) -> None:
    remote, collection = opened(SERVICES[0])
    before = len(clouds.control("GET log")["entries"])

    photos = remote.photos(collection, {"7b": url})

    assert [one.payload for one in photos] == [{}]
    assert len(clouds.control("GET log")["entries"]) == before


@pytest.mark.parametrize(
    ("do", "found"),
    [
        ({"status": 200, "body": "<svg xmlns='http://www.w3.org/2000/svg'/>"}, 1),
        ({"gzip_bomb": 3}, 1),
        ({"status": 404}, 1),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, 1),
        ({"status": 500}, 0),
        ({"status": 429}, 0),
    ],
    ids=str,
)
def test_t34_r39_a_photo_that_cannot_be_had_stays_away(
    clouds: Clouds, opened: Open, do: dict[str, object], found: int
) -> None:
    remote, collection = opened(SERVICES[0])
    clouds.fault({"host": "lh3.googleusercontent.com"}, do)

    photos = remote.photos(collection, {"7b": "https://lh3.googleusercontent.com/contacts/AAA=s100"})

    assert [one.payload for one in photos] == [{}] * found


def test_t34_photos_are_asked_for_large_and_without_a_token(clouds: Clouds, opened: Open) -> None:
    remote, collection = opened(SERVICES[0])

    remote.photos(collection, {"7b": "https://lh3.googleusercontent.com/contacts/AAA=s100"})

    asked = clouds.asked("/contacts/AAA")
    assert [one["path"] for one in asked] == ["/contacts/AAA=s720"]
    assert "authorization" not in asked[0]["headers"]


# --- what only one cloud does -----------------------------------------------------------------------------------------


def test_a_contact_that_moves_to_another_folder_leaves_the_first(clouds: Clouds, opened: Open) -> None:
    service = SERVICES[2]
    remote, collection = opened(service)
    folder = remote.collections()[1].remote_id
    copy = Copy({})
    copy.follow(remote, collection)
    moved = _changeable(copy)

    clouds.control(
        "POST mutate",
        {
            "person": "ada",
            "provider": "microsoft",
            "kind": "contact",
            "action": "move",
            "id": moved,
            "collection": folder,
        },
    )
    here = remote.get(collection, moved)
    copy.follow(remote, collection)

    assert here is None
    assert moved not in copy.originals
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


@pytest.mark.parametrize("event_type", ["singleInstance", "seriesMaster"])
def test_an_event_that_moves_to_another_calendar_leaves_the_first(
    clouds: Clouds, opened: Open, event_type: str
) -> None:
    service = SERVICES[3]
    remote, collection = opened(service)
    other = remote.collections()[1].remote_id
    copy = Copy({})
    copy.follow(remote, collection)
    moved = _changeable(copy, type=event_type)

    clouds.control(
        "POST mutate",
        {"person": "ada", "provider": "microsoft", "kind": "event", "action": "move", "id": moved, "collection": other},
    )
    here = remote.get(collection, moved)
    copy.follow(remote, collection)

    assert here is None
    assert moved not in copy.originals
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


def test_trap_56_what_lies_outside_the_window_is_seen_when_it_is_opened_anew(clouds: Clouds) -> None:
    service = SERVICES[3]
    remote = OutlookCalendars(
        clouds.transport_factory,
        _tokens(clouds, service),
        CODECS[service.provider, service.kind],
        now=now,
        window=Window(behind=timedelta(days=-1), ahead=timedelta(days=2)),
    )
    collection = collection_of(remote.collections()[0])
    copy = Copy({})
    copy.follow(remote, collection)
    long_ago = (now() - timedelta(days=90)).isoformat()
    far = min(
        one.remote_id
        for one in copy.originals.values()
        if one.payload.get("type") == "singleInstance" and one.payload["start"]["dateTime"] < long_ago
    )

    service.change(clouds, collection.remote_id, far)
    told = copy.follow(remote, collection)
    copy.cursor = None
    copy.follow(remote, collection)

    assert told == set()
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


def test_a_task_that_moves_to_another_list_leaves_the_first(clouds: Clouds, opened: Open) -> None:
    service = SERVICES[5]
    remote, collection = opened(service)
    other = remote.collections()[1].remote_id
    copy = Copy({})
    copy.follow(remote, collection)
    moved = _changeable(copy)

    clouds.control(
        "POST mutate",
        {"person": "ada", "provider": "microsoft", "kind": "task", "action": "move", "id": moved, "collection": other},
    )
    here = remote.get(collection, moved)
    copy.follow(remote, collection)

    assert here is None
    assert moved not in copy.originals
    assert service.seen(copy.originals) == service.truth(clouds, collection.remote_id)


def test_a_refused_question_for_a_task_is_no_end_of_it(clouds: Clouds, opened: Open) -> None:
    remote, collection = opened(SERVICES[5])
    copy = Copy({})
    copy.follow(remote, collection)
    asked = _changeable(copy)
    clouds.fault({"path": f"/tasks/{asked}$", "times": 1}, {"status": 400})

    with pytest.raises(Rejected):
        remote.get(collection, asked)


def test_a_step_of_a_checklist_moves_its_task(clouds: Clouds, opened: Open) -> None:
    service = SERVICES[5]
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    changed = _changeable(copy)
    before = copy.originals[changed].payload["checklistItems"]

    clouds.control(
        "POST mutate",
        {
            "person": "ada",
            "provider": "microsoft",
            "kind": "checklistitem",
            "action": "create",
            "task": changed,
            "patch": {"displayName": "Newly added"},
        },
    )
    told = copy.follow(remote, collection)

    assert told == {changed}
    assert [one["displayName"] for one in copy.originals[changed].payload["checklistItems"]] == [
        *(one["displayName"] for one in before),
        "Newly added",
    ]


def test_google_tasks_are_all_listed_again_now_and_then(clouds: Clouds, opened: Open) -> None:
    """Nobody says for how long Google remembers what was deleted."""
    remote, collection = opened(SERVICES[4])
    copy = Copy({})
    copy.follow(remote, collection)
    assert copy.cursor is not None

    with pytest.raises(CursorExpired):
        next(remote.pull(collection, Cursor(copy.cursor.replace('"deltas": "0"', '"deltas": "500"'))))


def test_a_first_listing_of_google_tasks_tells_of_no_deleted_one(clouds: Clouds, opened: Open) -> None:
    service = SERVICES[4]
    remote, collection = opened(service)
    copy = Copy({})
    copy.follow(remote, collection)
    gone = _changeable(copy)
    service.mutate(clouds, "delete", collection.remote_id, id=gone)

    first = [one for page in remote.pull(collection, None) for one in page.originals]
    later = [one for page in remote.pull(collection, copy.cursor) for one in page.originals]

    assert gone not in {one.remote_id for one in first}
    assert [one.deleted for one in later if one.remote_id == gone] == [True]
