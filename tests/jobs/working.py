"""Doing what a sending worker does for a job, step by step."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs import work
from backoffice.jobs.models import Job
from backoffice.jobs.work import work_on
from backoffice.outbox.trying import claim_due, deliver
from tests.outbox.test_processes import process, wait_until


def work_off(job: Job) -> Job:
    """All that a worker does for a job until it only waits."""
    Job.objects.update(lease_until=None)
    work_on(job)
    job.refresh_from_db()
    return job


def finish(job: Job, gateway: Gateway) -> Job:
    """Queue, send and look at the answers."""
    work_off(job)
    while send(9, gateway):
        pass
    return work_off(job)


def send(number: int, gateway: Gateway) -> int:
    """Send so many messages and do nothing else."""
    claimed = claim_due(number)
    for message in claimed:
        deliver(message, gateway)
    return len(claimed)


def results(job: Job) -> Counter[str]:
    """How many rows came to what."""
    return Counter(job.rows.values_list("result", flat=True))


def applied(sandbox: SandboxServer, operation: str = "") -> Counter[str]:
    """How often Edu-iX did something to each subject."""
    return Counter(row.subject for row in sandbox.control.ledger(operation=operation, applied=True))


def asked(sandbox: SandboxServer, operation: str) -> Counter[str]:
    """How often Edu-iX was asked about each subject."""
    return Counter(row.subject for row in sandbox.control.ledger(operation=operation))


class Killed(BaseException):
    """What a worker that is killed looks like from inside."""


def die_in_second_chunk(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on a job in this process until the second time that it writes down how far it is."""
    original, calls = work.write, 0

    def dies(job: Job, **columns: object) -> None:
        nonlocal calls
        calls += 1
        original(job, **columns)
        if calls == 2:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(work, "write", dies)
        with pytest.raises(Killed):
            work_on(job)


def kill_worker(when: Callable[[], bool], env: dict[str, str]) -> None:
    """Let a worker process go on until then, and kill it; its lease counts as run out."""
    with process("manage.py", "deliver", env=env) as worker:
        wait_until(when)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    Job.objects.update(lease_until=timezone.now())


def let_another_finish(env: dict[str, str]) -> None:
    """A new worker process, until the job is done."""
    with process("manage.py", "deliver", env=env):
        wait_until(lambda: Job.objects.get().status == Job.Status.DONE)
