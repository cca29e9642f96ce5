"""Runs the revisions over the connection that ``store.upgrade`` hands in, inside the transaction open there."""

from alembic import context

from ccdaemon.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things: the table is copied
    transactional_ddl=True,  # both databases can; half an upgrade is never seen
)
context.run_migrations()
