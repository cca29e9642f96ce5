"""Once all is quiet: what the clouds hold, what is stored, what DAV shows and what is exported, compared."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.soak.readers import Reader
from tests.soak.town import Town
from tests.system.files import read_card, read_series
from tests.system.truth import expected, names

READ: Mapping[str, Callable[[str], object]] = {"contacts": read_card, "events": read_series}
STORED = (
    "SELECT a.label, c.kind, c.name, c.href, i.href, i.body FROM items i"
    " JOIN collections c ON c.id = i.collection_id JOIN accounts a ON a.id = c.account_id WHERE NOT i.deleted"
)
QUARANTINED = "SELECT COUNT(*) FROM quarantine"
PLACE = "SELECT id, revision, generation FROM collections ORDER BY id"
EXPORTS = {"contacts": ("contacts", "--format", "vcf"), "events": ("events", "--format", "ics")}
CARD = re.compile(r"^BEGIN:VCARD$.*?^END:VCARD$", re.DOTALL | re.MULTILINE)  # a note may look like one
UID = re.compile(r"^UID:(.*(?:\r?\n[ \t].*)*)", re.MULTILINE)
ALARMING = ("Traceback", '"defect"', "defect in ")
SHOWN = 3  # of the differences of one place


def bring_to_rest(town: Town) -> list[str]:
    """At most two cycles, and what a person has to say where deletions are held; what did not work."""
    for label, account in town.status().items():
        if account["state"] == "needs_consent":
            town.enroll(next(one for one in town.accounts if one.label == label))
    town.sync()
    hostile = town.status()[town.hostile.label]["account"]
    town.sync("--full", hostile)  # it was lied to as no feed of changes can set right
    failed = [run for run in town.sync() if run["outcome"] != "done"]
    if _held(town):  # by listings that were spoilt, or for good reason: a whole one tells
        town.sync("--full")
        for ref in _held(town):
            town.installation.run("deletions", "approve", ref)
        failed = [run for run in town.sync() if run["outcome"] != "done"]
    return [f"a sync after the faults fails: {run}" for run in failed]


def _held(town: Town) -> list[str]:
    """Accounts some of whose deletions are held."""
    accounts = town.installation.status()["accounts"]
    return [one["account"] for one in accounts if any(book["held_deletions"] for book in one["collections"])]


def of_quiet(town: Town) -> Iterator[str]:
    """I10: one more sync changes nothing; I11: nothing is left to be told."""
    before = town.installation.rows(PLACE)
    town.sync()
    if (after := town.installation.rows(PLACE)) != before:
        yield f"a sync with nothing new moved {[row for row in after if row not in before]}"
    for label, account in town.status().items():
        if account["state"] != "ok":
            yield f"{label} is {account['state']}"
    if (number := town.installation.rows(QUARANTINED)[0][0]) != 0:
        yield f"{number} objects are in quarantine"


def of_contents(town: Town, readers: Sequence[Reader]) -> Iterator[str]:
    """Clouds = store = DAV."""
    stored: dict[tuple[str, str, str], dict[tuple[str, str], str]] = {}
    for label, kind, name, collection, href, body in town.installation.rows(STORED):
        stored.setdefault((label, kind, name), {})[(collection, href)] = body
    shown = {place: body for reader in readers for place, body in _shown(reader)}
    kept = {place: body for place in stored.values() for place, body in place.items()}
    if kept.keys() != shown.keys():
        yield f"DAV and the store differ in {len(kept.keys() ^ shown.keys())} hrefs"
    if changed := [place for place in kept.keys() & shown.keys() if kept[place] != shown[place]]:
        yield f"DAV and the store differ in {len(changed)} bodies"
    for account in town.accounts:
        held = town.cloud.holds(account.provider, account.identity)
        for kind, name in names(held, account.provider):
            found = Counter(READ[kind](body) for body in stored.pop((account.label, kind, name), {}).values())
            wanted: Counter[object] = Counter(expected(held, account.provider, kind, name))
            yield from _difference(f"{account.label}, {name}", found, wanted)
    for place in stored:
        yield f"nobody's: {place}"


def _difference(where: str, found: Counter[object], wanted: Counter[object]) -> Iterator[str]:
    for what, differing in (("not in the cloud", found - wanted), ("missing", wanted - found)):
        for one in list(differing)[:SHOWN]:
            yield f"{where}: {what} ({differing.total()}): {one}"


def _shown(reader: Reader) -> Iterator[tuple[tuple[str, str], str]]:
    """Every item that the client was told of, as it is now; under the ETag that it was told."""
    for collection, mirror in reader.mirrors.items():
        for href, etag in mirror.etags.items():
            answer = reader.dav.request("GET", f"/{reader.dav.user}/{collection}/{href}")
            if answer.status_code != 200 or answer.headers.get("ETag") != etag:
                reader.problems.append(f"{collection}/{href}: {answer.status_code}, and not the ETag that was told")
            yield (collection, href), answer.content.decode()


def of_exports(town: Town) -> Iterator[str]:
    """Store = export: the same cards; the same events by their UIDs."""
    bodies: dict[str, list[str]] = {"contacts": [], "events": []}
    for _label, kind, _name, _collection, _href, body in town.installation.rows(STORED):
        bodies[kind].append(body)
    text = _lines(town.installation.run("export", *EXPORTS["contacts"]).stdout)
    exported = Counter(_digest(card) for card in CARD.findall(text))
    if exported != Counter(_digest(body) for body in bodies["contacts"]):
        yield f"exported contacts are not those that are stored ({exported.total()}, {len(bodies['contacts'])})"
    uids = set(UID.findall(_lines(town.installation.run("export", *EXPORTS["events"]).stdout)))
    if uids != {uid for body in bodies["events"] for uid in UID.findall(_lines(body))}:
        yield "exported events are not those that are stored"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _digest(card: str) -> str:
    return hashlib.sha256(_lines(card).strip().encode()).hexdigest()


def of_the_database(town: Town) -> Iterator[str]:
    """I12."""
    yield from (f"check: {finding}" for finding in town.installation.json("check", "--deep", ok=False)["findings"])


def of_the_log(town: Town) -> Iterator[str]:
    """Nothing that nobody expected."""
    lines = town.installation.log.read_text(errors="replace").splitlines()
    alarming = [line for line in lines if any(word in line for word in ALARMING)]
    if alarming:
        yield f"{len(alarming)} lines of the log are alarming, the first: {alarming[0][:400]}"
