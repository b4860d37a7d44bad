"""How people write what is about a person, for forms and imports alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from django.utils.translation import override
from django_countries import countries

from backoffice.screens import normalise

_ROLES: Final = {
    **dict.fromkeys(("student", "leerling", "lln", "scholier"), "Student"),
    **dict.fromkeys(("teacher", "docent", "docente", "leraar", "lerares"), "Teacher"),
}
_GENDERS: Final = {
    **dict.fromkeys(("m", "man", "jongen", "mannelijk", "male"), "M"),
    **dict.fromkeys(("f", "v", "vrouw", "meisje", "vrouwelijk", "female"), "F"),
    **dict.fromkeys(("u", "o", "x", "onbekend", "unknown"), "U"),
}
_STATES: Final = {
    **dict.fromkeys(("a", "actief", "active"), "A"),
    **dict.fromkeys(("b", "geblokkeerd", "blocked"), "B"),
}
# People's own words for countries, beside the table of names.
_COUNTRIES: Final = {"holland": "NL", "the netherlands": "NL", "nld": "NL"}

# What stands before a surname in lower case; with a capital ("Van Dam") it belongs to the name.
_PREPOSITIONS: Final = """
    aan al bij da das de del della den der des di dos du el het in la le les op over 's 't \u2019s
    \u2019t te ten ter tot uit van vander von voor zu zum
"""


@cache
def country_codes() -> dict[str, str]:
    """Country names in Dutch and English, and codes, all in lower case, with their code."""
    found: dict[str, str] = {}
    for language in ("en", "nl"):
        with override(language):
            found |= {str(name).casefold(): code for code, name in countries}
    for code, _name in countries:
        found[code.casefold()] = found[countries.alpha3(code).casefold()] = code
    return found | _COUNTRIES


def as_country(text: str) -> str:
    """A country's name or code, in any case, as its code."""
    return country_codes().get(text.casefold(), text)


def without_preposition(surname: str) -> tuple[str, str]:
    """`van der Berg` as ("van der", "Berg"); ("", surname) where nothing stands before it."""
    prepositions = _PREPOSITIONS.split()
    words = surname.split(" ")
    count = next((at for at, word in enumerate(words) if word not in prepositions), 0)
    if not words[count][:1].isupper():
        return "", surname
    return " ".join(words[:count]), " ".join(words[count:])


PERSON_NORMALISERS: Final[Mapping[str, normalise.Normaliser]] = {
    "date_of_birth": normalise.as_date,
    "gender": normalise.word_of(_GENDERS),
    "person_state": normalise.word_of(_STATES),
    "email": normalise.as_email,
    "country_code": as_country,
    "house_number": normalise.as_number,
    "eck_id": normalise.without_spaces,
}
SCHOOL_PERSON_NORMALISERS: Final[Mapping[str, normalise.Normaliser]] = {
    "role": normalise.word_of(_ROLES)
}


def complete_person(values: dict[str, Any]) -> dict[str, Any]:
    """What needs a look at more than one cell: a Dutch postal code, a preposition in a surname."""
    if values.get("country_code") == "NL" and "postal_code" in values:
        values["postal_code"] = normalise.as_dutch_postal_code(values["postal_code"])
    if values.get("preposition") == "" and "surname" in values:
        values["preposition"], values["surname"] = without_preposition(values["surname"])
    return values
