"""What may be done with credits."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backoffice.explanations.services import explain, note_unknown_code
from backoffice.outbox.models import Message, key_of
from backoffice.outbox.services import enqueue
from credits.models import PersonCredit, Product, SchoolCredit
from credits.status import CreditFacts, StatusAnswer, credit_status
from persons.models import SchoolPerson
from persons.services import (
    NEEDS_PUSH,
    chain_of,
    queue_school_person_push,
    save_edited,
    show_queued,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

AnyCredit = PersonCredit | SchoolCredit


def kind_of(credit: AnyCredit) -> str:
    """How messages name this kind of credit."""
    return "person_credit" if isinstance(credit, PersonCredit) else "school_credit"


def chain_of_credit(credit: AnyCredit) -> str:
    """Everything of one person, or of one school credit, goes out in one order."""
    if isinstance(credit, PersonCredit):
        return chain_of(credit.school_person.person_id)
    return key_of("school_credit", credit.pk)


def queue_credit_push(
    *,
    credit: AnyCredit,
    user: AbstractBaseUser | None = None,
    priority: int = Message.Priority.INTERACTIVE,
) -> Message:
    """Ask to send a credit; person and person at school go first when Edu-iX lacks them."""
    with transaction.atomic():
        if isinstance(credit, PersonCredit):
            message = _queue_person_credit(credit, user, priority)
        else:
            message = enqueue(
                operation="school_credit.push",
                subject=key_of("school_credit", credit.pk),
                chain=key_of("school_credit", credit.pk),
                label=credit.distributor_school_credit_id,
                priority=priority,
                user=user,
            )
        show_queued(message)
    return message


def _queue_person_credit(
    credit: PersonCredit, user: AbstractBaseUser | None, priority: int
) -> Message:
    school_person = SchoolPerson.objects.select_related("person").get(pk=credit.school_person_id)
    if school_person.push_state in NEEDS_PUSH or school_person.person.push_state in NEEDS_PUSH:
        queue_school_person_push(school_person=school_person, user=user, priority=priority)
    return enqueue(
        operation="person_credit.push",
        subject=key_of("person_credit", credit.pk),
        chain=chain_of(school_person.person_id),
        requires=key_of("schoolperson", school_person.pk),
        label=credit.distributor_person_credit_id,
        priority=priority,
        user=user,
    )


def queue_credit_fetch(*, credit: AnyCredit, user: AbstractBaseUser | None = None) -> Message:
    """Ask Edu-iX how a credit stands; state and specification are taken over."""
    kind = kind_of(credit)
    with transaction.atomic():
        return enqueue(
            operation=f"{kind}.fetch",
            subject=key_of(kind, credit.pk),
            chain=chain_of_credit(credit),
            label=str(credit),
            user=user,
        )


def save_credit(
    *, credit: AnyCredit, user: AbstractBaseUser | None = None, push: bool = False
) -> Message | None:
    """Save an edited or new credit; one that was refused goes out again by itself."""
    kind = kind_of(credit)
    with transaction.atomic():
        subject = key_of(kind, credit.pk or 0)
        chain = subject
        if isinstance(credit, PersonCredit):
            chain = chain_of(credit.school_person.person_id)
        again = save_edited(credit, f"{kind}.push", subject, chain)
        message = queue_credit_push(credit=credit, user=user) if again or push else None
        refresh_statuses(type(credit)._default_manager.filter(pk=credit.pk))
    return message


def record_specification(
    *,
    credit: AnyCredit,
    state: str,
    code: int | None,
    response_id: str,
    at: datetime,
    product_state: str = "",
    specified: int | None = None,
) -> None:
    """Take over what Edu-iX tells about the publisher's side; machine columns, no history.

    `state` is "", "Specified" or "Fault"; its date is the local day of `at`, since a
    notification tells none.
    """
    rows: QuerySet[Any] = type(credit)._default_manager.filter(pk=credit.pk)
    rows.record_specification(  # type: ignore[attr-defined]  # the manager is CreditQuerySet's
        state=state,
        state_date=timezone.localdate(at),
        code=code,
        response_id=response_id,
        at=at,
        product_state=product_state,
        specified=specified,
    )
    if code is not None and code != credit.publisher_error_code:
        _note_if_unknown(code, ean=credit.ean, at=at)


def _note_if_unknown(code: int, *, ean: str, at: datetime) -> None:
    """Put a publisher's code that nobody has explained on the list of unknown codes."""
    publisher = Product.objects.filter(ean=ean).values_list("publisher", flat=True).first() or ""
    if not explain(f"publisher:{code}", ean=ean, publisher=publisher).known:
        note_unknown_code(code=code, ean=ean, publisher=publisher, now=at)


def refresh_statuses(credits: QuerySet[Any]) -> int:
    """Recompute the stored `status` of these credits; returns the number of rows."""
    return int(credits.refresh_statuses())  # type: ignore[attr-defined]  # CreditQuerySet's


def refresh_person(person_id: int) -> int:
    """Recompute the statuses of one person's credits, e.g. after a prematch."""
    return refresh_statuses(PersonCredit.objects.filter(school_person__person_id=person_id))


def facts_of(credit: AnyCredit) -> CreditFacts:
    """The facts of a credit; a person credit needs `school_person__person` at hand."""
    if isinstance(credit, PersonCredit):
        person = credit.school_person.person
        is_recognisable: bool | None = person.is_recognisable
        is_link_undone = person.is_link_undone
        is_returned = credit.person_product_state == PersonCredit.ProductState.RETURNED
    else:
        is_recognisable, is_link_undone = None, False
        is_returned = credit.returned >= credit.amount
    return CreditFacts(
        push_state=credit.push_state,
        push_code=credit.push_code,
        credit_start_date=credit.credit_start_date,
        credit_end_date=credit.credit_end_date,
        specification_state=credit.specification_state,
        publisher_error_code=credit.publisher_error_code,
        is_recognisable=is_recognisable,
        is_link_undone=is_link_undone,
        is_returned=is_returned,
    )


def answer_for(credit: AnyCredit, *, today: date) -> StatusAnswer:
    """Status, explanation, owner and actions of a credit as of `today`."""
    return credit_status(facts_of(credit), today)
