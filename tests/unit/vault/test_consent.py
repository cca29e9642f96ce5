"""From a sign-in to a stored grant (T-06, T-08, R-35)."""

import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ccdaemon.errors import BadData, ConsentNeeded, NotPermitted
from ccdaemon.model import CLOUDS, Account, Person, ProviderName, Purpose
from ccdaemon.store.base import Store
from ccdaemon.vault.consent import Enrolled, new_ref, record, sign_in
from ccdaemon.vault.sealer import Sealer
from tests.unit.vault.cloud import HOUR, START, Cloud, Granted

LATER = START + HOUR
BOTH = (Purpose.CONTACTS, Purpose.CALENDAR)


class Desk:
    """Records consents of one person, and lets the test say what differs."""

    def __init__(self, store: Store, sealer: Sealer, cloud: Cloud, ann: Person) -> None:
        self.store, self.sealer, self.cloud, self.ann = store, sealer, cloud, ann

    def record(self, granted: Granted | None = None, **options: object) -> Enrolled:
        arguments = {"person_id": self.ann.id, "purposes": BOTH, "write": False, "now": LATER} | options
        return record(
            self.store,
            self.sealer,
            self.cloud,
            granted or self.cloud.granted(BOTH),
            **arguments,  # type: ignore[arg-type]
        )

    def accounts(self) -> list[Account]:
        with self.store.read() as tx:
            return list(tx.accounts())

    def refresh_token(self, account: Account) -> str:
        with self.store.read() as tx:
            return self.sealer.open_refresh_token(account.id, tx.sealed_refresh_token(account.id) or b"")


@pytest.fixture
def desk(store: Store, sealer: Sealer, cloud: Cloud, ann: Person) -> Desk:
    return Desk(store, sealer, cloud, ann)


# --- signing in


def browse(url: str, **answer: str) -> None:
    """What a browser does once the person has consented."""
    query = parse_qs(urlsplit(url).query)
    target = query["redirect_uri"][0] + "?" + "&".join(f"{name}={value}" for name, value in answer.items())
    with urllib.request.urlopen(target + f"&state={query['state'][0]}", timeout=10) as page:
        assert page.status == 200


def opened_in(browser: ThreadPoolExecutor, **answer: str) -> Callable[[str], None]:
    """Shows the link to a browser that works on its own."""

    def show(url: str) -> None:
        browser.submit(browse, url, **answer)

    return show


@pytest.mark.parametrize("provider", list(CLOUDS))
def test_a_sign_in_in_the_browser_gives_what_was_granted(cloud: Cloud, provider: ProviderName) -> None:
    cloud.provider = provider
    with ThreadPoolExecutor(1) as browser:
        granted = sign_in(cloud, BOTH, write=False, show=opened_in(browser, code="c"))

    assert granted == cloud.granted(BOTH)


def test_a_pasted_address_gives_what_was_granted(cloud: Cloud) -> None:
    reader, writer = os.pipe()

    def paste(url: str) -> None:
        query = parse_qs(urlsplit(url).query)
        os.write(writer, f"{query['redirect_uri'][0]}?code=c&state={query['state'][0]}\n".encode())

    granted = sign_in(cloud, BOTH, write=False, show=paste, pasted_from=reader)
    os.close(reader)
    os.close(writer)

    assert granted == cloud.granted(BOTH)


def test_a_denied_consent_is_not_permitted(cloud: Cloud) -> None:
    with ThreadPoolExecutor(1) as browser, pytest.raises(NotPermitted, match="said no"):
        sign_in(cloud, BOTH, write=False, show=opened_in(browser, error="access_denied"))


def test_a_closed_window_asks_for_a_new_start(cloud: Cloud) -> None:
    shown: list[str] = []
    with pytest.raises(ConsentNeeded, match=r"window of .* closed; start `ccdaemon enroll` again"):
        sign_in(cloud, BOTH, write=False, show=shown.append, window=timedelta(seconds=0.01))

    assert len(shown) == 1


# --- recording


def test_a_first_consent_makes_an_account(desk: Desk) -> None:
    enrolled = desk.record()

    assert desk.accounts() == [enrolled.account]
    assert (enrolled.is_new, enrolled.granted, enrolled.missing) == (True, BOTH, ())
    assert (enrolled.account.subject, enrolled.account.label) == ("subject-of-ann", "ann@example.org")
    assert desk.refresh_token(enrolled.account) == "CNRY-refresh-first"


def test_nothing_secret_is_stored_in_clear(desk: Desk, database_url: str) -> None:
    """I4."""
    desk.record()
    files = list(Path(database_url.removeprefix("sqlite:///")).parent.iterdir())

    assert len(files) >= 2
    assert [file.name for file in files if b"CNRY" in file.read_bytes()] == []


def test_a_new_consent_of_a_known_subject_keeps_the_account(desk: Desk) -> None:
    """T-06: the address is a label, the subject is the key."""
    first = desk.record(label="Ann at home").account
    desk.cloud.address = "ann.new-name@example.org"
    again = desk.record(write=True)

    assert again.is_new is False
    assert again.account == replace(first, address="ann.new-name@example.org", writable=True)
    assert desk.accounts() == [again.account]


