"""A job that is killed goes on behind its last finished chunk, and nothing is done twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from backoffice.jobs import work
from backoffice.jobs.models import Job
from backoffice.jobs.services import (
    cancel_import,
    create_import_job,
    go_on,
    run_import,
    send_import,
)
from backoffice.jobs.work import continue_jobs, work_on
from backoffice.outbox.models import Message
from persons.imports import PersonImporter
from persons.models import Person, SchoolPerson
from tests.factories import PersonFactory

from .given import BAKEN, import_of, pupil, results, school, table

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What a worker that is killed looks like from inside: no handler catches it."""


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "CHUNK", 3)


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """Break off in the middle of the n-th chunk, after it has written its rows."""
    original = PersonImporter.apply
    calls = 0

    def apply(self: Any, rows: Any, **options: Any) -> None:
        nonlocal calls
        calls += 1
        original(self, rows, **options)
        if calls == number:
            raise error

    monkeypatch.setattr(PersonImporter, "apply", apply)


@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_import_killed_in_a_chunk_goes_on_without_doubles(
    at: int, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    school()
    job = import_of([pupil(number) for number in range(10)])
    with monkeypatch.context() as patch:
        kill_at(patch, at, Killed())
        with pytest.raises(Killed):
            run_import(job=job)
    assert Person.objects.count() == (at - 1) * 3  # whole chunks, never half of one

    job = run_import(job=Job.objects.get(pk=job.pk))

    assert job.status == Job.Status.DONE
    assert job.finished == 10
    assert Person.objects.count() == SchoolPerson.objects.count() == 10
    assert set(results(job).values()) == {"created"}


def test_a_file_that_is_deleted_while_its_job_runs_is_not_missed(
    small_chunks: None, tmp_path: Path
) -> None:
    school()
    path = tmp_path / "persons.csv"
    path.write_bytes(table([pupil(number) for number in range(10)]))
    with path.open("rb") as stream:
        job = create_import_job(
            name=path.name, stream=stream, wait=False, told=lambda *_: path.unlink(missing_ok=True)
        )
    assert not path.exists()

    while continue_jobs():
        continue
    run_import(job=Job.objects.get(pk=job.pk))

    assert Job.objects.get(pk=job.pk).status == Job.Status.DONE
    assert Person.objects.count() == 10


def test_the_worker_of_the_site_takes_up_what_was_killed(
    small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    school()
    job = import_of([pupil(number) for number in range(10)])
    with monkeypatch.context() as patch:
        kill_at(patch, 2, Killed())
        with pytest.raises(Killed):
            run_import(job=job)

    while continue_jobs():
        pass

    job.refresh_from_db()
    assert job.status == Job.Status.DONE
    assert Person.objects.count() == 10


def test_a_job_that_another_worker_holds_is_left_alone() -> None:
    school()
    job = import_of([pupil(1)])
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING, lease_until=timezone.now() + timedelta(seconds=30)
    )

    assert work_on(job) == 0
    assert continue_jobs() == 0
    assert Person.objects.count() == 0


def test_a_lease_that_ran_out_is_taken_over() -> None:
    school()
    job = import_of([pupil(1)])
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING, lease_until=timezone.now() - timedelta(seconds=1)
    )

    assert continue_jobs() == 1
    assert Person.objects.count() == 1


