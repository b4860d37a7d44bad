"""Who is calling: loginHeader, sessionIDHeader and authHeader.

login takes a loginHeader, every write a sessionIDHeader, every get an authHeader that holds
either of the two.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from lxml.etree import _Element

from .checks import Record, local, read
from .envelope import Node
from .faults import LOGIN_REFUSED, MISSING, Refusal, field_refusal
from .fields import OBJECTS
from .operation import Header
from .sessions import SESSION_ID_BASE
from .world import World

_AUTH_BASE: Final = 2200


def check_header(
    world: World, service: str, header: Header, headers: Mapping[str, _Element]
) -> str:
    """The sessionID of the call, empty for a login; raises `Refusal`."""
    element = headers.get(header)
    if header == "loginHeader":
        _check_login(world, element)
        return ""
    if header == "sessionIDHeader":
        return _check_session(world, service, element)
    chosen = None if element is None or len(element) != 1 else element[0]
    if chosen is not None and local(chosen) == "loginHeader":
        _check_login(world, chosen)
        return ""
    if chosen is not None and local(chosen) == "sessionIDHeader":
        return _check_session(world, service, chosen)
    raise field_refusal(_AUTH_BASE, MISSING, "loginHeader or sessionIDHeader")


def login(world: World, record: Record, *, service: str) -> list[Node]:
    """The operation `login`: a session for one service, once the header was accepted."""
    return [("sessionID", world.sessions.begin(service))]


def _check_login(world: World, element: _Element | None) -> None:
    """Both elements are optional and have no "missing" code: what lacks is a refused login."""
    sent = Record() if element is None else read(element, OBJECTS["loginHeader"])
    good = [
        hmac.compare_digest(sent.values.get(name, "").encode(), expected.encode())
        for name, expected in (
            ("username", world.options.username),
            ("password", world.options.password),
        )
    ]
    if not all(good):
        raise Refusal(LOGIN_REFUSED, "the login is refused")


def _check_session(world: World, service: str, element: _Element | None) -> str:
    if element is None:
        raise field_refusal(SESSION_ID_BASE, MISSING, "sessionID")
    token = read(element, OBJECTS["sessionIDHeader"]).values["sessionID"].strip()
    world.sessions.use(token, service)
    return token
