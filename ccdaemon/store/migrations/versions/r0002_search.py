"""What lets queries be answered by indexes, and collections that are kept here only. Existing items stay unindexed:
the worker indexes them afterwards. What the columns mean is said in ``store/schema.py``.
"""

import sqlalchemy as sa
from alembic import op

from ccdaemon.store.columns import CleanText, Id

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From 0001."""
    _collections()
    _items()
    op.create_table(
        "occurrences",
        sa.Column("item_id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("floating", sa.Boolean(), nullable=False),
        sa.Column("free_busy", CleanText, nullable=False),
        sa.Column("long", sa.Boolean(), nullable=False),
        sa.Column("last", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_occurrences_item_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "starts_at", "ends_at", "floating", "free_busy", name="pk_occurrences"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_occurrences_range",
        "occurrences",
        ["collection_id", "floating", "long", "starts_at", "ends_at", "item_id", "free_busy"],
    )
    op.create_index(
        "ix_occurrences_last",
        "occurrences",
        ["collection_id", "floating", "ends_at", "item_id", "last"],
        sqlite_where=sa.text("last = 1"),
        postgresql_where=sa.text("last"),
    )
    op.create_table(
        "search_texts",
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("property", CleanText, nullable=False),
        sa.Column("head", CleanText, nullable=False),
        sa.Column("item_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", CleanText, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_search_texts_item_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("collection_id", "property", "head", "item_id", "number", name="pk_search_texts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_texts_item_id", "search_texts", ["item_id"])
    op.create_table(
        "collection_properties",
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("name", CleanText, nullable=False),
        sa.Column("value", CleanText, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_collection_properties_collection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "name", name="pk_collection_properties"),
    )


def _collections() -> None:
    """hrefs are unique for each account. SQLite copies the table for that, which must not forget the highest id."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    connection = op.get_bind()
    highest = (
        connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'collections'")) if is_sqlite else None
    )
    with op.batch_alter_table("collections", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint("uq_collections_href", type_="unique")
        batch.create_unique_constraint("uq_collections_href_account_id", ["href", "account_id"])
    if highest is not None:
        connection.execute(
            sa.text("UPDATE sqlite_sequence SET seq = :highest WHERE name = 'collections'"), {"highest": highest}
        )


def _items() -> None:
    """Plain additions, which neither database copies a table for."""
    for column in (
        sa.Column("index_version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("texts_complete", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("covered_from", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("covered_to", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("items", column)
    enclosing = ["starts_at", "ends_at", "component", "deleted"]
    beginnings, ends = (
        "component <> '' AND covered_from > -62135596800",
        "component <> '' AND covered_to < 253402300800",
    )
    for name, columns, condition in (
        ("ix_items_listing", ["collection_id", "href", "etag", "deleted"], None),
        ("ix_items_covered_to", ["collection_id", "covered_to", *enclosing], ends),
        ("ix_items_covered_from", ["collection_id", "covered_from", *enclosing], beginnings),
        ("ix_items_index_version", ["index_version"], None),
        ("ix_items_horizon", ["covered_to", "ends_at"], ends),
    ):
        _index_of_living(name, columns, condition)
    op.create_index(
        "ix_items_texts_unknown",
        "items",
        ["collection_id", "texts_complete", "deleted"],
        sqlite_where=sa.text("deleted = 0 AND texts_complete = 0"),
        postgresql_where=sa.text("NOT deleted AND NOT texts_complete"),
    )


def _index_of_living(name: str, columns: list[str], condition: str | None) -> None:
    more = f" AND {condition}" if condition else ""
    op.create_index(
        name,
        "items",
        columns,
        sqlite_where=sa.text(f"deleted = 0{more}"),
        postgresql_where=sa.text(f"NOT deleted{more}"),
    )
