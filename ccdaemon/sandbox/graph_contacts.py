"""Contacts, their folders and photos at Graph: reading them."""

from collections.abc import Sequence
from typing import Any

from ccdaemon.sandbox.graph_ids import immutable, regular
from ccdaemon.sandbox.graph_mailbox import Contact, Folder
from ccdaemon.sandbox.graph_odata import Options, next_link, pick, read_options, sorted_by
from ccdaemon.sandbox.graph_protocol import Call, GraphError, View, dumped, not_found
from ccdaemon.sandbox.wire import Answer, Json

WELL_KNOWN_FOLDER = "contacts"
LIST_OPTIONS = ("$select", "$top", "$skip", "$filter", "$orderby", "$count", "$expand")
ONE_OPTIONS = ("$select", "$expand")
MAIL_SLOTS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")


def list_folders(call: Call, folder_id: str | None = None) -> Answer:
    """Folders directly below the default one, which itself is never listed, or below another."""
    options = read_options(call.request, "contactFolder", ("$select", "$top", "$skip", "$count"))
    parent = call.mailbox.default_folder_id if folder_id is None else find_folder_id(call, folder_id)
    folders = [f for f in call.mailbox.folders.values() if f.payload["parentFolderId"] == parent]
    if folder_id is None:
        context = f"{call.context}/contactFolders"
    else:
        context = f"{call.context}/contactFolders('{folder_id}')/childFolders"
    return listing(call, options, context, [written_folder(folder, options.select) for folder in folders])


def get_folder(call: Call, folder_id: str) -> Answer:
    """One folder; the default one can be had by its id."""
    options = read_options(call.request, "contactFolder", ("$select",))
    folder = call.mailbox.folders[find_folder_id(call, folder_id)]
    return call.one(f"{call.context}/contactFolders/$entity", written_folder(folder, options.select))


def list_contacts(call: Call, folder_id: str | None = None) -> Answer:
    """The contacts of one folder, by default those of the default one."""
    options = read_options(call.request, "contact", LIST_OPTIONS)
    folder = call.mailbox.default_folder_id if folder_id is None else find_folder_id(call, folder_id)
    wanted = [
        (contact.payload, contact)
        for contact in call.mailbox.contacts_in(folder)
        if options.wanted is None or options.wanted(contact.payload, contact.extended)
    ]
    contacts = sorted_by(wanted, options.order)
    where = "contacts" if folder_id is None else f"contactFolders('{folder_id}')/contacts"
    view = View(immutable=call.prefer.immutable)
    return listing(call, options, f"{call.context}/{where}", contacts, lambda contact: written(contact, view, options))


def get_contact(call: Call, contact_id: str, folder_id: str | None = None) -> Answer:
    """One contact of whichever folder; below a folder's path only when it is in there."""
    options = read_options(call.request, "contact", ONE_OPTIONS)
    contact = find_contact(call, contact_id, folder_id)
    view = View(immutable=call.prefer.immutable)
    return call.one(f"{call.context}/contacts/$entity", written(contact, view, options))


def get_photo(call: Call, contact_id: str, folder_id: str | None = None) -> Answer:
    """The picture itself; without one 404 ImageNotFound."""
    read_options(call.request, "contact", ())
    contact = find_contact(call, contact_id, folder_id)
    if contact.photo is None:
        raise GraphError(404, "ImageNotFound", "The photo wasn't found.")
    return call.octets(contact.photo.content, contact.photo.content_type)


def find_folder_id(call: Call, folder_id: str) -> str:
    """The id of an existing folder, which may be given by its well-known name. Raises GraphError 404."""
    found = call.mailbox.default_folder_id if folder_id.lower() == WELL_KNOWN_FOLDER else folder_id
    if found not in call.mailbox.folders:
        raise not_found()
    return found


def find_contact(call: Call, contact_id: str, folder_id: str | None = None) -> Contact:
    """The contact of an id in the form that the call asked for. Raises GraphError 404."""
    kept = contact_id if call.prefer.immutable else immutable(contact_id)
    contact = call.mailbox.contacts.get(kept or "")
    if contact is None or (folder_id is not None and contact.folder_id != find_folder_id(call, folder_id)):
        raise not_found()
    return contact


def written_folder(folder: Folder, select: Sequence[str] | None) -> bytes:
    """A folder as it goes out."""
    return dumped(folder.payload if select is None else pick(folder.payload, select))


def written(contact: Contact, view: View, options: Options) -> bytes:
    """A contact as it goes out; whole ones are kept."""
    if options.select is None and options.expand is None:
        if view not in contact.written:
            contact.written[view] = dumped(in_form(contact.payload, view.immutable))
        return contact.written[view]
    payload = in_form(contact.payload, view.immutable)
    if options.select is not None:
        payload = pick(payload | _slots(contact.payload, options.select), options.select)
    return dumped(payload | extended(contact.extended, options))


def in_form(payload: Json, immutable_ids: bool) -> Json:
    """A contact's payload with its id in one form."""
    return payload if immutable_ids or "id" not in payload else payload | {"id": regular(payload["id"])}


def extended(kept: dict[str, str], options: Options) -> Json:
    """The extended properties that an ``$expand`` asks for; the property is absent when there are none."""
    names = (options.expand or {}).get("singleValueExtendedProperties", ())
    found = [{"id": name, "value": kept[name]} for name in names if name in kept]
    return {"singleValueExtendedProperties": found} if found else {}


def listing(call: Call, options: Options, context: str, items: Sequence[Any], write: Any = None) -> Answer:
    """One page of a list with its count and next link; ``write`` turns an item of it into bytes."""
    size = options.page_size(call.prefer.page_size)
    if options.top is None:
        size = call.mailbox.world.page_size(size)
    page = items[options.skip : options.skip + size]
    more: dict[str, Any] = {"@odata.count": len(items)} if options.count else {}
    if options.skip + size < len(items):
        more["@odata.nextLink"] = next_link(call, options.skip + size)
    if options.select is not None:
        context += f"({','.join(options.select)})"
    return call.many(context, page if write is None else [write(item) for item in page], more)


def _slots(payload: Json, select: Sequence[str]) -> Json:
    """The three mail slots under their own names, which come only when selected."""
    mails = payload.get("emailAddresses") or []
    return {
        name: mails[index] if index < len(mails) else None for index, name in enumerate(MAIL_SLOTS) if name in select
    }
