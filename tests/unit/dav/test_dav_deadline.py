"""Requests that compute for ever, and those that cannot even be interrupted (I9; issue 4, "killable expansion")."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest

from ccdaemon.dav.answer import Answer, refusal, to_wsgi
from ccdaemon.dav.front.finish import Defects, contained
from ccdaemon.dav.serving.deadline import EXIT_CODE, Deadlines
from tests.unit.dav.serving import GET, GET_AND_CLOSE, serving, until

FINE = refusal(HTTPStatus.OK, "fine")


def loop_for_ever(_environ: Any) -> Answer:
    while True:
        pass


def hold_every_exception(_environ: Any) -> Answer:
    while True:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001 - as a library might
            continue


def fine(_environ: Any) -> Answer:
    return FINE


def switch_threads(_environ: Any) -> Answer:
    time.sleep(0)
    return FINE


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns a thousand times more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def application(answer: Callable[[Any], Answer], deadlines: Deadlines) -> Any:
    """``answer`` at /, within the deadlines; FINE elsewhere."""

    def handle(environ: Any) -> Answer:
        return answer(environ) if environ["PATH_INFO"] == "/" else FINE

    return to_wsgi(contained(deadlines.within(handle), Defects()))


def elsewhere(request: bytes) -> bytes:
    return request.replace(b" / ", b" /elsewhere ")


@pytest.mark.parametrize("endless", [loop_for_ever, hold_every_exception])
def test_a_request_that_loops_for_ever_is_interrupted_with_503(endless: Callable[[Any], Answer]) -> None:
    deadlines = Deadlines(seconds=0.3)
    app = application(endless, deadlines)
    with serving(app, tended=[deadlines.enforce]) as server:
        answer = server.said(GET_AND_CLOSE)

        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: " in answer
        assert deadlines.interrupted == 1
        assert server.said(elsewhere(GET_AND_CLOSE)).startswith(b"HTTP/1.1 200 ")


def test_more_endless_requests_than_there_are_threads_keep_nobody_out_for_long() -> None:
    deadlines = Deadlines(seconds=0.3)
    with serving(application(loop_for_ever, deadlines), tended=[deadlines.enforce]) as server:
        held = [server.connect() for _ in range(10)]
        for connection in held:
            connection.sendall(GET)

        assert server.said(elsewhere(GET_AND_CLOSE)).startswith(b"HTTP/1.1 200 ")
        assert [connection.recv(65536)[:13] for connection in held] == [b"HTTP/1.1 503 "] * 10
        for connection in held:
            connection.close()


def test_a_request_that_hangs_within_c_ends_the_process() -> None:
    is_given_up, may_end = threading.Event(), threading.Event()
    deadlines = Deadlines(seconds=0.1, give_up=is_given_up.set)

    def hang(_environ: Any) -> Answer:
        may_end.wait()  # no step of the interpreter until then
        return FINE

    with serving(application(hang, deadlines), tended=[deadlines.enforce]) as server, server.connect() as connection:
        connection.sendall(GET)

        assert is_given_up.wait(20)
        may_end.set()
        assert connection.recv(65536).startswith(b"HTTP/1.1 503 "), "what was on its way arrives before the end"


def test_giving_up_is_the_end_of_the_process_at_once() -> None:
    code = (
        "import threading, time; from ccdaemon.dav.serving.deadline import Deadlines\n"
        "deadlines = Deadlines(seconds=0.01)\n"
        "hang = deadlines.within(lambda _: time.sleep(60))\n"
        "threading.Thread(target=hang, args=({'REQUEST_METHOD': 'GET'},)).start()\n"
        "while True: time.sleep(0.01); deadlines.enforce(time.monotonic())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=50, check=False)

    assert done.returncode == EXIT_CODE


def test_no_interruption_reaches_what_comes_after_its_request(restless: None) -> None:
    """The end of a request and its deadline meet in every possible way; afterwards the thread does other things."""
    deadlines = Deadlines(seconds=0.0, give_up=lambda: None)
    harmed: list[str] = []
    statuses: set[int] = set()

    def answer_again_and_again() -> None:
        handle = deadlines.within(switch_threads)
        try:
            for _ in range(800):
                statuses.add(handle({"REQUEST_METHOD": "GET"}).status)
                for _ in range(20):
                    str(time.monotonic())
        except BaseException as error:  # noqa: BLE001 - none may come
            harmed.append(type(error).__name__)

    thread = threading.Thread(target=answer_again_and_again)
    thread.start()
    while thread.is_alive():
        deadlines.enforce(time.monotonic())
    thread.join(20)

    assert harmed == []
    assert deadlines.interrupted > 0
    assert statuses <= {200, 503}


def test_a_request_in_time_is_left_alone() -> None:
    deadlines = Deadlines(seconds=20)
    with serving(application(fine, deadlines), tended=[deadlines.enforce]) as server:
        assert server.said(GET_AND_CLOSE).startswith(b"HTTP/1.1 200 ")
        until(lambda: server.pulses, "a turn")

    assert deadlines.interrupted == 0
