"""When a VALARM goes off (RFC 5545 section 3.6.6, RFC 4791 section 9.9)."""

from dataclasses import dataclass

from ccdaemon.dav.request import Window
from ccdaemon.mapping.contentline import ContentLine
from ccdaemon.mapping.ical import Component
from ccdaemon.mapping.moments import DAY, parse_duration
from ccdaemon.model import TIME_MAX, TIME_MIN

_MAX_DIGITS = 6  # of REPEAT; more say nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Ringing:
    """What one alarm says of its times."""

    at: ContentLine | None  # the TRIGGER that is a time of its own; None: it is relative to each occurrence
    offset: str = ""  # else the TRIGGER as it stands: a DURATION, "-PT15M"
    offset_seconds: int = 0
    is_from_end: bool = False  # of the occurrence, else from its start
    repeats: int = 0  # how often it goes off again
    every: int = 0  # seconds after which it does

    def rings(self, at: int, window: Window) -> bool:
        """Whether it goes off in the window, the first time at ``at``."""
        start, end = window.starts_at, window.ends_at
        if at >= start or not self.every:
            return start <= at < end
        number = -((at - start) // self.every)  # of the first time that is not too early
        return number <= self.repeats and at + number * self.every < end

    def of_bases(self, window: Window) -> Window:
        """Where the start or end of an occurrence may lie whose alarm goes off in the window: a day more on both sides,
        for the days of an offset that are longer or shorter."""
        start = window.starts_at - self.offset_seconds - self.repeats * self.every - DAY
        end = window.ends_at - self.offset_seconds + DAY
        return Window(starts_at=max(start, TIME_MIN), ends_at=min(end, TIME_MAX))


def ringing(alarm: Component) -> Ringing | None:
    """None for an alarm without a TRIGGER that means anything."""
    trigger = alarm.first("TRIGGER")
    if trigger is None:
        return None
    repeats, every = _repetition(alarm)
    offset = parse_duration(trigger.value)
    if offset is None:
        return Ringing(at=trigger, repeats=repeats, every=every)
    return Ringing(
        at=None,
        offset=trigger.value,
        offset_seconds=int(offset.total_seconds()),
        is_from_end=any(value.upper() == "END" for value in trigger.param("RELATED")),
        repeats=repeats,
        every=every,
    )


def _repetition(alarm: Component) -> tuple[int, int]:
    """REPEAT and DURATION, which only mean something together."""
    repeat, length = alarm.text("REPEAT").strip(), parse_duration(alarm.text("DURATION"))
    if not (repeat.isascii() and repeat.isdigit() and len(repeat) <= _MAX_DIGITS) or length is None:
        return 0, 0
    every = int(length.total_seconds())
    return (int(repeat), every) if every > 0 else (0, 0)
