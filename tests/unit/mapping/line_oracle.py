"""A reader of content lines written for the tests alone, from RFC 6350 and RFC 6868. It shares no code with ours."""

from typing import NamedTuple


class Line(NamedTuple):
    group: str
    name: str
    params: dict[str, list[str]]
    value: str  # raw


def physical_lines(body: str) -> list[str]:
    """The lines between CRLFs; fails where the body does not end in one."""
    assert body.endswith("\r\n")
    return body[:-2].split("\r\n")


def read(body: str) -> list[Line]:
    logical: list[str] = []
    for line in physical_lines(body):
        if line[0] in " \t":
            logical[-1] += line[1:]
        else:
            logical.append(line)
    return [split(line) for line in logical]


def split(line: str) -> Line:
    pieces, current, quoted = [], "", False
    for at, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        if character == ":" and not quoted:
            value = line[at + 1 :]
            break
        if character == ";" and not quoted:
            pieces.append(current)
            current = ""
        else:
            current += character
    else:
        raise AssertionError(f"no colon in {line!r}")
    head, *params = [*pieces, current]
    group, _, name = head.rpartition(".")
    return Line(group, name, dict(map(parameter, params)), value)


def parameter(text: str) -> tuple[str, list[str]]:
    name, equals, rest = text.partition("=")
    assert equals
    values, current, quoted = [], "", False
    for character in rest:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            values.append(current)
            current = ""
        else:
            current += character
    return name, [uncaret(value) for value in [*values, current]]


def uncaret(text: str) -> str:
    out, at = "", 0
    while at < len(text):
        pair = {"^n": "\n", "^'": '"', "^^": "^"}.get(text[at : at + 2])
        out += pair or text[at]
        at += 2 if pair else 1
    return out


def unescape(value: str) -> str:
    out, at = "", 0
    while at < len(value):
        if value[at] == "\\":
            out += {"n": "\n", "N": "\n"}.get(value[at + 1], value[at + 1])
            at += 2
        else:
            out += value[at]
            at += 1
    return out
