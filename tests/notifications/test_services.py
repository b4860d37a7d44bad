"""Letting unmatched ones go, and applying again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notifications.applying import MAX_TRIES, apply_waiting
from notifications.models import Notification
from notifications.services import apply_unmatched, replay
from persons.models import Person
from tests.factories import PersonFactory
from tests.notifications.rows import due_now, prematch, verdicts

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_knows_the_keys_releases_them_at_once() -> None:
    row, other = prematch("K-1"), prematch("K-2")
    apply_waiting()

    released = apply_unmatched(kind="prematchChanged", subjects=["K-1", "K-7"])

    assert released == 1
    assert verdicts(row, other) == ["waiting", "unmatched"]


def test_applying_again_after_mending_clears_the_old_error(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    for _ in range(MAX_TRIES):
        apply_waiting()
        due_now()
    broken()

    result = replay(notifications=Notification.objects.filter(pk=row.pk))

    row.refresh_from_db()
    assert dict(result.verdicts) == {"applied": 1}
    assert (row.verdict, row.reason, row.traceback, row.tries) == ("applied", "", "", 1)


def test_applying_all_again_applies_the_newest_of_each_subject() -> None:
    PersonFactory(distributor_person_id="K-1")
    PersonFactory(distributor_person_id="K-2")
    old = [prematch("K-1", str(number)) for number in range(10)]
    newest, other = prematch("K-1", "newest"), prematch("K-2", "other")
    Notification.objects.update(verdict="dead", tries=5)

    result = replay(notifications=Notification.objects.all())

    assert dict(result.verdicts) == {"applied": 2, "superseded": 10}
    assert verdicts(newest, other, *old) == ["applied", "applied", *["superseded"] * 10]
    assert set(Person.objects.values_list("user_id", flat=True)) == {"newest", "other"}


def test_applying_again_tells_what_really_happened() -> None:
    PersonFactory(distributor_person_id="K-1")
    prematch("K-1", "a")
    apply_waiting()
    Person.objects.update(user_id="")
    unknown, invalid = prematch("K-2"), prematch("K-1")
    Notification.objects.filter(pk=invalid.pk).update(verdict="invalid")

    result = replay(notifications=Notification.objects.all())

    assert dict(result.verdicts) == {"applied": 1, "unmatched": 1}
    assert result.skipped == 1
    assert verdicts(unknown, invalid) == ["unmatched", "invalid"]
    assert Person.objects.get().user_id == "a"


def test_what_was_blanked_is_skipped_and_keeps_what_became_of_it() -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1", "a")
    apply_waiting()
    Notification.objects.update(raw=b"", parsed={})

    result = replay(notifications=Notification.objects.all())

    assert dict(result.verdicts) == {}
    assert result.skipped == 1
    assert verdicts(row) == ["applied"]
    assert Person.objects.get().user_id == "a"


def test_a_blanked_one_does_not_supersede_an_older_one_that_can_be_applied() -> None:
    PersonFactory(distributor_person_id="K-1")
    older, blanked = prematch("K-1", "a"), prematch("K-1", "b")
    Notification.objects.filter(pk=blanked.pk).update(raw=b"", parsed={}, verdict="dead")

    replay(notifications=Notification.objects.all())

    assert verdicts(older, blanked) == ["applied", "dead"]
