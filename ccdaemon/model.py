"""The nouns of ccdaemon as frozen values; one word per thing, the same in tables, logs and URLs.

All times are aware and in UTC. Text is normalised (no NUL, no lone surrogate) before it reaches the store.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, NewType

Json = dict[str, Any]
"""One JSON object as the provider sent it."""

COMPACT = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), allow_nan=False).encode
"""JSON as it is stored: in the order of the keys, not a blank. Raises one of NOT_JSON for what is none."""

NOT_JSON = (TypeError, ValueError, RecursionError)

Cursor = NewType("Cursor", str)
"""Opaque place in a provider's change feed. Stored, handed back, read by nobody but the Remote that made it."""

Fingerprint = NewType("Fingerprint", str)
"""Hash of what a body means; equal for bodies that differ only in order, folding, DTSTAMP or PRODID."""


class ProviderName(StrEnum):
    """The two clouds, and no cloud."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"
    LOCAL = "local"  # kept here only: DAV clients make and write its collections, nothing pulls or pushes them


CLOUDS = (ProviderName.GOOGLE, ProviderName.MICROSOFT)
"""The providers that somebody can be enrolled at."""


class Kind(StrEnum):
    """What a collection holds."""

    CONTACTS = "contacts"  # vCards, an address book
    EVENTS = "events"  # VEVENTs, a calendar
    TASKS = "tasks"  # VTODOs, a task list


class Purpose(StrEnum):
    """What a grant may be used for; also what ``enroll --service`` takes."""

    CONTACTS = "contacts"
    CALENDAR = "calendar"
    TASKS = "tasks"
    STORAGE = "storage"
    MAIL = "mail"
    BUSINESS = "business"


class AccountState(StrEnum):
    """One word for how an account is, worst cause first where several apply."""

    OK = "ok"  # every collection was pulled at its last attempt
    PAUSED = "paused"  # a person said so
    DEGRADED = "degraded"  # something is missing or late, the rest works
    NEEDS_CONSENT = "needs_consent"  # only a person can mend it, by enrolling again
    ERROR = "error"  # nothing of it works


class Part(StrEnum):
    """What role an Original plays in the body of its group."""

    OBJECT = "object"  # the person, contact, event, master or exception itself
    PHOTO = "photo"  # payload {"media_type": "image/jpeg", "data": base64}, or {} when there is none
    SHARED = "shared"  # belongs to every group of the collection: contact groups, the calendar's own entry


class Action(StrEnum):
    """What a Write does to its target."""

    CREATE = "create"  # payload: the whole new object
    PATCH = "patch"  # payload: only the members that change, as the provider's PATCH takes them
    DELETE = "delete"  # payload {}
    MOVE = "move"  # payload: the new place, as the provider's move takes it (Google tasks: parent)
    RESPOND = "respond"  # answer an invitation; payload {"response": "accepted", "comment": "…"} (Graph only)


class Target(StrEnum):
    """What a Write is about; with the provider it names one resource of its API."""

    OBJECT = "object"  # the person, contact, event, changed occurrence or task itself
    OCCURRENCE = "occurrence"  # one of a series that is no object of its own yet, by ``original_start`` (Graph only)
    PHOTO = "photo"  # of a contact; payload as of a PHOTO original
    GROUP = "group"  # a contact group (Google only)
    CHECKLIST_ITEM = "checklist_item"  # of a task (Graph only)


class TextHow(StrEnum):
    """How a TextTest compares (RFC 6352 section 10.5.4)."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "starts-with"
    ENDS_WITH = "ends-with"
    DEFINED = "defined"
    UNDEFINED = "undefined"


class Decision(StrEnum):
    """What a person said of deletions that are held."""

    NONE = ""  # nothing yet
    APPROVED = "approved"  # they are carried out
    REJECTED = "rejected"  # the items stay, until the provider shows the objects again


