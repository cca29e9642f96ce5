"""PROPFIND as our own code answers it, from the root down to an item."""

from collections.abc import Callable
from typing import Any

import pytest
from radicale import config

from ccdaemon.dav.properties.live import CR, C, D
from ccdaemon.dav.properties.propfind import MAX_ANSWER, MAX_NAMES_LENGTH
from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.model import Kind, ProviderName, Purpose, RemoteCollection
from radicale_plugin.collection import StoredCollection
from radicale_plugin.storage import Storage
from tests.unit.dav.dav_client import DavClient, Resource, Response, clark, propfind, xml
from tests.unit.dav.household import Household, event
from tests.unit.dav.local import Local
from tests.unit.dav.test_dav_growth import counted

ITEM_LISTING = ("d:getetag", "d:getcontenttype", "d:resourcetype", "cs:nothing")


def told(client: DavClient, path: str, *names: str) -> Resource:
    """What is told of the resource itself."""
    return client.ask("PROPFIND", path, propfind(*names), Depth="0").resources[path]


def children(resource: Resource, name: str) -> list[str]:
    return [child.tag for child in resource.found[clark(name)]]


def leaves(resource: Resource, name: str) -> list[str]:
    """The innermost elements: of privileges and reports their names."""
    return [element.tag for element in resource.found[clark(name)].iter() if len(element) == 0]


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_principal_tells_where_everything_is_and_by_which_addresses_its_person_is_invited(
    anna: DavClient, household: Household
) -> None:
    with household.store.write() as transaction:
        person = transaction.person("anna")
        assert person is not None
        for number, address in enumerate(("Anna@Example.org", "a b&c@example.com", "")):
            transaction.add_account(
                person_id=person.id,
                provider=ProviderName.MICROSOFT,
                subject=f"more-{number}",
                ref=f"more-{number}",
                label=f"more-{number}",
                address=address,
                purposes=[Purpose.CALENDAR],
                writable=False,
                now=household.clock(),
            )

    home = told(
        anna,
        "/anna/",
        "d:current-user-principal",
        "d:principal-URL",
        "d:owner",
        "d:principal-collection-set",
        "c:calendar-home-set",
        "cr:addressbook-home-set",
        "c:calendar-user-address-set",
        "c:calendar-user-type",
        "cs:email-address-set",
        "d:displayname",
        "d:resourcetype",
        "c:schedule-inbox-URL",
        "c:schedule-outbox-URL",
        "cs:notification-URL",
        "cs:dropbox-home-URL",
        "d:quota-available-bytes",
    )

    places = (
        "d:current-user-principal",
        "d:principal-URL",
        "d:owner",
        "c:calendar-home-set",
        "cr:addressbook-home-set",
    )
    assert [["/anna/"]] * len(places) == [home.hrefs(name) for name in places]
    assert home.hrefs("d:principal-collection-set") == ["/"]
    assert home.hrefs("c:calendar-user-address-set") == [
        "mailto:Anna@Example.org",
        "mailto:a%20b&c@example.com",
        "/anna/",
    ]
    assert home.text("c:calendar-user-type") == "INDIVIDUAL"
    assert [element.text for element in home.found[clark("cs:email-address-set")]] == [
        "Anna@Example.org",
        "a b&c@example.com",
    ]
    assert home.text("d:displayname") == "anna"
    assert children(home, "d:resourcetype") == [clark("d:principal"), clark("d:collection")]
    assert home.missing == {
        clark(name)
        for name in (
            "c:schedule-inbox-URL",
            "c:schedule-outbox-URL",
            "cs:notification-URL",
            "cs:dropbox-home-URL",
            "d:quota-available-bytes",
        )
    }


