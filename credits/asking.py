"""Every get of Edu-iX with every choice it offers, asked by a colleague and kept for a while."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import (
    PersonCreditInformation,
    PersonInformation,
    Portal,
    Record,
    SchoolCreditInformation,
)
from backoffice.eduix.rules import Finding, check
from backoffice.jobs.models import Question
from backoffice.outbox.models import Message, PushState, key_of, subject_pk
from backoffice.outbox.push import FetchSender, StillOurs
from backoffice.outbox.services import enqueue
from credits.comparing import key_in, specification_values
from persons.columns import masked_eck_id

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.contrib.auth.models import AbstractBaseUser

ITEMS_KEPT: Final = 300  # of one answer; a page with more helps nobody


@dataclass(frozen=True)
class Choice:
    """One way to ask: `rules` are (object of the rule table, column) for each field it needs."""

    name: str
    label: str | Promise
    fields: tuple[tuple[str, str], ...] = ()
    filters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Get:
    """One get of the services with its choices."""

    operation: str
    label: str | Promise
    choices: tuple[Choice, ...]

    def choice(self, name: str) -> Choice | None:
        """The choice with this name."""
        return next((one for one in self.choices if one.name == name), None)


PORTAL: Final = (("portal", "hub_id"), ("portal", "portal_id"))
OF_PERSONS: Final = (("getPersonCreditRequest", "ean"), ("getPersonCreditRequest", "school_year"))
OF_SCHOOLS: Final = (("getSchoolCreditRequest", "ean"), ("getSchoolCreditRequest", "school_year"))
PERSON: Final = ("distributorPerson", "distributor_person_id")
PLACE: Final = ("distributorSchoolPerson", "distributor_school_person_id")

GETS: Final = {
    get.operation: get
    for get in (
        Get(
            "getPerson",
            _("Person"),
            (
                Choice("distributorPerson", _("by customer number"), (PERSON,)),
                Choice("eckID", _("by ECK iD"), (("getPersonRequestChoice", "eck_id"),)),
                Choice("userID", _("by user ID"), (("getPersonRequestChoice", "user_id"),)),
                Choice(
                    "profileID", _("by profile ID"), (("getPersonRequestChoice", "profile_id"),)
                ),
                Choice("portal", _("of a portal"), PORTAL),
            ),
        ),
        Get(
            "getSchoolperson",
            _("Person at a school"),
            (
                Choice("distributorPerson", _("by customer number"), (PERSON,)),
                Choice("distributorSchoolPerson", _("by school person number"), (PLACE,)),
            ),
        ),
        Get(
            "getSchool",
            _("School"),
            (
                Choice(
                    "organisationID",
                    _("by school ID"),
                    (("getSchoolRequestChoice", "organisation_id"),),
                ),
                Choice("portal", _("of a portal"), PORTAL),
                Choice("all", _("all schools we may see")),
            ),
        ),
        Get(
            "getPersonCredit",
            _("Person credit"),
            (
                Choice("distributorPerson", _("by customer number"), (PERSON,), OF_PERSONS),
                Choice(
                    "distributorPersonCredit",
                    _("by credit number"),
                    (("distributorPersonCredit", "distributor_person_credit_id"),),
                ),
                Choice(
                    "eckID",
                    _("by ECK iD"),
                    (("getPersonCreditRequestChoice", "eck_id"),),
                    OF_PERSONS,
                ),
            ),
        ),
        Get(
            "getSchoolCredit",
            _("School credit"),
            (
                Choice(
                    "organisationID",
                    _("by school ID"),
                    (("getSchoolCreditRequestChoice", "organisation_id"),),
                    OF_SCHOOLS,
                ),
                Choice(
                    "distributorSchoolCredit",
                    _("by credit number"),
                    (("distributorSchoolCredit", "distributor_school_credit_id"),),
                ),
                Choice("portal", _("of a portal"), PORTAL, OF_SCHOOLS),
            ),
        ),
    )
}


def problems_with(choice: Choice, values: Mapping[str, str], *, today: date) -> list[Finding]:
    """What Edu-iX would refuse of a question, by the partner's own rules."""
    asked = (*choice.fields, *choice.filters)
    owners = {owner for owner, _column in asked}
    columns = {column for _owner, column in asked}
    return [
        finding
        for owner in sorted(owners)
        for finding in check(owner, {name: values.get(name, "") for name in columns}, today=today)
        if finding.column in columns and finding.severity == "error"
    ]


def ask(
    *,
    operation: str,
    choice: str,
    values: Mapping[str, str],
    user: AbstractBaseUser | None = None,
) -> Question:
    """Put a question in the outbox; `values` were checked with `problems_with`."""
    kept = {name: value for name, value in values.items() if value}
    eck_id = kept.pop("eck_id", "")
    if eck_id:
        kept["eck_id"] = masked_eck_id(eck_id)
    with transaction.atomic():
        question = Question.objects.create(
            operation=operation,
            choice=choice,
            arguments=kept,
            eck_id=eck_id,
            asked_by_id=user.pk if user is not None else None,
        )
        subject = key_of("question", question.pk)
        enqueue(
            operation="question.ask",
            subject=subject,
            chain=subject,
            label=f"{operation} {choice}",  # what was asked stays as long as the answer
            user=user,
        )
    return question


