"""What the store finds by a Selection, and what the bodies of the rest say, is together what the whole filter finds."""

from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ccdaemon.dav.filters.evaluation import CardFilter, CompFilter, is_decided, matches, selection
from ccdaemon.mapping import contacts, ical, tasks
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import BodyIndex, Candidate, Collection
from ccdaemon.store.base import Draft, Store
from ccdaemon.store.engine import open_store
from tests.unit.dav.filter_bodies import calendar_filter, card_filter, of_card, text
from tests.unit.dav.filter_corpus import ALL, CARD_CONTENTS, CARDS, CONTENTS, DAY
from tests.unit.dav.household import START, Household, Member

ZONES = [UTC, ZoneInfo("Europe/Zurich"), ZoneInfo("America/Los_Angeles")]
INDEX: dict[str, Callable[[str], BodyIndex]] = {"VEVENT": ical.index, "VTODO": tasks.index, "": contacts.index}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Member]]:
    """Every body above: events and tasks in one calendar, cards in an address book."""
    path: Path = tmp_path_factory.mktemp("filters")
    store = open_store(f"sqlite:///{path}/ccdaemon.db", create=True)
    anna = Household(store).add_member("anna")
    with store.write() as transaction:
        for name, bodies in ALL.items():
            collection = anna.calendar if name else anna.contacts
            transaction.put_many(collection.id, [_draft(name, *one) for one in bodies.items()], now=START)
    yield store, anna
    store.close()


def _draft(name: str, href: str, body: str) -> Draft:
    return Draft(
        group_id=href,
        href=href,
        body=body,
        index=INDEX[name](body),
        base=None,
        search=search_index(body, name, now=START),
    )


def found(store: Store, collection: Collection, asked: CompFilter | CardFilter, zone: ZoneInfo) -> dict[str, Candidate]:
    wanted = selection(asked, zone=zone)
    assert wanted is not None
    with store.read() as reader:
        candidates = reader.select(collection.id, wanted)
    return {
        one.href: one
        for one in candidates
        if (one.sure and is_decided(asked)) or matches(asked, one.body, zone=zone)
    }  # fmt: skip


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", ["VEVENT", "VTODO"])
def test_store_and_bodies_find_what_the_filter_means(
    kept: tuple[Store, Member], name: str, content: str, zone: ZoneInfo
) -> None:
    store, anna = kept
    asked = calendar_filter(name, content)

    expected = {href for href, body in ALL[name].items() if matches(asked, body, zone=zone)}
    assert expected == found(store, anna.calendar, asked, zone).keys()


@pytest.mark.parametrize("test", ["anyof", "allof"])
@pytest.mark.parametrize("content", CARD_CONTENTS)
def test_store_and_cards_find_what_the_filter_means(kept: tuple[Store, Member], content: str, test: str) -> None:
    store, anna = kept
    asked = card_filter(content, test=test)

    expected = {href for href, body in CARDS.items() if matches(asked, body, zone=UTC)}
    assert expected == found(store, anna.contacts, asked, ZoneInfo("UTC")).keys()


def test_of_a_month_and_of_a_name_no_body_is_looked_at(kept: tuple[Store, Member]) -> None:
    store, anna = kept
    month, name = calendar_filter("VEVENT", str(DAY)), card_filter(of_card("FN", text("anna")))
    candidates = {
        **found(store, anna.calendar, month, ZoneInfo("UTC")),
        **found(store, anna.contacts, name, ZoneInfo("UTC")),
    }

    assert (is_decided(month), is_decided(name)) == (True, True)
    assert [href for href, one in candidates.items() if not one.sure] == ["bomb"]
