"""Persons from a file: new, changed, refused, and sent."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.eduix.rules import rule_of
from backoffice.jobs.models import Job
from backoffice.jobs.registry import importer_of
from backoffice.jobs.services import run_import, send_import
from backoffice.outbox.models import Message, PushState
from persons.imports import AT_SCHOOL, PERSON, PersonImporter
from persons.models import Person, School, SchoolPerson
from persons.services import queue_person_push
from tests.factories import PersonFactory, SchoolPersonFactory
from tests.jobs.given import BRUG, import_of, person, pupil, results, said, school

pytestmark = pytest.mark.django_db


def take_in(*rows: dict[str, str]) -> Job:
    """Check and take in these rows."""
    return run_import(job=import_of(list(rows)))


def test_a_new_row_becomes_a_person_and_a_person_at_a_school() -> None:
    baken = school()

    job = take_in(person(**{"ECK iD": "a" * 128}))

    held = Person.objects.get()
    assert (held.distributor_person_id, held.first_name, held.preposition, held.surname) == (
        "K1", "Sanne", "van den", "Berg",
    )  # fmt: skip
    assert (held.date_of_birth, held.gender, held.person_state) == (date(2012, 3, 4), "F", "A")
    assert (held.email, held.postal_code, held.house_number) == ("sanne@example.nl", "3011 AB", 12)
    assert (str(held.country_code), held.eck_id) == ("NL", "a" * 128)
    assert held.push_state == PushState.LOCAL_ONLY
    at_school = SchoolPerson.objects.get()
    assert (at_school.person, at_school.school) == (held, baken)
    assert (at_school.school_student_number, at_school.role) == ("20419", "Student")
    assert at_school.push_state == PushState.LOCAL_ONLY
    row = job.rows.get()
    assert (row.result, row.before) == ("created", {})
    assert row.after == row.values


def test_a_person_without_a_school_is_a_person_alone() -> None:
    row = person(**dict.fromkeys(("Schoolpersoonnummer", "School-ID", "Leerlingnummer", "Rol"), ""))

    job = take_in(row)

    assert Person.objects.count() == 1
    assert not SchoolPerson.objects.exists()
    assert (job.rows.get().key, job.rows.get().group) == ("", "K1")


def test_the_same_person_without_a_school_twice_is_taken_in_once() -> None:
    row = person(**dict.fromkeys(("Schoolpersoonnummer", "School-ID", "Leerlingnummer", "Rol"), ""))

    job = take_in(row, row)

    assert results(job) == {2: "created", 3: "skipped"}


def test_a_person_at_two_schools_is_one_person() -> None:
    school()
    school(BRUG)

    take_in(person(), person(Schoolpersoonnummer="K1-2", **{"School-ID": BRUG}))

    assert Person.objects.count() == 1
    assert set(SchoolPerson.objects.values_list("school__organisation_id", flat=True)) == set(
        School.objects.values_list("organisation_id", flat=True)
    )


def test_a_change_is_written_with_what_stood_there() -> None:
    school()
    take_in(person())

    job = take_in(person(Postcode="3012 CD", Leerlingnummer="20500"))

    row = job.rows.get()
    assert row.result == "changed"
    assert row.before == {"postal_code": "3011 AB", "school_student_number": "20419"}
    assert row.after == {"postal_code": "3012 CD", "school_student_number": "20500"}
    assert Person.objects.get().postal_code == "3012 CD"
    assert SchoolPerson.objects.get().school_student_number == "20500"


def test_an_import_is_recorded_in_its_rows_and_not_in_the_history() -> None:
    school()

    take_in(person())
    take_in(person(Postcode="3012 CD"))

    assert not Person.history.exists()
    assert not SchoolPerson.history.exists()


def test_a_person_may_move_to_another_school() -> None:
    school()
    brug = school(BRUG)
    take_in(person())

    job = take_in(person(**{"School-ID": BRUG}))

    assert SchoolPerson.objects.get().school == brug
    assert job.rows.get().after == {"organisation_id": BRUG}


def test_the_change_of_a_person_at_two_schools_counts_once() -> None:
    school()
    school(BRUG)
    rows = [person(), person(Schoolpersoonnummer="K1-2", **{"School-ID": BRUG})]
    take_in(*rows)

    job = take_in(*({**row, "Voornaam": "Anne"} for row in rows))

    assert results(job) == {2: "changed", 3: "unchanged"}


def test_what_only_edu_ix_tells_is_left_alone() -> None:
    school()
    take_in(person())
    Person.objects.update(user_id="u1", profile_id=12, eck_id="b" * 128)

    job = take_in(person())

    assert results(job) == {2: "unchanged"}
    held = Person.objects.get()
    assert (held.user_id, held.profile_id, held.eck_id) == ("u1", 12, "b" * 128)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PushState.IN_SYNC, PushState.CHANGED),
        (PushState.LOCAL_ONLY, PushState.LOCAL_ONLY),
        (PushState.CHANGED, PushState.CHANGED),
    ],
)
def test_a_changed_row_is_no_longer_equal_to_edu_ix(before: str, after: str) -> None:
    school()
    take_in(person())
    Person.objects.update(push_state=before)
    SchoolPerson.objects.update(push_state=before)

    take_in(person(Voornaam="Anne"))

    assert Person.objects.get().push_state == after
    assert SchoolPerson.objects.get().push_state == before  # nothing of it changed


def test_a_refused_person_that_is_mended_by_a_file_goes_out_again_by_itself() -> None:
    school()
    take_in(person(Postcode="9999 XX"))
    message = queue_person_push(person=Person.objects.get())
    Message.objects.filter(pk=message.pk).update(status=Message.Status.REFUSED, tries=1)
    Person.objects.update(push_state=PushState.REFUSED)

    take_in(person(Postcode="3011 AB"))

    message.refresh_from_db()
    assert message.status == Message.Status.QUEUED
    assert Person.objects.get().push_state == PushState.QUEUED


def test_an_unchanged_refused_person_is_not_sent_again() -> None:
    school()
    take_in(person())
    message = queue_person_push(person=Person.objects.get())
    Message.objects.filter(pk=message.pk).update(status=Message.Status.REFUSED)

    take_in(person())

    message.refresh_from_db()
    assert message.status == Message.Status.REFUSED


def test_a_message_under_way_is_told_that_the_row_changed() -> None:
    school()
    take_in(person())
    message = queue_person_push(person=Person.objects.get())
    Message.objects.filter(pk=message.pk).update(status=Message.Status.SENDING)

    take_in(person(Voornaam="Anne"))

    message.refresh_from_db()
    assert message.again


def test_a_number_that_belongs_to_another_person_is_refused_with_that_person() -> None:
    school()
    SchoolPersonFactory(
        distributor_school_person_id="K1-1", person=PersonFactory(distributor_person_id="K7")
    )

    job = take_in(person())

    assert said(job, 2) == [("error", "of_other_person", "distributor_school_person_id", None)]
    assert job.rows.get().findings[0]["params"] == {"other": "K7"}
    assert not Person.objects.filter(distributor_person_id="K1").exists()


def test_the_number_of_who_was_deleted_goes_to_somebody_new() -> None:
    school()
    take_in(person())
    Person.objects.update(push_state=PushState.DELETED)
    SchoolPerson.objects.update(push_state=PushState.DELETED)

    job = take_in(person(Voornaam="Anne"))

    assert said(job, 2) == []
    deleted, new = Person.objects.order_by("pk")
    assert (deleted.first_name, deleted.push_state) == ("Sanne", PushState.DELETED)
    assert (new.first_name, new.distributor_person_id) == ("Anne", deleted.distributor_person_id)
    assert new.school_persons.get().push_state == PushState.LOCAL_ONLY


def test_a_place_of_somebody_deleted_is_not_taken_over() -> None:
    school()
    take_in(person())
    Person.objects.update(push_state=PushState.DELETED)

    job = take_in(person(Voornaam="Anne"))

    assert [key for _severity, key, _column, _code in said(job, 2)] == ["of_other_person"]
    assert Person.objects.get().first_name == "Sanne"


def test_half_a_school_is_refused_with_the_codes_of_what_is_missing() -> None:
    school()

    job = take_in(person(**{"School-ID": "", "Rol": ""}))

    assert {(column, code) for _severity, _key, column, code in said(job, 2)} == {
        ("organisation_id", 6720),
        ("role", 6760),
    }


def test_an_e_mail_address_without_a_domain_is_a_warning() -> None:
    school()

    job = take_in(person(**{"E-mail": "sanne"}))

    assert said(job, 2) == [("warning", "no_email", "email", None)]
    assert results(job) == {2: "created"}


def test_sending_queues_each_person_before_its_school() -> None:
    school()
    job = take_in(pupil(1), pupil(2))

    send_import(job=job)

    for chain in set(Message.objects.values_list("chain", flat=True)):
        found = Message.objects.filter(chain=chain).order_by("position")
        assert [each.operation for each in found] == ["person.push", "schoolperson.push"]


def test_sending_leaves_out_what_edu_ix_has_already() -> None:
    school()
    job = take_in(pupil(1), pupil(2))
    Person.objects.update(push_state=PushState.IN_SYNC)
    SchoolPerson.objects.filter(person__distributor_person_id="K1").update(
        push_state=PushState.IN_SYNC
    )

    send_import(job=job)

    assert [each.label for each in Message.objects.all()] == ["K2-1"]


def test_the_outlook_counts_what_goes_and_what_stays_and_why() -> None:
    school()
    job = take_in(pupil(1), pupil(2), pupil(3, Achternaam=""), pupil(1))
    Person.objects.filter(distributor_person_id="K1").update(push_state=PushState.IN_SYNC)
    SchoolPerson.objects.filter(person__distributor_person_id="K1").update(
        push_state=PushState.REFUSED
    )

    outlook = importer_of(job.kind).outlook(job)

    assert [number for _what, number in outlook.going] == [1, 1]
    assert outlook.total == 2
    assert [number for _why, number in outlook.staying] == [1, 1, 1, 1]
    assert send_import(job=job).queued == outlook.total


def test_every_column_has_the_name_and_need_of_the_partner() -> None:
    for column in PersonImporter.columns:
        owner = "person" if column.name in PERSON else "schoolperson"
        rule = rule_of(owner, column.name)

        assert column.partner == rule.field
        needed = column.is_required or bool(column.goes_with)
        assert needed == (rule.required or column.name == "distributor_person_id")
    assert {column.name for column in PersonImporter.columns} == {*PERSON, *AT_SCHOOL}
