"""Indexing afterwards: a query is answered the same before, while and after."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccdaemon.mapping.ical import index as body_index
from ccdaemon.mapping.indexing import VERSION
from ccdaemon.mapping.occurrences import occurrences
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Candidate, Selection, TextHow, TextTest
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.sync.reindex import AHEAD, MOST_ITEMS, known_of, reindex
from tests.contract.store.old import CALENDAR, write_old

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def body(uid: str, *lines: str, component: str = "VEVENT") -> str:
    inside = (f"BEGIN:{component}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, f"END:{component}")
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *inside, "END:VCALENDAR"))


EVENTS = {
    "once": ("DTSTART:20261203T090000Z", "DTEND:20261203T100000Z", "SUMMARY:Lunch"),
    "allday": ("DTSTART;VALUE=DATE:20261224", "SUMMARY:Müller"),
    "weekly": ("DTSTART:20200106T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", "SUMMARY:LUNCH again"),
    "ended": ("DTSTART:20240101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=30"),
    "bomb": ("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY"),
    "strange": ("DTSTART:nonsense",),
}


def stored() -> list[tuple[BodyIndex, str]]:
    events = [(body_index(text), text) for text in (body(uid, *lines) for uid, lines in EVENTS.items())]
    task = body("task", "DUE:20261203T090000Z", component="VTODO")
    anytime = BodyIndex(uid="task", component="VTODO", name="", starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False)
    many = [
        (body_index(text), text)
        for number in range(2 * MOST_ITEMS)
        for text in [body(f"n{number:03}", f"DTSTART:2026{number % 12 + 1:02}15T120000Z", "SUMMARY:Many")]
    ]
    return [*events, (anytime, task), *many]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database of the first release, upgraded."""
    url = f"sqlite:///{tmp_path}/ccdaemon.db"
    write_old(url, stored())
    store = open_store(url, migrate=True)
    yield store
    store.close()


def seconds(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp())  # type: ignore[misc]


def during(begin: tuple[int, int, int], end: tuple[int, int, int], *, text: str | None = None) -> Selection:
    tests = () if text is None else ((TextTest(property="SUMMARY", how=TextHow.CONTAINS, value=text),),)
    return Selection(component="VEVENT", starts_at=seconds(*begin), ends_at=seconds(*end), any_of=tests)


ASKED = {
    "december": during((2026, 12, 1), (2027, 1, 1)),
    "a day": during((2026, 12, 3), (2026, 12, 4)),
    "years ago": during((2021, 1, 1), (2021, 2, 1)),
    "in many years": during((2041, 1, 1), (2041, 2, 1)),
    "lunch in december": during((2026, 12, 1), (2027, 1, 1), text="lunch"),
    "text alone": Selection(component="VEVENT", any_of=during((1, 1, 1), (2, 1, 1), text="lunch").any_of),
}


def is_true(selection: Selection, found: Candidate) -> bool:
    """What a look at the body says; a rule that nobody can expand comes true nowhere."""
    texts = [test.value for group in selection.any_of for test in group]
    if not all(text in found.body.lower() for text in texts):
        return False
    if selection.starts_at is None or selection.ends_at is None:
        return True
    try:
        return bool(occurrences(found.body, selection.starts_at, selection.ends_at))
    except Exception:  # noqa: BLE001 - Unmappable, and whatever else: there is no occurrence
        return False


def answers(store: Store) -> dict[str, list[str]]:
    """The hrefs that a client would get, by question."""
    with store.read() as tx:
        return {
            name: [found.href for found in tx.select(CALENDAR, asked) if found.sure or is_true(asked, found)]
            for name, asked in ASKED.items()
        }


def unsure(store: Store, name: str) -> list[str]:
    with store.read() as tx:
        return [found.href for found in tx.select(CALENDAR, ASKED[name]) if not found.sure]


def waiting(store: Store, version: int = VERSION) -> int:
    with store.read() as tx:
        return len(tx.to_index(version, horizon=int((NOW + AHEAD).timestamp()), limit=1000))


def times(count: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def test_queries_are_answered_the_same_before_during_and_after(store: Store) -> None:
    before = answers(store)
    assert waiting(store) == len(stored())

    assert reindex(store, now=lambda: NOW, goes_on=times(2)) == MOST_ITEMS
    during_it = answers(store)
    assert reindex(store, now=lambda: NOW) == len(stored()) - MOST_ITEMS

    assert (during_it, answers(store)) == (before, before)
    assert [found for found in before["december"] if not found.startswith("n")] == [
        "allday.ics",
        "once.ics",
        "weekly.ics",
    ]
    assert before["lunch in december"] == ["once.ics", "weekly.ics"]
    assert waiting(store) == 0


def test_afterwards_sql_decides_but_for_what_nobody_can_expand(store: Store) -> None:
    assert unsure(store, "december") == ["bomb.ics", "strange.ics", "weekly.ics"]

    reindex(store, now=lambda: NOW)

    assert unsure(store, "december") == ["bomb.ics", "strange.ics"]
    assert unsure(store, "a day") == ["bomb.ics", "strange.ics"]
    assert unsure(store, "in many years") == ["bomb.ics", "strange.ics", "weekly.ics"]
    assert unsure(store, "lunch in december") == []


def test_what_is_indexed_is_not_indexed_again_and_what_nobody_can_expand_neither(store: Store) -> None:
    reindex(store, now=lambda: NOW)

    assert reindex(store, now=lambda: NOW) == 0
    assert reindex(store, now=lambda: NOW + timedelta(days=30)) == 0


def test_when_the_years_run_out_the_series_that_go_on_are_indexed_anew(store: Store) -> None:
    reindex(store, now=lambda: NOW)
    later = NOW + timedelta(days=4 * 366)

    assert reindex(store, now=lambda: later) == 1  # weekly; the bomb never is
    assert reindex(store, now=lambda: later) == 0
    with store.read() as tx:
        asked = during((later.year + 1, 6, 1), (later.year + 1, 7, 1))
        assert ("weekly.ics", True) in [(one.href, one.sure) for one in tx.select(CALENDAR, asked)]


def test_a_body_that_changes_while_it_is_indexed_keeps_its_own_index(store: Store) -> None:
    moved = body("once", "DTSTART:20270203T090000Z", "DTEND:20270203T100000Z")

    def write_between() -> bool:
        with store.write() as tx:
            search = known_of(moved, "VEVENT", now=NOW)
            tx.edit(CALENDAR, href="once.ics", body=moved, index=body_index(moved), search=search, now=NOW)
        return True

    reindex(store, now=lambda: NOW, goes_on=write_between)

    assert "once.ics" not in answers(store)["a day"]
    with store.read() as tx:
        february = tx.select(CALENDAR, during((2027, 2, 3), (2027, 2, 4)))
    assert [(one.href, one.sure) for one in february if one.href == "once.ics"] == [("once.ics", True)]
