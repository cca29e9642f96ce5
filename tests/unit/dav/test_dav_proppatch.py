"""PROPPATCH: what clients may set, that it is all or nothing, and that it comes back as it was sent."""

import pytest

from ccdaemon.dav.properties.calendar_zone import zone_body
from ccdaemon.dav.properties.updates import MAX_LENGTH, MAX_STORED, MAX_UPDATES
from tests.unit.dav.comparing import form
from tests.unit.dav.dav_client import SHORT, DavClient, Response, clark, propfind, xml
from tests.unit.dav.household import Household
from tests.unit.dav.local import Local

COLOR = '<ical:calendar-color symbolic-color="green">#63DA38FF</ical:calendar-color>'
PROTECTED = (
    "d:resourcetype",
    "d:getetag",
    "d:displayname",
    "c:calendar-description",
    "d:sync-token",
    "cs:getctag",
    "d:current-user-privilege-set",
    "c:supported-calendar-component-set",
    "d:lockdiscovery",
    "d:whatever",
)
BERLIN = zone_body("Europe/Zurich").replace("Europe/Zurich", "Europe/Berlin").replace("\r", "&#13;")


def setting(*properties: str) -> bytes:
    return xml("d:propertyupdate", f"<d:set><d:prop>{''.join(properties)}</d:prop></d:set>")


def removing(*names: str) -> bytes:
    return xml("d:propertyupdate", f"<d:remove><d:prop>{''.join(f'<{name}/>' for name in names)}</d:prop></d:remove>")


def statuses(response: Response) -> dict[str, int]:
    """Of each property, by its local name."""
    assert response.status == 207
    return {
        element.tag.rpartition("}")[2]: int((propstat.findtext(clark("d:status")) or "").split()[1])
        for propstat in response.xml.iter(clark("d:propstat"))
        for element in propstat.iterfind(f"{clark('d:prop')}/*")
    }


def shown(client: DavClient, url: str, name: str) -> str | None:
    """The text of a property; None where it is missing."""
    found = client.ask("PROPFIND", url, propfind(name), Depth="0").resources[url].found
    return found[clark(name)].text if clark(name) in found else None


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_colour_and_order_are_each_persons_own_and_come_back_with_all_that_was_sent(
    anna: DavClient, household: Household
) -> None:
    url = household.anna.calendar_url
    before = [shown(anna, url, name) for name in ("cs:getctag", "d:sync-token")]

    answer = anna.ask("PROPPATCH", url, setting(COLOR, "<ical:calendar-order>7</ical:calendar-order>"))

    assert statuses(answer) == {"calendar-color": 200, "calendar-order": 200}
    found = anna.ask("PROPFIND", url, propfind("ical:calendar-color", "ical:calendar-order"), Depth="0").resources[url]
    color = found.found[clark("ical:calendar-color")]
    assert (color.text, color.attrib) == ("#63DA38FF", {"symbolic-color": "green"})
    assert found.text("ical:calendar-order") == "7"
    assert before == [shown(anna, url, name) for name in ("cs:getctag", "d:sync-token")]


@pytest.mark.parametrize(
    "take_away",
    [
        removing("ical:calendar-color"),
        setting("<ical:calendar-color/>"),
        setting("<ical:calendar-color> </ical:calendar-color>"),
    ],
)
def test_without_a_colour_of_their_own_the_providers_shows_again(
    anna: DavClient, household: Household, take_away: bytes
) -> None:
    url = household.anna.calendar_url
    anna.ask("PROPPATCH", url, setting(COLOR))
    answer = anna.ask("PROPPATCH", url, take_away)

    assert (statuses(answer), shown(anna, url, "ical:calendar-color")) == ({"calendar-color": 200}, "#9fe1e7")


def test_removing_what_is_not_there_is_done(anna: DavClient, household: Household) -> None:
    answer = anna.ask("PROPPATCH", household.anna.calendar_url, removing("cs:nothing"))

    assert statuses(answer) == {"nothing": 200}


