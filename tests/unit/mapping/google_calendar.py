"""What Google does with our writes, for the tests: written from its documentation, it shares no code with ours."""

import copy
from collections.abc import Sequence
from datetime import UTC, date, datetime

from ccdaemon.model import Action, Json, Original, Part, Write
from tests.sandbox.schemas import validator

CALENDAR_ID = "#calendar"


def apply(writes: Sequence[Write], group: Sequence[Original]) -> list[Original]:
    """The group after Google took the writes in their order."""
    payloads = {one.remote_id: copy.deepcopy(one.payload) for one in group if one.part is Part.OBJECT}
    calendar = next((one.payload for one in group if one.part is Part.SHARED), {})
    for write in writes:
        if write.action is Action.CREATE:
            assert write.remote_id not in payloads
            payloads[write.remote_id] = inserted(write.payload, calendar)
        elif write.action is Action.PATCH:
            before = payloads.get(write.remote_id)
            if before is None or "start" not in before:
                before = (before or {}) | occurrence(payloads, write.remote_id)
            payloads[write.remote_id] = received(before, write.payload, calendar)
        else:
            delete(payloads, write.remote_id)
    shared = [one for one in group if one.part is Part.SHARED]
    return shared + [
        Original(remote_id=key, group_id="g", part=Part.OBJECT, etag="", version=0, payload=payload)
        for key, payload in payloads.items()
    ]


def inserted(payload: Json, calendar: Json) -> Json:
    own = {"email": calendar.get("id", "ada@example.com"), "self": True}
    return normal({"kind": "calendar#event", "status": "confirmed", "creator": own, "organizer": own} | payload)


def received(before: Json, patch: Json, calendar: Json) -> Json:
    """A PATCH; of an attendee's one-element list only the own entry changes."""
    patch = dict(patch)
    organizer = before.get("organizer", {})
    is_guest = bool(organizer) and not organizer.get("self") and organizer.get("email") != calendar.get("id")
    sent = patch.get("attendees")
    if sent and len(sent) == 1 and sent[0].get("self") and (is_guest or patch.pop("attendeesOmitted", False)):
        listed = before["attendees"]
        patch["attendees"] = [sent[0] if one.get("email") == sent[0]["email"] else one for one in listed]
    patch.pop("attendeesOmitted", None)
    return normal(merged(before, patch))


def merged(target: Json, patch: Json) -> Json:
    """RFC 7396."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key) if isinstance(result.get(key), dict) else {}, value)
        else:
            result[key] = value
    return result


def normal(payload: Json) -> Json:
    """Members without content are not sent."""
    return {key: value for key, value in payload.items() if value not in ({}, [], "")}


def occurrence(payloads: dict[str, Json], remote_id: str) -> Json:
    """One of a series that nobody has changed: what its master says, at its own time."""
    master_id, _, suffix = remote_id.rpartition("_")
    master = payloads[master_id]
    assert "recurrence" in master
    inherited = {key: value for key, value in master.items() if key not in {"recurrence", "id", "etag"}}
    if "date" in master["start"]:
        start: date = datetime.strptime(suffix, "%Y%m%d").replace(tzinfo=UTC).date()
        days = date.fromisoformat(master["end"]["date"]) - date.fromisoformat(master["start"]["date"])
        begin, end = {"date": start.isoformat()}, {"date": (start + days).isoformat()}
    else:
        first = datetime.strptime(suffix, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        length = instant(master["end"]) - instant(master["start"])
        zone = {"timeZone": master["start"]["timeZone"]}
        begin, end = {"dateTime": first.isoformat()} | zone, {"dateTime": (first + length).isoformat()} | zone
    return inherited | {
        "id": remote_id,
        "recurringEventId": master_id,
        "originalStartTime": begin,
        "start": begin,
        "end": end,
        "status": "confirmed",
    }


def instant(edge: Json) -> datetime:
    return datetime.fromisoformat(edge["dateTime"])


def delete(payloads: dict[str, Json], remote_id: str) -> None:
    gone = payloads.get(remote_id) or occurrence(payloads, remote_id)
    if "recurringEventId" in gone:
        payloads[remote_id] = {
            "id": remote_id,
            "status": "cancelled",
            "recurringEventId": gone["recurringEventId"],
            "originalStartTime": gone["originalStartTime"],
        }
        return
    for key, payload in list(payloads.items()):
        if key == remote_id or payload.get("recurringEventId") == remote_id:
            del payloads[key]


def assert_official(writes: Sequence[Write]) -> None:
    """What is sent is what the discovery document knows; a PATCH may remove, and leaves out what Google owns."""
    for write in writes:
        sent = without_null(write.payload)
        errors = [
            error for error in validator("calendar.v3", "Event").iter_errors(sent) if error.validator != "required"
        ]
        assert errors == []
        assert write.action is Action.PATCH or sent == write.payload
        for value in sent.get("extendedProperties", {}).get("private", {}).values():
            assert len(value) <= 1024


def without_null(payload: Json) -> Json:
    return {
        key: without_null(value) if isinstance(value, dict) else value
        for key, value in payload.items()
        if value is not None
    }
