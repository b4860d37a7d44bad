from __future__ import annotations

import pytest
from lxml import etree

from backoffice.eduix.contract import xsd_path
from benchmarks.envelopes import SOAP, create_person, specification_changed


@pytest.mark.parametrize(
    ("service", "parts"),
    [("notification", specification_changed()), ("profile", create_person())],
)
def test_what_is_sent_satisfies_the_schema(service: str, parts: list[str]) -> None:
    schema = etree.XMLSchema(etree.parse(str(xsd_path(service))))
    envelope = etree.fromstring("0c32-00000001".join(parts).encode())

    body = envelope.find(f"{{{SOAP}}}Body")

    assert body is not None
    assert schema.validate(body[0]), schema.error_log
