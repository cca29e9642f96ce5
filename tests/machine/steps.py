"""What can happen in a history, how often, and which of it happens in which."""

import random
from dataclasses import dataclass

STEPS = 15

TRAITS = {
    "lag": 0.5,  # replicas lag behind
    "disorder": 0.5,  # duplicates, any order
    "stale": 0.3,  # old versions after new ones, ends before beginnings
    "silence": 0.4,  # what belongs to a series ends without a word
    "photos": 0.5,
    "poison": 0.5,
    "crashes": 0.6,
    "duets": 0.5,  # two processes at once
    "jumps": 0.2,  # of the clock
    "books": 0.2,  # a second book, both come and go
    "crowd": 0.12,  # so many objects that the guard counts them
    "people": 0.4,  # take back Runs, put back what is in the trash
}
"""What can happen in a history, and how often a seed has it: with everything in each, much would never meet alone."""

WEIGHTS = {
    "edit": 6,
    "delete": 3,
    "undelete": 1,
    "expire": 1,
    "rename": 2,
    "map_anew": 1,
    "pull": 6,
    "duet": 2,
    "jump": 1,
    "list_books": 3,
    "wipe": 1,
    "refill": 1,
    "decide": 2,
    "wait": 1,
    "undo": 1,
    "restore": 1,
}
NEEDS = {
    "duet": "duets",
    "jump": "jumps",
    "list_books": "books",
    "undo": "people",
    "restore": "people",
}  # the trait without which a step does not happen


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that happens. Steps before it may be left out without making it another."""

    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name}:{self.seed}"


def planned(seed: int) -> list[Step]:
    """The steps of a seed."""
    chance = random.Random(f"plan {seed}")
    traits = traits_of(seed)
    possible = {name: weight for name, weight in WEIGHTS.items() if NEEDS.get(name, name) in {name, *traits}}
    names = chance.choices(list(possible), list(possible.values()), k=STEPS)
    first = ["fill"] if "crowd" in traits else []
    if "people" in traits:  # what a person says last shows best whether it holds
        first_word = chance.choice(["edit", "delete"]), "pull", chance.choice(["undo", "restore"])
        names[-4:] = [*first_word, chance.choice(["map_anew", "rename", "wait"])]
    return [Step(name=name, seed=chance.randrange(10**6)) for name in (*first, *names)]


def traits_of(seed: int) -> frozenset[str]:
    """What this seed's history may have."""
    chance = random.Random(f"traits {seed}")
    traits = frozenset(name for name, share in TRAITS.items() if chance.random() < share)
    if "people" in traits and chance.random() < 0.5:  # of what lags nobody can say what is known
        return traits - {"lag", "stale"}
    return traits
