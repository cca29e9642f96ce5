"""A thin Graph client: immutable ids always, links followed within Graph only, batches of at most twenty parts.

Sources: https://learn.microsoft.com/graph/json-batching, providers.md section 2.2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from ccdaemon.errors import BadAnswer, CcdaemonError, CursorExpired, ForeignLink, RateLimited, Rejected, Transient
from ccdaemon.model import Json
from ccdaemon.providers.answers import error_of_payload, members, read_json, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.paging import MAX_COLLECTIONS, Walk
from ccdaemon.providers.traffic import Allowance
from ccdaemon.providers.transport import TransportFactory, ask

HOSTS = frozenset({"graph.microsoft.com"})
# For one app and mailbox: 4 at once and 10,000 in ten minutes.
ALLOWANCE = Allowance(service="graph", concurrent=4, burst=4000, per_minute=480)
ROOT = "https://graph.microsoft.com/v1.0"
MAX_PARTS = 20
DELTA_LINK = "@odata.deltaLink"
_NEXT_LINK = "@odata.nextLink"
_IMMUTABLE = 'IdType="ImmutableId"'


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One GET within a batch."""

    path: str  # under ROOT, percent-encoded
    zone: str | None = None  # in which start and end come; None: UTC
    page_size: int | None = None  # of a listing


Answered = Json | str | CcdaemonError
"""A part's object, its base64 text (a photo), or what its refusal means."""


def segment(remote_id: str) -> str:
    """An id as one path segment."""
    return quote(remote_id, safe="")


def bare(payload: Json) -> Json:
    """An object without the marks of how it was asked for, which differ between a listing, a feed and a GET."""
    return {name: value for name, value in payload.items() if name not in {"@odata.context", "@odata.type"}}


def followed(pages: Iterator[Json], where: str, *, is_delta: bool) -> Iterator[Json]:
    """The pages of a change feed; raises CursorExpired for every way in which a delta link can be refused."""
    try:
        first = next(pages)
    except Rejected as error:
        if not is_delta:
            raise
        raise CursorExpired(f"{where}: the delta link was refused") from error
    yield first
    yield from pages


def prefer(*, zone: str | None = None, page_size: int | None = None) -> dict[str, str]:
    """The Prefer header of every request."""
    wishes = [_IMMUTABLE]
    if zone is not None:
        wishes.append(f'outlook.timezone="{zone}"')
    if page_size is not None:
        wishes.append(f"odata.maxpagesize={page_size}")
    return {"Prefer": ", ".join(wishes)}


