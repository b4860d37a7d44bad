"""A bulk push: every row once, whoever is killed, stops, goes on or asks for the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs import push_jobs, push_work, work
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_jobs import create_push_job, resume_push, stop_push
from backoffice.jobs.work import continue_jobs, work_on
from backoffice.outbox import again
from backoffice.outbox.again import take_back_batch
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit
from persons.models import Person
from persons.services import queue_person_push
from tests.factories import PersonCreditFactory, PersonFactory
from tests.jobs.working import (
    applied,
    die_in_second_chunk,
    finish,
    kill_worker,
    let_another_finish,
    results,
    send,
    work_off,
)
from tests.outbox.conftest import gateway, sandbox
from tests.outbox.test_processes import environment

__all__ = ["gateway", "sandbox"]

Result = JobRow.Result


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "CHUNK", 3)


def push(rows: Any = None, kind: str = "person", **options: Any) -> Job:
    found = Person.objects.all() if rows is None else rows
    return create_push_job(parts=[(kind, found)], title="Send persons", **options)


@pytest.mark.django_db
def test_every_row_is_sent_and_each_that_is_not_says_why(
    sandbox: SandboxServer, gateway: Gateway, small_chunks: None
) -> None:
    PersonFactory.create_batch(6)
    equal = PersonFactory(push_state=PushState.IN_SYNC, registered_at=timezone.now())
    unknown_place = PersonFactory(postal_code="9999 XX")  # of the right form: only Edu-iX knows
    malformed = PersonFactory(gender="?")
    differs = PersonFactory(push_state=PushState.CONFLICT)
    for_ever = PersonFactory(distributor_person_id="K" * 21)
    deleted = PersonFactory()
    job = push()
    deleted.delete()

    finish(job, gateway)

    assert job.status == Job.Status.DONE
    assert job.finished == job.total == 12
    by_key = dict(job.rows.values_list("key", "result"))
    others = (equal, unknown_place, malformed, differs, for_ever)
    assert [by_key[f"person:{row.pk}"] for row in others] == [
        Result.SKIPPED, Result.REFUSED, Result.REFUSED, Result.CONFLICT, Result.HELD,
    ]  # fmt: skip
    assert results(job)[Result.SENT] == 6
    assert results(job)[Result.GONE] == 1
    assert set(applied(sandbox).values()) == {1}
    assert len(applied(sandbox)) == 6
    answer = job.rows.get(key=f"person:{unknown_place.pk}").findings
    assert [(each["key"], abs(each["code"])) for each in answer] == [("answer", 4967)]
    assert {each.priority for each in Message.objects.all()} == {Message.Priority.BULK}


@pytest.mark.django_db
def test_what_a_colleague_has_looked_at_goes_for_ever(gateway: Gateway) -> None:
    PersonFactory(distributor_person_id="K" * 21)

    assert results(finish(push(confirmed=True), gateway)) == {Result.SENT: 1}


@pytest.mark.django_db
def test_two_jobs_of_the_same_rows_send_once(sandbox: SandboxServer, gateway: Gateway) -> None:
    PersonFactory.create_batch(3)
    first, second = push(), push()
    work_off(first)
    work_off(second)

    send(9, gateway)

    for job in (work_off(first), work_off(second)):
        assert (job.status, results(job)) == (Job.Status.DONE, {Result.SENT: 3})
    assert set(applied(sandbox).values()) == {1}
    assert Message.objects.count() == 3


@pytest.fixture(params=["all at once", "one a statement"])
def lots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows a statement may change."""
    if request.param == "one a statement":
        monkeypatch.setattr(again, "LOT", 1)
        monkeypatch.setattr(push_work, "LOT", 1)
        monkeypatch.setattr(work, "LOT", 1)


