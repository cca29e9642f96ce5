"""Our own answers say what Radicale would say: every recorded request, at every kind of place, asked of both.

What differs on purpose stands in the tables below, with the reason.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from wsgiref.types import WSGIApplication, WSGIEnvironment

import pytest

from ccdaemon.dav import server
from ccdaemon.dav.answer import Answer, Handler
from ccdaemon.mapping import ical
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from tests.unit.dav.comparing import Difference, differences
from tests.unit.dav.dav_client import DavClient, Response
from tests.unit.dav.estate import ITEMS, NOWHERE, Estate, furnish
from tests.unit.dav.household import Clock, Household
from tests.unit.dav.recorded_requests import RECORDED, Recorded, filled
from tests.unit.dav.test_dav_golden import FLOATING, GOLDEN

PLACES = (
    *("root", "home", "book", "calendar", "tasks", "local-book", "local-calendar"),
    *("card", "event", "task", "local-card", "local-event", "nothing"),
)
READS = tuple(recorded for recorded in RECORDED if not recorded.writes)
WRITES = tuple(recorded for recorded in RECORDED if recorded.writes)

ADDRESS_DATA = "{urn:ietf:params:xml:ns:carddav}address-data"
CALENDAR_DATA = "{urn:ietf:params:xml:ns:caldav}calendar-data"
BETTER: Mapping[str, str] = {
    "{DAV:}current-user-privilege-set": "the privileges that clients look for by name, not READ and WRITE alone",
    "{DAV:}getcontentlength": "of a collection Radicale counts the bytes of all its items, at every poll",
    "{DAV:}supported-report-set": "only the reports that are answered at that place",
    "{http://calendarserver.org/ns/}email-address-set": "asked by Apple; Radicale knows no addresses",
    "{http://calendarserver.org/ns/}source": "only a subscribed calendar has one; Radicale tells an empty one of all",
    "{urn:ietf:params:xml:ns:caldav}calendar-timezone": "of the provider's zone; Radicale knows only what a client set",
    "{urn:ietf:params:xml:ns:caldav}calendar-user-address-set": "with the mail addresses of the accounts",
    "{urn:ietf:params:xml:ns:caldav}max-resource-size": "of calendars only; Radicale tells it of everything",
    "{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set": "Radicale tells an empty one of address books",
    "{urn:ietf:params:xml:ns:carddav}max-resource-size": "RFC 6352 section 6.2.3; Radicale does not have it",
    "{urn:ietf:params:xml:ns:carddav}supported-address-data": "vCard 4.0 as well",
}
"""Properties (Clark names) that we tell otherwise or at all, and why."""

ITEM, ANYWHERE = "item", "*"
OTHERWISE: Mapping[tuple[str, str, str], str] = {
    ("GET", "body", "calendar"): "a whole calendar is joined from its items as they are; Radicale writes them anew",
    ("GET", "body", "tasks"): "as of calendars",
    **{
        (method, "header last-modified", kind): "of a collection Radicale tells when the provider was last asked"
        for method in ("GET", "HEAD")
        for kind in ("book", "calendar", "tasks")
    },
    ("expand-property", "resource", ANYWHERE): "Radicale announces this report and answers nothing",
    ("expand-property", "status", ITEM): "not announced of items: 403 supported-report",
    ("principal", "status", ANYWHERE): "RFC 3744 section 9.5: 200 and what can be searched; Radicale answers nothing",
    ("sync-collection", "status", ITEM): "an item is no collection: 403 supported-report (RFC 6578 section 3.2)",
    ("sync-collection", "error", ITEM): "as above, whatever the token",
    ("sync-collection", ADDRESS_DATA, "calendar"): "an event is no card; Radicale tells its text as one",
    ("sync-collection", ADDRESS_DATA, "tasks"): "as of calendars",
    ("calendar-query", "status", "book"): "403 supported-report where the report is not announced; Radicale: 400",
    ("calendar-query", "status", ITEM): "as above",
    ("expanded calendar-query", "status", "book"): "as above",
    ("expanded calendar-query", "status", ITEM): "as above",
    ("addressbook-query", "status", "calendar"): "as above",
    ("addressbook-query", "status", "tasks"): "as above",
    ("addressbook-query", "status", ITEM): "as above",
    ("free-busy-query", "status", "tasks"): "tasks take no time: not announced of task lists",
    ("free-busy-query", "body", "calendar"): "times that touch are one; Radicale stamps it with the machine's clock",
    ("free-busy-query", "header content-type", "calendar"): "Radicale tells the charset twice",
    ("calendar-query", "{DAV:}resourcetype", ANYWHERE): "an item has an empty one, which KDAV asks for",
    ("expanded calendar-query", CALENDAR_DATA, ANYWHERE): "properties in their order; vobject sorts them",
    ("multiget 4.0", ADDRESS_DATA, ANYWHERE): "vCard 4.0 where it is asked for",
    **{
        (asked, "{DAV:}getcontenttype", "local-calendar"): "it may hold tasks as well: no component is told"
        for asked in ("PROPFIND", "calendar-query", "multiget", "sync-collection")
    },
    **{
        (asked, "{DAV:}getcontenttype", "local-event"): "as of its calendar"
        for asked in ("PROPFIND", "calendar-query", "multiget")
    },
}
"""(method or report, what differs, kind of place) that is meant, and why."""

NEVER = "01 Jan 1970"
"""Radicale's side tells of a local collection, which is of no provider, that the provider was asked then."""

