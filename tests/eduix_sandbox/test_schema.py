"""The schema refuses what fields cannot tell, also in many threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from backoffice.eduix.contract import OPERATIONS, types_namespace
from backoffice.eduix_sandbox.faults import Refusal
from backoffice.eduix_sandbox.schema import Schema


def element(inside: str) -> etree._Element:
    return etree.fromstring(
        f'<getPersonRequest xmlns="{types_namespace("profile")}">{inside}</getPersonRequest>'
    )


def test_a_request_that_fits_passes() -> None:
    Schema("profile").check(element("<userID>u</userID>"))


@pytest.mark.parametrize("inside", ["<userID>u</userID><x/>", "<userID>u</userID>" * 2, "text"])
def test_a_request_that_does_not_fit_is_incorrect(inside: str) -> None:
    with pytest.raises(Refusal) as refused:
        Schema("profile").check(element(inside))

    assert refused.value.code == 6
    assert "{" not in refused.value.message


def test_threads_read_their_own_errors() -> None:
    schema = Schema("profile")

    def refusal(number: int) -> str:
        with pytest.raises(Refusal) as refused:
            schema.check(element(f"<wrong{number}/>"))
        return refused.value.message

    with ThreadPoolExecutor(8) as pool:
        messages = list(pool.map(refusal, range(200)))

    assert all(f"wrong{number}'" in message for number, message in enumerate(messages))


def test_there_is_a_schema_for_both_services() -> None:
    for service in ("profile", "credit"):
        namespace = types_namespace(service)
        Schema(service).check(etree.fromstring(f'<loginRequest xmlns="{namespace}"/>'))
        assert "login" in OPERATIONS[service]
