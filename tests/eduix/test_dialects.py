"""The official WSDL wins: all operations in WSDLs that differ from ours in everything but names."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backoffice.eduix import contract
from backoffice.eduix.dialect import dialect_of
from backoffice.eduix.errors import EduixContractBroken, EduixRefused
from backoffice.eduix.fitting import fit_of
from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import (
    PersonCreditRecord,
    PersonRecord,
    Portal,
    SchoolCreditRecord,
    SchoolPersonRecord,
)
from backoffice.eduix_sandbox.server import SandboxServer
from tests.eduix import variants
from tests.eduix.dialect_partner import Translator, partner
from tests.eduix.variants import Dialect

SCHOOL = "97889c33-0000-4000-8000-000000000001"
RENAMED: dict[str, Any] = {
    "types": "http://edu-ix.example/{}/types",
    "wsdl": "http://edu-ix.example/{}/service",
}
DIALECTS = {
    "namespaces": Dialect(**RENAMED),
    "unqualified": Dialect(qualified=False),
    "order": Dialect(reversed=True, extra=True),
    "inline": Dialect(files="inline", action="urn:do/"),
    "folder": Dialect(files="folder", **RENAMED),
    "headers undeclared": Dialect(headers="undeclared", **RENAMED),
    "headers without message": Dialect(headers="dangling"),
    "headers in the WSDL's namespace": Dialect(headers="wsdl", files="inline", **RENAMED),
    "ports": Dialect(ports=True),
    "bare faults": Dialect(bare_faults=True),
    "everything": Dialect(
        **RENAMED,
        qualified=False,
        reversed=True,
        extra=True,
        files="folder",
        headers="undeclared",
        action="urn:do/",
        ports=True,
        bare_faults=True,
    ),
}


def person(key: str = "K1", **changes: Any) -> PersonRecord:
    values: dict[str, Any] = {
        "distributor_person_id": key,
        "first_name": "Žofia",
        "surname": "Berg & Dal",
        "postal_code": "3011 AB",
        "country_code": "NL",
        "email": "z@example.org",
        "date_of_birth": date(2012, 3, 4),
        "house_number": 7,
        "gender": "F",
    }
    return PersonRecord(**(values | changes))


PERSON_CREDIT = PersonCreditRecord(
    "C1", "K1-S", "9789001234562", date(2026, 8, 1), date(2027, 7, 31), 2627
)
SCHOOL_CREDIT = SchoolCreditRecord(
    "SC1",
    SCHOOL,
    "9789001234562",
    date(2026, 8, 1),
    None,
    "A. Smit",
    "a@example.org",
    2627,
    30,
)


def walk(gateway: Gateway) -> None:
    """All twenty operations, each answer looked at."""
    assert gateway.get_school(organisation_id=SCHOOL).name == "Het Baken College"  # type: ignore[union-attr]
    assert len(gateway.get_schools()) == 1
    gateway.create_person(person())
    gateway.create_person(person("K2"))
    with pytest.raises(EduixRefused) as twice:
        gateway.create_person(person())
    assert twice.value.number == 2626
    gateway.update_person(person(surname="Dal"))
    found = gateway.get_person(distributor_person_id="K1")
    assert found is not None
    assert found.person.differences(person(surname="Dal")) == []
    assert gateway.get_persons(profile_id=found.person.profile_id)[0].person == found.person
    assert gateway.get_persons(portal=Portal("Kennisnet", "nobody")) == []
    assert gateway.get_person(distributor_person_id="unknown") is None
    gateway.update_person_id(from_id="K2", to_id="K3")
    gateway.merge_person(from_id="K3", to_id="K1")
    at_school = SchoolPersonRecord("K1-S", SCHOOL, "K1", "Student")
    gateway.create_school_person(at_school)
    gateway.update_school_person(SchoolPersonRecord("K1-S", SCHOOL, "K1", "Student", "42"))
    assert gateway.get_school_persons(distributor_person_id="K1")[0].school_student_number == "42"
    gateway.create_person_credit(PERSON_CREDIT)
    gateway.update_person_credit(PERSON_CREDIT)
    credit = gateway.get_person_credit(distributor_person_credit_id="C1")
    assert credit is not None
    assert credit.credit == PERSON_CREDIT
    filtered = gateway.get_person_credits(
        distributor_person_id="K1", ean=PERSON_CREDIT.ean, school_year=2627
    )
    assert [one.credit for one in filtered] == [PERSON_CREDIT]
    gateway.return_person_credit(distributor_person_credit_id="C1", reference="R1")
    gateway.create_school_credit(SCHOOL_CREDIT)
    gateway.update_school_credit(SCHOOL_CREDIT)
    gateway.return_school_credit(distributor_school_credit_id="SC1", amount=4, reference="R2")
    school_credit = gateway.get_school_credit(distributor_school_credit_id="SC1")
    assert school_credit is not None
    assert (school_credit.credit, school_credit.returned) == (SCHOOL_CREDIT, 4)
    gateway.delete_school_person(distributor_school_person_id="K1-S")
    gateway.delete_person(distributor_person_id="K1")


def config(sandbox: SandboxServer, **changes: str) -> Any:
    values: dict[str, Any] = {
        "EDUIX_PROFILE_URL": sandbox.profile_url,
        "EDUIX_CREDIT_URL": sandbox.credit_url,
        "EDUIX_PROFILE_WSDL": "",
        "EDUIX_CREDIT_WSDL": "",
        "EDUIX_USERNAME": sandbox.username,
        "EDUIX_PASSWORD": sandbox.password,
        "EDUIX_DISTRIBUTOR_ID": sandbox.distributor_id,
        "EDUIX_SESSION_MINUTES": 20,
    }
    return SimpleNamespace(**(values | changes))


SCHOOLS: list[dict[str, Any]] = [
    {
        "organisationID": SCHOOL,
        "name": "Het Baken College",
        "city": "Rotterdam",
        "countryCode": "NL",
        "brin": "35ZZ",
        "prematch": False,
    }
]


@pytest.mark.parametrize("name", DIALECTS)
def test_all_operations_work_in_another_dialect(name: str, tmp_path: Path) -> None:
    dialect = DIALECTS[name]
    changes = {}
    with SandboxServer(schools=SCHOOLS, pace=0) as sandbox, ExitStack() as stack:
        translators = []
        for service in ("profile", "credit"):
            wsdl = variants.write(service, tmp_path / "a folder", dialect)
            translator = Translator(service, dialect, wsdl)
            behind = sandbox.profile_url if service == "profile" else sandbox.credit_url
            changes[f"EDUIX_{service.upper()}_WSDL"] = str(wsdl)
            changes[f"EDUIX_{service.upper()}_URL"] = stack.enter_context(
                partner(translator, behind)
            )
            translators.append(translator)
        gateway = Gateway(config(sandbox, **changes))

        walk(gateway)

        gateway.close()
        called = {(row.service, row.operation) for row in sandbox.control.ledger()}
    assert [wrong for translator in translators for wrong in translator.wrong] == []
    expected = {(s, o) for s in ("profile", "credit") for o in contract.OPERATIONS[s]}
    assert called == expected


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("service", ["profile", "credit"])
def test_another_dialect_fits_and_is_read_once(name: str, service: str, tmp_path: Path) -> None:
    wsdl = str(variants.write(service, tmp_path, DIALECTS[name]))

    fit = fit_of(service, wsdl)

    assert (fit.errors, fit.warnings) == ([], [])
    assert dialect_of(service, wsdl) is dialect_of(service, wsdl)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_value_that_does_not_fit_another_dialect_never_leaves(name: str, tmp_path: Path) -> None:
    wsdl = str(variants.write("profile", tmp_path, DIALECTS[name]))
    gateway = Gateway(
        SimpleNamespace(
            **{
                **vars(config(SandboxServer(schools=SCHOOLS))),
                "EDUIX_PROFILE_WSDL": wsdl,
                "EDUIX_PROFILE_URL": "http://127.0.0.1:9/",
            }
        )
    )
    gateway.profile._session.current = lambda: "s"  # type: ignore[method-assign]

    with pytest.raises(EduixContractBroken, match="surname"):
        gateway.create_person(person(surname="x" * 51))


@pytest.mark.parametrize("service", ["profile", "credit"])
def test_the_bundled_dialect_fits_itself(service: str) -> None:
    fit = fit_of(service, "")

    assert (fit.errors, fit.warnings) == ([], [])
