"""Google events as iCalendar bodies, both ways: calendar.v3 ``Event``. ``codec`` is the way in."""
