"""The error codes that the services document: 12 general ones, and one block of 20 for every field.

A field code is the base of its block plus the kind of fault, so `base = code - code % 20` and
`kind = code % 20` read any of them. Profile 4.1, Credit 4.1 and Notification 4.0 share one
numbering: a code means the same wherever it appears.
"""

from __future__ import annotations

from typing import Final

GENERAL_CODES: Final[dict[int, str]] = {
    1: "general",
    2: "authentication",
    3: "database",
    4: "already_exists",
    5: "not_found",
    6: "incorrect_request",
    7: "search",
    8: "too_many_results",
    9: "not_authorised",
    10: "not_implemented",
    11: "locked",
    12: "session_expired",
}
"""Codes without a field; every service may answer them."""

INCORRECT_REQUEST: Final = 6
"""What a rule without a code of its own is answered with."""

BLOCK: Final = 20
"""How many numbers the documentation reserves for one field."""

MISSING: Final = 0
TOO_SMALL: Final = 1
TOO_LONG: Final = 2
WRONG_FORMAT: Final = 3
NOT_ALLOWED: Final = 4
WRONG_TYPE: Final = 5
ALREADY_EXISTS: Final = 6
NOT_FOUND: Final = 7
NOT_AUTHORISED: Final = 8

KINDS: Final[dict[int, str]] = {
    MISSING: "missing",
    TOO_SMALL: "too_small",
    TOO_LONG: "too_long",
    WRONG_FORMAT: "wrong_format",
    NOT_ALLOWED: "not_allowed",
    WRONG_TYPE: "wrong_type",
    ALREADY_EXISTS: "already_exists",
    NOT_FOUND: "not_found",
    NOT_AUTHORISED: "not_authorised",
}

