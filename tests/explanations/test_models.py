"""Publishers' codes as rows: unique, tidy, with history."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from backoffice.explanations.explanation import OWNERS
from backoffice.explanations.models import Owner, PublisherCode, UnknownCode

TEXTS = {"title_nl": "T", "cause_nl": "C.", "remedy_nl": "R."}


def test_the_owners_to_choose_from_are_the_owners_of_explanations() -> None:
    assert tuple(Owner.values) == OWNERS


def test_one_code_is_explained_once_per_publisher_and_prefix(db: None) -> None:
    PublisherCode.objects.create(code=117, **TEXTS)
    PublisherCode.objects.create(code=117, publisher="Noordhoff", **TEXTS)

    with pytest.raises(IntegrityError), transaction.atomic():
        PublisherCode.objects.create(code=117, **TEXTS)


def test_a_second_row_for_the_same_code_is_told_in_the_form(db: None) -> None:
    PublisherCode.objects.create(code=117, **TEXTS)

    with pytest.raises(ValidationError):
        PublisherCode(code=117, **TEXTS).full_clean()


def test_a_prefix_may_be_pasted_with_dashes(db: None) -> None:
    row = PublisherCode(code=117, ean_prefix="978-90 01", publisher=" Noordhoff ", **TEXTS)

    row.full_clean()

    assert (row.ean_prefix, row.publisher) == ("9789001", "Noordhoff")


@pytest.mark.parametrize("prefix", ["97890O1", "٣٤٥", "<b>"])
def test_a_prefix_has_digits_only(db: None, prefix: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PublisherCode(code=117, ean_prefix=prefix, **TEXTS).full_clean()

    assert "ean_prefix" in refused.value.message_dict


def test_every_version_of_a_text_is_kept(db: None) -> None:
    row = PublisherCode.objects.create(code=117, **TEXTS)
    row.title_nl = "Beter"
    row.save()

    assert list(row.history.values_list("title_nl", flat=True)) == ["Beter", "T"]


def test_rows_are_named_by_code_publisher_and_prefix() -> None:
    assert str(PublisherCode(code=117)) == "117"
    assert str(UnknownCode(code=-3, publisher="X", ean_prefix="978")) == "-3 · X · 978"
