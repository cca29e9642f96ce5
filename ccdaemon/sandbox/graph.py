"""The imitation of Microsoft Graph v1.0: which routes it has, who may use them, and what a test can see and do.

Specification: ``../shared/design/providers.md`` sections 2, 4, 6, 7, 8. Reading only; write routes have their own
issue, their functions (``graph_writes``, ``graph_event_writes``) already serve the control plane.
"""

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from ccdaemon.sandbox import graph_account, graph_calendar, graph_contacts, graph_control, graph_todo
from ccdaemon.sandbox.graph_access import Gate, authenticated, demand
from ccdaemon.sandbox.graph_batch import run_batch
from ccdaemon.sandbox.graph_delta import Deltas, Tokens
from ccdaemon.sandbox.graph_mailbox import Mailbox
from ccdaemon.sandbox.graph_population import populated
from ccdaemon.sandbox.graph_protocol import HOST, Call, GraphError, Preferences
from ccdaemon.sandbox.wire import Action, Answer, Json, Refusal, Request, Routes
from ccdaemon.sandbox.world import Identity, World

BASE = "/v1.0"
A_TASK = "/me/todo/lists/{list_id}/tasks/{task_id}"
SERVED = {"OData-Version": "4.0", "Cache-Control": "private", "Strict-Transport-Security": "max-age=31536000"}

Reading = Callable[..., Answer]
"""``reading(call, **path_variables)``."""


class GraphModel:
    """Everything behind graph.microsoft.com."""

    def __init__(self, world: World, routes: Routes) -> None:
        self.world = world
        self.routes = routes
        self.tokens = Tokens(world.seed)
        self._gate = Gate()
        self._mailboxes: dict[str, Mailbox] = {}
        self._chance = world.chance("graph", "requests")
        self._anchor = date(world.clock.now().year, 1, 1)  # around which a mailbox' life is arranged

    def truth(self, identity_id: str) -> Json:
        """Everything that exists in a mailbox; see ``graph_control.truth``. Do not change what you get."""
        with self.world.lock:
            return graph_control.truth(self._mailbox_of(identity_id))

    def mutate(self, identity_id: str, order: Json) -> Json:
        """Carry out one order; returns the object after it, {} when it is gone. Raises Refusal in Graph's words.

        ``kind``: contact, photo, folder, calendar, event, tasklist, task, checklistitem, linkedresource (of ``task``).
        ``action``: create, update, delete, move (contact, event, task: to ``collection``), cancel_instance,
        change_instance, organizer_cancel_instance (``instance``: the original day). ``patch``: properties by Graph's
        names; a photo's is ``{"data": base64}``.
        """
        return self._controlled(lambda: graph_control.mutate(self._mailbox_of(identity_id), order))

    def load(self, identity_id: str, order: Json) -> Json:
        """Put payloads in verbatim: ``kind``, ``collection`` (None: the default one), ``objects``. Raises Refusal."""
        return self._controlled(lambda: graph_control.load(self._mailbox_of(identity_id), order))

    def expire(self, what: str) -> None:
        """Make all "sync_tokens" that were given out run out. Raises ValueError for anything else."""
        if what != "sync_tokens":
            raise ValueError(f"nothing called {what!r} can expire here")
        with self.world.lock:
            self.tokens.expire()

    def mailbox(self, identity: Identity) -> Mailbox:
        """The mailbox of somebody, filled when it is first looked at. Hold the world's lock."""
        if identity.id not in self._mailboxes:
            self._mailboxes[identity.id] = populated(self.world, identity, self._anchor)
        return self._mailboxes[identity.id]

    def reading(self, scope: str, read: Reading) -> Action:
        """An action that serves one mailbox to whoever has the scope."""

        def action(request: Request, **variables: str) -> Answer:
            def answer() -> Answer:
                identity, scopes = authenticated(self.world, request)
                demand(scopes, scope)
                prefer = Preferences.of(request.headers.get("prefer", ""))
                with self._gate.entered(identity.id), self.world.lock:
                    call = Call(request=request, identity=identity, mailbox=self.mailbox(identity), prefer=prefer)
                    return read(call, **variables)

            return self._answered(request, answer)

        return action

    def batch(self, request: Request) -> Answer:
        """``POST /$batch``; the parts are authorised and counted one by one, the batch itself only authenticated."""

        def answer() -> Answer:
            authenticated(self.world, request)
            return run_batch(self.routes, request, self._chance)

        return self._answered(request, answer)

    def _answered(self, request: Request, answer: Callable[[], Answer]) -> Answer:
        request_id = self._request_id()
        try:
            given = answer()
        except GraphError as error:
            return self._refused(request, request_id, error)
        return Answer(given.status, given.body, {**SERVED, **_ids(request, request_id), **given.headers})

    def _refused(self, request: Request, request_id: str, error: GraphError) -> Answer:
        ids = _ids(request, request_id)
        inner = {"date": f"{self.world.clock.now():%Y-%m-%dT%H:%M:%S}", **ids}
        body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        return Answer.of_json(error.status, body, {"Content-Type": "application/json", **ids, **error.headers})

    def _request_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _mailbox_of(self, identity_id: str) -> Mailbox:
        return self.mailbox(self.world.identities[identity_id])

    def _controlled(self, change: Callable[[], Json]) -> Json:
        try:
            with self.world.lock:
                return change()
        except GraphError as error:
            body: dict[str, Any] = {"error": {"code": error.code, "message": error.message}}
            raise Refusal(Answer.of_json(error.status, body)) from error