def test_the_root_leads_to_the_asker_alone(anna: DavClient) -> None:
    response = anna.ask("PROPFIND", "/", propfind("d:current-user-principal", "d:resourcetype", "d:owner"), Depth="1")

    assert list(response.resources) == ["/", "/anna/"]
    assert response.resources["/"].hrefs("d:current-user-principal") == ["/anna/"]
    assert children(response.resources["/"], "d:resourcetype") == [clark("d:collection")]
    assert response.resources["/"].hrefs("d:owner") == []


def test_ctag_and_token_are_those_of_the_storage_plugin(anna: DavClient, household: Household) -> None:
    storage = Storage(config.load(), household.store, now=household.clock)
    url = household.anna.calendar_url
    with storage.acquire_lock("r", "anna"):
        [collection] = storage.discover(url)
        assert isinstance(collection, StoredCollection)
        expected = (collection.etag, collection.etag, collection.sync()[0])

    found = told(anna, url, "cs:getctag", "d:getetag", "d:sync-token")

    assert expected == (found.text("cs:getctag"), found.text("d:getetag"), found.text("d:sync-token"))


def test_what_is_kept_here_may_be_written_and_what_is_of_a_cloud_not(
    anna: DavClient, household: Household, local: Local
) -> None:
    read = [D + "read", D + "read-current-user-privilege-set"]
    write = [D + name for name in ("write", "write-content", "write-properties")]
    members = [D + "bind", D + "unbind"]
    item = "own.ics"
    body, index = event("Own", "own", household.clock())
    with household.store.write() as transaction:
        transaction.put(
            local.calendar.id, group_id="own", href=item, body=body, index=index, base=None, now=household.clock()
        )
    paths = ("/", "/anna/", household.anna.book_url, household.anna.calendar_url)
    own = (local.book_url, local.calendar_url, local.calendar_url + item)

    privileges = [
        leaves(told(anna, path, "d:current-user-privilege-set"), "d:current-user-privilege-set")
        for path in (*paths, *own)
    ]

    assert privileges == [
        read,
        [*read, *members],
        read,
        [*read, C + "read-free-busy"],
        [*read, *write, *members],
        [*read, C + "read-free-busy", *write, *members],
        [*read, *write],
    ]


def test_nobody_without_an_account_of_their_own_here_can_bind_in_their_home(ben: DavClient) -> None:
    found = told(ben, "/ben/", "d:current-user-privilege-set")

    assert D + "bind" not in leaves(found, "d:current-user-privilege-set")


def test_a_report_that_is_announced_is_answered(anna: DavClient, household: Household, local: Local) -> None:
    bodies = {
        D + "sync-collection": xml("d:sync-collection", "<d:sync-token/><d:sync-level>1</d:sync-level><d:prop/>"),
        D + "expand-property": xml("d:expand-property", "<d:property name='owner'/>"),
        D + "principal-match": xml("d:principal-match", "<d:self/>"),
        D + "principal-property-search": xml("d:principal-property-search", "<d:prop/>"),
        D + "principal-search-property-set": xml("d:principal-search-property-set", ""),
        C + "free-busy-query": xml(
            "c:free-busy-query", "<c:time-range start='20260301T000000Z' end='20260401T000000Z'/>"
        ),
        C + "calendar-multiget": xml("c:calendar-multiget", "<d:prop/><d:href>/x</d:href>"),
        CR + "addressbook-multiget": xml("cr:addressbook-multiget", "<d:prop/><d:href>/x</d:href>"),
        C + "calendar-query": xml(
            "c:calendar-query", "<d:prop/><c:filter><c:comp-filter name='VCALENDAR'/></c:filter>"
        ),
        CR + "addressbook-query": xml("cr:addressbook-query", "<d:prop/><cr:filter/>"),
    }
    paths = ("/", "/anna/", household.anna.book_url, household.anna.calendar_url, local.tasks_url)
    announced = {path: leaves(told(anna, path, "d:supported-report-set"), "d:supported-report-set") for path in paths}

    statuses = {
        (path, name): anna.ask("REPORT", path, bodies[name], Depth="0").status
        for path, names in announced.items()
        for name in names
    }

    assert {len(names) for names in announced.values()} == {4, 5}
    assert [asked for asked, status in statuses.items() if status not in (200, 207)] == []


