"""The hrefs of a long multiget are taken out before its XML is read; what is read is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.dav.asking import report
from ccdaemon.dav.front.href_run import PLACE, shortened
from ccdaemon.dav.front.xmlscan import EXCESSIVE, scan
from ccdaemon.dav.request import Multiget
from ccdaemon.errors import BadData

HEAD = '<?xml version="1.0"?>\n<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
PROP = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
TAIL = "</C:calendar-multiget>"
HREFS = [f"/anna/calendar/{number:04d}.ics" for number in range(50)]

pieces = st.sampled_from(
    [
        "<D:href>/anna/calendar/a.ics</D:href>",
        "<D:href>/anna/calendar/b%20c.ics</D:href>",
        "<D:href> /anna/calendar/a.ics </D:href>",
        "<D:href>/anna/a&amp;b.ics</D:href>",
        "<D:href>/anna/é.ics</D:href>",
        "<D:href></D:href>",
        "<D:href/>",
        "<href>/anna/calendar/a.ics</href>",
        "<C:href>/anna/calendar/a.ics</C:href>",
        '<D:href xml:lang="en">/anna/calendar/a.ics</D:href>',
        "<D:href>/anna/<D:href>b</D:href></D:href>",
        "<D:href>",
        "</D:href>",
        "<!-- <D:href>/anna/calendar/hidden.ics</D:href> -->",
        "<![CDATA[<D:href>/anna/calendar/hidden.ics</D:href>]]>",
        "<?x <D:href>/anna/calendar/hidden.ics</D:href>?>",
        f"<D:href>{PLACE}</D:href>",
        "]]>",
        PROP,
        "\n  ",
        "text",
    ]
)


def multiget(*content: str) -> bytes:
    return "".join([HEAD, *content, TAIL]).encode()


@pytest.mark.parametrize("between", ["", "\n", "\r\n\t"])
def test_the_hrefs_of_a_client_are_taken_out_whole_and_in_their_order(between: str) -> None:
    body = multiget(PROP, between.join(f"<D:href>{href}</D:href>" for href in HREFS), between)

    short = shortened(body)

    assert short is not None
    assert short.hrefs == HREFS
    assert short.body.count(b"<D:href>") == 1


def test_what_is_left_is_the_same_whatever_is_asked_for() -> None:
    bodies = [
        multiget(PROP, *(f"<D:href>{href}</D:href>" for href in hrefs)) for hrefs in (HREFS[:20], HREFS[3:], HREFS[:2])
    ]

    shorts = {short.body for body in bodies if (short := shortened(body))}

    assert len(shorts) == 1


def test_what_has_too_many_elements_as_a_whole_has_them_without_its_hrefs_too() -> None:
    body = multiget(PROP, "<D:href>/a</D:href>" * 9_000, "<D:prop/>" * 12_000)

    assert scan(body) == EXCESSIVE
    assert shortened(body) is None


def test_one_href_alone_stays_where_it_is() -> None:
    assert shortened(multiget(PROP, "<D:href>/a</D:href>")) is None


@given(st.lists(pieces, max_size=12))
def test_a_shortened_multiget_is_judged_and_read_as_the_whole_one_is(content: list[str]) -> None:
    body = multiget(*content)
    short = shortened(body)
    if short is None:
        return

    assert scan(short.body) == scan(body)
    if scan(body) is None:
        assert report(body, short) == report(body)


@given(st.text(alphabet='<>/&;!?-[]" DADVhref:\n\0é', max_size=60))
def test_no_text_between_hrefs_makes_a_shortened_multiget_mean_something_else(between: str) -> None:
    body = multiget(PROP, *(f"<D:href>{href}</D:href>{between}" for href in HREFS[:3]))
    short = shortened(body)
    if short is None:
        return

    assert scan(short.body) == scan(body)
    if scan(body) is None:
        found = report(body, short)
        assert isinstance(found, Multiget)
        assert found == report(body)


def test_a_client_may_ask_for_what_stands_in_their_place() -> None:
    body = multiget(PROP, f"<D:href >{PLACE}</D:href >", "<D:href>/a</D:href><D:href>/b</D:href>")

    found = report(body, shortened(body))

    assert isinstance(found, Multiget)
    assert found.hrefs == (PLACE, "/a", "/b")


def test_a_body_that_is_no_xml_is_none_either_way() -> None:
    body = multiget(PROP, "<D:href>/a</D:href><D:href>/b</D:href>")[:-5]
    short = shortened(body)

    assert short is not None
    assert scan(short.body) == scan(body)
    with pytest.raises(BadData):
        report(body, short)
