"""What the buttons of "why no access?" do: each one call of a service."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from backoffice.desk.why_buttons import MENDED
from backoffice.outbox.again import send_again
from backoffice.outbox.cells import told_after_queue
from backoffice.outbox.models import Message, PushState, key_of, subject_pk
from backoffice.outbox.services import ring
from backoffice.outbox.stops import resume
from credits.access_mends import CannotMend, extend, make_credit, set_school_year, start_on
from credits.models import PersonCredit, SchoolCredit
from credits.services import AnyCredit, queue_credit_fetch, queue_credit_push
from persons.comparing import queue_check
from persons.fetching import person_check
from persons.models import Person, School, SchoolPerson
from persons.services import (
    chain_of,
    queue_person_push,
    queue_school_person_push,
    save_school_person,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

MODELS: Final[dict[str, Any]] = {
    "person": Person,
    "schoolperson": SchoolPerson,
    "person_credit": PersonCredit,
    "school_credit": SchoolCredit,
}


@dataclass(frozen=True)
class Order:
    """What was pressed, for whom, and by whom. `row` is what the button is about."""

    do: str
    person: Person
    row: Any
    ean: str
    day: date
    school: School | None
    user: AbstractBaseUser


def row_of(subject: str, person: Person) -> Any:
    """The row behind `schoolperson:12`; None unless it is this person's, or a school's credit."""
    model = MODELS.get(subject.partition(":")[0])
    number = subject.rpartition(":")[2]
    if model is None or not number.isdecimal() or len(number) > 18:
        return None
    rows = model._default_manager.exclude(push_state=PushState.DELETED)
    mine: dict[Any, dict[str, Any]] = {
        Person: {"pk": person.pk},
        SchoolPerson: {"person": person},
        PersonCredit: {"school_person__person": person},
        SchoolCredit: {"school__school_persons__person": person},
    }
    return rows.filter(pk=subject_pk(subject)).filter(**mine[model]).first()


def carry_out(order: Order) -> str:
    """Do it; returns what the colleague reads. Raises `CannotMend`."""
    return _DOINGS[order.do](order)


def _push(order: Order) -> str:
    row, user = order.row, order.user
    if isinstance(row, Person):
        message = queue_person_push(person=row, user=user)
    elif isinstance(row, SchoolPerson):
        message = queue_school_person_push(school_person=row, user=user)
    else:
        message = queue_credit_push(credit=row, user=user)
    return told_after_queue(message.subject)


def _new_credit(order: Order) -> str:
    make_credit(place=order.row, ean=order.ean, day=order.day, user=order.user)
    return str(MENDED["new_credit"])


def _on_credit(mend: Callable[..., None]) -> Callable[[Order], str]:
    def do(order: Order) -> str:
        credit: AnyCredit = order.row
        mend(credit=credit, day=order.day, user=order.user)
        return str(MENDED[order.do])

    return do


def _link_school(order: Order) -> str:
    if order.school is None:
        raise CannotMend(_("Choose the school first."))
    person = order.person
    there = person.school_persons.filter(school=order.school).exclude(push_state=PushState.DELETED)
    place = there.first()
    if place is None:
        place = SchoolPerson(
            distributor_school_person_id=_free_number(person),
            person=person,
            school=order.school,
        )
        save_school_person(school_person=place)
    queue_school_person_push(school_person=place, user=order.user)
    return str(MENDED["link_school"])


def _free_number(person: Person) -> str:
    """`K204103-2`, as the files have them; an odd end when that is taken."""
    number = f"{person.distributor_person_id}-{person.school_persons.count() + 1}"
    is_taken = SchoolPerson.objects.filter(distributor_school_person_id=number).exists()
    return f"{number}-{secrets.token_hex(3)}" if is_taken else number


def _fetch(order: Order) -> str:
    if isinstance(order.row, PersonCredit | SchoolCredit):
        queue_credit_fetch(credit=order.row, user=order.user)
    else:
        person = order.person
        wanted = person_check(person.pk, person.distributor_person_id)
        queue_check(wanted=wanted, user=order.user)
    return str(MENDED["fetch"])


def _send_now(order: Order) -> str:
    chains = [chain_of(order.person.pk)]
    if isinstance(order.row, SchoolCredit):
        chains.append(key_of("school_credit", order.row.pk))
    waits = (Message.Status.QUEUED, Message.Status.UNCERTAIN)
    for message in Message.objects.filter(chain__in=chains, status__in=waits).order_by("position"):
        send_again(message=message, user=order.user)
    return str(MENDED["send_now"])


def _resume(order: Order) -> str:
    """All sending goes on; what this person waits for goes first."""
    resume()
    _send_now(order)
    ring()
    return str(MENDED["resume"])


_DOINGS: Final[dict[str, Callable[[Order], str]]] = {
    "push": _push,
    "new_credit": _new_credit,
    "set_school_year": _on_credit(set_school_year),
    "extend": _on_credit(extend),
    "start_today": _on_credit(start_on),
    "link_school": _link_school,
    "fetch": _fetch,
    "send_now": _send_now,
    "resume": _resume,
}
NEEDS_ROW: Final = frozenset(_DOINGS) - {"resume", "send_now"}
