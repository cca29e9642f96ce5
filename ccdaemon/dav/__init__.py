"""The DAV process: waitress, our guard and log-in, Radicale on the store. It reaches neither network nor vault."""
