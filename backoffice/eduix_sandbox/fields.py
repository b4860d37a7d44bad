"""The fields of Profile 4.1 and Credit 4.1 with their numbers, as the documentation lists them.

`kinds` are the offsets that the documentation defines for a field. A field with offset 0 must be
there; a violation whose offset is not defined is answered with general code 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .countries import COUNTRIES
from .faults import MISSING
from .forms import Day, Form, Number, OneOf, Text

HUBS: Final = ("Eduroute", "Kennisnet", "DAF")
STATES: Final = ("Active", "Returned")


@dataclass(frozen=True, slots=True)
class Field:
    """One element: its base number, the offsets it knows, and its form or the object inside."""

    name: str
    base: int
    kinds: tuple[int, ...]
    form: Form | None = None
    part: str = ""

    @property
    def required(self) -> bool:
        return MISSING in self.kinds


@dataclass(frozen=True, slots=True)
class Choice:
    """Exactly one of several elements; `base` is the number of the choice itself."""

    base: int
    options: tuple[Field, ...]
    required: bool = True


Member = Field | Choice

OBJECTS: Final[dict[str, tuple[Field, ...]]] = {
    "loginHeader": (
        Field("username", 4700, (2, 5, 8), Text(100)),
        Field("password", 4680, (2, 5, 8), Text(64)),
    ),
    "sessionIDHeader": (Field("sessionID", 6860, (0, 2, 5, 8), Text(64)),),
    "portal": (
        Field("hubID", 5260, (0, 4, 7, 8), OneOf(HUBS)),
        Field("portalID", 5280, (0, 2, 5, 7, 8), Text(64)),
    ),
    "distributorPerson": (
        Field("distributorID", 3020, (0, 5, 6, 7, 8), Number(10)),
        Field("distributorPersonID", 3040, (0, 2, 5, 6, 7, 8), Text(256)),
    ),
    "distributorSchoolPerson": (
        Field("distributorID", 3180, (0, 5, 7, 8), Number(10)),
        Field("distributorSchoolPersonID", 3200, (0, 2, 5, 7, 8), Text(256)),
    ),
    "distributorPersonCredit": (
        Field("distributorID", 3060, (0, 5, 7, 8), Number(10)),
        Field("distributorPersonCreditID", 3080, (0, 2, 5, 7, 8), Text(160)),
    ),
    "distributorSchoolCredit": (
        Field("distributorID", 3140, (0, 5, 7, 8), Number(10)),
        Field("distributorSchoolCreditID", 3160, (0, 2, 5, 7, 8), Text(160)),
    ),
    "person": (
        Field("profileID", 5000, (1, 5, 6, 7, 8), Number(10, 1)),
        Field("distributorPerson", 4820, (6, 7, 8), part="distributorPerson"),
        Field("firstName", 4860, (0, 2, 5, 6, 7, 8), Text(50)),
        Field("preposition", 4980, (2, 5, 6, 7, 8), Text(15)),
        Field("dateOfBirth", 4800, (3, 6, 7, 8), Day()),
        Field("personState", 4920, (0, 4, 6, 7, 8), OneOf(("A", "B"))),
        Field("email", 4840, (2, 5, 6, 7, 8), Text(254)),
        Field("postalCode", 4960, (0, 2, 5, 6, 7, 8), Text(10)),
        Field("surname", 5020, (0, 2, 5, 6, 7, 8), Text(50)),
        Field("houseNumber", 4900, (1, 5, 6, 7, 8), Number(11, 1)),
        Field("gender", 4880, (4, 6, 7, 8), OneOf(("M", "F", "U"))),
        Field("countryCode", 4780, (0, 4, 6, 7, 8), OneOf(COUNTRIES)),
        Field("userID", 7840, (2, 5, 6, 7, 8), Text(100)),
        Field("eckID", 7700, (1, 2, 5, 6, 7, 8), Text(128, 128)),
    ),
    "schoolperson": (
        Field("distributorSchoolPersonID", 6740, (0, 2, 5, 6, 7, 8), Text(256)),
        Field("organisationID", 6720, (0, 1, 2, 5, 6, 7, 8), Text(40, 1)),
        Field("distributorPersonID", 6700, (0, 2, 5, 6, 7, 8), Text(256)),
        Field("schoolStudentNumber", 6780, (2, 5, 6, 7, 8), Text(64)),
        Field("role", 6760, (0, 4, 6, 7, 8), OneOf(("Student", "Teacher"))),
    ),
    "personCredit": (
        Field("distributorPersonCreditID", 5060, (0, 2, 5, 6, 7, 8), Text(160)),
        Field("distributorSchoolPersonID", 5080, (0, 2, 5, 6, 7, 8), Text(256)),
        Field("ean", 5100, (0, 2, 5, 6, 7, 8), Text(30)),
        Field("creditStartDate", 5160, (0, 3, 6, 7, 8), Day()),
        Field("creditEndDate", 5040, (3, 6, 7, 8), Day()),
        Field("personProductState", 5120, (0, 4, 6, 7, 8), OneOf(STATES)),
        Field("schoolYear", 5140, (0, 5, 6, 7, 8), Number(4)),
    ),
    "schoolCredit": (
        Field("distributorSchoolCreditID", 6460, (0, 2, 5, 6, 7, 8), Text(160)),
        Field("organisationID", 6480, (0, 1, 2, 5, 6, 7, 8), Text(40, 1)),
        Field("ean", 6500, (0, 2, 5, 6, 7, 8), Text(30)),
        Field("creditStartDate", 6540, (0, 3, 6, 7, 8), Day()),
        Field("creditEndDate", 6440, (3, 6, 7, 8), Day()),
        Field("contactName", 6420, (0, 2, 5, 6, 7, 8), Text(50)),
        Field("contactEmail", 6400, (0, 2, 5, 6, 7, 8), Text(254)),
        Field("schoolYear", 6520, (0, 5, 6, 7, 8), Number(4)),
        Field("amount", 6380, (0, 1, 5, 6, 7, 8), Number(10, 1)),
    ),
}
"""Objects by name, their fields in the order of the documentation."""

REQUESTS: Final[dict[str, tuple[Member, ...]]] = {
    "login": (),
    "getSchool": (
        Choice(
            4300,
            (
                Field("portal", 4340, (0, 8), part="portal"),
                Field("organisationID", 4320, (0, 1, 2, 5, 8), Text(40, 1)),
            ),
            required=False,
        ),
    ),
    "createPerson": (Field("person", 2620, (0, 6, 8), part="person"),),
    "getPerson": (
        Choice(
            3760,
            (
                Field("portal", 3820, (0, 8), part="portal"),
                Field("distributorPerson", 3780, (0, 8), part="distributorPerson"),
                Field("profileID", 3860, (0, 1, 5, 8), Number(10, 1)),
                Field("eckID", 7720, (0, 1, 2, 5, 8), Text(128, 128)),
                Field("userID", 7820, (0, 2, 5, 8), Text(100)),
            ),
        ),
    ),
    "updatePerson": (Field("person", 7360, (0, 7, 8), part="person"),),
    "deletePerson": (Field("distributorPerson", 2900, (0, 7, 8), part="distributorPerson"),),
    "updatePersonID": (
        Field("fromDistributorPersonID", 7320, (0, 2, 5, 7, 8), Text(20)),
        Field("toDistributorPersonID", 7340, (0, 2, 5, 7, 8), Text(20)),
    ),
    "mergePerson": (
        Field("fromDistributorPersonID", 4740, (0, 2, 5, 7, 8), Text(20)),
        Field("toDistributorPersonID", 4760, (0, 2, 5, 7, 8), Text(20)),
    ),
    "createSchoolperson": (Field("schoolperson", 2800, (0, 6, 8), part="schoolperson"),),
    "getSchoolperson": (
        Choice(
            4240,
            (
                Field("distributorPerson", 4260, (0, 8), part="distributorPerson"),
                Field("distributorSchoolPerson", 4280, (0, 8), part="distributorSchoolPerson"),
            ),
        ),
    ),
    "updateSchoolperson": (Field("schoolperson", 7440, (0, 7, 8), part="schoolperson"),),
    "deleteSchoolperson": (
        Field("distributorSchoolPerson", 3000, (0, 7, 8), part="distributorSchoolPerson"),
    ),
    "createPersonCredit": (Field("personCredit", 2600, (0, 6, 8), part="personCredit"),),
    "getPersonCredit": (
        Choice(
            3660,
            (
                Field("distributorPerson", 3700, (0, 8), part="distributorPerson"),
                Field("distributorPersonCredit", 3720, (0, 8), part="distributorPersonCredit"),
                Field("eckID", 7620, (0, 1, 2, 5, 8), Text(128, 128)),
            ),
        ),
        Field("ean", 3640, (2, 5, 7, 8), Text(30)),
        Field("schoolYear", 3680, (5, 7, 8), Number(4)),
    ),
    "updatePersonCredit": (Field("personCredit", 7300, (0, 7, 8), part="personCredit"),),
    "createSchoolCredit": (Field("schoolCredit", 2780, (0, 6, 8), part="schoolCredit"),),
    "getSchoolCredit": (
        Choice(
            4140,
            (
                Field("organisationID", 4180, (0, 1, 2, 5, 8), Text(40, 1)),
                Field("distributorSchoolCredit", 4200, (0, 8), part="distributorSchoolCredit"),
                Field("portal", 4220, (0, 8), part="portal"),
            ),
        ),
        Field("ean", 4120, (2, 5, 7, 8), Text(30)),
        Field("schoolYear", 4160, (5, 7, 8), Number(4)),
    ),
    "updateSchoolCredit": (Field("schoolCredit", 7420, (0, 7, 8), part="schoolCredit"),),
    "returnCredit": (
        Choice(
            5960,
            (
                Field("distributorPersonCredit", 5960, (), part="distributorPersonCredit"),
                Field("distributorSchoolCredit", 5960, (), part="distributorSchoolCredit"),
            ),
        ),
        Field("amount", 5940, (0, 1, 5, 7, 8), Number(10, 1)),
        Field("returnCreditReferenceId", 7520, (0, 2, 5, 7, 8), Text(64)),
    ),
}
"""Requests by operation."""
