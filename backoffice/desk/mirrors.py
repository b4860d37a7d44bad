"""The kinds of row that can be compared with Edu-iX, and what each needs for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.eduix.records import Record
from backoffice.jobs.queueing import Wanted
from backoffice.outbox.models import Message, Pushable, PushState, key_of
from credits.models import PersonCredit, SchoolCredit
from credits.senders import person_credit_record, school_credit_record
from credits.services import queue_credit_push, save_credit
from persons.fetching import person_check, school_check
from persons.models import Person, School, SchoolPerson
from persons.senders import person_record, school_person_record
from persons.services import (
    chain_of,
    queue_person_push,
    queue_school_person_push,
    save_person,
    save_school_person,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True)
class Link:
    """A column that names another row: which field of ours holds it, and how it is found."""

    field: str
    model: type[Any]
    key: str
    absent: str | Promise  # what to say when we do not have that row


@dataclass(frozen=True)
class Mirror:
    """One kind of row; `fixed` columns tell whose row it is and are never taken over."""

    kind: str
    model: type[Pushable]
    key: str
    related: tuple[str, ...]
    record: Callable[[Any], Record]
    save: Callable[..., Message | None]
    queue: Callable[..., Message]
    chain: Callable[[Any], str]
    check: Callable[[Any], Wanted]
    links: Mapping[str, Link] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()

    @property
    def operation(self) -> str:
        """How its push is called in the outbox."""
        return f"{self.kind}.push"

    def rows(self) -> QuerySet[Any]:
        """Those that still count, with what their record needs."""
        rows = self.model._default_manager.exclude(push_state=PushState.DELETED)
        return rows.select_related(*self.related)

    def permission(self, action: str) -> str:
        """`persons.push_person`."""
        meta = self.model._meta
        return f"{meta.app_label}.{action}_{meta.model_name}"


SCHOOL: Final = Link(
    "school", School, "organisation_id", _("We do not have the school that Edu-iX names.")
)
PLACE: Final = Link(
    "school_person",
    SchoolPerson,
    "distributor_school_person_id",
    _("We do not have the person at a school that Edu-iX names."),
)


def _save_person(row: Person, user: AbstractBaseUser | None, *, push: bool) -> Message | None:
    return save_person(person=row, user=user, push=push)


def _save_place(row: SchoolPerson, user: AbstractBaseUser | None, *, push: bool) -> Message | None:
    return save_school_person(school_person=row, user=user, push=push)


def _save_credit(row: Any, user: AbstractBaseUser | None, *, push: bool) -> Message | None:
    return save_credit(credit=row, user=user, push=push)


MIRRORS: Final = {
    mirror.kind: mirror
    for mirror in (
        Mirror(
            kind="person",
            model=Person,
            key="distributor_person_id",
            related=(),
            record=person_record,
            save=_save_person,
            queue=lambda row, user: queue_person_push(person=row, user=user),
            chain=lambda row: chain_of(row.pk),
            check=lambda row: person_check(row.pk, row.distributor_person_id),
        ),
        Mirror(
            kind="schoolperson",
            model=SchoolPerson,
            key="distributor_school_person_id",
            related=("person", "school"),
            record=school_person_record,
            save=_save_place,
            queue=lambda row, user: queue_school_person_push(school_person=row, user=user),
            chain=lambda row: chain_of(row.person_id),
            check=lambda row: person_check(row.person_id, row.person.distributor_person_id),
            links={"organisation_id": SCHOOL},
            fixed=frozenset({"distributor_person_id"}),
        ),
        Mirror(
            kind="person_credit",
            model=PersonCredit,
            key="distributor_person_credit_id",
            related=("school_person__person", "school_person__school"),
            record=person_credit_record,
            save=_save_credit,
            queue=lambda row, user: queue_credit_push(credit=row, user=user),
            chain=lambda row: chain_of(row.school_person.person_id),
            check=lambda row: person_check(
                row.school_person.person_id, row.school_person.person.distributor_person_id
            ),
            links={"distributor_school_person_id": PLACE},
        ),
        Mirror(
            kind="school_credit",
            model=SchoolCredit,
            key="distributor_school_credit_id",
            related=("school",),
            record=school_credit_record,
            save=_save_credit,
            queue=lambda row, user: queue_credit_push(credit=row, user=user),
            chain=lambda row: key_of("school_credit", row.pk),
            check=lambda row: school_check(row.school.organisation_id),
            links={"organisation_id": SCHOOL},
        ),
    )
}


def below(kind: str, row: Any) -> list[tuple[Mirror, Any]]:
    """What hangs under a row with us, the schools of a person before their credits."""
    if kind == "person":
        places = MIRRORS["schoolperson"].rows().filter(person=row).order_by("pk")
        credits = MIRRORS["person_credit"].rows().filter(school_person__person=row)
    elif kind == "schoolperson":
        places = SchoolPerson.objects.none()
        credits = MIRRORS["person_credit"].rows().filter(school_person=row)
    else:
        return []
    found = [(MIRRORS["schoolperson"], place) for place in places]
    return [*found, *((MIRRORS["person_credit"], credit) for credit in credits.order_by("pk"))]


def parent_of(kind: str, row: Any) -> tuple[str, Any] | None:
    """What a row hangs under; None for what stands alone."""
    if kind == "schoolperson":
        return "person", row.person
    if kind == "person_credit":
        return "schoolperson", row.school_person
    return None


def known_keys(kind: str, keys: set[str]) -> dict[str, int]:
    """Which of these keys we have, with the row of each; one query."""
    if kind == "school":
        rows = School.objects.filter(organisation_id__in=keys)
        return dict(rows.values_list("organisation_id", "pk"))
    mirror = MIRRORS[kind]
    wanted = Q(**{f"{mirror.key}__in": keys})
    return dict(mirror.rows().filter(wanted).values_list(mirror.key, "pk"))
