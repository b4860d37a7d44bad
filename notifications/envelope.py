"""The gate: from bytes of a stranger to the SOAP operation they hold, or a reason to refuse them.

SOAP 1.1 forbids a DTD and processing instructions. A DTD is looked for in the text itself, before
the parser sees it: with entities switched off the parser would accept it and lose values.
"""

from __future__ import annotations

import re
import threading
from typing import Final, NamedTuple

from lxml import etree

from backoffice.eduix.contract import OPERATIONS, types_namespace, wsdl_namespace
from notifications.faults import (
    INCORRECT,
    NOT_IMPLEMENTED,
    SOAP,
    Reason,
    Refused,
    fault,
    login_refused,
    refused,
)
from notifications.login import Logins

MAX_USERNAME: Final = 100
MAX_PASSWORD: Final = 64
USERNAME_TOO_LONG, USERNAME_NO_STRING = 4702, 4705
PASSWORD_TOO_LONG, PASSWORD_NO_STRING = 4682, 4685

NO_DTD: Final = "A document type declaration is not allowed in SOAP."

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
NIL: Final = f"{{{XSI}}}nil"

# Some senders use the namespace of the WSDL where that of the types belongs, and the versions
# 4.0 to 4.3 of the service hold the same two operations.
NAMESPACES: Final = tuple(
    namespace.removesuffix("4.0") + version
    for namespace in (types_namespace("notification"), wsdl_namespace("notification"))
    for version in ("4.0", "4.1", "4.2", "4.3")
)

_ENVELOPE: Final = f"{{{SOAP}}}Envelope"
_HEADER: Final = f"{{{SOAP}}}Header"
_BODY: Final = f"{{{SOAP}}}Body"
_MUST_UNDERSTAND: Final = f"{{{SOAP}}}mustUnderstand"
_ACTOR: Final = f"{{{SOAP}}}actor"
_FOR_US: Final = frozenset({"", "http://schemas.xmlsoap.org/soap/actor/next"})

_OPERATIONS: Final = {
    f"{{{namespace}}}{operation}Request": (operation, namespace)
    for namespace in NAMESPACES
    for operation in OPERATIONS["notification"]
}
_LOGIN_HEADERS: Final = frozenset(f"{{{namespace}}}loginHeader" for namespace in NAMESPACES)


def local_names(*names: str) -> dict[str, str]:
    """Tag -> local name, for elements in any namespace we accept or in none."""
    return {
        tag: name
        for name in names
        for tag in (name, *(f"{{{namespace}}}{name}" for namespace in NAMESPACES))
    }


_LOGIN_FIELDS: Final = local_names("username", "password")

