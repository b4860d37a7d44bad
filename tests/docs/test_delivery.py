"""docs/delivery.md gives figures and codes; they are those of the code."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest
from django.conf import settings

from backoffice.eduix import errors, exchange, masking
from backoffice.jobs import push_jobs, work
from backoffice.outbox import settling, stops
from credits import wizard_forms
from notifications import applying, framing, together
from notifications.models import Notification
from persons import comparing
from tests.docs.pages import DELIVERY, plain, table_after

TEXT = plain(DELIVERY.read_text())


def in_order(codes: Collection[int]) -> str:
    return ", ".join(map(str, sorted(codes)))


@pytest.mark.parametrize(
    "sentence",
    [
        f"refused for the moment: codes {in_order(errors.PASSING)}",
        f"the session is gone: codes {in_order(errors.SESSION_GONE)}, or 2 on a call",
        f"our login is refused: codes {in_order(errors.LOGIN_REFUSED)}",
        f"it exists already, on a create: codes {in_order(errors.ALREADY_EXISTS)}",
        f"A Fault without a number that can be read counts as code {errors.GENERAL_ERROR}",
    ],
)
def test_the_table_of_answers_has_the_codes_of_the_gateway(sentence: str) -> None:
    assert sentence in TEXT


@pytest.mark.parametrize(
    "sentence",
    [
        f"refused at the {settling.PASSING_TRIES}th such answer in a row",
        f"comes {', '.join(map(str, settling.BACKOFF_SECONDS[:-1]))}"
        f" and then every {settling.BACKOFF_SECONDS[-1]} seconds",
        f"after {stops.LOGIN_TRIES} refused logins all sending stops",
        f"{exchange.CONNECT_SECONDS:g} seconds to connect and {exchange.TOTAL_SECONDS:g} seconds",
        f"no answer in {exchange.TOTAL_SECONDS:g} s",
        f"larger than {exchange.MAX_BYTES // 1024**2} MiB",
        f"EDUIX_LEASE_SECONDS, {settings.EDUIX_LEASE_SECONDS}",
        f"EDUIX_CONNECTIONS ({settings.EDUIX_CONNECTIONS})",
    ],
)
def test_the_figures_of_sending_are_those_of_the_code(sentence: str) -> None:
    assert sentence in TEXT


@pytest.mark.parametrize(
    "sentence",
    [
        f"Below {push_jobs.AT_ONCE} rows it is done while the colleague waits",
        f"from {push_jobs.AT_ONCE} rows on it is",
        f"from {comparing.AT_ONCE + 1} persons or schools on",
        f"At most {wizard_forms.MOST_AT_ONCE:,} credits",
        f"works on a job, {work.CHUNK} rows at a time",
    ],
)
def test_the_figures_of_many_rows_are_those_of_the_code(sentence: str) -> None:
    assert sentence in TEXT
    assert work.LEASE.total_seconds() == 60  # "within a minute"


def test_the_next_try_varies_by_the_share_that_is_told() -> None:
    waits = [settling.backoff(len(settling.BACKOFF_SECONDS)) for _ in range(1000)]

    assert "up to 20 % more or less" in TEXT
    last = settling.BACKOFF_SECONDS[-1]
    assert last * 0.8 <= min(waits) < last * 0.85
    assert last * 1.15 < max(waits) <= last * 1.2


@pytest.mark.parametrize(
    "sentence",
    [
        f"more than {framing.MAX_BYTES // 1024} KiB",
        f"the {applying.MAX_TRIES}th try failed",
        f"{together.MAX_WAITING} others wait for our database already, "
        f"and {together.MAX_SECONDS:g} seconds",
        f"Its claim ends after {applying.LEASE.seconds // 60} minutes",
        f"spends its own {applying.MAX_TRIES} tries",
        "tried again after " + " and ".join(["10 s, 1 min, 5 min", "30 min"]),
    ],
)
def test_the_figures_of_receiving_are_those_of_the_code(sentence: str) -> None:
    assert sentence in TEXT


def test_the_waits_between_tries_of_a_notification_are_those_of_the_code() -> None:
    assert [wait.total_seconds() for wait in applying.BACKOFF] == [10, 60, 5 * 60, 30 * 60]


def test_every_verdict_is_told_and_no_other() -> None:
    rows = table_after(DELIVERY, "### What becomes of it")

    assert sorted(row[0] for row in rows) == sorted(Notification.Verdict.values)


def test_what_is_masked_in_a_stored_call_is_what_the_page_says() -> None:
    said = {
        "password": "password",
        "session": "sessionID",
        "name": "surname",
        "date of birth": "dateOfBirth",
        "e-mail address": "email",
        "userID": "userID",
    }

    sentence = re.search(r"- A (password, .+?) in the stored calls", TEXT)

    assert sentence is not None
    assert sentence[1] == "password, session, name, date of birth, e-mail address or userID"
    shown = masking.KEPT | masking.WORDS
    assert not shown & {*said.values(), "firstName", "preposition", "contactName", "contactEmail"}