@pytest.mark.django_db
def test_stopping_one_of_two_jobs_takes_nothing_from_the_other(
    sandbox: SandboxServer, gateway: Gateway
) -> None:
    both, alone, by_hand = PersonFactory.create_batch(3)
    first = work_off(push())
    second = work_off(push(Person.objects.filter(pk=both.pk)))
    queue_person_push(person=by_hand)

    assert stop_push(job=first)
    send(9, gateway)

    alone.refresh_from_db()
    assert alone.push_state == PushState.LOCAL_ONLY
    assert results(work_off(second)) == {Result.SENT: 1}
    assert len(applied(sandbox)) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("lots")
def test_a_stopped_job_goes_on_where_it_was(
    sandbox: SandboxServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    PersonFactory.create_batch(8)
    job = push()
    monkeypatch.setattr(work, "CHUNK", 5)
    work_on(job, seconds=0)  # one chunk
    send(2, gateway)

    assert stop_push(job=job)

    assert job.status == Job.Status.CANCELLED
    assert results(job) == {Result.SENT: 2, Result.TAKEN_BACK: 3, Result.PENDING: 3}
    assert send(9, gateway) == 0
    assert Counter(Person.objects.values_list("push_state", flat=True)) == {
        PushState.IN_SYNC: 2, PushState.LOCAL_ONLY: 6,
    }  # fmt: skip
    assert not stop_push(job=job)

    assert resume_push(job=job)
    assert job.finished == 2  # the bar begins where it was
    finish(job, gateway)

    assert (job.status, results(job)) == (Job.Status.DONE, {Result.SENT: 8})
    assert set(applied(sandbox).values()) == {1}
    assert not resume_push(job=job)


@pytest.mark.django_db
@pytest.mark.usefixtures("lots")
def test_stopping_takes_back_what_goes_before_the_rows_as_well(gateway: Gateway) -> None:
    credits = PersonCreditFactory.create_batch(2)
    kept = PersonCreditFactory(school_person=credits[0].school_person)
    job = work_off(push(PersonCredit.objects.exclude(pk=kept.pk), "person_credit"))
    other = work_off(push(PersonCredit.objects.filter(pk=kept.pk), "person_credit"))

    stop_push(job=job)

    left = list(Message.objects.open().order_by("position").values_list("operation", "chain"))
    chain = f"person:{kept.school_person.person_id}"
    assert left == [
        ("person.push", chain), ("schoolperson.push", chain), ("person_credit.push", chain),
    ]  # fmt: skip
    assert results(other) == {Result.QUEUED: 1}
    assert not Message.objects.open().filter(due_at__gt=timezone.now()).exists()  # none is held
    assert PersonCredit.objects.get(pk=credits[0].pk).status == "not_sent"


@pytest.mark.django_db
def test_nothing_goes_out_without_what_was_taken_back_before_it(gateway: Gateway) -> None:
    credits = PersonCreditFactory.create_batch(3)
    job = work_off(push(PersonCredit.objects.all(), "person_credit"))

    for left in (2, 1, 0):
        take_back_batch(batch=job.pk, limit=1)

        chains = Counter(Message.objects.open().values_list("chain", flat=True))
        assert list(chains.values()) == [3] * left  # person, place and credit, or nothing
    assert len(credits) == 3


@pytest.mark.django_db
@pytest.mark.usefixtures("lots")
def test_stopping_holds_at_once_what_is_still_to_be_taken_back(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    PersonFactory.create_batch(3)
    job = work_off(push())
    monkeypatch.setattr(push_jobs, "STOP_SECONDS", 0.1)

    with monkeypatch.context() as patch:
        patch.setattr(push_work, "take_back_batch", lambda **_options: 1)  # there is so much
        assert stop_push(job=job)

        assert job.status == Job.Status.STOPPING
        assert Message.objects.open().count() == 3
        assert send(9, gateway) == 0
    assert results(work_off(job)) == {Result.TAKEN_BACK: 3}


@pytest.mark.django_db(transaction=True)
def test_it_is_stopped_whatever_becomes_of_the_rest_of_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PersonFactory.create_batch(3)
    job = work_off(push())

    def too_slow(**_options: Any) -> None:
        raise OperationalError("canceling statement due to statement timeout")

    with monkeypatch.context() as patch:
        patch.setattr(push_work, "hold_batch", too_slow)
        with pytest.raises(OperationalError):
            stop_push(job=job)

    assert results(work_off(job)) == {Result.TAKEN_BACK: 3}
    assert job.status == Job.Status.CANCELLED


@pytest.mark.django_db
@pytest.mark.usefixtures("lots")
def test_a_selection_whose_reader_was_killed_is_dropped_after_some_hours() -> None:
    PersonFactory.create_batch(3)
    killed, at_it = push(), push()
    Job.objects.update(status=Job.Status.READING)
    Job.objects.filter(pk=killed.pk).update(created_at=timezone.now() - work.READING_TIME)

    continue_jobs()

    assert list(Job.objects.values_list("pk", "status")) == [(at_it.pk, Job.Status.READING)]
    assert JobRow.objects.count() == 3
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_status_that_is_written_out_finds_its_index(sqlite: None) -> None:
    """SQLite scans the whole queue for each message otherwise."""
    plan = Message.objects.due(timezone.now()).order_by("priority", "position")[:1].explain()

    assert "USING INDEX outbox_due" in plan
    assert "USING INDEX outbox_chain_open" in plan


@pytest.mark.django_db
def test_rows_behind_a_refused_person_name_the_cause(gateway: Gateway) -> None:
    credit = PersonCreditFactory(school_person__person__postal_code="9999 XX")

    job = finish(push(PersonCredit.objects.all(), "person_credit"), gateway)

    assert job.status == Job.Status.DONE
    assert results(job) == {Result.WAITING: 1}
    (remark,) = job.rows.get().findings
    person = credit.school_person.person
    assert (remark["key"], abs(remark["code"])) == ("waiting", 4967)
    assert remark["params"]["label"] == person.distributor_person_id


@pytest.mark.django_db
def test_a_worker_killed_in_a_chunk_leaves_whole_chunks(
    sandbox: SandboxServer,
    gateway: Gateway,
    small_chunks: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PersonFactory.create_batch(8)
    job = push()
    die_in_second_chunk(job, monkeypatch)
    assert Message.objects.count() == 3

    finish(job, gateway)

    assert results(job) == {Result.SENT: 8}
    assert set(applied(sandbox).values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_process_is_followed_by_another_that_does_nothing_twice(
    sandbox: SandboxServer,
) -> None:
    PersonFactory.create_batch(60)
    job = push()
    sandbox.control.trouble("delay", "createPerson", times=1000, seconds=0.1, after=True)
    env = environment(sandbox)

    kill_worker(lambda: len(sandbox.control.ledger(applied=True)) >= 8, env)
    let_another_finish(env)

    assert results(job) == {Result.SENT: 60}
    assert len(applied(sandbox)) == 60
    assert set(applied(sandbox).values()) == {1}
    assert Person.objects.filter(push_state=PushState.IN_SYNC).count() == 60


@pytest.mark.django_db
def test_a_large_selection_is_stored_in_lots_of_two_queries(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    PersonFactory.create_batch(50)
    monkeypatch.setattr(push_jobs, "STORED_TOGETHER", 20)

    with django_assert_num_queries(4 + 3 * 2):  # the job, its lots, no lot any more, and its end
        job = push()

    assert list(job.rows.values_list("number", flat=True)) == list(range(1, 51))
    assert job.total == 50


@pytest.mark.django_db
def test_a_chunk_costs_the_same_queries_however_many_rows(
    django_assert_max_num_queries: Any,
) -> None:
    PersonFactory.create_batch(60)
    job = push()

    with django_assert_max_num_queries(40):
        work_on(job, seconds=0)

    assert results(job) == {Result.QUEUED: 60}


@pytest.mark.django_db
def test_the_worker_of_the_site_goes_on_with_pushes(gateway: Gateway) -> None:
    PersonFactory.create_batch(2)
    job = push()

    assert continue_jobs() == 2
    drain_once(gateway=gateway)  # which looks at what became of them
    Job.objects.update(lease_until=None)
    continue_jobs()

    assert Job.objects.get(pk=job.pk).status == Job.Status.DONE
