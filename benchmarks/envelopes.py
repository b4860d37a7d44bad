"""The two messages that are measured, as text around a key that makes each one unique."""

from __future__ import annotations

from typing import Final

from backoffice.eduix.contract import types_namespace

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
USER: Final = "bench"
PASSWORD: Final = "Vn4-kR9tYw2uQe7LsXb0mJd3HfPz8cGa"  # noqa: S105  for a server of our own
KEY: Final = "\x00"

_LINES: Final = (
    "    <spec:specification>\n      <spec:amount>1</spec:amount>\n"
    "      <spec:responseID>R-2026-11-22-000000001</spec:responseID>\n    </spec:specification>\n",
    "    <spec:specification>\n      <spec:amount>1</spec:amount>\n"
    "      <spec:responseID>R-2026-11-22-000000002</spec:responseID>\n"
    "      <spec:errorCode>1042</spec:errorCode>\n    </spec:specification>\n",
    "    <spec:correction>\n      <spec:amount>1</spec:amount>\n"
    "      <spec:responseID>R-2026-11-22-000000003</spec:responseID>\n    </spec:correction>\n",
)


def specification_changed() -> list[str]:
    """A specificationChanged with three lines, about 1,300 bytes; the key has up to 30 signs."""
    namespace = types_namespace("notification")
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:spec="{namespace}">\n'
        "  <soapenv:Header>\n    <spec:loginHeader>\n"
        f"      <spec:username>{USER}</spec:username>\n"
        f"      <spec:password>{PASSWORD}</spec:password>\n"
        "    </spec:loginHeader>\n  </soapenv:Header>\n  <soapenv:Body>\n"
        "  <spec:specificationChangedRequest>\n"
        f"    <spec:distributorCreditID>{KEY}</spec:distributorCreditID>\n"
        "    <spec:state>Active</spec:state>\n"
        f"{''.join(_LINES)}"
        "  </spec:specificationChangedRequest>\n  </soapenv:Body>\n</soapenv:Envelope>\n"
    ).split(KEY)


def create_person() -> list[str]:
    """The createPerson that the drainer sends for a row of `workers/product.py`."""
    namespace = types_namespace("profile")
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        f'<soap-env:Envelope xmlns:soap-env="{SOAP}"><soap-env:Header>'
        f'<ns0:sessionIDHeader xmlns:ns0="{namespace}"><ns0:sessionID>canned-session'
        "</ns0:sessionID></ns0:sessionIDHeader></soap-env:Header><soap-env:Body>"
        f'<ns0:createPersonRequest xmlns:ns0="{namespace}"><ns0:person><ns0:distributorPerson>'
        "<ns0:distributorID>1001</ns0:distributorID>"
        f"<ns0:distributorPersonID>{KEY}</ns0:distributorPersonID></ns0:distributorPerson>"
        "<ns0:firstName>Sanne</ns0:firstName><ns0:preposition>van den</ns0:preposition>"
        "<ns0:dateOfBirth>2012-03-04</ns0:dateOfBirth><ns0:personState>A</ns0:personState>"
        "<ns0:email>sanne@example.nl</ns0:email><ns0:postalCode>3011 AB</ns0:postalCode>"
        "<ns0:surname>Berg</ns0:surname><ns0:houseNumber>12</ns0:houseNumber>"
        "<ns0:gender>F</ns0:gender><ns0:countryCode>NL</ns0:countryCode></ns0:person>"
        "</ns0:createPersonRequest></soap-env:Body></soap-env:Envelope>"
    ).split(KEY)