@pytest.mark.parametrize(
    "value",
    [
        "<x xmlns='urn:x'/>",
        "<x xmlns='urn:x'>a &amp; b &lt;c&gt; ]]&gt; \U0001f600</x>",
        "<x xmlns='urn:x' a='1&quot;&#9;&#10;&#13;&lt;' b=''> <y> t </y> tail <z xmlns='urn:z'>&#13;\n</z></x>",
        "<x xmlns=''><y xmlns='urn:y'><z xmlns=''/></y></x>",
        "<p:x xmlns:p='urn:&amp;&quot;' p:a='1' xmlns:q='urn:q' q:a='2' xml:space='preserve'/>",
        "<x xmlns='DAV:x' xml:lang='de'>für</x>",
        "<c:default-alarm-vevent-date>BEGIN:VALARM&#13;\nEND:VALARM&#13;\n</c:default-alarm-vevent-date>",
        "<c:schedule-calendar-transp><c:opaque/></c:schedule-calendar-transp>",
    ],
)
def test_a_property_without_a_meaning_here_comes_back_as_the_same_xml(
    anna: DavClient, household: Household, value: str
) -> None:
    url = household.anna.calendar_url
    sent = next(iter(Response(207, {}, xml("d:prop", value)).xml))
    answer = anna.ask("PROPPATCH", url, setting(value))
    everything = anna.ask("PROPFIND", url, b"", Depth="0").resources[url]

    assert set(statuses(answer).values()) == {200}
    assert form(sent) == form(everything.found[sent.tag])


def test_the_language_of_a_value_is_part_of_it(anna: DavClient, household: Household) -> None:
    body = xml("d:propertyupdate", "<d:set xml:lang='fr'><d:prop xml:lang='de'><cs:note>für</cs:note></d:prop></d:set>")
    anna.ask("PROPPATCH", household.anna.calendar_url, body)

    note = anna.ask("PROPFIND", household.anna.calendar_url, propfind("cs:note"), Depth="0")
    [found] = note.xml.iter(clark("cs:note"))

    assert found.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"


def test_what_one_person_sets_another_does_not_see_and_one_collection_keeps_to_itself(
    anna: DavClient, ben: DavClient, household: Household
) -> None:
    anna.ask("PROPPATCH", household.anna.calendar_url, setting(COLOR))

    assert shown(ben, household.ben.calendar_url, "ical:calendar-color") == "#9fe1e7"
    assert shown(anna, household.anna.book_url, "ical:calendar-color") is None


