"""One collection over a cloud in memory, on the real store."""

from datetime import UTC, datetime, timedelta

from ccdaemon.model import Kind, ProviderName, Purpose, Run
from ccdaemon.store.base import Store
from ccdaemon.sync.worker import Worker
from tests.machine.cloud import Cloud, CloudRemote, Faults, TextCodec

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Bench:
    """What a test changes (``cloud``, ``faults``, ``codec``, ``clock``, ``worker``) counts from the next pull on."""

    def __init__(self, store: Store, cloud: Cloud) -> None:
        self.store, self.cloud, self.codec, self.clock = store, cloud, TextCodec(), NOW
        self.faults = Faults()
        with store.write() as tx:
            person = tx.add_person("ada", NOW)
            self.account = tx.add_account(
                person_id=person.id, provider=ProviderName.GOOGLE, subject="s", ref="r", label="l", address="",
                purposes=[Purpose.CONTACTS], writable=False, now=NOW,
            )  # fmt: skip
        self.worker = Worker(
            store=store,
            remote=lambda _account, _kind: CloudRemote(cloud, self.faults),
            kinds=lambda _account: (Kind.CONTACTS,),
            codec=lambda _provider, _kind: self.codec,
            interval=timedelta(minutes=15),
            now=lambda: self.clock,
            owner="bench",
        )
        self.worker.list_collections(self.account)
        with store.read() as tx:
            self.collection_id = tx.collections()[0].id

    def pull(self, **options: bool) -> Run | None:
        return self.worker.pull(self.collection_id, **options)

    def bodies(self) -> dict[str, str]:
        with self.store.read() as tx:
            return {item.group_id: item.body for item in tx.items(self.collection_id)}

    def cursor(self) -> str | None:
        with self.store.read() as tx:
            collection = tx.collection(self.collection_id)
        assert collection is not None
        return collection.cursor

    def rows(self) -> list[tuple[object, ...]]:
        """Everything that is stored of originals and items."""
        with self.store.read() as tx:
            return [
                tuple(row)
                for table in ("originals", "items", "quarantine")
                for row in tx.connection.exec_driver_sql(f"SELECT * FROM {table}")
            ]

    def write(self, remote_id: str, text: str, *, photo: str | None = None) -> None:
        self.cloud.write(remote_id, {"id": remote_id, "text": text, "photo": photo})
