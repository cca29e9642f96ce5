"""Outlook calendars: Graph events as a Remote. A series with all its exceptions is one original.

Graph has a change feed for a window of a calendar only, and it tells of a series in pieces that lack half of the truth.
So the feed says *what* changed, and the truth is asked for: singles as listed in UTC, a master with its exceptions and
cancelled days in the zone that it was written in (else its wall clock would drift with daylight saving).
Sources: https://learn.microsoft.com/graph/api/event-delta, providers.md section 2.4 and trap 17, 56.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from ccdaemon.errors import BadAnswer, CcdaemonError, CursorExpired, NotFound, Rejected
from ccdaemon.mapping import Codec
from ccdaemon.mapping.fields import objects
from ccdaemon.mapping.stash import STASH_KEY, UID_KEY, graph_id
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, RemoteCollection
from ccdaemon.providers.ahead import ahead
from ccdaemon.providers.answers import members, microseconds, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.microsoft.graph import DELTA_LINK, Answered, Ask, Graph, bare, segment
from ccdaemon.providers.originals import group_of, id_of, is_nameless, nameless, shared, tombstone
from ccdaemon.providers.paging import is_due, make_cursor, read_cursor
from ccdaemon.providers.transport import TransportFactory

CALENDAR = "#calendar"
CURSOR_VERSION = 2
PAGE_SIZE = 200
MAX_NEIGHBOURS = 999  # Graph's largest page
DELTA_PAGE_SIZE = 500  # most rows are occurrences, and tiny
MAX_CHANGES = 200_000  # rows of one delta, which are gathered in memory; most are occurrences

EVENT_FIELDS = (
    "allowNewTimeProposals,attendees,body,bodyPreview,cancelledOccurrences,categories,changeKey,createdDateTime,end,"
    "hasAttachments,hideAttendees,iCalUId,importance,isAllDay,isCancelled,isDraft,isOnlineMeeting,isOrganizer,"
    "isReminderOn,lastModifiedDateTime,location,locations,onlineMeeting,onlineMeetingProvider,onlineMeetingUrl,organizer,"
    "originalEndTimeZone,originalStart,originalStartTimeZone,recurrence,reminderMinutesBeforeStart,responseRequested,"
    "responseStatus,sensitivity,seriesMasterId,showAs,start,subject,transactionId,type,webLink"
)  # all that is no link: what is not mapped today can be mapped again tomorrow without fetching
_OURS = quote(
    "singleValueExtendedProperties($filter="
    + " or ".join(f"id eq '{graph_id(key)}'" for key in (UID_KEY, STASH_KEY))
    + ")",
    safe="",
)  # what we keep with an event comes only when asked for, in no feed, and for no exception
_MASTER = "seriesMaster"
_INSTANCES = frozenset({"occurrence", "exception"})
_ASKABLE = re.compile(r"(?!tzone://)[ !#-~]+")  # what can stand between quotes in a header, but for Outlook's own names
_WHERE = "graph calendar"


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The part of a calendar whose changes Graph tells of. It is frozen into the feed, and slides when that is opened.

    What lies outside is seen by a full listing only, which is made whenever the window is opened.
    """

    behind: timedelta = timedelta(days=365)  # of the day it is opened
    ahead: timedelta = timedelta(days=730)
    open_again: timedelta = timedelta(days=7)  # at the latest

    @property
    def span(self) -> str:
        """What a cursor remembers of it: with other bounds the feed is another one."""
        return f"{self.behind.total_seconds():.0f}-{self.ahead.total_seconds():.0f}"


DEFAULT_WINDOW = Window()


