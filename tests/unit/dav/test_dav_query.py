"""calendar-query and addressbook-query: by time, by text, as occurrences; on the index and beside it."""

from datetime import timedelta
from pathlib import Path

import pytest
import vobject

from ccdaemon.mapping import ical
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import BodyIndex, Collection
from ccdaemon.store.base import Draft
from tests.unit.dav.dav_client import DavClient, Response, calendar_query, clark, xml
from tests.unit.dav.estate import task
from tests.unit.dav.household import START, Household, card, event
from tests.unit.dav.local import add_local


@pytest.fixture(autouse=True)
def _nothing_is_parsed_by_radicale(monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("vobject parses a body")

    monkeypatch.setattr(vobject, "readOne", parsed)
    monkeypatch.setattr(vobject, "readComponents", parsed)


def vevent(*lines: str, uid: str = "u") -> str:
    inner = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]
    return "".join(f"{one}\r\n" for one in ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *inner, "END:VCALENDAR"))


def put(household: Household, collection: Collection, href: str, body: str, *, indexed: bool = True) -> None:
    put_all(household, collection, [(href, body, ical.index(body))], indexed=indexed)


def put_all(
    household: Household, collection: Collection, items: list[tuple[str, str, BodyIndex]], *, indexed: bool
) -> None:
    now = household.clock()
    drafts = [
        Draft(
            group_id=href, href=href, body=body, index=index, base=None,
            search=search_index(body, index.component, now=now) if indexed else None,
        )
        for href, body, index in items
    ]  # fmt: skip
    with household.store.write() as transaction:
        transaction.put_many(collection.id, drafts, now=now)


def query(start: str, end: str, *, data: str = "", zone: str = "", component: str = "VEVENT") -> bytes:
    return xml(
        "c:calendar-query",
        f"<d:prop><d:getetag/><c:calendar-data>{data}</c:calendar-data></d:prop>"
        f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="{component}">'
        f'<c:time-range start="{start}" end="{end}"/></c:comp-filter></c:comp-filter></c:filter>{zone}',
    )


def expanded(start: str, end: str, **more: str) -> bytes:
    return query(start, end, data=f'<c:expand start="{start}" end="{end}"/>', **more)


def names(response: Response) -> set[str]:
    assert response.status == 207
    return {href.rpartition("/")[2] for href in response.resources}


@pytest.fixture(params=[True, False], ids=["indexed", "not indexed"])
def indexed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def calendar(household: Household) -> Collection:
    """Anna's, emptied. Its zone is Europe/Zurich."""
    for n in range(3):
        household.remove(household.anna.calendar, f"{n:06d}.ics")
    return household.anna.calendar


# --- times ------------------------------------------------------------------------------------------------------------

ZURICH_DAY = ("20260310T230000Z", "20260311T230000Z")  # 11 March there
DAY_BEFORE = ("20260309T230000Z", "20260310T230000Z")


@pytest.mark.parametrize(
    "lines",
    [("DTSTART;VALUE=DATE:20260311",), ("DTSTART:20260311T003000", "DTEND:20260311T010000")],
    ids=["all day", "floating"],
)
def test_a_day_without_a_zone_is_that_of_the_calendar(
    anna: DavClient, household: Household, calendar: Collection, indexed: bool, lines: tuple[str, ...]
) -> None:
    url = household.anna.calendar_url
    put(household, calendar, "day.ics", vevent(*lines), indexed=indexed)

    assert {"day.ics"} == names(anna.ask("REPORT", url, query(*ZURICH_DAY)))
    assert set() == names(anna.ask("REPORT", url, query(*DAY_BEFORE)))


LOS_ANGELES = (
    "BEGIN:VCALENDAR&#13;\nVERSION:2.0&#13;\nPRODID:x&#13;\nBEGIN:VTIMEZONE&#13;\nTZID:Somewhere&#13;\n"
    "BEGIN:STANDARD&#13;\nDTSTART:20071104T020000&#13;\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU&#13;\n"
    "TZOFFSETFROM:-0700&#13;\nTZOFFSETTO:-0800&#13;\nEND:STANDARD&#13;\nBEGIN:DAYLIGHT&#13;\n"
    "DTSTART:20070311T020000&#13;\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU&#13;\nTZOFFSETFROM:-0800&#13;\n"
    "TZOFFSETTO:-0700&#13;\nEND:DAYLIGHT&#13;\nEND:VTIMEZONE&#13;\nEND:VCALENDAR"
)


