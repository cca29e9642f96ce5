"""What a test may do with a mailbox from outside: see everything, change something, put payloads in as they are."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from ccdaemon.sandbox import graph_event_writes, graph_ids, graph_todo_control, graph_writes
from ccdaemon.sandbox.graph_calendar import resolve_event
from ccdaemon.sandbox.graph_mailbox import Calendar, Contact, Event, Folder, Mailbox
from ccdaemon.sandbox.graph_protocol import bad_request, not_found
from ccdaemon.sandbox.wire import Json


def truth(mailbox: Mailbox) -> Json:
    """Everything that exists, with immutable ids and times by the clock of the zone they were made in.

    ``folders`` (the default one first), ``contacts``, ``photos`` (contact id to sha256), ``calendars``, ``events``
    (``calendarId``, ``event``: single or master, ``exceptions``, ``cancelledOccurrences``), ``taskLists``, ``tasks``
    (``listId``, ``task``, ``checklistItems``, ``linkedResources``).
    """
    return {
        "defaultFolderId": mailbox.default_folder_id,
        "defaultCalendarId": mailbox.default_calendar_id,
        "folders": [folder.payload for folder in mailbox.folders.values()],
        "contacts": [contact.payload for contact in mailbox.contacts.values()],
        "photos": {key: contact.photo.sha256 for key, contact in mailbox.contacts.items() if contact.photo},
        "calendars": [calendar.payload for calendar in mailbox.calendars.values()],
        "events": [_whole(event) for event in mailbox.events.values()],
        **graph_todo_control.truth(mailbox),
    }


def mutate(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    """Carry out one order; returns the object after it ({} when it is gone). Raises GraphError."""
    kind, action = str(order.get("kind")), str(order.get("action"))
    change = _CHANGES.get((kind, action))
    if change is None:
        raise bad_request(f"There is no action '{action}' for a {kind}.")
    return change(mailbox, order)


def load(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    """Put payloads in verbatim; returns how many and their ids. Raises GraphError for an object that has no id."""
    put = _LOADERS.get(str(order.get("kind")).removesuffix("s"))
    if put is None:
        raise bad_request(f"There is no kind '{order.get('kind')}' to load.")
    objects = list(order["objects"])
    for payload in objects:
        if not payload.get("id"):
            raise bad_request("An object to load needs an id.")
        mailbox.revision += 1
        put(mailbox, order.get("collection"), dict(payload))
    return {"loaded": len(objects), "ids": [payload["id"] for payload in objects]}


def _whole(event: Event) -> Json:
    return {
        "calendarId": event.calendar_id,
        "event": event.payload,
        "exceptions": [payload for _, payload in sorted(event.exceptions.items())],
        "cancelledOccurrences": [graph_ids.oid(event.id, day) for day in sorted(event.cancelled)],
    }


def _contact(mailbox: Mailbox, order: Mapping[str, Any]) -> Contact:
    contact = mailbox.contacts.get(str(order.get("id")))
    if contact is None:
        raise not_found()
    return contact


def _event(mailbox: Mailbox, order: Mapping[str, Any]) -> Event:
    """The single event or series that an order means; an instance's id means its series."""
    return resolve_event(mailbox, str(order.get("id")))[0]


def _folder(mailbox: Mailbox, order: Mapping[str, Any]) -> Folder:
    folder = mailbox.folders.get(str(order.get("id")))
    if folder is None:
        raise not_found()
    return folder


def _calendar(mailbox: Mailbox, order: Mapping[str, Any]) -> Calendar:
    calendar = mailbox.calendars.get(str(order.get("id")))
    if calendar is None:
        raise not_found()
    return calendar


def _patch(order: Mapping[str, Any]) -> Json:
    return dict(order.get("patch") or {})


