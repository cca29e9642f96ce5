"""Device passwords over Basic authentication (trust.md R-44, R-45, T-20 to T-22)."""

import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256

import pytest

from ccdaemon.dav.front.login import FREE_FAILURES, MAX_ADDRESSES, FailureLimit, credentials
from ccdaemon.dav.front.passwords import REMEMBERED, TOUCH_EVERY, DevicePasswords
from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.errors import StoreUnavailable
from ccdaemon.store.base import Reader, Store, Transaction
from tests.unit.dav.dav_client import DavClient, basic
from tests.unit.dav.household import Clock, Household

CHALLENGE = 'Basic realm="ccdaemon", charset="UTF-8"'


def signed_name(passwords: DevicePasswords, secret: bytes) -> str | None:
    known = passwords.signed(b"anna", secret)
    return known.person if known else None


def encoded(credentials: bytes) -> str:
    return "Basic " + b64encode(credentials).decode()


@pytest.mark.parametrize("path", ["/", "/anna/", "/nobody/", "/.web", "/.well-known", "/metrics", "/tokens/1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "PUT", "DELETE", "POST", "BREW"])
def test_without_credentials_everything_is_challenged_alike(nobody: DavClient, method: str, path: str) -> None:
    """R-42 for DAV: also paths that do not exist and methods that nobody knows."""
    response = nobody.ask(method, path, b"<", X_Remote_User="anna", X_Forwarded_For="127.0.0.1")

    assert (response.status, response.headers["www-authenticate"]) == (401, CHALLENGE)


MALFORMED = {
    "not base64": "Basic !!!",
    "no colon": encoded(b"anna"),
    "empty": "Basic ",
    "one word": "Basic",
    "bearer": "Bearer abc",
    "not ascii": "Basic \xe9\xe9",
    "nul": encoded(b"anna\0:x"),
    "latin-1": encoded("anna:é".encode("latin-1")),
    "utf-8": encoded("änna:é".encode()),
    "no name": encoded(b":x"),
    "no password": encoded(b"anna:"),
    "only colons": encoded(b"anna:::::"),
    "long": encoded(b"anna:" + b"x" * 1_000_000),
    "log injection": encoded(b"anna\r\n[ERROR] x:\x1b[31m"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_credentials_are_challenged_as_wrong_ones_are(nobody: DavClient, name: str) -> None:
    wrong = nobody.ask("PROPFIND", "/", Authorization=basic("anna", "wrong"))

    response = nobody.ask("PROPFIND", "/", Authorization=MALFORMED[name])

    assert (response.status, response.body, response.headers) == (401, wrong.body, wrong.headers)


def test_a_password_is_good_for_its_own_person_only(anna: DavClient, household: Household) -> None:
    answers = [
        anna.ask("PROPFIND", "/", Authorization=basic(name, password)).status
        for name, password in (
            ("anna", household.anna.password),
            ("anna", household.ben.password),
            ("nobody", household.anna.password),
            ("ANNA", household.anna.password),
            ("anna ", household.anna.password),
            ("", household.anna.password),
        )
    ]

    assert answers == [207, 401, 401, 401, 401, 401]


def test_the_scheme_is_read_in_any_case(nobody: DavClient, household: Household) -> None:
    header = basic("anna", household.anna.password).replace("Basic", "BASIC")

    assert nobody.ask("PROPFIND", "/", Authorization=header).status == 207


def test_a_removed_device_is_out_within_seconds(anna: DavClient, household: Household) -> None:
    before = anna.ask("PROPFIND", "/").status
    with household.store.write() as transaction:
        transaction.remove_device(household.anna.device_id)
    household.clock.advance(REMEMBERED)

    assert (before, anna.ask("PROPFIND", "/").status) == (207, 401)
    assert timedelta(seconds=5) >= REMEMBERED


def test_a_removed_person_sees_nothing_at_once(household: Household) -> None:
    """Even while the password is remembered."""
    with household.store.write() as transaction:
        person = transaction.add_person("cleo", household.clock())
        transaction.add_device(person.id, "phone", sha256(b"secret").digest(), household.clock())
    cleo = DavClient(make_wsgi_app(household.store, public_url=None, now=household.clock), "cleo", "secret")
    before = cleo.ask("PROPFIND", "/cleo/", Depth="1").status
    with household.store.write() as transaction:
        transaction.remove_person(person.id)

    assert [before, *(cleo.ask("PROPFIND", path, Depth="1").status for path in ("/cleo/", "/"))] == [207, 404, 404]


class Counting:
    """A store that counts, and whose writes may fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0
        self.writes = 0
        self.is_locked = False

    @contextmanager
    def read(self) -> Iterator[Reader]:
        self.reads += 1
        with self._store.read() as reader:
            yield reader

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self.writes += 1
        if self.is_locked:
            raise StoreUnavailable("locked")
        with self._store.write() as transaction:
            yield transaction

    def close(self) -> None:
        self._store.close()


def at_once(work: Callable[[], None]) -> None:
    work()


@pytest.fixture
def counting(household: Household) -> Counting:
    return Counting(household.store)


@pytest.fixture
def passwords(counting: Counting, household: Household) -> DevicePasswords:
    return DevicePasswords(counting, now=household.clock, beside=at_once)


def test_a_poll_asks_the_database_once_and_writes_once_an_hour(
    counting: Counting, passwords: DevicePasswords, household: Household
) -> None:
    secret = household.anna.password.encode()
    for _ in range(10):
        assert signed_name(passwords, secret) == "anna"
    in_one_poll = (counting.reads, counting.writes)
    for _ in range(10):
        household.clock.advance(timedelta(minutes=5))
        passwords.signed(b"anna", secret)
    before_the_hour = counting.writes
    household.clock.advance(TOUCH_EVERY - timedelta(minutes=50))
    passwords.signed(b"anna", secret)

    assert (in_one_poll, before_the_hour, counting.writes) == ((1, 1), 1, 2)
    with household.store.read() as reader:
        used_at = {device.id: device.last_used_at for device in reader.devices()}
    assert used_at == {household.anna.device_id: household.clock(), household.ben.device_id: None}


def test_a_database_that_cannot_be_written_costs_the_note_and_not_the_request(
    counting: Counting, passwords: DevicePasswords, household: Household, caplog: pytest.LogCaptureFixture
) -> None:
    counting.is_locked = True
    secret = household.anna.password.encode()

    with caplog.at_level(logging.DEBUG):
        answers = []
        for _ in range(3):
            answers.append(signed_name(passwords, secret))
            household.clock.advance(REMEMBERED)

    assert (answers, counting.writes, passwords.failed_touches) == (["anna"] * 3, 1, 1)
    assert household.anna.password not in caplog.text


def test_another_process_s_note_is_respected(household: Household, counting: Counting) -> None:
    with household.store.write() as transaction:
        transaction.touch_device(household.anna.device_id, household.clock())
    passwords = DevicePasswords(counting, now=household.clock, beside=at_once)

    passwords.signed(b"anna", household.anna.password.encode())

    assert counting.writes == 0


def test_a_wrong_guess_takes_the_same_steps_for_known_and_unknown_names(
    counting: Counting, passwords: DevicePasswords
) -> None:
    """T-20: the lookup is by the hash of the secret, so the name cannot change what is done."""
    answers = [passwords.signed(name, b"wrong") for name in (b"anna", b"nobody", b"", b"\xff\0")]

    assert (answers, counting.reads, counting.writes) == ([None] * 4, 4, 0)


def test_a_stolen_secret_under_another_name_is_not_remembered_as_used(
    counting: Counting, passwords: DevicePasswords, household: Household
) -> None:
    assert passwords.signed(b"ben", household.anna.password.encode()) is None
    assert counting.writes == 0


def test_guessing_is_answered_with_429_and_the_right_password_still_passes(
    nobody: DavClient, anna: DavClient, household: Household
) -> None:
    """R-45."""
    guesses = [nobody.ask("PROPFIND", "/", Authorization=basic("anna", f"guess-{n}")) for n in range(FREE_FAILURES + 5)]

    assert [guess.status for guess in guesses] == [401] * FREE_FAILURES + [429] * 5
    assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60
    assert anna.ask("PROPFIND", "/").status == 207
    household.clock.advance(timedelta(minutes=5))
    assert nobody.ask("PROPFIND", "/", Authorization=basic("anna", "guess")).status == 401


def test_the_limit_is_per_address_and_per_network_for_ipv6() -> None:
    limit = FailureLimit(now=Clock())
    for _ in range(FREE_FAILURES):
        assert limit.fail("2001:db8::1") is None

    assert limit.fail("2001:db8::ffff") is not None
    assert limit.fail("2001:db8:0:1::1") is None
    assert limit.fail("192.0.2.1") is None
    assert limit.fail("fe80::1%eth0") is None
    assert limit.fail("") is None


def test_the_limit_remembers_a_bounded_number_of_addresses() -> None:
    clock = Clock()
    limit = FailureLimit(now=clock)
    for n in range(MAX_ADDRESSES * 2):
        limit.fail(f"192.0.2.{n}")

    assert len(limit._recovered_at) <= MAX_ADDRESSES


def test_many_addresses_do_not_buy_those_who_guess_most_a_new_beginning() -> None:
    limit = FailureLimit(now=Clock())
    for _ in range(FREE_FAILURES):
        limit.fail("198.51.100.7")
    for n in range(3 * MAX_ADDRESSES):  # spoofed, or a botnet
        limit.fail(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")

    assert limit.fail("198.51.100.7") is not None


def test_credentials_keep_colons_and_bytes_of_the_password() -> None:
    assert credentials(encoded(b"anna:a:b\xff")) == (b"anna", b"a:b\xff")