class Graph:
    """Graph for one account."""

    def __init__(self, transport_factory: TransportFactory, tokens: TokenSource) -> None:
        self._transport = transport_factory(HOSTS, allowance=ALLOWANCE)
        self._tokens = tokens

    def room(self) -> int | None:
        """How many requests may be sent now, parts of batches included; None: any number."""
        return self._transport.room()

    def get(self, url: str, where: str, *, page_size: int | None = None) -> Json:
        """The object at a path under ROOT or at a link that Graph gave."""
        if not url.startswith("/"):
            _within(url, where)
        response = ask(
            self._transport,
            self._tokens,
            "GET",
            ROOT + url if url.startswith("/") else url,
            where,
            headers=prefer(page_size=page_size),
        )
        return read_json(response.content, where)

    def pages(self, url: str, where: str, *, page_size: int, most: int | None = None) -> Iterator[Json]:
        """Every page of a listing or of a change feed, of ``most`` objects in all; the last one has no further link.

        The last page of a change feed holds DELTA_LINK; a caller that needs it checks that it came.
        """
        walk = Walk(where, most=most)
        while True:
            page = self.get(url, where, page_size=page_size)
            for name in (_NEXT_LINK, DELTA_LINK):
                if name in page:
                    _within(text(page, name, where), where)
            yield page
            if _NEXT_LINK not in page:
                return
            url = walk.to(text(page, _NEXT_LINK, where), found=len(members(page, "value", where)))

    def listed(self, url: str, where: str, *, page_size: int) -> list[Json]:
        """Every object of a listing. Raises BadAnswer for a page without its list, which OData always sends."""
        found: list[Json] = []
        for page in self.pages(url, where, page_size=page_size, most=MAX_COLLECTIONS):
            if "value" not in page:
                raise BadAnswer(f"{where}: a listing without its list")
            found += members(page, "value", where)
        return found

    def listed_together(self, paths: Sequence[str], where: str, *, page_size: int, most: int) -> list[Json]:
        """Every object of several listings, in their order; of some only, once these are more than ``most``."""
        found: list[Json] = []
        for start in range(0, len(paths), MAX_PARTS):
            asks = [Ask(path=path, page_size=page_size) for path in paths[start : start + MAX_PARTS]]
            for answer in self.batch(asks, where):
                if isinstance(answer, CcdaemonError):
                    raise answer
                if not isinstance(answer, dict) or "value" not in answer:
                    raise BadAnswer(f"{where}: a listing without its list")
                found += members(answer, "value", where)
                if _NEXT_LINK in answer and len(found) <= most:
                    found += self.listed(text(answer, _NEXT_LINK, where), where, page_size=page_size)
            if len(found) > most:
                break
        return found

    def batch(self, asks: Sequence[Ask], where: str, *, keep_failures: bool = False) -> list[Answered]:
        """The answers in the order of ``asks``. Parts that are throttled are asked again.

        Raises Transient when some part has no answer after all attempts; with ``keep_failures`` that part's answer is
        the Transient, and only a batch that failed as a whole raises.
        """
        answers: dict[int, Answered] = {}
        for start in range(0, len(asks), MAX_PARTS):
            waiting = dict(enumerate(asks[start : start + MAX_PARTS], start))
            try:
                self._transport.repeated(partial(self._batch_once, waiting, answers, where), idempotent=True)
            except Transient:
                if not keep_failures or not answers.keys() >= waiting.keys():
                    raise
        return [answers[number] for number in range(len(asks))]

    def _batch_once(self, waiting: dict[int, Ask], answers: dict[int, Answered], where: str) -> None:
        """Note every part's answer, and take what is answered for good out of ``waiting``; raise for what is left."""
        response = ask(
            self._transport,
            self._tokens,
            "POST",
            f"{ROOT}/$batch",
            where,
            headers=prefer(),
            json={
                "requests": [
                    {
                        "id": str(number),
                        "method": "GET",
                        "url": one.path,
                        "headers": prefer(zone=one.zone, page_size=one.page_size),
                    }
                    for number, one in waiting.items()
                ]
            },
            idempotent=True,
            parts=len(waiting),
        )
        said_at = {name: value for name, value in response.headers.items() if name.lower() == "date"}
        parts = {part.get("id"): part for part in members(read_json(response.content, where), "responses", where)}
        postponed: list[Transient] = []
        for number in list(waiting):
            answer = _answered(parts.get(str(number)), said_at, where)
            answers[number] = answer
            if isinstance(answer, Transient) and not isinstance(answer, BadAnswer):
                postponed.append(answer)
            else:
                del waiting[number]
        if postponed:
            # The longest wait that somebody asked for, and of those who asked for none a quota before a bad moment.
            worst = max(postponed, key=lambda one: (one.retry_after or timedelta(), isinstance(one, RateLimited)))
            self._transport.postpone(worst)
            raise worst


def _within(link: str, where: str) -> None:
    """Raises ForeignLink for a link of Graph's that leads out of it, or anywhere from where it stands."""
    if not link.startswith(f"{ROOT}/"):
        raise ForeignLink(f"{where}: a link leads out of Graph v1.0")


def _answered(part: Mapping[str, Any] | None, said_at: Mapping[str, str], where: str) -> Answered:
    """What a part means. ``said_at``: the Date of the whole answer, since when a part's Retry-After counts."""
    status = part.get("status") if part is not None else None
    if part is None or not isinstance(status, int):
        raise BadAnswer(f"{where}: a batch without an answer for each of its parts")
    headers, body = part.get("headers"), part.get("body")
    if not 200 <= status < 300:
        told = headers if isinstance(headers, dict) else {}
        return error_of_payload(status, {**said_at, **told}, body, where)
    if not isinstance(body, dict | str):
        raise BadAnswer(f"{where}: a part of a batch without a body")
    return body
