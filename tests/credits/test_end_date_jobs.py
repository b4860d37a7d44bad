"""Another end date for many credits as a job: each changes once and goes out once."""

from __future__ import annotations

from collections import Counter
from datetime import date
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
from backoffice.outbox.models import Message, PushState
from credits import end_date_pages
from credits.end_date_jobs import begin_end_dates
from credits.models import PersonCredit, SchoolCredit
from persons.models import School
from tests.credits.comparing.test_many import made_equal
from tests.credits.returns.conftest import school
from tests.factories import (
    PersonCreditFactory,
    SchoolCreditFactory,
    UserFactory,
)
from tests.jobs.views.conftest import text_of
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

__all__ = ["gateway", "sandbox", "school"]

Result = JobRow.Result
LIST = "/admin/credits/personcredit/"
NEW_END = date(2027, 12, 31)


def end_dates(model: Any = PersonCredit, **options: Any) -> Job:
    pks = list(model.objects.values_list("pk", flat=True))
    return begin_end_dates(model=model, pks=pks, new_end=NEW_END, reason="verlengd", **options)


def updates(sandbox: SandboxServer) -> list[int]:
    """How often each credit was changed there."""
    return list(applied(sandbox, "updatePersonCredit").values())


@pytest.mark.django_db
def test_each_credit_gets_the_date_and_each_that_does_not_says_why(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    good = made_equal(school, gateway, 3)
    now = timezone.now()
    here: dict[str, Any] = {"school_person__school": school}
    there = {**here, "push_state": "in_sync", "registered_at": now}
    others = {
        Result.SKIPPED: PersonCreditFactory(person_product_state="Returned", **there),
        Result.CONFLICT: PersonCreditFactory(push_state="conflict", **here),
        Result.HELD: PersonCreditFactory(credit_start_date=date(2028, 1, 1), **there),
        Result.CHANGED: PersonCreditFactory(**here),
    }
    deleted = PersonCreditFactory(**here)
    job = end_dates(user=UserFactory())
    key = f"person_credit:{deleted.pk}"
    deleted.delete()

    finish(job, gateway)

    by_key = dict(job.rows.values_list("key", "result"))
    assert job.status == Job.Status.DONE
    assert by_key == {
        **{f"person_credit:{one.pk}": Result.SENT for one in good},
        **{f"person_credit:{one.pk}": result for result, one in others.items()},
        key: Result.GONE,
    }
    assert updates(sandbox) == [1, 1, 1]
    assert PersonCredit.objects.filter(credit_end_date=NEW_END).count() == 4
    row = job.rows.get(key=f"person_credit:{good[0].pk}")
    assert (row.before, row.after) == (
        {"credit_end_date": "2027-07-31"},
        {"credit_end_date": "2027-12-31"},
    )
    latest = good[0].history.first()
    assert latest is not None
    assert "verlengd" in str(latest.history_change_reason)
    assert latest.history_user == job.created_by


@pytest.mark.django_db
def test_a_stopped_job_changes_and_sends_nothing_more_and_goes_on_where_it_was(
    school: School, sandbox: SandboxServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_equal(school, gateway, 8)
    job = end_dates()
    monkeypatch.setattr(work, "CHUNK", 5)
    work.work_on(job, seconds=0)  # one chunk
    send(2, gateway)

    assert stop_push(job=job)

    assert job.status == Job.Status.CANCELLED
    assert results(job) == {Result.SENT: 2, Result.TAKEN_BACK: 3, Result.PENDING: 3}
    assert send(9, gateway) == 0
    states = PersonCredit.objects.values_list("push_state", "credit_end_date")
    assert Counter(states) == {
        (PushState.IN_SYNC, NEW_END): 2,
        (PushState.CHANGED, NEW_END): 3,
        (PushState.IN_SYNC, date(2027, 7, 31)): 3,
    }

    assert resume_push(job=job)
    assert job.finished == 2
    finish(job, gateway)

    assert (job.status, results(job)) == (Job.Status.DONE, {Result.SENT: 8})
    assert updates(sandbox) == [1] * 8
    assert {credit.history.count() for credit in PersonCredit.objects.all()} == {2}


@pytest.mark.django_db(transaction=True)
def test_after_a_killed_worker_each_credit_changes_and_goes_out_once(
    school: School, sandbox: SandboxServer, gateway: Gateway
) -> None:
    made_equal(school, gateway, 40)
    job = end_dates()
    sandbox.control.trouble("delay", "updatePersonCredit", times=1000, seconds=0.1, after=True)
    env = environment(sandbox)

    kill_worker(lambda: len(updates(sandbox)) >= 8, env)
    let_another_finish(env)

    assert results(job) == {Result.SENT: 40}
    assert updates(sandbox) == [1] * 40
    assert {credit.history.count() for credit in PersonCredit.objects.all()} == {2}


@pytest.mark.django_db
def test_a_worker_killed_in_a_chunk_leaves_whole_chunks(
    school: School, sandbox: SandboxServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_equal(school, gateway, 5)
    monkeypatch.setattr(work, "CHUNK", 3)
    job = end_dates()
    die_in_second_chunk(job, monkeypatch)
    assert PersonCredit.objects.filter(credit_end_date=NEW_END).count() == 3
    assert Message.objects.count() == 3

    finish(job, gateway)

    assert results(job) == {Result.SENT: 5}
    assert updates(sandbox) == [1] * 5
    assert {credit.history.count() for credit in PersonCredit.objects.all()} == {2}


@pytest.mark.django_db
def test_credits_of_schools_change_as_well(django_assert_max_num_queries: Any) -> None:
    SchoolCreditFactory.create_batch(60, push_state="in_sync", registered_at=timezone.now())
    job = end_dates(SchoolCredit)

    with django_assert_max_num_queries(40):
        work.work_on(job, seconds=0)

    assert results(job) == {Result.QUEUED: 60}
    assert SchoolCredit.objects.filter(credit_end_date=NEW_END, push_state="queued").count() == 60


@pytest.mark.django_db
def test_many_chosen_credits_become_a_job_whose_page_tells_old_and_new() -> None:
    client = Client()
    client.cookies["django_language"] = "en"
    client.force_login(UserFactory(groups=["Accountmanager"]))
    PersonCreditFactory.create_batch(3)
    PersonCreditFactory(credit_end_date=NEW_END)
    pks = ",".join(map(str, PersonCredit.objects.values_list("pk", flat=True)))
    values = {"pks": pks, "new_end": "2027-12-31", "reason": "verlengd", "_confirm": "1"}

    with patch.object(end_date_pages, "AT_ONCE", 4):
        answer = client.post(f"{LIST}end-date/", values)
    job = Job.objects.get()
    assert answer["Location"] == reverse("admin:push_job", args=[job.pk])
    assert not PersonCredit.objects.filter(credit_end_date=NEW_END).count() > 1
    work_off(job)

    page = text_of(client.get(answer["Location"], {"result": "all"}))
    assert "3 credits have the new end date; nothing stayed behind." in page
    assert "31 July 2027 → 31 December 2027" in page
    assert "ends on this day already" in page.lower()
    nobody = Client()
    nobody.force_login(UserFactory(groups=["Meelezer"]))
    assert nobody.get(answer["Location"]).status_code == 403
