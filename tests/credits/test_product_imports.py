"""Titles behind EANs from a file; they are ours alone."""

from __future__ import annotations

import pytest

from backoffice.jobs.models import Job
from backoffice.jobs.registry import importer_of
from backoffice.jobs.services import run_import, send_import
from backoffice.outbox.models import Message
from credits.models import Product
from credits.product_imports import _LONGEST
from tests.jobs.given import import_of, results, said

pytestmark = pytest.mark.django_db

ROW = {"ean": "9789001205416", "title": "Getalwijs 2 vwo", "publisher": "Noorderlicht"}


def take_in(*rows: dict[str, str]) -> Job:
    """Check and take in these rows."""
    return run_import(job=import_of(list(rows)))


def test_a_title_is_taken_in_changed_and_left_alone() -> None:
    first, again = take_in(ROW), take_in(ROW)
    changed = take_in({**ROW, "title": "Getalwijs 2 vwo, tweede druk"})

    assert [results(job)[2] for job in (first, again, changed)] == [
        "created",
        "unchanged",
        "changed",
    ]
    assert Product.objects.get().title == "Getalwijs 2 vwo, tweede druk"
    assert changed.rows.get().before == {"title": "Getalwijs 2 vwo"}


def test_an_absent_publisher_leaves_the_one_we_hold() -> None:
    take_in(ROW)

    take_in({"EAN": ROW["ean"], "Titel": "Anders"})

    assert Product.objects.get().publisher == "Noorderlicht"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"title": ""}, "empty_here"),
        ({"title": "x" * 201}, "too_long_here"),
        ({"publisher": "x" * 101}, "too_long_here"),
        ({"ean": ""}, "empty_here"),
        ({"ean": "1" * 31}, "too_long_here"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, str], key: str) -> None:
    job = take_in({**ROW, **change})

    errors = [remark for remark in said(job, 2) if remark[0] == "error"]
    assert errors == [("error", key, next(iter(change)), None)]
    assert not Product.objects.exists()


def test_a_wrong_check_digit_is_a_warning() -> None:
    job = take_in({**ROW, "ean": "978-90-01-20541-7"})

    assert ("warning", "ean_check_digit", "ean", None) in said(job, 2)
    assert Product.objects.get().ean == "9789001205417"


def test_products_are_never_sent() -> None:
    job = take_in(ROW)

    send_import(job=job)

    assert importer_of(job.kind).push_permissions == ()
    assert importer_of(job.kind).outlook(job).total == 0
    assert not Message.objects.exists()


def test_the_lengths_are_those_of_the_columns() -> None:
    lengths = {
        field.name: field.max_length
        for field in Product._meta.concrete_fields
        if field.max_length is not None
    }

    assert lengths == _LONGEST
