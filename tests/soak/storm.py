"""What goes wrong on the way: a share of all answers, and every answer to one account.

Most accounts get what a client can see to be wrong. Who is told by a feed of changes that nothing changed, or that
something is gone, has to believe it: only the hostile account is lied to like that, and only a complete listing sets
it right again (``verdict.bring_to_rest``).
"""

import random
import threading
from collections import Counter
from typing import Any

import requests

from tests.soak.town import Account, Town

Json = dict[str, Any]

SHARE = 0.05  # of all requests
TURN_SECONDS = 0.25
PENDING = 40  # faults that wait for a request, at most
FOREIGN = "https://elsewhere.example"
HOSTS = {"google": ("people.googleapis.com", "www.googleapis.com"), "microsoft": ("graph.microsoft.com",)}
"""Where the data of an account is: an identity has an account at each cloud, and only one of them is meant."""
LISTS_ALL = r"^(?!.*([sS]yncToken|[$](delta|skip)token)=)"
"""Queries of what is no feed of changes: an empty answer to it is for the guard to doubt."""
QUOTA: Json = {"error": {"code": 403, "message": "Quota", "errors": [{"reason": "rateLimitExceeded"}]}}

COMMON: tuple[Json, ...] = (
    {"status": 500, "body": "down"},
    {"status": 502, "html": True},
    {"status": 503, "body": "later", "headers": {"Retry-After": "1"}},
    {"status": 429, "body": "slowly", "headers": {"Retry-After": "2"}},
    {"status": 403, "body": QUOTA},
    {"status": 401, "body": {"error": {"code": 401, "message": "stale", "status": "UNAUTHENTICATED"}}},
    {"html": True},
    {"body": {}},
    {"reset": True},
    {"reset_after_commit": True},
    {"truncate_at": 200},
    {"delay_seconds": 2},
    {"drop_terminal": True},
    {"empty_listing": True, "query": LISTS_ALL},
    {"duplicate": True},
    {"reorder": True},
)
HOSTILE: tuple[Json, ...] = (
    *COMMON,
    {"empty_listing": True},
    {"hang_seconds": 8},
    {"slow_bytes_per_second": 200},
    {"gzip_bomb": 64},
    {"foreign_link": FOREIGN},
    {"status": 429, "body": "never", "headers": {"Retry-After": "86400"}},
    {"status": 404, "body": {"error": {"code": 404, "message": "gone"}}},
    {"status": 410, "body": {"error": {"code": 410, "message": "gone"}}},
    {"status": 302, "body": "", "headers": {"Location": FOREIGN}},
    {"status": 204, "body": ""},
    {"body": {"items": None, "value": None, "connections": None}},
)


class Storm:
    """Spoils answers until told to stop."""

    def __init__(self, town: Town, chance: random.Random) -> None:
        self._town = town
        self._chance = chance
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="storm", daemon=True)
        self._asked = 0
        self._owed = 0.0
        self.fired: Counter[str] = Counter()

    def start(self) -> None:
        self._asked = self._requests()
        self._thread.start()

    def stop(self) -> None:
        """No fault is left afterwards."""
        self._stop.set()
        self._thread.join()
        self._clear()

    def _go_on(self) -> None:
        while not self._stop.wait(TURN_SECONDS):
            try:
                self._turn()
            except requests.RequestException:  # the sandbox is busy
                continue

    def _turn(self) -> None:
        asked = self._requests()
        self._owed += (asked - self._asked) * SHARE
        self._asked = asked
        pending = self._pending()
        while self._owed >= 1 and pending < PENDING:
            self._owed -= 1
            pending += 1
            self._add(self._chance.choice(self._town.accounts), COMMON)
        for _ in range(2):
            self._add(self._town.hostile, HOSTILE)

    def _add(self, account: Account, choices: tuple[Json, ...]) -> None:
        do = dict(self._chance.choice(choices))
        match: Json = {"person": account.identity, "host": self._chance.choice(HOSTS[account.provider])}
        if "query" in do:
            match["query"] = do.pop("query")
        if account == self._town.hostile:
            match["times"] = self._chance.randrange(1, 4)
        else:
            match["nth"] = self._chance.randrange(1, 4)
        self._town.cloud.tell("faults", match=match, do=do)

    def _requests(self) -> int:
        counted: dict[str, int] = self._town.cloud.ask("counters")
        return sum(counted.values())

    def _pending(self) -> int:
        """Faults that have not happened yet; those that have are counted and forgotten."""
        rules = self._town.cloud.ask("faults")["faults"]
        over = [rule for rule in rules if self._is_over(rule)]
        for rule in over:
            self.fired[_name(rule)] += rule["fired"]
            self._town.cloud.forget(f"faults/{rule['id']}")
        return len(rules) - len(over)

    def _is_over(self, rule: Json) -> bool:
        match = rule["match"]
        return bool(rule["seen"] >= match["nth"] if "nth" in match else rule["fired"] >= match["times"])

    def _clear(self) -> None:
        for rule in self._town.cloud.ask("faults")["faults"]:
            self.fired[_name(rule)] += rule["fired"]
        self._town.cloud.forget("faults")


def _name(rule: Json) -> str:
    """The kind of a fault, in a word or two."""
    do = rule["do"]
    words = [key for key in do if key not in {"status", "body", "headers"}]
    return " ".join([*([str(do["status"])] if "status" in do else []), *words]) or "odd body"
