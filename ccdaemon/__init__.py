"""ccdaemon: Google and Microsoft accounts as standard CardDAV address books and CalDAV calendars."""

__version__ = "0.1.0"
