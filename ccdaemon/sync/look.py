"""Asking for news before a lease is taken: nine pulls of ten find none, and then there is one row to write.

Nobody is kept out meanwhile, so what was answered counts only as long as the collection is what it was before the
question: whoever goes on with a look, or notes that it found nothing, names what it was.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain

from ccdaemon.errors import BadAnswer
from ccdaemon.mapping.text import clean_json
from ccdaemon.model import Account, Collection, Cursor, Json, Original, Page, Part
from ccdaemon.providers.base import Remote


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a provider answered to whoever has no lease yet."""

    account: Account
    collection: Collection  # as it was before the question
    started: datetime
    pages: Iterator[Page]  # all of them, the first one again; raises what the question raised
    quiet_cursor: Cursor | None  # where nothing is new: the place from where news are to be asked for next

    def is_of(self, collection: Collection) -> bool:
        """Whether the collection, as it is by now, is the one that was asked for."""
        return _state(self.collection) == _state(collection)


def look(
    remote: Callable[[], Remote],
    account: Account,
    collection: Collection,
    known: Mapping[str, Json],
    started: datetime,
) -> Look:
    """Ask for what is new behind the cursor. ``known``: the payloads of what all groups share."""
    asked = partial(Look, account=account, collection=collection, started=started)
    try:
        pages = remote().pull(collection, collection.cursor)
        first = next(pages, None)
    except Exception as error:  # noqa: BLE001 - whoever goes on with the pages gets it, and tells it
        return asked(pages=_failing(error), quiet_cursor=None)
    return asked(
        pages=pages if first is None else chain([first], pages),
        quiet_cursor=first.cursor if first is not None and _is_known(first, known) else None,
    )


def _state(collection: Collection) -> tuple[object, ...]:
    """What moves with every page that is stored, with every listing that is begun and with every mapping."""
    return collection.cursor, collection.revision, collection.generation, collection.codec_version


def _is_known(page: Page, known: Mapping[str, Json]) -> bool:
    return all(
        one.part is Part.SHARED and not one.deleted and known.get(one.remote_id) == _clean(one)
        for one in page.originals
    )


def _clean(original: Original) -> Json | None:
    """Its payload as it would be stored."""
    try:
        payload: Json = clean_json(original.payload)
    except BadAnswer:
        return None
    return payload


def _failing(error: Exception) -> Iterator[Page]:
    raise error
    yield
