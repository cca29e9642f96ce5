"""Change feeds: ``/delta`` of contacts, folders, calendar views, task lists and tasks, hard to read as they are.

A *round* begins with a request without a token (everything) or with a delta link (what changed since). Its pages hang
together by skip tokens and the last one carries a delta link. What a round will deliver is fixed when it begins; how
each item looks is decided when its page is written. Items come in a shuffled order, some come twice, pages may be
empty: always the same ones for the same seed and history.
"""

import base64
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from urllib.parse import unquote

from ccdaemon.sandbox.graph_calendar import WINDOW, find_calendar_id, read_window
from ccdaemon.sandbox.graph_contacts import find_folder_id
from ccdaemon.sandbox.graph_feeds import (
    ContactFeed,
    Entry,
    Feed,
    FolderFeed,
    Known,
    Look,
    TodoListFeed,
    TodoTaskFeed,
    ViewFeed,
)
from ccdaemon.sandbox.graph_mailbox import Mailbox
from ccdaemon.sandbox.graph_odata import Options, read_options
from ccdaemon.sandbox.graph_protocol import HOST, ROOT, Call, GraphError, View, bad_request
from ccdaemon.sandbox.graph_todo import find_list
from ccdaemon.sandbox.wire import Answer

DEFAULT_PAGE_SIZE = 50
DELTA_TOKENS_KEPT = 20_000  # older ones count as expired
SKIP_TOKENS_KEPT = 200  # each holds a whole round
UNSETTLED_FROM = 20  # items: shorter rounds are delivered in order
DUPLICATED_SHARE = 40  # one of so many items comes twice
EMPTY_PAGE_CHANCE = 0.25
FORBIDDEN = {
    "event": ("CalendarView", ("$orderby", "$filter", "$select", "$expand", "$search", "$top")),
    "contact": ("Contacts", ("$orderby", "$filter", "$expand", "$search", "$top")),
    "contactFolder": ("ContactFolders", ("$orderby", "$filter", "$expand", "$search", "$top")),
    "todoTaskList": ("TodoTaskLists", ("$orderby", "$filter", "$expand", "$search", "$top")),
    "todoTask": ("TodoTasks", ("$orderby", "$filter", "$search")),
}
ALLOWED = {"event": WINDOW, "todoTask": ("$select", "$expand", "$top")}
"""What the first request of a round may ask for; ``$select`` where nothing is named."""
IN_A_ZONE = frozenset({"event", "todoTask"})
"""Whose items have times that the zone of the Prefer header applies to."""

_TOKEN = re.compile(r"[\w-]{43}")


PAGE_END = Entry("")
"""Not an item: the page ends here, full or not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What a token stands for."""

    feed: Feed
    identity_id: str
    path: str  # of the links
    select: str | None
    expand: Mapping[str, tuple[str, ...]] | None = None
    top: int | None = None  # of every page; the Prefer header counts for less
    revision: int  # the mailbox' counter when the round began
    known: Known  # once the round is read
    entries: Sequence[Entry] = field(default=(), repr=False)  # of a round under way
    position: int | None = None  # None: a delta token


