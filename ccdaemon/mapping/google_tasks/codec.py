"""Google tasks as iCalendar bodies. Fields: discovery document tasks v1, ``Task``.

A task is a group of its own: a subtask names its parent by UID, as RELATED-TO. The UID holds the id that Google gave,
since a client that moves a task below another one names that one by its UID, and only Google's id can be sent.
"""

import re
from collections.abc import Iterator, Sequence

from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec, tasks
from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.event_lines import description_lines, stamp_line, text_line, uri, uri_line
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.fingerprint import fingerprint
from ccdaemon.mapping.google_tasks import writes as google_task_writes
from ccdaemon.mapping.google_tasks.fields import uid_of
from ccdaemon.mapping.moments import moment_line, parse_rfc3339, stamp
from ccdaemon.model import BodyIndex, Fingerprint, Json, Original, Write

_SURFACES = {"GMAIL", "DOCUMENT", "SPACE"}
_POSITION = re.compile(r"0*(\d{1,18})", re.ASCII)  # twenty digits as a rule; more than eighteen may not fit a client


class GoogleTaskCodec(Codec):
    """The Codec of Google task lists."""

    version = 1

    def group_id(self, payload: Json) -> str:
        """The task's own id."""
        found = text(payload, "id")
        if not found:
            raise Unmappable("id: missing")
        return found

    def photo_key(self, payload: Json) -> str | None:  # noqa: ARG002
        """None: tasks have no photo."""
        return None

    def to_body(self, group: Sequence[Original]) -> str | None:
        """The task; None when it is gone."""
        found = tasks.task_of(group)
        if found is None or found.payload.get("deleted") is True:
            return None
        task = found.payload
        return tasks.calendar(
            uid=uid_of(self.group_id(task)),
            stamp=stamp(text(task, "updated"), "updated"),
            lines=(*_texts(task), *_progress(task), *_place(task), *_links(task)),
        )

    def to_writes(
        self, body: str | None, group: Sequence[Original], *, knows: frozenset[str] = frozenset()
    ) -> Sequence[Write]:
        """See google_tasks/writes.py."""
        return google_task_writes.writes(body, self.to_body(group), tasks.task_of(group), knows)

    def unheld(self, body: str, group: Sequence[Original]) -> Sequence[str]:
        """See google_tasks/writes.py."""
        return google_task_writes.unheld(body, self.to_body(group))

    def fingerprint(self, body: str) -> Fingerprint:
        """See mapping/fingerprint.py."""
        return fingerprint(body)

    def index(self, body: str) -> BodyIndex:
        """See mapping/tasks.py."""
        return tasks.index(body)


def _texts(task: Json) -> Iterator[ContentLine]:
    yield from text_line("SUMMARY", text(task, "title"))
    yield from description_lines(text(task, "notes"))


def _progress(task: Json) -> Iterator[ContentLine]:
    """``due`` is a day, written as its midnight in UTC (trap 53): never converted."""
    if due := text(task, "due"):
        moment = parse_rfc3339(due[:10], "due")
        yield moment_line("DUE", moment)
    is_done = text(task, "status") == "completed"
    completed = stamp(text(task, "completed"), "completed") if is_done else None
    yield from tasks.state_lines("COMPLETED" if is_done else "NEEDS-ACTION", completed)
    yield from stamp_line("LAST-MODIFIED", stamp(text(task, "updated"), "updated"))


def _place(task: Json) -> Iterator[ContentLine]:
    """Where the task stands: below which one, and in which order. Apple's property is what Nextcloud and Tasks read."""
    if parent := text(task, "parent"):
        yield line("RELATED-TO", escape_text(uid_of(parent)), RELTYPE="PARENT")
    position = text(task, "position")
    number = _POSITION.fullmatch(position)
    if number is not None:
        yield line("X-APPLE-SORT-ORDER", number[1])
    else:
        yield from text_line("X-GOOGLE-POSITION", position)
    if task.get("hidden") is True:
        yield line("X-GOOGLE-HIDDEN", "TRUE")


def _links(task: Json) -> Iterator[ContentLine]:
    """The task's own page, what it was made from (a mail, a chat message), and where it was assigned."""
    yield from uri_line("URL", text(task, "webViewLink"))
    for one in objects(task, "links"):
        if address := uri(text(one, "link")):
            yield line(
                "ATTACH",
                address,
                FILENAME=text(one, "description") or None,
                X_GOOGLE_LINK_TYPE=text(one, "type") or None,
            )
    assignment = member(task, "assignmentInfo")
    surface = text(assignment, "surfaceType")
    address = uri(text(assignment, "linkToTask"))
    if address or surface in _SURFACES:
        yield line(
            "X-GOOGLE-ASSIGNED-FROM",
            address,
            X_SURFACE=surface if surface in _SURFACES else None,
            X_FILE=text(member(assignment, "driveResourceInfo"), "driveFileId") or None,
            X_SPACE=text(member(assignment, "spaceInfo"), "space") or None,
        )
