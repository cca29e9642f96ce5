"""What one account may ask of a service: how many at once, how many in a minute, and nothing while it is out."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdaemon.errors import BadAnswer, NotAsked, RateLimited, Transient
from ccdaemon.providers.google import calendar, people, tasks
from ccdaemon.providers.microsoft import graph
from ccdaemon.providers.traffic import (
    FAILURES,
    FIRST_BREAK_SECONDS,
    LONGEST_BREAK_SECONDS,
    LOST_SECONDS,
    PATIENCE_SECONDS,
    Allowance,
    Bucket,
    Lane,
    Traffic,
)
from ccdaemon.providers.transport import Transport
from tests.unit.providers.conftest import Script, answer

HOST = "graph.microsoft.com"
URL = f"https://{HOST}/v1.0/me"
ALLOWANCE = Allowance(service="somewhere", concurrent=4, burst=100, per_minute=60)
PATIENCE = 10.0  # seconds

Start = Callable[..., Script]


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lane(clock: Clock, allowance: Allowance = ALLOWANCE) -> Lane:
    return Lane(allowance, clock=clock, chance=lambda: 1.0)


def fail(one: Lane, error: Transient | None = None, *, clock: Clock | None = None, lasting: float = 0.0) -> Transient:
    """A request that ends with an error; what the caller gets."""

    def call() -> None:
        if clock is not None:
            clock.now += lasting
        raise error or Transient("no answer")

    with pytest.raises(Transient) as caught:
        one.through(call)
    return caught.value


def test_who_slept_as_long_as_was_asked_does_not_wait_again_for_coming_a_trice_early() -> None:
    clock = Clock()
    one = lane(clock)
    fail(one, RateLimited("enough", retry_after=timedelta(seconds=3)))

    clock.now += 2.995  # and stands still: a wait would never end

    assert one.through(lambda: "answered") == "answered"


# --- quotas -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowance", "quota", "minutes"),
    [
        (calendar.ALLOWANCE, 600, 1),
        (people.ALLOWANCE, 180, 1),
        (graph.ALLOWANCE, 10_000, 10),
        (tasks.ALLOWANCE, 50_000, 24 * 60),
    ],
    ids=lambda value: value.service if isinstance(value, Allowance) else None,
)
def test_an_allowance_stays_within_the_quota_of_its_provider_in_whichever_minutes(
    allowance: Allowance, quota: int, minutes: int
) -> None:
    most = allowance.burst + min(allowance.per_minute * minutes, quota / 2 if minutes > 60 else quota)

    assert most <= quota
    assert allowance.concurrent <= 4


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 20)), max_size=60))
def test_whoever_asks_however_often_no_minute_sees_more_than_is_allowed(asked: list[tuple[float, int]]) -> None:
    now, sent = 0.0, []
    bucket = Bucket(ALLOWANCE, now)
    for pause, parts in asked:
        now += pause
        now += bucket.wait(parts, now)
        assert bucket.wait(parts, now) == 0.0
        bucket.take(parts)
        sent.append((now, parts))

    for start, _ in sent:
        within = sum(parts for at, parts in sent if start <= at < start + 60)
        assert within <= ALLOWANCE.burst + ALLOWANCE.per_minute + 1


def test_a_long_wait_for_the_quota_is_the_schedules_business() -> None:
    clock = Clock()
    one = lane(clock, Allowance(service="somewhere", concurrent=4, burst=20, per_minute=6))
    one.through(lambda: None, parts=20)

    with pytest.raises(RateLimited) as caught:
        one.through(lambda: None, parts=3)

    assert caught.value.retry_after == timedelta(seconds=30)
    clock.now += 30
    one.through(lambda: None, parts=3)


def test_what_is_within_the_allowance_now_would_not_wait() -> None:
    clock = Clock()
    one = lane(clock, Allowance(service="somewhere", concurrent=4, burst=20, per_minute=6))
    room = [one.room()]
    one.through(lambda: None, parts=15)
    room.append(one.room())
    one.through(lambda: None, parts=5)
    room.append(one.room())
    clock.now += 25
    room.append(one.room())

    assert room == [20, 5, 0, 2]


def test_nothing_is_within_the_allowance_while_the_service_asks_to_wait() -> None:
    clock = Clock()
    one = lane(clock)
    one.postpone(timedelta(seconds=5))

    assert one.room() == 0
    clock.now += 5
    assert one.room() == ALLOWANCE.burst


# --- at once ----------------------------------------------------------------------------------------------------------


class Busy:
    """Counts who is inside at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    def __call__(self, parts: int) -> None:
        with self._lock:
            self._inside += parts
            self.most = max(self.most, self._inside)
        threading.Event().wait(0.005)
        with self._lock:
            self._inside -= parts