class OutlookCalendars:
    """Meets ``providers.base.Remote`` for Kind.EVENTS."""

    kind = Kind.EVENTS

    def __init__(
        self,
        transport_factory: TransportFactory,
        tokens: TokenSource,
        codec: Codec,
        *,
        now: Callable[[], datetime],
        window: Window = DEFAULT_WINDOW,
    ) -> None:
        self._graph = Graph(transport_factory, tokens)
        self._codec = codec
        self._now = now
        self._window = window
        self._calendars: Mapping[str, Json] | None = None  # of the mailbox, by id; None: not asked yet

    def collections(self) -> Sequence[RemoteCollection]:
        """Every calendar of the mailbox, those shared with it included."""
        self._calendars = self._listed()
        if not self._calendars:  # believed, it would end every calendar; and every mailbox has a default one
            raise BadAnswer(f"{_WHERE}: a mailbox without any calendar")
        return [
            RemoteCollection(
                remote_id=remote_id,
                kind=self.kind,
                name=str(calendar.get("name") or "Calendar"),
                color=_color(calendar.get("hexColor")),
                writable=calendar.get("canEdit") is True,
                is_primary=calendar.get("isDefaultCalendar") is True,
            )
            for remote_id, calendar in self._calendars.items()
        ]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """Without a cursor: open the feed first, then list, so that nothing falls between the two.

        The calendar itself comes with the first page, as it stands in the list of all, which is asked for once.
        """
        calendar = f"/me/calendars/{segment(collection.remote_id)}"
        if cursor is None:
            return ahead(self._everything(calendar, collection.remote_id))
        return self._news(calendar, collection, cursor)

    def get(self, collection: Collection, remote_id: str) -> Original | None:
        """A single event or a whole series. None for an instance, a part of its series, and for what moved away."""
        if is_nameless(remote_id):
            return None
        found = self._still_here(f"/me/calendars/{segment(collection.remote_id)}", [remote_id])
        events = [event for event in found.values() if event.get("type") not in _INSTANCES]
        return next(iter(self._originals(events)), None)

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:  # noqa: ARG002
        """Events have none."""
        return []

    def photo_room(self) -> int | None:
        """Nobody wants any."""
        return None

    def _everything(self, calendar: str, calendar_id: str) -> Iterator[Page]:
        opened = self._now()
        start, end = opened - self._window.behind, opened + self._window.ahead
        url = f"{calendar}/calendarView/delta?startDateTime={_stamp(start)}&endDateTime={_stamp(end)}"
        link = None
        for page in self._graph.pages(url, _WHERE, page_size=DELTA_PAGE_SIZE):
            link = page.get(DELTA_LINK)
        following = _following(link, {"opened": _stamp(opened), "span": self._window.span})
        yield Page(originals=[self._calendar(calendar_id)])
        for page in self._graph.pages(f"{calendar}/events?$expand={_OURS}", _WHERE, page_size=PAGE_SIZE):
            yield Page(originals=self._originals(members(page, "value", _WHERE)))
        yield Page(originals=[], cursor=following)

    def _news(self, calendar: str, collection: Collection, cursor: Cursor) -> Iterator[Page]:
        place = read_cursor(cursor, CURSOR_VERSION, _WHERE)
        is_old = is_due(place["opened"], self._now(), self._window.open_again, collection)
        if is_old or place["span"] != self._window.span:
            raise CursorExpired(f"{_WHERE}: the window of the change feed has moved on")
        yield from self._changes(calendar, collection.remote_id, place)

    def _changes(self, calendar: str, calendar_id: str, place: Mapping[str, str]) -> Iterator[Page]:
        """The whole feed is read before anything is asked for: an instance and its master can be pages apart."""
        rows, without_id, link = self._feed(place["link"])
        removed = [remote_id for remote_id, row in rows.items() if "@removed" in row]
        living = {remote_id: row for remote_id, row in rows.items() if "@removed" not in row}
        told = {remote_id: row for remote_id, row in living.items() if row.get("type") not in _INSTANCES}
        asked = self._still_here(calendar, sorted(set(removed) - told.keys()))
        known = told.keys() | asked.keys() | set(removed)
        asked |= self._still_here(calendar, sorted(_masters_of(asked) - known))
        asked |= self._events(sorted(_masters_of(living) - known - asked.keys()))
        # Rows of the feed lack what is ours: a single event that lost its UID for a while would be another one.
        singles = self._events(sorted(one for one, row in told.items() if row.get("type") != _MASTER))
        masters = [row for row in told.values() if row.get("type") == _MASTER]
        originals = [tombstone(remote_id, remote_id) for remote_id in removed if remote_id not in asked]
        whole = [event for event in asked.values() if event.get("type") not in _INSTANCES]
        originals += self._originals([*singles.values(), *masters, *whole, *without_id])
        yield Page(
            originals=[self._calendar(calendar_id), *originals],
            cursor=_following(link, place),
        )

    def _feed(self, link: str) -> tuple[dict[str, Json], list[Json], object]:
        """Every id with its last row, or the one that says that it is gone; the rows that have none; and the next delta
        link if there was one."""
        rows: dict[str, Json] = {}
        without_id: list[Json] = []
        following = None
        pages = self._graph.pages(link, _WHERE, page_size=DELTA_PAGE_SIZE, most=MAX_CHANGES)
        try:
            for page in pages:
                for row in members(page, "value", _WHERE):
                    remote_id = id_of(row, "id")
                    if not remote_id:
                        without_id.append(row)
                    elif "@removed" not in rows.get(remote_id, ()):  # order means nothing: the end is asked for
                        rows[remote_id] = row
                following = page.get(DELTA_LINK)
        except Rejected as error:
            raise CursorExpired(f"{_WHERE}: the delta link was refused") from error
        return rows, without_id, following

    def _events(self, ids: Sequence[str]) -> dict[str, Json]:
        """Those of the events that exist, in whichever calendar, by id; times in UTC."""
        answers = self._graph.batch([Ask(path=f"/me/events/{segment(one)}?$expand={_OURS}") for one in ids], _WHERE)
        found = (_found(answer) for answer in answers)
        return {remote_id: event for remote_id, event in zip(ids, found, strict=True) if event is not None}

    def _still_here(self, calendar: str, ids: Sequence[str]) -> dict[str, Json]:
        """Those of the events that this calendar holds now, and instances of whichever one.

        An event does not say which calendar it is in, and a moved one keeps its id: so the calendar is asked what it
        lists around that time.
        """
        events = self._events(ids)
        around = {one: _around(calendar, event) for one, event in events.items() if event.get("type") not in _INSTANCES}
        doubtful = {one: path for one, path in around.items() if path is not None}
        answers = self._graph.batch([Ask(path=path) for path in doubtful.values()], _WHERE)
        for one, answer in zip(doubtful, answers, strict=True):
            if one not in {row.get("id") for row in members(_found(answer) or {}, "value", _WHERE)}:
                del events[one]
        return events

    def _originals(self, events: Sequence[Json]) -> list[Original]:
        """Singles as they are, masters asked for again with everything that belongs to them."""
        named = ((id_of(event, "id"), event) for event in events)
        masters = {one: _zone(event) for one, event in named if one and event.get("type") == _MASTER}
        singles = [self._original(event) for event in events if id_of(event, "id") not in masters]
        return singles + [self._original(master) for master in self._masters(masters)]

    def _masters(self, zones: Mapping[str, str | None]) -> Iterator[Json]:
        asks = {one: Ask(path=_master_path(one), zone=zone) for one, zone in zones.items()}
        answers = dict(zip(asks, self._graph.batch(list(asks.values()), _WHERE), strict=True))
        # Some zone names that Graph itself gives are refused when it is asked for them.
        again = [one for one, answer in answers.items() if isinstance(answer, Rejected) and zones[one] is not None]
        answers |= zip(again, self._graph.batch([Ask(path=_master_path(one)) for one in again], _WHERE), strict=True)
        yield from (master for answer in answers.values() if (master := _found(answer)) is not None)

    def _listed(self) -> Mapping[str, Json]:
        calendars = self._graph.listed("/me/calendars", _WHERE, page_size=PAGE_SIZE)
        return {text(calendar, "id", _WHERE): bare(calendar) for calendar in calendars}

    def _calendar(self, calendar_id: str) -> Original:
        if self._calendars is None:
            self._calendars = self._listed()
        calendar = self._calendars.get(calendar_id)
        if calendar is None:
            calendar = bare(self._graph.get(f"/me/calendars/{segment(calendar_id)}", _WHERE))
            text(calendar, "id", _WHERE)  # an empty object is no calendar
        return shared(CALENDAR, calendar, etag=str(calendar.get("changeKey") or ""))

    def _original(self, event: Json) -> Original:
        remote_id = id_of(event, "id")
        if not remote_id:
            return nameless(bare(event))
        parts = [event, *objects(event, "exceptionOccurrences")]
        return Original(
            remote_id=remote_id,
            group_id=group_of(self._codec, event, remote_id),
            part=Part.OBJECT,
            etag=str(event.get("@odata.etag") or ""),
            version=max(microseconds(part.get("lastModifiedDateTime")) for part in parts),
            payload=bare(event),
        )


