"""All tables' methods in one object: what ``read()`` and ``write()`` of the store hand out."""

from ccdaemon.store.accounts import AccountsReader, AccountsWriter
from ccdaemon.store.collections import CollectionsReader
from ccdaemon.store.devices import DevicesReader, DevicesWriter
from ccdaemon.store.grants import GrantsReader, GrantsWriter
from ccdaemon.store.held import HeldReader, HeldWriter
from ccdaemon.store.items import ItemsReader
from ccdaemon.store.leases import LeasesWriter
from ccdaemon.store.listing import ListingReader
from ccdaemon.store.local import LocalWriter
from ccdaemon.store.originals import OriginalsReader, OriginalsWriter
from ccdaemon.store.persons import PersonsReader, PersonsWriter
from ccdaemon.store.properties import PropertiesReader, PropertiesWriter
from ccdaemon.store.quarantine import QuarantineReader, QuarantineWriter
from ccdaemon.store.quiet import QuietReader, QuietWriter
from ccdaemon.store.runs import RunsReader, RunsWriter
from ccdaemon.store.search import SearchReader
from ccdaemon.store.trash import TrashReader, TrashWriter


class SqlReader(
    PersonsReader,
    DevicesReader,
    AccountsReader,
    GrantsReader,
    CollectionsReader,
    OriginalsReader,
    HeldReader,
    ItemsReader,
    ListingReader,
    SearchReader,
    PropertiesReader,
    QuarantineReader,
    QuietReader,
    RunsReader,
    TrashReader,
):
    """A ``base.Reader``."""


class SqlTransaction(
    PersonsWriter,
    DevicesWriter,
    AccountsWriter,
    GrantsWriter,
    LeasesWriter,
    LocalWriter,
    OriginalsWriter,
    HeldWriter,
    PropertiesWriter,
    QuarantineWriter,
    QuietWriter,
    RunsWriter,
    TrashWriter,
    SqlReader,
):
    """A ``base.Transaction``."""
