"""XML that kills or stalls a DAV server (trust.md T-27, R-46), and shapes that make Radicale stumble."""

import pytest

from ccdaemon.dav.front.xmlscan import MAX_DEPTH, MAX_ELEMENTS, MAX_XML_BYTES, scan
from tests.unit.dav.dav_client import DavClient, calendar_query, clark, multiget, propfind, sync_collection, xml
from tests.unit.dav.household import Household

NESTED = b"<a>" * 200_000 + b"</a>" * 200_000
SIBLINGS = b"<d:propfind xmlns:d='DAV:'>" + b"<d:x/>" * 1_000_000 + b"</d:propfind>"
LAUGHS = (
    b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'>"
    + b"".join(
        b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10)  #
        for n in range(9)
    )
    + b"]><propfind xmlns='DAV:'><x>&j;</x></propfind>"
)
EXTERNAL = b"<!DOCTYPE p [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><propfind xmlns='DAV:'><p>&x;</p></propfind>"
ATTRIBUTES = b"<propfind xmlns='DAV:'><p " + b" ".join(b"a%d='1'" % n for n in range(5000)) + b"/></propfind>"
FILTERS = b"<x>" + b"<comp-filter name='VEVENT'>" * 5000 + b"</comp-filter>" * 5000 + b"</x>"


NAMESPACES = b"<propfind xmlns='DAV:'><p " + b" ".join(b"xmlns:n%d='u'" % n for n in range(5000)) + b"/></propfind>"
DECLARED = b"<propfind xmlns='DAV:'>" + b"<p a='1' b='2' c='3'/>" * 15_000 + b"</propfind>"
INSTRUCTIONS = b"<propfind xmlns='DAV:'>" + b"<?x y?>" * 30_000 + b"</propfind>"
LONG = b"<propfind xmlns='DAV:'><p>" + b"x" * MAX_XML_BYTES + b"</p></propfind>"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(NAMESPACES, 413, id="5,000 namespaces"),
        pytest.param(DECLARED, 413, id="45,000 attributes"),
        pytest.param(INSTRUCTIONS, 413, id="30,000 processing instructions"),
        pytest.param(LONG, 413, id="too long"),
        pytest.param(b"<propfind xmlns='DAV:'><p>&#0;</p></propfind>", 400, id="nul as reference"),
        pytest.param(b"<propfind xmlns='DAV:'><p>&unknown;</p></propfind>", 400, id="unknown entity"),
        pytest.param("<propfind xmlns='DAV:'><a/></propfind>".encode("utf-16-le"), 415, id="utf-16 without mark"),
        pytest.param(NESTED, 413, id="200,000 levels (kills stock)"),
        pytest.param(SIBLINGS, 413, id="a million siblings"),
        pytest.param(LAUGHS, 400, id="billion laughs"),
        pytest.param(EXTERNAL, 400, id="external entity"),
        pytest.param(ATTRIBUTES, 413, id="5,000 attributes"),
        pytest.param(FILTERS, 413, id="5,000 nested filters"),
        pytest.param(b"<propfind", 400, id="cut"),
        pytest.param(b"nonsense", 400, id="no xml"),
        pytest.param(b"\xff\xfe<\0a\0/\0>\0", 415, id="utf-16"),
        pytest.param("<propfind xmlns='DAV:'><é/></propfind>".encode("latin-1"), 415, id="latin-1"),
        pytest.param(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", 415, id="gzip"),
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT"])
def test_hostile_xml_is_refused_and_the_process_lives(
    anna: DavClient, household: Household, method: str, body: bytes, status: int
) -> None:
    """R-46."""
    response = anna.ask(method, household.anna.calendar_url, body)

    assert response.status == status
    assert anna.ask("PROPFIND", "/").status == 207


def test_hostile_xml_of_strangers_is_not_even_scanned(nobody: DavClient) -> None:
    assert nobody.ask("PROPFIND", "/", NESTED).status == 401


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "unknown", "idna", "utf-8; charset=utf-7"])
def test_what_was_scanned_is_what_is_parsed(anna: DavClient, charset: str) -> None:
    """Radicale decodes by the Content-Type first: in UTF-7 this harmless text would be 200,000 elements."""
    body = xml("d:propfind", "<d:prop><d:displayname/>+ADw-d:getetag/+AD4-</d:prop>")

    response = anna.ask("PROPFIND", "/anna/", body, environ={"CONTENT_TYPE": f"text/xml; charset={charset}"})

    assert response.status == 207
    assert b"getetag" not in response.body