def test_a_calendar_tells_what_it_takes(anna: DavClient, household: Household, local: Local) -> None:
    found = told(
        anna,
        household.anna.calendar_url,
        "c:supported-calendar-data",
        "c:supported-collation-set",
        "c:max-resource-size",
        "c:min-date-time",
        "c:max-date-time",
        "c:supported-calendar-component-set",
    )
    tasks = told(anna, local.tasks_url, "c:supported-calendar-component-set")
    book = told(anna, local.book_url, "cr:supported-address-data", "cr:supported-collation-set", "cr:max-resource-size")

    [data] = found.found[clark("c:supported-calendar-data")]
    assert (data.tag, data.attrib) == (C + "calendar-data", {"content-type": "text/calendar", "version": "2.0"})
    assert [element.text for element in found.found[clark("c:supported-collation-set")]] == [
        "i;ascii-casemap",
        "i;octet",
        "i;unicode-casemap",
    ]
    assert (found.text("c:max-resource-size"), book.text("cr:max-resource-size")) == ("5000000", "5000000")
    assert (found.text("c:min-date-time"), found.text("c:max-date-time")) == ("00010101T000000Z", "99991231T235959Z")
    assert [comp.get("name") for comp in found.found[clark("c:supported-calendar-component-set")]] == ["VEVENT"]
    assert [comp.get("name") for comp in tasks.found[clark("c:supported-calendar-component-set")]] == ["VTODO"]
    assert [kind.get("version") for kind in book.found[clark("cr:supported-address-data")]] == ["3.0", "4.0"]


def test_the_time_zone_of_the_provider_is_told_in_both_forms(anna: DavClient, household: Household) -> None:
    found = told(anna, household.anna.calendar_url, "c:calendar-timezone", "c:calendar-timezone-id")

    text = found.text("c:calendar-timezone") or ""
    assert (text.startswith("BEGIN:VCALENDAR\r\n"), "\r\nTZID:Europe/Zurich\r\n" in text) == (True, True)
    assert found.text("c:calendar-timezone-id") == "Europe/Zurich"


