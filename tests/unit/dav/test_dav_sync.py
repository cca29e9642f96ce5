"""ctag and sync-collection (RFC 6578) on the collection's revision."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radicale import config

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.model import Kind, RemoteCollection
from radicale_plugin.collection import StoredCollection
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, clark, propfind, sync_collection, xml
from tests.unit.dav.household import Household, card
from tests.unit.dav.local import add_local


def state(client: DavClient, url: str) -> tuple[str | None, str | None]:
    resource = client.ask("PROPFIND", url, propfind("cs:getctag", "d:sync-token"), Depth="0").resources[url]
    return resource.text("cs:getctag"), resource.text("d:sync-token")


def test_an_initial_sync_lists_living_items_only_and_ends_at_the_token_of_the_collection(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    household.remove(household.anna.contacts, "000001.vcf")

    response = anna.ask("REPORT", url, sync_collection())

    assert {url + "000000.vcf", url + "000002.vcf"} == set(response.resources)
    assert [resource.status for resource in response.resources.values()] == [None, None]
    assert state(anna, url)[1] == response.sync_token


def test_a_sync_with_nothing_new_is_empty_and_keeps_the_token(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url
    token = anna.ask("REPORT", url, sync_collection()).sync_token

    response = anna.ask("REPORT", url, sync_collection(token), Depth="0")

    assert ({}, token) == (response.resources, response.sync_token)


def test_a_sync_tells_what_was_added_changed_and_removed_and_nothing_else(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    ctag, token = state(anna, url)
    household.put_cards(household.anna, 1, first=7)
    household.remove(household.anna.contacts, "000002.vcf")
    body, index = card("Renamed", "card-0")
    with household.store.write() as transaction:
        transaction.put(
            household.anna.contacts.id,
            group_id="group-0",
            href="000000.vcf",
            body=body,
            index=index,
            base=None,
            now=household.clock(),
        )

    response = anna.ask("REPORT", url, sync_collection(str(token), "d:getetag", "cr:address-data"), Depth="1")
    resources = response.resources

    assert {url + name for name in ("000000.vcf", "000002.vcf", "000007.vcf")} == set(resources)
    assert resources[url + "000002.vcf"].status == 404
    assert body == resources[url + "000000.vcf"].text("cr:address-data")
    assert state(anna, url)[1] == response.sync_token != token
    assert state(anna, url)[0] != ctag


def test_a_change_moves_only_its_own_collection(anna: DavClient, household: Household) -> None:
    before = state(anna, household.anna.calendar_url)
    household.put_cards(household.anna, 1, first=9)

    assert before == state(anna, household.anna.calendar_url)


@pytest.mark.parametrize("token", ["", "1", "999"])
def test_a_token_of_the_future_of_nowhere_or_of_another_collection_is_not_valid(
    anna: DavClient, household: Household, token: str
) -> None:
    own = state(anna, household.anna.book_url)[1] or ""
    wrong = {
        "": state(anna, household.anna.calendar_url)[1] or "",
        "1": "http://example.org/sync/1",
        "999": own + "999",
    }[token]

    response = anna.ask("REPORT", household.anna.book_url, sync_collection(wrong))

    assert response.status == 403
    assert b"valid-sync-token" in response.body


@pytest.mark.parametrize("revision", ["-1", "x", "1.0", "1" * 500, "²", " ", "0x1"])
def test_a_mangled_token_is_not_valid(anna: DavClient, household: Household, revision: str) -> None:
    own = state(anna, household.anna.book_url)[1] or ""

    response = anna.ask("REPORT", household.anna.book_url, sync_collection(own.rpartition(":")[0] + ":" + revision))

    assert response.status == 403


def test_one_request_sees_one_revision_while_another_process_writes(household: Household) -> None:
    """I10: the token that is told belongs to the items that are told."""
    storage = Storage(config.load(), household.store, now=household.clock)
    with storage.acquire_lock("r", "anna"):
        [collection] = storage.discover(household.anna.book_url)
        assert isinstance(collection, StoredCollection)
        token, _ = collection.sync()
        household.put_cards(household.anna, 1, first=50)
        household.remove(household.anna.contacts, "000000.vcf")
        _, hrefs = collection.sync()
        during = set(hrefs)
        [(_, item)] = collection.get_multi(["000000.vcf"])
    with storage.acquire_lock("r", "anna"):
        [collection] = storage.discover(household.anna.book_url)
        assert isinstance(collection, StoredCollection)
        after, hrefs = collection.sync(token)

        assert set(hrefs) == {"000000.vcf", "000050.vcf"}

    assert during == {"000000.vcf", "000001.vcf", "000002.vcf"}
    assert item is not None
    assert after != token


def test_an_empty_collection_has_a_token_that_stays_good(household: Household, anna: DavClient) -> None:
    member = household.add_member("cleo")
    cleo = DavClient(anna.application, "cleo", member.password)
    token = cleo.ask("REPORT", member.book_url, sync_collection()).sync_token
    household.put_cards(member, 2)

    response = cleo.ask("REPORT", member.book_url, sync_collection(token))

    assert len(response.resources) == 2


def test_a_renamed_collection_has_another_etag_as_one_file(anna: DavClient, household: Household) -> None:
    """Its name is part of the exported bytes (X-WR-CALNAME)."""
    url = household.anna.calendar_url
    before = anna.ask("GET", url)
    renamed = RemoteCollection(remote_id="primary", kind=Kind.EVENTS, name="Another name")
    with household.store.write() as transaction:
        transaction.save_collections(household.anna.calendar.account_id, Kind.EVENTS, [renamed], now=household.clock())

    after = anna.ask("GET", url)

    assert before.body != after.body
    assert before.headers["etag"] != after.headers["etag"]


def limited(token: str, limit: int | str, *names: str) -> bytes:
    props = "".join(f"<{name}/>" for name in names or ("d:getetag",))
    return xml(
        "d:sync-collection",
        f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>"
        f"<d:limit><d:nresults>{limit}</d:nresults></d:limit><d:prop>{props}</d:prop>",
    )


def test_a_limit_cuts_the_answer_says_so_and_the_token_goes_on_exactly_there(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url

    first = anna.ask("REPORT", url, limited("", 2))
    second = anna.ask("REPORT", url, limited(first.sync_token, 2))

    assert {url, url + "000000.vcf", url + "000001.vcf"} == set(first.resources)
    assert first.resources[url].status == 507
    assert b"<error><number-of-matches-within-limits/></error>" in first.body
    assert {url + "000002.vcf"} == set(second.resources)
    assert state(anna, url)[1] == second.sync_token


def test_a_limit_that_is_not_reached_changes_nothing(anna: DavClient, household: Household) -> None:
    url = household.anna.book_url

    limited_, whole = anna.ask("REPORT", url, limited("", 3)), anna.ask("REPORT", url, sync_collection())

    assert set(whole.resources) == set(limited_.resources)
    assert whole.sync_token == limited_.sync_token


@pytest.mark.parametrize(("limit", "status"), [("0", 403), ("-1", 400), ("many", 400), ("", 400), ("9" * 30, 400)])
def test_a_limit_that_cannot_be_kept_is_refused(anna: DavClient, household: Household, limit: str, status: int) -> None:
    response = anna.ask("REPORT", household.anna.book_url, limited("", limit))

    assert status == response.status
    assert (b"number-of-matches-within-limits" in response.body) == (status == 403)


def test_an_answer_with_bodies_is_cut_where_it_grows_too_long(
    anna: DavClient, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccdaemon.dav.reports.sync.MAX_CHARACTERS", 700)  # two cards
    url, token = household.anna.book_url, ""
    told: dict[str, object] = {}
    statuses, sizes = [], []

    for _ in range(3):
        response = anna.ask("REPORT", url, sync_collection(token, "d:getetag", "cr:address-data"))
        statuses.append(response.resources[url].status if url in response.resources else None)
        told |= {href: resource for href, resource in response.resources.items() if href != url}
        token = response.sync_token
        sizes.append(len(response.resources))

    assert statuses == [507, None, None]
    assert sizes == [3, 1, 0]  # the first with the collection itself
    assert {f"{url}{n:06d}.vcf" for n in range(3)} == set(told)
    assert state(anna, url)[1] == token


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["put", "remove", "prune", "page"]), st.integers(0, 7)), max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, limit=st.integers(1, 4))
def test_pages_of_any_size_end_at_what_is_there_whatever_changes_between_them(
    anna: DavClient, household: Household, steps: list[Step], limit: int
) -> None:
    url = household.anna.book_url
    known: dict[str, str | None] = {}
    token = ""
    version = iter(range(10_000))

    def page() -> bool:
        nonlocal token
        response = anna.ask("REPORT", url, limited(token, limit))
        if response.status == 403:  # what it would have to be told is forgotten: it begins anew, as clients do
            assert token
            token = ""
            known.clear()
            return True
        token = response.sync_token
        is_cut = False
        for href, resource in response.resources.items():
            if href == url:
                is_cut = True
            elif resource.status == 404:
                known.pop(href, None)
            else:
                known[href] = resource.text("d:getetag")
        return is_cut

    for action, n in steps:
        if action == "put":
            _put(household, n, f"Version {next(version)} of {n}")
        elif action == "remove":
            household.remove(household.anna.contacts, f"{n:06d}.vcf")
        elif action == "prune":
            forget(household, n + 1)
        else:
            page()
    while page():
        pass

    listed = anna.ask("PROPFIND", url, propfind("d:getetag"), Depth="1").resources
    assert {href: one.text("d:getetag") for href, one in listed.items() if href != url} == known
    assert state(anna, url)[1] == token


def forget(household: Household, count: int) -> None:
    """The oldest tombstones go, as thirty days after they died."""
    with household.store.write() as transaction:
        transaction.forget_trash(household.clock() + timedelta(days=1), limit=count)


def test_a_first_listing_in_pages_ends_at_the_truth_however_high_the_floor(
    anna: DavClient, household: Household
) -> None:
    """Its tokens lie under the floor all the way, and deletions between its pages are told."""
    url = household.anna.book_url
    household.put_cards(household.anna, 37, first=3)
    household.put_cards(household.anna, 3, first=90)
    for n in range(90, 93):
        household.remove(household.anna.contacts, f"{n:06d}.vcf")
    forget(household, 9)
    known: set[str] = set()
    token, statuses = "", []

    for removed in (2, 5, 25, 38, None, None):
        response = anna.ask("REPORT", url, limited(token, 10))
        statuses.append(response.status)
        token = response.sync_token
        for href, resource in response.resources.items():
            (known.discard if resource.status == 404 else known.add)(href)
        if removed is not None:
            household.remove(household.anna.contacts, f"{removed:06d}.vcf")

    assert {207} == set(statuses)
    assert {f"{url}{n:06d}.vcf" for n in range(40) if n not in {2, 5, 25, 38}} == known - {url}
    assert state(anna, url)[1] == token


def test_a_token_in_the_middle_of_a_first_listing_is_refused_once_what_it_needs_is_forgotten(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    token = anna.ask("REPORT", url, limited("", 1)).sync_token
    household.remove(household.anna.contacts, "000000.vcf")
    good = anna.ask("REPORT", url, limited(token, 9))
    forget(household, 1)

    response = anna.ask("REPORT", url, limited(token, 9))

    assert (good.status, response.status) == (207, 403)
    assert b"valid-sync-token" in response.body


@pytest.mark.parametrize("place", ["1-", "-3", "1-99", "2-1", "1-2-3", "1-\u0663", "-", "1--3"])
def test_a_place_in_a_first_listing_that_cannot_be_is_refused(
    anna: DavClient, household: Household, place: str
) -> None:
    url = household.anna.book_url
    token = state(anna, url)[1] or ""

    response = anna.ask("REPORT", url, limited(f"{token.rpartition(':')[0]}:{place}", 9))

    assert response.status == 403


def _put(household: Household, n: int, name: str) -> None:
    body, index = card(name, f"card-{n}")
    with household.store.write() as transaction:
        transaction.put(
            household.anna.contacts.id,
            group_id=f"group-{n}",
            href=f"{n:06d}.vcf",
            body=body,
            index=index,
            base=None,
            now=household.clock(),
        )


def test_a_token_outlives_the_server(household: Household, anna: DavClient) -> None:
    url = household.anna.book_url
    token = anna.ask("REPORT", url, sync_collection()).sync_token
    household.put_cards(household.anna, 1, first=9)
    started_again = make_wsgi_app(household.store, public_url=None, now=household.clock)

    response = DavClient(started_again, "anna", household.anna.password).ask("REPORT", url, sync_collection(token))

    assert {url + "000009.vcf"} == set(response.resources)


@pytest.mark.parametrize("depth", ["", "0", "1", "infinity"])
@pytest.mark.parametrize("level", ["<d:sync-level>1</d:sync-level>", "<d:sync-level>infinite</d:sync-level>", ""])
def test_depth_and_level_do_not_matter_where_no_collection_holds_another(
    anna: DavClient, household: Household, depth: str, level: str
) -> None:
    """DAVx5 sends Depth 0, Thunderbird 1."""
    body = xml("d:sync-collection", f"<d:sync-token/>{level}<d:prop><d:getetag/></d:prop>")

    assert len(anna.ask("REPORT", household.anna.book_url, body, Depth=depth).resources) == 3


@pytest.mark.parametrize(
    "names",
    [
        ("d:getetag",),
        ("d:getetag", "d:getcontenttype"),
        ("d:getcontenttype", "d:resourcetype"),
        ("d:getetag", "cr:address-data"),
        ("d:getetag", "d:getlastmodified", "d:getcontentlength"),
        ("d:getetag", "d:quota-used-bytes"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_initial", [True, False], ids=["initial", "changes"])
def test_whatever_is_asked_is_told_of_each_item(
    anna: DavClient, household: Household, names: tuple[str, ...], is_initial: bool
) -> None:
    url = household.anna.book_url
    token = "" if is_initial else anna.ask("REPORT", url, sync_collection()).sync_token
    household.put_cards(household.anna, 1, first=9)

    resource = anna.ask("REPORT", url, sync_collection(token, *names)).resources[url + "000009.vcf"]
    got = anna.ask("GET", url + "000009.vcf")

    expected = {
        "d:getetag": got.headers["etag"],
        "d:getcontenttype": "text/vcard;charset=utf-8",
        "d:resourcetype": None,
        "cr:address-data": got.body.decode(),
        "d:getlastmodified": got.headers["last-modified"],
        "d:getcontentlength": str(len(got.body)),
    }
    assert {clark(name): expected[name] for name in names if name in expected} == {
        name: element.text for name, element in resource.found.items()
    }
    assert {clark(name) for name in names if name not in expected} == resource.missing


def test_nobody_is_told_what_is_missing_who_prefers_it_so(anna: DavClient, household: Household) -> None:
    """RFC 8144 section 2.1."""
    body = sync_collection("", "d:getetag", "d:quota-used-bytes")

    response = anna.ask("REPORT", household.anna.book_url, body, Prefer="return=minimal")

    assert b"404 Not Found" not in response.body
    assert b"quota" not in response.body
    assert response.headers["preference-applied"] == "return=minimal"


def test_a_name_with_a_percent_sign_is_a_name_like_any(anna: DavClient, household: Household) -> None:
    body = sync_collection().replace(b"<d:getetag/>", b'<d:getetag/><d:getlastmodified/><x:y xmlns:x="urn:100%s"/>')

    resource = anna.ask("REPORT", household.anna.book_url, body).resources[household.anna.book_url + "000000.vcf"]

    assert resource.missing == {"{urn:100%s}y"}


def test_hrefs_that_clients_chose_are_quoted(anna: DavClient, household: Household) -> None:
    local = add_local(household.store, "anna")
    body, index = card("Odd", "odd")
    with household.store.write() as transaction:
        transaction.put(
            local.contacts.id,
            group_id="odd",
            href="a b&<c>%20#?é.vcf",
            body=body,
            index=index,
            base=None,
            now=household.clock(),
        )

    response = anna.ask("REPORT", local.book_url, sync_collection())

    assert b"a%20b%26%3Cc%3E%2520%23%3F%C3%A9.vcf</href>" in response.body
    assert {local.book_url + "a b&<c>%20#?é.vcf"} == set(response.resources)


@pytest.mark.parametrize("place", ["/", "/anna/", "{card}"])
def test_what_is_no_collection_of_items_knows_no_sync(anna: DavClient, household: Household, place: str) -> None:
    url = place.format(card=household.anna.book_url + "000000.vcf")

    response = anna.ask("REPORT", url, sync_collection())

    assert (response.status, b"supported-report" in response.body) == (403, True)


def test_properties_without_end_do_not_make_an_answer_without_end(
    anna: DavClient, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each name comes back with each item."""
    monkeypatch.setattr("ccdaemon.dav.reports.sync.MAX_CHARACTERS", 100_000)
    names = [f"d:{'x' * 100}{n}" for n in range(500)]
    household.put_cards(household.anna, 20, first=10)

    response = anna.ask("REPORT", household.anna.book_url, sync_collection("", *names))

    assert len(response.body) < 200_000
    assert response.resources[household.anna.book_url].status == 507
