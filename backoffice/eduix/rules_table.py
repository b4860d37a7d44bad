"""The table of field rules: what Profile 4.1 and Credit 4.1 allow in every field.

One row per field that has error codes of its own. Models, imports, preflight and the screens read
this table; nobody writes a length or an enumeration a second time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from backoffice.eduix.rules_values import (
    BRIN_PATTERN,
    COUNTRY_CODES,
    GENDERS,
    HUBS,
    PERSON_PRODUCT_STATES,
    PERSON_STATES,
    ROLES,
    SPECIFICATION_STATES,
)

Kind = Literal["string", "integer", "date", "enum"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What may stand in one field of one object.

    `object` and `field` are the service's names, `column` is the field in snake case. `base` is
    the first number of the field's block of error codes. Lengths count characters of a string and
    digits of an integer; `minimum` is the smallest integer. A member of a choice (an object whose
    name ends in "Choice") is `required` in the sense of: not empty once it is chosen.
    """

    object: str
    field: str
    column: str
    base: int
    required: bool
    kind: Kind
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    values: tuple[str, ...] = ()
    pattern: str | None = None

    @property
    def is_choice(self) -> bool:
        """The field is one of several of which a request carries exactly one."""
        return self.object.endswith("Choice")


def _column(field: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field).lower()


def _text(
    owner: str,
    field: str,
    base: int,
    longest: int,
    *,
    required: bool = True,
    shortest: int | None = None,
    pattern: str | None = None,
) -> Rule:
    return Rule(
        object=owner,
        field=field,
        column=_column(field),
        base=base,
        required=required,
        kind="string",
        min_length=shortest,
        max_length=longest,
        pattern=pattern,
    )


def _number(
    owner: str,
    field: str,
    base: int,
    digits: int,
    *,
    required: bool = True,
    minimum: int | None = None,
) -> Rule:
    return Rule(
        object=owner,
        field=field,
        column=_column(field),
        base=base,
        required=required,
        kind="integer",
        max_length=digits,
        minimum=minimum,
    )


def _date(owner: str, field: str, base: int, *, required: bool = True) -> Rule:
    return Rule(owner, field, _column(field), base, required, "date")


def _enum(
    owner: str, field: str, base: int, values: tuple[str, ...], *, required: bool = True
) -> Rule:
    return Rule(owner, field, _column(field), base, required, "enum", values=values)


