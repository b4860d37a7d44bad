"""How persons and persons at a school are sent by the lot."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backoffice.jobs.models import JobRow
from backoffice.jobs.pushing import Look, Pusher
from backoffice.jobs.queueing import Wanted
from backoffice.jobs.registry import Described
from backoffice.jobs.remarks import Remark
from backoffice.outbox.pushable import SENDABLE
from persons.imports import person_push, school_person_push
from persons.models import Person, SchoolPerson
from persons.plans import FOR_EVER, Step, person_steps, school_person_steps
from persons.preflight import preflight
from persons.services import NEEDS_PUSH


class CheckedPusher(Pusher):
    """A kind of row that the partner's rules are kept for, together with what goes before it."""

    related: ClassVar[tuple[str, ...]] = ()

    def sendable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(push_state__in=SENDABLE)

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related(*self.related)

    @abstractmethod
    def steps(self, row: Any) -> list[Step]:
        """What goes out with a row, first what goes first."""

    def checked(self, row: Any, today: date, confirmed: bool) -> Look:
        errors: list[Remark] = []
        for_ever: list[Remark] = []
        for step in self.steps(row):
            for said in preflight(step.row, today=today):
                remark = Remark.of(said.finding)
                remark = Remark(
                    remark.severity,
                    remark.key,
                    remark.column,
                    remark.code,
                    {**remark.params, "subject": step.subject, "label": step.key},
                )
                if said.is_error:
                    errors.append(remark)
                elif remark.key in FOR_EVER and step.row.registered_at is None:
                    for_ever.append(remark)
        if errors:
            return Look(JobRow.Result.REFUSED, remarks=errors)
        if for_ever and not confirmed:
            return Look(JobRow.Result.HELD, remarks=for_ever)
        return Look(is_new=True)


class PersonPusher(CheckedPusher):
    """Persons."""

    kind = "person"
    model = Person
    title = _("Send persons")
    label = "distributor_person_id"
    right = "persons.push_person"

    def steps(self, row: Person) -> list[Step]:
        return person_steps(row)

    def wanted(self, pks: Collection[int]) -> list[Wanted]:
        return [person_push(person) for person in Person.objects.filter(pk__in=pks).order_by("pk")]

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        return {
            row.pk: Described(row.full_name, row.distributor_person_id)
            for row in Person.objects.filter(pk__in=pks)
        }


class SchoolPersonPusher(CheckedPusher):
    """Persons at a school, behind the persons that Edu-iX lacks the newest of."""

    kind = "schoolperson"
    model = SchoolPerson
    title = _("Send persons at a school")
    label = "distributor_school_person_id"
    right = "persons.push_schoolperson"
    related = ("person", "school")

    def steps(self, row: SchoolPerson) -> list[Step]:
        return school_person_steps(row)

    def wanted(self, pks: Collection[int]) -> list[Wanted]:
        places = SchoolPerson.objects.filter(pk__in=pks).order_by("pk").select_related("person")
        return school_person_pushes(places)

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        return {
            row.pk: Described(
                row.person.full_name, f"{row.distributor_school_person_id} · {row.school.name}"
            )
            for row in SchoolPerson.objects.filter(pk__in=pks).select_related("person", "school")
        }


def school_person_pushes(places: QuerySet[SchoolPerson]) -> list[Wanted]:
    """These links, behind the persons that Edu-iX lacks the newest of; `person` is at hand."""
    persons = {place.person_id: place.person for place in places}
    first = [person for person in persons.values() if person.push_state in NEEDS_PUSH]
    return [*map(person_push, first), *map(school_person_push, places)]


PUSHERS = (PersonPusher(), SchoolPersonPusher())
