"""What an answer costs the database, whatever stands in it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.desk.why_views import why_url
from backoffice.explanations.models import PublisherCode
from credits.models import PersonCredit
from tests.desk.why.conftest import page_of, sent, this_year, url_of, verdict_in
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
)

pytestmark = pytest.mark.django_db


def test_the_page_asks_the_database_the_same_number_of_times_for_any_number_of_books(
    manager: Client, credit: PersonCredit
) -> None:
    url = why_url(credit.school_person.person_id)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(manager, url)
        return len(queries)

    page_of(manager, url)
    few = count()
    for number in range(15):
        PersonCreditFactory(
            school_person=credit.school_person,
            ean=f"978901123{number:04d}",
            specification_state="Specified",
            **this_year(),
            **sent(),
        )

    assert count() == few


def test_a_licence_of_the_school_is_mended_at_its_amount(
    manager: Client, credit: PersonCredit
) -> None:
    pool = SchoolCreditFactory(
        school=credit.school_person.school,
        ean="9789011234566",
        amount=4,
        returned=4,
        **this_year(),
        **sent(),
    )

    page = page_of(manager, why_url(credit.school_person.person_id, ean=pool.ean))

    assert verdict_in(page) == "school_credit_empty"
    assert f"/schoolcredit/{pool.pk}/change/#id_amount" in page


def test_an_explained_code_of_a_publisher_stands_there_in_words(
    manager: Client, credit: PersonCredit
) -> None:
    faulty = {"specification_state": "Fault", "publisher_error_code": 117}
    PersonCredit.objects.update(**faulty)
    page = page_of(manager, url_of(credit))
    assert verdict_in(page) == "publisher_fault_unknown"
    assert "/publishercode/add/?code=117" in page

    words = {"title_nl": "Uitverkocht bij de uitgever", "cause_nl": "C.", "remedy_nl": "R."}
    PublisherCode.objects.create(code=117, **words)

    page = page_of(manager, url_of(credit))
    assert verdict_in(page) == "publisher_fault"
    assert "uitverkocht bij de uitgever" in page
