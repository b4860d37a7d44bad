"""Lists of credits: what is found, counted, filtered and explained."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import Message, PushState
from credits.columns import amounts_words
from credits.models import CreditReturn, PersonCredit, Product
from credits.services import queue_credit_push
from credits.status import CreditStatus
from tests.credits.admin.conftest import (
    PERSON_CREDITS,
    PRODUCTS,
    RETURNS,
    SCHOOL_CREDITS,
    in_sync,
    page_of,
    put,
)
from tests.factories import (
    PersonCreditFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolPersonFactory,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine("2026-11-21T10:00:00+01:00"),
]


def blocked(credit: PersonCredit, code: int = 4967) -> Message:
    """A credit whose person was refused, as the drainer leaves them."""
    message = queue_credit_push(credit=credit)
    root = Message.objects.get(operation="person.push", chain=message.chain)
    Message.objects.filter(pk=root.pk).update(status="refused", code=-code, text="postalCode")
    Message.objects.filter(chain=message.chain).exclude(pk=root.pk).update(
        status="waiting", waits_for=root
    )
    put(credit, push_state="waiting")
    return root


# --- the explanation beside the status ------------------------------------------------------------


def test_a_waiting_credit_shows_the_root_cause_and_where_to_mend_it(manager: Client) -> None:
    credit = PersonCreditFactory()
    blocked(credit)

    page = page_of(manager, PERSON_CREDITS)

    person = credit.school_person.person_id
    assert f"/admin/persons/person/{person}/change/#id_postal_code" in page
    assert "4967" in page
    assert 'class="owner"' in page


def test_an_unexplained_code_of_a_publisher_offers_to_write_it(manager: Client) -> None:
    ProductFactory()
    in_sync(PersonCreditFactory(), specification_state="Fault", publisher_error_code=117)
    in_sync(PersonCreditFactory(), specification_state="Fault", publisher_error_code=117)

    page = page_of(manager, PERSON_CREDITS)

    assert "/admin/explanations/publishercode/add/?code=117&amp;ean_prefix=9789001" in page
    assert page.count("117") >= 2


def test_a_written_code_of_a_publisher_is_shown_in_its_words(manager: Client) -> None:
    PublisherCode.objects.create(
        code=117, title_nl="Het artikel is uitverkocht", cause_nl="c", remedy_nl="r"
    )
    in_sync(PersonCreditFactory(), specification_state="Fault", publisher_error_code=117)

    page = page_of(manager, PERSON_CREDITS)

    assert "Het artikel is uitverkocht" in page
    assert "publishercode/add" not in page


def test_a_pupil_without_prematch_asks_for_a_letter_to_the_school(manager: Client) -> None:
    place = SchoolPersonFactory(school__contact_email="ict@example.nl")
    in_sync(PersonCreditFactory(school_person=place))

    page = page_of(manager, PERSON_CREDITS)

    assert "mailto:ict@example.nl?subject=" in page
    assert "Sanne" not in page.split("mailto:")[1].split('"')[0]


def test_without_an_address_of_the_school_the_place_to_fill_it_in_is_shown(
    manager: Client,
) -> None:
    credit = in_sync(PersonCreditFactory())

    page = page_of(manager, PERSON_CREDITS)

    school = credit.school_person.school_id
    assert f"/admin/persons/school/{school}/change/#id_contact_email" in page


def test_a_refused_credit_links_to_its_own_field(manager: Client) -> None:
    credit = put(PersonCreditFactory(), push_state="refused", push_code=-5107)

    page = page_of(manager, PERSON_CREDITS)

    assert f"{PERSON_CREDITS}{credit.pk}/change/#id_ean" in page


def test_every_status_has_a_page_with_words(manager: Client) -> None:
    today = timezone.localdate()
    later = today + timedelta(days=30)
    linked = {"school_person__person__user_id": "u"}
    shown = {
        CreditStatus.NOT_SENT: PersonCreditFactory(),
        CreditStatus.SENDING: put(PersonCreditFactory(), push_state="queued"),
        CreditStatus.REFUSED: put(PersonCreditFactory(), push_state="refused", push_code=5107),
        CreditStatus.UNCERTAIN: put(PersonCreditFactory(), push_state="uncertain"),
        CreditStatus.WAITING_FOR_PREMATCH: in_sync(PersonCreditFactory()),
        CreditStatus.WAITING_FOR_PUBLISHER: in_sync(PersonCreditFactory(**linked)),
        CreditStatus.PUBLISHER_FAULT: in_sync(
            PersonCreditFactory(), specification_state="Fault", publisher_error_code=3
        ),
        CreditStatus.USABLE: in_sync(PersonCreditFactory(), specification_state="Specified"),
        CreditStatus.NOT_YET_USABLE: in_sync(
            PersonCreditFactory(credit_start_date=later, credit_end_date=None),
            specification_state="Specified",
        ),
        CreditStatus.EXPIRED: in_sync(
            PersonCreditFactory(
                credit_start_date=date(2020, 8, 1), credit_end_date=date(2021, 7, 1)
            )
        ),
        CreditStatus.RETURNED: in_sync(PersonCreditFactory(), person_product_state="Returned"),
    }
    waiting = PersonCreditFactory()
    blocked(waiting)
    shown[CreditStatus.WAITING] = waiting
    PersonCredit.objects.update(school_year=2627)

    response = manager.get(PERSON_CREDITS)

    assert set(shown) == set(CreditStatus)
    cells = {row.pk: vars(row)["_cells"] for row in response.context["cl"].result_list}
    for status, credit in shown.items():
        assert cells[credit.pk]["status"] == status, status
        assert "<div" in cells[credit.pk]["cell"], status
        assert (
            manager.get(PERSON_CREDITS, {"status": status.value}).context["cl"].result_count == 1
        ), status


def test_a_returned_credit_tells_when_and_why(manager: Client) -> None:
    credit = in_sync(PersonCreditFactory(), person_product_state="Returned")
    CreditReturn.objects.create(reference="R1", person_credit=credit, reason="van school veranderd")

    assert "van school veranderd" in page_of(manager, PERSON_CREDITS)


# --- lists ----------------------------------------------------------------------------------------


def mixed(rows: int) -> None:
    """Rows of every costly kind, with their own persons, schools and messages."""
    for number in range(rows):
        blocked(PersonCreditFactory())
        in_sync(
            PersonCreditFactory(), specification_state="Fault", publisher_error_code=100 + number
        )
        credit = in_sync(PersonCreditFactory(), person_product_state="Returned")
        CreditReturn.objects.create(reference=f"R{credit.pk}", person_credit=credit)
        in_sync(
            SchoolCreditFactory(), specification_state="Fault", publisher_error_code=200 + number
        )


def queries(client: Client, path: str, **query: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        page_of(client, path, **query)
    return len(captured)


@pytest.mark.parametrize("path", [PERSON_CREDITS, SCHOOL_CREDITS])
def test_the_number_of_queries_does_not_grow_with_the_rows(manager: Client, path: str) -> None:
    ProductFactory()
    mixed(3)
    page_of(manager, path)  # the first page also writes the session

    few = queries(manager, path, all="")
    mixed(30)
    many = queries(manager, path, all="")

    assert few == many
    assert many <= 22


def test_the_page_of_a_person_has_a_fixed_number_of_queries(manager: Client) -> None:
    place = SchoolPersonFactory()

    def fill(rows: int) -> None:
        for _number in range(rows):
            blocked(PersonCreditFactory(school_person=place))
            in_sync(
                PersonCreditFactory(school_person=place),
                specification_state="Fault",
                publisher_error_code=117,
            )

    path = f"/admin/persons/person/{place.person_id}/change/"
    PersonCreditFactory(school_person=place)
    Message.objects.all().delete()
    fill(2)
    page_of(manager, path)
    few = queries(manager, path)
    fill(20)

    assert queries(manager, path) == few


def test_chips_count_each_credit_once(manager: Client) -> None:
    PersonCreditFactory()
    blocked(PersonCreditFactory())
    in_sync(PersonCreditFactory())
    in_sync(PersonCreditFactory(), specification_state="Specified")

    chips = manager.get(PERSON_CREDITS).context["cl"].chips

    assert [chip.count for chip in chips] == [4, 1, 1, 0, 1, 0, 1]
    assert chips[0].count == sum(chip.count for chip in chips[1:])


def test_chips_count_within_the_search(manager: Client) -> None:
    ours = PersonCreditFactory(school_person__person__surname="Zeldzaam")
    PersonCreditFactory()

    response = manager.get(PERSON_CREDITS, {"q": "zeldzaam", "group": "unsent"})

    assert response.context["cl"].chips[0].count == 1
    assert [row.pk for row in response.context["cl"].result_list] == [ours.pk]


@pytest.mark.parametrize(
    "typed",
    ["9789001234562", "978-90-01-23456-2", "9789001 23456 2", "berg sanne", "c-99", "77123"],
)
def test_a_credit_is_found_by_what_people_type(manager: Client, typed: str) -> None:
    PersonCreditFactory(
        distributor_person_credit_id="C-99", school_person__school_student_number="77123"
    )
    PersonCreditFactory(
        ean="9789006234561",
        school_person__person__first_name="Tim",
        school_person__person__surname="Bakker",
    )

    response = manager.get(PERSON_CREDITS, {"q": typed})

    found = [row.distributor_person_credit_id for row in response.context["cl"].result_list]
    assert found == ["C-99"]


def test_filters_take_the_school_the_year_the_ean_and_the_publisher(manager: Client) -> None:
    ProductFactory(ean="9789006234561", title="Newton", publisher="ThiemeMeulenhoff")
    ours = PersonCreditFactory(ean="9789006234561", school_year=2526)
    PersonCreditFactory()

    for query in (
        {"school": ours.school_person.school_id},
        {"year": "2526"},
        {"ean": "9789006234561"},
        {"publisher": "ThiemeMeulenhoff"},
    ):
        found = manager.get(PERSON_CREDITS, query).context["cl"].result_list
        assert [row.pk for row in found] == [ours.pk], query


@pytest.mark.parametrize(
    "query", [{"school": "x"}, {"year": "abc"}, {"group": "none"}, {"status": "'"}]
)
def test_a_wrong_filter_finds_nothing(manager: Client, query: dict[str, str]) -> None:
    PersonCreditFactory()

    assert manager.get(PERSON_CREDITS, query).context["cl"].result_count == 0


@pytest.mark.parametrize("path", [PERSON_CREDITS, SCHOOL_CREDITS, PRODUCTS, RETURNS])
@pytest.mark.parametrize(
    "lookup",
    [
        "school_person__person__eck_id__startswith",
        "publisher_response_id__gte",
        "push_text__regex",
        "contact_email__startswith",
        "reference__startswith",
    ],
)
def test_hidden_columns_cannot_be_asked_for(manager: Client, path: str, lookup: str) -> None:
    assert manager.get(path, {lookup: "a"}).status_code == 400


def test_a_deleted_credit_stands_in_no_list(manager: Client) -> None:
    PersonCreditFactory(push_state=PushState.DELETED)

    assert manager.get(PERSON_CREDITS).context["cl"].result_count == 0


def test_words_of_others_are_shown_as_text_never_as_markup(manager: Client) -> None:
    evil = '<img src=x onerror="alert(1)">'
    PublisherCode.objects.create(code=117, title_nl=evil, cause_nl=evil, remedy_nl=evil)
    ProductFactory(title=evil, publisher=evil)
    credit = in_sync(
        PersonCreditFactory(school_person__person__surname=evil, school_person__school__name=evil),
        specification_state="Fault",
        publisher_error_code=117,
    )
    school_credit = in_sync(
        SchoolCreditFactory(school__name=evil),
        specification_state="Fault",
        publisher_error_code=117,
    )
    CreditReturn.objects.create(reference=evil, person_credit=credit, reason=evil)

    for path in (
        PERSON_CREDITS,
        SCHOOL_CREDITS,
        PRODUCTS,
        RETURNS,
        f"{PERSON_CREDITS}{credit.pk}/change/",
        f"{SCHOOL_CREDITS}{school_credit.pk}/change/",
        f"/admin/persons/person/{credit.school_person.person_id}/change/",
    ):
        page = page_of(manager, path)
        assert evil not in page, path
        assert "&lt;img" in page, path


def test_products_give_a_title_beside_each_ean(manager: Client) -> None:
    PersonCreditFactory()
    assert "Getal &amp; Ruimte" not in page_of(manager, PERSON_CREDITS)

    manager.post(
        f"{PRODUCTS}add/", {"ean": "9789001 23456 2", "title": "Getal & Ruimte", "publisher": ""}
    )

    assert Product.objects.get().ean == "9789001234562"
    page = page_of(manager, PERSON_CREDITS)
    assert "Getal &amp; Ruimte" in page
    assert "9789001 23456 2" in page


def test_school_credits_tell_how_many_licences_are_left(manager: Client) -> None:
    put(SchoolCreditFactory(amount=30), returned=2, specified=28)

    row = manager.get(SCHOOL_CREDITS).context["cl"].result_list[0]

    assert amounts_words(row) in page_of(manager, SCHOOL_CREDITS)
    with translation.override("en"):
        assert amounts_words(row) == "30 bought, 2 given back, 28 at the publisher"
