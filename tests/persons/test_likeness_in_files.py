"""New persons of a file who look like somebody that we hold."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from persons.likeness_in_files import hints_beside_us
from tests.factories import PersonFactory, UserFactory
from tests.jobs.given import import_of, person, pupil, said, school

pytestmark = pytest.mark.django_db


def test_a_new_number_for_somebody_we_hold_is_hinted_at_with_the_way_there() -> None:
    school()
    held = PersonFactory(email="other@example.nl", distributor_person_id="K-old")

    job = import_of([person(), pupil(2)])

    assert "same_person_here" in str(said(job, 2))
    assert "same_person_here" not in str(said(job, 3))
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))
    page = client.get(reverse("admin:import_job", args=[job.pk]), {"result": "said-hint"})
    assert [row.number for row in page.context["rows"]] == [2]
    assert f"/admin/persons/person/{held.pk}/change/" in page.content.decode()


def test_a_new_pupil_on_the_address_of_another_is_hinted_at() -> None:
    school()
    PersonFactory(email="SANNE@example.nl", first_name="Broer", date_of_birth=date(2010, 1, 1))

    job = import_of([person()])

    assert "same_email_here" in str(said(job, 2))


def test_the_same_number_is_the_same_person() -> None:
    school()
    PersonFactory(distributor_person_id="K1")

    job = import_of([person()])

    assert "_here" not in str(said(job, 2))


def test_the_number_of_queries_does_not_grow_with_the_rows() -> None:
    school()
    PersonFactory.create_batch(3)
    few, many = import_of([pupil(1)]), import_of([pupil(number) for number in range(1, 40)])

    counts = []
    for job in (few, many):
        rows = list(job.rows.order_by("number"))
        with CaptureQueriesContext(connection) as captured:
            list(hints_beside_us(rows))
        counts.append(len(captured))

    assert counts == [2, 2]
