"""A database with a row in every table, for tests of what watches over all of them."""

from dataclasses import replace

from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import Base, BodyIndex, Decision, Fingerprint, Held, Kind, Outcome, ProviderName, Run
from ccdaemon.store.base import Draft, Transaction
from tests.contract.store.scene import MINUTE, NOW, Scene, enrolled, original, photo, shared

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:Lunch {uid}\r\n"
    "DTSTART:20261124T120000Z\r\nDTEND:20261124T130000Z\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
)
MORE = ("", "RRULE:FREQ=DAILY;COUNT=9\r\n", "RRULE:FREQ=WEEKLY\r\n", "DESCRIPTION:" + "long " * 2000 + "\r\n")


def event(number: int, *, more: str | None = None) -> Draft:
    """With what queries are told of it."""
    uid = f"event-{number}"
    body = EVENT.format(uid=uid, more=MORE[number % len(MORE)] if more is None else more)
    told = BodyIndex(uid=uid, component="VEVENT", name="Lunch", starts_at=0, ends_at=1, recurring=False)
    search = search_index(body, "VEVENT", now=NOW)
    return Draft(group_id=uid, href=f"{uid}.ics", body=body, index=told, base=None, search=search)


def fill_everything(tx: Transaction, *, events: int) -> Scene:
    """Nothing of it is damage: also what is shared, held, in quarantine, in the trash, hidden and put back."""
    scene = enrolled(tx, "ada")
    _pull(tx, scene, [event(number) for number in range(events)])
    _decide(tx, scene)
    _keep_here_only(tx, scene)
    tx.save_access_token(scene.account.id, "all", sealed=b"token", expires_at=NOW, generation=scene.grant.generation)
    tx.take_lease("collection:1", "me", now=NOW, until=NOW)
    tx.add_device(scene.person.id, "phone", bytes(32), NOW)
    tx.audit(actor="cli", action="test", subject="ada", now=NOW)
    return scene


def _pull(tx: Transaction, scene: Scene, drafts: list[Draft]) -> None:
    calendar, book = scene.calendar.id, scene.book.id
    tx.observe(calendar, [original(draft.group_id, payload={"text": "word " * 200}) for draft in drafts])
    tx.observe(calendar, [original("later", group_id="event-1"), photo("event-2", etag="e"), shared("all")])
    tx.put_many(calendar, drafts, now=NOW)
    tx.put_many(calendar, [event(0, more="LOCATION:Here\r\n")], now=NOW + MINUTE, keeps_earlier=True)
    tx.observe(book, [original("bad")])
    tx.quarantine(book, "bad", "no name", NOW)
    tx.add_run(
        Run(
            account_id=scene.account.id,
            collection_id=calendar,
            started_at=NOW,
            finished_at=NOW + MINUTE,
            outcome=Outcome.DONE,
            full=True,
            added=len(drafts),
        )
    )


def _decide(tx: Transaction, scene: Scene) -> None:
    """What people said, or have to say."""
    calendar = scene.calendar.id
    hidden = tx.item_of_group(calendar, "event-3")
    assert hidden is not None
    tx.hide(hidden.id, remote=Fingerprint("shown"), now=NOW)
    put_back = replace(event(99), base=Base(local=Fingerprint("body"), remote=None))
    tx.put_many(calendar, [put_back], now=NOW)
    held = Held(
        collection_id=calendar,
        remote_id="event-0",
        group_id="event-0",
        found_at=NOW,
        confirmed_at=None,
        decision=Decision.NONE,
    )
    tx.set_held(calendar, [held])


def _keep_here_only(tx: Transaction, scene: Scene) -> None:
    tx.add_account(
        person_id=scene.person.id,
        provider=ProviderName.LOCAL,
        subject="local",
        ref="ref-of-local",
        label="local",
        address="",
        purposes=[],
        writable=True,
        now=NOW,
    )
    own = tx.add_local_collection(scene.person.id, Kind.EVENTS, href="own", name="Own", description="", now=NOW)
    tx.put_many(own.id, [event(0), event(1)], now=NOW)
    tx.remove(own.id, "event-1.ics", now=NOW)
    tx.set_properties(own.id, {"{DAV:}displayname": "<displayname/>"})
