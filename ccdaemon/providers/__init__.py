"""The outside world: two clouds behind the Protocols of base.py."""
