"""Change feeds of the imitated Graph: shapes, tokens, convergence. providers.md 2.3, 2.4; trust.md 3."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from ccdaemon.sandbox.graph_delta import DUPLICATED_SHARE, PAGE_END, unsettled
from ccdaemon.sandbox.graph_feeds import Entry
from ccdaemon.sandbox.wire import Json
from tests.sandbox.graph_driver import IMMUTABLE, WINDOW, GraphDriver

VIEW = f"/me/calendarView/delta?{WINDOW}"
MEAGRE = {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
PAGED = f"{IMMUTABLE}, odata.maxpagesize=7"


@pytest.fixture
def graph() -> GraphDriver:
    return GraphDriver(contacts=60, events=60)


def replayed(known: dict[str, Json], items: list[Json]) -> dict[str, Json]:
    """What a client holds after it has read these items."""
    for item in items:
        if "@removed" in item:
            known.pop(item["id"], None)
        else:
            known[item["id"]] = item
    return known


def bare(item: Json) -> Json:
    return {name: value for name, value in item.items() if name not in {"@odata.type", "@odata.context"}}


def test_a_first_round_tells_every_contact_of_one_folder(graph: GraphDriver) -> None:
    items, _ = graph.round("/me/contacts/delta", prefer=PAGED)

    told = {name: bare(item) for name, item in replayed({}, items).items()}
    assert told == {item["id"]: item for item in graph.everything("/me/contacts")}


def test_some_items_come_twice_and_not_in_order(graph: GraphDriver) -> None:
    """F-28, F-32."""
    items, _ = graph.round("/me/contacts/delta", prefer=PAGED)
    again, _ = graph.round("/me/contacts/delta", prefer=PAGED)

    names = [item["id"] for item in items]
    assert max(Counter(names).values()) > 1
    assert list(dict.fromkeys(names)) != [item["id"] for item in graph.everything("/me/contacts")]
    assert names == [item["id"] for item in again]


def test_pages_may_be_empty() -> None:
    entries = [Entry(str(number)) for number in range(100)]

    rounds = [unsettled(entries, Random(seed)) for seed in range(40)]

    assert {set(r) - {PAGE_END} == set(entries) for r in rounds} == {True}
    assert 0 < sum(PAGE_END in r for r in rounds) < len(rounds)
    assert {len([e for e in r if e is not PAGE_END]) for r in rounds} == {100 + 100 // DUPLICATED_SHARE}


def test_an_empty_page_still_leads_on() -> None:
    """A page without items but with a next link is no end: some seed shows one."""
    empty = 0
    for seed in range(12):
        graph = GraphDriver(seed=seed, contacts=60, events=0)
        bodies = list(graph.pages("/me/contacts/delta", prefer=PAGED))
        empty += sum(not body["value"] for body in bodies[:-1])
        assert "@odata.deltaLink" in bodies[-1]

    assert empty > 0


def test_nothing_new_is_an_empty_round_with_a_link(graph: GraphDriver) -> None:
    _, link = graph.round("/me/contacts/delta")

    body = graph.read(link)

    assert body["value"] == []
    assert set(body) == {"@odata.context", "value", "@odata.deltaLink"}


def test_a_delta_link_can_be_used_again(graph: GraphDriver) -> None:
    """A client whose transaction failed reads the same round once more."""
    _, link = graph.round("/me/contacts/delta")
    made = graph.mutate(kind="contact", action="create", patch={"givenName": "Eve"})

    first, _ = graph.round(link)
    second, _ = graph.round(link)

    assert [item["id"] for item in first] == [item["id"] for item in second] == [made["id"]]


def test_creating_changing_moving_and_deleting_contacts_shows(graph: GraphDriver) -> None:
    items, link = graph.round("/me/contacts/delta")
    names = list(dict.fromkeys(item["id"] for item in items))
    folder = graph.mutate(kind="folder", action="create", patch={"displayName": "Away"})
    new = graph.mutate(kind="contact", action="create", patch={"givenName": "Eve"})
    graph.mutate(kind="contact", action="update", id=names[0], patch={"surname": "New"})
    graph.mutate(kind="contact", action="move", id=names[1], collection=folder["id"])
    graph.mutate(kind="contact", action="delete", id=names[2])

    told = {item["id"]: item for item in graph.round(link)[0]}

    assert set(told) == {new["id"], *names[:3]}
    assert told[names[0]]["surname"] == "New"
    assert [told[name].get("@removed") for name in names[1:3]] == [{"reason": "changed"}, {"reason": "deleted"}]
    assert {item["id"] for item in graph.round(f"/me/contactFolders/{folder['id']}/contacts/delta")[0]} == {names[1]}


def test_the_selection_of_contacts_is_kept_in_the_link(graph: GraphDriver) -> None:
    items, link = graph.round("/me/contacts/delta?$select=displayName", prefer=PAGED)
    graph.mutate(kind="contact", action="create", patch={"givenName": "Eve"})
    more, _ = graph.round(link)

    shape = {"@odata.type", "@odata.etag", "id", "displayName"}
    assert {frozenset(item) for item in [*items, *more]} == {frozenset(shape)}


def test_folders_have_a_feed_of_their_own(graph: GraphDriver) -> None:
    items, link = graph.round("/me/contactFolders/delta")
    folder = graph.mutate(kind="folder", action="create", patch={"displayName": "New"})
    victim = next(item for item in items if item["displayName"] == "Club")
    graph.mutate(kind="folder", action="delete", id=victim["id"])

    told = replayed({}, graph.round(link)[0])

    assert {item["displayName"] for item in items} == {"Family", "Club", "Board", "Old, do not call", "空"}
    assert set(told) == {folder["id"]}
    assert graph.refused(f"/me/contactFolders/{victim['id']}/contacts/delta") == (404, "ErrorItemNotFound")


def test_a_view_mixes_whole_events_and_meagre_occurrences(graph: GraphDriver) -> None:
    items, _ = graph.round(VIEW, prefer=f'{PAGED}, outlook.timezone="Asia/Tokyo"')

    told = replayed({}, items)
    kinds: dict[str, list[Json]] = {}
    for item in told.values():
        kinds.setdefault(item["type"], []).append(item)
    assert set(kinds) == {"singleInstance", "seriesMaster", "occurrence", "exception"}
    assert {frozenset(item) for item in kinds["occurrence"]} == {frozenset(MEAGRE)}
    assert "Asia/Tokyo" not in {item["start"]["timeZone"] for item in kinds["occurrence"]}
    whole = [item for kind, found in kinds.items() if kind != "occurrence" for item in found]
    assert {item["start"]["timeZone"] for item in whole} == {"Asia/Tokyo"}
    assert all("subject" in item and "originalStart" not in item for item in whole)
    assert all(item["occurrenceId"].startswith(f"OID.{item['seriesMasterId']}.") for item in kinds["exception"])


def test_a_view_delta_tells_what_the_view_shows(graph: GraphDriver) -> None:
    told = replayed({}, graph.round(VIEW, prefer=PAGED)[0])
    view = graph.everything(f"/me/calendarView?{WINDOW}&$top=100")

    assert {name for name, item in told.items() if item["type"] != "seriesMaster"} == {item["id"] for item in view}
    masters = {item["seriesMasterId"] for item in view} - {None}
    assert {name for name, item in told.items() if item["type"] == "seriesMaster"} == masters


def test_a_deleted_instance_is_told_by_its_master_only(graph: GraphDriver) -> None:
    series = graph.series()
    items, link = graph.round(VIEW)
    before = replayed({}, items)[series]["changeKey"]
    victim = next(
        i["id"] for i in items if i.get("seriesMasterId") == series and i["start"]["dateTime"][5:10] == "03-09"
    )

    graph.mutate(kind="event", action="cancel_instance", id=series, instance="2026-03-09")

    told = replayed({}, graph.round(link)[0])
    assert told[series]["changeKey"] != before
    assert victim not in told
    assert len(told) == 1 + 9


def test_a_deleted_series_takes_its_instances_along(graph: GraphDriver) -> None:
    series = graph.series()
    items, link = graph.round(VIEW)

    graph.mutate(kind="event", action="delete", id=series)

    removed = graph.round(link)[0]
    assert {item["@removed"]["reason"] for item in removed} == {"deleted"}
    gone = {item["id"] for item in removed}
    assert gone == {i["id"] for i in items if series in {i["id"], i.get("seriesMasterId")}}
    assert len(gone) == 11


def test_an_exception_with_an_id_of_its_own_goes_by_it(graph: GraphDriver) -> None:
    series = graph.series()
    loaded = {
        "id": "AAkAloaded",
        "seriesMasterId": series,
        "type": "exception",
        "subject": "Loaded",
        "start": {"dateTime": "2026-03-11T12:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-11T13:00:00", "timeZone": "UTC"},
    }
    graph.model.load("ada", {"kind": "event", "objects": [loaded]})
    items, link = graph.round(VIEW)

    graph.mutate(kind="event", action="delete", id=series)

    told = {item["id"] for item in items if series in {item["id"], item.get("seriesMasterId")}}
    assert {item["id"] for item in graph.round(link)[0]} == told
    assert "AAkAloaded" in told


def test_an_event_that_leaves_the_window_is_removed_but_lives(graph: GraphDriver) -> None:
    """Trap 56."""
    start = {"dateTime": "2026-06-01T09:00:00", "timeZone": "UTC"}
    made = graph.mutate(kind="event", action="create", patch={"start": start, "end": start})
    _, link = graph.round(VIEW)
    far = start | {"dateTime": "2035-06-01T09:00:00"}

    graph.mutate(kind="event", action="update", id=made["id"], patch={"start": far, "end": far})

    assert [(i["id"], i["@removed"]) for i in graph.round(link)[0]] == [(made["id"], {"reason": "changed"})]
    assert graph.read(f"/me/events/{made['id']}")["start"]["dateTime"] == "2035-06-01T09:00:00.0000000"


def test_the_window_is_frozen_into_the_link(graph: GraphDriver) -> None:
    _, link = graph.round(VIEW)
    start = {"dateTime": "2035-06-01T09:00:00", "timeZone": "UTC"}
    graph.mutate(kind="event", action="create", patch={"start": start, "end": start})

    assert graph.round(link)[0] == []


def test_moving_an_event_shows_in_both_calendars(graph: GraphDriver) -> None:
    series = graph.series()
    other = graph.everything("/me/calendars")[1]["id"]
    _, from_link = graph.round(VIEW)
    _, to_link = graph.round(f"/me/calendars/{other}/calendarView/delta?{WINDOW}")

    graph.mutate(kind="event", action="move", id=series, collection=other)

    left, came = graph.round(from_link)[0], graph.round(to_link)[0]
    assert {item["@removed"]["reason"] for item in left} == {"changed"}
    assert {item["id"] for item in left} == {item["id"] for item in came}


def test_random_changes_converge(graph: GraphDriver) -> None:
    """I10: what a client replays equals what the view shows, apart from instances that nobody mentions."""
    chance = Random(20261124)
    items, link = graph.round(VIEW, prefer=PAGED)
    known = replayed({}, items)
    for _ in range(25):
        for _ in range(chance.randrange(1, 4)):
            change_something(graph, chance)
        items, link = graph.round(link, prefer=PAGED)
        touched = {item["id"] for item in items if item.get("type") == "seriesMaster"}
        known = {n: item for n, item in known.items() if item.get("seriesMasterId") not in touched}
        known = replayed(known, items)

    view = {item["id"] for item in graph.everything(f"/me/calendarView?{WINDOW}&$top=100")}
    assert {name for name, item in known.items() if item["type"] != "seriesMaster"} == view


def change_something(graph: GraphDriver, chance: Random) -> None:
    default = graph.truth()["defaultCalendarId"]
    wholes = [whole for whole in graph.truth()["events"] if whole["calendarId"] == default]
    whole: Any = chance.choice(wholes)
    event = whole["event"]
    match chance.randrange(5):
        case 0:
            graph.series(subject=f"new {chance.random()}")
        case 1:
            graph.mutate(kind="event", action="delete", id=event["id"])
        case 2:
            graph.mutate(kind="event", action="update", id=event["id"], patch={"subject": "changed"})
        case 3 if event["type"] == "seriesMaster":
            instances = graph.everything(f"/me/events/{event['id']}/instances?{WINDOW}&$top=50")
            if instances:
                day = chance.choice(instances)["occurrenceId"][-10:]
                action = chance.choice(("cancel_instance", "organizer_cancel_instance"))
                graph.mutate(kind="event", action=action, id=event["id"], instance=day)
        case _ if event["type"] == "singleInstance" and not event["isAllDay"]:
            far = {"dateTime": chance.choice(("2026-07-01T10:00:00", "2040-01-01T10:00:00")), "timeZone": "UTC"}
            graph.mutate(kind="event", action="update", id=event["id"], patch={"start": far, "end": far})


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (VIEW, ("$select=subject", "$expand=x", "$filter=x", "$orderby=x", "$top=5", "$search=x")),
        ("/me/contacts/delta?", ("$top=5", "$filter=x", "$orderby=displayName", "$expand=x")),
        ("/me/contactFolders/delta?", ("$top=5",)),
    ],
)
def test_feeds_refuse_what_they_do_not_support(graph: GraphDriver, path: str, options: tuple[str, ...]) -> None:
    for option in options:
        assert graph.refused(f"{path}&{option}") == (400, "ErrorInvalidUrlQuery")


def test_a_malformed_token_is_refused(graph: GraphDriver) -> None:
    _, link = graph.round("/me/contacts/delta")

    assert graph.refused("/me/contacts/delta?$deltatoken=garbage") == (400, "ErrorInvalidUrlQuery")
    assert graph.refused(link.replace("$deltatoken", "$skiptoken")) == (400, "ErrorInvalidUrlQuery")
    assert graph.refused(f"{link}&$select=id") == (400, "ErrorInvalidUrlQuery")


def test_an_expired_token_asks_for_a_new_start(graph: GraphDriver) -> None:
    """F-07."""
    _, link = graph.round("/me/contacts/delta")

    graph.model.expire("sync_tokens")

    assert graph.refused(link) == (410, "SyncStateNotFound")
    assert graph.round("/me/contacts/delta")[0]


def test_a_token_is_good_for_its_mailbox_and_path_only(graph: GraphDriver) -> None:
    _, link = graph.round("/me/contacts/delta")

    assert graph.refused(link, token="bob") == (410, "SyncStateNotFound")
    assert graph.refused(link.replace("/contacts/", "/contactFolders/")) == (410, "SyncStateNotFound")


def test_only_sync_tokens_can_expire(graph: GraphDriver) -> None:
    with pytest.raises(ValueError, match="milk"):
        graph.model.expire("milk")


def test_a_round_goes_on_while_things_change(graph: GraphDriver) -> None:
    first = graph.read("/me/contacts/delta", prefer=PAGED)
    default = [c["id"] for c in graph.truth()["contacts"] if c["parentFolderId"] == graph.truth()["defaultFolderId"]]
    graph.mutate(kind="contact", action="delete", id=default[-1])
    graph.mutate(kind="contact", action="update", id=default[0], patch={"nickName": "late"})

    rest, link = graph.round(first["@odata.nextLink"], prefer=PAGED)
    after, _ = graph.round(link)

    known = replayed(replayed({}, first["value"] + rest), after)
    assert set(known) == set(default[:-1])
    assert known[default[0]]["nickName"] == "late"