# Within an object the rows stand in the order of its XML sequence.
RULES: Final[tuple[Rule, ...]] = (
    # Headers and fault
    _text("loginHeader", "username", 4700, 100, required=False),
    _text("loginHeader", "password", 4680, 64, required=False),
    _text("sessionIDHeader", "sessionID", 6860, 64),
    _number("Fault", "code", 3340, 10),
    _text("Fault", "message", 3360, 4096),
    # Keys
    _number("distributorPerson", "distributorID", 3020, 10),
    _text("distributorPerson", "distributorPersonID", 3040, 256),
    _number("distributorSchoolPerson", "distributorID", 3180, 10),
    _text("distributorSchoolPerson", "distributorSchoolPersonID", 3200, 256),
    _number("distributorPersonCredit", "distributorID", 3060, 10),
    _text("distributorPersonCredit", "distributorPersonCreditID", 3080, 160),
    _number("distributorSchoolCredit", "distributorID", 3140, 10),
    _text("distributorSchoolCredit", "distributorSchoolCreditID", 3160, 160),
    _enum("portal", "hubID", 5260, HUBS),
    _text("portal", "portalID", 5280, 64),
    # Profile
    _number("person", "profileID", 5000, 10, required=False, minimum=1),
    _text("person", "firstName", 4860, 50),
    _text("person", "preposition", 4980, 15, required=False),
    _date("person", "dateOfBirth", 4800, required=False),
    _enum("person", "personState", 4920, PERSON_STATES),
    _text("person", "email", 4840, 254, required=False),
    _text("person", "postalCode", 4960, 10),
    _text("person", "surname", 5020, 50),
    _number("person", "houseNumber", 4900, 11, required=False, minimum=1),
    _enum("person", "gender", 4880, GENDERS, required=False),
    _enum("person", "countryCode", 4780, COUNTRY_CODES),
    _text("person", "userID", 7840, 100, required=False),
    _text("person", "eckID", 7700, 128, required=False, shortest=128),
    _text("schoolperson", "distributorSchoolPersonID", 6740, 256),
    _text("schoolperson", "organisationID", 6720, 40, shortest=1),
    _text("schoolperson", "distributorPersonID", 6700, 256),
    _text("schoolperson", "schoolStudentNumber", 6780, 64, required=False),
    _enum("schoolperson", "role", 6760, ROLES),
    _text("school", "organisationID", 6260, 40, shortest=1),
    _text("school", "name", 6320, 50),
    _text("school", "address", 6160, 50, required=False),
    _number("school", "houseNumber", 6280, 11, required=False, minimum=1),
    _text("school", "houseNumberSuffix", 6300, 10, required=False),
    _text("school", "postalCode", 6340, 10, required=False),
    _text("school", "city", 6200, 50, required=False),
    _enum("school", "countryCode", 6220, COUNTRY_CODES),
    _text("school", "brin", 6180, 6, required=False, pattern=BRIN_PATTERN),
    # Requests of Profile
    _text("updatePersonIDRequest", "fromDistributorPersonID", 7320, 20),
    _text("updatePersonIDRequest", "toDistributorPersonID", 7340, 20),
    _text("mergePersonRequest", "fromDistributorPersonID", 4740, 20),
    _text("mergePersonRequest", "toDistributorPersonID", 4760, 20),
    _text("getSchoolRequestChoice", "organisationID", 4320, 40, shortest=1),
    _number("getPersonRequestChoice", "profileID", 3860, 10, minimum=1),
    _text("getPersonRequestChoice", "eckID", 7720, 128, shortest=128),
    _text("getPersonRequestChoice", "userID", 7820, 100),
    # Credit
    _text("personCredit", "distributorPersonCreditID", 5060, 160),
    _text("personCredit", "distributorSchoolPersonID", 5080, 256),
    _text("personCredit", "ean", 5100, 30),
    _date("personCredit", "creditStartDate", 5160),
    _date("personCredit", "creditEndDate", 5040, required=False),
    _enum("personCredit", "personProductState", 5120, PERSON_PRODUCT_STATES),
    _number("personCredit", "schoolYear", 5140, 4),
    _text("schoolCredit", "distributorSchoolCreditID", 6460, 160),
    _text("schoolCredit", "organisationID", 6480, 40, shortest=1),
    _text("schoolCredit", "ean", 6500, 30),
    _date("schoolCredit", "creditStartDate", 6540),
    _date("schoolCredit", "creditEndDate", 6440, required=False),
    _text("schoolCredit", "contactName", 6420, 50),
    _text("schoolCredit", "contactEmail", 6400, 254),
    _number("schoolCredit", "schoolYear", 6520, 4),
    _number("schoolCredit", "amount", 6380, 10, minimum=1),
    _number("schoolCreditInformation", "returned", 6580, 10, required=False, minimum=1),
    _enum("specification", "specificationState", 6960, SPECIFICATION_STATES),
    _date("specification", "specificationStateDate", 6980),
    # Requests of Credit
    _text("getPersonCreditRequestChoice", "eckID", 7620, 128, shortest=128),
    _text("getPersonCreditRequest", "ean", 3640, 30, required=False),
    _number("getPersonCreditRequest", "schoolYear", 3680, 4, required=False),
    _text("getSchoolCreditRequestChoice", "organisationID", 4180, 40, shortest=1),
    _text("getSchoolCreditRequest", "ean", 4120, 30, required=False),
    _number("getSchoolCreditRequest", "schoolYear", 4160, 4, required=False),
    _number("returnCreditRequest", "amount", 5940, 10, minimum=1),
    _text("returnCreditRequest", "returnCreditReferenceId", 7520, 64),
)


def _by_object() -> dict[str, tuple[Rule, ...]]:
    table: dict[str, tuple[Rule, ...]] = {}
    for rule in RULES:
        table[rule.object] = (*table.get(rule.object, ()), rule)
    # A person carries its key in an object of its own, `distributorPerson`, which the type lets be
    # absent; the office holds both in one row, so the key is checked together with the person.
    key = next(r for r in table["distributorPerson"] if r.field == "distributorPersonID")
    table["person"] = (replace(key, required=False), *table["person"])
    return table


_TABLE: Final = _by_object()


def rules_of(owner: str) -> tuple[Rule, ...]:
    """The rules of one object of the services, such as "person"; `KeyError` for any other name.

    "person" also holds the rule of its key, `distributorPerson -> distributorPersonID`.
    """
    return _TABLE[owner]


def rule_of(owner: str, column: str) -> Rule:
    """The rule of one column, such as ("person", "surname"); `KeyError` when there is none."""
    for rule in rules_of(owner):
        if rule.column == column:
            return rule
    raise KeyError(column)
