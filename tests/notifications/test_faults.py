"""The form of the answers."""

from __future__ import annotations

import pytest
from lxml import etree

from backoffice.eduix.contract import xsd_path
from notifications.faults import (
    PHRASES,
    Reason,
    database_locked,
    database_unavailable,
    fault,
    login_refused,
    refused,
    unforeseen,
)

ALL = [
    login_refused(),
    unforeseen("0123456789abcdef"),
    database_unavailable(),
    database_locked(),
    fault(Reason.SHAPE, 6, "A message with <signs> & more."),
    fault(Reason.VERSION, 6, "x", faultcode="VersionMismatch"),
]


@pytest.mark.parametrize("refusal", ALL)
def test_a_fault_has_unprefixed_children_and_a_negative_code_in_its_detail(
    refusal: object,
) -> None:
    root = etree.fromstring(refusal.answer.body)  # type: ignore[attr-defined]
    found = root[0][0]

    assert [child.tag for child in found] == ["faultcode", "faultstring", "detail"]
    prefix, _colon, name = (found.findtext("faultcode") or "").partition(":")
    assert found.nsmap[prefix] == "http://schemas.xmlsoap.org/soap/envelope/"
    assert "." not in name
    (detail,) = found[2]
    assert etree.XMLSchema(etree.parse(str(xsd_path("notification")))).validate(detail)
    assert int(detail[0].text or 0) < 0


def test_a_long_message_is_cut_at_what_the_contract_allows() -> None:
    root = etree.fromstring(fault(Reason.SHAPE, 6, "x" * 5000).answer.body)

    assert len(root.findtext(".//{*}detail/{*}Fault/{*}message") or "") == 4096


def test_a_refusal_without_envelope_is_one_plain_line() -> None:
    answer = refused(411, Reason.LENGTH, "Please send a Content-Length.").answer

    assert answer.body == b"Please send a Content-Length.\n"
    assert ("Content-Type", "text/plain; charset=utf-8") in answer.all_headers


def test_the_answer_with_a_reference_is_not_kept_in_memory() -> None:
    first, second = (unforeseen("0123456789abcdef").answer.body for _ in range(2))

    assert first == second
    assert first is not second


def test_there_is_no_answer_that_sends_a_body_elsewhere() -> None:
    assert not any(300 <= status < 400 or status in (202, 204) for status in PHRASES)
