"""How DAV is served: processes, sockets, and bounds on every wait."""
