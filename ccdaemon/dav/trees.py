"""The XML of a request as a tree, and a piece of it back as text that can be kept and shown again.

What is read here was scanned before (xmlscan.py): it is small, flat, in UTF-8 and without a document type.
"""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ccdaemon.dav.multistatus import escape
from ccdaemon.errors import BadData

XML_SPACE = "http://www.w3.org/XML/1998/namespace"
LANG = f"{{{XML_SPACE}}}lang"


def tree(body: bytes) -> Element:
    """The root of a request's body. Raises BadData for what is no XML."""
    try:
        # The encoding that was scanned, whatever the document itself declares.
        return ElementTree.fromstring(body, ElementTree.XMLParser(encoding="utf-8"))  # noqa: S314 - scanned
    except (ElementTree.ParseError, ValueError) as error:
        raise BadData("the body is no XML") from error


def text_of(element: Element) -> str:
    """All text in the element, without the blanks around it."""
    return "".join(element.itertext()).strip()


def written(element: Element, *, language: str | None = None) -> str:
    """The element as XML that stands for itself wherever it is put: it declares its own namespaces.

    Equal elements give equal text. ``language`` is the xml:lang in whose scope it stood, which belongs to the value of
    a property (RFC 4918 section 4.3). Prefixes are not kept.
    """
    parts: list[str] = []
    _write(element, None, parts, language)
    return "".join(parts).replace("\r", "&#13;")  # a parser would make LF of CRLF (XML 1.0 section 2.11)


def split_name(name: str) -> tuple[str, str]:
    """Namespace and local name of a Clark name; "" for none."""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    return namespace, local


def _write(element: Element, scope: str | None, parts: list[str], language: str | None = None) -> None:
    """``scope`` is the default namespace where the element stands; None: unknown."""
    namespace, local = split_name(element.tag)
    parts.append(f"<{local}")
    if namespace != scope:
        parts.append(f' xmlns="{_in_attribute(namespace)}"')
    attributes = dict(element.attrib)
    if language is not None:
        attributes.setdefault(LANG, language)
    parts += [_attribute(name, value, number) for number, (name, value) in enumerate(sorted(attributes.items()))]
    if not len(element) and not element.text:
        parts.append("/>")
        return
    parts += (">", escape(element.text or ""))
    for child in element:
        _write(child, namespace, parts)
        parts.append(escape(child.tail or ""))
    parts.append(f"</{local}>")


def _attribute(name: str, value: str, number: int) -> str:
    namespace, local = split_name(name)
    if not namespace:
        return f' {local}="{_in_attribute(value)}"'
    if namespace == XML_SPACE:
        return f' xml:{local}="{_in_attribute(value)}"'
    return f' xmlns:a{number}="{_in_attribute(namespace)}" a{number}:{local}="{_in_attribute(value)}"'


def _in_attribute(text: str) -> str:
    """A parser would make a blank of each tab and line end (XML 1.0 section 3.3.3)."""
    return escape(text).replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;")
