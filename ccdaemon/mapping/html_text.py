"""Descriptions that are HTML as the plain text that DESCRIPTION wants.

Our own reader of tags rather than ``html.parser``: an invitation is data from strangers, and that parser takes
quadratic time on unfinished comments and declarations. This one looks at each character once.
"""

import re
from functools import lru_cache
from html import unescape

_TAGS = "a|b|i|u|s|p|br|hr|em|ul|ol|li|tr|td|th|h[1-6]|div|pre|img|code|html|body|span|font|table|strong|blockquote"
_HTML = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>|&(?:amp|lt|gt|quot|nbsp|#39|#x27);", re.IGNORECASE)
_TAG_NAME = re.compile(r"/?([a-z][a-z0-9]*)")
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SPACES = re.compile("[ \t\r\n\f]+")
_BLANK_LINES = re.compile("\n{3,}")
_MAX_NAME = 32  # characters of a tag, its slash included; no name that means anything has half of them
_MAX_TAG = 8192  # characters of a tag in which an address is looked for

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "li", "main", "nav", "ol", "pre", "section", "table", "tbody", "td", "th", "thead",
    "tr", "ul",
})  # fmt: skip
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"head", "script", "style", "title", "template"})


_HEAD = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
"""How Exchange begins nearly every text; it shows nothing and leaves nothing open."""


def is_html(text: str) -> bool:
    """Whether a text that may be either holds a tag or an entity that people do not type by accident."""
    return ("<" in text or "&" in text) and _HTML.search(text) is not None


def text_of_html(html: str, *, keep_line_ends: bool) -> str:
    """What a browser would show of ``html``, as lines; links as ``text <address>``, "" when nothing is to be seen.

    ``keep_line_ends``: a line end in the source is one in the text (Google), not a blank (HTML).
    """
    page = _Page(keep_line_ends)
    at = len(_HEAD) if html.startswith(_HEAD) else 0
    while (opening := html.find("<", at)) >= 0:
        page.text(html[at:opening])
        if html.startswith("<!--", opening):
            end = html.find("-->", opening + 4)
            at = len(html) if end < 0 else end + 3
            continue
        following = html[opening + 1 : opening + 2]
        if not (following.isalpha() or (following and following in "/!?")):  # "1 < 2"
            page.text("<")
            at = opening + 1
            continue
        closing = html.find(">", opening)
        if closing < 0:
            page.text(html[opening:])
            at = len(html)
            break
        page.tag(html[opening + 1 : min(closing, opening + 1 + _MAX_TAG)])
        at = closing + 1
    page.text(html[at:])
    return page.finished()


@lru_cache(maxsize=1024)
def _named(tag: str) -> tuple[str, bool]:
    """The name of a tag, "" without, and whether the tag closes; the same few stand in every page."""
    match = _TAG_NAME.match(tag.lower())
    return ("", False) if match is None else (match[1], tag.startswith("/"))


class _Page:
    """The text so far, and what must come before the next word of it."""

    def __init__(self, keep_line_ends: bool) -> None:
        self._keep_line_ends = keep_line_ends
        self._parts: list[str] = []
        self._line_ends = 0  # owed before the next word
        self._space = False  # owed before the next word, unless a line begins there
        self._unseen: str | None = None  # the element whose content nobody sees
        self._link: tuple[str, int] | None = None  # address and where its text begins in _parts; links do not nest

    def text(self, source: str) -> None:
        if not source or self._unseen is not None:
            return
        text = unescape(source).replace("\xa0", " ")
        first, *more = text.replace("\r\n", "\n").split("\n") if self._keep_line_ends else [text]
        self._words(first)
        for line in more:
            self._line_ends += 1
            self._words(line)

    def _words(self, text: str) -> None:
        words = text if text.isprintable() and "  " not in text else _SPACES.sub(" ", text)
        if words[:1] == " ":
            self._space = True
        stripped = words.strip(" ")
        if stripped:
            self._write(stripped)
            self._space = words.endswith(" ")

    def _write(self, words: str) -> None:
        if self._line_ends and self._parts:
            self._parts.append("\n" * self._line_ends)
        elif self._space and self._parts:
            self._parts.append(" ")
        self._line_ends, self._space = 0, False
        self._parts.append(words)

    def tag(self, tag: str) -> None:
        name, closes = _named(tag[:_MAX_NAME])
        if not name:
            return
        if name in _UNSEEN:
            if not closes and self._unseen is None and not tag.endswith("/"):
                self._unseen = name
            elif closes and self._unseen == name:
                self._unseen = None
        elif name == "body":
            self._unseen = None
        elif self._unseen is None:
            self._visible(name, closes, tag)

    def _visible(self, name: str, closes: bool, tag: str) -> None:
        if name == "br":
            self._line_ends += 1
        elif name == "p":
            self._line_ends = max(self._line_ends, 2)
        elif name in _CELLS:
            self._space = True
        elif name == "hr":
            self._line_ends = max(self._line_ends, 1)
            self._write("----------")
            self._line_ends = 1
        elif name in _BLOCKS:
            self._line_ends = max(self._line_ends, 1)
            if name == "li" and not closes:
                self._write("-")
                self._space = True
        elif name == "a":
            self._anchor(closes, tag)

    def _anchor(self, closes: bool, tag: str) -> None:
        if not closes:
            match = _HREF.search(tag)
            address = "" if match is None else unescape(match[1] or match[2] or match[3] or "").strip()
            self._link = address, len(self._parts)
        elif self._link is not None:
            (address, begin), self._link = self._link, None
            shown = "".join(self._parts[begin:]).strip()
            if address and not address.startswith("#") and shown not in (address, address.removeprefix("mailto:")):
                self._space = True
                self._write(f"<{address}>" if shown else address)

    def finished(self) -> str:
        lines = (line.rstrip() for line in "".join(self._parts).split("\n"))
        return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
