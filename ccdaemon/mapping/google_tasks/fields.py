"""What becomes of each member of a Google task, and how its id and its UID stand for each other."""

import re

from ccdaemon.mapping import tasks
from ccdaemon.mapping.coverage import Row, Ways
from ccdaemon.model import ProviderName

_SUFFIX = "@tasks.google.com"
_ID = re.compile(r"[\w-]{1,200}", re.ASCII)


def uid_of(remote_id: str) -> str:
    """The UID of the task with this id."""
    return remote_id + _SUFFIX if _ID.fullmatch(remote_id) else tasks.uid(ProviderName.GOOGLE, remote_id)


def id_of(uid: str) -> str:
    """The id of the task with this UID, "" for a UID that is none of Google's."""
    remote_id = uid.removesuffix(_SUFFIX)
    return remote_id if uid.endswith(_SUFFIX) and _ID.fullmatch(remote_id) else ""


COVERAGE: tuple[Row, ...] = (
    Row(path="kind", property="", ways=Ways.NOISE),
    Row(path="id", property="UID", ways=Ways.READ, note="UID of a task that a client created becomes Google's"),
    Row(path="etag", property="", ways=Ways.NOISE),
    Row(path="selfLink", property="", ways=Ways.NOISE),
    Row(path="title", property="SUMMARY", ways=Ways.BOTH, note="at most 1,024 characters at Google"),
    Row(path="notes", property="DESCRIPTION", ways=Ways.BOTH, note="at most 8,192 characters at Google"),
    Row(path="due", property="DUE", ways=Ways.BOTH, note="a day; a time of day that a client sets stays with ccdaemon"),
    Row(path="status", property="STATUS, PERCENT-COMPLETE", ways=Ways.BOTH, note="open or completed, nothing between"),
    Row(path="completed", property="COMPLETED", ways=Ways.BOTH),
    Row(path="updated", property="DTSTAMP, LAST-MODIFIED", ways=Ways.READ),
    Row(path="parent", property="RELATED-TO", ways=Ways.BOTH, note="written as a move below another task of the list"),
    Row(
        path="position",
        property="X-APPLE-SORT-ORDER, X-GOOGLE-POSITION",
        ways=Ways.READ,
        note="X-GOOGLE-POSITION where it is no number; a new order is not written back",
    ),
    Row(path="hidden", property="X-GOOGLE-HIDDEN", ways=Ways.READ, note="set by clearing completed tasks"),
    Row(path="deleted", property="", ways=Ways.NOISE, note="a deleted task leaves the collection"),
    Row(path="webViewLink", property="URL", ways=Ways.READ),
    Row(path="links", property="ATTACH", ways=Ways.READ, note="one that is no URI is left out"),
    Row(path="links[].type", property="ATTACH", ways=Ways.READ, note="parameter X-GOOGLE-LINK-TYPE"),
    Row(path="links[].description", property="ATTACH", ways=Ways.READ, note="parameter FILENAME"),
    Row(path="links[].link", property="ATTACH", ways=Ways.READ),
    Row(path="assignmentInfo", property="X-GOOGLE-ASSIGNED-FROM", ways=Ways.READ),
    Row(path="assignmentInfo.linkToTask", property="X-GOOGLE-ASSIGNED-FROM", ways=Ways.READ),
    Row(
        path="assignmentInfo.surfaceType",
        property="X-GOOGLE-ASSIGNED-FROM",
        ways=Ways.READ,
        note="parameter X-SURFACE",
    ),
    Row(
        path="assignmentInfo.driveResourceInfo.driveFileId",
        property="X-GOOGLE-ASSIGNED-FROM",
        ways=Ways.READ,
        note="parameter X-FILE",
    ),
    Row(
        path="assignmentInfo.driveResourceInfo.resourceKey",
        property="",
        ways=Ways.KEPT,
        note="opens the document for whoever has it, so no client gets it",
    ),
    Row(
        path="assignmentInfo.spaceInfo.space",
        property="X-GOOGLE-ASSIGNED-FROM",
        ways=Ways.READ,
        note="parameter X-SPACE",
    ),
)
"""Every member of ``Task`` in the discovery document tasks v1."""
