"""Google contacts for a new sandbox: the invented people of ``people_pool`` as the People API writes them."""

import random

from ccdaemon.sandbox.people_book import Book, membership
from ccdaemon.sandbox.people_pool import CATEGORIES, Employer, Labelled, PoolPerson, PostalAddress, pool
from ccdaemon.sandbox.wire import Json

RARE_EVERY = 15
"""One contact in so many has a field that hardly anybody uses, by turns, so that 200 contacts have them all."""
BIRTHDAY_TEXT_SHARE = 0.15
RARE_FIELDS: tuple[Json, ...] = (
    {"imClients": [{"username": "someone@chat.example", "protocol": "jabber", "type": "home"}]},
    {"sipAddresses": [{"value": "sip:someone@sip.example", "type": "work"}]},
    {"genders": [{"value": "unspecified", "addressMeAs": "they"}]},
    {"occupations": [{"value": "Falconer"}]},
    {"externalIds": [{"value": "4711", "type": "customer"}]},
    {"clientData": [{"key": "some-app", "value": "opaque; value"}]},
    {"locations": [{"value": "Room B;17, 3rd floor", "type": "desk", "current": True}]},
    {"interests": [{"value": "Go, chess"}, {"value": "Fermentation"}]},
    {"calendarUrls": [{"url": "https://example.com/calendar.ics", "type": "home"}]},
    {"miscKeywords": [{"value": "blue", "type": "OUTLOOK_KEYWORD"}]},
    {"skills": [{"value": "juggling"}]},
    {"names": [{"unstructuredName": "Madonna, the singer"}]},
    {"birthdays": [{"text": "some day in spring"}]},
)


def populate_book(book: Book, chance: random.Random, count: int) -> None:
    """Fill a book with that many contacts, and with the groups that they need."""
    people = pool(chance)
    groups = {name: book.create_group(name).id for name in CATEGORIES} if count else {}
    for number in range(count):
        person = people.person()
        fields = contact_fields(person, groups)
        if fields.get("birthdays") and chance.random() < BIRTHDAY_TEXT_SHARE:
            date = fields["birthdays"][0]["date"]
            fields["birthdays"][0]["text"] = f"{date['day']:02}.{date['month']:02}.{date.get('year', '')}"
        if number % RARE_EVERY == RARE_EVERY - 1:
            fields |= RARE_FIELDS[number // RARE_EVERY % len(RARE_FIELDS)]
        book.create(fields, photo=person.has_photo)


def contact_fields(person: PoolPerson, groups: dict[str, str]) -> Json:
    """The fields of one contact as a client would write them; ``groups`` gives ids by name."""
    fields: Json = {
        "names": [_name(person)] if _name(person) else [],
        "nicknames": _values(person.nickname),
        "emailAddresses": [_labelled(mail, "value") for mail in person.mails],
        "phoneNumbers": [_labelled(phone, "value") for phone in person.phones],
        "addresses": [_address(address) for address in person.addresses],
        "organizations": [_organisation(employer) for employer in person.employers],
        "biographies": [{"value": person.note, "contentType": "TEXT_PLAIN"}] if person.note else [],
        "urls": [_labelled(url, "value") for url in person.urls],
        "relations": [{"person": relation.value, "type": relation.label} for relation in person.relations],
        "userDefined": [{"key": custom.label, "value": custom.value} for custom in person.custom],
        "memberships": [membership("myContacts"), *(membership(groups[name]) for name in person.categories)],
    }
    if person.birthday is not None:
        year, month, day = person.birthday
        fields["birthdays"] = [
            {"date": {"year": year, "month": month, "day": day} if year else {"month": month, "day": day}}
        ]
    if person.anniversary is not None:
        year, month, day = person.anniversary
        fields["events"] = [{"date": {"year": year, "month": month, "day": day}, "type": "anniversary"}]
    if person.is_starred:
        fields["memberships"].append(membership("starred"))
    return {name: items for name, items in fields.items() if items}


def _name(person: PoolPerson) -> Json:
    parts = {
        "givenName": person.given,
        "middleName": person.middle,
        "familyName": person.family,
        "honorificPrefix": person.prefix,
        "honorificSuffix": person.suffix,
        "phoneticGivenName": person.phonetic_given,
        "phoneticFamilyName": person.phonetic_family,
    }
    return {name: part for name, part in parts.items() if part}


def _values(text: str) -> list[Json]:
    return [{"value": text}] if text else []


def _labelled(item: Labelled, name: str) -> Json:
    return {name: item.value, "type": item.label} if item.label else {name: item.value}


def _address(address: PostalAddress) -> Json:
    parts = {
        "type": address.label,
        "poBox": address.po_box,
        "streetAddress": address.street,
        "extendedAddress": address.extended,
        "city": address.city,
        "region": address.region,
        "postalCode": address.postal_code,
        "country": address.country,
        "countryCode": address.country_code,
    }
    return {name: part for name, part in parts.items() if part}


def _organisation(employer: Employer) -> Json:
    parts: Json = {"type": "work", "name": employer.name, "department": employer.department, "title": employer.title}
    if employer.is_current:
        parts["current"] = True
    return {name: part for name, part in parts.items() if part}
