"""Brothers and sisters on one address, and one pupil under two numbers."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.jobs.models import Job

from .given import BRUG, import_of, person, pupil, results, said, school

pytestmark = pytest.mark.django_db


def child(number: int, email: str) -> dict[str, str]:
    """A pupil with the address of a parent."""
    return pupil(number, **{"E-mail": email})


def hinted(job: Job, number: int) -> list[tuple[str, int]]:
    """The hints on a line, with the line that each names."""
    row = job.rows.get(number=number)
    return [(r["key"], r["params"]["other"]) for r in row.findings if r["severity"] == "hint"]


def test_two_persons_with_one_address_are_hinted_at_on_both_lines() -> None:
    school()

    job = import_of([child(1, "Ouder@example.nl"), pupil(2), child(3, "ouder@example.nl")])

    assert hinted(job, 2) == [("same_email", 4)]
    assert hinted(job, 4) == [("same_email", 2)]
    assert hinted(job, 3) == []
    assert job.summary["hinted"] == 2


def test_a_hint_keeps_nobody_out() -> None:
    school()

    job = import_of([child(1, "o@example.nl"), child(2, "o@example.nl")])

    assert results(job) == {2: "created", 3: "created"}


def test_one_name_and_date_of_birth_under_two_numbers_is_hinted_at() -> None:
    school()

    job = import_of([pupil(1, Achternaam="Berg"), pupil(2, Achternaam="Berg")])

    assert hinted(job, 2) == [("same_person", 3)]


def test_one_person_at_two_schools_resembles_nobody() -> None:
    school()
    school(BRUG)

    job = import_of([person(), person(Schoolpersoonnummer="K1-2", **{"School-ID": BRUG})])

    assert said(job, 2) == said(job, 3) == []


def test_persons_without_an_address_do_not_share_one() -> None:
    school()

    job = import_of([child(1, ""), child(2, "")])

    assert said(job, 2) == said(job, 3) == []


def test_hints_cost_the_same_number_of_queries_for_many_rows(
    django_assert_max_num_queries: Any,
) -> None:
    school()
    rows = [child(number, f"gezin{number // 2}@example.nl") for number in range(400)]

    with django_assert_max_num_queries(40):
        job = import_of(rows)

    assert job.summary["hinted"] == 400