@pytest.mark.parametrize(
    "zone",
    ["<c:timezone-id>America/Los_Angeles</c:timezone-id>", f"<c:timezone>{LOS_ANGELES}</c:timezone>"],
    ids=["by name", "described"],
)
def test_a_query_may_name_the_zone_of_who_asks(
    anna: DavClient, household: Household, calendar: Collection, indexed: bool, zone: str
) -> None:
    url = household.anna.calendar_url
    put(household, calendar, "day.ics", vevent("DTSTART;VALUE=DATE:20260311"), indexed=indexed)

    evening = ("20260312T050000Z", "20260312T060000Z")  # 22 h on 11 March in Los Angeles

    assert {"day.ics"} == names(anna.ask("REPORT", url, query(*evening, zone=zone)))
    assert set() == names(anna.ask("REPORT", url, query(*evening)))


def test_the_zone_that_a_client_set_for_the_calendar_counts(
    anna: DavClient, household: Household, calendar: Collection
) -> None:
    url = household.anna.calendar_url
    put(household, calendar, "day.ics", vevent("DTSTART;VALUE=DATE:20260311"))
    set_zone = "<d:set><d:prop><c:calendar-timezone-id>Asia/Tokyo</c:calendar-timezone-id></d:prop></d:set>"
    assert anna.ask("PROPPATCH", url, xml("d:propertyupdate", set_zone)).status == 207

    assert {"day.ics"} == names(anna.ask("REPORT", url, query("20260310T150000Z", "20260310T160000Z")))
    assert set() == names(anna.ask("REPORT", url, query("20260311T150000Z", "20260311T160000Z")))


def test_a_zone_that_nobody_knows_is_refused(anna: DavClient, household: Household) -> None:
    """RFC 7809."""
    zone = "<c:timezone-id>Mars/Olympus</c:timezone-id>"

    response = anna.ask("REPORT", household.anna.calendar_url, query(*ZURICH_DAY, zone=zone))

    assert (response.status, b"valid-timezone" in response.body) == (403, True)


def test_a_series_is_found_by_its_occurrences_only(
    anna: DavClient, household: Household, calendar: Collection, indexed: bool
) -> None:
    url = household.anna.calendar_url
    body = vevent("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=WEEKLY", "EXDATE:20260316T090000Z")
    put(household, calendar, "weekly.ics", body, indexed=indexed)

    assert {"weekly.ics"} == names(anna.ask("REPORT", url, query("20260309T000000Z", "20260310T000000Z")))
    assert set() == names(anna.ask("REPORT", url, query("20260310T000000Z", "20260311T000000Z")))
    assert set() == names(anna.ask("REPORT", url, query("20260316T000000Z", "20260317T000000Z")))
    assert {"weekly.ics"} == names(anna.ask("REPORT", url, query("20990309T000000Z", "20990316T000000Z")))


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_a_series_is_given_as_its_occurrences_in_utc(
    anna: DavClient, household: Household, calendar: Collection, indexed: bool
) -> None:
    url = household.anna.calendar_url
    lines = ("DTSTART;TZID=Europe/Zurich:20260302T090000", "DTEND;TZID=Europe/Zurich:20260302T100000")
    put(household, calendar, "daily.ics", vevent(*lines, "RRULE:FREQ=DAILY"), indexed=indexed)

    response = anna.ask("REPORT", url, expanded("20260328T000000Z", "20260330T000000Z"))

    told = response.resources[url + "daily.ics"].text("c:calendar-data") or ""
    starts = [line for line in told.split("\r\n") if line.startswith("DTSTART")]
    assert starts == ["DTSTART:20260328T080000Z", "DTSTART:20260329T070000Z"]
    assert "RRULE" not in told
    assert "VTIMEZONE" not in told


