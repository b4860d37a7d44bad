"""The facts that both sides of the wire may know."""

from __future__ import annotations

from pathlib import Path

import pytest
import zeep
from lxml import etree

from backoffice.eduix import contract
from tests import facts

SERVICES = ("profile", "credit", "notification")
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


FILES = [(service, version) for service in SERVICES for version in contract.SPOKEN[service]]


def test_the_operations_are_those_of_the_documentation_in_its_order() -> None:
    documented = {
        service: tuple(
            row["operation"] for row in facts.rows("operations") if row["service"] == service
        )
        for service in SERVICES
    }

    assert documented == contract.OPERATIONS
    assert [len(documented[service]) for service in SERVICES] == [12, 8, 2]


def test_every_operation_knows_the_header_that_the_documentation_gives_it() -> None:
    documented = [(r["service"], r["operation"], r["header"]) for r in facts.rows("operations")]

    ours = [
        (service, operation, header)
        for service, headers in contract.HEADERS.items()
        for operation, header in headers.items()
    ]

    assert ours == documented


def test_namespaces_addresses_and_actions_carry_service_and_version() -> None:
    assert contract.VERSIONS == {"profile": "4.1", "credit": "4.1", "notification": "4.0"}
    assert contract.types_namespace("profile") == "urn:edu-ix:profile:types:4.1"
    assert contract.wsdl_namespace("notification") == "urn:edu-ix:notification:4.0"
    assert contract.endpoint_path("notification") == "/soap/4.0/notification"
    assert contract.production_address("credit") == "https://distributor.edu-ix.nl/soap/4.1/credit"
    assert contract.soap_action("credit", "returnCredit") == "urn:edu-ix:credit:4.1#returnCredit"


def test_an_unknown_service_or_operation_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        contract.wsdl_path("account")
    with pytest.raises(KeyError):
        contract.types_namespace("credit", "5.1")
    with pytest.raises(KeyError):
        contract.soap_action("profile", "returnCredit")


def test_the_files_stand_where_the_contract_says() -> None:
    files = {path for path in contract.WSDL_DIR.iterdir() if path.suffix in {".wsdl", ".xsd"}}

    wsdls = {contract.wsdl_path(service, version) for service, version in FILES}
    schemas = {contract.xsd_path(service, version) for service, version in FILES}
    assert files == wsdls | schemas


@pytest.mark.parametrize(("service", "version"), FILES)
def test_the_served_wsdl_stands_on_its_own_and_names_our_address(
    service: str, version: str, tmp_path: Path
) -> None:
    address = "http://127.0.0.1:8000/soap/x?a=1&b=<2>"

    served = contract.wsdl_document(service, version, address=address)

    alone = tmp_path / "served.wsdl"  # no schema file beside it
    alone.write_bytes(served)
    port = next(iter(next(iter(zeep.Client(str(alone)).wsdl.services.values())).ports.values()))
    assert tuple(port.binding._operations) == contract.OPERATIONS[service]
    assert port.binding_options["address"] == address
    assert b"schemaLocation" not in served
    assert address not in contract.wsdl_path(service, version).read_text(encoding="utf-8")


def test_every_served_wsdl_is_a_new_document() -> None:
    first = contract.wsdl_document("notification", address="https://one.example/")

    second = contract.wsdl_document("notification", address="https://two.example/")

    addresses = [
        node.get("location")
        for document in (first, second)
        for node in etree.fromstring(document).iter(f"{SOAP}address")
    ]
    assert addresses == ["https://one.example/", "https://two.example/"]


def test_a_wsdl_without_an_address_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in contract.WSDL_DIR.glob("credit-4.1.*"):
        text = path.read_text(encoding="utf-8").replace("soap:address", "soap:nowhere")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(contract, "WSDL_DIR", tmp_path)

    with pytest.raises(ValueError, match=r"credit-4\.1\.wsdl"):
        contract.wsdl_document("credit", address="https://one.example/")
