"""What goes out with a credit, first what goes first."""

from __future__ import annotations

from credits.models import PersonCredit, SchoolCredit
from credits.senders import (
    PersonCreditPush,
    SchoolCreditPush,
    person_credit_record,
    school_credit_record,
)
from persons.plans import Step, school_person_steps
from persons.services import NEEDS_PUSH


def person_credit_steps(credit: PersonCredit) -> list[Step]:
    """Behind the person and the person at the school, when Edu-iX lacks the newest of either."""
    place = credit.school_person
    own = Step("person_credit", credit, PersonCreditPush(), person_credit_record)
    is_behind = place.push_state in NEEDS_PUSH or place.person.push_state in NEEDS_PUSH
    return [*(school_person_steps(place) if is_behind else []), own]


def school_credit_steps(credit: SchoolCredit) -> list[Step]:
    """A school credit goes alone: schools are only fetched."""
    return [Step("school_credit", credit, SchoolCreditPush(), school_credit_record)]
