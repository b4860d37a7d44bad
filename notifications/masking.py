"""A stored body as a colleague may see it: indented, without password, the ECK iD's end only."""

from __future__ import annotations

from typing import Final

from lxml import etree

from notifications.faults import Refused
from notifications.framing import decoded, media_type

ECK_ID_SHOWN: Final = 6


def masked_eck_id(eck_id: str) -> str:
    """The last six characters: enough to compare, too few to know somebody by."""
    return f"…{eck_id[-ECK_ID_SHOWN:]}" if len(eck_id) > ECK_ID_SHOWN else "…"


def pretty(raw: bytes, content_type: str) -> str:
    """The body with indents; "" when it can no longer be read."""
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=True,
    )
    _kind, charset = media_type(content_type)
    try:
        root = etree.fromstring(decoded(raw, charset).utf8, parser)
    except (Refused, etree.XMLSyntaxError):
        return ""
    for element in root.iter(etree.Element):
        _mask(element)
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def _mask(element: etree._Element) -> None:
    name = etree.QName(element).localname
    if name == "password":
        element.clear()
    elif name == "eckID":
        text = "".join(str(part) for part in element.itertext()).strip()
        element.clear()
        element.text = masked_eck_id(text) if text else None
