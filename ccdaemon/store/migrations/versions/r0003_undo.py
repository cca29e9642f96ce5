"""What lets deletions wait and Runs be undone. What the columns mean is said in ``store/schema.py``."""

import sqlalchemy as sa
from alembic import op

from ccdaemon.store.columns import CleanText, Id, Utc

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From 0002. Plain additions, which neither database copies a table for."""
    for name in ("changed_at", "missing_since"):
        op.add_column("collections", sa.Column(name, Utc, nullable=True))
    op.add_column("collections", sa.Column("missing_decision", CleanText, nullable=False, server_default=""))
    for name, kind in (("held", sa.Integer()), ("revision_from", sa.BigInteger()), ("revision_to", sa.BigInteger())):
        op.add_column("runs", sa.Column(name, kind, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("undoes", Id, nullable=True))
    op.add_column("items", sa.Column("added_revision", sa.BigInteger(), nullable=False, server_default="0"))
    items = sa.table("items", sa.column("deleted", sa.Boolean), sa.column("base_local"), sa.column("base_remote"))
    op.execute(items.update().where(items.c.deleted).values(base_local=None, base_remote=None))  # they hide nothing
    for name, columns, condition in (
        ("ix_items_hidden", ["collection_id", "group_id"], " AND base_remote IS NOT NULL"),
        ("ix_items_trash", ["modified_at"], ""),
    ):
        op.create_index(
            name,
            "items",
            columns,
            sqlite_where=sa.text(f"deleted = 1{condition}"),
            postgresql_where=sa.text(f"deleted{condition}"),
        )
    op.create_table(
        "held_deletions",
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("remote_id", CleanText, nullable=False),
        sa.Column("group_id", CleanText, nullable=False),
        sa.Column("found_at", Utc, nullable=False),
        sa.Column("confirmed_at", Utc, nullable=True),
        sa.Column("decision", CleanText, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_held_deletions_collection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "remote_id", name="pk_held_deletions"),
    )
    op.create_table(
        "earlier_bodies",
        sa.Column("item_id", Id, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("ended_at", Utc, nullable=False),
        sa.Column("body", CleanText, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_earlier_bodies_item_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "revision", name="pk_earlier_bodies"),
    )
    op.create_index("ix_earlier_bodies_place", "earlier_bodies", ["collection_id", "revision"])
    op.create_index("ix_earlier_bodies_ended_at", "earlier_bodies", ["ended_at"])
