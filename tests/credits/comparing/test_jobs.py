"""Comparing many chosen rows: each is asked once, and says what it came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs import work
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_jobs import create_bulk_job, resume_push, stop_push
from backoffice.outbox.models import Message
from credits.models import PersonCredit
from persons.comparing import compare_sample, compare_school, last_checked
from persons.models import Person, School
from persons.services import queue_person_push
from tests.credits.comparing.conftest import changed, removed
from tests.credits.comparing.test_many import made_equal
from tests.factories import PersonFactory
from tests.jobs.working import (
    asked,
    finish,
    kill_worker,
    let_another_finish,
    results,
    send,
    work_off,
)
from tests.outbox.test_processes import environment

Result = JobRow.Result


def fetch(rows: Any = None, **options: Any) -> Job:
    found = Person.objects.all() if rows is None else rows
    return create_bulk_job(kind=Job.Kind.FETCH, parts=[("person", found)], title="C", **options)


def by_key(job: Job) -> dict[str, str]:
    return dict(job.rows.values_list("key", "result"))


@pytest.mark.django_db
def test_each_row_tells_what_it_came_to(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    equal, differs, gone = (one.school_person.person for one in made_equal(school, gateway, 3))
    changed(sandbox, "person", differs.distributor_person_id, surname="Anders")
    removed(sandbox, "person", gone.distributor_person_id)
    own = PersonFactory()
    deleted = PersonFactory()
    job = create_bulk_job(
        kind=Job.Kind.FETCH,
        parts=[("person", Person.objects.all()), ("school", School.objects.all())],
        title="Compare",
    )
    subject = f"person:{deleted.pk}"
    deleted.delete()

    finish(job, gateway)

    assert (job.status, job.finished, job.total) == (Job.Status.DONE, 6, 6)
    assert by_key(job) == {
        f"person:{equal.pk}": Result.EQUAL,
        f"person:{differs.pk}": Result.DIFFERS,
        f"person:{gone.pk}": Result.DIFFERS,
        f"person:{own.pk}": Result.OWN,
        subject: Result.GONE,
        f"school:{school.pk}": Result.EQUAL,
    }
    told = job.rows.get(key=f"person:{differs.pk}")
    assert (told.values, [each["key"] for each in told.findings]) == (
        {"differences": 1},
        ["conflict"],
    )
    assert last_checked() == job.finished_at


@pytest.mark.django_db
def test_a_question_that_was_refused_keeps_the_answer_and_leaves_the_queue(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    made_equal(school, gateway, 2)
    job = work_off(fetch())
    sandbox.control.trouble("fault", "getPerson", code=3027)

    finish(job, gateway)

    assert results(job) == {Result.EQUAL: 1, Result.UNANSWERED: 1}
    (remark,) = job.rows.get(result=Result.UNANSWERED).findings
    assert (remark["key"], abs(remark["code"])) == ("answer", 3027)
    assert not Message.objects.open().exists()

    before = sum(asked(sandbox, "getPerson").values())
    assert resume_push(job=job)
    finish(job, gateway)

    assert (job.status, results(job)) == (Job.Status.DONE, {Result.EQUAL: 2})
    assert sum(asked(sandbox, "getPerson").values()) == before + 1
    assert not resume_push(job=job)


@pytest.mark.django_db
def test_a_person_whose_sending_is_put_off_does_not_keep_a_job_open(
    school: School, gateway: Gateway
) -> None:
    waiting, _other = (one.school_person.person for one in made_equal(school, gateway, 2))
    put_off = queue_person_push(person=waiting)
    Message.objects.filter(pk=put_off.pk).update(due_at=timezone.now() + timedelta(hours=1))

    job = finish(fetch(), gateway)

    assert job.status == Job.Status.DONE
    assert by_key(job)[f"person:{waiting.pk}"] == Result.UNANSWERED
    assert results(job)[Result.EQUAL] == 1
    assert list(Message.objects.open()) == [put_off]


@pytest.mark.django_db
def test_a_stopped_comparison_asks_nothing_more_and_goes_on_where_it_was(
    school: School, sandbox: SandboxServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_equal(school, gateway, 8)
    job = fetch()
    monkeypatch.setattr(work, "CHUNK", 5)
    work.work_on(job, seconds=0)  # one chunk
    send(2, gateway)
    before = sum(asked(sandbox, "getPerson").values())

    assert stop_push(job=job)

    assert job.status == Job.Status.CANCELLED
    assert results(job) == {Result.EQUAL: 2, Result.TAKEN_BACK: 3, Result.PENDING: 3}
    assert send(9, gateway) == 0
    assert sum(asked(sandbox, "getPerson").values()) == before

    assert resume_push(job=job)
    assert job.finished == 2
    finish(job, gateway)

    assert (job.status, results(job)) == (Job.Status.DONE, {Result.EQUAL: 8})
    assert set(asked(sandbox, "getPerson").values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_after_a_killed_worker_nothing_that_was_answered_is_asked_again(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    made_equal(school, gateway, 60)
    job = fetch()
    sandbox.control.trouble("delay", "getPerson", times=1000, seconds=0.1, after=True)
    env = environment(sandbox)

    kill_worker(lambda: Message.objects.filter(status="done").count() >= 8, env)
    answered = set(Message.objects.filter(status="done").values_list("label", flat=True))
    assert 8 <= len(answered) < 60
    let_another_finish(env)

    assert results(job) == {Result.EQUAL: 60}
    times = asked(sandbox, "getPerson")
    assert len(times) == 60
    assert {times[key] for key in times if key.partition(":")[2] in answered} == {1}


@pytest.mark.django_db
def test_a_school_and_a_sample_are_jobs_with_a_row_for_each(
    school: School, gateway: Gateway
) -> None:
    credits = made_equal(school, gateway, 5)
    there = {f"person:{one.school_person.person_id}" for one in credits}
    PersonFactory()

    whole = compare_school(organisation_id=school.organisation_id, title="School")
    samples = [compare_sample(sample=3, seed=seed, title="Sample") for seed in (7, 7, 8)]

    assert set(by_key(whole)) == {*there, f"school:{school.pk}"}
    first, second, other = (set(by_key(job)) for job in samples)
    assert first == second != other
    assert len(first) == 4  # and the school
    assert first < {*there, f"school:{school.pk}"}
    # Two that ask about the same person share the question.
    assert Message.objects.filter(operation="person.check").count() == 5
    for job in (whole, *samples):
        assert results(finish(job, gateway)) == {Result.EQUAL: job.total}


@pytest.mark.django_db
def test_stopping_one_of_two_comparisons_takes_nothing_from_the_other(
    school: School, gateway: Gateway
) -> None:
    credits = made_equal(school, gateway, 3)
    first, second = work_off(fetch()), work_off(fetch(persons(credits)))

    assert stop_push(job=first)

    assert results(finish(second, gateway)) == {Result.EQUAL: 1}


def persons(credits: list[PersonCredit]) -> Any:
    return Person.objects.filter(pk=credits[0].school_person.person_id)
