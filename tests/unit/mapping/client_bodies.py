"""Bodies as clients send them back: edited, folded otherwise, in another order, without what they do not know."""

from collections.abc import Callable, Collection

from hypothesis import strategies as st

from tests.unit.mapping import line_oracle


def unfolded(body: str) -> list[str]:
    lines: list[str] = []
    for line in line_oracle.physical_lines(body):
        if line[0] in " \t":
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return lines


def joined(lines: Collection[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def name_of(line: str) -> str:
    return line.partition(":")[0].partition(";")[0].upper()


def split_events(body: str) -> tuple[list[str], list[list[str]], list[str]]:
    """What stands before the VEVENTs, each of these from its BEGIN to its END, and what comes after."""
    head: list[str] = []
    events: list[list[str]] = []
    tail: list[str] = []
    inside = False
    for line in unfolded(body):
        if line == "BEGIN:VEVENT":
            inside = True
            events.append([])
        (events[-1] if inside else tail if events else head).append(line)
        inside = inside and line != "END:VEVENT"
    return head, events, tail


def with_events(body: str, change: Callable[[int, list[str]], list[str]]) -> str:
    head, events, tail = split_events(body)
    return joined([*head, *(line for at, event in enumerate(events) for line in change(at, event)), *tail])


def edited(body: str, *lines: str, without: Collection[str] = (), event: int = 0) -> str:
    """The lines instead of those of the same names, in one VEVENT; alarms, given last, are added."""
    own = lines[: lines.index("BEGIN:VALARM")] if "BEGIN:VALARM" in lines else lines
    names = {*map(name_of, own), *without}

    def change(at: int, found: list[str]) -> list[str]:
        if at != event:
            return found
        kept: list[str] = []
        path: list[str] = []
        for line in found:
            if line.startswith("BEGIN:"):
                path.append(line[6:])
            in_alarm = len(path) > 1
            if not (in_alarm and "VALARM" in names) and not (not in_alarm and name_of(line) in names):
                kept.append(line)
            if line.startswith("END:"):
                path.pop()
        return [*kept[:-1], *lines, kept[-1]]

    return with_events(body, change)


def added(body: str, *lines: str) -> str:
    """A further VEVENT of these lines, with the UID of the others."""
    head, events, tail = split_events(body)
    uid = next(line for line in events[0] if name_of(line) == "UID")
    new = ["BEGIN:VEVENT", uid, "DTSTAMP:20260301T000000Z", *lines, "END:VEVENT"]
    return joined([*head, *(line for event in events for line in event), *new, *tail])


def removed(body: str, event: int) -> str:
    return with_events(body, lambda at, found: [] if at == event else found)


def only_known(body: str, known: Collection[str]) -> str:
    """What a client sends that knows no other properties; components stay whole where their name is known."""

    def change(_: int, found: list[str]) -> list[str]:
        kept: list[str] = []
        path: list[str] = []
        for line in found:
            if line.startswith("BEGIN:"):
                path.append(line[6:])
            if len(path) > 1:
                keeps = path[1] in known
            else:
                keeps = name_of(line) in {*known, "BEGIN", "END", "UID", "DTSTAMP", "RECURRENCE-ID"}
            if keeps:
                kept.append(line)
            if line.startswith("END:"):
                path.pop()
        return kept

    return with_events(body, change)


def reordered(body: str, random: st.DataObject) -> str:
    """Properties in another order, alarms kept whole, lines folded at another place."""

    def change(_: int, found: list[str]) -> list[str]:
        blocks: list[list[str]] = []
        depth = 0
        for line in found[1:-1]:
            if depth:
                blocks[-1].append(line)
            else:
                blocks.append([line])
            depth += line.startswith("BEGIN:") - line.startswith("END:")
        shuffled = random.draw(st.permutations(blocks))
        return [found[0], *(line for block in shuffled for line in block), found[-1]]

    lines = unfolded(with_events(body, change))
    width = random.draw(st.integers(20, 60))
    return joined(["\r\n ".join(line[at : at + width] for at in range(0, len(line), width)) for line in lines])
