"""Google tasks as VTODOs, both ways: tasks.v1 ``Task``. ``codec`` is the way in."""
