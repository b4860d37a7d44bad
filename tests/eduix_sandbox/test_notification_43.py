"""The sandbox that tells what changed in version 4.3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .endpoint import Endpoint, notification_schema, text_of
from .samples import (
    DISTRIBUTOR,
    REFUSING_117,
    SCHOOLS,
    own_person_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)


@pytest.fixture
def caller(endpoint: Endpoint) -> Iterator[Caller]:
    with SandboxServer(
        schools=SCHOOLS,
        distributor_id=DISTRIBUTOR,
        pace=0,
        endpoint=endpoint.url,
        notification_version="4.3",
        endpoint_username="eduix",
        endpoint_password="geheim",
        notify_first_wait=0.01,
        notify_longest_wait=0.05,
    ) as server:
        caller = Caller(server)
        caller.call("createPerson", person=person())
        caller.call("createSchoolperson", schoolperson=schoolperson())
        assert server.control.wait_until_quiet()
        yield caller


def specifications(body: etree._Element) -> list[etree._Element]:
    return body.findall("{*}eckSpecification")


def test_every_notification_fits_the_schema_of_its_version(
    caller: Caller, endpoint: Endpoint
) -> None:
    long_key = "C" * 160
    caller.call("createPersonCredit", personCredit=person_credit(long_key))
    caller.call("createPersonCredit", personCredit=person_credit("C2", ean=REFUSING_117))
    caller.call("createSchoolCredit", schoolCredit=school_credit())
    assert caller.sandbox.control.wait_until_quiet()

    schema = notification_schema("4.3")
    assert len(endpoint.received) == 4
    for root in endpoint.received:
        schema.assertValid(root[-1][0])
        schema.assertValid(root[0][0])
    told = endpoint.bodies("specificationChanged")
    assert long_key in {text_of(body, "distributorCreditID") for body in told}
    codes = {text_of(specifications(body)[0], "errorCode") for body in told}
    assert codes == {None, "117"}


def test_owner_numbers_and_moments_are_told(caller: Caller, endpoint: Endpoint) -> None:
    caller.call("createPersonCredit", personCredit=person_credit())
    assert caller.sandbox.control.wait_until_quiet()
    caller.call(
        "returnCredit",
        distributorPersonCredit=own_person_credit(),
        amount=1,
        returnCreditReferenceId="R1",
    )
    assert caller.sandbox.control.wait_until_quiet()

    last = endpoint.bodies("specificationChanged")[-1]
    (entry,) = specifications(last)
    (correction,) = last.findall("{*}eckCorrection")
    assert text_of(last, "isSingleUpdate") == "false"
    assert str(text_of(entry, "ownerID")).startswith("u-")
    assert int(str(text_of(entry, "auditID"))) < int(str(text_of(correction, "auditID")))
    assert str(text_of(entry, "timeStamp")) < str(text_of(correction, "timeStamp"))
