"""The revisions of the schema, oldest first, known without importing Alembic (1.2 s). The contract suite compares."""

REVISIONS = ("0001", "0002", "0003", "0004")

HEAD = REVISIONS[-1]
"""What this program works with."""
