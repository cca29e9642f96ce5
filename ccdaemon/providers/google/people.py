"""Google contacts: the People API as a Remote.

Source: https://developers.google.com/people/api/rest/v1/people.connections/list, providers.md section 1.2.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from datetime import datetime, timedelta

from ccdaemon.errors import BadAnswer, CursorExpired, NotFound, Rejected, Stale
from ccdaemon.mapping import Codec
from ccdaemon.model import Collection, Cursor, Json, Kind, Original, Page, Part, RemoteCollection
from ccdaemon.providers.ahead import ahead
from ccdaemon.providers.answers import members, microseconds, text
from ccdaemon.providers.base import TokenSource
from ccdaemon.providers.google.api import Api
from ccdaemon.providers.google.photos import PhotoSearch
from ccdaemon.providers.originals import group_of, id_of, nameless, shared, tombstone
from ccdaemon.providers.paging import Walk, is_due, make_cursor, read_cursor
from ccdaemon.providers.photos import MAX_PHOTO_BYTES
from ccdaemon.providers.traffic import Allowance
from ccdaemon.providers.transport import TransportFactory

HOSTS = frozenset({"people.googleapis.com"})
PHOTO_HOSTS = frozenset(f"lh{number}.googleusercontent.com" for number in (3, 4, 5, 6))
# 180 reads in a minute are reported; Google documents that there are limits, and shows each project its own.
ALLOWANCE = Allowance(service="google people", concurrent=4, burst=80, per_minute=60)
PHOTO_ALLOWANCE = Allowance(service="google photos", concurrent=4, burst=600, per_minute=600)  # no limit is documented
PHOTO_SECONDS = 10.0
CONNECTIONS = "connections"
GROUPS = "#contactGroups"
PERSON_FIELDS = (
    "addresses,ageRanges,biographies,birthdays,calendarUrls,clientData,coverPhotos,emailAddresses,events,externalIds,"
    "genders,imClients,interests,locales,locations,memberships,metadata,miscKeywords,names,nicknames,occupations,"
    "organizations,phoneNumbers,photos,relations,sipAddresses,skills,urls,userDefined"
)  # every field that can be selected: what is not mapped today can be mapped again tomorrow without fetching
PAGE_SIZE = 250  # a page of 1,000, the largest, takes 20 MiB while it is read
GROUP_FIELDS = "name,groupType"
CURSOR_VERSION = 2  # of the parameters of the listing, and of what the cursor holds
LIST_AGAIN = timedelta(days=6)  # at the latest: every sync token dies 7 days after the full listing
MAX_GROUPS = 20_000

_PERSON = "people/c"  # then the CONTACT source id as a decimal number; the id itself is hexadecimal
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,16}")
_NAME = re.compile(r"people/[\w-]+")
_WHERE = "google people"


class GoogleContacts:
    """Meets ``providers.base.Remote`` for Kind.CONTACTS: one collection, the person's own contacts."""

    kind = Kind.CONTACTS

    def __init__(
        self, transport_factory: TransportFactory, tokens: TokenSource, codec: Codec, *, now: Callable[[], datetime]
    ) -> None:
        self._api = Api("people", "v1", transport_factory(HOSTS, allowance=ALLOWANCE), tokens)
        self._photos = [
            transport_factory(
                PHOTO_HOSTS, max_bytes=MAX_PHOTO_BYTES, total_seconds=PHOTO_SECONDS, allowance=PHOTO_ALLOWANCE
            )
            for _ in range(PHOTO_ALLOWANCE.concurrent)
        ]
        self._codec = codec
        self._now = now

    def collections(self) -> Sequence[RemoteCollection]:
        """One. A page of one contact is asked for, so that a missing scope shows here."""
        self._api.execute(
            self._api.of("people", "connections").list(resourceName="people/me", pageSize=1, personFields="metadata")
        )
        return [
            RemoteCollection(remote_id=CONNECTIONS, kind=self.kind, name="Contacts", writable=True, is_primary=True)
        ]

    def pull(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        """Contact groups come with the first page, whole each time: they are few and have no change feed."""
        pages = self._pages(collection, cursor)
        return pages if cursor is not None else ahead(pages)

    def _pages(self, collection: Collection, cursor: Cursor | None) -> Iterator[Page]:
        opened = self._now().isoformat()  # of the full listing: deltas give new tokens, but no longer life
        sync_token = None
        if cursor is not None:
            place = read_cursor(cursor, CURSOR_VERSION, _WHERE)
            sync_token, opened = place["token"], place["opened"]
            if is_due(opened, self._now(), LIST_AGAIN, collection):
                raise CursorExpired(f"{_WHERE}: the sync token is about to end")
        walk = Walk(_WHERE)
        answer = self._first(sync_token)
        first = [self._groups()]
        while True:
            people = members(answer, "connections", _WHERE)
            originals = [*first, *(one for person in people for one in self._originals(person))]
            first = []
            if not answer.get("nextPageToken"):
                following = text(answer, "nextSyncToken", _WHERE)  # without it the listing has no end: BadAnswer
                yield Page(originals=originals, cursor=make_cursor(CURSOR_VERSION, token=following, opened=opened))
                return
            yield Page(originals=originals)
            answer = self._list(sync_token, walk.to(text(answer, "nextPageToken", _WHERE), found=len(people)))

    def get(self, collection: Collection, remote_id: str) -> Original | None:  # noqa: ARG002  # there is one
        """By the CONTACT source id; None also where Google has merged that contact into another one."""
        name = _resource_name(remote_id)
        if name is None:
            return None
        try:
            person = self._api.execute(self._api.of("people").get(resourceName=name, personFields=PERSON_FIELDS))
        except NotFound:
            return None
        found = self._original(person)
        return found if found.remote_id == remote_id else None

    def photos(self, collection: Collection, wanted: Mapping[str, str]) -> Sequence[Original]:  # noqa: ARG002  # there is one
        """The key of a photo is its URL. Asked without a token, of Google's photo hosts only (T-34).

        One by one until one comes, then several at once: a host that is down is not asked for many.
        """
        search = PhotoSearch(wanted)
        first, *others = self._photos
        search.go_on(first, until_found=True)
        threads = [
            threading.Thread(target=copy_context().run, args=(search.go_on, transport), name="photos", daemon=True)
            for transport in others[: search.left]
        ]
        for thread in threads:
            thread.start()
        search.go_on(first)
        for thread in threads:
            thread.join()
        return search.result()

    def photo_room(self) -> int | None:
        """All that their hosts may be asked for: nothing else comes from there."""
        return self._photos[0].room()

    def _first(self, sync_token: str | None) -> Json:
        """Raises CursorExpired for every way in which a sync token can be refused."""
        try:
            return self._list(sync_token, None)
        except (Rejected, Stale) as error:
            if sync_token is None:
                raise
            raise CursorExpired(f"{_WHERE}: the sync token was refused") from error

    def _list(self, sync_token: str | None, page_token: str | None) -> Json:
        return self._api.execute(
            self._api.of("people", "connections").list(
                resourceName="people/me",
                pageSize=PAGE_SIZE,
                personFields=PERSON_FIELDS,
                requestSyncToken=True,
                **({"syncToken": sync_token} if sync_token else {}),
                **({"pageToken": page_token} if page_token else {}),
            )
        )

    def _groups(self) -> Original:
        walk = Walk(_WHERE, most=MAX_GROUPS)
        groups: list[Json] = []
        page_token = None
        while True:
            answer = self._api.execute(
                self._api.of("contactGroups").list(
                    pageSize=PAGE_SIZE, groupFields=GROUP_FIELDS, **({"pageToken": page_token} if page_token else {})
                )
            )
            page = members(answer, "contactGroups", _WHERE)
            groups += page
            if not answer.get("nextPageToken"):
                break
            page_token = walk.to(text(answer, "nextPageToken", _WHERE), found=len(page))
        if not groups:  # every account has Google's own ones
            raise BadAnswer(f"{_WHERE}: an account without any contact group")
        return shared(GROUPS, {"contactGroups": groups})

    def _originals(self, person: Json) -> Iterator[Original]:
        """The person, and a tombstone for each CONTACT id that it had before Google linked or merged it."""
        original = self._original(person)
        yield original
        names = _metadata(person).get("previousResourceNames")
        for name in names if isinstance(names, list) else []:
            before = _source_id(str(name))
            if before != original.remote_id:
                yield tombstone(before, before)

    def _original(self, person: Json) -> Original:
        metadata = _metadata(person)
        sources = metadata.get("sources")
        listed = [one for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
        source: Json = next((one for one in listed if one.get("type") == "CONTACT"), {})
        deleted = metadata.get("deleted") is True
        remote_id = id_of(source, "id") or _source_id(id_of(person, "resourceName"))
        if not remote_id:
            return nameless(person)
        return Original(
            remote_id=remote_id,
            group_id=remote_id if deleted else group_of(self._codec, person, remote_id),
            part=Part.OBJECT,
            etag=str(person.get("etag", "")),
            version=microseconds(source.get("updateTime")),
            payload={} if deleted else person,
            deleted=deleted,
        )


def _metadata(person: Json) -> Json:
    metadata = person.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _source_id(resource_name: str) -> str:
    """``people/c123`` -> ``7b``; any other name stays as it is."""
    number = resource_name.removeprefix(_PERSON)
    return f"{int(number):x}" if number.isascii() and number.isdigit() else resource_name


def _resource_name(source_id: str) -> str | None:
    """``7b`` -> ``people/c123``; None for what is neither an id nor a name."""
    if _HEXADECIMAL.fullmatch(source_id):
        return f"{_PERSON}{int(source_id, 16)}"
    return source_id if _NAME.fullmatch(source_id) else None
