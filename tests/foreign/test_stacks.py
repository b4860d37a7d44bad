"""The sandbox's WSDLs in SOAP stacks that are not ours: PHP's ext-soap, and gSOAP in C."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backoffice.eduix_sandbox.server import SandboxServer
from tests.eduix_sandbox.samples import DISTRIBUTOR, LINKING, SCHOOLS
from tests.foreign.stacks import HERE, built_with_gsoap, lines, run

PASSWORD = "geheim & <lang>"  # noqa: S105  it must survive being written as XML
PREFIXES = {
    "profile": "urn:edu-ix:profile:types:4.1",
    "credit": "urn:edu-ix:credit:types:4.1",
}
EXPECTED = [
    ["profile.login", "32"],
    ["createPerson", "done"],
    ["createSchoolperson", "done"],
    ["getPerson", "Zoë"],
    ["fault", "2626"],
    ["credit.login", "32"],
    ["createPersonCredit", "done"],
    ["getPersonCredit", "9789001205416"],
]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(
        schools=SCHOOLS, distributor_id=DISTRIBUTOR, password=PASSWORD, pace=0
    ) as running:
        yield running


def test_php_works_with_our_wsdls(php: str, sandbox: SandboxServer) -> None:
    organisation = LINKING["organisationID"]
    wsdls = [f"{sandbox.profile_url}/wsdl", f"{sandbox.credit_url}?wsdl"]

    printed = run(
        [php, str(HERE / "partner.php"), *wsdls, sandbox.username, str(DISTRIBUTOR), organisation],
        input=f"{PASSWORD}\n",
    )

    assert lines(printed) == EXPECTED
    applied = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert applied == ["createPerson", "createSchoolperson", "createPersonCredit"]


def test_gsoap_works_with_our_wsdls(gsoap: None, sandbox: SandboxServer, tmp_path: Path) -> None:
    wsdls = [f"{sandbox.profile_url}/wsdl", f"{sandbox.credit_url}?wsdl"]
    partner = built_with_gsoap(tmp_path, "partner.c", PREFIXES, wsdls)

    printed = run(
        [str(partner), sandbox.username, str(DISTRIBUTOR), LINKING["organisationID"]],
        input=f"{PASSWORD}\n",
    )

    assert lines(printed) == EXPECTED
    applied = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert applied == ["createPerson", "createSchoolperson", "createPersonCredit"]
