"""Every method at everything that another person has answers as at a name that nobody has (I7; trust.md T-23, R-40).

Both people have collections of clouds and local ones, which their owner may write.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.store.engine import open_store
from tests.unit.dav.dav_client import DavClient, Response, calendar_query, multiget, propfind, sync_collection, xml
from tests.unit.dav.estate import Estate, furnish
from tests.unit.dav.household import START, Household, card, event
from tests.unit.dav.statements import overheard
from tests.unit.dav.test_dav_differential import state

NEW_CARD = card("New", "new-card")[0].encode()
NEW_EVENT = event("New", "new-event", START)[0].encode()
SET_NAME = xml("d:propertyupdate", "<d:set><d:prop><d:displayname>Taken over</d:displayname></d:prop></d:set>")
SET_COLOR = xml(
    "d:propertyupdate", "<d:set><d:prop><ical:calendar-color>#ff0000</ical:calendar-color></d:prop></d:set>"
)
LOCK = xml("d:lockinfo", "<d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype>")
ACL = xml(
    "d:acl", "<d:ace><d:principal><d:all/></d:principal><d:grant><d:privilege><d:all/></d:privilege></d:grant></d:ace>"
)
BOOK_QUERY = xml(
    "cr:addressbook-query",
    "<d:prop><d:getetag/><cr:address-data/></d:prop><cr:filter><cr:prop-filter name='FN'>"
    "<cr:text-match>person</cr:text-match></cr:prop-filter></cr:filter>",
)
FREE_BUSY = xml("c:free-busy-query", "<c:time-range start='20260301T000000Z' end='20260401T000000Z'/>")
EXPAND = xml(
    "d:expand-property",
    "<d:property name='owner' namespace='DAV:'><d:property name='displayname' namespace='DAV:'/></d:property>",
)
MATCH = xml("d:principal-match", "<d:principal-property><d:owner/></d:principal-property>")
MAKE = xml("c:mkcalendar", "<d:set><d:prop><d:displayname>Taken over</d:displayname></d:prop></d:set>")
MAKE_BOOK = xml(
    "d:mkcol", "<d:set><d:prop><d:resourcetype><d:collection/><cr:addressbook/></d:resourcetype></d:prop></d:set>"
)


@dataclass(frozen=True)
class Ask:
    """One request but for its path."""

    method: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


REQUESTS: Mapping[str, Ask] = {
    "get": Ask("GET"),
    "get if changed": Ask("GET", headers=(("If_None_Match", "*"),)),
    "get as vCard 4": Ask("GET", headers=(("Accept", "text/vcard; version=4.0"),)),
    "get a range": Ask("GET", headers=(("Range", "bytes=0-10"),)),
    "head": Ask("HEAD"),
    "put a card": Ask("PUT", NEW_CARD),
    "put an event": Ask("PUT", NEW_EVENT),
    "put if new": Ask("PUT", NEW_EVENT, (("If_None_Match", "*"),)),
    "put if there": Ask("PUT", NEW_EVENT, (("If_Match", "*"),)),
    "put nonsense": Ask("PUT", b"\xff\x00nonsense"),
    "delete": Ask("DELETE"),
    "delete if there": Ask("DELETE", headers=(("If_Match", "*"),)),
    "delete if another": Ask("DELETE", headers=(("If_Match", '"x"'),)),
    "propfind": Ask("PROPFIND", propfind("d:resourcetype", "d:getetag", "cs:getctag", "d:owner"), (("Depth", "0"),)),
    "propfind children": Ask("PROPFIND", propfind("d:resourcetype", "d:getetag"), (("Depth", "1"),)),
    "propfind all below": Ask("PROPFIND", propfind("d:displayname"), (("Depth", "infinity"),)),
    "propfind minimal": Ask("PROPFIND", propfind("d:owner"), (("Depth", "0"), ("Prefer", "return=minimal"))),
    "propfind everything": Ask("PROPFIND", b"", (("Depth", "1"),)),
    "propfind broken": Ask("PROPFIND", b"<propfind", (("Depth", "0"),)),
    "proppatch the name": Ask("PROPPATCH", SET_NAME),
    "proppatch the colour": Ask("PROPPATCH", SET_COLOR),
    "report sync": Ask("REPORT", sync_collection()),
    "report calendar-query": Ask("REPORT", calendar_query("20260301T000000Z"), (("Depth", "1"),)),
    "report calendar-multiget": Ask("REPORT", multiget("c:calendar-multiget", "c:calendar-data", "/anna/x/y.ics")),
    "report addressbook-multiget": Ask(
        "REPORT", multiget("cr:addressbook-multiget", "cr:address-data", "/anna/x/y.vcf")
    ),
    "report addressbook-query": Ask("REPORT", BOOK_QUERY, (("Depth", "1"),)),
    "report free-busy": Ask("REPORT", FREE_BUSY, (("Depth", "1"),)),
    "report expand-property": Ask("REPORT", EXPAND),
    "report principal-match": Ask("REPORT", MATCH),
    "report unknown": Ask("REPORT", xml("d:version-tree", "")),
    "mkcol": Ask("MKCOL"),
    "mkcol with a kind": Ask("MKCOL", MAKE_BOOK),
    "mkcalendar": Ask("MKCALENDAR", MAKE),
    "move to own": Ask("MOVE", headers=(("Destination", "http://127.0.0.1:5232/anna/local-calendar-of-anna/m.ics"),)),
    "move to own over": Ask(
        "MOVE",
        headers=(("Destination", "http://127.0.0.1:5232/anna/local-calendar-of-anna/000000.ics"), ("Overwrite", "T")),
    ),
    "move without a destination": Ask("MOVE"),
    "copy to own": Ask("COPY", headers=(("Destination", "http://127.0.0.1:5232/anna/local-calendar-of-anna/c.ics"),)),
    "options": Ask("OPTIONS"),
    "lock": Ask("LOCK", LOCK, (("Depth", "0"), ("Timeout", "Second-10"))),
    "unlock": Ask("UNLOCK", headers=(("Lock_Token", "<urn:uuid:1>"),)),
    "acl": Ask("ACL", ACL),
    "post": Ask("POST", b"x"),
    "trace": Ask("TRACE"),
    "search": Ask("SEARCH", xml("d:searchrequest", "")),
}

PLACES = (
    *("home", "book", "calendar", "tasks", "local-book", "local-calendar"),
    *("card", "event", "task", "local-card", "local-event", "event-gone", "nothing"),
)


@dataclass(frozen=True, kw_only=True)
class Both:
    household: Household
    anna: Estate
    ben: Estate
    client: DavClient  # of anna


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    path: Path = tmp_path_factory.mktemp("isolation")
    household = Household(open_store(f"sqlite:///{path}/ccdaemon.db", create=True))
    for name in ("anna", "ben"):
        household.add_member(name)
    estates = {name: furnish(household, name) for name in ("anna", "ben")}
    with household.store.write() as transaction:
        for member in household.members.values():
            transaction.touch_device(member.device_id, household.clock())
    app = make_wsgi_app(household.store, public_url=None, now=household.clock)
    client = DavClient(app, "anna", household.anna.password)
    client.ask("OPTIONS", "/")  # the log-in is known from now on, and costs no statement
    yield Both(household=household, anna=estates["anna"], ben=estates["ben"], client=client)
    household.store.close()


def nowhere(path: str) -> list[str]:
    """Paths of the same shape and length that lead to nobody's: each segment alone, and all of them."""
    parts = path.strip("/").split("/")
    ghosts = [_ghost(part) for part in parts]
    mixed = [[*parts[:n], ghost, *parts[n + 1 :]] for n, ghost in enumerate(ghosts)]
    return [f"/{'/'.join(one)}{'/' if path.endswith('/') else ''}" for one in [*mixed, ghosts]]


