"""Radicale's storage, log-in and rights on our store: the only code that knows both."""
