"""The worker prunes by itself, once a day, and one worker only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from backoffice.desk import pruning
from backoffice.desk.freshness import Word
from backoffice.desk.home import home_page
from backoffice.desk.pruning import Pruned, prune, prune_daily
from backoffice.outbox.models import Attempt, Message, ServiceState
from backoffice.outbox.registry import background
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def look_again(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As if ten minutes went by, or as another worker would see it."""
    looked: dict[str, float] = {}
    monkeypatch.setattr(pruning, "_looked", looked)
    return looked.clear


def old_call(number: int = 1) -> Attempt:
    at = timezone.now() - timedelta(days=settings.BACKOFFICE_RETENTION_DAYS + 1)
    subject = f"person:{number}"
    message = Message.objects.create(
        operation="person.push", subject=subject, chain=subject, due_at=at
    )
    return Attempt.objects.create(
        message=message, fence=1, started_at=at, calls=[{"request": "<Sanne/>"}]
    )


def calls_left() -> int:
    return Attempt.objects.exclude(calls=[]).count()


def test_the_worker_knows_this_work() -> None:
    assert prune_daily in background


def test_the_first_look_prunes_and_says_when() -> None:
    old_call()

    prune_daily()

    assert calls_left() == 0
    assert ServiceState.objects.get(service="prune").beat_at is not None


@pytest.mark.parametrize("window", [1, 2, 1000])
def test_everything_old_is_found_in_whatever_windows(
    window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [old_call(number) for number in range(7)]
    calls[3].delete()  # a number that is free
    Attempt.objects.filter(pk=calls[2].pk).update(started_at=timezone.now())
    monkeypatch.setattr(pruning, "WINDOW", window)
    monkeypatch.setattr(pruning, "BATCH", 2)

    pruned = prune(days=settings.BACKOFFICE_RETENTION_DAYS, now=timezone.now())

    assert pruned.calls == 5
    assert list(Attempt.objects.exclude(calls=[]).values_list("pk", flat=True)) == [calls[2].pk]


def test_within_a_day_nobody_prunes_again(look_again: Callable[[], None]) -> None:
    prune_daily()
    old_call()

    look_again()
    prune_daily()

    assert calls_left() == 1


def test_after_a_day_it_is_done_again(look_again: Callable[[], None]) -> None:
    prune_daily()
    old_call()
    ServiceState.objects.update(beat_at=timezone.now() - timedelta(hours=24, seconds=1))

    look_again()
    prune_daily()

    assert calls_left() == 0


def test_the_database_is_asked_every_ten_minutes_at_most(
    django_assert_num_queries: Callable[[int], object],
) -> None:
    prune_daily()

    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        prune_daily()


def test_of_two_workers_that_look_at_once_one_prunes(
    monkeypatch: pytest.MonkeyPatch, look_again: Callable[[], None]
) -> None:
    ran: list[str] = []

    def slow(**kwargs: object) -> Pruned:
        ran.append("prune")
        look_again()
        prune_daily()  # the other one looks while this one is busy
        return Pruned(0, 0, 0, 0)

    monkeypatch.setattr(pruning, "prune", slow)

    prune_daily()

    assert ran == ["prune"]


def test_what_failed_is_tried_again_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch, look_again: Callable[[], None]
) -> None:
    def broken(**kwargs: object) -> Pruned:
        raise LookupError

    old_call()
    with monkeypatch.context() as patch:
        patch.setattr(pruning, "prune", broken)
        with pytest.raises(LookupError):
            prune_daily()

    look_again()
    prune_daily()

    assert calls_left() == 0


def test_more_than_one_batch_is_pruned_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    for number in range(5):
        old_call(number)

    pruned = prune(days=settings.BACKOFFICE_RETENTION_DAYS, now=timezone.now())

    assert pruned == Pruned(calls=5, notifications=0, import_rows=0, refusals=0)
    assert calls_left() == 0


def test_the_workbench_does_not_take_pruning_for_sending() -> None:
    prune_daily()

    [sending, *_] = home_page(UserFactory()).checks

    assert sending.word == Word.UNKNOWN
