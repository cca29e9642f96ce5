"""What systemd hears from us, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ccdaemon import systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def heard_at(manager: socket.socket) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname()}


def test_readiness_and_status_come_in_one_datagram(manager: socket.socket) -> None:
    sent = systemd.notify(systemd.READY, systemd.status("2 accounts,\n5 collections"), environment=heard_at(manager))

    assert sent
    assert manager.recv(4096) == b"READY=1\nSTATUS=2 accounts, 5 collections"


@pytest.mark.parametrize(("word", "expected"), [(systemd.STOPPING, b"STOPPING=1"), (systemd.WATCHDOG, b"WATCHDOG=1")])
def test_each_word_is_what_systemd_reads(manager: socket.socket, word: str, expected: bytes) -> None:
    systemd.notify(word, environment=heard_at(manager))

    assert manager.recv(4096) == expected


def test_an_abstract_socket_is_reached() -> None:
    name = f"ccdaemon-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)

        assert systemd.notify(systemd.READY, environment={"NOTIFY_SOCKET": f"@{name}"})
        assert listening.recv(4096) == b"READY=1"


@pytest.mark.parametrize("path", ["", "relative/notify", "/nowhere/notify", "@nobody-listens-here", "/" + "x" * 300])
def test_a_manager_that_does_not_listen_is_no_failure(path: str) -> None:
    assert not systemd.notify(systemd.READY, environment={"NOTIFY_SOCKET": path})


def test_nothing_is_sent_without_systemd() -> None:
    assert not systemd.notify(systemd.READY, environment={})


def test_a_full_socket_does_not_block(manager: socket.socket) -> None:
    sent = [systemd.notify(systemd.WATCHDOG, environment=heard_at(manager)) for _ in range(10_000)]

    assert sent[0]
    assert not sent[-1]


def test_the_watchdog_is_fed_twice_as_often_as_it_bites() -> None:
    environment = {"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": str(os.getpid())}

    assert systemd.watchdog_interval(environment) == timedelta(seconds=45)
    assert systemd.watchdog_interval({"WATCHDOG_USEC": "90000000"}) == timedelta(seconds=45)


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "-5"}],
)
def test_no_watchdog_is_fed_where_none_waits(environment: dict[str, str]) -> None:
    assert systemd.watchdog_interval(environment) is None


def test_a_child_does_not_feed_its_parents_watchdog() -> None:
    assert systemd.watchdog_interval({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}) is None
