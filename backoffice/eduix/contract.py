"""What both sides of the wire may know: the services, their operations, and where the WSDL stands.

The WSDL and XSD files beside this module are written from the services' documentation;
`wsdl/README.md` says which of their lines are documented and which are inferred. Nothing here
knows Django, zeep or the office: the gateway, the sandbox and the notification endpoint share it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lxml import etree

from backoffice.eduix.addresses import PRODUCTION_HOST

WSDL_DIR: Final = Path(__file__).with_name("wsdl")

VERSIONS: Final[dict[str, str]] = {"profile": "4.1", "credit": "4.1", "notification": "4.0"}

SPOKEN: Final[dict[str, tuple[str, ...]]] = {
    **{service: (version,) for service, version in VERSIONS.items()},
    "notification": ("4.0", "4.3"),
}
"""Service -> the versions that we have files of; Edu-iX may call us in any of them."""

LOGIN_HEADER: Final = "loginHeader"
SESSION_HEADER: Final = "sessionIDHeader"
AUTH_HEADER: Final = "authHeader"

HEADERS: Final[dict[str, dict[str, str]]] = {
    "profile": {
        "login": LOGIN_HEADER,
        "getSchool": AUTH_HEADER,
        "createPerson": SESSION_HEADER,
        "getPerson": AUTH_HEADER,
        "updatePerson": SESSION_HEADER,
        "deletePerson": SESSION_HEADER,
        "updatePersonID": SESSION_HEADER,
        "mergePerson": SESSION_HEADER,
        "createSchoolperson": SESSION_HEADER,
        "getSchoolperson": AUTH_HEADER,
        "updateSchoolperson": SESSION_HEADER,
        "deleteSchoolperson": SESSION_HEADER,
    },
    "credit": {
        "login": LOGIN_HEADER,
        "createPersonCredit": SESSION_HEADER,
        "getPersonCredit": AUTH_HEADER,
        "updatePersonCredit": SESSION_HEADER,
        "createSchoolCredit": SESSION_HEADER,
        "getSchoolCredit": AUTH_HEADER,
        "updateSchoolCredit": SESSION_HEADER,
        "returnCredit": SESSION_HEADER,
    },
    "notification": {
        "prematchChanged": LOGIN_HEADER,
        "specificationChanged": LOGIN_HEADER,
    },
}
"""Service -> operation -> the SOAP header element that authenticates it."""

OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    service: tuple(headers) for service, headers in HEADERS.items()
}

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


def wsdl_path(service: str, version: str = "") -> Path:
    """The bundled WSDL of "profile", "credit" or "notification"; `KeyError` for another name."""
    return WSDL_DIR / f"{service}-{_spoken(service, version)}.wsdl"


def xsd_path(service: str, version: str = "") -> Path:
    """The bundled schema that the WSDL of this service imports."""
    return WSDL_DIR / f"{service}-{_spoken(service, version)}.xsd"


def types_namespace(service: str, version: str = "") -> str:
    """The namespace of body elements, header elements and objects."""
    return f"urn:edu-ix:{service}:types:{_spoken(service, version)}"


def wsdl_namespace(service: str, version: str = "") -> str:
    """The namespace of the WSDL itself, which some senders use for their elements too."""
    return f"urn:edu-ix:{service}:{_spoken(service, version)}"


def _spoken(service: str, version: str) -> str:
    """The version, or the first one of this service where none is asked for."""
    if version and version not in SPOKEN[service]:
        raise KeyError(version)
    return version or VERSIONS[service]


def soap_action(service: str, operation: str, version: str = "") -> str:
    """The SOAPAction header; `KeyError` when the service has no such operation."""
    if operation not in HEADERS[service]:
        raise KeyError(operation)
    return f"{wsdl_namespace(service, version)}#{operation}"


def endpoint_path(service: str, version: str = "") -> str:
    """The path of the endpoint on whatever host; its WSDL stands at `/wsdl` below it."""
    return f"/soap/{_spoken(service, version)}/{service}"


def production_address(service: str, version: str = "") -> str:
    """Where Edu-iX serves this in production, as the bundled WSDL says too."""
    return f"https://{PRODUCTION_HOST}{endpoint_path(service, version)}"


def wsdl_document(service: str, version: str = "", *, address: str) -> bytes:
    """The WSDL as one document: schema inline, `soap:address` set to `address`.

    Served over HTTP the schema cannot stay a relative import: it would resolve for `/wsdl` or
    for `?wsdl`, never for both.
    """
    # Our own files, and still read by a parser that follows nothing: one habit for every XML.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
    document = etree.parse(str(wsdl_path(service, version)), parser)
    schema = etree.parse(str(xsd_path(service, version)), parser).getroot()
    types = document.getroot().find(f"{_WSDL}types")
    port = document.getroot().find(f"{_WSDL}service/{_WSDL}port/{_SOAP}address")
    if types is None or port is None:
        raise ValueError(f"{wsdl_path(service, version).name} has no types or no soap:address")
    types[:] = [schema]
    port.set("location", address)
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)
