"""Hash of what a vCard or iCalendar body means, for the decision which side has changed.

Two bodies that differ only in what software rewrites on its own give the same fingerprint: the order of properties,
components and parameters; folding and line ends; the case of names; quotes around parameter values; DTSTAMP, PRODID,
REV, LAST-MODIFIED and our witness (merge.py); the wording of a VTIMEZONE, of which only its TZID counts, where it is
used.
"""

from hashlib import sha256

from ccdaemon.mapping.merge import WITNESS
from ccdaemon.model import Fingerprint

_IGNORED = frozenset({"DTSTAMP", "PRODID", "REV", "LAST-MODIFIED", WITNESS})
_UNORDERED = frozenset({"TYPE", "FEATURE"})  # parameters whose values are a set of case-insensitive words


def fingerprint(body: str) -> Fingerprint:
    """The fingerprint of any text; what is no sound body is hashed line by line and never raises."""
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    body = body.removeprefix("\ufeff").replace("\n ", "").replace("\n\t", "")
    open_components: list[list[str]] = [[]]
    for line in body.split("\n"):
        if not line:
            continue
        head, colon, value = line.partition(":")
        if ";" not in head:
            name = head.upper()
            if name == "BEGIN":
                open_components.append([f"BEGIN:{value.upper()}"])
            elif name == "END" and len(open_components) > 1:
                _close(open_components)
            elif name not in _IGNORED:
                open_components[-1].append(f"{name}{colon}{value}")
        elif (meaning := _with_parameters(line)) is not None:
            open_components[-1].append(meaning)
    while len(open_components) > 1:  # a body that was cut
        _close(open_components)
    meaning = "\n".join(sorted(open_components[0]))
    return Fingerprint(sha256(meaning.encode("utf-8", "surrogatepass")).hexdigest())


def _close(open_components: list[list[str]]) -> None:
    """Fold the innermost component into its parent as one sortable string. No line of it holds a line end."""
    begin, *lines = open_components.pop()
    if begin != "BEGIN:VTIMEZONE":
        lines.sort()
        open_components[-1].append("\n".join((begin, *lines, "END")))


def _with_parameters(line: str) -> str | None:
    """A line with its parameters in one order and spelling; None when it does not count."""
    head, quoted, rest = line.partition('"')
    if not quoted or ":" in head or ";" not in head:  # the usual case: no parameter is quoted
        head, colon, value = line.partition(":")
        name, *params = head.split(";")
    else:
        name, *params = head.split(";")
        value, colon = _unquoted(params, rest)
    name = name.upper()
    if name in _IGNORED:
        return None
    return ";".join((name, *sorted(meaning for param in params for meaning in _parameter(param)))) + colon + value


def _unquoted(params: list[str], rest: str) -> tuple[str, str]:
    """Complete ``params``, of which the last was cut at its opening quote; returns the value and the colon before it.

    A separator inside quotes is kept apart from a real one by a control character, which no clean body contains.
    """
    inside = True
    while True:
        piece, quote, rest = rest.partition('"')
        if inside:
            params[-1] += piece.translate(_PROTECTED)
        else:
            outside, colon, value = piece.partition(":")
            first, *more = outside.split(";")
            params[-1] += first
            params.extend(more)
            if colon:
                return value + quote + rest, colon
        if not quote:  # no value at all
            return "", ""
        inside = not inside


_PROTECTED = str.maketrans({",": "\x01", ";": "\x02", ":": "\x03"})


def _parameter(param: str) -> list[str]:
    """A parameter in one spelling; ``TYPE=home,work`` is ``TYPE=home;TYPE=work``."""
    name, equals, value = param.partition("=")
    name = name.upper()
    if name in _UNORDERED:
        return [f"{name}{equals}{word}" for word in value.upper().split(",")]
    return [f"{name}{equals}{value}"]
