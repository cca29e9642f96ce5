"""A page more: the next one is asked for by another thread while this one is mapped and stored.

What is promised of a listing stays as it is: its order, one question at a time, an error in the place of the page that
it is of, and nothing that is asked after the end or after an error.
"""

import threading
from collections.abc import Generator, Iterator
from contextvars import copy_context

from ccdaemon.model import Page


def ahead(pages: Iterator[Page]) -> Generator[Page]:
    """The same pages. Whoever stops early has to close it, which waits for the question that is under way: only then
    may the connection behind it be used for something else.

    Between two pages whatever ``pages`` uses belongs to the other thread. A listing of one page starts none.
    """
    page = next(pages, None)
    while page is not None:
        if page.cursor is not None:  # the last one
            yield page
            page = next(pages, None)
            continue
        question = _Question(pages)
        try:
            yield page
        finally:
            question.join()
        page = question.answer()


class _Question(threading.Thread):
    """One page, asked for at once. A daemon: who is told to stop does not wait for a provider."""

    def __init__(self, pages: Iterator[Page]) -> None:
        super().__init__(name="page ahead", daemon=True)
        self._pages = pages
        self._page: Page | None = None
        self._error: BaseException | None = None
        self._context = copy_context()  # account and collection, for the lines of the log
        self.start()

    def run(self) -> None:
        """Ask."""
        try:
            self._page = self._context.run(next, self._pages, None)
        except BaseException as error:  # noqa: BLE001 - whoever takes the page gets it
            self._error = error

    def answer(self) -> Page | None:
        """The page, None behind the last one; raises what asking raised. To be called once it has ended."""
        if self._error is not None:
            raise self._error
        return self._page
