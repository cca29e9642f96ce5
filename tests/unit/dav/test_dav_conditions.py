"""Conditions with dates (RFC 9110 section 13): what is no date is ignored, whatever numbers stand in it."""

import pytest

from tests.unit.dav.dav_client import DavClient
from tests.unit.dav.household import Household, card
from tests.unit.dav.local import add_local

NO_DATES = {
    "no date": "yesterday",
    "a day that no month has": "Mon, 99 Mar 2026 09:00:00 GMT",
    "a year that no calendar has": "Mon, 02 Mar 99999999999999 09:00:00 GMT",
    "a zone beyond the world": "Mon, 02 Mar 2026 09:00:00 +99999999999999999",
    "a day beyond all numbers": f"Mon, {'9' * 40} Mar 2026 09:00:00 GMT",
}


@pytest.mark.parametrize("date", NO_DATES.values(), ids=NO_DATES)
def test_a_read_ignores_what_is_no_date(anna: DavClient, household: Household, date: str) -> None:
    response = anna.ask("GET", household.anna.book_url + "000000.vcf", If_Modified_Since=date)

    assert response.status == 200


@pytest.mark.parametrize("date", NO_DATES.values(), ids=NO_DATES)
def test_a_write_ignores_what_is_no_date(anna: DavClient, household: Household, date: str) -> None:
    url = add_local(household.store, "anna").book_url + "one.vcf"
    body = card("One", "one")[0].encode()
    made = anna.ask("PUT", url, body, Content_Type="text/vcard")

    response = anna.ask("PUT", url, body, Content_Type="text/vcard", If_Unmodified_Since=date)

    assert (made.status, response.status) == (201, 204)
