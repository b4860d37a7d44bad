"""`python -m tests.walk`: all 20 operations through our gateway against a sandbox, a line each.

Every choice of every get is asked. Exits with 1 and one line when an answer is not as it must be.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import TextIO

from backoffice.eduix.errors import EduixError
from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import (
    PersonCreditRecord,
    PersonRecord,
    Portal,
    SchoolCreditRecord,
    SchoolPersonRecord,
)
from backoffice.eduix_sandbox.server import SandboxServer
from tests.eduix_sandbox.samples import ACCEPTING, DISTRIBUTOR, LINKING, SCHOOLS

Step = tuple[str, Callable[[], str]]

SCHOOL = str(LINKING["organisationID"])
PORTAL = Portal("Kennisnet", "baken")
ECK_ID = "e" * 128
PERSON = PersonRecord("P-1", "Zoë", "Hof", "3071 NA", "NL", eck_id=ECK_ID)
TWIN = PersonRecord("P-2", "Zoe", "Hof", "3071 NA", "NL")
PUPIL = SchoolPersonRecord("SP-1", SCHOOL, "P-1", "Student", "20403")
TWIN_PUPIL = SchoolPersonRecord("SP-2", SCHOOL, "P-2", "Student", "20404")
CREDIT = PersonCreditRecord("C-1", "SP-1", ACCEPTING, date(2026, 8, 1), None, 2627)
POOL = SchoolCreditRecord(
    "S-1", SCHOOL, ACCEPTING, date(2026, 8, 1), None, "Marja", "m@example.nl", 2627, 30
)


class Unexpected(Exception):
    """An answer that is not what this walk must see; one line."""


def must(holds: bool, what: str) -> None:
    if not holds:
        raise Unexpected(what)


class Walk:
    """The steps in an order in which each has what it needs."""

    def __init__(self, gateway: Gateway, sandbox: SandboxServer) -> None:
        self.gateway = gateway
        self.sandbox = sandbox

    def steps(self) -> Iterator[Step]:
        """Service and operation, and the call."""
        yield "profile.login", lambda: self._login("profile")
        yield "profile.getSchool", self.get_school
        yield "profile.createPerson", self.create_persons
        yield "profile.createSchoolperson", self.create_school_persons
        yield "profile.getSchoolperson", self.get_school_persons
        yield "profile.getPerson", self.get_persons
        yield "profile.updatePerson", self.update_person
        yield "profile.updateSchoolperson", self.update_school_person
        yield "credit.login", lambda: self._login("credit")
        yield "credit.createPersonCredit", self.create_person_credit
        yield "credit.getPersonCredit", self.get_person_credits
        yield "credit.updatePersonCredit", self.update_person_credit
        yield "credit.createSchoolCredit", self.create_school_credit
        yield "credit.getSchoolCredit", self.get_school_credits
        yield "credit.updateSchoolCredit", self.update_school_credit
        yield "credit.returnCredit", self.return_credits
        yield "profile.updatePersonID", self.update_person_id
        yield "profile.mergePerson", self.merge_person
        yield "profile.deleteSchoolperson", self.delete_school_person
        yield "profile.deletePerson", self.delete_person

    def _login(self, service: str) -> str:
        session = getattr(self.gateway, service).login()
        must(len(session) == 32, f"a session of {len(session)} characters")
        return "a session of 32 characters"

    def get_school(self) -> str:
        one = self.gateway.get_school(organisation_id=SCHOOL)
        must(one is not None and one.name == LINKING["name"], f"school {one}")
        of_portal = self.gateway.get_schools(portal=PORTAL)
        everything = self.gateway.get_schools()
        must((len(of_portal), len(everything)) == (1, 2), "another number of schools")
        return "organisationID 1, portal 1, no choice 2"

    def create_persons(self) -> str:
        self.gateway.create_person(PERSON)
        self.gateway.create_person(TWIN)
        return f"{PERSON.distributor_person_id} and {TWIN.distributor_person_id}"

    def create_school_persons(self) -> str:
        self.gateway.create_school_person(PUPIL)
        self.gateway.create_school_person(TWIN_PUPIL)
        must(self.sandbox.control.wait_until_quiet(), "the portal did not link in time")
        return "SP-1 and SP-2; the portal has linked P-2"

    def get_school_persons(self) -> str:
        one = self.gateway.get_school_person(distributor_school_person_id="SP-1")
        must(one == PUPIL, f"schoolperson {one}")
        found = self.gateway.get_school_persons(distributor_person_id="P-2")
        must(found == [TWIN_PUPIL], f"schoolpersons {found}")
        return "distributorSchoolPerson 1, distributorPerson 1"

    def get_persons(self) -> str:
        one = self.gateway.get_person(distributor_person_id="P-1")
        two = self.gateway.get_person(distributor_person_id="P-2")
        must(one is not None and two is not None, "a person is gone")
        assert one is not None
        assert two is not None
        must(not PERSON.differences(one.person), f"person {one.person}")
        counts = (
            len(self.gateway.get_persons(portal=PORTAL)),
            len(self.gateway.get_persons(profile_id=one.person.profile_id)),
            len(self.gateway.get_persons(eck_id=ECK_ID)),
            len(self.gateway.get_persons(user_id=two.person.user_id)),
            len(self.gateway.get_persons(user_id="nobody")),
        )
        must(counts == (2, 1, 1, 1, 0), f"{counts} persons")
        return "distributorPerson 1, portal 2, profileID 1, eckID 1, userID 1 and 0"

    def update_person(self) -> str:
        changed = replace(PERSON, preposition="van 't", date_of_birth=date(2014, 1, 8))
        self.gateway.update_person(changed)
        found = self.gateway.get_person(distributor_person_id="P-1")
        must(found is not None and not changed.differences(found.person), f"person {found}")
        return "preposition and birthday are there"

    def update_school_person(self) -> str:
        self.gateway.update_school_person(replace(PUPIL, school_student_number="20499"))
        found = self.gateway.get_school_person(distributor_school_person_id="SP-1")
        must(found is not None and found.school_student_number == "20499", f"{found}")
        return "student number 20499"

    def create_person_credit(self) -> str:
        self.gateway.create_person_credit(CREDIT)
        must(self.sandbox.control.wait_until_quiet(), "the publisher did not answer in time")
        return "C-1"

    def get_person_credits(self) -> str:
        one = self.gateway.get_person_credit(distributor_person_credit_id="C-1")
        must(one is not None and one.credit == CREDIT, f"credit {one}")
        must(one is not None and one.specification is not None, "no specification")
        by = self.gateway.get_person_credits
        counts = (
            len(by(distributor_person_id="P-1")),
            len(by(eck_id=ECK_ID)),
            len(by(eck_id=ECK_ID, ean=ACCEPTING, school_year=2627)),
            len(by(eck_id=ECK_ID, school_year=2526)),
        )
        must(counts == (1, 1, 1, 0), f"{counts} credits")
        return "distributorPersonCredit 1, distributorPerson 1, eckID 1; ean, schoolYear 1 and 0"

    def update_person_credit(self) -> str:
        self.gateway.update_person_credit(replace(CREDIT, credit_end_date=date(2027, 7, 31)))
        found = self.gateway.get_person_credit(distributor_person_credit_id="C-1")
        must(found is not None and found.credit.credit_end_date == date(2027, 7, 31), f"{found}")
        return "ends on 2027-07-31"

    def create_school_credit(self) -> str:
        self.gateway.create_school_credit(POOL)
        must(self.sandbox.control.wait_until_quiet(), "the publisher did not answer in time")
        return "S-1 of 30"

    def get_school_credits(self) -> str:
        one = self.gateway.get_school_credit(distributor_school_credit_id="S-1")
        must(one is not None and one.credit == POOL, f"school credit {one}")
        by = self.gateway.get_school_credits
        counts = (
            len(by(organisation_id=SCHOOL)),
            len(by(portal=PORTAL)),
            len(by(portal=PORTAL, ean=ACCEPTING, school_year=2627)),
            len(by(organisation_id=SCHOOL, ean="9")),
        )
        must(counts == (1, 1, 1, 0), f"{counts} school credits")
        return "distributorSchoolCredit 1, organisationID 1, portal 1; ean, schoolYear 1 and 0"

    def update_school_credit(self) -> str:
        self.gateway.update_school_credit(replace(POOL, amount=40))
        found = self.gateway.get_school_credit(distributor_school_credit_id="S-1")
        must(found is not None and found.credit.amount == 40, f"{found}")
        return "amount 40"

    def return_credits(self) -> str:
        self.gateway.return_person_credit(distributor_person_credit_id="C-1", reference="R-1")
        for _ in range(2):  # the second time as if the first answer was lost
            self.gateway.return_school_credit(
                distributor_school_credit_id="S-1", amount=10, reference="R-2"
            )
        one = self.gateway.get_person_credit(distributor_person_credit_id="C-1")
        pool = self.gateway.get_school_credit(distributor_school_credit_id="S-1")
        must(one is not None and one.credit.person_product_state == "Returned", f"{one}")
        must(pool is not None and pool.returned == 10, f"{pool}")
        return "C-1 returned; 10 of S-1, once though sent twice"

    def update_person_id(self) -> str:
        self.gateway.update_person_id(from_id="P-1", to_id="P-1A")
        must(self.gateway.get_person(distributor_person_id="P-1") is None, "P-1 is still there")
        moved = self.gateway.get_person_credits(distributor_person_id="P-1A")
        must(len(moved) == 1, "the credit did not come along")
        return "P-1 is P-1A, with its school and credit"

    def merge_person(self) -> str:
        self.gateway.merge_person(from_id="P-2", to_id="P-1A")
        kept = self.gateway.get_person(distributor_person_id="P-1A")
        must(kept is not None and len(kept.school_persons) == 2, f"{kept}")
        must(self.gateway.get_person(distributor_person_id="P-2") is None, "P-2 is still there")
        return "P-2 is part of P-1A"

    def delete_school_person(self) -> str:
        self.gateway.delete_school_person(distributor_school_person_id="SP-2")
        found = self.gateway.get_school_person(distributor_school_person_id="SP-2")
        must(found is None, f"{found}")
        return "SP-2 is gone"

    def delete_person(self) -> str:
        self.gateway.delete_person(distributor_person_id="P-1A")
        must(self.gateway.get_person(distributor_person_id="P-1A") is None, "P-1A is still there")
        return "P-1A is gone"


def gateway_of(sandbox: SandboxServer) -> Gateway:
    """Our gateway with this sandbox as its partner."""
    return Gateway(
        SimpleNamespace(
            EDUIX_PROFILE_URL=sandbox.profile_url,
            EDUIX_CREDIT_URL=sandbox.credit_url,
            EDUIX_PROFILE_WSDL="",
            EDUIX_CREDIT_WSDL="",
            EDUIX_USERNAME=sandbox.username,
            EDUIX_PASSWORD=sandbox.password,
            EDUIX_DISTRIBUTOR_ID=sandbox.distributor_id,
            EDUIX_SESSION_MINUTES=20,
        )
    )


def walk(out: TextIO) -> list[str]:
    """Print a line per operation: name, milliseconds, result; returns the names.

    The milliseconds hold all calls of the step. Raises `Unexpected` and `EduixError`.
    """
    walked = []
    with SandboxServer(schools=SCHOOLS, distributor_id=DISTRIBUTOR, pace=0) as sandbox:
        gateway = gateway_of(sandbox)
        try:
            for name, step in Walk(gateway, sandbox).steps():
                begun = time.perf_counter()
                result = step()
                spent = (time.perf_counter() - begun) * 1000
                out.write(f"{name:<28}{spent:9.1f} ms  {result}\n")
                walked.append(name)
        except (Unexpected, EduixError) as problem:
            raise Unexpected(f"{name}: {problem}") from problem
        finally:
            gateway.close()
    return walked


def main() -> int:
    try:
        walked = walk(sys.stdout)
    except Unexpected as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{len(walked)} operations\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
