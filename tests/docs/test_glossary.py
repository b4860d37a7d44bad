"""The words of docs/glossary.md for statuses are those of the code and of the screens."""

from __future__ import annotations

import pytest
from django.db.models import TextChoices
from django.utils import translation

from backoffice.outbox.models import PushState
from credits.status import CreditStatus
from notifications.models import Notification
from tests.docs.pages import GLOSSARY, table_after

TABLES: dict[str, type[TextChoices]] = {
    "## What a colleague reads beside a credit": CreditStatus,
    "## How a row stands beside Edu-iX": PushState,
    "## What became of a notification": Notification.Verdict,
}


def labels(choices: type[TextChoices], language: str) -> dict[str, str]:
    with translation.override(language):
        return {value: str(label) for value, label in choices.choices}


@pytest.mark.parametrize("heading", TABLES)
def test_every_status_stands_in_the_glossary_with_its_english_word(heading: str) -> None:
    rows = table_after(GLOSSARY, heading)

    assert {row[0].strip("`"): row[1] for row in rows} == labels(TABLES[heading], "en")


@pytest.mark.parametrize("heading", TABLES)
def test_every_status_stands_in_the_glossary_with_the_dutch_word_of_the_screens(
    heading: str,
) -> None:
    rows = table_after(GLOSSARY, heading)

    assert {row[0].strip("`"): row[2] for row in rows} == labels(TABLES[heading], "nl")