CLOUD, LOCAL = "of a cloud", "local"
WRITTEN_OTHERWISE: Mapping[tuple[str, str, str], str] = {
    **{
        (method, about, where): "made and set in front; the storage plugin refuses it"
        for method in ("PROPPATCH", "MKCALENDAR", "MKCOL")
        for about in ("status", "state", "body", "header content-type")
        for where in (CLOUD, LOCAL)
    },
    ("PUT", "status", LOCAL): "written in front, as it was sent; the storage plugin refuses what vobject made of it",
    ("PUT", "state", LOCAL): "as above",
    ("PUT", "body", CLOUD): "names the privilege that is missing (RFC 3744 section 7.1.1)",
    ("PUT", "header content-type", CLOUD): "as above",
    ("DELETE", "status", LOCAL): "204; Radicale: 200 and a multistatus",
    ("DELETE", "body", CLOUD): "as of PUT",
    ("DELETE", "header content-type", CLOUD): "as of PUT",
}
"""(method, what differs or "state": what is stored afterwards, whose collection) that is meant, and why."""

TO_RADICALE: Mapping[tuple[str, str], str] = {
    ("OPTIONS", ANYWHERE): "asked once, when an account is set up",
    ("DELETE", "collection"): "removed once",
    ("DELETE", CLOUD): "refused",
}
"""(method, what it is about) that our own answers leave to Radicale, and why."""


@dataclass
class Side:
    """One of the two stacks, as anna sees it."""

    client: DavClient
    to_radicale: list[str] = field(default_factory=list)  # "METHOD path" of each request that came so far

    def ask(self, recorded: Recorded, path: str, names: Mapping[str, str]) -> Response:
        headers = {name.replace("-", "_"): filled(value, names) for name, value in recorded.headers.items()}
        content_type = headers.pop("Content_Type", "")
        headers.pop("Accept_Encoding", None)  # the same bytes, but not to be read here
        body = filled(recorded.body, names).encode()
        return self.client.ask(recorded.method, path, body, environ={"CONTENT_TYPE": content_type}, **headers)


@dataclass(frozen=True, kw_only=True)
class Both:
    ours: Side
    radicale: Side


def both(store: Store, clock: Clock, password: str) -> Both:
    """The stack that is served, and the same one without our own answers."""
    ours = Side(DavClient(_with_probe(store, clock, passed := []), "anna", password), passed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "fast", lambda inner, *_: inner)
        radicale = server.make_wsgi_app(store, public_url=None, now=clock)
    return Both(ours=ours, radicale=Side(DavClient(radicale, "anna", password)))