def _following(link: object, place: Mapping[str, str]) -> Cursor:
    """The cursor behind a feed that was read to its end; BadAnswer for one without an end."""
    return make_cursor(CURSOR_VERSION, **{**place, "link": text({DELTA_LINK: link}, DELTA_LINK, _WHERE)})


def _masters_of(rows: Mapping[str, Json]) -> set[str]:
    """The series that some of these are instances of."""
    return {str(row["seriesMasterId"]) for row in rows.values() if row.get("seriesMasterId")}


def _found(answer: Answered) -> Json | None:
    """A part's object; None when there is no such event. Raises every other refusal."""
    if isinstance(answer, NotFound):
        return None
    if isinstance(answer, CcdaemonError):
        raise answer
    return answer if isinstance(answer, dict) else None


def _master_path(remote_id: str) -> str:
    return f"/me/events/{segment(remote_id)}?$select={EVENT_FIELDS}&$expand=exceptionOccurrences,{_OURS}"


def _around(calendar: str, event: Json) -> str | None:
    """A listing of singles and masters that begin within a day of this one, which came with times in UTC.

    None for one that begins at no time: it is believed to be here, and the mapping will say what is wrong with it.
    """
    start = event.get("start")
    day = timedelta(days=1)
    try:
        at = datetime.fromisoformat(id_of(start if isinstance(start, dict) else {}, "dateTime"))
        first, last = at - day, at + day
    except (ValueError, OverflowError):
        return None
    span = f"start/dateTime ge '{first.isoformat()}' and start/dateTime le '{last.isoformat()}'"
    return f"{calendar}/events?$select=id&$top={MAX_NEIGHBOURS}&$filter={quote(span, safe='')}"


def _zone(master: Json) -> str | None:
    """The zone that a series was written in; None (UTC) where its name is one that nobody can ask for."""
    recurrence = master.get("recurrence")
    span = recurrence.get("range") if isinstance(recurrence, dict) else None
    names = (master.get("originalStartTimeZone"), span.get("recurrenceTimeZone") if isinstance(span, dict) else None)
    return next((name for name in names if isinstance(name, str) and _ASKABLE.fullmatch(name)), None)


def _color(value: object) -> str | None:
    is_color = isinstance(value, str) and len(value) == 7 and value.startswith("#")
    return str(value).lower() if is_color else None


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
