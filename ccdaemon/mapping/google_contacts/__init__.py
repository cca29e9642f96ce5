"""Google contacts as vCards, both ways: people.v1 ``Person``. ``codec`` is the way in."""
