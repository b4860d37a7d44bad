"""Publishers' codes: the most specific words win, and unknown codes are counted."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from backoffice.explanations.models import PublisherCode, UnknownCode
from backoffice.explanations.publishers import (
    PublisherFault,
    explain_faults,
    forget_unknown_codes,
    note_unknown_code,
)
from backoffice.explanations.services import explain, explain_text

EAN = "9789001234567"


def write(title: str, **fields: object) -> PublisherCode:
    values = {"code": 117, "cause_nl": "Omdat.", "remedy_nl": "Bel.\nMail.", **fields}
    return PublisherCode.objects.create(title_nl=title, **values)


@pytest.fixture
def all_four(db: None) -> None:
    write("iedereen")
    write("uitgever", publisher="Noordhoff")
    write("reeks", ean_prefix="9789001")
    write("langere reeks", ean_prefix="978900123")
    write("uitgever en reeks", publisher="Noordhoff", ean_prefix="9789001")


@pytest.mark.parametrize(
    ("ean", "publisher", "expected"),
    [
        (EAN, "Noordhoff", "uitgever en reeks"),
        ("978-90-01-23456-7", "noordhoff ", "uitgever en reeks"),
        (EAN, "", "langere reeks"),
        (EAN, "Malmberg", "langere reeks"),
        ("9789001999999", "", "reeks"),
        ("9789006000000", "Noordhoff", "uitgever"),
        ("9789006000000", "Malmberg", "iedereen"),
        ("", "", "iedereen"),
    ],
)
def test_the_most_specific_explanation_wins(
    all_four: None, ean: str, publisher: str, expected: str
) -> None:
    explanation = explain("publisher:117", ean=ean, publisher=publisher, lang="nl")

    assert explanation.title == expected
    assert explanation.known


def test_a_number_with_an_ean_is_the_publishers(all_four: None) -> None:
    assert explain(117, ean=EAN, lang="nl").source == "publisher"
    assert explain(117, service="credit", ean=EAN, lang="nl").source == "eduix"


def test_a_code_that_nobody_explained_says_so_and_asks_to_write_it(db: None) -> None:
    explanation = explain("publisher:118", lang="nl")

    assert not explanation.known
    assert (explanation.owner, explanation.action) == ("uitgever", "write_explanation")
    assert "118" in explanation.cause
    assert "geen uitleg geschreven" in explanation.title


def test_the_code_of_a_pasted_notification_is_explained_with_its_book(all_four: None) -> None:
    pasted = f"<ean>{EAN}</ean><specification><errorCode>117</errorCode></specification>"

    assert [found.title for found in explain_text(pasted, lang="nl")] == ["langere reeks"]


def test_each_line_of_what_to_do_is_a_step(all_four: None) -> None:
    assert explain("publisher:117", lang="nl").steps == ("Bel.", "Mail.")


def test_without_an_english_text_the_dutch_one_is_shown(db: None) -> None:
    write("Nederlands")
    write("Twee talen", code=118, title_en="Both", cause_en="Because.", remedy_en="Call.")
    write("Half", code=119, title_en="Half")

    assert explain("publisher:117", lang="en").title == "Nederlands"
    assert explain("publisher:118", lang="en").title == "Both"
    assert explain("publisher:119", lang="en").title == "Half"
    assert explain("publisher:119", lang="en").cause == "Omdat."


def test_a_whole_page_of_faults_costs_one_query(
    all_four: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    faults = [PublisherFault(code, EAN) for code in range(100, 150)]

    with django_assert_num_queries(1):
        found = explain_faults(faults, lang="nl")

    assert found[PublisherFault(117, EAN)].known
    assert not found[PublisherFault(118, EAN)].known
    assert len(found) == 50


def test_an_unknown_code_is_counted_per_publisher_and_start_of_the_ean(db: None) -> None:
    first = datetime(2026, 8, 24, 9, 0, tzinfo=UTC)
    note_unknown_code(code=117, ean=EAN, now=first)
    note_unknown_code(code=117, ean="9789001999999", now=first + timedelta(hours=1))
    note_unknown_code(code=117, ean="9789006000000", now=first)

    rows = UnknownCode.objects.values_list("code", "ean_prefix", "count", "first_seen", "last_seen")
    assert list(rows) == [
        (117, "9789001", 2, first, first + timedelta(hours=1)),
        (117, "9789006", 1, first, first),
    ]


def test_unknown_codes_stand_most_frequent_first(db: None) -> None:
    for code, times in ((1, 1), (2, 3), (3, 2)):
        for _ in range(times):
            note_unknown_code(code=code)

    assert list(UnknownCode.objects.values_list("code", flat=True)) == [2, 3, 1]


def test_a_code_beyond_32_bits_fits(db: None) -> None:
    note_unknown_code(code=9_999_999_999)

    assert UnknownCode.objects.get().code == 9_999_999_999


def test_noting_inside_a_transaction_leaves_it_usable(db: None) -> None:
    with transaction.atomic():
        note_unknown_code(code=117)
        note_unknown_code(code=117)

    assert UnknownCode.objects.get().count == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_note_the_same_code_at_once_lose_no_count() -> None:
    workers, times = 4, 15
    together = threading.Barrier(workers)
    problems: list[BaseException] = []

    def work() -> None:
        try:
            together.wait(timeout=10)
            for _ in range(times):
                note_unknown_code(code=117, ean=EAN)
        except BaseException as problem:  # shown in the main thread
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert UnknownCode.objects.get().count == workers * times


def test_writing_an_explanation_takes_what_it_answers_from_the_list(db: None) -> None:
    note_unknown_code(code=117, ean=EAN)
    note_unknown_code(code=117, ean="9789006000000")
    note_unknown_code(code=118, ean=EAN)
    note_unknown_code(code=117, source="eduix")

    forgotten = forget_unknown_codes(write("reeks", ean_prefix="9789001"))

    assert forgotten == 1
    left = UnknownCode.objects.order_by("code", "source", "ean_prefix")
    assert list(left.values_list("code", "source", "ean_prefix")) == [
        (117, "eduix", ""),
        (117, "publisher", "9789006"),
        (118, "publisher", "9789001"),
    ]


def test_an_explanation_for_one_publisher_leaves_the_others_waiting(db: None) -> None:
    note_unknown_code(code=117, publisher="Noordhoff")
    note_unknown_code(code=117, publisher="Malmberg")

    forget_unknown_codes(write("uitgever", publisher="noordhoff"))

    assert list(UnknownCode.objects.values_list("publisher", flat=True)) == ["Malmberg"]


def test_without_a_given_moment_now_counts(db: None) -> None:
    moment = datetime(2026, 8, 24, 9, 0, tzinfo=UTC)

    with time_machine.travel(moment, tick=False):
        note_unknown_code(code=117)

    assert UnknownCode.objects.get().first_seen == moment
