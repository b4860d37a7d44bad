"""The report of a school: who must act for which pupil."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.desk import report
from backoffice.desk.report import Report
from backoffice.desk.report_list import rows_for
from backoffice.desk.why import looks_of
from persons.models import School
from tests.desk.report.conftest import (
    LOOK,
    OTHER,
    SignIn,
    credit_at,
    made,
    pupil_at,
    sent,
    this_year,
    url_of,
)
from tests.factories import (
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db


def answers_in(page: str) -> int:
    """How many pupils it leads to the answer of."""
    return len(re.findall(r"/admin/waarom/\d+/", page))


def test_the_sum_over_all_verdicts_is_everybody_with_a_credit(school: School) -> None:
    found = made(school)

    assert (found.fine, len(found.lines), found.total) == (1, 3, 4)
    assert sum(group.count for group in found.groups) + found.fine == found.total
    assert {group.owner: group.count for group in found.groups} == {"wij": 1, "school": 2}


def test_a_licence_of_the_school_counts_for_who_has_no_credit(school: School) -> None:
    SchoolCreditFactory(school=school, specification_state="Specified", **sent(), **this_year())

    found = made(school)

    assert (found.fine, found.total) == (2, 5)


def test_counting_whom_the_database_finds_in_order_changes_no_verdict(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    credit_at(pupil_at(school), specification_state="")
    quick = made(school)
    monkeypatch.setattr(report, "plainly_fine", lambda pupils, *, day: set())

    slow = made(school)

    def shape(found: Report) -> Any:
        return found.fine, [(one.book.person.pk, one.verdict.key) for one in found.lines]

    assert shape(slow) == shape(quick)


def test_a_pupil_stands_there_with_the_worst_book_as_the_why_page_has_it(school: School) -> None:
    place = pupil_at(school)
    credit_at(place)
    faulty = {"specification_state": "Fault", "publisher_error_code": 117}
    credit_at(place, ean=OTHER, **faulty)
    credit_at(place, ean="9789001234579", specification_state="")

    (line,) = [one for one in made(school).lines if one.book.person.pk == place.person_id]
    first = looks_of(place.person, day=timezone.localdate(), now=timezone.now())[0]

    assert (line.book.ean, line.verdict.key) == (first.book.ean, first.verdict.key)
    assert line.verdict.key == "publisher_silent"


def test_a_book_at_another_school_is_not_what_this_school_hears_about(school: School) -> None:
    place = pupil_at(SchoolFactory(), linked=False)
    credit_at(place)
    SchoolPersonFactory(person=place.person, school=school, **sent())

    found = made(school)

    assert place.person_id in {line.book.person.pk for line in found.lines}
    assert len(rows_for(found)) == 2


def test_the_number_of_queries_does_not_grow_with_the_pupils(
    manager: Client, school: School
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(url_of(school)).status_code == 200
        return len(queries)

    manager.get(url_of(school))
    few = count()
    for _each in range(12):
        credit_at(pupil_at(school, linked=False))
        credit_at(pupil_at(school))

    assert count() == few
    assert few <= 35


def test_the_page_tells_who_must_act_and_what(manager: Client, school: School) -> None:
    answer = manager.get(url_of(school), headers={"accept-language": "nl"})
    page = answer.content.decode()

    assert "De Brug" in page
    assert answers_in(page) == 3
    assert url_of(school, "school_mail") in page
    assert timezone.localtime().strftime("%H:") in page


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("", 3),
        ("?wie=school", 2),
        ("?uitkomst=person_refused", 1),
        ("?wie=school&uitkomst=person_refused", 0),
        ("?wie=niemand-die-bestaat&uitkomst=x", 3),
        ("?pagina=99", 3),
        ("?pagina=x", 3),
    ],
)
def test_a_part_of_the_worklist(manager: Client, school: School, asked: str, number: int) -> None:
    page = manager.get(url_of(school) + asked).content.decode()

    assert answers_in(page) == number


def test_a_long_list_comes_in_pages(
    manager: Client, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.desk.report_views.PAGE", 2)

    first = manager.get(url_of(school)).content.decode()
    second = manager.get(url_of(school) + "?pagina=2").content.decode()

    assert (answers_in(first), answers_in(second)) == (2, 1)
    assert 'rel="next"' in first
    assert 'rel="prev"' in second


def test_a_school_without_credits_and_one_in_order_are_friendly(manager: Client) -> None:
    empty, fine = SchoolFactory(), SchoolFactory()
    credit_at(pupil_at(fine))

    assert reverse("admin:import_start") in manager.get(url_of(empty)).content.decode()
    page = manager.get(url_of(fine)).content.decode()
    assert 'class="card verdict ok"' in page
    assert answers_in(page) == 0


@pytest.mark.parametrize("name", ["school_report", "school_mail"])
def test_who_may_not_look_sees_nothing(signed_in: SignIn, school: School, name: str) -> None:
    assert signed_in("persons.view_school").get(url_of(school, name)).status_code == 403
    assert Client().get(url_of(school, name)).status_code == 302


def test_a_reader_may_look_and_download_and_not_mail(signed_in: SignIn, school: School) -> None:
    reader = signed_in(*LOOK)

    page = reader.get(url_of(school)).content.decode()

    assert url_of(school, "school_mail") not in page
    assert reader.get(url_of(school, "school_mail")).status_code == 403
    assert reader.get(url_of(school, "school_list", "csv")).status_code == 200


def test_a_school_or_a_kind_of_file_that_is_none(manager: Client, school: School) -> None:
    assert manager.get(reverse("admin:school_report", args=[99999])).status_code == 404
    assert manager.get(url_of(school, "school_list", "pdf")).status_code == 404
    assert manager.post(url_of(school)).status_code == 405