def _with_probe(store: Store, clock: Clock, passed: list[str]) -> WSGIApplication:
    fast = server.fast

    def probed(inner: Handler) -> Handler:
        def handle(environ: WSGIEnvironment) -> Answer:
            passed.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return inner(environ)

        return handle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "fast", lambda inner, *rest: fast(probed(inner), *rest))
        return server.make_wsgi_app(store, public_url=None, now=clock)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A database with everything, to copy."""

    path: Path
    clock: Clock
    estate: Estate

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Store]:
        path = folder / "copy.db"
        shutil.copy(self.path, path)
        store = open_store(f"sqlite:///{path}")
        try:
            yield store
        finally:
            store.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    path = tmp_path_factory.mktemp("template") / "ccdaemon.db"
    household = Household(open_store(f"sqlite:///{path}", create=True))
    for name in ("anna", "ben"):
        household.add_member(name)
    estate = furnish(household, "anna")
    furnish(household, "ben")
    with household.store.write() as transaction:
        transaction.touch_device(household.anna.device_id, household.clock())
    household.store.close()
    return Template(path=path, clock=household.clock, estate=estate)


@pytest.fixture(scope="module")
def reading(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with template.opened(tmp_path_factory.mktemp("reading")) as store:
        yield both(store, template.clock, template.estate.member.password)


def wants_minimal(recorded: Recorded) -> bool:
    return "return=minimal" in recorded.headers.get("Prefer", "") or recorded.headers.get("Brief") == "t"


def what(recorded: Recorded) -> str:
    """The method; of a REPORT which one."""
    if recorded.method != "REPORT":
        return recorded.method
    known = ("sync-collection", "multiget", "calendar-query", "addressbook-query", "free-busy-query", "principal")
    report = next((report for report in known if report in recorded.body), "expand-property")
    expanded = "expanded " if ":expand start" in recorded.body else ""
    return expanded + report + (" 4.0" if 'version="4.0"' in recorded.body else "")


def kinds_of(place: str) -> Sequence[str]:
    """What the tables may call it."""
    plain = place.removeprefix("local-")
    return place, ITEM if plain in ITEMS else plain, ANYWHERE


def is_meant(recorded: Recorded, place: str, one: Difference) -> bool:
    if one.about in BETTER or NEVER in one.theirs or NEVER.lower() in one.theirs:
        return True
    return any((what(recorded), one.about, where) in OTHERWISE for where in kinds_of(place))


def unmeant(recorded: Recorded, place: str, ours: Response, theirs: Response) -> list[Difference]:
    found = differences(ours, theirs, minimal=wants_minimal(recorded))
    return [one for one in found if not is_meant(recorded, place, one)]


def path_at(recorded: Recorded, estate: Estate, place: str) -> str:
    return filled(recorded.path, estate.names(place)) if recorded.place is None else estate.url(place)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One request asked of both at one place."""

    recorded: Recorded
    place: str
    differences: Sequence[Difference]
    to_radicale: bool


Comparisons = Mapping[str, Sequence[Compared]]  # by the name of the request


@pytest.fixture(scope="module")
def compared(template: Template, reading: Both) -> Comparisons:
    def at(recorded: Recorded, place: str) -> Compared:
        reading.ours.to_radicale.clear()
        path, names = path_at(recorded, template.estate, place), template.estate.names(place)
        ours, theirs = (side.ask(recorded, path, names) for side in (reading.ours, reading.radicale))
        return Compared(
            recorded=recorded,
            place=place,
            differences=list(differences(ours, theirs, minimal=wants_minimal(recorded))),
            to_radicale=bool(reading.ours.to_radicale),
        )

    return {recorded.name: [at(recorded, place) for place in PLACES] for recorded in READS}


@pytest.mark.parametrize("recorded", READS, ids=str)
def test_a_recorded_request_is_answered_as_radicale_would_at_every_place(
    compared: Comparisons, recorded: Recorded
) -> None:
    left = [
        (one.place, difference)
        for one in compared[recorded.name]
        for difference in one.differences
        if not is_meant(recorded, one.place, difference)
    ]

    assert left == []


@pytest.mark.parametrize("recorded", READS, ids=str)
def test_a_recorded_request_that_reads_needs_no_radicale_at_any_place(
    compared: Comparisons, recorded: Recorded
) -> None:
    """But where there is nothing that grows: a folder has no report, and what is not there is not there."""
    expected = (recorded.method, ANYWHERE) in TO_RADICALE
    empty = {"nothing"} if recorded.method == "PROPFIND" else {"root", "home", "nothing"}

    assert [
        one.place for one in compared[recorded.name] if one.to_radicale != expected and one.place not in empty
    ] == []