def forget_eck_id(pk: int) -> None:
    """The whole ECK iD is kept only as long as it must be sent."""
    Question.objects.filter(pk=pk).exclude(eck_id="").update(eck_id="")


def item_of(kind: str, record: Record, more: Mapping[str, object] | None = None) -> dict[str, Any]:
    """One row of an answer; an ECK iD by its last six characters."""
    values = record.pushed() | {name: getattr(record, name) for name in record.THEIRS}
    if values.get("eck_id"):
        values["eck_id"] = masked_eck_id(str(values["eck_id"]))
    plain = json.loads(json.dumps(values | dict(more or {}), cls=DjangoJSONEncoder))
    return {"kind": kind, "key": key_in(kind, record), "values": plain}


def _persons(found: Iterable[PersonInformation]) -> list[dict[str, Any]]:
    items = []
    for one in found:
        items.append(item_of("person", one.person))
        items += [item_of("schoolperson", place) for place in one.school_persons]
    return items


def _person_credits(found: Iterable[PersonCreditInformation]) -> list[dict[str, Any]]:
    return [
        item_of("person_credit", one.credit, specification_values(one.specification))
        for one in found
    ]


def _school_credits(found: Iterable[SchoolCreditInformation]) -> list[dict[str, Any]]:
    return [
        item_of(
            "school_credit",
            one.credit,
            {**specification_values(one.specification), "returned": one.returned},
        )
        for one in found
    ]


def answer_to(question: Question, gateway: Gateway) -> list[dict[str, Any]]:
    """Make the one call that a question is. Raises the gateway's errors."""
    asked: dict[str, Any] = {**question.arguments}
    if question.eck_id:
        asked["eck_id"] = question.eck_id
    portal = Portal(asked["hub_id"], asked["portal_id"]) if "portal_id" in asked else None
    year = int(asked["school_year"]) if asked.get("school_year") else None
    filters: dict[str, Any] = {"ean": asked.get("ean", ""), "school_year": year}
    person = asked.get("distributor_person_id", "")
    match (question.operation, question.choice):
        case ("getSchool", "organisationID"):
            school = gateway.get_school(organisation_id=asked["organisation_id"])
            return [item_of("school", school)] if school else []
        case ("getSchool", _):
            return [item_of("school", one) for one in gateway.get_schools(portal=portal)]
        case ("getPerson", "distributorPerson"):
            found = gateway.get_person(distributor_person_id=person)
            return _persons([found] if found else [])
        case ("getPerson", _):
            profile = asked.get("profile_id")
            return _persons(
                gateway.get_persons(
                    portal=portal,
                    profile_id=int(profile) if profile else None,
                    eck_id=asked.get("eck_id", ""),
                    user_id=asked.get("user_id", ""),
                )
            )
        case ("getSchoolperson", "distributorPerson"):
            places = gateway.get_school_persons(distributor_person_id=person)
            return [item_of("schoolperson", one) for one in places]
        case ("getSchoolperson", _):
            place = gateway.get_school_person(
                distributor_school_person_id=asked["distributor_school_person_id"]
            )
            return [item_of("schoolperson", place)] if place else []
        case ("getPersonCredit", "distributorPersonCredit"):
            credit = gateway.get_person_credit(
                distributor_person_credit_id=asked["distributor_person_credit_id"]
            )
            return _person_credits([credit] if credit else [])
        case ("getPersonCredit", _):
            return _person_credits(
                gateway.get_person_credits(
                    distributor_person_id=person, eck_id=asked.get("eck_id", ""), **filters
                )
            )
        case ("getSchoolCredit", "distributorSchoolCredit"):
            pool = gateway.get_school_credit(
                distributor_school_credit_id=asked["distributor_school_credit_id"]
            )
            return _school_credits([pool] if pool else [])
        case ("getSchoolCredit", _):
            return _school_credits(
                gateway.get_school_credits(
                    organisation_id=asked.get("organisation_id", ""), portal=portal, **filters
                )
            )
    raise ValueError(f"no such question: {question.operation} {question.choice}")


class QuestionAsk(FetchSender):
    """Whatever a colleague asked; the answer is kept with the question."""

    operation = "question.ask"

    def prepare(self, message: Message) -> Question | None:
        question = Question.objects.filter(pk=subject_pk(message.subject)).first()
        if question is None or question.answered_at is not None:
            return None
        if question.choice == "eckID" and not question.eck_id:
            return None  # it was forgotten: the question was given up or is too old
        return question

    def send(
        self, message: Message, prepared: Question, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        still_ours()
        items = answer_to(prepared, gateway)
        with transaction.atomic():
            still_ours()
            Question.objects.filter(pk=prepared.pk).update(
                answer={"total": len(items), "items": items[:ITEMS_KEPT]},
                answered_at=timezone.now(),
                eck_id="",
            )

    def mark(
        self,
        subjects: Sequence[str],
        state: PushState,
        *,
        code: int | None,
        text: str,
        accepted: bool,
        now: datetime,
    ) -> None:
        """A refused question is not asked again by itself."""
        if state in (PushState.REFUSED, PushState.CONFLICT):
            for subject in subjects:
                forget_eck_id(subject_pk(subject))

    def taken_back(self, subject: str, now: datetime) -> None:
        forget_eck_id(subject_pk(subject))


SENDERS = (QuestionAsk(),)