def test_a_new_consent_for_less_is_refused_with_what_to_ask_for(desk: Desk) -> None:
    """What is left out would end being pulled without a word."""
    before = desk.record().account

    with pytest.raises(NotPermitted, match=r"as well: ask for all of it, --service contacts --service calendar"):
        desk.record(purposes=(Purpose.CONTACTS,))
    assert desk.accounts() == [before]


def test_a_new_consent_moves_the_generation_and_ends_the_alarm(desk: Desk) -> None:
    account = desk.record().account
    with desk.store.write() as tx:
        before = tx.fail_grant(account.id, error="consent_needed", needs_consent=True, now=START)
    desk.record()
    with desk.store.read() as tx:
        after = tx.grant(account.id)

    assert after is not None
    assert (after.generation, after.failures, after.needs_consent) == (before.generation + 1, 0, False)


def test_a_disconnected_account_is_enrolled_again_with_its_data(desk: Desk) -> None:
    account = desk.record().account
    with desk.store.write() as tx:
        tx.drop_grant(account.id)

    assert desk.record().account.id == account.id
    assert desk.refresh_token(account) == "CNRY-refresh-first"


def test_another_subject_with_the_same_address_is_another_account(desk: Desk) -> None:
    """T-06."""
    first = desk.record().account
    desk.cloud.subject = "subject-of-somebody-else"
    second = desk.record().account

    assert second.id != first.id
    assert [account.label for account in desk.accounts()] == ["ann@example.org", "ann@example.org (2)"]
    assert desk.refresh_token(first) == "CNRY-refresh-first"


def test_renewing_an_account_with_another_identity_is_refused(desk: Desk) -> None:
    """R-35: the old credential is intact."""
    account = desk.record().account
    desk.cloud.subject = "subject-of-somebody-else"

    with pytest.raises(NotPermitted, match="signed in as a different account"):
        desk.record(expect_account=account.id)

    assert desk.accounts() == [account]
    assert desk.refresh_token(account) == "CNRY-refresh-first"


def test_renewing_an_account_with_a_known_other_identity_is_refused(desk: Desk) -> None:
    first = desk.record().account
    desk.cloud.subject = "subject-of-somebody-else"
    desk.record()

    with pytest.raises(NotPermitted, match="signed in as a different account"):
        desk.record(expect_account=first.id)


def test_renewing_an_account_with_its_own_identity_works(desk: Desk) -> None:
    account = desk.record().account

    assert desk.record(expect_account=account.id).account == account


def test_an_account_of_another_person_is_refused(desk: Desk) -> None:
    account = desk.record().account
    with desk.store.write() as tx:
        bob = tx.add_person("bob", START)

    with pytest.raises(NotPermitted, match="another person"):
        desk.record(person_id=bob.id)

    assert desk.accounts() == [account]


def test_the_same_subject_at_the_other_provider_is_another_account(desk: Desk) -> None:
    first = desk.record().account
    desk.cloud.provider = ProviderName.GOOGLE

    assert desk.record().account.id != first.id


def test_what_the_person_unticked_is_told(desk: Desk) -> None:
    """T-08: fewer scopes are a degraded account, not an error."""
    desk.cloud.withheld = (Purpose.CALENDAR,)
    enrolled = desk.record()

    assert (enrolled.granted, enrolled.missing) == ((Purpose.CONTACTS,), (Purpose.CALENDAR,))
    assert enrolled.account.purposes == BOTH


def test_a_consent_to_nothing_is_refused(desk: Desk) -> None:
    desk.cloud.withheld = BOTH

    with pytest.raises(NotPermitted, match=r"none of what was asked for was granted \(contacts, calendar\)"):
        desk.record()

    assert desk.accounts() == []


@pytest.mark.parametrize(("provider", "why"), [("google", "once per person"), ("microsoft", "offline_access")])
def test_a_consent_without_a_refresh_token_is_refused_with_its_reason(desk: Desk, provider: str, why: str) -> None:
    desk.cloud.gives_refresh_token = False
    desk.cloud.provider = ProviderName(provider)

    with pytest.raises(NotPermitted, match=why):
        desk.record()

    assert desk.accounts() == []


def test_a_taken_label_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    account = desk.record(label="home").account
    desk.cloud.subject = "subject-of-somebody-else"

    with pytest.raises(BadData):
        desk.record(label="home")

    assert desk.accounts() == [account]


def test_an_identity_without_an_address_is_called_by_its_provider(desk: Desk) -> None:
    desk.cloud.address = ""

    assert desk.record().account.label == "microsoft"


def test_an_access_token_whose_audience_nobody_can_tell_is_not_kept(desk: Desk) -> None:
    granted = desk.cloud.granted(BOTH)
    mixed = replace(granted, access=replace(granted.access, scopes=("contacts", "mail")))
    account = desk.record(mixed).account
    with desk.store.read() as tx:
        kept = [tx.sealed_access_token(account.id, audience) for audience in ("graph", "outlook")]

    assert kept == [None, None]


def test_refs_are_short_opaque_and_different() -> None:
    refs = {new_ref() for _ in range(1000)}

    assert len(refs) == 1000
    assert {len(ref) for ref in refs} == {8}
    assert all(ref.isalnum() and ref == ref.lower() for ref in refs)