def test_f09_four_at_once_however_many_threads_and_however_large_their_batches() -> None:
    """Graph: four requests of an app on their way to a mailbox, of which a batch makes up to four."""
    traffic, busy = Traffic(), Busy()

    def work(account: int, parts: int) -> None:
        for _ in range(3):
            traffic.of(account)(graph.ALLOWANCE).through(lambda: busy(min(parts, 4)), parts=parts)

    threads = [threading.Thread(target=work, args=(1, 20 if number % 4 == 0 else 1)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert not any(thread.is_alive() for thread in threads)
    assert busy.most == 4


def test_accounts_do_not_wait_for_each_other() -> None:
    traffic = Traffic()
    narrow = Allowance(service="somewhere", concurrent=1, burst=10, per_minute=60)

    assert traffic.of(1)(narrow).through(lambda: traffic.of(2)(narrow).through(lambda: "both")) == "both"


# --- Retry-After ------------------------------------------------------------------------------------------------------


def test_f09_who_is_told_to_wait_keeps_everybody_else_of_the_account_from_asking() -> None:
    clock = Clock()
    one = lane(clock)
    fail(one, RateLimited("enough", retry_after=timedelta(minutes=5)))

    with pytest.raises(RateLimited) as caught:
        one.through(lambda: None)

    assert caught.value.retry_after == timedelta(minutes=5)
    clock.now += 300
    assert one.through(lambda: "again") == "again"


def test_f09_a_part_of_a_batch_speaks_for_its_mailbox() -> None:
    one = lane(Clock())
    one.postpone(timedelta(seconds=PATIENCE_SECONDS + 1))

    with pytest.raises(RateLimited):
        one.through(lambda: None)


# --- circuit ----------------------------------------------------------------------------------------------------------


def test_after_some_failures_in_a_row_nobody_is_asked_until_a_trial_is_due() -> None:
    clock = Clock()
    one = lane(clock)
    for _ in range(FAILURES):
        assert not isinstance(fail(one), NotAsked)

    refused = fail(one)
    clock.now += FIRST_BREAK_SECONDS
    tried = one.through(lambda: "trial")

    assert (type(refused), refused.retry_after) == (NotAsked, timedelta(seconds=FIRST_BREAK_SECONDS))
    assert str(refused) == "somewhere: not asked, after 6 failures in a row"
    assert tried == "trial"
    assert not isinstance(fail(one), NotAsked)  # it counts from nothing again


def test_f13_hanging_is_worse_than_refusing() -> None:
    """Two deadlines of half a minute are enough: the other collections do not each burn theirs."""
    clock = Clock()
    one = lane(clock)
    for _ in range(2):
        fail(one, clock=clock, lasting=LOST_SECONDS / 2)

    assert type(fail(one)) is NotAsked


def test_an_answer_between_failures_keeps_the_circuit_closed() -> None:
    one = lane(Clock())
    for _ in range(5 * FAILURES):
        fail(one)
        one.through(lambda: None)

    assert type(fail(one)) is Transient


def test_an_answer_that_makes_no_sense_says_nothing_about_the_service() -> None:
    one = lane(Clock())
    for _ in range(2 * FAILURES):
        fail(one, BadAnswer("a bomb"))

    assert type(fail(one)) is Transient


def test_trials_that_fail_are_further_and_further_apart() -> None:
    clock = Clock()
    one = lane(clock)
    for _ in range(FAILURES):
        fail(one)
    breaks = []
    for _ in range(8):
        refused = fail(one)
        assert refused.retry_after is not None
        breaks.append(refused.retry_after.total_seconds())
        clock.now += breaks[-1]
        assert type(fail(one)) is Transient  # the trial

    assert breaks == [10, 20, 40, 80, 160, LONGEST_BREAK_SECONDS, LONGEST_BREAK_SECONDS, LONGEST_BREAK_SECONDS]


def test_one_is_on_trial_and_the_others_wait_for_what_becomes_of_it() -> None:
    clock = Clock()
    one = lane(clock)
    for _ in range(FAILURES):
        fail(one)
    clock.now += FIRST_BREAK_SECONDS

    meanwhile = one.through(lambda: fail(one))

    assert type(meanwhile) is NotAsked
    assert one.through(lambda: "closed") == "closed"


def test_those_who_were_on_their_way_when_it_opened_open_it_no_further() -> None:
    clock = Clock()
    one = lane(clock)
    for _ in range(FAILURES - 1):
        fail(one)

    def three() -> None:
        fail(one)
        raise Transient("no answer")

    with pytest.raises(Transient):
        one.through(three)

    assert fail(one).retry_after == timedelta(seconds=FIRST_BREAK_SECONDS)


# --- in a Transport ---------------------------------------------------------------------------------------------------


def transport(script: Script, traffic: Traffic, account: int = 1, **settings: object) -> Transport:
    return Transport({HOST}, script.url, allowance=ALLOWANCE, lanes=traffic.of(account), **settings)  # type: ignore[arg-type]


def test_f10_the_transports_of_an_account_share_its_circuit_and_no_other_account_has_part_in_it(
    scripted: Start,
) -> None:
    api, traffic = scripted(answer(503)), Traffic()
    for _ in range(2):
        with pytest.raises(Transient):
            transport(api, traffic).get(URL)
    asked = len(api.heard)

    with pytest.raises(NotAsked):
        transport(api, traffic).get(URL)

    assert (asked, len(api.heard)) == (FAILURES, FAILURES)
    with pytest.raises(Transient):
        transport(api, traffic, account=2).get(URL)
    assert len(api.heard) == FAILURES + 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 412])
def test_f04_refusals_are_answers(scripted: Start, status: int) -> None:
    api, traffic = scripted(answer(status)), Traffic()
    for _ in range(2 * FAILURES):
        transport(api, traffic).get(URL)

    assert len(api.heard) == 2 * FAILURES


@pytest.mark.parametrize(
    "before", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
def test_f13_an_answer_that_drips_is_given_up_at_the_deadline(before: bytes) -> None:
    """Each byte comes well within the idle time; only a deadline for the whole ends a status line without an end."""
    with Dripping(before) as drip:
        with Transport({HOST}, drip.url, total_seconds=0.3) as one, pytest.raises(Transient, match="no answer"):
            one.post(URL)

        assert drip.gone.wait(PATIENCE)
    assert drip.sent > len(before)


class Dripping(Script):
    """Sends what comes before at once, then byte after byte until nobody takes it."""

    def __init__(self, before: bytes) -> None:
        super().__init__([before])
        self.gone = threading.Event()
        self.sent = 0

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(4096)
            self.sent += connection.send(self.answers[0])
            try:
                while True:
                    self.sent += connection.send(b"0")
                    threading.Event().wait(0.01)
            except OSError:
                self.gone.set()
