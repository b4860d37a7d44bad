"""Answers that go wrong on their way: what a proxy, a crash or another server makes of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from backoffice.eduix.contract import HEADERS, SESSION_HEADER

from .envelope import write, write_fault
from .reply import HTML, TEXT, Reply
from .troubles import Trouble

ORDERED: Final = "as ordered"
ELSEWHERE: Final = "/elsewhere"
"""Where a redirect leads when the order says nothing; whoever comes there is written down."""

_BOMB_BYTES: Final = 64 * 1024 * 1024
_END: Final = b"</soap:Body>"
_PAGE: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Even geduld</title><meta charset=utf-8></head>\n"
    b"<body><h1>Even geduld</h1><p>De dienst is tijdelijk niet bereikbaar.<br></body></html>\n"
)
_DOCTYPE: Final = (
    b'<!DOCTYPE soap:Envelope [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>\n'
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it goes wrong: the operation of a service, its namespace, and the code to tell."""

    service: str
    operation: str
    namespace: str
    code: int


def spoiled(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    """What leaves instead of this reply; a delay changes nothing."""
    spoil = _SPOILS.get(trouble.kind)
    return reply if spoil is None else spoil(reply, trouble, place)


def _fault(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    where = trouble.place if trouble.kind == "fault_without_detail" else "detail"
    body = write_fault(
        place.namespace, code=place.code, message=ORDERED, server_fault=True, place=where
    )
    return Reply(500, body)


def _unavailable(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return Reply(503, b"The service is not available.\n", TEXT, {"Retry-After": "1"})


def _dropped(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return Reply(drop=True)


def _cut(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return replace(reply, cut_at=len(reply.body) // 2)


def _dripping(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return replace(reply, drip=trouble.seconds)


def _page(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return Reply(trouble.status, _PAGE, HTML)


def _empty(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return Reply()


def _truncated(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _bomb(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    head, end, tail = reply.body.rpartition(_END)
    packed = _packed(head, end + tail)
    return replace(reply, body=packed, headers={"Content-Encoding": "gzip"})


@lru_cache(maxsize=8)
def _packed(head: bytes, tail: bytes) -> bytes:
    """Head, spaces and tail as gzip: valid XML, if only there were room for it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    parts = [packer.compress(head)]
    spaces = b" " * (1024 * 1024)
    parts += [packer.compress(spaces) for _ in range(_BOMB_BYTES // len(spaces))]
    parts += [packer.compress(tail), packer.flush()]
    return b"".join(parts)


def _with_dtd(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    declaration, _, root = reply.body.partition(b"\n")
    body = declaration + b"\n" + _DOCTYPE + root.replace(_END, b"&c;" + _END)
    return replace(reply, body=body)


def _of_another(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    other = next(
        name
        for name, header in HEADERS[place.service].items()
        if header == SESSION_HEADER and name != place.operation
    )
    return Reply(body=write(place.namespace, (f"{other}Response", [])))


def _redirect(reply: Reply, trouble: Trouble, place: Place) -> Reply:
    return Reply(trouble.status, b"", TEXT, {"Location": trouble.location or ELSEWHERE})


_SPOILS: Final[dict[str, Callable[[Reply, Trouble, Place], Reply]]] = {
    "fault": _fault,
    "fault_without_detail": _fault,
    "unavailable": _unavailable,
    "cut": _dropped,
    "cut_answer": _cut,
    "drop_reply": _dropped,
    "hang": _dropped,
    "drip": _dripping,
    "html": _page,
    "empty": _empty,
    "truncated": _truncated,
    "gzip_bomb": _bomb,
    "dtd": _with_dtd,
    "wrong_operation": _of_another,
    "redirect": _redirect,
}
