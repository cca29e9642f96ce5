"""The database: SQLAlchemy Core over SQLite or PostgreSQL, one file per table. SQL lives nowhere else.

``base`` is what others see, ``engine.open_store`` gives it.
"""
