"""Microsoft To Do as VTODOs, both ways: Graph v1.0 ``todoTask``. ``codec`` is the way in."""
