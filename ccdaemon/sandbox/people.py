"""The People API v1, reading: connections, people, contact groups, photos.

Source: providers.md 1.2; people.v1 discovery document, revision 20251117.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ccdaemon.sandbox.google_cursors import (
    Expired,
    Listing,
    Listings,
    Malformed,
    Mismatch,
    SyncPoint,
    SyncTokens,
    fingerprint,
)
from ccdaemon.sandbox.google_wire import (
    ERROR_INFO,
    Parameter,
    authorised,
    dumped,
    google_error,
    invalid_argument,
    parameters,
    partial,
    rfc3339,
)
from ccdaemon.sandbox.people_book import PERSON_FIELDS, PHOTO_HOST, Book, Contact, Group
from ccdaemon.sandbox.pictures import picture
from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.wire import Answer, Json, Refusal, Request, Routes
from ccdaemon.sandbox.world import Identity, World

HOST = "people.googleapis.com"
AUTH = "https://www.googleapis.com/auth/"
CONTACT_SCOPES = frozenset({f"{AUTH}contacts", f"{AUTH}contacts.readonly"})
PROFILE_SCOPES = frozenset({f"{AUTH}userinfo.profile", f"{AUTH}userinfo.email"})
SYNC_TOKEN_LIFETIME = timedelta(days=7)
"""After the full listing, however many deltas follow."""
NATIVE_PIXELS = 256
MAX_BATCH = 200
GROUP_FIELDS = frozenset({"clientData", "groupType", "memberCount", "metadata", "name"})
DEFAULT_GROUP_FIELDS = GROUP_FIELDS - {"clientData"}
SOURCES = frozenset(
    f"READ_SOURCE_TYPE_{name}" for name in ("UNSPECIFIED", "PROFILE", "CONTACT", "DOMAIN_CONTACT", "OTHER_CONTACT")
)
SORT_ORDERS: dict[str, Callable[[Contact], Any]] = {
    "LAST_MODIFIED_ASCENDING": lambda contact: contact.revision,
    "LAST_MODIFIED_DESCENDING": lambda contact: -contact.revision,
    "FIRST_NAME_ASCENDING": lambda contact: _name_key(contact, "givenName"),
    "LAST_NAME_ASCENDING": lambda contact: _name_key(contact, "familyName"),
}

MASK = Parameter()
READ = {"personFields": MASK, "sources": Parameter(repeated=True, values=SOURCES)}
CONNECTIONS = READ | {
    "pageSize": Parameter(kind=int, maximum=1000),
    "pageToken": Parameter(),
    "requestSyncToken": Parameter(kind=bool),
    "syncToken": Parameter(),
    "sortOrder": Parameter(values=frozenset(SORT_ORDERS)),
}
BATCH_GET = READ | {"resourceNames": Parameter(repeated=True)}
GROUPS = {
    "pageSize": Parameter(kind=int, maximum=1000),
    "pageToken": Parameter(),
    "syncToken": Parameter(),
    "groupFields": MASK,
}
GROUP = {"groupFields": MASK, "maxMembers": Parameter(kind=int)}
CONNECTIONS_FIELDS = ("connections", "nextPageToken", "nextSyncToken", "totalItems", "totalPeople")
GROUPS_FIELDS = ("contactGroups", "nextPageToken", "nextSyncToken", "totalItems")
GROUP_TOP_FIELDS = (
    *("resourceName", "etag", "metadata", "groupType", "name", "formattedName"),
    *("memberResourceNames", "memberCount", "clientData"),
)
PHOTO_SIZE = re.compile(r"s(\d{1,4})(-[a-z0-9]+)*\Z")


class People:
    """The routes on the books of all identities."""

    def __init__(self, world: World, switches: Switches, books: dict[str, Book]) -> None:
        self._world = world
        self._switches = switches
        self._books = books
        self._listings = Listings()
        self.sync_tokens = SyncTokens()

    def register(self, routes: Routes) -> None:
        """All of them."""
        routes.add("GET", HOST, "/v1/people/me/connections", self.connections)
        routes.add("GET", HOST, "/v1/people:batchGet", self.batch_get)
        routes.add("GET", HOST, "/v1/people/{person}", self.get)
        routes.add("GET", HOST, "/v1/contactGroups", self.groups)
        routes.add("GET", HOST, "/v1/contactGroups/{group}", self.group)
        for kind in ("contacts", "cm", "a"):
            routes.add("GET", PHOTO_HOST.removeprefix("https://"), f"/{kind}/{{key}}", self.photo)

    # Contacts

    def connections(self, request: Request) -> Answer:
        """A full listing, a delta, or a further page of either."""
        identity = authorised(request, self._world, CONTACT_SCOPES)
        asked = parameters(request, CONNECTIONS)
        mask = _mask(asked)
        with self._world.lock:
            book = self._books[identity.id]
            key, listing, offset = self._listing(identity, book, asked)
            size = self._world.page_size(asked.get("pageSize") or 100)
            shown = [book.contacts[number] for number in listing.ids[offset : offset + size]]
            page = [contact.json(mask) for contact in shown if "syncToken" in asked or not contact.deleted]
        return partial(request, self._connections_body(key, listing, offset + size, page, asked), CONNECTIONS_FIELDS)

    def _listing(self, identity: Identity, book: Book, asked: dict[str, Any]) -> tuple[str, Listing, int]:
        """Key, listing and offset of the page that is asked for. Raises Refusal."""
        owner, collection = identity.id, "connections"
        if "pageToken" in asked:
            same = fingerprint(asked, frozenset({"pageToken"}))
            try:
                return self._listings.read(asked["pageToken"], owner=owner, collection=collection, parameters=same)
            except (Malformed, Mismatch) as error:
                raise invalid_argument("Request contains an invalid argument.") from error
        same = fingerprint(asked, frozenset({"syncToken"}))
        now = self._world.clock.now()
        if "syncToken" in asked:
            since = self._point(asked["syncToken"], owner, same, now)
            until = self._visible_until(now)
            ids = [contact.number for contact in book.changed_since(since.revision, until=until)]
            revision = max((book.contacts[number].revision for number in ids), default=since.revision)
            full_at = since.full_at
        else:
            in_order = sorted(book.living(), key=SORT_ORDERS[asked.get("sortOrder", "LAST_MODIFIED_ASCENDING")])
            includes = "READ_SOURCE_TYPE_CONTACT" in asked.get("sources", ["READ_SOURCE_TYPE_CONTACT"])
            ids = [contact.number for contact in in_order] if includes else []
            revision, full_at = book.revision, now.timestamp()
        wants_token = "syncToken" in asked or asked.get("requestSyncToken")
        point = SyncPoint(owner=owner, collection=collection, parameters=same, revision=revision, full_at=full_at)
        paged = fingerprint(asked, frozenset({"pageToken"}))
        listing = Listing(
            owner=owner, collection=collection, parameters=paged, ids=ids, point=point if wants_token else None
        )
        return self._listings.keep(listing), listing, 0

    def _point(self, token: str, owner: str, same: str, now: datetime) -> SyncPoint:
        try:
            point = self.sync_tokens.read(token, owner=owner, collection="connections", parameters=same)
        except (Malformed, Mismatch) as error:
            raise invalid_argument("Request contains an invalid argument.") from error
        except Expired as error:
            raise _expired() from error
        if now.timestamp() > point.full_at + SYNC_TOKEN_LIFETIME.total_seconds():
            raise _expired()
        return point

    def _visible_until(self, now: datetime) -> datetime:
        """Deltas lag behind when the switch says so."""
        delay = self._switches.people_delay_seconds
        return now - timedelta(seconds=delay) if delay else datetime.max.replace(tzinfo=UTC)

    def _connections_body(
        self, key: str, listing: Listing, end: int, page: list[bytes], asked: dict[str, Any]
    ) -> bytes:
        """An empty delta is the sync token alone, without ``connections``."""
        tail: Json = {}
        if end < len(listing.ids):
            tail["nextPageToken"] = self._listings.page_token(key, end)
        elif listing.point is not None:
            tail["nextSyncToken"] = self.sync_tokens.mint(listing.point)
        if "syncToken" not in asked:
            tail |= {"totalPeople": len(listing.ids), "totalItems": len(listing.ids)}
        if not page:
            return dumped(tail)
        end_of_object = b"," + dumped(tail)[1:] if tail else b"}"
        return b'{"connections":[' + b",".join(page) + b"]" + end_of_object

    def get(self, request: Request, person: str) -> Answer:
        """One person; ``me`` is the profile."""
        scopes = CONTACT_SCOPES | PROFILE_SCOPES if person == "me" else CONTACT_SCOPES
        identity = authorised(request, self._world, scopes)
        mask = _mask(parameters(request, READ))
        if person == "me":
            return partial(request, dumped(_profile(identity, mask)), {"resourceName", "etag", *PERSON_FIELDS})
        with self._world.lock:
            try:
                body = self._books[identity.id].find(f"people/{person}").json(mask)
            except KeyError as error:
                raise _not_found() from error
        return partial(request, body, {"resourceName", "etag", *PERSON_FIELDS})

    def batch_get(self, request: Request) -> Answer:
        """Up to 200 people by name, in the order of the request."""
        identity = authorised(request, self._world, CONTACT_SCOPES)
        asked = parameters(request, BATCH_GET)
        mask = _mask(asked)
        names = asked.get("resourceNames", [])
        if not 1 <= len(names) <= MAX_BATCH:
            raise invalid_argument(f"Number of resource names must be between 1 and {MAX_BATCH}.")
        with self._world.lock:
            book = self._books[identity.id]
            responses = [_person_response(book, name, mask) for name in names]
        return partial(request, dumped({"responses": responses}), {"responses"})

    # Groups

    def groups(self, request: Request) -> Answer:
        """All groups, system groups first. Sync tokens are not given out here, so none is valid."""
        identity = authorised(request, self._world, CONTACT_SCOPES)
        asked = parameters(request, GROUPS)
        fields = _group_mask(asked)
        if "syncToken" in asked:
            raise invalid_argument("Request contains an invalid argument.")
        with self._world.lock:
            book = self._books[identity.id]
            if "pageToken" in asked:
                same = fingerprint(asked, frozenset({"pageToken"}))
                token = asked["pageToken"]
                try:
                    key, listing, start = self._listings.read(
                        token, owner=identity.id, collection="groups", parameters=same
                    )
                except (Malformed, Mismatch) as error:
                    raise invalid_argument("Request contains an invalid argument.") from error
            else:
                same, start = fingerprint(asked, frozenset()), 0
                listing = Listing(
                    owner=identity.id, collection="groups", parameters=same, ids=list(book.groups), point=None
                )
                key = self._listings.keep(listing)
            end = start + (asked.get("pageSize") or 30)
            counts = book.member_counts()
            shown = [book.groups[name] for name in listing.ids[start:end] if name in book.groups]
            payload: Json = {"contactGroups": [_group(group, counts[group.id], fields) for group in shown]}
            payload["totalItems"] = len(listing.ids)
        if end < len(listing.ids):
            payload["nextPageToken"] = self._listings.page_token(key, end)
        return partial(request, dumped(payload), GROUPS_FIELDS)

    def group(self, request: Request, group: str) -> Answer:
        """One group, with ``maxMembers`` of its members."""
        identity = authorised(request, self._world, CONTACT_SCOPES)
        asked = parameters(request, GROUP)
        with self._world.lock:
            book = self._books[identity.id]
            if group not in book.groups:
                raise _not_found()
            members = [contact.resource_name for contact in book.members(book.groups[group])]
            payload = _group(book.groups[group], len(members), _group_mask(asked))
        if asked.get("maxMembers") and members:
            payload["memberResourceNames"] = members[: asked["maxMembers"]]
        return partial(request, dumped(payload), GROUP_TOP_FIELDS)

    # Photos

    def photo(self, request: Request, key: str) -> Answer:
        """A picture; no token is needed. ``=s720`` after the key asks for a size, which is never scaled up."""
        name, _, option = key.partition("=")
        size = PHOTO_SIZE.match(option)
        is_contact = request.path.startswith("/contacts/")
        with self._world.lock:
            known = not is_contact or any(book.has_photo(name) for book in self._books.values())
        if not known or (option and size is None):
            return Answer(404, b"", {"Content-Type": "text/html; charset=UTF-8"})
        pixels = min(int(size.group(1)), NATIVE_PIXELS) if size is not None else NATIVE_PIXELS
        headers = {"Content-Type": "image/png", "Cache-Control": "public, max-age=86400", "ETag": '"v1"'}
        return Answer(200, picture(name, pixels or NATIVE_PIXELS), headers)

    # For the control plane

    def truth(self, identity_id: str) -> Json:
        """Contacts and groups as a full read with every field shows them."""
        book = self._books[identity_id]
        counts = book.member_counts()
        return {
            "contacts": [contact.person(PERSON_FIELDS) for contact in book.living()],
            "groups": [_group(group, counts[group.id], DEFAULT_GROUP_FIELDS) for group in book.groups.values()],
        }

    def mutate(self, identity_id: str, order: Json) -> Json:
        """``kind`` contact, photo or group. Raises KeyError or ValueError."""
        book = self._books[identity_id]
        if order["kind"] == "group":
            return self._mutate_group(book, order)
        if order["kind"] == "contact" and order["action"] == "create":
            return book.create(order["patch"]).person(PERSON_FIELDS)
        contact = book.find(order["id"])
        match order["kind"], order["action"]:
            case "contact", "update":
                book.update(contact, order["patch"])
            case "contact", "delete":
                book.delete(contact)
            case "contact", "rename":
                book.rename(contact)
            case "photo", "create" | "update":
                book.set_photo(contact)
            case "photo", "delete":
                book.remove_photo(contact)
            case kind, action:
                raise ValueError(f"no action {action!r} on {kind!r}")
        return contact.person(PERSON_FIELDS)

    def load(self, identity_id: str, order: Json) -> Json:
        """Store persons verbatim."""
        for payload in order["objects"]:
            self._books[identity_id].load(payload)
        return {"loaded": len(order["objects"])}

    def _mutate_group(self, book: Book, order: Json) -> Json:
        if order["action"] == "create":
            return _group(book.create_group(order["patch"]["name"]), 0, DEFAULT_GROUP_FIELDS)
        group = book.groups[order["id"].removeprefix("contactGroups/")]
        match order["action"]:
            case "update":
                book.rename_group(group, order["patch"]["name"])
            case "delete":
                book.delete_group(group)
            case action:
                raise ValueError(f"no action {action!r} on a group")
        return _group(group, len(book.members(group)), DEFAULT_GROUP_FIELDS)


def _mask(asked: dict[str, Any]) -> frozenset[str]:
    """``personFields``. Raises Refusal when it is missing or names something unknown."""
    text = asked.get("personFields", "")
    if not text:
        raise invalid_argument("personFields mask is required. Please specify one or more valid paths.")
    mask = frozenset(part.strip() for part in text.split(","))
    for name in sorted(mask - PERSON_FIELDS):
        raise invalid_argument(f'Invalid personFields mask path: "{name}".')
    return mask


def _group_mask(asked: dict[str, Any]) -> frozenset[str]:
    if "groupFields" not in asked:
        return DEFAULT_GROUP_FIELDS
    mask = frozenset(part.strip() for part in asked["groupFields"].split(","))
    for name in sorted(mask - GROUP_FIELDS):
        raise invalid_argument(f'Invalid groupFields mask path: "{name}".')
    return mask


def _group(group: Group, count: int, fields: frozenset[str]) -> Json:
    etag = f"{int(group.stamp.timestamp() * 1_000_000):x}.{count}"
    payload: Json = {"resourceName": group.resource_name, "etag": etag}
    if "metadata" in fields and not group.is_system:
        payload["metadata"] = {"updateTime": rfc3339(group.stamp)}
    if "groupType" in fields:
        payload["groupType"] = "SYSTEM_CONTACT_GROUP" if group.is_system else "USER_CONTACT_GROUP"
    if "name" in fields:
        payload |= {"name": group.name, "formattedName": group.formatted_name}
    if "memberCount" in fields and count:
        payload["memberCount"] = count
    return payload


def _person_response(book: Book, name: str, mask: frozenset[str]) -> Json:
    try:
        return {"httpStatusCode": 200, "person": book.find(name).person(mask), "requestedResourceName": name}
    except KeyError:
        status = {"code": 5, "message": "Requested entity was not found."}
        return {"httpStatusCode": 404, "requestedResourceName": name, "status": status}


def _profile(identity: Identity, mask: frozenset[str]) -> Json:
    source = {"type": "PROFILE", "id": identity.google_sub}
    metadata = {"primary": True, "source": source}
    resource: Json = {"resourceName": f"people/{identity.google_sub}", "etag": f"%{identity.id}"}
    name = {"displayName": identity.name, "givenName": identity.given_name, "familyName": identity.family_name}
    fields: Json = {
        "metadata": {"sources": [source], "objectType": "PERSON"},
        "names": [{"metadata": metadata, **name}],
        "emailAddresses": [{"metadata": {**metadata, "verified": True}, "value": identity.google_email}],
        "photos": [{"metadata": metadata, "url": f"{PHOTO_HOST}/a/{identity.google_sub}=s100"}],
    }
    return resource | {key: value for key, value in fields.items() if key in mask}


def _name_key(contact: Contact, part: str) -> tuple[str, int]:
    names = contact.fields.get("names") or [{}]
    return str(names[0].get(part, "")).casefold(), contact.created


def _expired() -> Refusal:
    info = {"@type": ERROR_INFO, "reason": "EXPIRED_SYNC_TOKEN", "domain": HOST, "metadata": {"service": HOST}}
    message = "Sync token is expired. Clear local cache and retry call without the sync token."
    return google_error(400, message, word="FAILED_PRECONDITION", details=[info])


def _not_found() -> Refusal:
    return google_error(404, "Requested entity was not found.", word="NOT_FOUND")
