"""The tables. A change here needs a migration of its own; the contract suite compares the two.

Names are the nouns of architecture.md. Every moment is UTC; every id is ours, never a provider's.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    false,
    text,
)

from ccdaemon.model import TIME_MAX, TIME_MIN
from ccdaemon.store.columns import CleanText, Id, Utc, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

NOT_DELETED: dict[str, Any] = {"sqlite_where": text("deleted = 0"), "postgresql_where": text("NOT deleted")}
"""Condition of the indexes over living rows, written as each database compares it with ``~deleted``."""

DELETED: dict[str, Any] = {"sqlite_where": text("deleted = 1"), "postgresql_where": text("deleted")}

HIDDEN: dict[str, Any] = {
    "sqlite_where": text("deleted = 1 AND base_remote IS NOT NULL"),
    "postgresql_where": text("deleted AND base_remote IS NOT NULL"),
}
"""Items that a person took away though the provider has them: few."""

AWAITING_PHOTO: dict[str, Any] = {
    "sqlite_where": text("deleted = 0 AND part = 'photo' AND etag = ''"),
    "postgresql_where": text("NOT deleted AND part = 'photo' AND etag = ''"),
}
"""Living photos that could not be had yet: few, and asked for at the end of every pull."""

SHORT_SECONDS = 2 * 86_400
"""Occurrences up to this length are found by when they begin, all longer ones by looking at each of them."""

HEAD_CHARACTERS = 40
"""As much of a text as an index holds."""

COVERED_IN_PART = f"component <> '' AND covered_to < {TIME_MAX}"
COVERED_FROM_LATER = f"component <> '' AND covered_from > {TIME_MIN}"
"""Items of calendars whose occurrences may lie where ``occurrences`` does not tell. Most are covered for all times."""

ENCLOSING = ("starts_at", "ends_at", "component", "deleted")
"""Columns that make the two indexes below hold all that is asked of them."""

ENDS_OF_COVERAGE: dict[str, Any] = {
    "sqlite_where": text(f"deleted = 0 AND {COVERED_IN_PART}"),
    "postgresql_where": text(f"NOT deleted AND {COVERED_IN_PART}"),
}
BEGINNINGS_OF_COVERAGE: dict[str, Any] = {
    "sqlite_where": text(f"deleted = 0 AND {COVERED_FROM_LATER}"),
    "postgresql_where": text(f"NOT deleted AND {COVERED_FROM_LATER}"),
}

LAST: dict[str, Any] = {"sqlite_where": text("last = 1"), "postgresql_where": text("last")}

TEXTS_UNKNOWN: dict[str, Any] = {
    "sqlite_where": text("deleted = 0 AND texts_complete = 0"),
    "postgresql_where": text("NOT deleted AND NOT texts_complete"),
}
"""Living items whose texts ``search_texts`` does not hold: few once everything is indexed."""


persons = Table(
    "persons",
    metadata,
    Column("id", Id, primary_key=True),  # never reused
    Column("name", CleanText, nullable=False),  # DAV user name and path segment
    Column("created_at", Utc, nullable=False),  # when the person was added
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

devices = Table(
    "devices",
    metadata,
    Column("id", Id, primary_key=True),  # never reused
    Column("person_id", ForeignKey("persons.id", ondelete="CASCADE"), nullable=False),  # whom it signs in
    Column("name", CleanText, nullable=False),  # chosen by the person
    Column("secret_hash", LargeBinary, nullable=False),  # SHA-256 of a generated password: 128 random bits need no salt
    Column("created_at", Utc, nullable=False),  # when its password was made
    Column("last_used_at", Utc),  # null: never
    UniqueConstraint("person_id", "name"),
    UniqueConstraint("secret_hash"),
    sqlite_autoincrement=True,
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),  # never reused: sealed values are bound to it
    Column("ref", CleanText, nullable=False),  # short opaque name for people and URLs
    Column("person_id", ForeignKey("persons.id"), nullable=False, index=True),  # the owner; keeps the person alive
    Column("provider", CleanText, nullable=False),  # model.ProviderName
    Column("subject", CleanText, nullable=False),  # the provider's immutable id of the identity
    Column("label", CleanText, nullable=False),  # what people call it and what commands take
    Column("address", CleanText, nullable=False),  # mail address at enrolment, for people only
    Column("purposes", Words, nullable=False),  # model.Purpose, asked for at the last consent
    Column("writable", Boolean, nullable=False),  # the person asked for write-back
    Column("paused", Boolean, nullable=False),  # no pulls until a person resumes it
    Column("grant_generation", BigInteger, nullable=False),  # highest ever given: outlives a dropped grant
    Column("created_at", Utc, nullable=False),  # first enrolment
    UniqueConstraint("ref"),
    UniqueConstraint("provider", "subject"),
    UniqueConstraint("label"),
    sqlite_autoincrement=True,
)

grants = Table(
    "grants",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),  # one consent per account
    Column("generation", BigInteger, nullable=False),  # moves with every consent and refresh
    Column("sealed_refresh_token", LargeBinary, nullable=False),  # ciphertext of the vault
    Column("scopes", Words, nullable=False),  # granted, as the provider named them
    Column("refresh_expires_at", Utc),  # null: the provider named no end
    Column("failures", Integer, nullable=False),  # refreshes that failed in a row
    Column("last_error", CleanText),  # stable word of errors.py
    Column("needs_consent", Boolean, nullable=False),  # believed dead: no refresh is tried
    Column("updated_at", Utc, nullable=False),  # last consent, refresh or failure
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),  # whose it is
    Column("audience", CleanText, nullable=False),  # what the token opens, in the vault's words
    Column("sealed", LargeBinary, nullable=False),  # ciphertext of the vault
    Column("expires_at", Utc, nullable=False),  # as the provider said
    Column("generation", BigInteger, nullable=False),  # of the grant that it came from
    PrimaryKeyConstraint("account_id", "audience"),
)

collections = Table(
    "collections",
    metadata,
    Column("id", Id, primary_key=True),  # never reused: leases are named after it
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),  # where it comes from
    Column("kind", CleanText, nullable=False),  # model.Kind
    Column("remote_id", CleanText, nullable=False),  # the provider's id
    Column("href", CleanText, nullable=False),  # opaque path segment, the same for ever
    Column("name", CleanText, nullable=False),  # for people
    Column("description", CleanText, nullable=False),  # for people; may be empty
    Column("color", CleanText),  # "#rrggbb"
    Column("time_zone", CleanText),  # IANA name
    Column("remote_writable", Boolean, nullable=False),  # what the provider would let the account do
    Column("is_primary", Boolean, nullable=False),  # the provider's default one
    Column("listed", Boolean, nullable=False),  # false: its end is believed; kept for its href and items
    Column("revision", BigInteger, nullable=False),  # moves by one with every item that changes: the ctag
    Column("floor", BigInteger, nullable=False),  # tombstones up to this revision were dropped
    Column("cursor", CleanText),  # null: the next pull lists everything
    Column("generation", BigInteger, nullable=False),  # of the last full listing that was begun
    Column("codec_version", Integer, nullable=False),  # of the Codec that every item was last mapped with; 0: none
    Column("next_pull_at", Utc, nullable=False),  # the schedule is this column
    Column("last_success_at", Utc),  # null: never pulled to the end
    Column("changed_at", Utc),  # when a pull last changed something; null: never
    Column("missing_since", Utc),  # the provider has not listed it since then; null: it does
    Column("failures", Integer, nullable=False),  # pulls that failed in a row
    Column("last_error", CleanText),  # stable word of errors.py
    Column("missing_decision", CleanText, nullable=False, server_default=""),  # model.Decision on its end
    UniqueConstraint("account_id", "kind", "remote_id"),
    # clients choose those of local ones: what one person may choose must not depend on what others have chosen
    UniqueConstraint("href", "account_id"),
    Index(None, "next_pull_at"),
    sqlite_autoincrement=True,
)

originals = Table(
    "originals",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),  # where it was seen
    Column("remote_id", CleanText, nullable=False),  # the provider's id; a photo's is its contact's + "#photo"
    Column("group_id", CleanText, nullable=False),  # equal ones make one item; "" for SHARED
    Column("part", CleanText, nullable=False),  # model.Part
    Column("etag", CleanText, nullable=False),  # the provider's version as it names it; may be empty
    Column("version", BigInteger, nullable=False),  # modified at the provider, microseconds since 1970; 0: unknown
    Column("generation", BigInteger, nullable=False),  # of the last full listing that showed it; 0: none did
    Column("deleted", Boolean, nullable=False),  # tombstone: remembered so that a lagging replica revives nothing
    Column(
        "payload", CleanText, nullable=False
    ),  # verbatim, as compact JSON; {} where deleted. Last: SQLite reads rows from the left
    PrimaryKeyConstraint("collection_id", "remote_id"),
    # with ``remote_id`` a group comes sorted, with the two others the list of groups needs no row
    Index("ix_originals_living", "collection_id", "group_id", "remote_id", "part", "deleted", **NOT_DELETED),
    Index("ix_originals_awaiting_photo", "collection_id", "group_id", **AWAITING_PHOTO),
)

items = Table(
    "items",
    metadata,
    Column("id", Id, primary_key=True),  # never reused
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),  # where it is shown
    Column("href", CleanText, nullable=False),  # opaque path segment; a tombstone keeps its own
    Column("group_id", CleanText, nullable=False),  # the originals that it was made of
    Column("etag", CleanText, nullable=False),  # quoted; from the body's bytes
    Column("revision", BigInteger, nullable=False),  # of the collection when this last changed or died
    Column("deleted", Boolean, nullable=False),  # tombstone: etag and body are the last living ones
    Column("uid", CleanText, nullable=False),  # of the body
    Column("component", CleanText, nullable=False),  # "VEVENT", "VTODO"; empty for a card
    Column("name", CleanText, nullable=False),  # SUMMARY or FN, for people
    Column("starts_at", BigInteger, nullable=False),  # POSIX seconds, inclusive, of the earliest occurrence
    Column("ends_at", BigInteger, nullable=False),  # POSIX seconds, exclusive, of the latest
    Column("recurring", Boolean, nullable=False),  # then the two above only enclose the occurrences
    Column("modified_at", Utc, nullable=False),  # when the body last changed, or when it died
    # fingerprints on which both sides agreed, of the body and of the group's body; both null: never. The second alone
    # null: the provider has none; the first, in a tombstone: a person took the item away
    Column("base_local", CleanText),
    Column("base_remote", CleanText),
    Column("body", CleanText, nullable=False),  # CRLF lines. After all that is read without it
    # added later, which puts them behind the body: queries read them from indexes
    Column("index_version", Integer, nullable=False, server_default="0"),  # of mapping.indexing; 0: never indexed
    Column("texts_complete", Boolean, nullable=False, server_default=false()),  # ``search_texts`` holds all there is
    Column("covered_from", BigInteger, nullable=False, server_default="0"),  # POSIX seconds: from here
    Column("covered_to", BigInteger, nullable=False, server_default="0"),  # to here ``occurrences`` holds all; 0: never
    Column("added_revision", BigInteger, nullable=False, server_default="0"),  # when its life began; 0: long ago
    UniqueConstraint("collection_id", "href"),
    Index("ix_items_living_group", "collection_id", "group_id", unique=True, **NOT_DELETED),
    Index("ix_items_uid", "collection_id", "uid"),
    # holds all that ``changes`` answers with, so that no body is read for a sync-token
    Index("ix_items_changes", "collection_id", "revision", "deleted", "href", "etag"),
    # the same for listings, in the order of hrefs
    Index("ix_items_listing", "collection_id", "href", "etag", "deleted", **NOT_DELETED),
    # what a query by time has to look at besides ``occurrences``, decided without reading a row
    Index("ix_items_covered_to", "collection_id", "covered_to", *ENCLOSING, **ENDS_OF_COVERAGE),
    Index("ix_items_covered_from", "collection_id", "covered_from", *ENCLOSING, **BEGINNINGS_OF_COVERAGE),
    Index("ix_items_texts_unknown", "collection_id", "texts_complete", "deleted", **TEXTS_UNKNOWN),
    Index("ix_items_index_version", "index_version", **NOT_DELETED),
    # over all collections: whose horizon comes near
    Index("ix_items_horizon", "covered_to", "ends_at", **ENDS_OF_COVERAGE),
    Index("ix_items_hidden", "collection_id", "group_id", **HIDDEN),
    Index("ix_items_trash", "modified_at", **DELETED),
    sqlite_autoincrement=True,
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("item_id", ForeignKey("items.id", ondelete="CASCADE"), nullable=False),  # a living item
    Column("collection_id", Id, nullable=False),  # the item's
    Column("starts_at", BigInteger, nullable=False),  # POSIX seconds, inclusive; floating: of the wall clock in UTC
    Column("ends_at", BigInteger, nullable=False),  # exclusive
    Column("floating", Boolean, nullable=False),  # where it lies depends on who asks
    Column("free_busy", CleanText, nullable=False),  # model.Span; empty: takes no time
    Column("long", Boolean, nullable=False),  # longer than SHORT_SECONDS
    Column("last", Boolean, nullable=False),  # no other of the item that floats as this one does ends later
    PrimaryKeyConstraint("item_id", "starts_at", "ends_at", "floating", "free_busy"),
    # holds all that a query by time reads
    Index("ix_occurrences_range", "collection_id", "floating", "long", "starts_at", "ends_at", "item_id", "free_busy"),
    # a query without an end reads one row of a series, not hundreds
    Index("ix_occurrences_last", "collection_id", "floating", "ends_at", "item_id", "last", **LAST),
    sqlite_with_rowid=False,
)

search_texts = Table(
    "search_texts",
    metadata,
    Column("collection_id", Id, nullable=False),  # the item's
    Column("property", CleanText, nullable=False),  # upper case
    Column("head", CleanText, nullable=False),  # first characters of the value: indexes of PostgreSQL hold no long text
    Column("item_id", ForeignKey("items.id", ondelete="CASCADE"), nullable=False),  # a living item
    Column("number", Integer, nullable=False),  # of the value among those of the item
    Column("value", CleanText, nullable=False),  # folded
    PrimaryKeyConstraint("collection_id", "property", "head", "item_id", "number"),
    Index(None, "item_id"),
    sqlite_with_rowid=False,
)

collection_properties = Table(
    "collection_properties",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),  # whose it is
    Column("name", CleanText, nullable=False),  # Clark name
    Column("value", CleanText, nullable=False),  # the element as XML text
    PrimaryKeyConstraint("collection_id", "name"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),  # where it was seen
    Column("group_id", CleanText, nullable=False),  # the originals that have no body
    Column("reason", CleanText, nullable=False),  # for people; no content of the object
    Column("since", Utc, nullable=False),  # first time in a row
    PrimaryKeyConstraint("collection_id", "group_id"),
)

held_deletions = Table(
    "held_deletions",
    metadata,
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),  # of the original
    Column("remote_id", CleanText, nullable=False),  # a living original that is said to be gone
    Column("group_id", CleanText, nullable=False),  # its own
    Column("found_at", Utc, nullable=False),  # first said
    Column("confirmed_at", Utc),  # by a second complete listing; null: not yet
    Column("decision", CleanText, nullable=False),  # model.Decision
    PrimaryKeyConstraint("collection_id", "remote_id"),
)

earlier_bodies = Table(
    "earlier_bodies",
    metadata,
    Column("item_id", ForeignKey("items.id", ondelete="CASCADE"), nullable=False),  # whose it was
    Column("revision", BigInteger, nullable=False),  # of the collection, with which it ended
    Column("collection_id", Id, nullable=False),  # the item's
    Column("ended_at", Utc, nullable=False),  # when
    Column("body", CleanText, nullable=False),  # CRLF lines
    PrimaryKeyConstraint("item_id", "revision"),
    Index("ix_earlier_bodies_place", "collection_id", "revision"),
    Index(None, "ended_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", CleanText, primary_key=True),  # "collection:7"; the row stays when the lease goes
    Column("owner", CleanText),  # null: given back
    Column("generation", BigInteger, nullable=False),  # the fence: moves with every taking, never back
    Column("expires_at", Utc, nullable=False),  # from then on anybody may take it
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),  # order of finishing
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),  # whose
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), index=True),  # null: listing collections
    Column("started_at", Utc, nullable=False),  # lease taken
    Column("finished_at", Utc, nullable=False),  # last transaction done
    Column("outcome", CleanText, nullable=False),  # model.Outcome
    Column("full", Boolean, nullable=False),  # everything was listed, not only changes
    Column("added", Integer, nullable=False),  # items
    Column("changed", Integer, nullable=False),  # items
    Column("removed", Integer, nullable=False),  # items
    Column("quarantined", Integer, nullable=False),  # groups
    Column("error", CleanText),  # stable word of errors.py
    Column("detail", CleanText),  # a sentence for people
    Column("held", Integer, nullable=False, server_default="0"),  # deletions not carried out yet
    Column("revision_from", BigInteger, nullable=False, server_default="0"),  # the collection's before its changes
    Column("revision_to", BigInteger, nullable=False, server_default="0"),  # and after them
    Column("undoes", Id),  # the Run that this one took back; no foreign key: that may be forgotten first
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),  # order of happening
    Column("at", Utc, nullable=False),  # when
    Column("actor", CleanText, nullable=False),  # who did it
    Column("action", CleanText, nullable=False),  # what was done, a stable word
    Column("subject", CleanText, nullable=False),  # to what; a name of ours, no foreign key: it outlives the thing
    sqlite_autoincrement=True,
)

checksums = Table(
    "checksums",
    metadata,
    Column("of_table", CleanText, nullable=False),  # whose row it is
    Column("place", Id, nullable=False),  # number of what that row belongs to; 0: of nothing
    Column("key", CleanText, nullable=False),  # of the row, there
    Column("about", CleanText),  # what people would call the row once it is gone; null: the key
    Column("sum", BigInteger, nullable=False),  # of all columns of the row
    PrimaryKeyConstraint("of_table", "place", "key"),
    sqlite_with_rowid=False,
)
"""Kept by triggers: see ``checksums.py``."""