def test_instructions_are_done_in_their_order(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    note = "<d:set><d:prop><cs:note>{}</cs:note></d:prop></d:set>"
    gone = "<d:remove><d:prop><cs:note/></d:prop></d:remove>"

    anna.ask("PROPPATCH", url, xml("d:propertyupdate", note.format(1) + gone + note.format(2)))
    kept = shown(anna, url, "cs:note")
    anna.ask("PROPPATCH", url, xml("d:propertyupdate", note.format(3) + gone))

    assert (kept, shown(anna, url, "cs:note")) == ("2", None)


# --- time zones -------------------------------------------------------------------------------------------------------


def test_a_time_zone_set_in_one_form_is_told_in_both(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    by_text = anna.ask("PROPPATCH", url, setting(f"<c:calendar-timezone>{BERLIN}</c:calendar-timezone>"))
    told_by_text = [shown(anna, url, name) for name in ("c:calendar-timezone", "c:calendar-timezone-id")]
    by_name = anna.ask("PROPPATCH", url, setting("<c:calendar-timezone-id>Asia/Tokyo</c:calendar-timezone-id>"))
    told_by_name = [shown(anna, url, name) for name in ("c:calendar-timezone", "c:calendar-timezone-id")]
    anna.ask("PROPPATCH", url, removing("c:calendar-timezone"))

    assert (statuses(by_text), statuses(by_name)) == ({"calendar-timezone": 200}, {"calendar-timezone-id": 200})
    assert told_by_text == [BERLIN.replace("&#13;", "\r"), "Europe/Berlin"]
    assert told_by_name == [zone_body("Asia/Tokyo"), "Asia/Tokyo"]
    assert shown(anna, url, "c:calendar-timezone-id") == "Europe/Zurich"


def test_a_zone_that_nobody_knows_has_a_text_and_no_name(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    text = BERLIN.replace("Europe/Berlin", "My own zone")

    answer = anna.ask("PROPPATCH", url, setting(f"<c:calendar-timezone>{text}</c:calendar-timezone>"))

    assert statuses(answer) == {"calendar-timezone": 200}
    assert shown(anna, url, "c:calendar-timezone") == text.replace("&#13;", "\r")
    assert shown(anna, url, "c:calendar-timezone-id") is None


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("<c:calendar-timezone>nonsense</c:calendar-timezone>", "valid-calendar-data"),
        ("<c:calendar-timezone/>", "valid-calendar-data"),
        ("<c:calendar-timezone>BEGIN:VCALENDAR\nEND:VCALENDAR</c:calendar-timezone>", "valid-calendar-data"),
        (f"<c:calendar-timezone>{BERLIN}{BERLIN}</c:calendar-timezone>", "valid-calendar-data"),
        ("<c:calendar-timezone-id>Europe/Nowhere</c:calendar-timezone-id>", "valid-timezone"),
        ("<c:calendar-timezone-id>../../etc/passwd</c:calendar-timezone-id>", "valid-timezone"),
    ],
)
def test_a_zone_that_is_none_is_refused_with_the_reason(
    anna: DavClient, household: Household, value: str, condition: str
) -> None:
    answer = anna.ask("PROPPATCH", household.anna.calendar_url, setting(value))

    assert set(statuses(answer).values()) == {403}
    assert [error.tag for outer in answer.xml.iter(clark("d:error")) for error in outer] == [
        f"{{{SHORT['c']}}}{condition}"
    ]
    assert shown(anna, household.anna.calendar_url, "c:calendar-timezone-id") == "Europe/Zurich"


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["set", "remove"])
def test_what_is_protected_stays_and_nothing_else_is_done_either(
    anna: DavClient, household: Household, how: str
) -> None:
    """Taking away ``resourcetype`` made stock Radicale lose the collection."""
    url = household.anna.calendar_url
    before = anna.ask("PROPFIND", "/anna/", Depth="1").body

    for name in PROTECTED:
        part = f"<d:{how}><d:prop><{name}/></d:prop></d:{how}>"
        answer = anna.ask("PROPPATCH", url, xml("d:propertyupdate", f"<d:set><d:prop>{COLOR}</d:prop></d:set>{part}"))

        assert statuses(answer) == {name.partition(":")[2]: 403, "calendar-color": 424}
        assert [error.tag for outer in answer.xml.iter(clark("d:error")) for error in outer] == [
            clark("d:cannot-modify-protected-property")
        ]
    assert before == anna.ask("PROPFIND", "/anna/", Depth="1").body


def test_name_and_description_of_what_is_kept_here_can_be_set(anna: DavClient, local: Local) -> None:
    for url, name in ((local.calendar_url, "c:calendar-description"), (local.book_url, "cr:addressbook-description")):
        ctag = shown(anna, url, "cs:getctag")
        answer = anna.ask(
            "PROPPATCH", url, setting(f"<{name}>D &amp; E</{name}>", "<d:displayname> N </d:displayname>")
        )

        assert set(statuses(answer).values()) == {200}
        assert [shown(anna, url, each) for each in ("d:displayname", name)] == ["N", "D & E"]
        assert ctag != shown(anna, url, "cs:getctag")
        anna.ask("PROPPATCH", url, removing(name, "d:displayname"))
        assert [shown(anna, url, each) for each in ("d:displayname", name)] == [url.split("/")[2], None]


