"""Operations in words for colleagues."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

OPERATIONS = {
    "person.push": _("send a person"),
    "schoolperson.push": _("send a person at a school"),
    "person_credit.push": _("send a person credit"),
    "school_credit.push": _("send a school credit"),
    "school.fetch": _("fetch a school"),
    "person_credit.fetch": _("ask how a person credit stands"),
    "school_credit.fetch": _("ask how a school credit stands"),
    "person.rename": _("give a person another customer number"),
    "person.merge": _("merge two persons"),
    "person.delete": _("delete a person"),
    "schoolperson.delete": _("delete a person at a school"),
    "credit_return.push": _("give a credit back"),
    "person.check": _("compare a person with Edu-iX"),
    "school.check": _("compare a school with Edu-iX"),
    "question.ask": _("ask Edu-iX"),
    "question.take_over": _("take over from Edu-iX"),
}


def operation_words(operation: str) -> str:
    """`send a person`; an operation that has no words yet is shown as it is."""
    return str(OPERATIONS.get(operation, operation))
