"""An HTTP imitation of Google and Microsoft on one port. Imports nothing of ours: it meets the product on the wire."""
