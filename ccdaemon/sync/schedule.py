"""When to pull next: pure functions of what happened. Chance comes in as a number, time as ``now``."""

from datetime import datetime, timedelta

FASTEST = timedelta(minutes=1)  # between two pulls of what changes all the time
SHARE_OF_INTERVAL = 8  # nor more often than so many times in an interval
SHARE_OF_QUIET = 8  # what has been quiet for an hour is pulled after an eighth of that
PULLS_PER_MINUTE = 20  # of one account, above the regular ones; some 60 requests, a tenth of what each provider allows

FIRST_RETRY = timedelta(seconds=30)  # after one failure, at the latest; doubles with each further one
SHORTEST_RETRY = timedelta(seconds=5)
PHOTOS_AGAIN = timedelta(minutes=1)  # where photos wait for room: by then an account has that of a minute more
LONGEST_RETRY = timedelta(hours=1)  # a provider that asks for more than this is asked again after it
CONSENT_RETRY = timedelta(hours=1)  # only a person can mend it; look again in case they did elsewhere
JITTER = 0.1  # of the time to wait, so that twenty accounts enrolled in one evening do not pull in one second


def pace(now: datetime, interval: timedelta, changed_at: datetime | None, siblings: int) -> timedelta:
    """How long to wait between two pulls of a collection that works: never longer than ``interval``.

    The shorter it is since something changed, the sooner. ``siblings``: how many collections its account has, which
    share what the provider allows. A change in the future was written by a clock that ran ahead and says nothing.
    """
    if changed_at is None or changed_at > now:
        return interval
    fastest = max(FASTEST, interval / SHARE_OF_INTERVAL, siblings * timedelta(minutes=1) / PULLS_PER_MINUTE)
    return min(interval, max(fastest, (now - changed_at) / SHARE_OF_QUIET))


def after_success(now: datetime, interval: timedelta, chance: float) -> datetime:
    """The next regular pull: ``interval`` from now at the latest, up to a tenth sooner (``chance`` in [0, 1))."""
    return now + interval * (1 - JITTER * chance)


def after_photos_left(now: datetime, interval: timedelta, chance: float) -> datetime:
    """The next pull where photos wait for nothing but room."""
    return after_success(now, min(interval, PHOTOS_AGAIN), chance)


def after_failure(
    now: datetime, interval: timedelta, failures: int, retry_after: timedelta | None, chance: float
) -> datetime:
    """The next attempt after ``failures`` (≥ 1) in a row: doubling, never later than an hour or the interval.

    ``retry_after`` is what the provider asked for; it is kept within the same hour and always waited out. The chance
    spreads the attempt over the whole delay but for some seconds: what failed together shall not come again together.
    """
    ceiling = min(max(interval, FIRST_RETRY), LONGEST_RETRY)
    doublings = min(max(failures, 1) - 1, 16)
    backoff = min(FIRST_RETRY * (1 << doublings), ceiling)
    delay = SHORTEST_RETRY + (backoff - SHORTEST_RETRY) * chance
    if retry_after is not None and retry_after > timedelta():
        delay = max(delay, min(retry_after, LONGEST_RETRY) * (1 + JITTER * chance))
    return now + delay
