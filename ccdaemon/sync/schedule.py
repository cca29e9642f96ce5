"""When to pull next: pure functions of what happened. Chance comes in as a number, time as ``now``."""

from datetime import datetime, timedelta

FIRST_RETRY = timedelta(seconds=30)  # after one failure; doubles with each further one
LONGEST_RETRY = timedelta(hours=1)  # a provider that asks for more than this is asked again after it
CONSENT_RETRY = timedelta(hours=1)  # only a person can mend it; look again in case they did elsewhere
JITTER = 0.1  # of the interval, so that twenty accounts enrolled in one evening do not pull in one second


def after_success(now: datetime, interval: timedelta, chance: float) -> datetime:
    """The next regular pull: ``interval`` from now, moved by up to ±10 % (``chance`` in [0, 1))."""
    return now + interval * (1 + JITTER * (2 * chance - 1))


def after_failure(
    now: datetime, interval: timedelta, failures: int, retry_after: timedelta | None, chance: float
) -> datetime:
    """The next attempt after ``failures`` (≥ 1) in a row: doubling, never later than an hour or the interval.

    ``retry_after`` is what the provider asked for; it is kept within the same hour and always waited out. The chance
    spreads the attempt over the upper half of the delay.
    """
    ceiling = min(max(interval, FIRST_RETRY), LONGEST_RETRY)
    doublings = min(max(failures, 1) - 1, 16)
    backoff = min(FIRST_RETRY * (1 << doublings), ceiling)
    delay = backoff * (0.5 + chance / 2)
    if retry_after is not None and retry_after > timedelta():
        delay = max(delay, min(retry_after, LONGEST_RETRY) * (1 + JITTER * chance))
    return now + delay
