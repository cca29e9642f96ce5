"""The bounds of a listing, and the cursor behind it."""

import pytest

from ccdaemon.errors import BadAnswer, CursorExpired
from ccdaemon.model import Cursor
from ccdaemon.providers import paging
from ccdaemon.providers.paging import Walk, make_cursor, read_cursor


def _go(pages: int, *, found: int) -> None:
    walk = Walk("somewhere")
    for number in range(pages):
        walk.to(str(number), found=found)


def test_t31_a_token_that_came_before_ends_the_walk() -> None:
    walk = Walk("somewhere")
    walk.to("a", found=1)
    walk.to("b", found=1)

    with pytest.raises(BadAnswer, match="circle"):
        walk.to("a", found=1)


def test_t31_pages_without_end_and_without_entries_end_the_walk() -> None:
    with pytest.raises(BadAnswer, match="no end"):
        _go(10_000, found=0)


def test_some_empty_pages_on_the_way_are_usual() -> None:
    walk = Walk("somewhere")

    followed = [walk.to(str(number), found=number % 100 == 0) for number in range(2_000)]

    assert followed == [str(number) for number in range(2_000)]


def test_t31_a_million_pages_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 10)

    with pytest.raises(BadAnswer, match="no end"):
        _go(12, found=1)


def test_a_cursor_names_its_place() -> None:
    assert read_cursor(make_cursor(3, token="t", opened="o"), 3, "somewhere") == {"token": "t", "opened": "o"}


@pytest.mark.parametrize("cursor", [make_cursor(2, token="t"), "", "[]", "7", "{", '{"v": "3"}'])
def test_a_cursor_of_another_version_is_expired(cursor: str) -> None:
    with pytest.raises(CursorExpired):
        read_cursor(Cursor(cursor), 3, "somewhere")
