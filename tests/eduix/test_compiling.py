"""A schema that is compiled while other threads parse is whole all the same."""

from __future__ import annotations

import threading

from lxml import etree

from backoffice.eduix.dialect import dialect_of
from benchmarks.envelopes import create_person

ENOUGH = b"<a>" + b"<b/>" * 50 + b"</a>"


def test_what_others_parse_meanwhile_leaves_no_part_out() -> None:
    dialect = dialect_of("profile")
    over = threading.Event()

    def parse() -> None:
        while not over.is_set():
            etree.fromstring(ENOUGH, etree.XMLParser())

    threads = [threading.Thread(target=parse) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        compiled = [dialect.compiled() for _ in range(60)]
    finally:
        over.set()
        for thread in threads:
            thread.join()

    envelope = etree.fromstring("D1".join(create_person()).encode())
    body = envelope.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    assert body is not None
    for schema in compiled:
        assert schema.validate(body[0])
