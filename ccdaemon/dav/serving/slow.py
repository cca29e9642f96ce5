"""waitress with every wait bounded: for headers, for bodies, for who does not read, and for a place in a crowd.

Cases: trust.md T-28, R-48. waitress alone closes what was silent for a while and is no longer computed; a client that
sends or takes a byte now and then keeps its connection and what hangs on it for ever, and a full house lets nobody in.

A connection is looked at once a second. What moves is judged by windows of time, each of which must bring enough, so
that a slow line is no crime and a stalled one is noticed.
"""

import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.wasyncore import dispatcher

from ccdaemon.dav.front.login import network
from ccdaemon.dav.guard import Networks, is_within
from ccdaemon.dav.serving.answers import Refusal, Task, Whole
from ccdaemon.dav.serving.wire import BAD, StrictParser, Unavailable

WHOLE_BYTES = 16 * 1024  # an answer from this size on is sent from where it lies; copying it would double it
ABORTING = struct.pack("ii", 1, 0)  # SO_LINGER of no time
CROWD = 64  # connections
ACCEPTED_AT_ONCE = 16
DISCARDED_BYTES = 64 * 1024  # at a time, of what nobody wants to know

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one process grants. The defaults are for people behind mobile networks, proxies and shared addresses."""

    connections: int = 800  # idle ones are cheap, 1,024 descriptors are usual
    connections_of_one: int = 200  # network; a household or an office behind one address
    header_seconds: float = 10.0  # from the connection, or the first byte of a later request, to its empty line
    idle_seconds: float = 60.0  # between two requests
    window_seconds: float = 15.0  # in each, a body or an answer must move on …
    window_bytes: int = 8 * 1024  # … by so much, or come to its end
    body_seconds: float = 300.0  # for a whole body
    answer_seconds: float = 900.0  # for a whole answer
    goodbye_seconds: float = 2.0  # to read why, for one whose request was refused in the middle
    small_body: int = 64 * 1024  # bytes that every request may bring
    bodies_bytes: int = 24 * 1024 * 1024  # of all the larger bodies together, while they arrive
    answers_bytes: int = 48 * 1024 * 1024  # of all answers together that are waiting to be read
    look_seconds: float = 1.0  # how often all connections are looked at


class Phase(Enum):
    """What a connection waits for."""

    HEADER = auto()  # the rest of a request line and headers
    BODY = auto()  # the rest of a body
    ANSWER = auto()  # a thread of ours
    READER = auto()  # the client, to take its answer
    IDLE = auto()  # the next request
    GOODBYE = auto()  # the client, to see that it was refused


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection. It reads a request only when the one before is answered and its answer is on its way.

    So a client that sends a hundred requests at once and reads nothing holds one answer, and no thread.
    """

    parser_class = StrictParser
    task_class = Task
    error_task_class = Refusal
    request: StrictParser | None

    def __init__(self, server: "Server", sock: socket.socket, addr: tuple[str, int], adj: Any, map: Any = None) -> None:
        self.network = network(addr[0])
        self.says_goodbye = False  # to be closed once the client knows that it was refused
        self.is_given_up = False  # the main thread is about to close it
        self.turn = 0  # how many requests came whole
        self.moved = 0  # bytes, in both directions
        self._is_leaving = False
        self._unread = b""  # of later requests; at most what one recv brings
        self._seen: tuple[Phase, int] = (Phase.HEADER, 0)
        self._since = self._window_began = time.monotonic()
        self._window_moved = 0
        super().__init__(server, sock, addr, adj, map=map)

    # --- the main thread ----------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """What it waits for now."""
        if self._is_leaving:
            return Phase.GOODBYE
        if self.requests:
            return Phase.ANSWER
        if self.total_outbufs_len or self.close_when_flushed:
            return Phase.READER
        if self.request is None:
            return Phase.IDLE if self.turn else Phase.HEADER
        return Phase.BODY if self.request.headers_finished else Phase.HEADER

    @property
    def body_bytes(self) -> int:
        """How much of a body it has brought that is still held."""
        request = self.request or next(iter(self.requests), None)
        return request.body_bytes_received if request is not None else 0

    @property
    def whose(self) -> str:
        """Who asks, as they say: for fair.py."""
        return str(self.requests[0].headers.get("AUTHORIZATION", "")) if self.requests else ""

    def is_too_slow(self, now: float, limits: Limits) -> bool:
        """Whether its time is over. To be asked again and again; ``now`` in monotonic seconds."""
        seen = (self.phase, self.turn)
        if seen != self._seen:
            self._seen, self._since = seen, now
            self._begin_window(now)
            return False
        longest = {
            Phase.HEADER: limits.header_seconds,
            Phase.BODY: limits.body_seconds,
            Phase.READER: limits.answer_seconds,
            Phase.IDLE: limits.idle_seconds,
            Phase.GOODBYE: limits.goodbye_seconds,
        }.get(seen[0])
        if longest is not None and now - self._since >= longest:
            return True
        return seen[0] in (Phase.BODY, Phase.READER) and self._stalls(now, limits)

    def _stalls(self, now: float, limits: Limits) -> bool:
        if now - self._window_began < limits.window_seconds:
            return False
        stalls = self.moved - self._window_moved < limits.window_bytes
        self._begin_window(now)
        return stalls

    def _begin_window(self, now: float) -> None:
        self._window_began, self._window_moved = now, self.moved

    def readable(self) -> bool:
        """Not while a request waits for its turn; at the end of the server only what has begun already."""
        if self._is_leaving:
            return True
        if self.server.is_ending and self.request is None:
            return False
        return bool(super().readable()) and not self._unread

    def writable(self) -> bool:
        """Also when a request that came early can be taken up now."""
        return bool(super().writable()) or self._may_go_on()

    def abort(self) -> None:
        """Close without the kernel's keeping for minutes what the client would not read."""
        if self.connected:
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTING)
            self.handle_close()

    def handle_read(self) -> None:
        """Read, or discard what comes after a refusal: closed at once, the client might never see the refusal."""
        if not self._is_leaving:
            super().handle_read()
            return
        try:
            self.recv(DISCARDED_BYTES)  # closes at its end
        except OSError:
            self.handle_close()

    def handle_write(self) -> None:
        """Send on; then go on with what came early, or say goodbye."""
        if self.says_goodbye and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if self.connected and not self.total_outbufs_len and not self.will_close:
                self._leave()
                return
        super().handle_write()
        if self._may_go_on():
            self.received(b"")

    def _leave(self) -> None:
        self.close_when_flushed = False
        self._is_leaving = True
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _may_go_on(self) -> bool:
        return bool(self._unread and self.connected) and not (
            self.requests or self.total_outbufs_len or self.will_close or self.close_when_flushed or self._is_leaving
        )

    def received(self, data: bytes) -> bool:
        """Take up bytes of a request. A second request in them waits until the first one is answered."""
        self.moved += len(data)
        with self.requests_lock:
            if self.will_close or self.close_when_flushed or self._is_leaving:
                return False
            self._unread += data
            while self._may_go_on():
                self._parse()
        return True

    def _parse(self) -> None:
        request = self.request = self.request or self.parser_class(self.adj)
        self._unread = self._unread[request.received(self._unread) :]
        if not request.completed and not self.server.has_room_for(self):
            request.error, request.completed = Unavailable(BAD), True
            request.close()
        if request.completed:
            self.request, self.sent_continue = None, False
            if not request.empty:
                self.turn += 1
                self.requests.append(request)
                self.server.add_task(self)
        elif request.expect_continue and request.headers_finished and not self.sent_continue:
            self.send_continue()

    def send(self, data: Any, do_close: bool = True) -> int:
        """How many bytes went out."""
        sent = int(super().send(data, do_close=do_close) or 0)
        self.moved += sent
        return sent

    # --- the thread of a request --------------------------------------------------------------------------------------

    def write_soon(self, data: Any) -> int:
        """Add to the answer; how many bytes."""
        if len(data) < WHOLE_BYTES:
            return int(super().write_soon(data))
        with self.outbuf_lock:
            if not self.connected:
                raise ClientDisconnected
            self.outbufs += [Whole(data), OverflowableBuffer(self.adj.outbuf_overflow)]
            self.current_outbuf_count = 0
            self.total_outbufs_len += len(data)
        self.server.make_room_for_answers()
        self.send_now()
        return len(data)

    def send_now(self) -> None:
        """Send what the client takes at once; the main loop sends the rest."""
        with self.outbuf_lock:
            if self.connected and self.total_outbufs_len:
                self._flush_exception(self._flush_some, do_close=False)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """waitress's server, whose house is never so full that nobody can enter."""

    channel_class = Channel

    def __init__(self, *args: Any, limits: Limits, trusted: Networks = (), **kwargs: Any) -> None:
        self.limits = limits
        self.is_ending = False
        self._trusted = trusted  # proxies, each of which speaks for many
        self._looked_at = 0.0
        self._giving_up = Lock()
        self._given_up: deque[Channel] = deque()  # by the threads, to be closed by the main one
        super().__init__(*args, **kwargs)

    def maintenance(self, now: float) -> None:
        """Nothing: see ``tend``. waitress calls this where a closed connection would confuse it."""

    def readable(self) -> bool:
        """Always, while it accepts at all."""
        return bool(self.accepting)

    def tend(self, now: float) -> None:
        """Close the connections whose time is over. Between two turns of the main loop; monotonic seconds."""
        while self._given_up:
            self._given_up.popleft().abort()
        if now - self._looked_at < self.limits.look_seconds:
            return
        self._looked_at = now
        self.make_room_for_answers()
        for channel in list(self.active_channels.values()):
            if channel.is_too_slow(now, self.limits):
                channel.abort()

    def handle_accept(self) -> None:
        """Let in who waits, in the place of idle ones if need be. In a crowd several at once; else one by one, so that
        each worker gets its part.
        """
        for _ in range(1 if len(self.active_channels) < CROWD else ACCEPTED_AT_ONCE):
            try:
                accepted = self.accept()
            except OSError as error:
                log.warning("a connection could not be accepted: %s", error.strerror)
                self._close_stalest(self.active_channels.values())
                return
            if accepted is None:  # another worker was quicker
                return
            self._let_in(*accepted)

    def _let_in(self, connection: socket.socket, address: tuple[str, int]) -> None:
        if not self._has_room(address[0]):
            connection.close()
            return
        with suppress(OSError):  # gone already
            self.set_socket_options(connection)
        self.channel_class(self, connection, address, self.adj, map=self._map)

    def _has_room(self, address: str) -> bool:
        """Whether one more may come, after one that does nothing had to go where there were too many."""
        here = network(address)
        neighbours = [channel for channel in self.active_channels.values() if channel.network == here]
        if len(neighbours) >= self.limits.connections_of_one and not is_within(address, self._trusted):
            return self._close_stalest(neighbours)
        if len(self.active_channels) >= self.limits.connections:
            return self._close_stalest(self.active_channels.values())
        return True

    def _close_stalest(self, channels: Any) -> bool:
        """Close one for whom nothing is computed: first those who never finished a request, of those the stillest."""
        waiting = [channel for channel in channels if channel.phase is not Phase.ANSWER]
        if not waiting:
            return False
        min(waiting, key=lambda channel: (channel.turn > 0, channel.last_activity)).abort()
        return True

    def has_room_for(self, channel: Channel) -> bool:
        """Whether the body that arrives there may go on: small ones always, large ones while there is memory."""
        if channel.body_bytes <= self.limits.small_body:
            return True
        return sum(self._large_bodies()) <= self.limits.bodies_bytes

    def _large_bodies(self) -> Iterator[int]:
        for channel in list(self.active_channels.values()):
            if channel.body_bytes > self.limits.small_body:
                yield channel.body_bytes

    def make_room_for_answers(self) -> None:
        """Give up answers that wait to be read, the stillest first, until they fit into memory. From any thread.

        The liveliest stays: one answer alone may be as large as it is.
        """
        with self._giving_up:
            waiting = [
                one for one in list(self.active_channels.values()) if one.total_outbufs_len and not one.is_given_up
            ]
            excess = sum(one.total_outbufs_len for one in waiting) - self.limits.answers_bytes
            for one in sorted(waiting, key=lambda one: one.last_activity)[:-1]:
                if excess <= 0:
                    break
                if not one.requests:  # else it is being written
                    excess -= one.total_outbufs_len
                    one.is_given_up = True
                    self._given_up.append(one)
        if self._given_up:
            self.pull_trigger()

    def stop_accepting(self) -> None:
        """Free the address for whoever comes next; connections go on."""
        self.is_ending = True
        dispatcher.close(self)

    def is_busy(self) -> bool:
        """Whether any answer is owed."""
        return any(channel.requests or channel.total_outbufs_len for channel in list(self.active_channels.values()))
