"""Credits from a file: for whom, what changes, what a file may not do, and what is sent."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.jobs.models import Job
from backoffice.jobs.registry import importer_of
from backoffice.jobs.services import run_import, send_import
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit, SchoolCredit
from credits.services import queue_credit_push
from persons.models import Person, SchoolPerson
from tests.factories import PersonFactory, ProductFactory, SchoolPersonFactory
from tests.jobs.given import (
    BAKEN,
    BRUG,
    PERSON_CREDIT,
    SCHOOL_CREDIT,
    import_of,
    person,
    results,
    said,
    school,
)

pytestmark = pytest.mark.django_db


def take_in(*rows: dict[str, str]) -> Job:
    """Check and take in these rows."""
    return run_import(job=import_of(list(rows)))


def credit(**changes: str) -> dict[str, str]:
    """A row of person-credits.csv."""
    return {**PERSON_CREDIT, **changes}


def school_credit(**changes: str) -> dict[str, str]:
    """A row of school-credits.csv."""
    return {**SCHOOL_CREDIT, **changes}


@pytest.fixture
def sanne() -> SchoolPerson:
    """The person at a school whom the credits of these tests are for."""
    found: SchoolPerson = SchoolPersonFactory(
        distributor_school_person_id="K1-1", person=PersonFactory(distributor_person_id="K1")
    )
    return found


def test_a_new_row_becomes_a_credit(sanne: SchoolPerson) -> None:
    job = take_in(credit())

    held = PersonCredit.objects.get()
    assert held.distributor_person_credit_id == "C1"
    assert held.school_person == sanne
    assert (held.ean, held.school_year) == ("9789001205416", 2627)
    assert (held.credit_start_date, held.credit_end_date) == (date(2026, 8, 1), date(2027, 7, 31))
    assert (held.person_product_state, held.status) == ("Active", "not_sent")
    assert held.push_state == PushState.LOCAL_ONLY
    assert results(job) == {2: "created"}


def test_an_open_end_is_no_date(sanne: SchoolPerson) -> None:
    take_in(credit(creditEndDate=""))

    assert PersonCredit.objects.get().credit_end_date is None


def test_a_credit_for_somebody_unknown_is_refused_with_the_code_of_edu_ix() -> None:
    job = take_in(credit())

    assert said(job, 2) == [("error", "not_found", "distributor_school_person_id", 5087)]
    assert not PersonCredit.objects.exists()


def test_a_person_deleted_at_edu_ix_is_unknown_there(sanne: SchoolPerson) -> None:
    SchoolPerson.objects.update(push_state=PushState.DELETED)

    job = take_in(credit())

    assert said(job, 2)[0][3] == 5087


@pytest.mark.parametrize("state", ["Returned", "returned", "geretourneerd"])
def test_only_a_return_makes_a_credit_returned(state: str, sanne: SchoolPerson) -> None:
    job = take_in(credit(personProductState=state))

    assert ("error", "only_a_return", "person_product_state", 5124) in said(job, 2)
    assert not PersonCredit.objects.exists()


def test_what_people_write_in_other_ways_is_understood_and_told(sanne: SchoolPerson) -> None:
    row = credit(ean="978-90-01-20541-6", schoolYear="2026-2027", personProductState="actief")

    job = take_in(row)

    assert {column for _severity, _key, column, _code in said(job, 2)} == {
        "ean",
        "school_year",
        "person_product_state",
    }
    assert PersonCredit.objects.get().school_year == 2627


def test_an_ean_that_a_spreadsheet_shortened_is_refused(sanne: SchoolPerson) -> None:
    job = take_in(credit(ean="9,78901E+12"))

    assert said(job, 2) == [("error", "shortened_number", "ean", None)] + [
        remark for remark in said(job, 2) if remark[0] == "warning"
    ]
    assert results(job) == {2: "refused"}


def test_a_change_is_written_and_the_status_follows(sanne: SchoolPerson) -> None:
    take_in(credit())
    PersonCredit.objects.update(push_state=PushState.IN_SYNC, status="usable")

    job = take_in(credit(creditEndDate="2027-08-31"))

    held = PersonCredit.objects.get()
    assert held.credit_end_date == date(2027, 8, 31)
    assert (held.push_state, held.status) == (PushState.CHANGED, "not_sent")
    assert job.rows.get().before == {"credit_end_date": "2027-07-31"}
    assert job.rows.get().after == {"credit_end_date": "2027-08-31"}
    assert not PersonCredit.history.exists()


def test_a_refused_credit_that_is_mended_by_a_file_goes_out_again(sanne: SchoolPerson) -> None:
    take_in(credit())
    message = queue_credit_push(credit=PersonCredit.objects.get())
    Message.objects.filter(pk=message.pk).update(status=Message.Status.REFUSED)
    PersonCredit.objects.update(push_state=PushState.REFUSED, status="refused")

    take_in(credit(ean="9789006653472"))

    message.refresh_from_db()
    assert message.status == Message.Status.QUEUED
    assert PersonCredit.objects.get().status == "sending"


def test_a_credit_cannot_go_to_another_person_and_may_go_to_the_other_school(
    sanne: SchoolPerson,
) -> None:
    SchoolPersonFactory(distributor_school_person_id="K1-2", person=sanne.person)
    SchoolPersonFactory(distributor_school_person_id="K2-1")
    take_in(credit())

    other = take_in(credit(distributorSchoolPersonID="K2-1"))
    same = take_in(credit(distributorSchoolPersonID="K1-2"))

    assert said(other, 2) == [("error", "of_other_person", "distributor_person_credit_id", None)]
    assert results(same) == {2: "changed"}
    assert PersonCredit.objects.get().school_person.distributor_school_person_id == "K1-2"


def test_a_returned_credit_is_not_changed_by_a_file(sanne: SchoolPerson) -> None:
    take_in(credit())
    PersonCredit.objects.update(person_product_state="Returned")

    same, other = take_in(credit()), take_in(credit(creditEndDate=""))

    assert results(same) == {2: "unchanged"}
    assert said(other, 2) == [("error", "was_returned", "distributor_person_credit_id", None)]
    assert PersonCredit.objects.get().credit_end_date == date(2027, 7, 31)


def test_a_credit_deleted_at_edu_ix_does_not_come_back(sanne: SchoolPerson) -> None:
    take_in(credit())
    PersonCredit.objects.update(push_state=PushState.DELETED)

    job = take_in(credit(creditEndDate=""))

    assert said(job, 2) == [("error", "deleted_here", "distributor_person_credit_id", None)]


def test_sending_takes_person_and_school_along_and_in_order(sanne: SchoolPerson) -> None:
    job = take_in(credit(), credit(distributorPersonCreditID="C2", ean="9789006653472"))

    send_import(job=job)

    found = Message.objects.order_by("position")
    assert [each.operation for each in found] == [
        "person.push",
        "schoolperson.push",
        "person_credit.push",
        "person_credit.push",
    ]
    assert set(PersonCredit.objects.values_list("status", flat=True)) == {"sending"}


@pytest.mark.parametrize("place", [PushState.LOCAL_ONLY, PushState.IN_SYNC])
@pytest.mark.parametrize("owner", [PushState.LOCAL_ONLY, PushState.CHANGED, PushState.IN_SYNC])
def test_the_outlook_promises_as_many_messages_as_sending_queues(
    place: str, owner: str, sanne: SchoolPerson
) -> None:
    job = take_in(credit(), credit(distributorPersonCreditID="C2", ean="9789006653472"))
    Person.objects.update(push_state=owner)
    SchoolPerson.objects.update(push_state=place)

    outlook = importer_of(job.kind).outlook(job)

    assert outlook.total == send_import(job=job).queued == Message.objects.count()


def test_the_outlook_tells_which_credits_wait_for_a_refused_person(sanne: SchoolPerson) -> None:
    job = take_in(credit())
    Person.objects.update(push_state=PushState.REFUSED)

    outlook = importer_of(job.kind).outlook(job)

    assert [number for _what, number in outlook.going] == [1, 1]
    assert "refused" in str(outlook.going[-1][0]) or "geweigerd" in str(outlook.going[-1][0])


def test_a_list_shows_the_title_and_whose_it_is(sanne: SchoolPerson) -> None:
    ProductFactory(ean="9789001205416", title="Getalwijs 2 vwo")
    job = take_in(credit())

    shown = importer_of(job.kind).describe(list(job.rows.all()))

    assert shown[2].title == "Getalwijs 2 vwo"
    assert shown[2].sub == "C1 · Sanne van den Berg"


def test_an_eck_id_from_a_file_makes_the_credits_of_that_person_go_on() -> None:
    school()
    run_import(job=import_of([person()]))
    take_in(credit())
    PersonCredit.objects.update(push_state=PushState.IN_SYNC, status="waiting_for_prematch")

    run_import(job=import_of([person(**{"ECK iD": "a" * 128})]))

    assert PersonCredit.objects.get().status == "waiting_for_publisher"


def test_a_new_school_credit() -> None:
    baken = school()

    take_in(school_credit())

    held = SchoolCredit.objects.get()
    assert (held.school, held.amount, held.returned) == (baken, 30, 0)
    assert (held.contact_name, held.contact_email) == ("Mw. De Wit", "boeken@example.nl")
    assert held.status == "not_sent"


def test_a_school_credit_waits_for_its_school() -> None:
    job = import_of([school_credit()])

    assert job.status == Job.Status.ASKING
    assert [each.subject for each in Message.objects.all()] == [f"school:{BAKEN}"]


def test_a_school_credit_cannot_go_to_another_school() -> None:
    school()
    school(BRUG)
    take_in(school_credit())

    job = take_in(school_credit(organisationID=BRUG))

    assert said(job, 2) == [("error", "of_other_school", "distributor_school_credit_id", None)]


def test_an_amount_below_what_was_returned_is_refused() -> None:
    school()
    take_in(school_credit())
    SchoolCredit.objects.update(returned=10)

    too_low, enough = take_in(school_credit(amount="9")), take_in(school_credit(amount="10"))

    assert said(too_low, 2) == [("error", "below_returned", "amount", None)]
    assert results(enough) == {2: "changed"}


def test_what_only_edu_ix_writes_is_ignored_and_named() -> None:
    school()

    job = take_in(school_credit(returned="5", specified="3"))

    assert job.summary["ignored"] == ["returned", "specified"]
    assert SchoolCredit.objects.get().returned == 0


def test_dutch_names_of_the_columns_are_read_as_well() -> None:
    school()
    values = SCHOOL_CREDIT.values()
    names = (
        "Creditnummer;School-ID;EAN;Begindatum;Einddatum;Contactpersoon;E-mail;Schooljaar;Aantal"
    )

    take_in(dict(zip(names.split(";"), values, strict=True)))

    assert SchoolCredit.objects.count() == 1


def test_a_school_credit_is_sent_in_a_chain_of_its_own() -> None:
    school()
    job = take_in(school_credit())

    send_import(job=job)

    message = Message.objects.get()
    assert message.operation == "school_credit.push"
    assert message.subject == message.chain
