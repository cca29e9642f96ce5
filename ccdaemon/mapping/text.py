"""Text and JSON as they cross the border from a provider: the same value goes into SQLite, PostgreSQL and XML.

PostgreSQL refuses NUL, UTF-8 has no lone surrogates, XML 1.0 (hence every DAV answer) has no control character but
TAB, LF and CR, and a stray line separator ends a line in some readers. All that is settled here, once, on the way in.
"""

import re
from typing import Any

from ccdaemon.errors import BadAnswer
from ccdaemon.model import Json

MAX_DEPTH = 64
"""Deepest nesting of a payload. The deepest documented object of either provider has 7 levels."""

MAX_TEXT = 4 * 1024 * 1024
"""Longest text of a payload, in characters. No provider keeps notes of a tenth of that."""

# All of these are "not printable" to str, so text that is printable holds none of them: the fast path below.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_CONTAINERS = frozenset({dict, list})
_ESCAPED = re.compile(r"\\[bfru]")  # as model.COMPACT writes most of them
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Every line end as LF; lone surrogates as U+FFFD; no other control character but TAB, no U+FFFE or U+FFFF.

    Nothing else changes: no trimming, no Unicode normalisation. ``clean(clean(x)) == clean(x)``.
    """
    if text.isprintable() or _UNWANTED.search(text) is None:
        return text
    text = _LINE_END.sub("\n", text)
    text = _SURROGATE.sub("\ufffd", text)
    return _UNWANTED.sub("", text)


def clean_json(payload: Json) -> Json:
    """The payload with every string and key clean; the very same object where nothing had to change.

    NaN and the infinities, which Python reads but JSON does not know, become null. Raises BadAnswer when it is nested
    deeper than ``MAX_DEPTH``, or holds a text longer than ``MAX_TEXT``.
    """
    return payload if _is_clean(payload) else _clean_object(payload, MAX_DEPTH)


def cleaned(written: str) -> str | None:
    """An object, as ``model.COMPACT`` writes it, as it is once ``clean_json`` has done its work: mostly the very same
    text, or one in which only the line ends differ. None where that cannot be told at one look.
    """
    if "\\r" in written and "\\\\" not in written:  # without an escaped backslash no other text looks like these
        written = written.replace("\\r\\n", "\\n").replace("\\r", "\\n")
    is_clean = (
        len(written) <= MAX_TEXT
        and written.count("{") + written.count("[") <= MAX_DEPTH
        and (written.isprintable() or _UNWANTED.search(written) is None)
        and _ESCAPED.search(written) is None
    )
    return written if is_clean else None


def _is_clean(payload: Json) -> bool:
    """Whether one look at all texts together shows that nothing has to change, as of nearly all payloads."""
    texts: list[str] = []
    level: list[Any] = [payload]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for container in level:
            values = container
            if type(container) is dict:
                texts += container
                values = container.values()
            for value in values:
                kind = type(value)
                if kind is str:
                    texts.append(value)
                elif kind in _CONTAINERS:
                    deeper.append(value)
                elif kind is float and value - value != 0.0:
                    return False
        if not deeper:
            together = "".join(texts)
            return len(together) <= MAX_TEXT and (together.isprintable() or _UNWANTED.search(together) is None)
        level = deeper
    return False


def _clean_object(source: Json, depth: int) -> Json:
    """A copy is made at the first member that changes, never before."""
    if depth == 0:
        raise BadAnswer(f"a payload is nested deeper than {MAX_DEPTH} levels")
    changed: Json | None = None
    for key, value in source.items():
        new_key, new_value = clean(key), _clean_value(value, depth - 1)
        if changed is None and (new_key is not key or new_value is not value):
            changed = {}
            for earlier in source:
                if earlier is key:
                    break
                changed[earlier] = source[earlier]
        if changed is not None:
            changed[new_key] = new_value
    return source if changed is None else changed


def _clean_list(source: list[object], depth: int) -> list[object]:
    if depth == 0:
        raise BadAnswer(f"a payload is nested deeper than {MAX_DEPTH} levels")
    values = [_clean_value(value, depth - 1) for value in source]
    return source if all(new is old for new, old in zip(values, source, strict=True)) else values


def _clean_value(value: object, depth: int) -> object:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise BadAnswer(f"a payload holds a text of more than {MAX_TEXT} characters")
        return value if value.isprintable() else clean(value)
    if isinstance(value, dict):
        return _clean_object(value, depth)
    if isinstance(value, list):
        return _clean_list(value, depth)
    if isinstance(value, float) and value - value != 0.0:  # NaN and the infinities
        return None
    return value
