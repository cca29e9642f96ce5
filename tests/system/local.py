"""A DAV server with somebody on it who keeps collections here only: no command makes such an account yet."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ccdaemon.store.engine import open_store
from tests.system.client import Dav
from tests.system.installation import Installation, Process
from tests.unit.dav.local import Local, add_local, add_local_account

PERSON = "ada"


def initialised(folder: Path) -> Installation:
    """An installation of ada with nothing in it."""
    folder.mkdir(exist_ok=True)
    installation = Installation(folder)
    installation.write_config()
    installation.run("init", "--person", PERSON)
    return installation


def give_collections(installation: Installation) -> Local:
    """A local account with a collection of each kind."""
    with closing(open_store(database_of(installation))) as store:
        return add_local(store, PERSON)


def give_account(installation: Installation) -> None:
    """A local account with nothing in it: a client makes what it wants."""
    with closing(open_store(database_of(installation))) as store, store.write() as transaction:
        person = transaction.person(PERSON)
        assert person is not None
        add_local_account(transaction, person)


def database_of(installation: Installation) -> str:
    """Its URL."""
    return installation.env.get("CCDAEMON_DATABASE_URL", f"sqlite:///{installation.folder}/data/ccdaemon.db")


@contextmanager
def serving(installation: Installation) -> Iterator[tuple[Process, Dav]]:
    """``ccdaemon dav``, and a client with a password of its own. It ends by SIGTERM with exit code 0."""
    process = installation.start("dav")
    try:
        yield process, installation.client(process.ready("READY dav"))
        assert process.terminate() == 0
    finally:
        process.close()