def test_an_item_tells_its_length_date_and_type(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url + "000000.ics"
    got = anna.ask("GET", url)

    found = told(anna, url, "d:getcontentlength", "d:getlastmodified", "d:getcontenttype", "d:getetag", "d:displayname")

    assert found.text("d:getcontentlength") == str(len(got.body))
    assert (found.text("d:getetag"), found.text("d:getlastmodified")) == (
        got.headers["etag"],
        got.headers["last-modified"],
    )
    assert found.text("d:getcontenttype") == "text/calendar;charset=utf-8;component=VEVENT"
    assert found.missing == {clark("d:displayname")}


def test_hrefs_have_the_path_under_which_people_reach_us(household: Household) -> None:
    application = make_wsgi_app(household.store, public_url="https://dav.example.org/sub", now=household.clock)
    anna = DavClient(application, "anna", household.anna.password)
    anna.headers["Host"] = "dav.example.org"
    body = propfind("d:current-user-principal", "d:principal-collection-set", "d:owner")

    response = anna.ask("PROPFIND", "/sub" + household.anna.book_url, body, Depth="1")

    expected = "/sub" + household.anna.book_url
    assert [expected, *(f"{expected}{n:06d}.vcf" for n in range(3))] == list(response.resources)
    for resource in response.resources.values():
        assert resource.hrefs("d:current-user-principal") == ["/sub/anna/"]
        assert resource.hrefs("d:owner") == ["/sub/anna/"]
        assert resource.hrefs("d:principal-collection-set") == ["/sub/"]


def test_an_odd_name_of_a_collection_is_text(anna: DavClient, household: Household) -> None:
    with household.store.write() as transaction:
        [account] = transaction.accounts(household.anna.contacts.person_id)
        transaction.save_collections(
            account.id,
            Kind.TASKS,
            [RemoteCollection(remote_id="t", kind=Kind.TASKS, name="<b>&amp;\"'</b>]]>", description="<&>")],
            now=household.clock(),
        )
    response = anna.ask("PROPFIND", "/anna/", propfind("d:displayname", "c:calendar-description"), Depth="1")

    names = [found.text("d:displayname") for found in response.resources.values()]
    assert "<b>&amp;\"'</b>]]>" in names


# --- listings ---------------------------------------------------------------------------------------------------------


def test_a_listing_tells_each_item_whoever_joins_the_text(anna: DavClient, household: Household, local: Local) -> None:
    """Of a cloud's collection the database writes it, of one kept here we do."""
    for n in range(3):
        body, index = event(f"Day {n}", f"event-{n}", household.clock())
        with household.store.write() as transaction:
            transaction.put(
                local.calendar.id,
                group_id=f"own-{n}",
                href=f"{n} 100% <&é>.ics",
                body=body,
                index=index,
                base=None,
                now=household.clock(),
            )
    listings = [
        anna.ask("PROPFIND", url, propfind(*ITEM_LISTING), Depth="1")
        for url in (household.anna.calendar_url, local.calendar_url)
    ]

    with household.store.read() as reader:
        etags = {
            household.anna.calendar_url: dict(reader.etags_by_href(household.anna.calendar.id)),
            local.calendar_url: dict(reader.etags_by_href(local.calendar.id)),
        }
    for listing, url, names in zip(
        listings,
        (household.anna.calendar_url, local.calendar_url),
        ([f"{n:06d}.ics" for n in range(3)], [f"{n} 100% <&é>.ics" for n in range(3)]),
        strict=True,
    ):
        assert [url, *(url + name for name in names)] == list(listing.resources)
        for name in names:
            item = listing.resources[url + name]
            assert item.text("d:getetag") == etags[url][name]
            assert children(item, "d:resourcetype") == []
            assert item.missing == {clark("cs:nothing")}


def test_allprop_and_an_empty_body_leave_out_what_their_rfcs_want_left_out(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.book_url
    answers = [anna.ask("PROPFIND", url, body, Depth="1") for body in (b"", xml("d:propfind", "<d:allprop/>"))]

    assert answers[0].body == answers[1].body
    assert set(answers[0].resources[url].found) == {
        clark(name) for name in ("d:displayname", "d:resourcetype", "d:getetag", "d:getcontenttype", "cs:getctag")
    }
    assert set(answers[0].resources[url + "000000.vcf"].found) == {
        D + name for name in ("resourcetype", "getetag", "getcontenttype", "getcontentlength", "getlastmodified")
    }
    assert not any(found.missing for found in answers[0].resources.values())


def test_allprop_may_include_more(anna: DavClient, household: Household) -> None:
    body = xml("d:propfind", "<d:allprop/><d:include><d:sync-token/><d:quota-used-bytes/></d:include>")

    found = anna.ask("PROPFIND", household.anna.book_url, body, Depth="0").resources[household.anna.book_url]

    assert (clark("d:sync-token") in found.found, found.missing) == (True, {clark("d:quota-used-bytes")})


def test_propname_names_what_would_be_found_and_no_more(anna: DavClient, household: Household) -> None:
    for path in ("/", "/anna/", household.anna.book_url, household.anna.calendar_url):
        named = anna.ask("PROPFIND", path, xml("d:propfind", "<d:propname/>"), Depth="1")
        for url, resource in named.resources.items():
            names = "".join(
                f"<x:{tag.partition('}')[2]} xmlns:x='{tag[1:].partition('}')[0]}'/>" for tag in resource.found
            )
            asked = anna.ask("PROPFIND", url, xml("d:propfind", f"<d:prop>{names}</d:prop>"), Depth="0")

            assert not any(element.text or len(element) for element in resource.found.values())
            assert (set(resource.found), set()) == (
                set(asked.resources[url].found),
                asked.resources[url].missing,
            )


@pytest.mark.parametrize(
    "headers", [{"Prefer": "return=minimal"}, {"Prefer": "handling=lenient, Return=Minimal"}, {"Brief": "t"}]
)
def test_who_prefers_little_is_not_told_what_is_missing(
    anna: DavClient, household: Household, headers: dict[str, Any]
) -> None:
    body = propfind("d:getetag", "cs:nothing")
    plain = anna.ask("PROPFIND", household.anna.book_url, body, Depth="1")
    minimal = anna.ask("PROPFIND", household.anna.book_url, body, Depth="1", **headers)
    nothing = anna.ask("PROPFIND", household.anna.book_url, propfind("cs:nothing"), Depth="0", **headers)

    assert ("preference-applied" in plain.headers, minimal.headers["preference-applied"]) == (False, "return=minimal")
    assert {clark("cs:nothing")} == set().union(*(found.missing for found in plain.resources.values()))
    assert not any(found.missing for found in minimal.resources.values())
    assert [set(found.found) for found in plain.resources.values()] == [
        set(found.found) for found in minimal.resources.values()
    ]
    assert b"<propstat><prop></prop><status>HTTP/1.1 200 OK</status></propstat>" in nothing.body


# --- depth and form ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "depth", "count"),
    [
        ("/", "", 1),
        ("/anna/", "", 1),
        ("/anna/", "1", 3),
        ("{book}", "", 1),
        ("{book}", "0", 1),
        ("{book}", "1", 4),
        ("{book}", "infinity", 4),
        ("{book}", "Infinity", 4),
        ("{book}000000.vcf", "0", 1),
        ("{book}000000.vcf", "1", 1),
        ("{book}000000.vcf", "infinity", 1),
    ],
)
def test_the_depth_says_how_much_is_told(
    anna: DavClient, household: Household, path: str, depth: str, count: int
) -> None:
    response = anna.ask("PROPFIND", path.format(book=household.anna.book_url), propfind("d:getetag"), Depth=depth)

    assert (response.status, len(response.resources)) == (207, count)


@pytest.mark.parametrize("path", ["/", "/anna/"])
def test_folders_are_not_told_to_any_depth(anna: DavClient, path: str) -> None:
    response = anna.ask("PROPFIND", path, propfind("d:getetag"), Depth="infinity")

    assert (response.status, [child.tag for child in response.xml]) == (403, [D + "propfind-finite-depth"])


@pytest.mark.parametrize("depth", ["2", "-1", "one", "0,1", "1;q=0"])
def test_a_depth_that_is_none_is_a_bad_request(anna: DavClient, depth: str) -> None:
    assert anna.ask("PROPFIND", "/anna/", propfind("d:getetag"), Depth=depth).status == 400


@pytest.mark.parametrize(
    "body", [xml("d:propertyupdate", "<d:prop/>"), xml("d:propfind", "<d:nothing/>"), b"<propfind", b"\xff\xfe"]
)
def test_a_body_that_is_no_propfind_is_refused(anna: DavClient, body: bytes) -> None:
    assert anna.ask("PROPFIND", "/anna/", body, Depth="0").status in (400, 415)


def test_an_element_that_nobody_knows_is_skipped(anna: DavClient) -> None:
    body = xml("d:propfind", "<x xmlns='urn:x'/><d:prop><d:displayname/></d:prop>")

    assert anna.ask("PROPFIND", "/anna/", body, Depth="0").resources["/anna/"].text("d:displayname") == "anna"


def test_a_property_of_any_namespace_or_none_comes_back_as_missing(anna: DavClient) -> None:
    body = xml("d:propfind", "<d:prop><a xmlns=''/><b xmlns='urn:&quot;&lt;&amp;'/><c xmlns='dav:'/></d:prop>")

    found = anna.ask("PROPFIND", "/anna/", body, Depth="0").resources["/anna/"]

    assert found.missing == {"a", '{urn:"<&}b', "{dav:}c"}


@pytest.mark.parametrize("depth", ["0", "1", "infinity"])
def test_what_is_nowhere_answers_as_radicale_answers_it(anna: DavClient, household: Household, depth: str) -> None:
    foreign = household.ben.book_url + "000000.vcf"
    places = ("/ben/", "/ghost/", "/anna/ghost/", "/anna/ghost/x.vcf", household.anna.book_url + "ghost.vcf", foreign)
    sync = xml("d:sync-collection", "<d:sync-token/><d:prop/>")

    ours = [anna.ask("PROPFIND", place, propfind("d:getetag"), Depth=depth) for place in places]

    assert ours == [anna.ask("REPORT", place, sync, Depth="0") for place in places]
    assert {answer.status for answer in ours} == {404}


# --- what it costs ----------------------------------------------------------------------------------------------------


def too_many_names(count: int) -> bytes:
    return propfind(*(f"cs:{'n' * 40}{n}" for n in range(count)))


def test_names_without_end_are_refused(anna: DavClient, household: Household) -> None:
    response = anna.ask("PROPFIND", household.anna.book_url, too_many_names(MAX_NAMES_LENGTH // 40), Depth="0")

    assert response.status == 413


def test_many_names_of_many_items_are_refused_and_of_few_items_not(anna: DavClient, household: Household) -> None:
    body = too_many_names(200)
    few = anna.ask("PROPFIND", household.anna.book_url, body, Depth="1")
    household.put_cards(household.anna, MAX_ANSWER // (200 * 45))
    many = anna.ask("PROPFIND", household.anna.book_url, body, Depth="1")

    assert (few.status, many.status) == (207, 507)


def statements(ask: Callable[[], Response]) -> int:
    with counted() as cost:
        assert ask().status == 207
    return cost.statements


@pytest.mark.parametrize(
    ("depth", "names", "count"),
    [
        ("0", ("d:resourcetype", "c:calendar-home-set"), 1),  # person
        ("0", ("c:calendar-user-address-set",), 2),  # and accounts
        ("1", ("d:displayname", "cs:getctag", "d:sync-token"), 1),  # collections
        ("1", ("ical:calendar-color", "d:current-user-privilege-set"), 3),  # and accounts, properties
    ],
)
def test_a_home_costs_the_same_with_any_number_of_collections(
    anna: DavClient, household: Household, depth: str, names: tuple[str, ...], count: int
) -> None:
    def ask() -> Response:
        return anna.ask("PROPFIND", "/anna/", propfind(*names), Depth=depth)

    with household.store.read() as reader:
        [account] = reader.accounts(household.anna.contacts.person_id)
    ask()
    costs = [statements(ask)]
    with household.store.write() as transaction:
        remotes = [RemoteCollection(remote_id=f"t{n}", kind=Kind.TASKS, name=f"List {n}") for n in range(40)]
        transaction.save_collections(account.id, Kind.TASKS, remotes, now=household.clock())
    costs.append(statements(ask))

    assert costs == [count, count]


@pytest.mark.parametrize(
    "body", [b"", xml("d:propfind", "<d:propname/>"), propfind("cs:getctag", "ical:calendar-color")]
)
def test_a_collection_itself_costs_the_same_whatever_is_in_it(
    anna: DavClient, household: Household, body: bytes
) -> None:
    anna.ask("PROPFIND", household.anna.book_url, body, Depth="0")  # and the log-in
    costs = []
    for size in (100, 5_000):
        household.put_cards(household.anna, size)
        with counted() as cost:
            assert anna.ask("PROPFIND", household.anna.book_url, body, Depth="0").status == 207
        costs.append((cost.statements, cost.steps))

    assert costs[0][0] == costs[1][0]
    assert costs[1][1] <= costs[0][1] + 1
