"""Who lives at the sandbox, and the installation that pulls their accounts."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak.readers import Client
from tests.system.installation import Cloud, Installation, free_address

CONTACTS, EVENTS = 40, 50  # of each identity at each cloud
INTERVAL_SECONDS = 10
PROVIDERS = ("google", "microsoft")
IDENTITIES_OF_A_PERSON = 2
AT_ONCE = 4  # enrolments


@dataclass(frozen=True, kw_only=True)
class Account:
    """One identity at one cloud."""

    identity: str  # the sandbox's name for who it is
    provider: str
    person: str  # to whom it belongs here

    @property
    def label(self) -> str:
        return f"{self.identity} at {self.provider}"


@dataclass(frozen=True, kw_only=True)
class Town:
    """Accounts of both clouds in one installation."""

    cloud: Cloud
    installation: Installation
    accounts: Sequence[Account]

    @property
    def hostile(self) -> Account:
        """The one whose provider never answers well."""
        return self.accounts[0]

    @property
    def persons(self) -> list[str]:
        return list(dict.fromkeys(account.person for account in self.accounts))

    def enroll(self, account: Account) -> None:
        """Give consent, also again."""
        status = self.installation.enroll(
            account.provider, account.identity, "--person", account.person, "--label", account.label
        )
        assert status == 0, f"{account.label} could not be enrolled"

    def client(self, person: str, url: str) -> Client:
        """A device of this person."""
        made = self.installation.json("device", "add", "reader", "--person", person)
        return Client(url=url, user=made["user"], password=made["password"])

    def status(self) -> dict[str, Any]:
        """What ``status`` says of each account, by its label."""
        return {account["label"]: account for account in self.installation.status()["accounts"]}

    def sync(self, *options: str) -> list[dict[str, Any]]:
        """``ccdaemon sync``; its Runs, whatever became of them."""
        done = self.installation.run("sync", "--json", *options, ok=False)
        runs: list[dict[str, Any]] = json.loads(done.stdout)["runs"]
        return runs


def settled(folder: Path, *, accounts: int, seed: int) -> Town:
    """Everybody enrolled and pulled once."""
    identities = (accounts + 1) // len(PROVIDERS)
    cloud = Cloud(contacts=CONTACTS, events=EVENTS, seed=seed, people=identities, is_checked=False)
    folder.mkdir()
    installation = Installation(folder, cloud, env={"CCDAEMON_DAV__LISTEN": free_address()})
    installation.write_config(f'[sync]\ninterval = "{INTERVAL_SECONDS}s"')
    people = [person["id"] for person in cloud.ask("people")["people"]]
    town = Town(cloud=cloud, installation=installation, accounts=list(_accounts(people))[:accounts])
    first, *others = town.persons
    installation.run("init", "--person", first)
    for other in others:
        installation.run("person", "add", other)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(town.enroll, town.accounts))
    failed = [run for run in town.sync() if run["outcome"] != "done"]
    assert failed == [], failed
    return town


def _accounts(identities: Sequence[str]) -> Iterator[Account]:
    for number, identity in enumerate(identities):
        for provider in PROVIDERS:
            yield Account(identity=identity, provider=provider, person=f"person{number // IDENTITIES_OF_A_PERSON + 1}")
