"""Every try of a notification is a row: written cheaply, shown calmly, gone in time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.desk.pruning import prune
from notifications import applying, taking_over
from notifications.applying import LEASE, MAX_TRIES, apply_waiting
from notifications.history import History, Who
from notifications.models import Notification, Try
from notifications.services import replay
from notifications.tries import try_lines
from persons.models import Person
from tests.factories import PersonCreditFactory, PersonFactory, UserFactory
from tests.notifications.rows import answered, due_now, prematch, specification, verdicts

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/notification/"


def told(*rows: Notification) -> list[tuple[int, str, str, str]]:
    """Number, by whom, verdict, reason; oldest first."""
    tries = Try.objects.filter(notification__in=rows).order_by("pk")
    return list(tries.values_list("number", "by", "verdict", "reason"))


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(UserFactory(groups=list(groups), first_name="Jan", last_name="Bakker"))
    return client


def page(client: Client, row: Notification) -> str:
    response = client.get(f"{LIST}{row.pk}/change/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_broken_handler_leaves_five_tries_and_a_replay_the_real_result(
    broken: Callable[[], None],
) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1", "elo")
    for _ in range(MAX_TRIES):
        apply_waiting()
        due_now()
    before = told(row)
    colleague = UserFactory()

    broken()
    result = replay(notifications=Notification.objects.all(), who=Who(Try.By.COLLEAGUE, colleague))

    assert [number for number, *_rest in before] == [1, 2, 3, 4, 5]
    assert [verdict for _n, _by, verdict, _r in before] == [*["failed"] * 4, "dead"]
    assert dict(result.verdicts) == {"applied": 1}
    row.refresh_from_db()
    assert (row.verdict, row.tries, row.traceback) == ("applied", 1, "")
    assert told(row)[5:] == [(1, "colleague", "applied", "")]
    last = Try.objects.order_by("-pk")[0]
    assert last.user == colleague
    failed = Try.objects.filter(verdict="failed")
    assert all("the handler is broken" in one.traceback for one in failed)
    assert all(one.next_at is not None and one.next_at > one.tried_at for one in failed)


def test_a_batch_is_written_down_in_one_statement() -> None:
    for number in range(30):
        PersonFactory(distributor_person_id=f"K-{number}")
        prematch(f"K-{number}")

    with CaptureQueriesContext(connection) as queries:
        apply_waiting()

    written = [one for one in queries if one["sql"].startswith('INSERT INTO "notifications_try"')]
    assert len(written) == 1
    assert Try.objects.filter(verdict="applied", number=1, by="worker").count() == 30


def test_what_is_put_off_again_for_the_same_reason_is_told_once() -> None:
    credit = PersonCreditFactory(
        distributor_person_credit_id="C-1",
        push_state="in_sync",
        person_product_state="Returned",
        registered_at=timezone.now(),
    )
    row = specification("C-1", None)
    for _ in range(4):
        apply_waiting()
        due_now()

    answered("Active", "Specified")
    apply_waiting()

    credit.refresh_from_db()
    assert told(row) == [(1, "worker", "waiting", "asked"), (1, "worker", "applied", "")]


def test_those_that_a_newer_one_replaces_are_told_too() -> None:
    PersonFactory(distributor_person_id="K-1")
    old, new = prematch("K-1", "a"), prematch("K-1", "b")
    Notification.objects.update(verdict="dead", tries=5)

    replay(notifications=Notification.objects.all())

    assert told(old) == [(0, "command", "superseded", "newer_replayed")]
    assert told(new) == [(1, "command", "applied", "")]


def test_what_went_before_is_written_before_one_that_may_stop_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PersonFactory(distributor_person_id="K-1")
    PersonFactory(distributor_person_id="K-2")
    fine, poison = prematch("K-1"), prematch("K-2")
    Notification.objects.filter(pk=poison.pk).update(tries=1)
    original = taking_over.take_over

    class Killed(BaseException):
        pass

    def kill(**arguments: Any) -> Any:
        if arguments["notification"].pk == poison.pk:
            assert told(fine) == [(1, "worker", "applied", "")]
            raise Killed
        return original(**arguments)

    monkeypatch.setattr(applying, "take_over", kill)
    with pytest.raises(Killed):
        apply_waiting()

    assert told(fine, poison) == [(1, "worker", "applied", "")]


def test_a_try_that_nobody_lived_to_tell_is_missed() -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    Notification.objects.take_new(now=timezone.now(), lease=LEASE, limit=10)  # and killed
    for _ in range(MAX_TRIES):
        due_now()
        Notification.objects.take_again(now=timezone.now(), lease=LEASE)
    due_now()
    apply_waiting()

    lines = try_lines(row, with_details=False)

    assert told(row) == [(MAX_TRIES + 2, "worker", "dead", "stopped_the_worker")]
    assert [line.at is None for line in lines] == [False, True]
    assert str(MAX_TRIES + 1) in lines[1].reason


def test_a_worker_that_lost_its_claim_writes_nothing(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    asleep = Notification.objects.take_new(now=timezone.now(), lease=LEASE, limit=1)[0]
    broken()
    due_now()
    apply_waiting()
    history = History()

    applying._apply(asleep, history)
    history.write()

    assert told(row) == [(2, "worker", "applied", "")]


@pytest.mark.django_db(transaction=True)  # a key is looked at when the transaction ends
def test_one_that_was_deleted_meanwhile_does_not_cost_the_others_their_history() -> None:
    gone, kept = prematch("K-1"), prematch("K-2")
    history = History()
    for row in (gone, kept):
        history.note(row.pk, number=1, verdict="unmatched", reason="")
    gone.delete()

    history.write()

    assert [one.notification_id for one in Try.objects.all()] == [kept.pk]


def test_tries_go_with_the_days_that_we_may_keep_them() -> None:
    now = timezone.now()
    row = prematch("K-1")
    history = History()
    for number in range(1, 1203):
        history.note(row.pk, number=number, verdict="failed", reason="broke", traceback="names")
    history.write()
    young = Try.objects.order_by("-pk").values_list("pk", flat=True)[:2]
    Try.objects.exclude(pk__in=list(young)).update(tried_at=now - timedelta(days=31))

    prune(days=30, now=now)

    assert sorted(Try.objects.values_list("number", flat=True)) == [1201, 1202]


# --- on the screen ------------------------------------------------------------------------------


def test_the_page_shows_who_tried_and_what_became_of_it(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    for _ in range(2):
        apply_waiting()
        due_now()
    broken()
    keeper = signed_in("Beheerder")

    keeper.post(LIST, {"action": "apply_again", "_selected_action": [row.pk], "index": "0"})

    text = page(keeper, row)
    table = text[text.index('id="tries"') :]
    assert table.index("Jan Bakker") < table.index("the handler is broken")
    assert len(re.findall(r"<tr>\s*<td", table)) == 3
    assert Person.objects.get().user_id == "elo-1"
    assert verdicts(row) == ["applied"]


def test_only_who_may_apply_again_sees_technical_details(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    apply_waiting()

    assert "the handler is broken" in page(signed_in("Beheerder"), row)
    for_readers = page(signed_in("Meelezer"), row)
    assert "the handler is broken" not in for_readers
    assert "Traceback" not in for_readers
    assert len(re.findall(r"<tr>\s*<td", for_readers)) == 1


def test_the_page_takes_as_many_queries_however_often_was_tried(
    broken: Callable[[], None],
) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    apply_waiting()
    keeper = signed_in("Beheerder")
    page(keeper, row)
    with CaptureQueriesContext(connection) as few:
        page(keeper, row)
    history = History(Who(Try.By.COLLEAGUE, UserFactory()))
    for number in range(2, 90):
        history.note(row.pk, number=number, verdict="failed", reason="broke")
    history.write()

    with CaptureQueriesContext(connection) as many:
        text = page(keeper, row)

    assert len(many) == len(few)
    assert len(re.findall(r"<tr>\s*<td", text)) == 50