def _create_contact(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_writes.create_contact(mailbox, order.get("collection"), _patch(order)).payload


def _update_contact(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    contact = _contact(mailbox, order)
    graph_writes.update_contact(mailbox, contact, _patch(order))
    return contact.payload


def _delete_contact(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    graph_writes.delete_contact(mailbox, _contact(mailbox, order))
    return {}


def _move_contact(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    contact = _contact(mailbox, order)
    graph_writes.move_contact(mailbox, contact, str(order.get("collection")))
    return contact.payload


def _update_photo(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    contact = _contact(mailbox, order)
    try:
        content = base64.b64decode(str(_patch(order).get("data")), validate=True)
    except ValueError:
        raise bad_request("A photo's data is base64.") from None
    graph_writes.set_photo(mailbox, contact, content)
    return contact.payload


def _delete_photo(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    contact = _contact(mailbox, order)
    graph_writes.set_photo(mailbox, contact, None)
    return contact.payload


def _create_folder(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_writes.create_folder(mailbox, order.get("collection"), _patch(order)).payload


def _update_folder(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    folder = _folder(mailbox, order)
    graph_writes.update_folder(mailbox, folder, _patch(order))
    return folder.payload


def _delete_folder(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    graph_writes.delete_folder(mailbox, _folder(mailbox, order).payload["id"])
    return {}


def _create_calendar(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_writes.create_calendar(mailbox, _patch(order)).payload


def _update_calendar(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    calendar = _calendar(mailbox, order)
    graph_writes.update_calendar(mailbox, calendar, _patch(order))
    return calendar.payload


def _delete_calendar(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    graph_writes.delete_calendar(mailbox, _calendar(mailbox, order).payload["id"])
    return {}


def _create_event(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    return graph_event_writes.create_event(mailbox, order.get("collection"), _patch(order)).payload


def _update_event(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    """By the id of an instance only that instance, as a PATCH of it would."""
    event, day = resolve_event(mailbox, str(order.get("id")))
    if day is not None:
        graph_event_writes.change_instance(mailbox, event, day, _patch(order))
        return event.exceptions[day]
    graph_event_writes.update_event(mailbox, event, _patch(order))
    return event.payload


def _delete_event(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    """By the id of an instance only that instance, as a DELETE of it would."""
    event, day = resolve_event(mailbox, str(order.get("id")))
    if day is not None:
        graph_event_writes.cancel_instance(mailbox, event, day)
        return {}
    graph_event_writes.delete_event(mailbox, event)
    return {}


def _move_event(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    event = _event(mailbox, order)
    graph_event_writes.move_event(mailbox, event, str(order.get("collection")))
    return event.payload


def _cancel_instance(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    event = _event(mailbox, order)
    graph_event_writes.cancel_instance(mailbox, event, graph_writes.original_day(str(order.get("instance"))))
    return event.payload


def _change_instance(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    event, day = _event(mailbox, order), graph_writes.original_day(str(order.get("instance")))
    graph_event_writes.change_instance(mailbox, event, day, _patch(order))
    return event.exceptions[day]


def _organizer_cancel_instance(mailbox: Mailbox, order: Mapping[str, Any]) -> Json:
    event, day = _event(mailbox, order), graph_writes.original_day(str(order.get("instance")))
    graph_event_writes.organizer_cancel_instance(mailbox, event, day)
    return event.exceptions[day]


def _load_folder(mailbox: Mailbox, _: str | None, payload: Json) -> None:
    payload.setdefault("parentFolderId", mailbox.default_folder_id)
    mailbox.folders[payload["id"]] = Folder(payload=payload, revision=mailbox.revision)


def _load_contact(mailbox: Mailbox, collection: str | None, payload: Json) -> None:
    home = collection or payload.get("parentFolderId")
    folder = home if home in mailbox.folders else mailbox.default_folder_id
    _versioned(mailbox, "contact", payload)
    mailbox.contacts[payload["id"]] = Contact(payload=payload, folder_id=folder, revision=mailbox.revision)


def _load_calendar(mailbox: Mailbox, _: str | None, payload: Json) -> None:
    mailbox.calendars[payload["id"]] = Calendar(payload=payload, revision=mailbox.revision)


def _load_event(mailbox: Mailbox, collection: str | None, payload: Json) -> None:
    """An exception of a series that is here joins it; any other event stands for itself."""
    if not payload.get("start") or not payload.get("end"):
        raise bad_request("An event to load needs a start and an end.")
    _versioned(mailbox, "event", payload)
    master = mailbox.events.get(str(payload.get("seriesMasterId")))
    if master is not None and payload.get("type") == "exception":
        _join(mailbox, master, payload)
        master.revision = mailbox.revision
        return
    exceptions = payload.pop("exceptionOccurrences", None) or ()
    cancelled = payload.pop("cancelledOccurrences", None) or ()
    event = Event(
        payload=payload,
        calendar_id=collection or mailbox.default_calendar_id,
        cancelled={parts[1] for oid in cancelled if (parts := graph_ids.split_oid(oid))},
        verbatim=True,
        revision=mailbox.revision,
    )
    mailbox.events[payload["id"]] = event
    for exception in exceptions:
        _join(mailbox, event, dict(exception))


def _join(mailbox: Mailbox, master: Event, payload: Json) -> None:
    parts = graph_ids.split_oid(str(payload.get("occurrenceId")))
    day = parts[1] if parts else graph_writes.original_day(payload["start"]["dateTime"])
    master.exceptions[day] = payload
    master.written.clear()
    mailbox.instance_ids[payload["id"]] = (master.id, day)


def _versioned(mailbox: Mailbox, kind: str, payload: Json) -> None:
    key = payload.get("changeKey") or graph_ids.change_key(kind, mailbox.identity.id, mailbox.revision)
    payload.setdefault("@odata.etag", f'W/"{key}"')


_Change = Callable[[Mailbox, Mapping[str, Any]], Json]

_CHANGES: Mapping[tuple[str, str], _Change] = {
    ("contact", "create"): _create_contact,
    ("contact", "update"): _update_contact,
    ("contact", "delete"): _delete_contact,
    ("contact", "move"): _move_contact,
    ("photo", "create"): _update_photo,
    ("photo", "update"): _update_photo,
    ("photo", "delete"): _delete_photo,
    ("folder", "create"): _create_folder,
    ("folder", "update"): _update_folder,
    ("folder", "delete"): _delete_folder,
    ("calendar", "create"): _create_calendar,
    ("calendar", "update"): _update_calendar,
    ("calendar", "delete"): _delete_calendar,
    ("event", "create"): _create_event,
    ("event", "update"): _update_event,
    ("event", "delete"): _delete_event,
    ("event", "move"): _move_event,
    ("event", "cancel_instance"): _cancel_instance,
    ("event", "change_instance"): _change_instance,
    ("event", "organizer_cancel_instance"): _organizer_cancel_instance,
    **graph_todo_control.CHANGES,
}

_LOADERS: Mapping[str, Callable[[Mailbox, str | None, Json], None]] = {
    "folder": _load_folder,
    "contact": _load_contact,
    "calendar": _load_calendar,
    "event": _load_event,
    **graph_todo_control.LOADERS,
}
