"""What every refused delivery leaves behind: the trace that docs/delivery.md names, no other."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError
from pytest_django import Settings

from notifications import door as door_module
from notifications.framing import MAX_BYTES
from notifications.models import Notification, Refusal
from notifications.refusals import Counts
from notifications.together import Overloaded
from notifications.uses import uses
from tests.notifications.bodies import GOOD, IN_ENVELOPE, INVALID, NOT_XML
from tests.notifications.conftest import PASSWORD, USER, Sender

Patch = pytest.MonkeyPatch
Prepare = Callable[[Settings, Patch], None]
Case = tuple[str, bytes, dict[str, Any], tuple[int, int, str]]

LARGE = b"x" * (MAX_BYTES + 1)
# What it is, the body, how it is sent; the status, the code and the reason that is counted.
REQUESTS: list[Case] = [
    *[(f"{name}", GOOD, {"method": name}, (405, 0, "method")) for name in ("PUT", "DELETE")],
    ("another host", GOOD, {"headers": {"Host": "evil.example"}}, (400, 0, "host")),
    ("no length", GOOD, {"length": None}, (411, 0, "length")),
    ("no number", GOOD, {"length": "1e3"}, (400, 0, "framing")),
    ("two lengths", GOOD, {"headers": {"Transfer-Encoding": "chunked"}}, (400, 0, "framing")),
    ("too short", GOOD, {"length": len(GOOD) + 9}, (400, 0, "framing")),
    ("another type", GOOD, {"content_type": "text/plain"}, (415, 0, "media_type")),
    ("another charset", GOOD, {"content_type": "text/xml; charset=x"}, (415, 0, "media_type")),
    ("compressed", GOOD, {"headers": {"Content-Encoding": "gzip"}}, (415, 0, "media_type")),
    ("too large", LARGE, {}, (413, 0, "too_large")),
]
REASONS = {10: "operation", 2: "login", 6: "shape"} | dict.fromkeys(
    (4702, 4705, 4682, 4685), "login_form"
)
SPECIAL = {"VersionMismatch": "version", "MustUnderstand": "must_understand"}


def cases() -> Iterator[Case]:
    yield from REQUESTS
    for place, body in enumerate(NOT_XML):
        how = {"content_type": "text/xml"}
        yield f"not xml {place}", body, how, (400, 0, "not_xml")
    for name, body, faultcode, code in IN_ENVELOPE:
        yield name, body, {}, (500, code, SPECIAL.get(faultcode) or REASONS[code])


def production(settings: Settings, _patch: Patch) -> None:
    settings.BACKOFFICE_ENV = "production"


def a_list_of_addresses(settings: Settings, _patch: Patch) -> None:
    settings.NOTIFICATION_ALLOWED_IPS = ["192.0.2.0/24"]


def no_login(settings: Settings, _patch: Patch) -> None:
    settings.NOTIFICATION_CREDENTIALS = []


def raising(problem: Exception, name: str = "store") -> Prepare:
    def raises(*_arguments: object) -> None:
        raise problem

    return lambda _settings, patch: patch.setattr(door_module, name, raises)


# The same good delivery each time: what is wrong is with us.
STATES: list[tuple[str, Prepare, tuple[int, int, str]]] = [
    ("plain http", production, (403, 0, "plain_http")),
    ("another address", a_list_of_addresses, (403, 0, "address")),
    ("no login set up", no_login, (503, 0, "no_credentials")),
    ("overloaded", raising(Overloaded()), (503, 0, "overloaded")),
    ("database gone", raising(OperationalError("gone")), (500, 3, "database")),
    ("database busy", raising(OperationalError("database is locked")), (500, 11, "locked")),
    ("a bug", raising(RuntimeError("a bug"), "blanked"), (500, 1, "unforeseen")),
]


def everything() -> dict[str, Counter[str]]:
    """The rows of every table of the product, whatever they hold."""
    return {
        model._meta.label: Counter(map(repr, model._base_manager.values_list()))
        for model in apps.get_models()
    }


def added(before: dict[str, Counter[str]]) -> dict[str, int]:
    """How many rows each table has more; a row that changed or went fails."""
    after = everything()
    assert not any(before[label] - after[label] for label in before)
    more = {label: (after[label] - before[label]).total() for label in before}
    return {label: number for label, number in more.items() if number}


def counted() -> list[tuple[Any, ...]]:
    return list(Refusal.objects.values_list("status", "code", "reason", "source", "count"))


@pytest.mark.parametrize(
    ("body", "how", "expected"), [case[1:] for case in cases()], ids=[case[0] for case in cases()]
)
def test_a_refused_stranger_leaves_a_number_and_nothing_else(
    door: Sender,
    quiet_counts: Counts,
    body: bytes,
    how: dict[str, Any],
    expected: tuple[int, int, str],
) -> None:
    before = everything()

    status = door.post(body, **how).status
    quiet_counts.flush()

    assert status == expected[0]
    assert added(before) == {"notifications.Refusal": 1}
    assert counted() == [(*expected, "127.0.0.1", 1)]
    assert not uses._waiting


@pytest.mark.parametrize(
    ("prepare", "expected"), [state[1:] for state in STATES], ids=[state[0] for state in STATES]
)
def test_what_we_cannot_take_now_leaves_a_number_and_nothing_else(
    door: Sender,
    quiet_counts: Counts,
    settings: Settings,
    monkeypatch: Patch,
    prepare: Prepare,
    expected: tuple[int, int, str],
) -> None:
    before = everything()
    prepare(settings, monkeypatch)

    status = door.post(GOOD).status
    quiet_counts.flush()

    assert status == expected[0]
    assert added(before) == {"notifications.Refusal": 1}
    assert counted() == [(*expected, "127.0.0.1", 1)]
    assert not uses._waiting


@pytest.mark.parametrize(
    ("body", "reason"), [row[1:3] for row in INVALID], ids=[row[0] for row in INVALID]
)
def test_invalid_content_of_a_known_sender_leaves_its_body_too(
    door: Sender, quiet_counts: Counts, body: bytes, reason: str
) -> None:
    before = everything()

    status = door.post(body).status
    quiet_counts.flush()

    assert status == 500
    assert added(before) == {"notifications.Refusal": 1, "notifications.Notification": 1}
    assert counted() == [(500, 6, "content", "127.0.0.1", 1)]
    row = Notification.objects.get()
    assert bytes(row.raw) == body.replace(PASSWORD.encode(), b"")
    assert (row.raw_sha256, row.raw_length) == (hashlib.sha256(body).hexdigest(), len(body))
    assert (row.verdict, row.reason, row.credential) == ("invalid", reason, USER)
    assert list(uses._waiting) != []  # and when its login was last used


def test_every_reason_that_the_door_can_give_is_among_these() -> None:
    tried = {case[3][2] for case in cases()} | {state[2][2] for state in STATES} | {"content"}

    # an address that does not exist is Django's, see test_answers.py
    assert tried == set(Refusal.Reason.values) - {"path"}
