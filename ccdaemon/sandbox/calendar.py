"""The Calendar API v3, reading: calendar list, calendars, colours, settings; and the model of the control plane.

Events are in ``calendar_events.py``. Source: providers.md 1.3; calendar.v3 discovery document, revision 20261030.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from ccdaemon.sandbox.calendar_book import Agenda
from ccdaemon.sandbox.calendar_events import Events
from ccdaemon.sandbox.calendar_objects import Calendar
from ccdaemon.sandbox.calendar_paging import HOST, Paging, found_calendar, not_found
from ccdaemon.sandbox.calendar_tables import (
    ACCESS_ROLES,
    CALENDAR_COLOURS,
    CALENDAR_FIELDS,
    CALENDAR_SCOPES,
    COLOUR_SCOPES,
    COLOURS_FIELDS,
    ENTRY_FIELDS,
    ENVELOPE_FIELDS,
    EVENT_COLOURS,
    FOREGROUND,
    LIST_PARAMETERS,
    LIST_SCOPES,
    SETTING_FIELDS,
    SETTING_SCOPES,
    SETTINGS,
    SETTINGS_PARAMETERS,
)
from ccdaemon.sandbox.google_wire import authorised, bad_parameter, dumped, parameters, partial
from ccdaemon.sandbox.wire import Answer, Json, Request, Routes
from ccdaemon.sandbox.world import World

ROOT = "/calendar/v3"


class Calendars:
    """The routes on the agendas of all identities."""

    def __init__(self, world: World, agendas: dict[str, Agenda]) -> None:
        self._world = world
        self._agendas = agendas
        self._paging = Paging(world)
        self._events = Events(world, agendas, self._paging)

    def register(self, routes: Routes) -> None:
        """All of them."""
        for path, action in (
            ("/users/me/calendarList", self.calendar_list),
            ("/users/me/calendarList/{calendar_id}", self.list_entry),
            ("/calendars/{calendar_id}", self.calendar),
            ("/calendars/{calendar_id}/events", self._events.list),
            ("/calendars/{calendar_id}/events/{event_id}", self._events.get),
            ("/calendars/{calendar_id}/events/{event_id}/instances", self._events.instances),
            ("/colors", self.colours),
            ("/users/me/settings", self.settings),
            ("/users/me/settings/{setting}", self.setting),
        ):
            routes.add("GET", HOST, ROOT + path, action)

    def calendar_list(self, request: Request) -> Answer:
        """The list, its changes, or a further page."""
        identity = authorised(request, self._world, LIST_SCOPES)
        asked = parameters(request, LIST_PARAMETERS)
        if "syncToken" in asked:
            if "minAccessRole" in asked:
                raise bad_parameter("minAccessRole", "Sync token cannot be used with minAccessRole.")
            if asked.get("showDeleted") is False or asked.get("showHidden") is False:
                raise bad_parameter("showDeleted", "Deleted and hidden entries are always part of an incremental list.")
        with self._world.lock:
            agenda = self._agendas[identity.id]
            window = self._paging.window(
                owner=identity.id,
                collection="calendarList",
                asked=asked,
                may_differ=frozenset(
                    {"maxResults", "pageToken", "syncToken", "showDeleted", "showHidden", "minAccessRole"}
                ),
                revision=agenda.revision,
                everything=lambda: [calendar.id for calendar in _listed(agenda, asked)],
                changes=lambda since: _changed(agenda, since),
                gives_token="minAccessRole" not in asked,
                default_size=100,
                largest_size=250,
            )
            items = [agenda.calendars[calendar_id].resource() for calendar_id in window.ids]
        etag = hashlib.sha256(f"{identity.id}{agenda.revision}".encode()).hexdigest()[:16]
        payload = {"kind": "calendar#calendarList", "etag": f'"p{etag}"', **window.tail, "items": items}
        return partial(request, dumped(payload), ENVELOPE_FIELDS)

    def list_entry(self, request: Request, calendar_id: str) -> Answer:
        """One entry of the list."""
        identity = authorised(request, self._world, LIST_SCOPES)
        parameters(request, {})
        with self._world.lock:
            calendar = found_calendar(self._agendas[identity.id], calendar_id)
            return partial(request, dumped(calendar.resource()), ENTRY_FIELDS)

    def calendar(self, request: Request, calendar_id: str) -> Answer:
        """What all who see a calendar share."""
        identity = authorised(request, self._world, CALENDAR_SCOPES)
        parameters(request, {})
        with self._world.lock:
            calendar = found_calendar(self._agendas[identity.id], calendar_id)
            shared = {name: value for name, value in calendar.entry.items() if name in CALENDAR_FIELDS}
            payload = {"kind": "calendar#calendar", "etag": calendar.etag, **shared}
        return partial(request, dumped(payload), CALENDAR_FIELDS)

    def colours(self, request: Request) -> Answer:
        """The palettes behind ``colorId``."""
        authorised(request, self._world, COLOUR_SCOPES)
        parameters(request, {})
        payload: Json = {"kind": "calendar#colors", "updated": "2012-02-14T00:00:00.000Z"}
        payload |= {"calendar": _palette(CALENDAR_COLOURS), "event": _palette(EVENT_COLOURS)}
        return partial(request, dumped(payload), COLOURS_FIELDS)

    def settings(self, request: Request) -> Answer:
        """All settings on one page; nothing ever changes here."""
        identity = authorised(request, self._world, SETTING_SCOPES)
        asked = parameters(request, SETTINGS_PARAMETERS)
        with self._world.lock:
            window = self._paging.window(
                owner=identity.id,
                collection="settings",
                asked=asked,
                may_differ=frozenset({"maxResults", "pageToken", "syncToken"}),
                revision=0,
                everything=lambda: list(SETTINGS),
                changes=lambda _: [],
                gives_token=True,
                default_size=100,
                largest_size=250,
            )
        items = [_setting(name) for name in window.ids]
        payload = {"kind": "calendar#settings", "etag": '"settings"', **window.tail, "items": items}
        return partial(request, dumped(payload), ENVELOPE_FIELDS)

    def setting(self, request: Request, setting: str) -> Answer:
        """One setting."""
        authorised(request, self._world, SETTING_SCOPES)
        parameters(request, {})
        if setting not in SETTINGS:
            raise not_found()
        return partial(request, dumped(_setting(setting)), SETTING_FIELDS)

    # For the control plane

    def truth(self, identity_id: str) -> Json:
        """The calendar list and, by calendar id, all events that exist and all cancelled occurrences."""
        calendars = [one for one in self._agendas[identity_id].calendars.values() if not one.deleted]
        events = {
            one.id: [event.resource(one.access_role) for event in one.events.values() if not event.deleted]
            for one in calendars
        }
        return {"calendars": [one.resource() for one in calendars], "events": events}

    def mutate(self, identity_id: str, order: Json) -> Json:
        """``kind`` calendar or event. Raises KeyError or ValueError."""
        agenda = self._agendas[identity_id]
        if order["kind"] == "calendar":
            return _mutated_calendar(agenda, order).resource()
        calendar = agenda.calendar(order.get("collection", "primary"))
        return _EVENT_ACTIONS[order["action"]](agenda, calendar, order)

    def load(self, identity_id: str, order: Json) -> Json:
        """Store list entries (``kind`` calendar) or events verbatim."""
        agenda = self._agendas[identity_id]
        for payload in order["objects"]:
            if order["kind"] == "calendar":
                agenda.load_calendar(payload)
            else:
                agenda.load(agenda.calendar(order.get("collection", "primary")), payload)
        return {"loaded": len(order["objects"])}

    def expire_sync_tokens(self) -> None:
        """All of them."""
        self._paging.sync_tokens.expire()


def _listed(agenda: Agenda, asked: dict[str, Any]) -> list[Calendar]:
    weakest = ACCESS_ROLES.index(asked.get("minAccessRole", ACCESS_ROLES[0]))
    return [
        calendar
        for calendar in agenda.calendars.values()
        if (asked.get("showDeleted") or not calendar.deleted)
        and (asked.get("showHidden") or not calendar.entry.get("hidden"))
        and ACCESS_ROLES.index(calendar.access_role) >= weakest
    ]


def _changed(agenda: Agenda, since: int) -> list[str]:
    changed = [calendar for calendar in agenda.calendars.values() if calendar.revision > since]
    return [calendar.id for calendar in sorted(changed, key=lambda calendar: calendar.revision)]


def _palette(backgrounds: tuple[str, ...]) -> Json:
    return {
        str(number): {"background": background, "foreground": FOREGROUND}
        for number, background in enumerate(backgrounds, start=1)
    }


def _setting(name: str) -> Json:
    return {"kind": "calendar#setting", "etag": f'"{name}"', "id": name, "value": SETTINGS[name]}


def _mutated_calendar(agenda: Agenda, order: Json) -> Calendar:
    if order["action"] == "create":
        return agenda.add_calendar(order["patch"])
    calendar = agenda.calendar(order["id"])
    match order["action"]:
        case "update":
            agenda.change_calendar(calendar, order["patch"])
        case "delete":
            agenda.remove_calendar(calendar)
        case action:
            raise ValueError(f"no action {action!r} on a calendar")
    return calendar


def _occurrence_id(agenda: Agenda, calendar: Calendar, order: Json) -> str:
    """The order's ``id`` when it is an occurrence's; for a master its ``instance`` (suffix), else the first one."""
    event = calendar.events.get(order["id"])
    if event is None or event.master_id is not None:
        return str(order["id"])
    return agenda.first_occurrence(calendar, event.id, order.get("instance"))


_EventAction = Callable[[Agenda, Calendar, Json], Json]
_EVENT_ACTIONS: dict[str, _EventAction] = {
    "create": lambda agenda, calendar, order: agenda.insert(calendar, order["patch"]).resource(),
    "update": lambda agenda, calendar, order: agenda.patch(calendar, order["id"], order["patch"]).resource(),
    "delete": lambda agenda, calendar, order: agenda.delete(calendar, order["id"]).resource(),
    "cancel_instance": lambda agenda, calendar, order: agenda.delete(
        calendar, _occurrence_id(agenda, calendar, order)
    ).resource(),
    "change_instance": lambda agenda, calendar, order: agenda.patch(
        calendar, _occurrence_id(agenda, calendar, order), order["patch"]
    ).resource(),
    "split": lambda agenda, calendar, order: agenda.split(
        calendar, order["id"], order.get("instance"), order.get("patch", {})
    ).resource(),
    "move": lambda agenda, calendar, order: agenda.move(
        calendar, order["id"], agenda.calendar(order["destination"])
    ).resource(),
}
