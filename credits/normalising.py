"""How people write what is about a credit, for forms and imports alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backoffice.screens import normalise

_STATES: Final = {
    **dict.fromkeys(("active", "actief"), "Active"),
    **dict.fromkeys(("returned", "geretourneerd", "retour"), "Returned"),
}

CREDIT_NORMALISERS: Final[Mapping[str, normalise.Normaliser]] = {
    "ean": normalise.as_ean,
    "credit_start_date": normalise.as_date,
    "credit_end_date": normalise.as_date,
    "contact_email": normalise.as_email,
    "school_year": normalise.as_school_year,
    "person_product_state": normalise.word_of(_STATES),
    "amount": normalise.as_number,
}
