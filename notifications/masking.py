"""A stored body as a colleague may see it: indented, without password, the ECK iD's end only."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from notifications.faults import Refused
from notifications.framing import decoded, media_type

ECK_ID_SHOWN: Final = 6


def masked_eck_id(eck_id: str) -> str:
    """The last six characters: enough to compare, too few to know somebody by."""
    return f"…{eck_id[-ECK_ID_SHOWN:]}" if len(eck_id) > ECK_ID_SHOWN else "…"


def pretty(raw: bytes, content_type: str) -> str:
    """The body with indents; "" when it can no longer be read."""
    root = _tree(_text(raw, content_type), indented=True)
    if root is None:
        return ""
    for element in root.iter(etree.Element):
        _mask(element)
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def as_it_came(raw: bytes, content_type: str) -> str:
    """The body character by character, but for the ECK iD; "" when that cannot be taken out.

    A value may be written in ways that a search for it misses, so what is left is read once more.
    """
    text = _text(raw, content_type)
    root = _tree(text)
    if root is None:
        return ""
    for value in _eck_ids(root):
        for form in (value, escape(value)):
            text = text.replace(form, masked_eck_id(value))
    left = _tree(text)
    if left is None or any(not value.startswith("…") for value in _eck_ids(left)):
        return ""
    return text


def _text(raw: bytes, content_type: str) -> str:
    _kind, charset = media_type(content_type)
    try:
        return decoded(raw, charset).utf8.decode()
    except (Refused, UnicodeDecodeError):
        return ""


def _tree(text: str, *, indented: bool = False) -> etree._Element | None:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=indented,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return None


def _eck_ids(root: etree._Element) -> list[str]:
    """What stands in elements of that name, without those that are empty."""
    found = (
        "".join(str(part) for part in element.itertext()).strip()
        for element in root.iter(etree.Element)
        if etree.QName(element).localname == "eckID"
    )
    return [value for value in found if value]


def _mask(element: etree._Element) -> None:
    name = etree.QName(element).localname
    if name == "password":
        element.clear()
    elif name == "eckID":
        text = "".join(str(part) for part in element.itertext()).strip()
        element.clear()
        element.text = masked_eck_id(text) if text else None
