"""Taking in persons.csv: one row per person at a school, or per person without one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from django.utils.translation import gettext_lazy as _

from backoffice.eduix.codes import NOT_FOUND
from backoffice.eduix.rules import rule_of
from backoffice.jobs.checking import add_remark
from backoffice.jobs.columns import Column, title_of
from backoffice.jobs.differences import Outcome, assign_all, differing
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.outlook import counted, states_of, staying, total
from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.jobs.registry import Described, Hint, Importer, Outlook, Values
from backoffice.jobs.remarks import Remark
from backoffice.jobs.writing import save_changed
from backoffice.outbox.models import Message, PushState, key_of
from backoffice.screens.normalise import is_email
from persons.likeness_in_files import hints_beside_us
from persons.models import Person, School, SchoolPerson
from persons.normalising import PERSON_NORMALISERS, SCHOOL_PERSON_NORMALISERS, complete_person
from persons.services import (
    NEEDS_PUSH,
    chain_of,
    queue_person_push,
    queue_school_fetch,
    queue_school_person_push,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

PERSON: Final = {
    "distributor_person_id": "Klantnummer",
    "first_name": "Voornaam",
    "preposition": "Tussenvoegsel",
    "surname": "Achternaam",
    "date_of_birth": "Geboortedatum",
    "gender": "Geslacht",
    "person_state": "Status",
    "email": "E-mail",
    "postal_code": "Postcode",
    "house_number": "Huisnummer",
    "country_code": "Land",
    "eck_id": "ECK iD",
}
AT_SCHOOL: Final = {
    "distributor_school_person_id": "Schoolpersoonnummer",
    "organisation_id": "School-ID",
    "school_student_number": "Leerlingnummer",
    "role": "Rol",
}


def person_column(name: str, label: str) -> Column:
    """A column about the person itself."""
    rule = rule_of("person", name)
    needed = rule.required or name == "distributor_person_id"
    return Column(name, rule.field, label, title_of(Person, name), is_required=needed)


def school_column(name: str, label: str) -> Column:
    """A column about the person at a school: needed as soon as one of them is there."""
    rule = rule_of("schoolperson", name)
    model = School if name == "organisation_id" else SchoolPerson
    others = tuple(each for each in AT_SCHOOL if each != name)
    needed = others if rule.required else ()
    return Column(name, rule.field, label, title_of(model, name), goes_with=needed)


class SchoolReferences:
    """Schools that an import names: which we do not hold, and how Edu-iX is asked for them."""

    def unknown(self, references: Collection[str]) -> set[str]:
        """Those of the references that we do not hold."""
        known = School.objects.filter(organisation_id__in=references)
        return set(references) - set(known.values_list("organisation_id", flat=True))

    def ask(self, references: Iterable[str], user: AbstractBaseUser | None) -> list[Message]:
        """Ask Edu-iX for each of them."""
        return [queue_school_fetch(organisation_id=each, user=user) for each in references]


def schools_of(rows: Iterable[JobRow]) -> dict[str, School]:
    """The schools that these rows name, by their key."""
    wanted = {row.values["organisation_id"] for row in rows if row.values.get("organisation_id")}
    return {
        each.organisation_id: each for each in School.objects.filter(organisation_id__in=wanted)
    }


def not_found(owner: str, column: str) -> Remark:
    """What Edu-iX answers when a row names something that does not exist."""
    return Remark("error", "not_found", column, rule_of(owner, column).base + NOT_FOUND)


def person_push(person: Person) -> Wanted:
    """What `queue_person_push` queues."""
    key = key_of("person", person.pk)
    return Wanted("person.push", key, chain_of(person.pk), person.distributor_person_id)


def school_person_push(school_person: SchoolPerson) -> Wanted:
    """What `queue_school_person_push` queues behind the person."""
    return Wanted(
        "schoolperson.push",
        key_of("schoolperson", school_person.pk),
        chain_of(school_person.person_id),
        school_person.distributor_school_person_id,
        requires=key_of("person", school_person.person_id),
    )


@dataclass(slots=True)
class _Held:
    """What we hold beside a chunk of rows, and what is to be written of it.

    `settled` are persons that an earlier row of the file brings or has brought.
    """

    persons: dict[str, Person]
    school_persons: dict[str, SchoolPerson]
    schools: dict[str, School]
    is_written: bool
    settled: set[str] = field(default_factory=set)
    new_persons: list[Person] = field(default_factory=list)
    new_school_persons: list[SchoolPerson] = field(default_factory=list)
    changed_persons: dict[Person, set[str]] = field(default_factory=dict)
    changed_school_persons: dict[SchoolPerson, set[str]] = field(default_factory=dict)


class PersonImporter(SchoolReferences, Importer):
    """persons.csv."""

    kind = "persons"
    job_kind = Job.Kind.IMPORT_PERSONS
    title = _("Persons")
    columns = (
        *(person_column(name, label) for name, label in PERSON.items()),
        *(school_column(name, label) for name, label in AT_SCHOOL.items()),
    )
    key_column = "distributor_school_person_id"
    group_column = "distributor_person_id"
    shared_columns = tuple(PERSON)
    reference_column = "organisation_id"
    normalisers: ClassVar = {**PERSON_NORMALISERS, **SCHOOL_PERSON_NORMALISERS}
    numbers_as_text = (
        "distributor_person_id",
        "distributor_school_person_id",
        "school_student_number",
    )
    hints = (
        Hint("same_email", ("email",)),
        Hint("same_person", ("first_name", "surname", "date_of_birth")),
    )
    push_permissions = ("persons.push_person",)

    def complete(self, values: Values) -> Values:
        return complete_person(values)

    def objects_of(self, values: Values) -> tuple[str, ...]:
        at_school = any(values.get(name) for name in AT_SCHOOL)
        return ("person", "schoolperson") if at_school else ("person",)

    def check_more(self, values: Values) -> list[Remark]:
        email = values.get("email", "")
        wrong = email and not is_email(email)
        return [Remark("warning", "no_email", "email")] if wrong else []

    def compare(self, rows: Sequence[JobRow], *, settled: Collection[str]) -> None:
        held = self._held(rows, is_written=False)
        held.settled.update(settled)
        for row in rows:
            self._settle(row, held)
        for row, remark in hints_beside_us(rows):
            add_remark(row, remark)

    def apply(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> None:
        held = self._held(rows, is_written=True)
        for row in rows:
            self._settle(row, held)
        Person.objects.bulk_create(held.new_persons)
        SchoolPerson.objects.bulk_create(held.new_school_persons)
        bulk = Message.Priority.BULK
        for person in save_changed(Person, held.changed_persons, subject="person"):
            queue_person_push(person=person, user=user, priority=bulk)
        for school_person in save_changed(
            SchoolPerson, held.changed_school_persons, subject="schoolperson"
        ):
            queue_school_person_push(school_person=school_person, user=user, priority=bulk)

    def _held(self, rows: Sequence[JobRow], *, is_written: bool) -> _Held:
        # The number of one that was deleted is free again: whoever gets it is somebody new.
        persons = Person.objects.exclude(push_state=PushState.DELETED).filter(
            distributor_person_id__in={row.group for row in rows}
        )
        school_persons = SchoolPerson.objects.exclude(push_state=PushState.DELETED).filter(
            distributor_school_person_id__in={row.key for row in rows if row.key}
        )
        if is_written:
            persons = persons.select_for_update().order_by("pk")
            school_persons = school_persons.select_for_update(of=("self",)).order_by("pk")
        return _Held(
            {each.distributor_person_id: each for each in persons},
            {
                each.distributor_school_person_id: each
                for each in school_persons.select_related("person", "school")
            },
            schools_of(rows),
            is_written,
        )

    def _settle(self, row: JobRow, held: _Held) -> None:
        """Set the outcome of one row, and note what is to be written."""
        obstacle = self._obstacle(row, held)
        if obstacle:
            add_remark(row, obstacle)
            return
        outcome = self._person(row, held)
        if row.key:
            outcome |= self._school_person(row, held)
        outcome.show_on(row)

    def _obstacle(self, row: JobRow, held: _Held) -> Remark | None:
        if not row.key:
            return None
        if row.values["organisation_id"] not in held.schools:
            return not_found("schoolperson", "organisation_id")
        school_person = held.school_persons.get(row.key)
        if school_person is None:
            return None
        owner = school_person.person.distributor_person_id
        if owner != row.group or school_person.person.push_state == PushState.DELETED:
            return Remark("error", "of_other_person", self.key_column, params={"other": owner})
        return None

    def _person(self, row: JobRow, held: _Held) -> Outcome:
        if row.group in held.settled:
            return Outcome()
        columns = [name for name in PERSON if name in row.values]
        person = held.persons.get(row.group)
        if person is None:
            held.settled.add(row.group)
            if held.is_written:
                person = held.persons[row.group] = Person()
                assign_all(person, row.values, columns)
                held.new_persons.append(person)
            return Outcome(True, {}, {name: row.values[name] for name in columns})
        if not row.values.get("eck_id"):  # Edu-iX may have told it; an empty cell knows no better
            columns = [name for name in columns if name != "eck_id"]
        changed = differing(person, row.values, columns)
        before, after = assign_all(person, row.values, changed)
        if changed:
            held.changed_persons.setdefault(person, set()).update(changed)
        return Outcome(False, before, after)

    def _school_person(self, row: JobRow, held: _Held) -> Outcome:
        columns = [name for name in AT_SCHOOL if name in row.values and name != "organisation_id"]
        school = held.schools[row.values["organisation_id"]]
        school_person = held.school_persons.get(row.key)
        if school_person is None:
            if held.is_written:
                new = SchoolPerson(person=held.persons[row.group], school=school)
                assign_all(new, row.values, columns)
                held.new_school_persons.append(new)
            return Outcome(True, {}, {name: row.values[name] for name in AT_SCHOOL})
        changed = differing(school_person, row.values, columns)
        before, after = assign_all(school_person, row.values, changed)
        if school_person.school_id != school.pk:
            before["organisation_id"] = school_person.school.organisation_id
            after["organisation_id"] = school.organisation_id
            school_person.school = school
            changed = [*changed, "school"]
        if changed:
            held.changed_school_persons.setdefault(school_person, set()).update(changed)
        return Outcome(False, before, after)

    def describe(self, rows: Sequence[JobRow]) -> dict[int, Described]:
        names = ("first_name", "preposition", "surname")
        return {
            row.number: Described(
                " ".join(str(row.values[name]) for name in names if row.values.get(name)),
                row.key or row.group,
            )
            for row in rows
        }

    def queue(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> int:
        persons = Person.objects.filter(
            distributor_person_id__in={row.group for row in rows}, push_state__in=NEEDS_PUSH
        )
        school_persons = SchoolPerson.objects.filter(
            distributor_school_person_id__in={row.key for row in rows if row.key},
            push_state__in=NEEDS_PUSH,
        )
        wanted = [*map(person_push, persons), *map(school_person_push, school_persons)]
        return enqueue_many(wanted, user=user)

    def outlook(self, job: Job) -> Outlook:
        good = job.rows.filter(result__in=JobRow.GOOD)
        persons = states_of(Person.objects.filter(distributor_person_id__in=good.values("group")))
        school_persons = states_of(
            SchoolPerson.objects.filter(
                distributor_school_person_id__in=good.exclude(key="").values("key")
            )
        )
        return Outlook(
            going=counted(
                (_("Persons"), total(persons, NEEDS_PUSH)),
                (_("Persons at a school"), total(school_persons, NEEDS_PUSH)),
            ),
            staying=staying(job, persons, school_persons),
        )
