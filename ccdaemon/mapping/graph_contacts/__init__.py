"""Outlook contacts as vCards, both ways: Graph v1.0 ``contact``. ``codec`` is the way in."""
