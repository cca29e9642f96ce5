"""The If header (RFC 4918 section 10.4)."""

from collections.abc import Iterator
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.items.if_header import holds
from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.errors import BadData
from tests.unit.dav.dav_client import DavClient
from tests.unit.dav.household import START, Household, event
from tests.unit.dav.local import Local, add_local, two_people
from tests.unit.dav.test_dav_writing import held

TAGS = {"": '"a"', "/other": '"b"'}
EVENT, CHANGED = (event(name, "lunch", START)[0].encode() for name in ("Lunch", "Late lunch"))


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with two_people(tmp_path_factory.mktemp("household")) as household:
        yield household


@pytest.fixture(scope="module")
def application(household: Household) -> WSGIApplication:
    return make_wsgi_app(household.store, public_url=None, now=household.clock)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('(["a"])', True),
        ('([W/"a"])', True),
        ('(["b"])', False),
        ('(Not ["b"])', True),
        ('(not["a"])', False),
        ('(["b"]) (["a"])', True),
        ('(["a"] ["b"])', False),
        ('(["a"] Not ["b"])', True),
        ("(<urn:uuid:a-lock>)", False),
        ("(<DAV:no-lock>)", False),
        ("(Not <DAV:no-lock>)", True),
        ('(<urn:uuid:a-lock> ["a"]) (Not <DAV:no-lock> ["a"])', True),
        ('</other> (["b"])', True),
        ('</other> (["a"])', False),
        ('</other> (["a"]) (["b"])', True),
        ('</other> (["a"]) </third> (Not ["c"])', True),
        ('</third> (["a"])', False),
    ],
)
def test_one_list_that_holds_is_enough(header: str, expected: bool) -> None:
    assert expected == holds(header, TAGS.get)


@pytest.mark.parametrize(
    "header",
    ["", "x", "()", '"a"', '["a"]', '(["a"]', '(["a"]))', "(Not)", '(Not Not ["a"])', '((["a"]))', "</other>",
     '(["a"]) x', "(<>)", "(" * 60_000, "<x> " * 15_000, '(["a]', "Not" * 20_000],
)  # fmt: skip
def test_what_has_no_such_form_is_refused(header: str) -> None:
    with pytest.raises(BadData):
        holds(header, TAGS.get)


@pytest.fixture
def local(household: Household, anna: DavClient) -> Local:
    local = add_local(household.store, "anna")
    assert anna.ask("PUT", local.calendar_url + "lunch.ics", EVENT).status == 201
    return local


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("header", "is_met"),
    [
        ("([{etag}])", True),
        ("<{url}> ([{etag}])", True),
        ("<http://127.0.0.1:5232{url}> ([{etag}])", True),
        ('(["x"])', False),
        ("(<urn:uuid:a-lock>)", False),
        ("<{url}x> ([{etag}])", False),
        ("([{etag}]", False),
    ],
)
def test_nothing_is_changed_unless_it_holds(
    anna: DavClient, household: Household, local: Local, method: str, header: str, is_met: bool
) -> None:
    url = local.calendar_url + "lunch.ics"
    etag = anna.ask("GET", url).headers["etag"]

    response = anna.ask(method, url, CHANGED if method == "PUT" else b"", If=header.format(etag=etag, url=url))

    assert (204 if is_met else 412) == response.status
    assert is_met == (held(household, local.calendar) != {"lunch.ics": EVENT})