@pytest.mark.parametrize(
    "value",
    [
        f"<cs:note>{'x' * MAX_LENGTH}</cs:note>",
        f"<ical:calendar-color>{'x' * MAX_LENGTH}</ical:calendar-color>",
        f"<d:displayname>{'x' * 256}</d:displayname>",
        f"<c:calendar-description>{'x' * (MAX_LENGTH + 1)}</c:calendar-description>",
    ],
)
def test_a_value_without_measure_is_refused(anna: DavClient, local: Local, value: str) -> None:
    assert set(statuses(anna.ask("PROPPATCH", local.calendar_url, setting(value))).values()) == {507}


def test_a_collection_keeps_so_many_properties_and_no_more(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    filling = anna.ask("PROPPATCH", url, setting(*(f"<cs:n{n}/>" for n in range(MAX_STORED))))
    one_more = anna.ask("PROPPATCH", url, setting("<cs:more/>", "<cs:n0>again</cs:n0>"))
    in_place = anna.ask(
        "PROPPATCH",
        url,
        xml(
            "d:propertyupdate",
            "<d:remove><d:prop><cs:n1/></d:prop></d:remove><d:set><d:prop><cs:more/></d:prop></d:set>",
        ),
    )

    assert set(statuses(filling).values()) == {200}
    assert statuses(one_more) == {"more": 507, "n0": 424}
    assert statuses(in_place) == {"more": 200, "n1": 200}
    assert shown(anna, url, "cs:n0") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        xml("d:propfind", "<d:set><d:prop><cs:a/></d:prop></d:set>"),
        xml("d:propertyupdate", "<d:set/>"),
        xml("d:propertyupdate", "<d:set><d:prop/></d:set>"),
        setting(*(f"<cs:n{n}/>" for n in range(MAX_UPDATES + 1))),
        b"<x",
    ],
)
def test_a_body_that_sets_nothing_or_too_much_is_a_bad_request(
    anna: DavClient, household: Household, body: bytes
) -> None:
    assert anna.ask("PROPPATCH", household.anna.calendar_url, body).status == 400


@pytest.mark.parametrize("path", ["/", "/anna/", "{calendar}000000.ics"])
def test_folders_and_items_have_nothing_to_set(anna: DavClient, household: Household, path: str) -> None:
    answer = anna.ask("PROPPATCH", path.format(calendar=household.anna.calendar_url), setting(COLOR))

    assert (answer.status, [child.tag for child in answer.xml]) == (403, [clark("d:cannot-modify-protected-property")])


def test_nowhere_nothing_can_be_set(anna: DavClient, household: Household) -> None:
    own, foreign = household.anna.calendar_url, household.ben.calendar_url
    places = ("/ben/", "/ghost/", "/anna/ghost/", own + "ghost.ics", foreign, foreign + "000000.ics")

    answers = [anna.ask("PROPPATCH", place, setting(COLOR)) for place in places]

    assert answers == [anna.ask("PROPFIND", place, propfind("d:getetag")) for place in places]
    assert {answer.status for answer in answers} == {404}


def test_who_prefers_little_is_told_only_that_it_was_done(anna: DavClient, household: Household) -> None:
    url = household.anna.calendar_url
    done = anna.ask("PROPPATCH", url, setting(COLOR), Prefer="return=minimal")
    refused = anna.ask("PROPPATCH", url, setting("<d:getetag/>"), Brief="t")

    assert (done.status, done.body, done.headers["preference-applied"]) == (200, b"", "return=minimal")
    assert statuses(refused) == {"getetag": 403}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (207, {"If_Match": "{etag}"}),
        (207, {"If_Match": "*"}),
        (412, {"If_Match": '"x"'}),
        (412, {"If_None_Match": "*"}),
        (412, {"If": '(["x"])'}),
    ],
    ids=lambda value: str(value),
)
def test_a_proppatch_heeds_its_conditions(
    anna: DavClient, household: Household, status: int, headers: dict[str, str]
) -> None:
    url = household.anna.calendar_url
    etag = shown(anna, url, "d:getetag")
    sent = {name: value.format(etag=etag) for name, value in headers.items()}

    response = anna.ask("PROPPATCH", url, setting(COLOR), **sent)

    assert status == response.status
    assert (shown(anna, url, "ical:calendar-color") == "#63DA38FF") == (status == 207)
