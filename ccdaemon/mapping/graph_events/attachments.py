"""Attachments of a Microsoft event, as far as they were asked for: links as ATTACH, files by name. Read only."""

from collections.abc import Iterator

from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.event_lines import uri
from ccdaemon.mapping.fields import objects, text, whole
from ccdaemon.model import Json


def attachment_lines(event: Json) -> Iterator[ContentLine]:
    """ATTACH of a reference attachment, X-MICROSOFT-ATTACHMENT of another; what the HTML itself shows is left out."""
    attachments = [one for one in objects(event, "attachments") if one.get("isInline") is not True]
    for attachment in attachments:
        name, address = text(attachment, "name"), _link(attachment)
        media_type = text(attachment, "contentType") or None
        if address:
            yield line("ATTACH", address, FMTTYPE=media_type, FILENAME=name or None)
        elif name:
            size = str(whole(attachment, "size") or "") or None
            yield line("X-MICROSOFT-ATTACHMENT", escape_text(name), FMTTYPE=media_type, SIZE=size)
    if event.get("hasAttachments") is True and not attachments:
        yield line("X-MICROSOFT-HASATTACHMENTS", "TRUE")


def _link(attachment: Json) -> str:
    return uri(text(attachment, "sourceUrl")) or uri(text(attachment, "contentLocation"))
