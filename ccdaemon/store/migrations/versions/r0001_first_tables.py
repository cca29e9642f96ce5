"""The first tables. What they mean is said in ``store/schema.py``."""

import sqlalchemy as sa
from alembic import op

from ccdaemon.store.columns import CleanText, Id, Utc, Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "persons",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", CleanText, nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
        sa.UniqueConstraint("name", name="uq_persons_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "devices",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("name", CleanText, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("last_used_at", Utc, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_devices_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("person_id", "name", name="uq_devices_person_id_name"),
        sa.UniqueConstraint("secret_hash", name="uq_devices_secret_hash"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "accounts",
        sa.Column("id", Id, nullable=False),
        sa.Column("ref", CleanText, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("provider", CleanText, nullable=False),
        sa.Column("subject", CleanText, nullable=False),
        sa.Column("label", CleanText, nullable=False),
        sa.Column("address", CleanText, nullable=False),
        sa.Column("purposes", Words, nullable=False),
        sa.Column("writable", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("grant_generation", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_accounts_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("label", name="uq_accounts_label"),
        sa.UniqueConstraint("provider", "subject", name="uq_accounts_provider_subject"),
        sa.UniqueConstraint("ref", name="uq_accounts_ref"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_accounts_person_id", "accounts", ["person_id"], unique=False)
    op.create_table(
        "grants",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("sealed_refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", Words, nullable=False),
        sa.Column("refresh_expires_at", Utc, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", CleanText, nullable=True),
        sa.Column("needs_consent", sa.Boolean(), nullable=False),
        sa.Column("updated_at", Utc, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_grants_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name="pk_grants"),
    )
    op.create_table(
        "access_tokens",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("audience", CleanText, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_access_tokens_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "audience", name="pk_access_tokens"),
    )
    op.create_table(
        "collections",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", CleanText, nullable=False),
        sa.Column("remote_id", CleanText, nullable=False),
        sa.Column("href", CleanText, nullable=False),
        sa.Column("name", CleanText, nullable=False),
        sa.Column("description", CleanText, nullable=False),
        sa.Column("color", CleanText, nullable=True),
        sa.Column("time_zone", CleanText, nullable=True),
        sa.Column("remote_writable", sa.Boolean(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("cursor", CleanText, nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("codec_version", sa.Integer(), nullable=False),
        sa.Column("next_pull_at", Utc, nullable=False),
        sa.Column("last_success_at", Utc, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", CleanText, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_collections_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_collections"),
        sa.UniqueConstraint("account_id", "kind", "remote_id", name="uq_collections_account_id_kind_remote_id"),
        sa.UniqueConstraint("href", name="uq_collections_href"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_collections_next_pull_at", "collections", ["next_pull_at"], unique=False)
    op.create_table(
        "originals",
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("remote_id", CleanText, nullable=False),
        sa.Column("group_id", CleanText, nullable=False),
        sa.Column("part", CleanText, nullable=False),
        sa.Column("etag", CleanText, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("payload", CleanText, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_originals_collection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "remote_id", name="pk_originals"),
    )
    op.create_index(
        "ix_originals_awaiting_photo",
        "originals",
        ["collection_id", "group_id"],
        unique=False,
        sqlite_where=sa.text("deleted = 0 AND part = 'photo' AND etag = ''"),
        postgresql_where=sa.text("NOT deleted AND part = 'photo' AND etag = ''"),
    )
    op.create_index(
        "ix_originals_living",
        "originals",
        ["collection_id", "group_id", "remote_id", "part", "deleted"],
        unique=False,
        sqlite_where=sa.text("deleted = 0"),
        postgresql_where=sa.text("NOT deleted"),
    )
    op.create_table(
        "items",
        sa.Column("id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("href", CleanText, nullable=False),
        sa.Column("group_id", CleanText, nullable=False),
        sa.Column("etag", CleanText, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("uid", CleanText, nullable=False),
        sa.Column("component", CleanText, nullable=False),
        sa.Column("name", CleanText, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("modified_at", Utc, nullable=False),
        sa.Column("base_local", CleanText, nullable=True),
        sa.Column("base_remote", CleanText, nullable=True),
        sa.Column("body", CleanText, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_items_collection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sa.UniqueConstraint("collection_id", "href", name="uq_items_collection_id_href"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_items_changes", "items", ["collection_id", "revision", "deleted", "href", "etag"], unique=False)
    op.create_index(
        "ix_items_living_group",
        "items",
        ["collection_id", "group_id"],
        unique=True,
        sqlite_where=sa.text("deleted = 0"),
        postgresql_where=sa.text("NOT deleted"),
    )
    op.create_index("ix_items_uid", "items", ["collection_id", "uid"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("group_id", CleanText, nullable=False),
        sa.Column("reason", CleanText, nullable=False),
        sa.Column("since", Utc, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_quarantine_collection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "group_id", name="pk_quarantine"),
    )
    op.create_table(
        "leases",
        sa.Column("name", CleanText, nullable=False),
        sa.Column("owner", CleanText, nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "runs",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=True),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("finished_at", Utc, nullable=False),
        sa.Column("outcome", CleanText, nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("error", CleanText, nullable=True),
        sa.Column("detail", CleanText, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_runs_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_runs_collection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_account_id", "runs", ["account_id"], unique=False)
    op.create_index("ix_runs_collection_id", "runs", ["collection_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Utc, nullable=False),
        sa.Column("actor", CleanText, nullable=False),
        sa.Column("action", CleanText, nullable=False),
        sa.Column("subject", CleanText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