def test_an_item_without_an_occurrence_in_the_range_to_expand_is_left_out(
    anna: DavClient, household: Household, calendar: Collection
) -> None:
    """The filter finds it, the range of the expansion is another one."""
    put(household, calendar, "once.ics", vevent("DTSTART:20260302T090000Z"))
    data = '<c:expand start="20270101T000000Z" end="20270201T000000Z"/>'

    response = anna.ask("REPORT", household.anna.calendar_url, query("20260301T000000Z", "20260401T000000Z", data=data))

    assert set() == names(response)


def test_changed_occurrences_out_of_a_limited_range_are_left_out(
    anna: DavClient, household: Household, calendar: Collection
) -> None:
    url = household.anna.calendar_url
    changed = "".join(
        f"BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:202603{day}T090000Z\r\n"
        f"DTSTART:202603{day}T110000Z\r\nSUMMARY:on {day}\r\nEND:VEVENT\r\n"
        for day in ("03", "20")
    )
    body = vevent("DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY").replace(
        "END:VCALENDAR\r\n", f"{changed}END:VCALENDAR\r\n"
    )
    put(household, calendar, "series.ics", body)
    start, end = "20260301T000000Z", "20260310T000000Z"
    data = f'<c:limit-recurrence-set start="{start}" end="{end}"/>'

    told = anna.ask("REPORT", url, query(start, end, data=data)).resources[url + "series.ics"].text("c:calendar-data")

    assert told is not None
    assert ("on 03" in told, "on 20" in told, "RRULE" in told) == (True, False, True)


def test_what_nobody_can_expand_is_given_as_it_is_stored(
    anna: DavClient, household: Household, calendar: Collection
) -> None:
    """T-29: such a body may lie in the store from before its rule was known to be a bomb."""
    url = household.anna.calendar_url
    body = vevent("DTSTART:20260302T090000Z", "RRULE:FREQ=SECONDLY")
    index = BodyIndex(
        uid="u", component="VEVENT", name="", starts_at=0, ends_at=253402300800, recurring=True,
    )  # fmt: skip
    put_all(household, calendar, [("bomb.ics", body, index)], indexed=True)

    response = anna.ask("REPORT", url, expanded("20260301T000000Z", "20270401T000000Z"))

    assert body == response.resources[url + "bomb.ics"].text("c:calendar-data")


