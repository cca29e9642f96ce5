"""Reading a provider's JSON that promises a type and may hold another: what does not fit counts as absent.

null, "", blank text, [] and {} all mean absent (providers.md section 7, trap 50). Text comes back clean and as typed.
"""

from ccdaemon.mapping.text import clean
from ccdaemon.model import Json

_LARGEST = 10**30
"""Numbers sent for text are kept up to this: longer ones are no phone number, and Python refuses to print huge ones."""


def text(source: Json, key: str) -> str:
    """The text of a member, "" when absent; a whole number sent in its place becomes its digits."""
    value = source.get(key)
    if value is None:
        return ""
    if isinstance(value, str) and value.isprintable():  # nearly every one
        return "" if value.isspace() else value
    return as_text(value)


def as_text(value: object) -> str:
    """The same for a value."""
    if isinstance(value, str):
        if not value.isprintable():
            value = clean(value)
        return "" if value.isspace() else value
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST:
        return str(value)
    return ""


def texts(source: Json, key: str) -> list[str]:
    """The texts of a list, without the absent ones."""
    values = source.get(key)
    return [found for value in values if (found := as_text(value))] if isinstance(values, list) else []


def member(source: Json, key: str) -> Json:
    """The object of a member, {} when absent."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def objects(source: Json, key: str) -> list[Json]:
    """The objects of a list; anything else in it is left out."""
    values = source.get(key)
    if not isinstance(values, list):
        return []
    if len(values) == 1:  # as most
        return [*values] if isinstance(values[0], dict) else []
    return [value for value in values if isinstance(value, dict)]


def whole(source: Json, key: str) -> int:
    """The whole number of a member, 0 when absent (both providers leave zero out) or too large for iCalendar.

    RFC 5545, section 3.3.8: an INTEGER has 32 bits.
    """
    value = source.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else 0