# Before the root element stand only the declaration, comments, instructions and the DTD.
_PROLOG_DTD: Final = re.compile(rb"\A(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARATIONS: Final = frozenset(b"<?xml" + blank for blank in (b" ", b"\t", b"\r", b"\n"))
_TOO_MUCH: Final = frozenset(
    {etree.ErrorTypes.ERR_NAME_TOO_LONG, 114}  # 114: depth over 256, or another limit
)


class Opened(NamedTuple):
    """A SOAP envelope that holds one operation of ours."""

    operation: str
    namespace: str
    element: etree._Element
    login: etree._Element | None


class _Parser(threading.local):
    """One parser a thread: a shared one would make the threads wait for each other."""

    def __init__(self) -> None:
        self.parser = new_parser()


def new_parser() -> etree.XMLParser:
    """Reads UTF-8 whatever the declaration says, follows nothing, expands nothing."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,  # else <ean>978<!-- -->0001</ean> reads as 978
        remove_pis=True,
        collect_ids=False,
    )


_local = _Parser()


def parse(utf8: bytes) -> etree._Element:
    """The root element; raises `Refused` (400 not XML, Fault 6 for what SOAP forbids)."""
    may_have_dtd = b"<!DOCTYPE" in utf8  # or the words stand in a comment or a CDATA section
    if may_have_dtd and _PROLOG_DTD.match(utf8):
        raise _wrong(NO_DTD)
    try:
        root = etree.fromstring(utf8, _local.parser)
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", 0) in _TOO_MUCH:
            raise _wrong("The message is nested too deep or has too long names.") from None
        raise refused(400, Reason.NOT_XML, "The body cannot be read as XML.") from None
    if may_have_dtd and root.getroottree().docinfo.internalDTD is not None:
        raise _wrong(NO_DTD)
    if utf8.find(b"<?", 1) >= 0 or (utf8.startswith(b"<?") and utf8[:6] not in _DECLARATIONS):
        _refuse_instructions(utf8)
    return root


def open_envelope(root: etree._Element) -> Opened:
    """The operation in a SOAP 1.1 envelope; raises `Refused` (VersionMismatch, 6, 10)."""
    if root.tag != _ENVELOPE:
        if etree.QName(root).localname == "Envelope":
            raise fault(
                Reason.VERSION,
                INCORRECT,
                "Only SOAP 1.1 envelopes are accepted.",
                faultcode="VersionMismatch",
            )
        raise _wrong("The root element is not a SOAP Envelope.")
    parts = list(root)
    tags = [part.tag for part in parts]
    if tags not in ([_HEADER, _BODY], [_BODY]):
        raise _wrong("An Envelope holds at most one Header and then one Body, nothing else.")
    body = parts[-1]
    if len(body) != 1:
        raise _wrong("The Body must hold exactly one element.")
    operation = body[0]
    if any(map(_has_text, (root.text, body.text, body.tail, operation.tail, parts[0].tail))):
        raise _wrong("Text is not allowed directly in the Envelope or the Body.")
    login = _login_header(parts[0]) if len(parts) == 2 else None
    found = _OPERATIONS.get(operation.tag)
    if found is None:
        raise fault(Reason.OPERATION, NOT_IMPLEMENTED, "This operation does not exist here.")
    return Opened(found[0], found[1], operation, login)


def check_login(opened: Opened, logins: Logins) -> tuple[str, str]:
    """The user name that was accepted, and the password; raises `Refused` (2, or a form code)."""
    username, password = _login_of(opened.login)
    if len(username) > MAX_USERNAME:
        raise _bad_login(USERNAME_TOO_LONG, "The user name is too long.")
    if len(password) > MAX_PASSWORD:
        raise _bad_login(PASSWORD_TOO_LONG, "The password is too long.")
    return admitted(username, password, logins), password


def admitted(username: str, password: str, logins: Logins) -> str:
    """The configured user name; raises `Refused` with the same bytes for every reason."""
    user = logins.user_of(username, password)
    if user is None or not username or not password:
        raise login_refused()
    return user


def is_nil(element: etree._Element) -> bool:
    """`xsi:nil="true"`: the element counts as absent."""
    return element.get(NIL, "").strip() in ("true", "1")


def _login_header(header: etree._Element) -> etree._Element | None:
    found = None
    for element in header:
        if element.tag in _LOGIN_HEADERS:  # understood, so mustUnderstand on it is met
            if found is not None:
                raise _wrong("The Header holds more than one loginHeader.")
            found = element
        elif (
            element.get(_MUST_UNDERSTAND, "").strip() in ("1", "true")
            and element.get(_ACTOR, "").strip() in _FOR_US
        ):
            raise fault(
                Reason.MUST_UNDERSTAND,
                INCORRECT,
                "A header that must be understood is not known here.",
                faultcode="MustUnderstand",
            )
    return found


def _login_of(header: etree._Element | None) -> tuple[str, str]:
    told: dict[str, str] = {}
    for element in header if header is not None else ():
        name = _LOGIN_FIELDS.get(element.tag)
        if name is None:
            continue
        if name in told:
            raise _wrong("The loginHeader holds an element twice.")
        if len(element):
            if name == "username":
                raise _bad_login(USERNAME_NO_STRING, "The user name is not a string.")
            raise _bad_login(PASSWORD_NO_STRING, "The password is not a string.")
        told[name] = "" if is_nil(element) else (element.text or "").strip()
    return told.get("username", ""), told.get("password", "")


def _refuse_instructions(utf8: bytes) -> None:
    """Raises `Refused` unless every "<?" stands in a comment or a CDATA section."""
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=False,
        collect_ids=False,
    )
    root = etree.fromstring(utf8, parser)
    inside = next(root.iter(etree.ProcessingInstruction), None)
    before = next(root.itersiblings(etree.ProcessingInstruction, preceding=True), None)
    after = next(root.itersiblings(etree.ProcessingInstruction), None)
    if (inside, before, after) != (None, None, None):
        raise _wrong("Processing instructions are not allowed in SOAP.")


def _has_text(text: str | None) -> bool:
    return text is not None and not text.isspace() and text != ""


def _wrong(message: str) -> Refused:
    return fault(Reason.SHAPE, INCORRECT, message)


def _bad_login(code: int, message: str) -> Refused:
    return fault(Reason.LOGIN_FORM, code, message)
