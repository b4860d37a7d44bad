"""What a notification says about a person or a credit, in the terms of our columns.

Pure rules (docs/decisions/0004 says where the documentation is silent): each one carries the
whole present state, so the receiver replaces, never adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credits.models import Credit, PersonCredit, SchoolCredit
from notifications.contents import Says, says
from notifications.payload import ECK_ID_LENGTH
from persons.models import Person

Parsed = Mapping[str, Any]

_RANK = {
    "": 0,
    Credit.SpecificationState.FAULT.value: 1,
    Credit.SpecificationState.SPECIFIED.value: 2,
}


@dataclass(frozen=True)
class ToldPrematch:
    """`user_id` "" means unlinked; `eck_id` None leaves ours as it is."""

    user_id: str
    eck_id: str | None

    def holds(self, person: Person) -> bool:
        """Nothing would change."""
        return person.user_id == self.user_id and self.eck_id in (None, person.eck_id)


@dataclass(frozen=True)
class ToldSpecification:
    """The columns that a specificationChanged fills.

    `product_state` "" leaves ours as it is; `specified` counts for school credits only.
    """

    state: str
    code: int | None
    response_id: str
    product_state: str
    specified: int | None
    return_code: int | None

    def holds(self, credit: PersonCredit | SchoolCredit) -> bool:
        """Nothing would change."""
        return (
            self.state == credit.specification_state
            and self.code == credit.publisher_error_code
            and self.response_id == credit.publisher_response_id
            and self.product_state in ("", _product_state(credit))
            and self.specified in (None, getattr(credit, "specified", None))
        )

    def is_step_back(self, credit: PersonCredit | SchoolCredit) -> bool:
        """Returned becomes Active, Specified becomes Fault, or tried becomes untried.

        An old message that arrives late looks like that. A credit that is returned just now may
        lose its specification; that is a step forward.
        """
        returned = PersonCredit.ProductState.RETURNED.value
        was_returned = _product_state(credit) == returned
        if was_returned and self.product_state not in ("", returned):
            return True
        if self.product_state == returned and not was_returned:
            return False
        return _RANK.get(self.state, 0) < _RANK.get(credit.specification_state, 0)

    def agrees(self, credit: PersonCredit | SchoolCredit) -> bool:
        """The states are those of the row; a get tells no code, so codes are not compared."""
        return self.state == credit.specification_state and self.product_state in (
            "",
            _product_state(credit),
        )


def _product_state(credit: PersonCredit | SchoolCredit) -> str:
    return credit.person_product_state if isinstance(credit, PersonCredit) else ""


def told_prematch(parsed: Parsed) -> ToldPrematch:
    """An ECK iD of another length than 128 is not believed."""
    eck_id = parsed["eck_id"]
    return ToldPrematch(
        user_id=parsed["user_id"],
        eck_id=eck_id if eck_id is not None and len(eck_id) == ECK_ID_LENGTH else None,
    )


def told_specification(parsed: Parsed, *, is_school_credit: bool) -> ToldSpecification:
    """For a person credit the last entry decides; for a school credit any error does.

    A state outside the documented list is kept in the notification and not taken over: our next
    push would send it back and be refused. Nor is an entry of 4.3 in which nothing was tried, or
    whose word we do not know.
    """
    answered = [
        entry for entry in parsed["specification"] if says(entry) in (Says.ACCEPTED, Says.REFUSED)
    ]
    faults = [entry for entry in answered if says(entry) is Says.REFUSED]
    deciding = answered[-1] if answered else None
    if is_school_credit and faults:
        deciding = faults[-1]
    return_codes = [
        entry["error_code"] for entry in parsed["correction"] if entry["error_code"] is not None
    ]
    known = parsed["state"] in PersonCredit.ProductState.values
    return ToldSpecification(
        state=_specification_state(deciding),
        code=deciding["error_code"] if deciding else None,
        response_id=deciding["response_id"] if deciding else "",
        product_state=parsed["state"] if known and not is_school_credit else "",
        specified=_specified(answered) if is_school_credit else None,
        return_code=return_codes[-1] if return_codes else None,
    )


def codes_of(parsed: Parsed) -> list[int]:
    """The publishers' codes that a specificationChanged tells, each once, in their order."""
    lists = (parsed.get(name, ()) for name in ("specification", "correction", "license_block"))
    entries = [entry for entries in lists for entry in entries]
    return sorted({entry["error_code"] for entry in entries if entry["error_code"] is not None})


def _specification_state(deciding: Parsed | None) -> str:
    if deciding is None:
        return ""
    states = Credit.SpecificationState
    return (states.FAULT if says(deciding) is Says.REFUSED else states.SPECIFIED).value


def _specified(entries: list[Parsed]) -> int:
    return sum(entry["amount"] for entry in entries if says(entry) is Says.ACCEPTED)