def test_an_expansion_without_measure_is_refused(
    anna: DavClient, household: Household, calendar: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2025-59045; the limit itself is ten megabytes."""
    monkeypatch.setattr("ccdaemon.dav.reports.query.MAX_EXPANDED", 10_000)
    put(household, calendar, "daily.ics", vevent("DTSTART:20260302T090000Z", "RRULE:FREQ=DAILY"))

    response = anna.ask("REPORT", household.anna.calendar_url, expanded("20260301T000000Z", "20270301T000000Z"))

    assert (response.status, b"number-of-matches-within-limits" in response.body) == (403, True)


@pytest.mark.parametrize(
    "data",
    [
        '<c:expand start="20260301T000000Z"/>',
        '<c:expand end="20260301T000000Z"/>',
        '<c:expand start="20260301" end="20260302"/>',
        '<c:expand start="20260301T000000" end="20260302T000000"/>',
        '<c:expand start="20260302T000000Z" end="20260301T000000Z"/>',
        '<c:limit-recurrence-set start="yesterday" end="tomorrow"/>',
    ],
)
def test_a_range_that_is_none_is_a_bad_request(anna: DavClient, household: Household, data: str) -> None:
    assert anna.ask("REPORT", household.anna.calendar_url, query(*ZURICH_DAY, data=data)).status == 400


def test_properties_of_items_are_told_beside_their_bodies(
    anna: DavClient, household: Household, calendar: Collection
) -> None:
    url = household.anna.calendar_url
    put(household, calendar, "once.ics", vevent("DTSTART:20260302T090000Z"))
    body = calendar_query().replace(b"<d:getetag/>", b"<d:getetag/><d:getlastmodified/><d:getcontenttype/><d:x/>")

    resource = anna.ask("REPORT", url, body).resources[url + "once.ics"]

    assert resource.text("d:getlastmodified") == "Mon, 02 Mar 2026 09:00:00 GMT"
    assert resource.text("d:getcontenttype") == "text/calendar;charset=utf-8;component=VEVENT"
    assert {clark("d:x")} == resource.missing


# --- texts ------------------------------------------------------------------------------------------------------------


def text_query(name: str, text: str, *, more: str = "", attributes: str = "") -> bytes:
    return xml(
        "cr:addressbook-query",
        f"<d:prop><d:getetag/></d:prop><cr:filter><cr:prop-filter name='{name}'>"
        f"<cr:text-match {attributes}>{text}</cr:text-match></cr:prop-filter></cr:filter>{more}",
    )


def cards(household: Household, *, indexed: bool) -> None:
    drafts = []
    for n, name in enumerate(("Zoë Müller", "MÜLLER Bau AG", "Bea Meier")):
        body, index = card(name, f"named-{n}")
        body = body.replace("END:VCARD", f"NOTE:seen in {2020 + n}\r\nEND:VCARD")
        drafts.append((f"named-{n}.vcf", body, index))
    put_all(household, household.anna.contacts, drafts, indexed=indexed)


@pytest.mark.parametrize(
    ("name", "text", "attributes", "expected"),
    [
        ("FN", "müller", "", {"named-0.vcf", "named-1.vcf"}),
        ("FN", "MÜLLER", 'match-type="starts-with"', {"named-1.vcf"}),
        ("FN", "bea meier", 'match-type="equals"', {"named-2.vcf"}),
        ("FN", "meier", 'match-type="ends-with"', {"named-2.vcf"}),
        ("NOTE", "seen in 2021", "", {"named-1.vcf"}),
        ("UID", "named-2", 'match-type="equals"', {"named-2.vcf"}),
        ("EMAIL", "x", "", set()),
    ],
)
def test_cards_are_found_by_text(
    anna: DavClient,
    household: Household,
    indexed: bool,
    name: str,
    text: str,
    attributes: str,
    expected: set[str],
) -> None:
    cards(household, indexed=indexed)

    response = anna.ask("REPORT", household.anna.book_url, text_query(name, text, attributes=attributes))

    assert expected == names(response)


def test_a_list_of_cards_is_cut_at_its_limit_and_says_so(anna: DavClient, household: Household) -> None:
    """RFC 6352 section 8.6.2."""
    url = household.anna.book_url
    limit = "<cr:limit><cr:nresults>2</cr:nresults></cr:limit>"

    response = anna.ask("REPORT", url, text_query("FN", "person", more=limit))

    assert response.resources[url].status == 507
    assert len(response.resources) == 3
    assert 507 not in {
        one.status
        for one in anna.ask("REPORT", url, text_query("FN", "person", more=limit.replace("2", "3"))).resources.values()
    }


@pytest.mark.parametrize("content", ["<cr:filter/>", ""], ids=["empty filter", "no filter"])
def test_every_card_is_found_where_nothing_is_asked_of_it(anna: DavClient, household: Household, content: str) -> None:
    body = xml("cr:addressbook-query", f"<d:prop><d:getetag/></d:prop>{content}")

    assert len(anna.ask("REPORT", household.anna.book_url, body).resources) == 3


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        ("<cr:prop-filter name='FN'><cr:fuzzy/></cr:prop-filter>", b"supported-filter"),
        ("<cr:prop-filter name='FN'/>" * 5000, b"supported-filter"),
        (
            "<cr:prop-filter name='FN'><cr:text-match collation='i;klingon'>x</cr:text-match></cr:prop-filter>",
            b"supported-collation",
        ),
    ],
    ids=["unknown element", "5,000 filters", "unknown collation"],
)
def test_a_filter_that_nobody_can_decide_is_refused(
    anna: DavClient, household: Household, content: str, condition: bytes
) -> None:
    body = xml("cr:addressbook-query", f"<d:prop><d:getetag/></d:prop><cr:filter>{content}</cr:filter>")

    response = anna.ask("REPORT", household.anna.book_url, body)

    assert (response.status, condition in response.body) == (403, True)


# --- places -----------------------------------------------------------------------------------------------------------


def test_tasks_are_found_in_a_list_of_tasks_and_events_are_not(
    anna: DavClient, household: Household, indexed: bool
) -> None:
    local = add_local(household.store, "anna")
    put_all(household, local.tasks, [("task.ics", *task("Do it", "t"))], indexed=indexed)
    due = ("20260311T000000Z", "20260313T000000Z")

    assert {"task.ics"} == names(anna.ask("REPORT", local.tasks_url, query(*due, component="VTODO")))
    assert set() == names(anna.ask("REPORT", local.tasks_url, query(*due)))
    assert set() == names(anna.ask("REPORT", local.tasks_url, calendar_query()))


@pytest.mark.parametrize(("text", "found"), [("person 1", 1), ("person 2", 0)])
def test_one_item_may_be_asked(anna: DavClient, household: Household, text: str, found: int) -> None:
    response = anna.ask("REPORT", household.anna.book_url + "000001.vcf", text_query("FN", text))

    assert (207, found) == (response.status, len(response.resources))


def test_local_collections_answer_as_those_of_clouds(anna: DavClient, household: Household, indexed: bool) -> None:
    local = add_local(household.store, "anna")
    put_all(household, local.calendar, [("é.ics", *event("Here", "h", START))], indexed=indexed)
    start, end = (f"{START + timedelta(hours=hours):%Y%m%dT%H%M%SZ}" for hours in (0, 1))

    assert {"é.ics"} == names(anna.ask("REPORT", local.calendar_url, query(start, end)))
    assert {"é.ics"} == names(anna.ask("REPORT", local.calendar_url, calendar_query()))


def test_a_calendar_that_holds_tasks_as_well_tells_them_apart(
    anna: DavClient, household: Household, indexed: bool
) -> None:
    local = add_local(household.store, "anna")
    items = [("task.ics", *task("Do it", "t")), ("event.ics", *event("Be there", "e", START))]
    put_all(household, local.calendar, items, indexed=indexed)

    events, tasks = (
        names(anna.ask("REPORT", local.calendar_url, calendar_query().replace(b"VEVENT", component)))
        for component in (b"VEVENT", b"VTODO")
    )

    assert ({"event.ics"}, {"task.ics"}) == (events, tasks)


@pytest.mark.parametrize("report", ["d:version-tree", "c:unknown", "cr:addressbook-query", "cr:addressbook-multiget"])
def test_a_report_that_a_calendar_does_not_know_is_refused_as_such(
    anna: DavClient, household: Household, report: str
) -> None:
    response = anna.ask("REPORT", household.anna.calendar_url, xml(report, "<d:prop><d:getetag/></d:prop>"))

    assert (response.status, b"supported-report" in response.body) == (403, True)


def test_a_calendar_of_golden_bodies_answers_alike_with_an_index_and_without(
    anna: DavClient, household: Household, calendar: Collection
) -> None:
    url = household.anna.calendar_url
    cases = Path(__file__).parents[2] / "golden" / "calendar"
    bodies = [(f"{path.parent.name}.ics", path.read_bytes().decode()) for path in sorted(cases.glob("*/expected.ics"))]
    items = [(href, body, ical.index(body)) for href, body in bodies]
    months = [(f"2026{month:02d}01T000000Z", f"2026{month:02d}28T000000Z") for month in range(1, 13)]
    put_all(household, calendar, items, indexed=False)
    without = [names(anna.ask("REPORT", url, query(*month))) for month in months]
    with household.store.write() as transaction:
        for href, body, index in items:
            item = transaction.item(calendar.id, href)
            assert item is not None
            search = search_index(body, index.component, now=household.clock())
            transaction.save_index(item.id, search, version=search.version)

    assert without == [names(anna.ask("REPORT", url, query(*month))) for month in months]
    assert any(without)
