"""Taking over a row that only Edu-iX has: fetched anew, and made here as equal to Edu-iX.

What it hangs under comes along when we lack it too: a credit brings its person at a school, that
brings its person and its school. All of it is made, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import (
    PersonCreditInformation,
    PersonInformation,
    Record,
    SchoolCreditInformation,
    SchoolPersonRecord,
    SchoolRecord,
)
from backoffice.jobs.models import Drift, Question
from backoffice.outbox.models import Held, Message, Pushable, PushState, key_of, subject_pk
from backoffice.outbox.push import FetchSender, StillOurs
from backoffice.outbox.services import enqueue, lock_chain
from credits.comparing import KEYS, extra_subject, key_in, note_person
from credits.models import PersonCredit, SchoolCredit
from credits.senders import take_over_specification
from persons.models import Person, School, SchoolPerson
from persons.services import chain_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

KINDS: Final = ("person", "schoolperson", "person_credit", "school_credit", "school")


class CannotAdopt(Exception):
    """Why nothing was taken over, in words for a colleague."""


def take_over_row(
    *, kind: str, key: str, reason: str, user: AbstractBaseUser | None = None
) -> Question:
    """Ask Edu-iX for a row that we lack, and make it here when the answer is there."""
    if kind not in KINDS:
        raise ValueError(f"{kind} cannot be taken over")
    with transaction.atomic():
        question = Question.objects.create(
            operation="takeOver",
            choice=kind,
            arguments={"key": key, "reason": reason[:100]},
            asked_by_id=user.pk if user is not None else None,
        )
        subject = key_of("question", question.pk)
        enqueue(
            operation="question.take_over", subject=subject, chain=subject, label=key, user=user
        )
    return question


@dataclass
class Found:
    """What Edu-iX told, and which of it is wanted; `all_below` wants everything of the person."""

    person: PersonInformation | None = None
    credits: Sequence[PersonCreditInformation] = ()
    pool: SchoolCreditInformation | None = None
    school: SchoolRecord | None = None
    place_keys: set[str] = field(default_factory=set)
    credit_keys: set[str] = field(default_factory=set)
    schools: dict[str, SchoolRecord] = field(default_factory=dict)
    asked_at: datetime = field(default_factory=timezone.now)


class TakeOver(FetchSender):
    """The gets that a row and what it hangs under need, and then the rows."""

    operation = "question.take_over"

    def prepare(self, message: Message) -> Question | None:
        return Question.objects.filter(pk=subject_pk(message.subject), answered_at=None).first()

    def send(
        self, message: Message, prepared: Question, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        problem, made = "", list[dict[str, Any]]()
        with override("nl"):  # one line in the data, for whoever looks
            try:
                found = _fetch(prepared.choice, prepared.arguments["key"], gateway, still_ours)
                with transaction.atomic():
                    still_ours()
                    made = _adopt(found, prepared)
            except CannotAdopt as refused:
                problem = str(refused)
        still_ours()
        Question.objects.filter(pk=prepared.pk).update(
            answer={"total": len(made), "items": made},
            problem=problem[:300],
            answered_at=timezone.now(),
        )


def _fetch(kind: str, key: str, gateway: Gateway, still_ours: StillOurs) -> Found:
    """Everything that must be known; raises `CannotAdopt` where Edu-iX does not know it."""
    found = Found()
    person_key = key if kind == "person" else ""
    if kind == "school":
        still_ours()
        found.school = _there(gateway.get_school(organisation_id=key))
        return found
    if kind == "school_credit":
        still_ours()
        found.pool = _there(gateway.get_school_credit(distributor_school_credit_id=key))
        _fetch_schools(found, {found.pool.credit.organisation_id}, gateway, still_ours)
        return found
    place_key = key if kind == "schoolperson" else ""
    if kind == "person_credit":
        still_ours()
        credit = _there(gateway.get_person_credit(distributor_person_credit_id=key))
        place_key = credit.credit.distributor_school_person_id
        found.credit_keys = {key}
    if place_key:
        still_ours()
        place = _there(gateway.get_school_person(distributor_school_person_id=place_key))
        person_key = place.distributor_person_id
        found.place_keys = {place_key}
    still_ours()
    found.person = _there(gateway.get_person(distributor_person_id=person_key))
    still_ours()
    found.credits = gateway.get_person_credits(distributor_person_id=person_key)
    if kind == "person":
        found.place_keys = {one.distributor_school_person_id for one in found.person.school_persons}
        found.credit_keys = {one.credit.distributor_person_credit_id for one in found.credits}
    wanted = {
        one.organisation_id
        for one in found.person.school_persons
        if one.distributor_school_person_id in found.place_keys
    }
    _fetch_schools(found, wanted, gateway, still_ours)
    return found


def _there(answer: Any) -> Any:
    if answer is None:
        raise CannotAdopt(_("Edu-iX does not know this any more."))
    return answer


def _fetch_schools(found: Found, wanted: set[str], gateway: Gateway, still_ours: StillOurs) -> None:
    known = set(
        School.objects.filter(organisation_id__in=wanted).values_list("organisation_id", flat=True)
    )
    for organisation_id in sorted(wanted - known):
        still_ours()
        record = gateway.get_school(organisation_id=organisation_id)
        if record is None:
            raise CannotAdopt(
                _("Edu-iX does not know the school %(school)s.") % {"school": organisation_id}
            )
        found.schools[organisation_id] = record


def _adopt(found: Found, question: Question) -> list[dict[str, Any]]:
    """Make what we lack; raises `CannotAdopt`, and then nothing was made."""
    made: list[dict[str, Any]] = []
    for record in [*found.schools.values(), *([found.school] if found.school else [])]:
        School.objects.store(record, at=found.asked_at)
        made.append({"kind": "school", "key": record.organisation_id, "values": {}})
    if found.pool is not None:
        _adopt_pool(found, question, found.pool, made)
    if found.person is None:
        return made
    key = found.person.person.distributor_person_id
    known = Person.objects.filter(distributor_person_id=key).first()
    if known is not None:
        lock_chain(chain_of(known.pk))
    columns = found.person.person.pushed()
    person = _row(Person, "person", found.person.person, columns, question, found, made)
    for place in found.person.school_persons:
        if place.distributor_school_person_id in found.place_keys:
            _adopt_place(found, question, place, person, made)
    for one in found.credits:
        if one.credit.distributor_person_credit_id in found.credit_keys:
            _adopt_credit(found, question, one, made)
    note_person(person.pk, found.person, found.credits, found.asked_at)
    return made


def _adopt_place(
    found: Found,
    question: Question,
    record: SchoolPersonRecord,
    person: Any,
    made: list[dict[str, Any]],
) -> None:
    school = School.objects.get(organisation_id=record.organisation_id)
    columns = {
        "person": person,
        "school": school,
        "school_student_number": record.school_student_number,
        "role": record.role,
    }
    _row(SchoolPerson, "schoolperson", record, columns, question, found, made)


def _adopt_credit(
    found: Found, question: Question, one: PersonCreditInformation, made: list[dict[str, Any]]
) -> None:
    record = one.credit
    place = SchoolPerson.objects.filter(
        distributor_school_person_id=record.distributor_school_person_id
    ).first()
    if place is None:
        raise CannotAdopt(_("We do not have the person at a school that Edu-iX names."))
    columns = record.pushed() | {"school_person": place}
    del columns["distributor_school_person_id"]
    before = len(made)
    credit = _row(PersonCredit, "person_credit", record, columns, question, found, made)
    if len(made) > before:
        take_over_specification(credit, one.specification, record.person_product_state)


def _adopt_pool(
    found: Found, question: Question, one: SchoolCreditInformation, made: list[dict[str, Any]]
) -> None:
    record = one.credit
    school = School.objects.get(organisation_id=record.organisation_id)
    columns = record.pushed() | {"school": school, "returned": one.returned}
    del columns["organisation_id"]
    before = len(made)
    credit = _row(SchoolCredit, "school_credit", record, columns, question, found, made)
    if len(made) > before:
        take_over_specification(credit, one.specification, "")
    Held.objects.keep(
        subject=key_of("school_credit", credit.pk),
        label=str(credit),
        record=record,
        at=found.asked_at,
    )
    subject = extra_subject("school_credit", key_in("school_credit", record))
    Held.objects.filter(subject=subject).delete()
    Drift.objects.filter(subject=subject).delete()


def _row(
    model: type[Pushable],
    kind: str,
    record: Record,
    columns: dict[str, Any],
    question: Question,
    found: Found,
    made: list[dict[str, Any]],
) -> Any:
    """The row with this key, made or brought back when we lack it; one that we have stays."""
    name, key = KEYS[kind], key_in(kind, record)
    rows: Any = model._default_manager.filter(**{name: key})
    row: Any = rows.exclude(push_state=PushState.DELETED).first()
    if row is not None:
        return row
    if model in (PersonCredit, SchoolCredit):  # their numbers are never given twice
        row = rows.first()
    if row is None:
        row = model(**{name: key})
    for column, value in columns.items():
        setattr(row, column, value)
    try:
        row.full_clean()
    except ValidationError as refused:
        raise CannotAdopt(_in_words(row, refused)) from refused
    row._change_reason = question.arguments.get("reason", "")
    row._history_user = question.asked_by
    row.save()
    model._default_manager.filter(pk=row.pk).update(
        push_state=PushState.IN_SYNC,
        registered_at=found.asked_at,
        push_changed_at=found.asked_at,
        push_code=None,
        push_text="",
    )
    row.refresh_from_db()
    if isinstance(row, PersonCredit | SchoolCredit):
        type(row).objects.filter(pk=row.pk).refresh_statuses()
    made.append({"kind": kind, "key": key, "values": {}})
    return row


def _in_words(row: Any, refused: ValidationError) -> str:
    """`Our rules refuse what Edu-iX holds. Surname: is too long.`"""
    lines = []
    for name, errors in refused.message_dict.items():
        label = "" if name == "__all__" else str(row._meta.get_field(name).verbose_name)
        lines += [f"{label}: {error}" if label else str(error) for error in errors]
    return f"{_('Our rules refuse what Edu-iX holds.')} {' '.join(lines)}"


SENDERS = (TakeOver(),)
