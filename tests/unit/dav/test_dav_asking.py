"""What the XML of a request asks for, as values."""

import pytest

from ccdaemon.dav import asking
from ccdaemon.dav.asking import ADDRESS_DATA, CALENDAR_DATA, asked, report
from ccdaemon.dav.properties.calendar_zone import described_zone
from ccdaemon.dav.request import (
    Asked,
    BodyAsked,
    FreeBusyQuery,
    Multiget,
    OtherReport,
    PartAsked,
    SyncCollection,
    Window,
)
from ccdaemon.dav.trees import tree
from ccdaemon.errors import BadData
from ccdaemon.mapping.vtimezone import vtimezone
from ccdaemon.mapping.zones import zone
from tests.unit.dav.dav_client import multiget, sync_collection, xml

ETAG = "{DAV:}getetag"
WINDOW = Window(starts_at=1772323200, ends_at=1775001600)
BOUNDS = 'start="20260301T000000Z" end="20260401T000000Z"'


def props(content: str) -> Asked:
    return asked(tree(xml("d:prop", content)))


def test_names_are_kept_in_order_and_each_once() -> None:
    wanted = props('<d:getetag/><cs:getctag/><d:getetag/><plain xmlns=""/>')

    assert wanted == Asked(names=(ETAG, "{http://calendarserver.org/ns/}getctag", "plain"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("<c:calendar-data/>", BodyAsked(name=CALENDAR_DATA)),
        ("<cr:address-data/>", BodyAsked(name=ADDRESS_DATA)),
        ('<cr:address-data version="3.0"/>', BodyAsked(name=ADDRESS_DATA, version="3.0")),
        ('<cr:address-data content-type="text/vcard" version="4.0"/>', BodyAsked(name=ADDRESS_DATA, version="4.0")),
        (f"<c:calendar-data><c:expand {BOUNDS}/></c:calendar-data>", BodyAsked(name=CALENDAR_DATA, expand=WINDOW)),
        (
            f"<c:calendar-data><c:limit-recurrence-set {BOUNDS}/></c:calendar-data>",
            BodyAsked(name=CALENDAR_DATA, limit_recurrence_set=WINDOW),
        ),
        (
            '<cr:address-data><cr:prop name="fn"/><cr:prop name="NOTE" novalue="yes"/></cr:address-data>',
            BodyAsked(
                name=ADDRESS_DATA,
                parts=PartAsked(name="VCARD", properties=frozenset({"FN", "NOTE"}), without_value=frozenset({"NOTE"})),
            ),
        ),
        ("<cr:address-data><cr:allprop/></cr:address-data>", BodyAsked(name=ADDRESS_DATA)),
        (
            '<c:calendar-data><c:comp name="VCALENDAR"><c:comp name="VEVENT"><c:prop name="UID"/></c:comp>'
            '<c:comp name="vtimezone"/></c:comp></c:calendar-data>',
            BodyAsked(
                name=CALENDAR_DATA,
                parts=PartAsked(
                    name="VCALENDAR",
                    components=(
                        PartAsked(name="VEVENT", properties=frozenset({"UID"}), components=()),
                        PartAsked(name="VTIMEZONE"),
                    ),
                ),
            ),
        ),
    ],
)
def test_how_a_body_is_wanted_is_read(data: str, expected: BodyAsked) -> None:
    assert props(data) == Asked(names=(expected.name,), body=expected)


def test_reports_become_values() -> None:
    wanted = Asked(names=(ETAG,))

    assert report(sync_collection(" urn:x \n")) == SyncCollection(asked=wanted, token="urn:x", limit=None)
    assert report(xml("c:free-busy-query", f"<c:time-range {BOUNDS}/>")) == FreeBusyQuery(window=WINDOW)
    assert report(xml("d:version-tree", "<d:x/>")) == OtherReport(name="{DAV:}version-tree")
    assert report(multiget("c:calendar-multiget", "c:calendar-data", "\n /a/b ")) == Multiget(
        name="{urn:ietf:params:xml:ns:caldav}calendar-multiget",
        asked=Asked(names=(ETAG, CALENDAR_DATA), body=BodyAsked(name=CALENDAR_DATA)),
        hrefs=("/a/b",),
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<d:allprop/>", Asked(everything=True)),
        ("", Asked(everything=True)),
        ("<d:propname/>", Asked(only_names=True)),
        ("<d:prop/>", Asked()),
    ],
)
def test_a_report_may_ask_for_everything_or_for_names(content: str, expected: Asked) -> None:
    found = report(xml("c:calendar-query", content))

    assert found.asked == expected  # type: ignore[union-attr]


def test_equal_bytes_are_read_once_and_long_ones_are_not_kept() -> None:
    short, long_ = sync_collection("urn:again"), sync_collection("urn:" + "x" * asking.MAX_REMEMBERED_BYTES)

    assert report(short) is report(bytes(bytearray(short)))
    assert report(long_) is not report(long_)


@pytest.mark.parametrize("body", [b"", b"<", b"<x/>" * 2])
def test_what_is_no_xml_is_bad_data(body: bytes) -> None:
    with pytest.raises(BadData):
        report(body)


def test_a_described_zone_is_the_one_of_ours_that_it_means() -> None:
    def described(*zones: str) -> str:
        return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(zones)}END:VCALENDAR\r\n"

    zurich = vtimezone("Europe/Zurich", 0, None)

    assert described_zone(described(zurich)) is zone("Europe/Zurich")
    assert described_zone(described(zurich.replace("Europe/Zurich", "Mine"))) is not None
    assert [described_zone(text) for text in (described(), described(zurich, zurich), "nonsense", "")] == [None] * 4
