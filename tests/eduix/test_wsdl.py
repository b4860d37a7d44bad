"""The WSDL files: what zeep makes of them, and the SOAP details that other stacks read."""

from __future__ import annotations

from typing import Any

import pytest
import zeep
from lxml import etree

from backoffice.eduix import contract
from tests import facts
from tests.eduix import samples
from tests.eduix.samples import documented, errors, local

SERVICES = ("profile", "credit", "notification")
XS = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"

OPERATIONS = [(row["service"], row["operation"]) for row in facts.rows("operations")]
REQUESTS = [
    pytest.param(
        service, operation, sample, id=f"{service}-{operation}-{next(iter(sample), 'empty')}"
    )
    for service, operation in OPERATIONS
    for sample in samples.samples(service, f"{operation}Request")
]


def wsdl(service: str) -> etree._Element:
    return etree.parse(str(contract.wsdl_path(service))).getroot()


@pytest.mark.parametrize("service", SERVICES)
def test_zeep_lists_exactly_the_documented_operations(service: str) -> None:
    client = zeep.Client(str(contract.wsdl_path(service)))

    ports = [port for s in client.wsdl.services.values() for port in s.ports.values()]

    assert len(ports) == 1
    assert tuple(ports[0].binding._operations) == contract.OPERATIONS[service]
    assert ports[0].binding_options["address"] == contract.production_address(service)


@pytest.mark.parametrize("service", SERVICES)
def test_the_binding_is_soap_11_document_literal(service: str) -> None:
    root = wsdl(service)

    binding = root.find(f"{WSDL}binding/{SOAP}binding")

    assert binding is not None
    assert binding.get("style") == "document"
    assert binding.get("transport") == "http://schemas.xmlsoap.org/soap/http"
    assert {n.get("use") for n in root.iter(f"{SOAP}body", f"{SOAP}header", f"{SOAP}fault")} == {
        "literal"
    }
    assert root.get("targetNamespace") == contract.wsdl_namespace(service)


@pytest.mark.parametrize("service", SERVICES)
def test_the_wsdl_imports_its_schema_by_a_relative_name(service: str) -> None:
    imports = [
        (node.get("namespace"), node.get("schemaLocation"))
        for node in wsdl(service).iter(f"{XS}import")
    ]

    assert imports == [(contract.types_namespace(service), contract.xsd_path(service).name)]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_an_operation_has_its_action_header_messages_and_fault(
    service: str, operation: str
) -> None:
    root = wsdl(service)
    row = next(r for r in documented(service, "operations") if r["operation"] == operation)
    elements = {
        message.get("name"): local(part.get("element"))
        for message in root.findall(f"{WSDL}message")
        for part in message.findall(f"{WSDL}part")
    }

    port = root.find(f"{WSDL}portType/{WSDL}operation[@name='{operation}']")
    bound = root.find(f"{WSDL}binding/{WSDL}operation[@name='{operation}']")

    assert port is not None
    assert bound is not None
    carried = [(etree.QName(n).localname, elements[local(n.get("message"))]) for n in port]
    assert carried == [("input", row["request"]), ("output", row["response"]), ("fault", "Fault")]
    action, header, fault = (
        next(bound.iter(f"{SOAP}{name}")) for name in ("operation", "header", "fault")
    )
    assert action.get("soapAction") == contract.soap_action(service, operation)
    assert (local(header.get("message")), header.get("part")) == (row["header"], row["header"])
    assert elements[row["header"]] == row["header"]
    assert fault.get("name") == "Fault"


def envelope(service: str, operation: str, sample: samples.Sample, **header: Any) -> etree._Element:
    client = zeep.Client(str(contract.wsdl_path(service)))
    made: etree._Element = client.create_message(
        client.service, operation, _soapheaders=header, **sample
    )
    return etree.fromstring(etree.tostring(made))  # as it reads on the other side


@pytest.mark.parametrize(("service", "operation", "sample"), REQUESTS)
def test_zeep_makes_a_valid_message_of_every_request(
    service: str, operation: str, sample: samples.Sample
) -> None:
    name = contract.HEADERS[service][operation]

    for content in samples.samples(service, name):
        made = envelope(service, operation, sample, **{name: content})

        header, body = made.find(f"{ENVELOPE}Header"), made.find(f"{ENVELOPE}Body")
        assert header is not None
        assert body is not None
        assert [errors(service, node) for node in (*header, *body)] == [[], []]
        assert [etree.QName(node).localname for node in (*header, *body)] == [
            name,
            f"{operation}Request",
        ]
        assert read(body[0]) == read(samples.element(service, f"{operation}Request", sample))


def read(node: etree._Element) -> list[tuple[str, str]]:
    return [(str(child.tag), (child.text or "").strip()) for child in node.iter()]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_zeep_reads_every_response(service: str, operation: str) -> None:
    sample = next(samples.samples(service, f"{operation}Response"))
    answer = samples.element(service, f"{operation}Response", sample)
    wrapped = etree.Element(f"{ENVELOPE}Envelope")
    etree.SubElement(wrapped, f"{ENVELOPE}Body").append(answer)
    client = zeep.Client(str(contract.wsdl_path(service)))

    result = client.service._binding.get(operation).output.deserialize(wrapped)

    assert errors(service, answer) == []
    given = zeep.helpers.serialize_object(result, dict)
    # zeep unwraps an answer of one member; an empty answer reads as None.
    assert given == (next(iter(sample.values())) if sample else None)
