"""Outlook events as iCalendar bodies, both ways: Graph v1.0 ``event``. ``codec`` is the way in."""