def _ghost(segment: str) -> str:
    """Another name of the same length, with the same ending."""
    stem, dot, suffix = segment.partition(".")
    return "".join(chr((ord(sign) - 96) % 26 + 97) if sign.isalpha() else "7" for sign in stem.lower()) + dot + suffix


def seen(response: Response, path: str) -> tuple[int, Mapping[str, str], bytes]:
    return response.status, response.headers, response.body.replace(path.encode(), b"PATH")


def ask(client: DavClient, what: Ask, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    return seen(client.ask(what.method, path, what.body, **dict(what.headers), **headers), path)


@pytest.mark.parametrize("name", REQUESTS)
def test_whatever_is_asked_of_anothers_is_answered_as_of_nobodys_and_changes_nothing(both: Both, name: str) -> None:
    before = state(both.household.store)

    for place in PLACES:
        path = both.ben.url(place)
        answer = ask(both.client, REQUESTS[name], path)

        assert answer[0] < 500
        for other in nowhere(path):
            assert ask(both.client, REQUESTS[name], other) == answer, (path, other)
        assert b"of ben" not in answer[2]
    assert before == state(both.household.store)


@pytest.mark.parametrize(
    "name", ["get", "head", "propfind", "propfind children", "put an event", "delete", "report sync"]
)
def test_the_owner_is_answered_otherwise(both: Both, name: str) -> None:
    """Or the test above would hold where nothing works at all."""
    what = REQUESTS[name]
    place = (
        "local-book" if name == "report sync" else "event-gone" if name in ("put an event", "delete") else "local-event"
    )
    own = both.client.ask(
        "GET" if name == "delete" else what.method, both.anna.url(place), what.body if name != "delete" else b""
    )
    foreign = ask(both.client, what, both.ben.url(place))

    assert own.status != foreign[0] or own.body != foreign[2]


@pytest.mark.parametrize("method", ["MOVE", "COPY"])
@pytest.mark.parametrize("overwrite", ["T", "F"])
@pytest.mark.parametrize("source", ["local-event", "local-card", "event", "local-calendar", "nothing"])
def test_nothing_is_moved_or_copied_into_what_is_anothers(both: Both, method: str, overwrite: str, source: str) -> None:
    before = state(both.household.store)
    path = both.anna.url(source)

    for place in PLACES:
        target = both.ben.url(place)
        answers = [
            seen(both.client.ask(method, path, Destination=f"http://127.0.0.1:5232{one}", Overwrite=overwrite), one)
            for one in (target, *nowhere(target))
        ]
        assert answers == [answers[0]] * len(answers), target
        assert answers[0][0] >= 400
    assert before == state(both.household.store)


@pytest.mark.parametrize("kind", ["calendar", "local-calendar"])
def test_a_multiget_finds_of_anothers_what_it_finds_of_nobodys(both: Both, kind: str) -> None:
    own = both.anna.url(kind)
    foreign = [both.ben.url(place) for place in PLACES]
    forms = ("{}", "http://127.0.0.1:5232{}", "http://example.org{}", own + "../..{}", own + "%2e%2e/%2e%2e{}", "/{}")

    for form in forms:
        for path in foreign:
            bodies = []
            for one in (path, *nowhere(path)):
                href = form.format(one)
                response = both.client.ask("REPORT", own, multiget("c:calendar-multiget", "c:calendar-data", href))
                bodies.append(seen(response, one))
            assert bodies == [bodies[0]] * len(bodies), form.format(path)
            assert b"BEGIN:" not in bodies[0][2]


@pytest.mark.parametrize("place", ["book", "calendar", "tasks", "local-book", "local-calendar"])
def test_anothers_sync_token_is_as_invalid_as_an_invented_one(both: Both, place: str) -> None:
    own = both.anna.url(place)
    shelf = both.ben.shelves[place]
    foreign = shelf.old_token
    invented = foreign.replace(shelf.row.href, _ghost(shelf.row.href))
    mixed = foreign.replace(shelf.row.href, both.anna.shelves[place].row.href)
    answers = [
        seen(both.client.ask("REPORT", own, sync_collection(token)), token) for token in (foreign, invented, mixed)
    ]

    assert answers == [answers[0]] * 3
    assert answers[0][0] == 403


@pytest.mark.parametrize("value", ["ben", "ben@example.org", "en@", "/ben/", "mailto:ben@example.org"])
@pytest.mark.parametrize("name", ["d:displayname", "c:calendar-user-address-set", "cs:email-address-set"])
@pytest.mark.parametrize("path", ["/", "/anna/"])
def test_a_search_for_people_finds_nobody_but_the_asker(both: Both, value: str, name: str, path: str) -> None:
    def searched(text: str) -> tuple[int, Mapping[str, str], bytes]:
        body = xml(
            "d:principal-property-search",
            f"<d:property-search><d:prop><{name}/></d:prop><d:match>{text}</d:match></d:property-search>"
            "<d:prop><d:displayname/><c:calendar-user-address-set/><d:principal-URL/></d:prop>",
        )
        return seen(both.client.ask("REPORT", path, body, Depth="0"), text)

    answer = searched(value)

    assert searched(_ghost(value)) == answer
    assert b"ben" not in answer[2]


@pytest.mark.parametrize("place", ["local-event", "event", "nothing", "local-calendar"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PROPPATCH", "MOVE"])
def test_an_if_header_that_names_anothers_tells_nothing(both: Both, method: str, place: str) -> None:
    """RFC 4918 section 10.4: a tagged list asks for the state of another resource."""
    before = state(both.household.store)
    own, foreign = both.anna.url("event"), both.ben.url(place)
    answers = [
        seen(
            both.client.ask(
                method, own, NEW_EVENT if method == "PUT" else b"", If=f'<http://127.0.0.1:5232{one}> (["x"])'
            ),
            one,
        )
        for one in (foreign, *nowhere(foreign))
    ]

    assert answers == [answers[0]] * len(answers)
    assert before == state(both.household.store)


def test_a_card_of_anothers_uid_can_be_written(both: Both) -> None:
    """A conflict of UIDs would tell that somebody else has one; they are compared within a collection only."""
    body = card("Mine", "only-bens")[0].encode()
    ben = DavClient(both.client.application, "ben", both.household.ben.password)
    assert ben.ask("PUT", both.ben.url("local-book") + "only.vcf", body).status == 201

    mine = both.client.ask("PUT", both.anna.url("local-book") + "only.vcf", body)

    assert mine.status == 201


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_statements_are_made_for_anothers_as_for_nobodys(both: Both, name: str) -> None:
    """Timing class: what costs the same steps takes the same time."""
    for place in PLACES:
        path = both.ben.url(place)
        expected = statements(both.client, REQUESTS[name], path)

        for other in nowhere(path):
            assert statements(both.client, REQUESTS[name], other) == expected, (path, other)


def statements(client: DavClient, what: Ask, path: str) -> list[str]:
    """The SQL of one request, without its values."""
    made: list[str] = []

    with overheard(lambda _, statement: made.append(statement)):
        ask(client, what, path)
    return made
