"""Room for a sum of every row. ``store.upgrade`` fills it after the last revision, from the tables as they are then.
What the columns mean is said in ``store/schema.py``.
"""

import sqlalchemy as sa
from alembic import op

from ccdaemon.store.columns import CleanText, Id

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From 0003."""
    op.create_table(
        "checksums",
        sa.Column("of_table", CleanText, nullable=False),
        sa.Column("place", Id, nullable=False),
        sa.Column("key", CleanText, nullable=False),
        sa.Column("about", CleanText, nullable=True),
        sa.Column("sum", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("of_table", "place", "key", name="pk_checksums"),
        sqlite_with_rowid=False,
    )
