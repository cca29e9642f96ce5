"""The fields of which a Google contact has one entry: birthdays, genders, biographies. Both ways."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ccdaemon.mapping import vcard
from ccdaemon.mapping.card_blocks import Card
from ccdaemon.mapping.contentline import split_components, unescape_text
from ccdaemon.mapping.fields import as_text, text
from ccdaemon.mapping.google_contacts.sources import is_foreign, singletons
from ccdaemon.mapping.google_contacts.values import date_of, present, read_date
from ccdaemon.mapping.html_text import text_of_html
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.vcard import Property, text_property
from ccdaemon.model import Json

_SEXES = {"male": "M", "female": "F", "unspecified": "U"}  # RFC 6350, section 6.2.7
_GENDERS = {
    **{letter: value for value, letter in _SEXES.items()},
    "MALE": "male",
    "FEMALE": "female",
    "O": "other",
    "N": "none",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Singleton:
    """A member of a person that has one entry for each source: the best one counts."""

    name: str
    write: Callable[[Json], list[Property]]  # [] where the entry says nothing
    read: Callable[[Card], Json]  # what a card says, as an entry of Google's
    carriers: Mapping[str, str]  # sub-member -> property that says it
    of_profiles: str  # property that says what linked profiles add; "" for none
    derived: tuple[str, ...] = ()  # stale once something else changes
    constant: Json = field(default_factory=dict)  # what every entry that we write has


def _birthday(entry: Json) -> list[Property]:
    """The text counts only where there is no date."""
    described = text(entry, "text")
    found = date_of(entry) or (vcard.text_date(described) if described else None)
    return [] if found is None else [Property(name="BDAY", value=found.value, params=found.params)]


def _read_birthday(card: Card) -> Json:
    line = card.first("BDAY")
    if line is None:
        return {}
    return present(date=read_date(line)) or present(text=as_text(unescape_text(line.value)))


def _note(entry: Json) -> list[Property]:
    said = text(entry, "value")
    if text(entry, "contentType") == "TEXT_HTML":
        said = as_text(text_of_html(said, keep_line_ends=False))
    return text_property("NOTE", said)


def _read_note(card: Card) -> Json:
    """Several notes are one, a blank line between them."""
    notes = [said for line in card.all("NOTE") if (said := as_text(unescape_text(line.value)))]
    return present(value="\n\n".join(notes))


def _gender(entry: Json) -> list[Property]:
    value = text(entry, "value")
    sex = [Property(name="X-GENDER", value=_SEXES.get(value) or vcard.components(("O", value)))] if value else []
    return sex + text_property("X-GOOGLE-ADDRESS-ME-AS", text(entry, "addressMeAs"))


def _read_gender(card: Card) -> Json:
    line = card.first("X-GENDER")
    sex, *words = split_components(line.value) if line is not None else [""]
    value = next(filter(None, map(as_text, words)), "") or _GENDERS.get(sex.upper(), as_text(sex))
    return present(value=value, addressMeAs=as_text(card.text("X-GOOGLE-ADDRESS-ME-AS")))


BIRTHDAYS = Singleton(
    name="birthdays",
    write=_birthday,
    read=_read_birthday,
    carriers={"date": "BDAY", "text": "BDAY"},
    of_profiles="X-GOOGLE-PROFILE-BDAY",
    derived=("text",),
)
BIOGRAPHIES = Singleton(
    name="biographies",
    write=_note,
    read=_read_note,
    carriers={"value": "NOTE"},
    of_profiles="X-GOOGLE-PROFILE-NOTE",
    constant={"contentType": "TEXT_PLAIN"},
)
GENDERS = Singleton(
    name="genders",
    write=_gender,
    read=_read_gender,
    carriers={"value": "X-GENDER", "addressMeAs": "X-GOOGLE-ADDRESS-ME-AS"},
    of_profiles="X-GOOGLE-PROFILE-GENDER",
    derived=("formattedValue",),
)
SINGLETONS = (BIRTHDAYS, BIOGRAPHIES, GENDERS)


def properties(person: Json, singleton: Singleton) -> Iterator[Property]:
    """What the best entry says, then what those of linked profiles add to it."""
    said = [found for entry in singletons(person, singleton.name) if (found := singleton.write(entry))]
    if not said:
        return
    yield from said[0]
    seen = {said[0][0].value}
    for first, *_ in said[1:]:
        if first.value not in seen:
            seen.add(first.value)
            yield Property(name=singleton.of_profiles, value=first.value, params=first.params)


def written(person: Json, singleton: Singleton, base: Card, mine: Card, absent: Absence) -> list[Json] | None:
    """The new entries of the member; None where they stay."""
    before, after = singleton.read(base), singleton.read(mine)
    changes = {
        name: after.get(name)
        for name in singleton.carriers
        if before.get(name) != after.get(name) and (name in after or absent.counts(singleton.carriers[name]))
    }
    if not changes:
        return None
    shown = next((entry for entry in singletons(person, singleton.name) if singleton.write(entry)), {})
    if is_foreign(shown):
        return [singleton.constant | after] if after else None
    kept = {name: said for name, said in shown.items() if name not in (*changes, *singleton.derived)}
    new = kept | singleton.constant | {name: said for name, said in changes.items() if said is not None}
    return [new] if any(new.get(name) for name in singleton.carriers) else []