class Outcome(StrEnum):
    """How a Run ended."""

    DONE = "done"  # up to date with the provider
    FAILED = "failed"  # stopped by the error in the Run; what was committed before it stays


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who subscribes; a DAV principal."""

    id: int
    name: str  # path segment and DAV user name: [a-z0-9][a-z0-9._-]{0,62}
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One DAV client with its own revocable password. The password itself is kept nowhere."""

    id: int
    person_id: int
    name: str  # chosen by the person, unique among theirs
    created_at: datetime
    last_used_at: datetime | None  # to the day or finer; None: never


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One enrolled identity at one provider, keyed by the provider's immutable subject."""

    id: int
    ref: str  # short opaque name for people and URLs, never reused
    person_id: int
    provider: ProviderName
    subject: str  # Google: ``sub``; Microsoft: ``oid`` and ``tid`` joined. Never an address
    label: str  # what people call it; at first the address
    address: str  # mail address at enrolment, for people only
    purposes: tuple[Purpose, ...]  # asked for at the last consent
    writable: bool  # the person asked for write-back
    paused: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """The consent of one account, without its secrets (those stay sealed in the store)."""

    account_id: int
    generation: int  # moves with every consent and every refresh; a slow refresh cannot overwrite a newer one
    scopes: tuple[str, ...]  # granted, as the provider named them
    access_expires_at: datetime | None  # of the newest access token, any purpose
    refresh_expires_at: datetime | None  # None: the provider named no end
    failures: int  # refreshes that failed in a row
    last_error: str | None  # stable word of errors.py
    needs_consent: bool  # believed dead: no refresh is tried until a person enrols again
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessToken:
    """A bearer token, good for one purpose until ``expires_at``. Lives in memory; ``repr`` hides it."""

    value: str = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteCollection:
    """One address book or calendar as the provider lists it."""

    remote_id: str
    kind: Kind
    name: str
    description: str = ""
    color: str | None = None  # "#rrggbb"
    time_zone: str | None = None  # IANA name
    writable: bool = False  # what the provider would let this account do
    is_primary: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """One address book, calendar or task list as DAV sees it, with the state of its pull."""

    id: int
    account_id: int
    person_id: int
    kind: Kind
    remote_id: str
    href: str  # opaque path segment, unique per person, the same for ever
    name: str
    description: str
    color: str | None
    time_zone: str | None
    title: str  # the name; with the account's label where another of the person's collections of the kind is called so
    address: str  # the account's mail address, "" for a local one
    provider: ProviderName
    writable: bool  # DAV writes are accepted: local ones (those of clouds not before write-back)
    is_primary: bool
    revision: int  # moves by one with every item that changes; the ctag
    floor: int  # tombstones up to this revision were dropped; older sync-tokens are invalid
    cursor: Cursor | None  # None: the next pull lists everything
    generation: int  # of the last full listing that was begun
    codec_version: int  # of the Codec that every item was last mapped with; 0: none yet
    next_pull_at: datetime
    last_success_at: datetime | None
    changed_at: datetime | None  # when a pull last changed something; None: never
    missing_since: datetime | None  # the provider has not listed it since then, but its end is not believed yet
    failures: int  # pulls that failed in a row
    last_error: str | None  # stable word of errors.py

    @property
    def is_local(self) -> bool:
        """Whether it is kept here only."""
        return self.provider is ProviderName.LOCAL


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """One provider object, verbatim. Its row outlives its Item."""

    remote_id: str  # unique in its collection; a photo's is its contact's + "#photo"
    group_id: str  # originals with the same one make one Item; "" for SHARED
    part: Part
    etag: str  # the provider's version as it names it; "" where it names none
    version: int  # provider's modification time in microseconds since 1970; 0 where it tells none
    payload: Json  # {} where deleted
    deleted: bool = False
    _text: str | None = field(default=None, init=False, repr=False, compare=False)  # see ``text``; no copy has it

    def text(self) -> str:
        """The payload as COMPACT writes it, written once."""
        text = self._text
        if text is None:
            text = COMPACT(self.payload)
            object.__setattr__(self, "_text", text)
        return text

    def rewritten(self, text: str) -> "Original":
        """The same with another payload, given as COMPACT writes it."""
        other = replace(self, payload=json.loads(text))
        object.__setattr__(other, "_text", text)
        return other


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """One request to a provider that brings an object to what a body says. ``Codec.to_writes`` makes it."""

    action: Action
    target: Target = Target.OBJECT
    remote_id: str  # what is written; CREATE: the id that the client may choose (Google events), else ""
    parent: str = ""  # the master of an OCCURRENCE, the task of a CHECKLIST_ITEM or new subtask, the contact of a PHOTO
    etag: str = ""  # of the original that this was computed from: the precondition; "" for none
    payload: Json = field(default_factory=dict)
    original_start: str = ""  # of an OCCURRENCE: its start in the series, RFC 3339 in UTC, or a date where all day

    @property
    def fields(self) -> tuple[str, ...]:
        """The members written, sorted: Google's updatePersonFields."""
        return tuple(sorted(self.payload))


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A piece of a change feed. A listing is complete only with the Page that carries a cursor."""

    originals: Sequence[Original]
    cursor: Cursor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The last pair of fingerprints on which both sides agreed. They need not be equal: what a person put back stays
    as it is for as long as the provider's side does not move."""

    local: Fingerprint | None  # None: no item, though the provider has one (a person took it away)
    remote: Fingerprint | None  # None: nothing, though there is an item (a person put it back)


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyIndex:
    """What the store keeps beside a body so that nobody parses it to find it again."""

    uid: str
    component: str  # "VEVENT", "VTODO"; "" for a card
    name: str  # SUMMARY or FN, for people
    starts_at: int  # POSIX seconds, inclusive, of the earliest occurrence; a card: TIME_MIN
    ends_at: int  # POSIX seconds, exclusive, of the latest; TIME_MAX: without end (or not worth computing)
    recurring: bool  # then starts_at and ends_at only enclose the occurrences


TIME_MIN = -62135596800  # 0001-01-01T00:00:00Z, Radicale's smallest
TIME_MAX = 253402300800  # 10000-01-01T00:00:00Z, Radicale's largest