def test_a_worker_whose_job_was_taken_over_writes_nothing_more(
    small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    school()
    job = import_of([pupil(number) for number in range(6)])
    original = PersonImporter.apply

    def apply(self: Any, rows: Any, **options: Any) -> None:
        original(self, rows, **options)
        Job.objects.filter(pk=job.pk).update(fence=99)  # somebody else has claimed it meanwhile

    monkeypatch.setattr(PersonImporter, "apply", apply)
    run_import(job=job)

    assert Person.objects.count() == 0
    assert Job.objects.get(pk=job.pk).position == 0


def test_stopping_leaves_what_is_in_and_does_no_more(
    small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    school()
    job = import_of([pupil(number) for number in range(9)])
    original = work._chunk

    def chunk(at: Job, importer: Any) -> int:
        done = original(at, importer)
        cancel_import(job=Job.objects.get(pk=job.pk))
        return done

    monkeypatch.setattr(work, "_chunk", chunk)
    job = run_import(job=job)

    assert job.status == Job.Status.CANCELLED
    assert Person.objects.count() == 3


def test_a_key_that_appears_at_this_very_moment_is_met_and_not_fatal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school()
    job = import_of([pupil(1, Achternaam="Berg")])
    kill_at(monkeypatch, 1, IntegrityError("UNIQUE"))

    job = run_import(job=job)

    assert job.status == Job.Status.DONE
    assert Person.objects.count() == 1


def test_what_changed_here_since_the_preview_counts_when_it_runs() -> None:
    school()
    job = import_of([pupil(1, Voornaam="Sanne")])
    assert results(job) == {2: "created"}
    PersonFactory(distributor_person_id="K1", first_name="Anne")

    job = run_import(job=job)

    row = job.rows.get()
    # The person at a school is new, but a colleague must see that a name we held becomes another.
    assert row.result == "changed"
    assert row.before["first_name"] == "Anne"
    assert row.after["first_name"] == "Sanne"


def test_a_broken_job_is_tried_some_times_and_then_left_for_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school()
    job = import_of([pupil(1)])
    Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING)

    def apply(self: Any, rows: Any, **options: Any) -> None:
        raise ValueError("Sanne van den Berg")

    with monkeypatch.context() as patch:
        patch.setattr(PersonImporter, "apply", apply)
        for _try in range(work.TRIES):
            assert continue_jobs() == 0
            Job.objects.filter(pk=job.pk).update(lease_until=None)  # its rest is over

    job.refresh_from_db()
    assert job.status == Job.Status.FAILED
    assert job.failure == "ValueError"  # never the text: it may hold a name
    assert Person.objects.count() == 0
    job = go_on(job=job)
    assert job.status == Job.Status.DONE
    assert Person.objects.count() == 1


@pytest.mark.usefixtures("postgresql")
def test_a_job_whose_statement_takes_too_long_is_left_for_people_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database is there: a worker that waited for it would wait for ever."""
    school()
    slow, other = import_of([pupil(1)]), import_of([pupil(2)])
    Job.objects.update(status=Job.Status.RUNNING)
    own = PersonImporter.apply

    def apply(self: Any, rows: Any, **options: Any) -> None:
        if rows[0].job_id == slow.pk:
            with connection.cursor() as cursor:
                cursor.execute("set local statement_timeout = 50")
                cursor.execute("select pg_sleep(10)")
        own(self, rows, **options)

    monkeypatch.setattr(PersonImporter, "apply", apply)
    for _try in range(work.TRIES + 1):
        continue_jobs()
        Job.objects.filter(pk=slow.pk).update(lease_until=None)  # its rest is over

    slow.refresh_from_db()
    other.refresh_from_db()
    assert (slow.status, slow.failure) == (Job.Status.FAILED, "OperationalError")
    assert other.status == Job.Status.DONE


def test_one_broken_job_does_not_stop_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    school()
    first, second = import_of([pupil(1)]), import_of([pupil(2)])
    Job.objects.update(status=Job.Status.RUNNING)
    kill_at(monkeypatch, 1, ValueError())

    continue_jobs()
    continue_jobs()

    assert Job.objects.get(pk=first.pk).status == Job.Status.RUNNING
    assert Job.objects.get(pk=second.pk).status == Job.Status.DONE


def test_sending_goes_on_behind_the_last_chunk_as_well(
    small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    school()
    job = run_import(job=import_of([pupil(number) for number in range(8)]))
    original = PersonImporter.queue
    calls = 0

    def queue(self: Any, rows: Any, **options: Any) -> int:
        nonlocal calls
        calls += 1
        done = original(self, rows, **options)
        if calls == 2:
            raise Killed
        return done

    with monkeypatch.context() as patch:
        patch.setattr(PersonImporter, "queue", queue)
        with pytest.raises(Killed):
            send_import(job=job)
    assert Message.objects.count() == 6

    while continue_jobs():
        pass

    job.refresh_from_db()
    assert (job.status, job.queued) == (Job.Status.DONE, 16)
    assert Message.objects.count() == 16


def test_a_job_waits_for_its_school_and_goes_on_when_it_is_known() -> None:
    job = import_of([pupil(1)])
    assert job.status == Job.Status.ASKING
    assert continue_jobs() == 0
    school(BAKEN)
    Message.objects.update(status=Message.Status.DONE)

    while continue_jobs():
        pass

    job.refresh_from_db()
    assert job.status == Job.Status.PREVIEW
    assert results(job) == {2: "created"}


def test_a_school_that_edu_ix_does_not_know_keeps_its_rows_out() -> None:
    job = import_of([pupil(1)])
    Message.objects.update(status=Message.Status.DONE)

    while continue_jobs():
        pass

    row = job.rows.get()
    assert row.result == "refused"
    assert row.findings[0]["code"] == 6727
    assert row.findings[0]["column"] == "organisation_id"


def test_a_job_that_nobody_answers_for_a_day_is_given_up() -> None:
    job = import_of([pupil(1)])
    Job.objects.update(created_at=timezone.now() - timedelta(hours=25))

    continue_jobs()

    assert Job.objects.get(pk=job.pk).status == Job.Status.CANCELLED