def test_every_difference_that_is_meant_is_there(compared: Comparisons) -> None:
    """A reason that nothing needs any more would hide the next defect."""
    every = [one for some in compared.values() for one in some]
    seen = {
        (what(one.recorded), difference.about, where)
        for one in every
        for difference in one.differences
        for where in kinds_of(one.place)
    }

    assert set(OTHERWISE) - seen == set()
    assert set(BETTER) - {about for _, about, _ in seen} == set()


@pytest.mark.parametrize("recorded", READS, ids=str)
@pytest.mark.parametrize("path", [f"/anna/{NOWHERE}/", f"/{NOWHERE}/", "/ben/", f"/{NOWHERE}/{NOWHERE}/x.ics"])
def test_what_is_not_there_is_answered_as_radicale_would(
    reading: Both, template: Template, recorded: Recorded, path: str
) -> None:
    names = template.estate.names("calendar")

    ours, theirs = (side.ask(recorded, path, names) for side in (reading.ours, reading.radicale))

    assert unmeant(recorded, "nothing", ours, theirs) == []


@pytest.mark.parametrize("recorded", WRITES, ids=str)
@pytest.mark.parametrize("local", [False, True], ids=["of a cloud", "local"])
def test_a_recorded_write_is_answered_as_radicale_would_and_leaves_the_same(
    template: Template, tmp_path: Path, recorded: Recorded, local: bool
) -> None:
    estate = template.estate
    place = ("local-" if local else "") + (recorded.place or ("book" if "{book}" in recorded.path else "calendar"))
    if place not in PLACES:
        return  # a folder is neither of a cloud nor local
    names = dict(estate.names(place))
    answers, states, passed = [], [], []
    for side in ("ours", "radicale"):
        (tmp_path / side).mkdir()
        with template.opened(tmp_path / side) as store:
            asked: Side = getattr(both(store, template.clock, estate.member.password), side)
            names["event-etag"] = asked.client.ask("HEAD", names["event"]).headers["etag"]
            asked.to_radicale.clear()
            answers.append(asked.ask(recorded, filled(recorded.path, names), names))
            states.append(state(store))
            passed.append(bool(asked.to_radicale))

    whose = LOCAL if local else CLOUD
    told = [one.about for one in differences(*answers, minimal=wants_minimal(recorded))]
    stored = ["state"] if states[0] != states[1] else []

    assert [about for about in (*told, *stored) if (recorded.method, about, whose) not in WRITTEN_OTHERWISE] == []
    about = "collection" if recorded.place == "calendar" else whose
    assert ((recorded.method, about) in TO_RADICALE) == passed[0]


def state(store: Store) -> object:
    """Everything that clients see of everybody's collections."""
    with store.read() as reader:
        rows = [row for person in reader.persons() for row in reader.collections(person_id=person.id)]
        properties = reader.properties([row.id for row in rows])
        return [
            (row.href, row.name, row.description, row.color, dict(properties.get(row.id, {})), [
                (item.href, item.etag, item.body) for item in reader.items(row.id)
            ])
            for row in rows
        ]  # fmt: skip


@pytest.fixture(scope="module")
def golden(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The calendar filled with every event that our mapping makes."""
    with template.opened(tmp_path_factory.mktemp("golden")) as store:
        household = Household(store, template.clock, {"anna": template.estate.member})
        for path in (path for path in GOLDEN if path.parent.name != FLOATING):
            body = path.read_bytes().decode()
            household.put_event(
                template.estate.member, f"{path.parent.parent.name}-{path.parent.name}.ics", body, ical.index(body)
            )
        yield both(store, template.clock, template.estate.member.password)


@pytest.mark.parametrize(
    "recorded", [one for one in READS if one.place == "calendar" and one.method in ("PROPFIND", "REPORT")], ids=str
)
def test_with_every_event_that_the_mapping_makes_the_answers_agree(
    template: Template, golden: Both, recorded: Recorded
) -> None:
    names = template.estate.names("calendar")
    ours, theirs = (side.ask(recorded, names["calendar"], names) for side in (golden.ours, golden.radicale))

    assert unmeant(recorded, "calendar", ours, theirs) == []