class Span(NamedTuple):
    """When one occurrence is, for queries by time. A tuple: a series has hundreds."""

    starts_at: int  # POSIX seconds, inclusive; of a date or a floating time those of the same wall clock in UTC
    ends_at: int  # exclusive, at least ``starts_at`` + 1
    floating: bool  # a date or a floating time: where it lies depends on the zone of who asks
    free_busy: str  # "BUSY", "BUSY-TENTATIVE", "BUSY-UNAVAILABLE", or "": takes no time (transparent, cancelled)


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchIndex:
    """What lets SQL answer a query about a body. ``mapping/indexing.py`` makes it."""

    texts: tuple[tuple[str, str], ...]  # (property name in upper case, its value as text_match.folded gives it)
    complete: bool  # whether ``texts`` holds all there is of mapping.indexing.SEARCHED; else only a look decides
    spans: tuple[Span, ...]  # every occurrence that touches the range below, each once, in order
    covered_from: int  # POSIX seconds: between this and
    covered_to: int  # this (exclusive) ``spans`` tells all. TIME_MIN and TIME_MAX where it tells all there is
    version: int = 0  # of mapping.indexing that made it; 0: counts as never indexed


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTest:
    """What a value of one property is asked to be. A Selection asks it of the folded texts."""

    property: str  # upper case, one of mapping.indexing.SEARCHED
    how: TextHow
    value: str  # folded; "" for DEFINED and UNDEFINED
    negated: bool = False  # true where no value of the property passes, also where there is none


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which items of a collection a query wants, as far as SQL can tell. All that is said must hold."""

    component: str | None = None  # "VEVENT", "VTODO"; None: any
    starts_at: int | None = None  # with ``ends_at``: some occurrence lies between them (TIME_MIN, TIME_MAX: open)
    ends_at: int | None = None
    floating_starts_at: int | None = None  # the same bounds for floating spans: the wall clock of the asker's zone
    floating_ends_at: int | None = None  # there, taken as UTC
    any_of: tuple[tuple[TextTest, ...], ...] = ()  # of each inner tuple at least one is true


class Candidate(NamedTuple):
    """An item that a Selection found. A tuple: a month has thousands."""

    href: str
    etag: str
    body: str
    sure: bool  # the Selection holds; else it may, and the body must be looked at


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One vCard or iCalendar object as DAV sees it."""

    id: int
    collection_id: int
    group_id: str
    href: str  # opaque, ends in .vcf or .ics, unique in its collection
    etag: str  # strong, quoted, derived from the body's bytes
    body: str  # CRLF lines
    index: BodyIndex
    revision: int  # the collection's revision when it last changed
    modified_at: datetime
    base: Base | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What happened to one href since a revision."""

    href: str
    etag: str | None  # None: it is gone
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Quarantined:
    """An object that could not be published, and why."""

    collection_id: int
    group_id: str
    reason: str  # for people; holds no content of the object
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """The end of one original that is not believed yet, since too many of its collection would go at once."""

    collection_id: int
    remote_id: str
    group_id: str
    found_at: datetime  # by the first listing or feed that said so
    confirmed_at: datetime | None  # by a second, identical, complete listing; None: not yet
    decision: Decision


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """Whether a published collection is still listed by its provider, and what would go with it."""

    collection_id: int
    items: int  # living
    missing_since: datetime | None  # None: it is listed
    decision: Decision  # on its end, while it is missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """What an item was before a change. Kept for as long as a Run can be undone."""

    item_id: int
    href: str
    group_id: str
    revision: int  # of the collection, with which this body ended
    ended_at: datetime
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trashed:
    """A removed item that can be put back."""

    item_id: int
    collection_id: int
    href: str
    group_id: str
    body: str
    index: BodyIndex
    revision: int  # of the collection, with which it was removed
    removed_at: datetime


class Touched(NamedTuple):
    """An item that changed since a revision, without its body. A tuple: a first pull touches all there are."""

    item_id: int
    href: str
    group_id: str
    name: str  # SUMMARY or FN, for people
    revision: int  # of the collection, with which it last changed or was removed
    added_revision: int  # with which its present life, or its last one, began; 0: before that was noted
    is_deleted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to work on one thing now. Each new holder gets a higher generation (the fence)."""

    name: str  # "collection:7", "grant:3"
    owner: str
    generation: int
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One finished pull, for people to read."""

    account_id: int
    collection_id: int | None  # None: the listing of the account's collections
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    full: bool  # everything was listed, not only changes
    added: int = 0
    changed: int = 0
    removed: int = 0
    quarantined: int = 0
    held: int = 0  # deletions that were not carried out yet
    error: str | None = None  # stable word
    detail: str | None = None  # a sentence for people
    revision_from: int = 0  # the collection's before the first change
    revision_to: int = 0  # and after the last one; equal: nothing changed
    undoes: int | None = None  # the id of the Run that this one took back
    id: int | None = None  # None: not stored yet
