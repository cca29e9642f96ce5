"""Contacts, folders and photos of the imitated Graph. providers.md 2.3."""

import base64
import json

import pytest

from ccdaemon.sandbox.graph_images import png
from ccdaemon.sandbox.wire import Refusal
from tests.sandbox.graph_driver import IMMUTABLE, GraphDriver


@pytest.fixture
def graph() -> GraphDriver:
    return GraphDriver(contacts=80, events=0)


def test_the_default_folder_is_not_listed_but_can_be_had(graph: GraphDriver) -> None:
    listed = graph.everything("/me/contactFolders")
    default = graph.read("/me/contacts?$top=1")["value"][0]["parentFolderId"]

    assert default not in {folder["id"] for folder in listed}
    assert {folder["parentFolderId"] for folder in listed} == {default}
    assert graph.read(f"/me/contactFolders/{default}")["id"] == default


def test_every_contact_is_found_by_walking_the_folders(graph: GraphDriver) -> None:
    found = {contact["id"] for contact in graph.everything("/me/contacts")}
    folders = graph.everything("/me/contactFolders")
    while folders:
        folder = folders.pop()
        found |= {contact["id"] for contact in graph.everything(f"/me/contactFolders/{folder['id']}/contacts?$top=3")}
        folders += graph.everything(f"/me/contactFolders/{folder['id']}/childFolders")

    assert found == {contact["id"] for contact in graph.truth()["contacts"]}


def test_ids_without_the_immutable_preference_are_others_and_lead_nowhere_with_it(graph: GraphDriver) -> None:
    immutable = graph.read("/me/contacts?$top=1")["value"][0]
    regular = graph.read("/me/contacts?$top=1", prefer="")["value"][0]

    assert regular["displayName"] == immutable["displayName"]
    assert regular["id"] != immutable["id"]
    assert regular["parentFolderId"] == immutable["parentFolderId"]
    assert graph.refused(f"/me/contacts/{regular['id']}") == (404, "ErrorItemNotFound")
    assert graph.refused(f"/me/contacts/{immutable['id']}", prefer="") == (404, "ErrorItemNotFound")
    assert graph.read(f"/me/contacts/{regular['id']}", prefer="")["id"] == regular["id"]


def test_a_list_pages_by_its_links_and_counts(graph: GraphDriver) -> None:
    bodies = list(graph.pages("/me/contacts?$top=7&$count=true&$select=displayName,emailAddresses"))

    items = [item for body in bodies for item in body["value"]]
    assert {body["@odata.count"] for body in bodies} == {len(items)}
    assert {frozenset(item) for item in items} == {frozenset(("@odata.etag", "id", "displayName", "emailAddresses"))}


def test_a_page_holds_ten_unless_told(graph: GraphDriver) -> None:
    assert len(graph.read("/me/contacts")["value"]) == 10


def test_contacts_can_be_ordered_and_filtered(graph: GraphDriver) -> None:
    names = [item["displayName"].casefold() for item in graph.everything("/me/contacts?$orderby=displayName desc")]
    address = "person3@example.com"
    graph.mutate(kind="contact", action="create", patch={"emailAddresses": [{"name": "x", "address": address}]})
    by_mail = graph.everything(f"/me/contacts?$filter=emailAddresses/any(a:a/address eq '{address}')")

    assert names == sorted(names, reverse=True)
    assert all(address in {mail["address"] for mail in item["emailAddresses"]} for item in by_mail)
    assert by_mail


def test_mail_slots_come_only_when_selected(graph: GraphDriver) -> None:
    mails = [{"name": "a", "address": "a@example.com"}, {"name": "b", "address": "b@example.com"}]
    made = graph.mutate(kind="contact", action="create", patch={"emailAddresses": mails})
    url = f"/me/contacts/{made['id']}"

    assert "primaryEmailAddress" not in graph.read(url)
    selected = graph.read(f"{url}?$select=secondaryEmailAddress,tertiaryEmailAddress")
    assert [selected["secondaryEmailAddress"], selected["tertiaryEmailAddress"]] == [mails[1], None]


def test_a_birthday_reads_back_at_one_to_noon(graph: GraphDriver) -> None:
    made = graph.mutate(kind="contact", action="create", patch={"birthday": "1815-12-10T00:00:00Z"})

    assert graph.read(f"/me/contacts/{made['id']}")["birthday"] == "1815-12-10T11:59:00Z"


