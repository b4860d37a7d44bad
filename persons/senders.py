"""How persons and persons at schools reach Edu-iX, and how a school comes from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import PersonRecord, SchoolPersonRecord
from backoffice.outbox.models import Message, Pushable, PushState
from backoffice.outbox.push import FetchSender, PushSender, StillOurs
from persons.followers import recognition_changed
from persons.models import Person, School, SchoolPerson


def person_record(person: Person) -> PersonRecord:
    """A person as it goes to Edu-iX."""
    return PersonRecord(
        distributor_person_id=person.distributor_person_id,
        first_name=person.first_name,
        preposition=person.preposition,
        surname=person.surname,
        date_of_birth=person.date_of_birth,
        gender=person.gender,
        person_state=person.person_state,
        email=person.email,
        postal_code=person.postal_code,
        house_number=person.house_number,
        country_code=str(person.country_code),
        eck_id=person.eck_id,
        profile_id=person.profile_id,
        user_id=person.user_id,
    )


def school_person_record(school_person: SchoolPerson) -> SchoolPersonRecord:
    """A person at a school as it goes to Edu-iX; needs `person` and `school` at hand."""
    return SchoolPersonRecord(
        distributor_school_person_id=school_person.distributor_school_person_id,
        organisation_id=school_person.school.organisation_id,
        distributor_person_id=school_person.person.distributor_person_id,
        role=school_person.role,
        school_student_number=school_person.school_student_number,
    )


class PersonPush(PushSender[PersonRecord]):
    """createPerson or updatePerson."""

    operation = "person.push"
    model: ClassVar[type[Pushable]] = Person
    record = PersonRecord

    def rows(self) -> QuerySet[Any]:
        return Person.objects.exclude(push_state=PushState.DELETED)

    def find(self, record: PersonRecord, gateway: Gateway) -> PersonRecord | None:
        found = gateway.get_person(distributor_person_id=record.distributor_person_id)
        if found is None:
            return None
        take_over(found.person, distributor_person_id=record.distributor_person_id)
        return found.person

    def create(self, record: PersonRecord, gateway: Gateway) -> None:
        gateway.create_person(record)

    def update(self, record: PersonRecord, gateway: Gateway) -> None:
        gateway.update_person(record)


def take_over(record: PersonRecord, *, distributor_person_id: str) -> None:
    """userID and profileID are Edu-iX' to tell: overwritten from any answer."""
    kept = Person.objects.exclude(push_state=PushState.DELETED)
    person = kept.filter(distributor_person_id=distributor_person_id).first()
    if person is None:
        return
    columns: dict[str, Any] = {}
    if record.profile_id and record.profile_id != person.profile_id:
        columns["profile_id"] = record.profile_id
    if record.user_id != person.user_id:
        columns |= {"user_id": record.user_id, "user_id_changed_at": timezone.now()}
    if columns:
        with transaction.atomic():
            Person.objects.filter(pk=person.pk).update(**columns)
            recognition_changed(person.pk)


class SchoolPersonPush(PushSender[SchoolPersonRecord]):
    """createSchoolperson or updateSchoolperson."""

    operation = "schoolperson.push"
    model: ClassVar[type[Pushable]] = SchoolPerson
    record = SchoolPersonRecord
    columns: ClassVar[Mapping[str, str]] = {
        "organisation_id": "school__organisation_id",
        "distributor_person_id": "person__distributor_person_id",
    }

    def rows(self) -> QuerySet[Any]:
        return SchoolPerson.objects.exclude(push_state=PushState.DELETED)

    def find(self, record: SchoolPersonRecord, gateway: Gateway) -> SchoolPersonRecord | None:
        return gateway.get_school_person(
            distributor_school_person_id=record.distributor_school_person_id
        )

    def create(self, record: SchoolPersonRecord, gateway: Gateway) -> None:
        gateway.create_school_person(record)

    def update(self, record: SchoolPersonRecord, gateway: Gateway) -> None:
        gateway.update_school_person(record)


class SchoolFetch(FetchSender):
    """getSchool by its key; nothing is stored when Edu-iX does not know it."""

    operation = "school.fetch"

    def send(
        self, message: Message, prepared: str, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        still_ours()
        record = gateway.get_school(organisation_id=prepared)
        if record is not None:
            School.objects.store(record, at=timezone.now())


SENDERS = (PersonPush(), SchoolPersonPush(), SchoolFetch())