# base: (object, field, the kinds that the documentation lists for it)
_BLOCKS: Final[dict[int, tuple[str, str, str]]] = {
    2200: ("authHeader", "(choice element)", "08"),
    2220: ("authHeaderChoice", "loginHeader", "08"),
    2240: ("authHeaderChoice", "sessionIDHeader", "08"),
    2600: ("createPersonCreditRequest", "personCredit", "068"),
    2620: ("createPersonRequest", "person", "068"),
    2780: ("createSchoolCreditRequest", "schoolCredit", "068"),
    2800: ("createSchoolpersonRequest", "schoolperson", "068"),
    2900: ("deletePersonRequest", "distributorPerson", "078"),
    3000: ("deleteSchoolpersonRequest", "distributorSchoolPerson", "078"),
    3020: ("distributorPerson", "distributorID", "05678"),
    3040: ("distributorPerson", "distributorPersonID", "025678"),
    3060: ("distributorPersonCredit", "distributorID", "0578"),
    3080: ("distributorPersonCredit", "distributorPersonCreditID", "02578"),
    3140: ("distributorSchoolCredit", "distributorID", "0578"),
    3160: ("distributorSchoolCredit", "distributorSchoolCreditID", "02578"),
    3180: ("distributorSchoolPerson", "distributorID", "0578"),
    3200: ("distributorSchoolPerson", "distributorSchoolPersonID", "02578"),
    3340: ("Fault", "code", "05678"),
    3360: ("Fault", "message", "025678"),
    3640: ("getPersonCreditRequest", "ean", "2578"),
    3660: ("getPersonCreditRequest", "(choice element)", "078"),
    3680: ("getPersonCreditRequest", "schoolYear", "578"),
    3700: ("getPersonCreditRequestChoice", "distributorPerson", "08"),
    3720: ("getPersonCreditRequestChoice", "distributorPersonCredit", "08"),
    3760: ("getPersonRequest", "(choice element)", "078"),
    3780: ("getPersonRequestChoice", "distributorPerson", "08"),
    3820: ("getPersonRequestChoice", "portal", "08"),
    3860: ("getPersonRequestChoice", "profileID", "0158"),
    4120: ("getSchoolCreditRequest", "ean", "2578"),
    4140: ("getSchoolCreditRequest", "(choice element)", "078"),
    4160: ("getSchoolCreditRequest", "schoolYear", "578"),
    4180: ("getSchoolCreditRequestChoice", "organisationID", "01258"),
    4200: ("getSchoolCreditRequestChoice", "distributorSchoolCredit", "08"),
    4220: ("getSchoolCreditRequestChoice", "portal", "08"),
    4240: ("getSchoolpersonRequest", "(choice element)", "078"),
    4260: ("getSchoolpersonRequestChoice", "distributorPerson", "08"),
    4280: ("getSchoolpersonRequestChoice", "distributorSchoolPerson", "08"),
    4300: ("getSchoolRequest", "(choice element)", "78"),
    4320: ("getSchoolRequestChoice", "organisationID", "01258"),
    4340: ("getSchoolRequestChoice", "portal", "08"),
    4680: ("loginHeader", "password", "258"),
    4700: ("loginHeader", "username", "258"),
    4740: ("mergePersonRequest", "fromDistributorPersonID", "02578"),
    4760: ("mergePersonRequest", "toDistributorPersonID", "02578"),
    4780: ("person", "countryCode", "04678"),
    4800: ("person", "dateOfBirth", "3678"),
    4820: ("person", "distributorPerson", "678"),
    4840: ("person", "email", "25678"),
    4860: ("person", "firstName", "025678"),
    4880: ("person", "gender", "4678"),
    4900: ("person", "houseNumber", "15678"),
    4920: ("person", "personState", "04678"),
    4960: ("person", "postalCode", "025678"),
    4980: ("person", "preposition", "25678"),
    5000: ("person", "profileID", "15678"),
    5020: ("person", "surname", "025678"),
    5040: ("personCredit", "creditEndDate", "3678"),
    5060: ("personCredit", "distributorPersonCreditID", "025678"),
    5080: ("personCredit", "distributorSchoolPersonID", "025678"),
    5100: ("personCredit", "ean", "025678"),
    5120: ("personCredit", "personProductState", "04678"),
    5140: ("personCredit", "schoolYear", "05678"),
    5160: ("personCredit", "creditStartDate", "03678"),
    5200: ("personCreditInformation", "personCredit", "078"),
    5220: ("personCreditInformation", "specification", "78"),
    5240: ("personInformation", "person", "078"),
    5260: ("portal", "hubID", "0478"),
    5280: ("portal", "portalID", "02578"),
    5940: ("returnCreditRequest", "amount", "01578"),
    5960: ("returnCreditRequest", "(choice element)", "078"),
    6160: ("school", "address", "2578"),
    6180: ("school", "brin", "23578"),
    6200: ("school", "city", "2578"),
    6220: ("school", "countryCode", "0478"),
    6260: ("school", "organisationID", "012578"),
    6280: ("school", "houseNumber", "1578"),
    6300: ("school", "houseNumberSuffix", "2578"),
    6320: ("school", "name", "02578"),
    6340: ("school", "postalCode", "2578"),
    6380: ("schoolCredit", "amount", "015678"),
    6400: ("schoolCredit", "contactEmail", "025678"),
    6420: ("schoolCredit", "contactName", "025678"),
    6440: ("schoolCredit", "creditEndDate", "3678"),
    6460: ("schoolCredit", "distributorSchoolCreditID", "025678"),
    6480: ("schoolCredit", "organisationID", "0125678"),
    6500: ("schoolCredit", "ean", "025678"),
    6520: ("schoolCredit", "schoolYear", "05678"),
    6540: ("schoolCredit", "creditStartDate", "03678"),
    6580: ("schoolCreditInformation", "returned", "1578"),
    6600: ("schoolCreditInformation", "schoolCredit", "078"),
    6620: ("schoolCreditInformation", "specification", "78"),
    6660: ("schoolInformation", "school", "078"),
    6700: ("schoolperson", "distributorPersonID", "025678"),
    6720: ("schoolperson", "organisationID", "0125678"),
    6740: ("schoolperson", "distributorSchoolPersonID", "025678"),
    6760: ("schoolperson", "role", "04678"),
    6780: ("schoolperson", "schoolStudentNumber", "25678"),
    6800: ("schoolPersonInformation", "schoolperson", "078"),
    6860: ("sessionIDHeader", "sessionID", "0258"),
    6960: ("specification", "specificationState", "0478"),
    6980: ("specification", "specificationStateDate", "0378"),
    7020: ("specifyCreditRequestChoice", "distributorPersonCredit", "08"),
    7040: ("specifyCreditRequestChoice", "distributorSchoolCredit", "08"),
    7300: ("updatePersonCreditRequest", "personCredit", "078"),
    7320: ("updatePersonIDRequest", "fromDistributorPersonID", "02578"),
    7340: ("updatePersonIDRequest", "toDistributorPersonID", "02578"),
    7360: ("updatePersonRequest", "person", "078"),
    7420: ("updateSchoolCreditRequest", "schoolCredit", "078"),
    7440: ("updateSchoolpersonRequest", "schoolperson", "078"),
    7520: ("returnCreditRequest", "returnCreditReferenceId", "02578"),
    7600: ("personInformation", "schoolperson", "78"),
    7620: ("getPersonCreditRequestChoice", "eckID", "01258"),
    7700: ("person", "eckID", "125678"),
    7720: ("getPersonRequestChoice", "eckID", "01258"),
    7820: ("getPersonRequestChoice", "userID", "0258"),
    7840: ("person", "userID", "25678"),
}

BASES: Final[dict[int, tuple[str, str]]] = {
    base: (owner, field) for base, (owner, field, _) in _BLOCKS.items()
}
"""Base of a block -> (object, field) as the documentation writes them."""

DOCUMENTED_CODES: Final[frozenset[int]] = frozenset(GENERAL_CODES) | {
    base + int(kind) for base, (_, _, kinds) in _BLOCKS.items() for kind in kinds
}
"""Every code of the three lists: 12 general ones and 475 of fields."""


def code_of(base: int, kind: int) -> int:
    """The code for this fault of this field: its own when documented, else 6."""
    code = base + kind
    return code if code in DOCUMENTED_CODES else INCORRECT_REQUEST
