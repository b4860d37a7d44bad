"""One sentence of verdict that fits what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from backoffice.jobs import pages
from backoffice.jobs.models import Job
from backoffice.jobs.registry import importer_of
from backoffice.jobs.services import run_import

from .given import import_of, person, pupil, school

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "counts", "sentence"),
    [
        ("preview", {"created": 238, "refused": 14}, "238 rows can go in, 14 cannot."),
        ("preview", {"created": 1, "refused": 1}, "1 row can go in, 1 cannot."),
        ("preview", {"created": 2}, "2 rows can go in; none is refused."),
        (
            "preview",
            {"unchanged": 9},
            "9 rows are here already and change nothing; none is refused.",
        ),
        ("preview", {"refused": 3}, "0 rows can go in, 3 cannot."),
        ("done", {"created": 2, "changed": 3, "refused": 4}, "5 rows are in, 4 were refused."),
        ("done", {"created": 1}, "1 row is in; none is refused."),
    ],
)
def test_the_verdict_counts_what_goes_in_and_what_does_not(
    status: str, counts: dict[str, int], sentence: str
) -> None:
    job = Job(status=status, summary={"counts": counts}, total=sum(counts.values()))

    with override("en"):
        assert pages.verdict(job) == sentence


@pytest.mark.django_db
@pytest.mark.parametrize("status", Job.Status.values)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_status_has_a_verdict_and_a_colour(status: str, language: str) -> None:
    job = Job(status=status, total=1500, finished=500)

    with override(language):
        assert len(pages.verdict(job)) > 10
        assert "%" not in pages.verdict(job)
    assert pages.verdict_tone(job) in ("ok", "wait", "bad", "idle")


def test_the_time_left_follows_the_speed_so_far() -> None:
    job = Job(total=1000, finished=250, started_at=NOW - timedelta(seconds=10))

    assert pages.time_left(job, NOW) == timedelta(seconds=30)
    assert pages.time_left(Job(total=1000, started_at=NOW), NOW) is None
    assert pages.time_left(Job(total=5, finished=5, started_at=NOW), NOW) is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "1 second"), (39.4, "39 seconds"), (340, "6 minutes"), (9000, "2 hours")],
)
def test_how_long_it_takes_is_told_in_words(seconds: float, expected: str) -> None:
    with override("en"):
        assert pages.duration_words(seconds) == expected


def test_the_tab_that_opens_is_the_one_with_work_in_it() -> None:
    job = Job(summary={"counts": {"created": 3, "refused": 1}})

    assert pages.shown_result(job, "") == "refused"
    assert pages.shown_result(job, "created") == "created"
    assert pages.shown_result(job, "skipped") == "refused"
    assert pages.shown_result(job, "all") == "all"


@pytest.mark.django_db
def test_a_change_is_shown_with_what_stood_there() -> None:
    school()
    run_import(job=import_of([person()]))
    job = import_of([person(Postcode="3012 CD", Huisnummer="")])

    rows, more = pages.rows_shown(job, importer_of(job.kind), result="changed", after=0)

    with override("en"):
        rows, more = pages.rows_shown(job, importer_of(job.kind), result="changed", after=0)
    assert rows[0].title == "Sanne van den Berg"
    assert rows[0].key == "K1-1"
    assert rows[0].changes == [
        "Postcode: 3011 AB becomes 3012 CD",
        "Huisnummer: 12 becomes (empty)",
    ]
    assert more is None


@pytest.mark.django_db
def test_the_wrong_cell_is_marked_and_no_other() -> None:
    school()
    job = import_of([person(Geslacht="Q")])

    rows, _more = pages.rows_shown(job, importer_of(job.kind), result="refused", after=0)

    assert [cell.heading for cell in rows[0].cells if cell.is_wrong] == ["Geslacht"]
    assert [(said.column, said.value, said.number) for said in rows[0].said] == [
        ("Geslacht", "Q", "4884")
    ]


@pytest.mark.django_db
def test_reasons_are_counted_with_the_most_frequent_first() -> None:
    school()
    rows = [pupil(number, Achternaam="") for number in range(5)]
    rows += [pupil(number, Geslacht=f"Q{number}") for number in range(5, 20)]

    reasons = pages.reasons(import_of(rows))

    assert [(reason.count, reason.column, reason.number) for reason in reasons] == [
        (15, "Geslacht", "4884"),
        (5, "Achternaam", "5020"),
    ]


@pytest.mark.django_db
def test_a_few_refused_rows_tell_their_reasons_themselves() -> None:
    school()

    assert pages.reasons(import_of([pupil(1, Achternaam="")])) == []


@pytest.mark.django_db
def test_the_facts_name_what_was_left_aside() -> None:
    school()
    row = {**person(Rol="leerling"), "Mentor": "x"}
    del row["E-mail"]

    with override("en"):
        facts = dict(pages.facts(job := import_of([row]), importer_of(job.kind)))

    assert facts["Columns that are not used"] == "Mentor"
    assert facts["Not in the file, stays as it is"] == "E-mail"
    assert facts["Rows read differently from how they stand"] == "1"
