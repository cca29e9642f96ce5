"""The description of a Microsoft event, both ways (trap 33), and the block in it that makes a Teams meeting (trap 34).

Exchange keeps HTML. Whoever removes the block that leads into the online meeting ends the meeting: it stays, whatever
a person does to the text around it. Source: https://learn.microsoft.com/graph/api/event-update
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ccdaemon.mapping.contentline import ContentLine, unescape_text
from ccdaemon.mapping.event_lines import description_lines, html_description_lines
from ccdaemon.mapping.fields import member, text
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.mapping.html_text import text_of_html
from ccdaemon.model import Json

_RULER = re.compile("_{20,}")
"""The line of underscores that begins and ends the block."""

_JOIN_HOSTS = ("teams.microsoft.", "teams.live.com", "meet.lync.com", "join.skype.com")
_OPENINGS = re.compile(r"(?:<(?!(?:html|head|body|br|hr|img|/|!))[a-z][^<>]*>\s*)+$", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(r"\s*</(?!body|html)[a-z][a-z0-9]*\s*>", re.IGNORECASE)
_END_OF_BODY = re.compile(r"</body\s*>", re.IGNORECASE)
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr"})
_MAX_TAGS_BEFORE = 4096  # characters in front of the first ruler in which the tags around it are looked for
_HEAD = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
_TAIL = "</body></html>"


# --- reading ----------------------------------------------------------------------------------------------------------


def description(event: Json) -> Sequence[ContentLine]:
    """The body; its HTML also as it is (trap 33). The preview, cut by Graph, only where no body was asked for."""
    body = member(event, "body")
    content = text(body, "content")
    if _is_html(body):
        return html_description_lines(content, keep_line_ends=False)
    return description_lines(content if "body" in event else text(event, "bodyPreview"))


def _is_html(body: Json) -> bool:
    return text(body, "contentType").lower() == "html"


# --- writing ----------------------------------------------------------------------------------------------------------


def text_members(edit: Edit, theirs: Json) -> Json:
    """``body`` where a person changed the text, or a client that knows X-ALT-DESC its HTML."""
    if edit.changed.isdisjoint({"DESCRIPTION", "X-ALT-DESC"}):
        return {}
    body = member(theirs, "body")
    content = text(body, "content") if _is_html(body) else ""
    block = _meeting_block(content, theirs)
    mine = edit.text("DESCRIPTION")
    html = _html_of(edit)
    if html and _words(_shown(html)) == _words(mine):
        whole = html if block is None or block.html in html else _with_block(html, block)
        return {} if whole == content else {"body": {"contentType": "html", "content": whole}}
    if _trimmed(mine) == _trimmed(edit.base.component.text("DESCRIPTION")):
        return {}
    if block is None:
        return {"body": {"contentType": "text", "content": mine}}
    before, after = _around(mine, block)
    whole = _joined(_as_html(before), block, _as_html(after))
    if _shown(whole) == _shown(content):
        return {}
    return {"body": {"contentType": "html", "content": whole}}


def _html_of(edit: Edit) -> str:
    """X-ALT-DESC of the client, "" where it has none.

    A client that does not know it sends the old one along with a new text: the caller compares the two.
    """
    found = edit.mine.component.first("X-ALT-DESC")
    return "" if found is None else unescape_text(found.value)


def _trimmed(shown: str) -> str:
    return shown.strip("\n")


def _words(shown: str) -> list[str]:
    return shown.split()


def _shown(html: str) -> str:
    return text_of_html(html, keep_line_ends=False)


def _as_html(shown: str) -> str:
    return "<br>\n".join(escape(line, quote=False) for line in shown.strip("\n").split("\n")) if shown.strip() else ""


# --- the block of an online meeting -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """What leads into the meeting."""

    html: str
    shown: str  # as DESCRIPTION has it
    is_closed: bool  # a second ruler ends it; else it goes to the end of the text


def _meeting_block(html: str, event: Json) -> _Block | None:
    """The block in a body, None where there is none."""
    rulers = [match.span() for match in _RULER.finditer(html)]
    if not rulers:
        return None
    begin = _begin(html, rulers[0][0])
    is_closed = len(rulers) > 1
    end = _end(html, begin, rulers[-1][1]) if is_closed else _end_of_body(html, rulers[0][1])
    block = html[begin:end]
    if not _leads_to_a_meeting(block, event):
        return None
    return _Block(html=block, shown=_shown(block), is_closed=is_closed)


def _leads_to_a_meeting(block: str, event: Json) -> bool:
    address = text(member(event, "onlineMeeting"), "joinUrl") or text(event, "onlineMeetingUrl")
    told = bool(address) and (address in block or escape(address) in block)
    return told or any(host in block for host in _JOIN_HOSTS)


def _begin(html: str, ruler: int) -> int:
    """Where the tags begin that were opened just before the ruler."""
    before = html[max(ruler - _MAX_TAGS_BEFORE, 0) : ruler]
    at = max(before.lower().rfind(tag) for tag in ("</", "<br", "<body", "<head", "<html"))
    cut = before.find(">", at) + 1 if at >= 0 else 0
    openings = _OPENINGS.search(before, cut)
    return ruler if openings is None else ruler - len(before) + openings.start()


def _end(html: str, begin: int, ruler: int) -> int:
    """Where everything that the block opened is closed again, right after its last ruler."""
    depth = 0
    for tag in _TAG.finditer(html, begin, ruler):
        if tag[2].lower() not in _VOID:
            depth += -1 if tag[1] else 1
    at = ruler
    while depth > 0 and (closing := _CLOSING.match(html, at)) is not None:
        at, depth = closing.end(), depth - 1
    return at


def _end_of_body(html: str, ruler: int) -> int:
    end = _END_OF_BODY.search(html, ruler)
    return len(html) if end is None else end.start()


def _around(mine: str, block: _Block) -> tuple[str, str]:
    """What a person wrote before and after the block, whose text stands in DESCRIPTION too, perhaps changed."""
    at = mine.find(block.shown)
    if at >= 0:
        return mine[:at], mine[at + len(block.shown) :]
    rulers = [match.span() for match in _RULER.finditer(mine)]
    if not rulers:
        return mine, ""
    return mine[: rulers[0][0]], mine[rulers[-1][1] :] if block.is_closed and len(rulers) > 1 else ""


def _joined(before: str, block: _Block, after: str) -> str:
    """HTML around the block; each part may be empty."""
    parts = (f"<div>{before}</div>\n" if before else "", block.html, f"\n<div>{after}</div>" if after else "")
    return f"{_HEAD}{''.join(parts)}{_TAIL}"


def _with_block(html: str, block: _Block) -> str:
    """A client's HTML that lacks the block, with it at the end."""
    end = _END_OF_BODY.search(html)
    at = len(html) if end is None else end.start()
    return f"{html[:at]}\n{block.html}{html[at:]}"
