"""The network between us and the clouds: resets, cut bodies, silence, trickles, wrong certificates, no such name."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.system.faults.proxy import BlackHole, Cut, Pass, Reset, Trickle, between
from tests.system.faults.scene import Scene

pytestmark = pytest.mark.system

GOOGLE = "CCDAEMON_PROVIDER__GOOGLE__ENDPOINT"
MICROSOFT = "CCDAEMON_PROVIDER__MICROSOFT__ENDPOINT"
BROKEN = (Reset(0), Pass(), Cut(150), Pass(), Reset(700), Pass())
"""Every second connection; more in a row would mean that the provider is down."""
SILENT = (BlackHole(0), Pass(), BlackHole(500), Pass(), Trickle(1), Pass())
VERY_QUICK = 30  # times as fast: sixty seconds for an answer are two


@pytest.fixture(autouse=True)
def something_new(scene: Scene) -> None:
    """What the sync must bring in spite of all."""
    for place in scene.places.values():
        scene.touch(place, "Through thick and thin")


def test_a_network_that_breaks_every_second_connection_only_takes_longer(scene: Scene) -> None:
    """F-11, F-14, R-09: a page that broke is fetched again and taken in once."""
    states = scene.dav.states()
    with between(scene.cloud.url, *BROKEN * 30) as proxy:
        pulled = scene.sync(**{GOOGLE: proxy.url, MICROSOFT: proxy.url})

    assert all(proxy.happened[one] > 1 for one in set(BROKEN) - {Pass()}), proxy.happened
    assert (pulled.failed, pulled.status) == ({}, 0)
    assert {run["added"] for run in pulled.runs.values()} == {1}
    assert all(len(state.etags) == len(states[href].etags) + 1 for href, state in scene.dav.states().items())
    scene.assert_agree()


def test_silence_and_trickles_are_given_up_in_time(scene: Scene) -> None:
    """F-13: ten seconds for a connection, thirty without a byte, sixty for one answer; then the request is sent again.

    A service that cost a minute has a break, and is asked again in the same turn or in the next.
    """
    contacts = scene.places["google Contacts"].href
    microsoft = {place.href for place in scene.places.values() if place.provider == "microsoft"}
    with between(scene.cloud.url, *SILENT) as proxy, unreachable() as url:
        pulled = scene.sync(speed=VERY_QUICK, **{GOOGLE: proxy.url, MICROSOFT: url})

    assert all(proxy.happened[one] == 1 for one in set(SILENT) - {Pass()}), proxy.happened
    assert {error for error, _ in pulled.failed.values()} == {"unavailable"}
    assert {None} <= pulled.failed.keys() <= {None, contacts, *microsoft}
    assert pulled.status == 1
    assert {run["added"] for href, run in pulled.runs.items() if href not in pulled.failed} == {1}
    healed = scene.sync()
    assert (healed.failed, healed.status) == ({}, 0)
    late = (pulled.failed.keys() | microsoft) - {None}
    assert {href for href, run in healed.runs.items() if run["added"] == 1} == late


def test_a_wrong_certificate_and_an_unknown_name_end_in_clear_errors(scene: Scene, tmp_path: Path) -> None:
    """F-14: nothing is sent to a server that cannot prove who it is; what was pulled before stays published."""
    states, since = scene.dav.states(), len(scene.asked())
    with impostor(tmp_path) as (url, heard):
        pulled = scene.sync(**{GOOGLE: url, MICROSOFT: "https://nowhere.invalid"})

    assert heard.is_set(), "somebody connected"
    assert (pulled.status, {run["error"] for run in pulled.runs.values()}) == (69, {"unavailable"})
    assert "nowhere" not in pulled.said
    assert len(scene.asked()) == since, "nobody reached the clouds"
    assert scene.dav.states() == states
    assert {account["state"] for account in scene.installation.status()["accounts"]} <= {"degraded", "error"}
    scene.assert_converges()


@contextmanager
def unreachable() -> Iterator[str]:
    """Where nobody answers to a SYN: a listener that accepts nobody, and whose queue is full."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.2)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def impostor(folder: Path) -> Iterator[tuple[str, threading.Event]]:
    """A TLS server whose certificate nobody vouches for; set once somebody said hello. A request fails the test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(folder))
    heard = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            heard.set()
            with client:
                try:
                    client.settimeout(5)
                    context.wrap_socket(client, server_side=True).recv(1)
                except OSError:  # ssl.SSLError: the client refused us, as it should
                    continue
                raise AssertionError("a request was sent to an impostor")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Certificate and key for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
