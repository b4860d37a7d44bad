"""Why credits stand still, by cause."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from backoffice.desk.causes import SHOWN, Cause, causes, shortened
from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import PushState
from credits.status import CreditStatus
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

TODAY = date(2026, 11, 21)
NO_SUCH_POSTAL_CODE = 4967

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def refused_person(*, code: int = NO_SUCH_POSTAL_CODE, credits: int = 0) -> Any:
    person = PersonFactory(push_state=PushState.REFUSED, push_code=-code)
    link = SchoolPersonFactory(person=person, push_state=PushState.WAITING)
    for _number in range(credits):
        PersonCreditFactory(
            school_person=link, status=CreditStatus.WAITING, push_state=PushState.WAITING
        )
    return person


def test_nothing_that_stands_still_is_no_cause() -> None:
    PersonCreditFactory(status=CreditStatus.USABLE, push_state=PushState.IN_SYNC)

    assert causes(TODAY) == []


def test_credits_that_wait_for_refused_persons_count_for_what_those_were_refused_for() -> None:
    refused_person(credits=2)
    refused_person(credits=1)

    (cause,) = causes(TODAY)

    assert cause.count == 3
    assert "2 persons refused" in cause.sub
    assert f"code {NO_SUCH_POSTAL_CODE}" in cause.sub
    assert cause.url == "/admin/persons/person/?group=attention"


def test_one_refused_person_is_mended_at_the_field_itself() -> None:
    person = refused_person(credits=1)

    (cause,) = causes(TODAY)

    assert cause.url == f"/admin/persons/person/{person.pk}/change/#id_postal_code"
    assert cause.button == "Mend"


def test_a_refused_person_without_credits_is_told_and_stands_last() -> None:
    refused_person(code=5022)
    refused_person(credits=1)

    first, last = causes(TODAY)

    assert (first.count, last.count) == (1, 0)
    assert "1 person refused" in last.sub


def test_a_refused_school_link_holds_up_its_credits() -> None:
    link = SchoolPersonFactory(push_state=PushState.REFUSED, push_code=-4967)
    PersonCreditFactory(
        school_person=link, status=CreditStatus.WAITING, push_state=PushState.WAITING
    )

    (cause,) = causes(TODAY)

    assert cause.count == 1
    assert "1 person at a school refused" in cause.sub


def test_a_credit_that_waits_for_something_else_is_not_forgotten() -> None:
    PersonCreditFactory(status=CreditStatus.WAITING, push_state=PushState.WAITING)

    (cause,) = causes(TODAY)

    assert cause.count == 1


def test_refused_credits_of_persons_and_of_schools_are_causes_of_their_own() -> None:
    PersonCreditFactory(status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-5107)
    SchoolCreditFactory(status=CreditStatus.REFUSED, push_state=PushState.REFUSED, push_code=-5107)

    subs = [cause.sub for cause in causes(TODAY)]

    assert any("1 credit refused" in sub for sub in subs)
    assert any("1 school credit refused" in sub for sub in subs)


def test_a_row_that_differs_from_edu_ix_is_told_as_such() -> None:
    PersonFactory(push_state=PushState.CONFLICT)

    (cause,) = causes(TODAY)

    assert cause.count == 0
    assert cause.title != ""
    assert "code" not in cause.sub


def test_faults_of_a_publisher_are_counted_by_code_and_book() -> None:
    ProductFactory(ean="9789001234562", title="Getal & Ruimte", publisher="Noorderlicht")
    fault = {"status": CreditStatus.PUBLISHER_FAULT, "push_state": PushState.IN_SYNC}
    for ean, code in (("9789001234562", 117), ("9789001234562", 117), ("9789006112234", 117)):
        PersonCreditFactory(ean=ean, publisher_error_code=code, **fault)
    SchoolCreditFactory(ean="9789001234562", publisher_error_code=117, **fault)

    first, second = causes(TODAY)

    assert (first.count, second.count) == (3, 1)
    assert first.title == "The publisher refuses this book"
    assert "Getal & Ruimte (9789001 23456 2)" in first.sub
    assert "no explanation written yet" in first.sub
    assert first.url == "/admin/credits/personcredit/?group=attention&ean=9789001234562"
    assert first.write_url == (
        "/admin/explanations/publishercode/add/?code=117&publisher=Noorderlicht&ean_prefix=9789001"
    )


def test_a_fault_that_a_colleague_explained_is_told_in_those_words() -> None:
    PublisherCode.objects.create(
        code=117, title_nl="Uitverkocht", cause_nl="Op.", remedy_nl="Bel.", title_en="Sold out"
    )
    PersonCreditFactory(
        status=CreditStatus.PUBLISHER_FAULT,
        push_state=PushState.IN_SYNC,
        publisher_error_code=117,
    )

    with translation.override("nl"):
        (cause,) = causes(TODAY)

    assert cause.title == "Uitverkocht"
    assert cause.write_url == ""
    assert "117" in cause.sub


def test_a_fault_without_a_code_has_words_too() -> None:
    PersonCreditFactory(
        status=CreditStatus.PUBLISHER_FAULT, push_state=PushState.IN_SYNC, publisher_error_code=None
    )

    (cause,) = causes(TODAY)

    assert cause.title == "The publisher refuses this book"
    assert "code 0" not in cause.sub
    assert cause.write_url == ""


def test_pupils_without_a_prematch_are_counted_by_school() -> None:
    school = SchoolFactory(name="De Brug")
    link = SchoolPersonFactory(school=school)
    waiting = {"status": CreditStatus.WAITING_FOR_PREMATCH, "push_state": PushState.IN_SYNC}
    PersonCreditFactory.create_batch(2, school_person=link, **waiting)
    PersonCreditFactory(school_person=SchoolPersonFactory(school=school), **waiting)

    (cause,) = causes(TODAY)

    assert cause.count == 3
    assert cause.is_for_school
    assert cause.title == "De Brug has not linked 2 pupils yet"
    assert cause.url == f"/admin/credits/personcredit/?group=school&school={school.pk}"


def test_the_same_code_with_and_without_its_sign_is_one_cause() -> None:
    refused_person(code=5022, credits=1)
    refused_person(code=-5022, credits=2)

    (cause,) = causes(TODAY)

    assert cause.count == 3
    assert "2 persons refused" in cause.sub


def test_what_we_can_mend_comes_first_and_the_biggest_before_the_rest() -> None:
    PersonCreditFactory.create_batch(
        4,
        school_person=SchoolPersonFactory(),
        status=CreditStatus.WAITING_FOR_PREMATCH,
        push_state=PushState.IN_SYNC,
    )
    refused_person(code=5022, credits=1)
    refused_person(credits=3)

    counts = [cause.count for cause in causes(TODAY)]

    assert counts == [3, 1, 4]


def test_the_number_of_queries_does_not_depend_on_the_causes(
    django_assert_num_queries: Any,
) -> None:
    def one_more(code: int, publisher_code: int) -> None:
        refused_person(code=code, credits=2)
        PersonCreditFactory(
            status=CreditStatus.PUBLISHER_FAULT,
            push_state=PushState.IN_SYNC,
            publisher_error_code=publisher_code,
        )

    one_more(5022, 117)
    with django_assert_num_queries(11):
        causes(TODAY)
    for number in range(1, 5):
        one_more(5022 + 20 * number, 117 + number)

    with django_assert_num_queries(11):
        found = causes(TODAY)

    assert len(found) == 10


def test_many_causes_become_the_biggest_and_one_line_for_the_rest() -> None:
    many = [Cause(number, f"{number}", "", "", "") for number in range(20, 0, -1)]

    shown = shortened(many)

    assert len(shown) == SHOWN + 1
    assert sum(cause.count for cause in shown) == sum(cause.count for cause in many)
    assert shown[-1].title == "Others"


def test_one_cause_too_many_is_shown_rather_than_hidden_behind_a_line() -> None:
    many = [Cause(number, f"{number}", "", "", "") for number in range(SHOWN + 1)]

    assert shortened(many) == many
