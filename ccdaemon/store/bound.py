"""What every table's file builds on."""

from sqlalchemy import Connection


class Bound:
    """Statements over one connection, inside the transaction that is open on it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