def test_names_are_made_anew_unless_sent_too(graph: GraphDriver) -> None:
    made = graph.mutate(kind="contact", action="create", patch={"givenName": "Ada", "surname": "King"})
    kept = graph.mutate(
        kind="contact", action="update", id=made["id"], patch={"surname": "Byron", "displayName": "Lady B."}
    )

    assert [made["displayName"], made["fileAs"]] == ["Ada King", "King, Ada"]
    assert [kept["displayName"], kept["fileAs"]] == ["Lady B.", "Byron, Ada"]


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({"homePhones": ["1", "2", "3"]}, 400),
        ({"businessPhones": ["1", "2", "3"]}, 400),
        ({"emailAddresses": [{"address": f"{n}@example.com", "name": ""} for n in range(4)]}, 400),
        ({"imAddresses": ["a", "b", "c", "d"]}, 400),
        ({"nickname": "misspelt"}, 400),
        ({"changeKey": "x"}, 400),
        ({"birthday": "tomorrow"}, 400),
        ({"givenName": "Ada", "surname": None}, 500),
    ],
)
def test_what_outlook_cannot_hold_is_refused(graph: GraphDriver, patch: dict[str, object], status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        graph.mutate(kind="contact", action="create", patch=patch)

    assert refusal.value.answer.status == status


def test_extended_properties_come_only_when_expanded_by_id(graph: GraphDriver) -> None:
    name = "String {00020329-0000-0000-c000-000000000046} Name ccdaemon-uid"
    extended = [{"id": name, "value": "u1"}]
    made = graph.mutate(kind="contact", action="create", patch={"singleValueExtendedProperties": extended})
    url = f"/me/contacts/{made['id']}"

    expanded = graph.read(f"{url}?$expand=singleValueExtendedProperties($filter=id eq '{name}')")
    other = graph.read(f"{url}?$expand=singleValueExtendedProperties($filter=id eq 'String x')")
    found = graph.everything(
        f"/me/contacts?$filter=singleValueExtendedProperties/any(ep: ep/id eq '{name}' and ep/value eq 'u1')"
    )
    assert expanded["singleValueExtendedProperties"] == extended
    assert "singleValueExtendedProperties" not in other
    assert "singleValueExtendedProperties" not in graph.read(url)
    assert [item["id"] for item in found] == [made["id"]]


def test_a_photo_is_bytes_and_its_absence_is_said(graph: GraphDriver) -> None:
    truth = graph.truth()
    with_photo = next(iter(truth["photos"]))
    without = next(contact["id"] for contact in truth["contacts"] if contact["id"] not in truth["photos"])

    answer = graph.get(f"/me/contacts/{with_photo}/photo/$value")

    assert answer.headers["Content-Type"] in {"image/jpeg", "image/png"}
    assert answer.body[:2] in {b"\xff\xd8", b"\x89P"}
    assert graph.refused(f"/me/contacts/{without}/photo/$value") == (404, "ImageNotFound")


def test_a_photo_in_a_batch_is_base64(graph: GraphDriver) -> None:
    contact = next(iter(graph.truth()["photos"]))
    plain = graph.get(f"/me/contacts/{contact}/photo/$value").body

    part = graph.batch(
        {
            "id": "p",
            "method": "GET",
            "url": f"/me/contacts/{contact}/photo/$value",
            "headers": {"Prefer": IMMUTABLE},
        }
    )["p"]

    assert base64.b64decode(part["body"]) == plain
    assert part["headers"]["Content-Type"].startswith("image/")


def test_a_new_photo_makes_a_new_version(graph: GraphDriver) -> None:
    contact = graph.read("/me/contacts?$top=1")["value"][0]
    _, link = graph.round("/me/contacts/delta")

    data = base64.b64encode(png(7)).decode()
    graph.mutate(kind="photo", action="update", id=contact["id"], patch={"data": data})

    after = graph.read(f"/me/contacts/{contact['id']}")
    changed, _ = graph.round(link)
    assert after["changeKey"] != contact["changeKey"]
    assert after["@odata.etag"] == f'W/"{after["changeKey"]}"'
    assert [item["id"] for item in changed] == [contact["id"]]
    assert graph.get(f"/me/contacts/{contact['id']}/photo/$value").body == png(7)


def test_a_contact_is_in_its_own_folder_only(graph: GraphDriver) -> None:
    folder = graph.mutate(kind="folder", action="create", patch={"displayName": "Guests"})
    made = graph.mutate(kind="contact", action="create", collection=folder["id"], patch={"givenName": "Eve"})
    default = graph.truth()["defaultFolderId"]

    assert graph.read(f"/me/contactFolders/{folder['id']}/contacts/{made['id']}")["givenName"] == "Eve"
    assert graph.refused(f"/me/contactFolders/{default}/contacts/{made['id']}") == (404, "ErrorItemNotFound")
    assert graph.refused("/me/contactFolders/nowhere/contacts") == (404, "ErrorItemNotFound")


def test_unset_texts_are_null_in_some_contacts_and_empty_in_others(graph: GraphDriver) -> None:
    unset = {json.dumps(contact["spouseName"]) for contact in graph.truth()["contacts"]}

    assert {"null", '""'} <= unset