class Tokens:
    """Opaque tokens and what they stand for."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0
        self._delta: OrderedDict[str, State] = OrderedDict()
        self._skip: OrderedDict[str, State] = OrderedDict()

    def issue(self, state: State) -> str:
        """A new token."""
        self._count += 1
        digest = hashlib.sha256(f"{self._seed}:{self._count}:{state.path}:{state.revision}".encode()).digest()
        token = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        states, kept = (self._delta, DELTA_TOKENS_KEPT) if state.position is None else (self._skip, SKIP_TOKENS_KEPT)
        states[token] = state
        if len(states) > kept:
            states.popitem(last=False)
        return token

    def redeem(self, token: str, identity_id: str, path: str, *, skip: bool) -> State:
        """What a token stands for. Raises GraphError 400 for what never was one, 410 for what is no more."""
        right, wrong = (self._skip, self._delta) if skip else (self._delta, self._skip)
        if not _TOKEN.fullmatch(token) or token in wrong:
            raise bad_request("Badly formed token.", "ErrorInvalidUrlQuery")
        state = right.get(token)
        if state is None or state.identity_id != identity_id or state.path != path:
            raise GraphError(
                410,
                "SyncStateNotFound",
                f"The sync state generation is not found; generation={self._count};[highest={self._count + 8}].",
            )
        return state

    def expire(self) -> None:
        """Forget all tokens."""
        self._delta.clear()
        self._skip.clear()


class Deltas:
    """The routes of the change feeds."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def folders(self, call: Call) -> Answer:
        """``/me/contactFolders/delta``."""
        return self._answer(call, "contactFolder", lambda _: FolderFeed())

    def contacts(self, call: Call, folder_id: str | None = None) -> Answer:
        """``/me/contacts/delta`` (of the default folder) and that of another folder."""
        folder = call.mailbox.default_folder_id if folder_id is None else find_folder_id(call, folder_id)
        return self._answer(call, "contact", lambda _: ContactFeed(folder))

    def calendar_view(self, call: Call, calendar_id: str | None = None) -> Answer:
        """``/me/calendarView/delta`` (of the default calendar) and that of another calendar."""
        calendar = find_calendar_id(call.mailbox, calendar_id)
        return self._answer(call, "event", lambda options: ViewFeed(calendar, read_window(options)))

    def todo_lists(self, call: Call) -> Answer:
        """``/me/todo/lists/delta``."""
        return self._answer(call, "todoTaskList", lambda _: TodoListFeed())

    def todo_tasks(self, call: Call, list_id: str) -> Answer:
        """``/me/todo/lists/{id}/tasks/delta``."""
        feed = TodoTaskFeed(str(find_list(call, list_id).payload["id"]))
        return self._answer(call, "todoTask", lambda _: feed)

    def _answer(self, call: Call, kind: str, feed: Callable[[Options], Feed]) -> Answer:
        _refuse_forbidden(call, kind)
        path = unquote(call.request.path)
        names = {name.lower(): value for name, value in call.request.query}
        if "$skiptoken" in names or "$deltatoken" in names:
            if len(call.request.query) > 1:
                raise bad_request("A token takes no other query parameters.", "ErrorInvalidUrlQuery")
            skip = "$skiptoken" in names
            state = self.tokens.redeem(
                names["$skiptoken" if skip else "$deltatoken"], call.identity.id, path, skip=skip
            )
            if not skip:
                state = _begun(call.mailbox, state, since=state.revision)
        else:
            options = read_options(call.request, kind, ALLOWED.get(kind, ("$select",)))
            state = State(
                feed=feed(options),
                identity_id=call.identity.id,
                path=path,
                select=",".join(options.select) if options.select else None,
                expand=options.expand,
                top=options.top,
                revision=0,
                known={},
            )
            state = _begun(call.mailbox, state, since=None)
        return self._page(call, state)

    def _page(self, call: Call, state: State) -> Answer:
        """The next page of a round."""
        start, asked = state.position or 0, state.top or call.prefer.page_size or DEFAULT_PAGE_SIZE
        size = call.mailbox.world.page_size(asked)
        stop = _page_end(state.entries, start, size)
        options = Options(select=tuple(state.select.split(",")) if state.select else None, expand=state.expand)
        view = call.prefer.view() if state.feed.kind in IN_A_ZONE else View(immutable=call.prefer.immutable)
        place = unquote(call.request.path).removeprefix("/v1.0/me").removesuffix("/delta")
        look = Look(view=view, options=options, context=f"{call.context}{place}")
        items = [
            state.feed.write(call.mailbox, entry, look) for entry in state.entries[start:stop] if entry is not PAGE_END
        ]
        if stop < len(state.entries):
            token = self.tokens.issue(replace(state, position=stop))
            more = {"@odata.nextLink": f"https://{HOST}{call.request.path}?$skiptoken={token}"}
        else:
            token = self.tokens.issue(replace(state, position=None, entries=()))
            more = {"@odata.deltaLink": f"https://{HOST}{call.request.path}?$deltatoken={token}"}
        selected = f"({state.select})" if state.select else ""
        return call.many(f"{ROOT}/$metadata#Collection({state.feed.kind}{selected})", items, more)


def unsettled(entries: list[Entry], chance: Random) -> list[Entry]:
    """The same entries as the live service delivers them: neighbours swapped, some twice, perhaps an empty page."""
    if len(entries) < UNSETTLED_FROM:
        return entries
    delivered = list(entries)
    for place in range(0, len(delivered) - 1, 2):
        if chance.random() < 0.5:
            delivered[place], delivered[place + 1] = delivered[place + 1], delivered[place]
    for _ in range(max(1, len(delivered) // DUPLICATED_SHARE)):
        place = chance.randrange(len(delivered))
        delivered.insert(min(len(delivered), place + chance.randrange(1, UNSETTLED_FROM)), delivered[place])
    if chance.random() < EMPTY_PAGE_CHANCE:
        place = chance.randrange(1, len(delivered))
        delivered[place:place] = [PAGE_END, PAGE_END]
    return delivered


def _begun(mailbox: Mailbox, state: State, since: int | None) -> State:
    entries, known = state.feed.entries(mailbox, since, state.known)
    chance = mailbox.world.chance("graph", "delta", mailbox.identity.id, state.path, mailbox.revision)
    return replace(state, revision=mailbox.revision, known=known, entries=unsettled(entries, chance), position=0)


def _page_end(entries: Sequence[Entry], start: int, size: int) -> int:
    """Where the page that begins at ``start`` ends: full, or just after a PAGE_END."""
    for place in range(start, min(start + size, len(entries))):
        if entries[place] is PAGE_END:
            return place + 1
    return min(start + size, len(entries))


def _refuse_forbidden(call: Call, kind: str) -> None:
    resource, forbidden = FORBIDDEN[kind]
    if any(name.lower() in forbidden for name, _ in call.request.query):
        raise bad_request(
            f"The following parameters are not supported with change tracking over the '{resource}' resource: "
            f"'{', '.join(forbidden)}'.",
            "ErrorInvalidUrlQuery",
        )
