"""Pages that are asked for while the one before is worked on."""

import threading
from collections.abc import Iterator

import pytest
import structlog

from ccdaemon.errors import Transient
from ccdaemon.model import Cursor, Page
from ccdaemon.providers.ahead import ahead

PATIENCE = 10.0  # seconds; never waited for, but by a test that fails


class Listing:
    """Pages that note by which thread they were asked for, and that can be waited for."""

    def __init__(self, count: int, *, fails_at: int | None = None) -> None:
        self._count, self._fails_at = count, fails_at
        self.threads: list[threading.Thread] = []
        self.accounts: list[object] = []
        self.asked = [threading.Event() for _ in range(count + 1)]

    def pages(self) -> Iterator[Page]:
        for number in range(self._count):
            self.threads.append(threading.current_thread())
            self.accounts.append(structlog.contextvars.get_contextvars().get("account"))
            self.asked[number].set()
            if number == self._fails_at:
                raise Transient(f"page {number}")
            yield Page(originals=[], cursor=Cursor("end") if number == self._count - 1 else None)


def test_the_next_page_is_asked_for_while_this_one_is_worked_on_and_no_further_one() -> None:
    listing = Listing(4)
    pages = ahead(listing.pages())
    for number in range(3):
        next(pages)
        assert listing.asked[number + 1].wait(PATIENCE)
        assert not listing.asked[number + 2].is_set()

    assert [page.cursor for page in pages] == ["end"]
    assert len(listing.threads) == 4


def test_one_page_is_asked_for_by_whoever_wants_it() -> None:
    listing = Listing(1)

    assert len(list(ahead(listing.pages()))) == 1
    assert listing.threads == [threading.current_thread()]
    assert list(ahead(Listing(0).pages())) == []


@pytest.mark.parametrize("failing", range(3))
def test_an_error_comes_in_the_place_of_its_page_and_nothing_is_asked_after_it(failing: int) -> None:
    listing = Listing(4, fails_at=failing)
    pages = ahead(listing.pages())
    for _ in range(failing):
        next(pages)
    with pytest.raises(Transient, match=f"page {failing}"):
        next(pages)

    assert list(pages) == []
    assert len(listing.threads) == failing + 1


def test_who_stops_early_leaves_no_question_under_way() -> None:
    listing = Listing(4)
    pages = ahead(listing.pages())
    next(pages)
    pages.close()

    assert len(listing.threads) == 2
    assert not listing.threads[1].is_alive()


def test_the_other_thread_logs_in_the_same_context() -> None:
    listing = Listing(3)
    with structlog.contextvars.bound_contextvars(account="k3v9"):
        list(ahead(listing.pages()))

    assert listing.accounts == ["k3v9"] * 3
