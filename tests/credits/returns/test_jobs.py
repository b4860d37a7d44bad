"""Giving many credits back as a job: each at most once, whoever is killed or says stop."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs import work
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_jobs import resume_push, stop_push
from backoffice.outbox.models import Message
from credits import return_pages
from credits.models import CreditReturn, PersonCredit
from credits.return_jobs import begin_returns
from credits.returns import new_reference
from persons.models import School
from tests.credits.comparing.test_many import made_equal
from tests.credits.returns.conftest import give_back
from tests.factories import PersonCreditFactory, UserFactory
from tests.jobs.views.conftest import text_of
from tests.jobs.working import (
    applied,
    finish,
    kill_worker,
    let_another_finish,
    results,
    send,
    work_off,
)
from tests.outbox.test_processes import environment

Result = JobRow.Result
LIST = "/admin/credits/personcredit/"


def returns(pks: Any = None, token: str = "", **options: Any) -> Job:
    chosen = list(PersonCredit.objects.values_list("pk", flat=True)) if pks is None else pks
    return begin_returns(pks=chosen, token=token or new_reference(), reason="x", **options)


def given_back(sandbox: SandboxServer) -> list[int]:
    """How often each credit was given back."""
    return list(applied(sandbox, "returnCredit").values())


@pytest.mark.django_db
def test_each_credit_is_given_back_and_each_that_is_not_says_why(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    good = made_equal(school, gateway, 4)
    under_way = good.pop()
    give_back(under_way)
    never = PersonCreditFactory(school_person__school=school)
    job = work_off(returns(user=UserFactory()))
    sandbox.control.trouble("fault", "returnCredit", code=5948, times=1)
    put_off = Message.objects.filter(batch=None)
    assert put_off.update(due_at=timezone.now() + timedelta(hours=1)) == 1

    finish(job, gateway)

    assert (job.status, job.finished, job.total) == (Job.Status.DONE, 5, 5)
    by_key = dict(job.rows.values_list("key", "result"))
    assert by_key[f"person_credit:{under_way.pk}"] == Result.SKIPPED
    assert by_key[f"person_credit:{never.pk}"] == Result.HELD
    there = Counter(by_key[f"person_credit:{credit.pk}"] for credit in good)
    assert there == {Result.SENT: 2, Result.REFUSED: 1}
    assert given_back(sandbox) == [1, 1]
    answer = job.rows.get(result=Result.REFUSED).findings
    assert [(each["key"], abs(each["code"])) for each in answer] == [("answer", 5948)]
    assert CreditReturn.objects.get(person_credit=good[1]).created_by == job.created_by


@pytest.mark.django_db
def test_a_stopped_job_gives_nothing_more_back_and_goes_on_where_it_was(
    school: School, sandbox: SandboxServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    credits = made_equal(school, gateway, 8)
    job = returns()
    monkeypatch.setattr(work, "CHUNK", 5)
    work.work_on(job, seconds=0)  # one chunk
    send(2, gateway)

    assert stop_push(job=job)

    assert job.status == Job.Status.CANCELLED
    assert results(job) == {Result.SENT: 2, Result.TAKEN_BACK: 3, Result.PENDING: 3}
    assert send(9, gateway) == 0
    assert CreditReturn.objects.open().count() == 0
    taken_back = CreditReturn.objects.exclude(withdrawn_at=None).first()
    assert taken_back is not None
    latest = taken_back.credit.history.first()
    assert latest is not None
    assert "toch niet" in str(latest.history_change_reason)

    assert resume_push(job=job)
    assert job.finished == 2
    finish(job, gateway)

    assert (job.status, results(job)) == (Job.Status.DONE, {Result.SENT: 8})
    assert given_back(sandbox) == [1] * len(credits)
    assert CreditReturn.objects.filter(withdrawn_at=None).count() == len(credits)


@pytest.mark.django_db(transaction=True)
def test_after_a_killed_worker_each_credit_is_given_back_once(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    made_equal(school, gateway, 40)
    job = returns()
    sandbox.control.trouble("delay", "returnCredit", times=1000, seconds=0.1, after=True)
    env = environment(sandbox)

    for least in (6, 16):
        kill_worker(lambda least=least: len(given_back(sandbox)) >= least, env)  # type: ignore[misc]
    let_another_finish(env)

    assert results(job) == {Result.SENT: 40}
    assert given_back(sandbox) == [1] * 40
    assert PersonCredit.objects.filter(person_product_state="Returned").count() == 40


@pytest.mark.django_db
def test_two_jobs_of_the_same_credits_give_back_once(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    made_equal(school, gateway, 3)
    first, second = work_off(returns()), work_off(returns())

    finish(first, gateway)

    assert results(first) == {Result.SENT: 3}
    assert results(work_off(second)) == {Result.SKIPPED: 3}
    assert given_back(sandbox) == [1] * 3


@pytest.mark.django_db
def test_a_chunk_costs_the_same_queries_however_many_rows(
    django_assert_max_num_queries: Any,
) -> None:
    PersonCreditFactory.create_batch(60, registered_at=timezone.now(), push_state="in_sync")
    job = returns()

    with django_assert_max_num_queries(40):
        work.work_on(job, seconds=0)

    assert results(job) == {Result.QUEUED: 60}


@pytest.mark.django_db
def test_many_chosen_credits_become_a_job_once_and_few_do_not() -> None:
    client = Client(headers={"accept-language": "en"})
    client.cookies["django_language"] = "en"
    client.force_login(UserFactory(groups=["Accountmanager"]))
    PersonCreditFactory.create_batch(4, registered_at=timezone.now(), push_state="in_sync")
    pks = ",".join(map(str, PersonCredit.objects.values_list("pk", flat=True)))
    values = {"pks": pks, "reference": new_reference(), "reason": "stopt"}

    with patch.object(return_pages, "AT_ONCE", 4):
        first = client.post(f"{LIST}return/", values)
        again = client.post(f"{LIST}return/", values)

    job = Job.objects.get()
    page = reverse("admin:push_job", args=[job.pk])
    assert first["Location"] == again["Location"] == page
    assert (job.kind, job.total, CreditReturn.objects.count()) == ("return", 4, 0)
    Job.objects.update(status="done", summary={**job.summary, "counts": {"sent": 3, "held": 1}})
    assert "3 credits were given back, 1 was not: below stands why." in text_of(client.get(page))
    nobody = Client()
    nobody.force_login(UserFactory(groups=["Meelezer"]))
    assert nobody.get(page).status_code == 403
    with patch.object(return_pages, "AT_ONCE", 5):
        client.post(f"{LIST}return/", values | {"reference": new_reference()})
    assert (Job.objects.count(), CreditReturn.objects.count()) == (1, 4)