def register(routes: Routes, world: World) -> GraphModel:
    """Add every route of graph.microsoft.com; mailboxes fill themselves when they are first asked for."""
    model = GraphModel(world, routes)
    deltas = Deltas(model.tokens)
    for scope, path, read in (
        ("User.Read", "/me", graph_account.get_me),
        ("MailboxSettings.Read", "/me/mailboxSettings", graph_account.get_mailbox_settings),
        ("MailboxSettings.Read", "/me/mailboxSettings/timeZone", graph_account.get_mailbox_zone),
        ("User.Read", "/me/outlook/supportedTimeZones", graph_account.get_supported_zones),
        ("User.Read", "/me/outlook/supportedTimeZones({standard})", graph_account.get_supported_zones),
        ("Files.Read", "/me/drive", graph_account.get_drive),
        ("Contacts.Read", "/me/contactFolders", graph_contacts.list_folders),
        ("Contacts.Read", "/me/contactFolders/delta", deltas.folders),
        ("Contacts.Read", "/me/contactFolders/{folder_id}", graph_contacts.get_folder),
        ("Contacts.Read", "/me/contactFolders/{folder_id}/childFolders", graph_contacts.list_folders),
        ("Contacts.Read", "/me/contactFolders/{folder_id}/contacts", graph_contacts.list_contacts),
        ("Contacts.Read", "/me/contactFolders/{folder_id}/contacts/delta", deltas.contacts),
        ("Contacts.Read", "/me/contactFolders/{folder_id}/contacts/{contact_id}", graph_contacts.get_contact),
        (
            "Contacts.Read",
            "/me/contactFolders/{folder_id}/contacts/{contact_id}/photo/$value",
            graph_contacts.get_photo,
        ),
        ("Contacts.Read", "/me/contacts", graph_contacts.list_contacts),
        ("Contacts.Read", "/me/contacts/delta", deltas.contacts),
        ("Contacts.Read", "/me/contacts/{contact_id}", graph_contacts.get_contact),
        ("Contacts.Read", "/me/contacts/{contact_id}/photo/$value", graph_contacts.get_photo),
        ("Calendars.Read", "/me/calendars", graph_calendar.list_calendars),
        ("Calendars.Read", "/me/calendars/{calendar_id}", graph_calendar.get_calendar),
        ("Calendars.Read", "/me/calendars/{calendar_id}/events", graph_calendar.list_events),
        ("Calendars.Read", "/me/calendars/{calendar_id}/events/{event_id}", graph_calendar.get_event),
        ("Calendars.Read", "/me/calendars/{calendar_id}/calendarView", graph_calendar.calendar_view),
        ("Calendars.Read", "/me/calendars/{calendar_id}/calendarView/delta", deltas.calendar_view),
        ("Calendars.Read", "/me/calendar", graph_calendar.get_calendar),
        ("Calendars.Read", "/me/calendar/events", graph_calendar.list_events),
        ("Calendars.Read", "/me/calendar/calendarView", graph_calendar.calendar_view),
        ("Calendars.Read", "/me/calendarView", graph_calendar.calendar_view),
        ("Calendars.Read", "/me/calendarView/delta", deltas.calendar_view),
        ("Calendars.Read", "/me/events", graph_calendar.list_events),
        ("Calendars.Read", "/me/events/{event_id}", graph_calendar.get_event),
        ("Calendars.Read", "/me/events/{event_id}/instances", graph_calendar.list_instances),
        ("Tasks.Read", "/me/todo/lists", graph_todo.list_lists),
        ("Tasks.ReadWrite", "/me/todo/lists/delta", deltas.todo_lists),  # documented: reading alone is not enough
        ("Tasks.Read", "/me/todo/lists/{list_id}", graph_todo.get_list),
        ("Tasks.Read", "/me/todo/lists/{list_id}/tasks", graph_todo.list_tasks),
        ("Tasks.Read", "/me/todo/lists/{list_id}/tasks/delta", deltas.todo_tasks),
        ("Tasks.Read", A_TASK, graph_todo.get_task),
        ("Tasks.Read", f"{A_TASK}/checklistItems", graph_todo.list_checklist),
        ("Tasks.Read", f"{A_TASK}/checklistItems/{{part_id}}", graph_todo.get_checklist_item),
        ("Tasks.Read", f"{A_TASK}/linkedResources", graph_todo.list_linked),
        ("Tasks.Read", f"{A_TASK}/linkedResources/{{part_id}}", graph_todo.get_linked),
    ):
        routes.add("GET", HOST, BASE + path, model.reading(scope, read))
    routes.add("POST", HOST, f"{BASE}/$batch", model.batch)
    return model


def _ids(request: Request, request_id: str) -> dict[str, str]:
    return {"request-id": request_id, "client-request-id": request.headers.get("client-request-id", request_id)}
