"""What of an envelope may be kept: an allow-list by local name, and the values we sent ourselves.

An element that nobody named here is masked, so that another WSDL or a new field cannot leak
(docs/decisions/0011).
"""

from __future__ import annotations

import html
import json
import re
from typing import Final
from urllib.parse import quote

from lxml import etree

MASK: Final = "***"
KEPT_CHARACTERS: Final = 20_000
KEPT_BYTES: Final = 256 * 1024  # of an answer; what is larger is described, not shown
KEPT_WORDS: Final = 200

KEPT: Final = frozenset(
    {
        "distributorID",
        "distributorPersonID",
        "distributorSchoolPersonID",
        "distributorPersonCreditID",
        "distributorSchoolCreditID",
        "fromDistributorPersonID",
        "toDistributorPersonID",
        "organisationID",
        "returnCreditReferenceId",
        "profileID",
        "hubID",
        "portalID",
        "ean",
        "schoolYear",
        "creditStartDate",
        "creditEndDate",
        "personProductState",
        "personState",
        "role",
        "countryCode",
        "amount",
        "returned",
        "specificationState",
        "specificationStateDate",
        "state",
        "responseID",
        "errorCode",
        "code",
        "faultcode",
        "faultactor",
    }
)
"""Keys, states and dates of credits: what one needs to find a call again at Edu-iX."""

WORDS: Final = frozenset({"message", "faultstring"})
"""Free text of Edu-iX: kept, but for the values that we sent."""

SCHOOL: Final = frozenset(
    {
        "name",
        "address",
        "houseNumber",
        "houseNumberSuffix",
        "postalCode",
        "city",
        "brin",
        "countryCode",
    }
)
"""Public data of a school, masked anywhere but in a `school`."""

_NO_EVIDENCE: Final = frozenset({"gender", "preposition", "houseNumber"})
"""Too short to be recognised in a text without blanking half of it, and harmless alone."""

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_HEADINGS: Final = re.compile(r"<(title|h1|h2)\b[^>]*>([^<]{1,200})", re.IGNORECASE)


def masked(root: etree._Element, secrets: Concealer | None = None) -> str:
    """An envelope as text without secrets or personal data; changes the tree it is given."""
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    hide = secrets or Concealer()
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        for name in list(node.attrib):
            if not str(name).startswith(_XSI) and not str(name).endswith("mustUnderstand"):
                node.set(name, MASK)
        if node.tail and node.tail.strip():
            node.tail = MASK
        if node.text and node.text.strip():
            node.text = _kept(node, node.text, hide)
    return storable(etree.tostring(root, encoding="unicode")[:KEPT_CHARACTERS])


def _kept(node: etree._Element, text: str, hide: Concealer) -> str:
    local = etree.QName(node).localname
    if len(node):
        return MASK  # text between elements belongs to no field
    if local in WORDS:
        return hide(text)
    parent = node.getparent()
    if local in KEPT or (
        local in SCHOOL and parent is not None and etree.QName(parent).localname == "school"
    ):
        return text
    return shortened(text) if local == "eckID" else MASK


def shortened(text: str) -> str:
    """Of a long number its last six characters: enough to tell two apart on the telephone."""
    return MASK + text.strip()[-6:] if len(text.strip()) > 12 else MASK


def masked_bytes(body: bytes, content_type: str, hide: Concealer) -> str:
    """An answer of unknown shape: masked when it is an envelope, else described in one line.

    Of a page that is no envelope only title and headings are kept: it may quote our request in
    more ways than anybody can list.
    """
    if not body:
        return ""
    if len(body) <= KEPT_BYTES:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, ValueError):
            root = None
        if (
            root is not None
            and etree.QName(root).localname == "Envelope"
            and root.getroottree().docinfo.internalDTD is None
        ):
            return masked(root, hide)
    page = body[:KEPT_BYTES].decode("utf-8", errors="replace")
    words = " / ".join(
        html.unescape(found[2]).strip() for found in list(_HEADINGS.finditer(page))[:3]
    )
    kind = re.sub(r"[^\w/+.-]", "", content_type.partition(";")[0])[:60] or "no content type"
    told = f"[{kind}, {len(body)} bytes, not an envelope: not kept]"
    return storable(f"{told} {hide(words)[:KEPT_WORDS]}".strip())


class Concealer:
    """Replaces values that we sent wherever they turn up: `hide(text)`."""

    def __init__(self, *values: str) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._values = set(values)
        self._sent = b""

    @classmethod
    def of_sent(cls, sent: bytes) -> Concealer:
        """The same for an envelope that we wrote; read only when there is something to hide."""
        found = cls()
        found._sent = sent
        return found

    @classmethod
    def of(cls, envelope: etree._Element) -> Concealer:
        """For the secret and personal values of a request."""
        found = cls()
        for node in envelope.iter():
            text = (node.text or "").strip()
            if not text or len(node):
                continue
            local = etree.QName(node).localname
            if local not in KEPT and local not in WORDS and local not in _NO_EVIDENCE:
                found._values.add(text)
        return found

    def __call__(self, text: str) -> str:
        """The text with every such value replaced, however it is written in a page."""
        if not text:
            return text
        if self._sent:
            self._values = Concealer.of(etree.fromstring(self._sent))._values
            self._sent = b""
        if not self._values:
            return text
        if self._pattern is None:
            self._pattern = _pattern_of(self._values)
        return self._pattern.sub(MASK, text)


def _pattern_of(values: set[str]) -> re.Pattern[str]:
    """Longest first, so that a part does not spoil the whole."""
    forms: dict[str, None] = {}
    for value in sorted(values, key=len, reverse=True):
        parts = [value, *(part for part in re.split(r"[\s@]+", value) if len(part) > 3)]
        for part in parts:
            forms |= dict.fromkeys(_written(part))
    ordered = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(_whole(form) for form in ordered if form), re.IGNORECASE)


def _whole(form: str) -> str:
    """Short values only as whole words: "Jo" is a name, and in "Johan" it is not."""
    escaped = re.escape(form)
    if len(form) > 3:
        return escaped
    return rf"(?<!\w){escaped}(?!\w)"


def _written(value: str) -> set[str]:
    """The ways in which a page or a message writes a value."""
    references = "".join(c if c.isascii() else f"&#{ord(c)};" for c in html.escape(value))
    mangled = value.encode().decode("latin-1")
    escaped = value.encode("unicode_escape").decode("ascii")
    plain = value.encode("ascii", errors="replace").decode("ascii")
    misread = value.encode("latin-1", errors="replace").decode("utf-8", errors="replace")
    return {
        value,
        html.escape(value),
        references,
        quote(value),
        quote(value, safe="").replace("%20", "+"),
        mangled,
        misread if misread.strip("?\ufffd") else value,
        escaped,
        json.dumps(value)[1:-1],
        plain if plain.strip("?") else value,
    }


def storable(text: str) -> str:
    """A text that every database can keep: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", errors="replace").decode("utf-8")
