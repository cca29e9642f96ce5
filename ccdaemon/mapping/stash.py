"""Content lines for which a provider has no place of their own, kept in the slot that it gives to applications.

What a client wrote beyond a provider's fields (a fourth mail address at Microsoft, a second alarm, an X- property of
the client's own) goes there whole and comes back from there into the body, also on another machine. Lines of whole
components (VALARM) stand with their BEGIN and END.
"""

from collections.abc import Sequence

from ccdaemon.errors import BadData
from ccdaemon.mapping.contentline import ContentLine, parse, serialise
from ccdaemon.mapping.fields import objects, text
from ccdaemon.model import Json

MAX_LENGTH = 8000
"""Characters of a packed stash. A longer one is not written: the providers' slots hold some 32 kB for everybody."""

UID_KEY, STASH_KEY = "ccdaemon-uid", "ccdaemon-stash"

_GRAPH_NAMESPACE = "66f5a359-4659-4830-9070-00047ec6ac6e"  # PSETID of named properties; a name of ours inside it


def pack(lines: Sequence[ContentLine]) -> str:
    """The lines as one text, unfolded, each ended by LF."""
    return serialise(lines).replace("\r\n ", "").replace("\r\n", "\n")


def unpack(packed: str) -> list[ContentLine]:
    """The lines of a packed stash. Anybody may write into its place: what is no content line is left out."""
    lines: list[ContentLine] = []
    for raw in packed.split("\n"):
        try:
            lines += parse(raw)
        except BadData:
            continue
    return lines


def is_group_mark(one: ContentLine) -> bool:
    """Whether a line makes its card a list of others: never stashed, and it would stop every write of the contact."""
    return one.key in ("KIND", "X-ADDRESSBOOKSERVER-KIND") and one.value.strip().lower() == "group"


def graph_id(key: str) -> str:
    """The id of one of our single-value extended properties at Microsoft, as ``$filter`` and payloads name it."""
    return f"String {{{_GRAPH_NAMESPACE}}} Name {key}"


def graph_value(payload: Json, key: str) -> str:
    """The value of one of ours in a Graph payload, "" where it was not asked for or is not set."""
    if "singleValueExtendedProperties" not in payload:
        return ""
    wanted = graph_id(key).casefold()
    found = objects(payload, "singleValueExtendedProperties")
    return next((text(one, "value") for one in found if text(one, "id").casefold() == wanted), "")


def graph_property(key: str, value: str) -> Json:
    """One of ours as a Graph payload holds it."""
    return {"id": graph_id(key), "value": value}