def test_a_declared_encoding_does_not_change_how_a_body_is_read(anna: DavClient) -> None:
    body = propfind("d:displayname").replace(b"utf-8", b"utf-16")

    assert anna.ask("PROPFIND", "/anna/", body).status == 207


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PROPFIND", xml("d:propfind", "")),
        ("PROPFIND", xml("d:propfind", "text")),
        ("REPORT", multiget("c:calendar-multiget", "c:calendar-data", "")),
        ("REPORT", multiget("c:calendar-multiget", "c:calendar-data", " \n ")),
        ("REPORT", xml("c:calendar-multiget", "<d:prop/><d:href><d:x/></d:href>")),
        ("REPORT", xml("c:free-busy-query", "<d:x/>")),
        ("REPORT", xml("c:free-busy-query", "<d:x><c:time-range start='20260101T000000Z'/></d:x>")),
    ],
)
def test_shapes_that_readers_cannot_use_are_bad_requests(
    anna: DavClient, household: Household, method: str, body: bytes
) -> None:
    assert anna.ask(method, household.anna.calendar_url, body).status == 400


def test_the_limits_are_where_they_are_said_to_be() -> None:
    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    def wide(elements: int) -> bytes:
        return b"<r>" + b"<a/>" * (elements - 1) + b"</r>"

    assert scan(nested(MAX_DEPTH)) is None
    assert scan(nested(MAX_DEPTH + 1)) is not None
    assert scan(wide(MAX_ELEMENTS)) is None
    assert scan(wide(MAX_ELEMENTS + 1)) is not None


def test_bodies_of_real_clients_pass() -> None:
    bodies = [
        propfind("d:getetag"),
        sync_collection("urn:x"),
        calendar_query("20260101T000000Z"),
        multiget("cr:addressbook-multiget", "cr:address-data", *(f"/anna/x/{n}.vcf" for n in range(5000))),
        b'\xef\xbb\xbf<?xml version="1.0"?>\n<propfind xmlns="DAV:"><allprop/></propfind>',
    ]

    assert [scan(body) for body in bodies] == [None] * len(bodies)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PUT"])
def test_compressed_requests_are_refused(anna: DavClient, method: str, coding: str) -> None:
    """T-27, T-30: 482 bytes may be 200 MB."""
    response = anna.ask(method, "/anna/x/y.ics", b"\x1f\x8b", Content_Encoding=coding)

    assert response.status == 415


def test_a_body_that_says_that_it_is_plain_is_read(anna: DavClient) -> None:
    assert anna.ask("PROPFIND", "/anna/", propfind("d:displayname"), Content_Encoding="identity").status == 207


def test_a_million_lines_in_an_href_cost_no_more_than_their_bytes() -> None:
    """Each is a piece of text of its own; joined one by one they would be copied a million times."""
    hrefs = "".join(f"<d:href>{'&#10;' * 100_000}/anna/x</d:href>" for _ in range(6))

    assert scan(multiget("c:calendar-multiget", "d:getetag").replace(b"<d:prop>", hrefs.encode() + b"<d:prop>")) is None


def test_a_multiget_of_10_000_hrefs_passes() -> None:
    hrefs = (f"/anna/0123456789abcdef/{n:032d}.ics" for n in range(10_000))

    assert scan(multiget("c:calendar-multiget", "c:calendar-data", *hrefs)) is None


def test_clients_that_declare_their_namespace_at_every_href_pass() -> None:
    body = "".join(f"<x:href xmlns:x='DAV:'>/anna/x/{n}.ics</x:href>" for n in range(5000))

    assert scan(xml("c:calendar-multiget", f"<d:prop/>{body}")) is None


@pytest.mark.parametrize("bounds", [("yesterday", "tomorrow"), ("20260101", "20260102"), ("20260102T000000Z",) * 2])
def test_a_filter_that_is_none_is_refused_by_its_precondition(
    anna: DavClient, household: Household, bounds: tuple[str, str]
) -> None:
    """RFC 4791 section 7.8: ``valid-filter``."""
    response = anna.ask("REPORT", household.anna.calendar_url, calendar_query(*bounds))

    assert (response.status, [child.tag for child in response.xml]) == (403, [clark("c:valid-filter")])
