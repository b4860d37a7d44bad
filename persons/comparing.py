"""Asking Edu-iX how it holds persons and schools: a few at once, more as a job, or as a run.

A run goes through everything, or a sample of it, for nobody in particular: at night, or from the
command line. What a colleague has chosen is a job (`fetching.py`). Only questions: what comes of
the answers stands in `credits/comparing.py`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from backoffice.jobs.models import CheckItem, CheckRun, Drift, Job
from backoffice.jobs.push_jobs import AT_ONCE as FEW
from backoffice.jobs.push_jobs import STOP_SECONDS, Part, create_bulk_job
from backoffice.jobs.push_words import COMPARED
from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.jobs.work import work_on
from backoffice.outbox.again import take_back
from backoffice.outbox.models import Message, PushState
from backoffice.outbox.services import enqueue, ring
from persons.fetching import behind_put_off, person_check, school_check
from persons.models import Person, School, SchoolPerson

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

AT_ONCE: Final = 20  # a selection of more than this becomes a job, and lets others go first
LOT: Final = 2_000
IN_FLIGHT: Final = 300  # questions of a run that wait or are under way at any moment
LEASE: Final = timedelta(seconds=30)

# What an answer may leave behind: nothing more comes of these by itself.
UNANSWERED: Final = (Message.Status.REFUSED, Message.Status.CONFLICT, Message.Status.CANCELLED)


class UnknownSchool(Exception):
    """There is no school with this ID here."""


def queue_check(*, wanted: Wanted, user: AbstractBaseUser | None = None) -> Message:
    """Ask now, because a colleague waits for it."""
    with transaction.atomic():
        return enqueue(
            operation=wanted.operation,
            subject=wanted.subject,
            chain=wanted.chain,
            label=wanted.label,
            user=user,
        )


def known_persons() -> QuerySet[Person]:
    """Those that Edu-iX has accepted once and that still count."""
    rows = Person.objects.exclude(registered_at=None).exclude(push_state=PushState.DELETED)
    return rows.order_by("pk")


def compare_selection(
    *,
    person_ids: QuerySet[Any, int] | Sequence[int] = (),
    organisation_ids: QuerySet[Any, str] | Sequence[str] = (),
    title: str,
    user: AbstractBaseUser | None = None,
) -> Job | None:
    """Compare a chosen handful now (None), or more as a job with a result for each.

    The keys may come as a query, so that a selection of any size is never read as a whole.
    """
    persons = Person.objects.filter(pk__in=person_ids)
    schools = School.objects.filter(organisation_id__in=organisation_ids)
    if persons.count() + schools.count() > AT_ONCE:
        return _compare_as_job([("person", persons), ("school", schools)], title, user)
    for pk, key in persons.order_by("pk").values_list("pk", "distributor_person_id"):
        queue_check(wanted=person_check(pk, key), user=user)
    for key in schools.order_by("pk").values_list("organisation_id", flat=True):
        queue_check(wanted=school_check(key), user=user)
    return None


def compare_school(
    *, organisation_id: str, title: str, user: AbstractBaseUser | None = None
) -> Job:
    """Compare a school and everybody who is at it, as a job. Raises `UnknownSchool`."""
    schools, persons = _at_school(organisation_id)
    return _compare_as_job([("person", persons), ("school", schools)], title, user)


def compare_sample(
    *,
    sample: int,
    title: str,
    organisation_id: str = "",
    seed: int | None = None,
    user: AbstractBaseUser | None = None,
) -> Job:
    """Compare so many persons drawn at random with their schools, as a job.

    Raises `UnknownSchool`, and `ValueError` for a sample below 1.
    """
    drawn, organisation_ids, seed = _sample(sample, organisation_id, seed)
    # In lots, because databases have room for so many keys in one question.
    lots = [drawn[start : start + LOT] for start in range(0, len(drawn), LOT)]
    parts: list[Part] = [("person", Person.objects.filter(pk__in=lot)) for lot in lots]
    schools = School.objects.filter(organisation_id__in=organisation_ids)
    return _compare_as_job([*parts, ("school", schools)], title, user, seed=seed)


def _compare_as_job(
    parts: Sequence[Part], title: str, user: AbstractBaseUser | None, **options: Any
) -> Job:
    job = create_bulk_job(kind=Job.Kind.FETCH, parts=parts, title=title, user=user, options=options)
    if job.total < FEW:
        work_on(job, seconds=STOP_SECONDS)  # asked when the page opens
    return job


def _at_school(organisation_id: str) -> tuple[QuerySet[School], QuerySet[Person]]:
    schools = School.objects.filter(organisation_id=organisation_id)
    if not schools.exists():
        raise UnknownSchool(organisation_id)
    there = SchoolPerson.objects.filter(school__in=schools).values("person")
    return schools, known_persons().filter(pk__in=there)


def _sample(
    sample: int, organisation_id: str, seed: int | None
) -> tuple[list[int], list[str], int]:
    """The persons drawn, the schools to compare with them, and the seed that drew them."""
    if sample < 1:
        raise ValueError("a sample has at least one person")
    if seed is None:
        seed = random.SystemRandom().getrandbits(31)
    schools: QuerySet[School]
    if organisation_id:
        schools, persons = _at_school(organisation_id)
        drawn = _draw(persons, sample, seed)
    else:
        drawn = _draw(known_persons(), sample, seed)
        schools = School.objects.filter(school_persons__person__in=drawn)
    keys = schools.order_by().values_list("organisation_id", flat=True)
    return drawn, sorted(set(keys)), seed


def start_run(
    *,
    organisation_id: str = "",
    sample: int | None = None,
    seed: int | None = None,
    is_nightly: bool = False,
    user: AbstractBaseUser | None = None,
) -> CheckRun:
    """Compare everything, one school, or so many persons drawn at random with their schools.

    The same seed draws the same persons from the same data; without one it is drawn too, and
    kept. Raises `UnknownSchool`, and `ValueError` for a sample below 1.
    """
    if sample is None:
        schools: QuerySet[School] = School.objects.all()
        persons = known_persons()
        if organisation_id:
            schools, persons = _at_school(organisation_id)
        scope = CheckRun.Scope.SCHOOL if organisation_id else CheckRun.Scope.ALL
        total = persons.count() + schools.count()
        return _begin(scope, [], [], total, organisation_id=organisation_id, user=user)
    drawn, keys, seed = _sample(sample, organisation_id, seed)
    return _begin(
        CheckRun.Scope.NIGHTLY if is_nightly else CheckRun.Scope.SAMPLE,
        drawn,
        keys,
        len(drawn) + len(keys),
        organisation_id=organisation_id,
        seed=seed,
        user=user,
    )


def _draw(persons: QuerySet[Person], sample: int, seed: int) -> list[int]:
    """So many keys at random: the keys of a million persons fit in memory, the rows do not."""
    keys = list(persons.values_list("pk", flat=True))
    chance = random.Random(seed)  # noqa: S311  a repeatable draw, not secrecy
    return sorted(chance.sample(keys, min(sample, len(keys))))


def _begin(
    scope: str,
    person_ids: Sequence[int],
    organisation_ids: Sequence[str],
    total: int,
    *,
    organisation_id: str = "",
    seed: int | None = None,
    user: AbstractBaseUser | None = None,
) -> CheckRun:
    with transaction.atomic():
        run = CheckRun.objects.create(
            scope=scope,
            organisation_id=organisation_id,
            seed=seed,
            person_ids=list(person_ids),
            organisation_ids=list(organisation_ids),
            total=total,
            created_by_id=user.pk if user is not None else None,
        )
        ring()
    return run


def cancel_run(*, run: CheckRun) -> bool:
    """Ask nothing more; what was compared stays. False when it was finished already."""
    stopped = CheckRun.objects.filter(pk=run.pk, status=CheckRun.Status.RUNNING).update(
        status=CheckRun.Status.CANCELLED, finished_at=timezone.now()
    )
    if stopped:
        for item in CheckItem.objects.filter(run=run).select_related("message"):
            if item.message.priority == Message.Priority.BULK:  # not what a colleague waits for
                take_back(message=item.message)
        CheckItem.objects.filter(run=run).delete()
    return stopped == 1


# --- in the background ---------------------------------------------------------------------------


def continue_runs() -> int:
    """What the sending worker calls at least once a second; returns how much was done.

    Counts what was answered, and asks the next: never more than `IN_FLIGHT` at a time, so that a
    run over a million persons leaves the outbox readable and can be stopped at once.
    """
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    run = CheckRun.objects.filter(free, status=CheckRun.Status.RUNNING).order_by("pk").first()
    if run is None:
        return 0
    mine = CheckRun.objects.filter(free, pk=run.pk, status=CheckRun.Status.RUNNING)
    if not mine.update(lease_until=now + LEASE):
        return 0
    try:
        run.refresh_from_db()
        counted = _collect(run)
        asked = _feed(run)
        if not asked and not run.items.exists():
            _finish(run)
        return counted + asked
    finally:
        CheckRun.objects.filter(pk=run.pk).update(lease_until=None)


def _collect(run: CheckRun) -> int:
    """Count the questions that are finished, and remember what they found."""
    with transaction.atomic():
        over = Q(message__status__in=[Message.Status.DONE, *UNANSWERED]) | behind_put_off(
            "message__"
        )
        ended = list(run.items.select_related("message").filter(over))
        if not ended:
            return 0
        answered = [one for one in ended if one.message.status == Message.Status.DONE]
        owners = [one.message.subject for one in answered]
        Drift.objects.filter(owner__in=owners).update(run=run)
        CheckItem.objects.filter(pk__in=[one.pk for one in ended]).delete()
        CheckRun.objects.filter(pk=run.pk).update(
            answered=F("answered") + len(answered),
            failed=F("failed") + len(ended) - len(answered),
        )
    for one in ended:
        is_ours = one.message.priority == Message.Priority.BULK
        if one.message.status == Message.Status.REFUSED or (
            is_ours and one.message.status == Message.Status.QUEUED
        ):
            take_back(message=one.message)  # a question needs nobody's attention
    return len(ended)


def _feed(run: CheckRun) -> int:
    room = IN_FLIGHT - run.items.count()
    if room < IN_FLIGHT // 3:
        return 0
    with transaction.atomic():
        mine = CheckRun.objects.select_for_update().filter(
            pk=run.pk, status=CheckRun.Status.RUNNING
        )
        if not mine.exists():
            return 0
        wanted, cursors = _next(run, room)
        if not wanted:
            return 0
        enqueue_many(wanted, user=run.created_by)
        subjects = {one.subject for one in wanted}
        messages = Message.objects.open().filter(
            subject__in=subjects, operation__in=["person.check", "school.check"]
        )
        CheckItem.objects.bulk_create(CheckItem(run=run, message=one) for one in messages)
        mine.update(**cursors)
    return len(wanted)


def _next(run: CheckRun, room: int) -> tuple[list[Wanted], dict[str, int]]:
    """The next questions, and where the run stands once they are asked."""
    persons = _next_persons(run, room)
    schools = _next_schools(run, room - len(persons)) if len(persons) < room else []
    wanted = [person_check(pk, key) for pk, key in persons]
    wanted += [school_check(key) for _pk, key in schools]
    if run.scope in CheckRun.LISTED:
        return wanted, {
            "person_cursor": run.person_cursor + len(persons),
            "school_cursor": run.school_cursor + len(schools),
        }
    return wanted, {
        "person_cursor": persons[-1][0] if persons else run.person_cursor,
        "school_cursor": schools[-1][0] if schools else run.school_cursor,
    }


def _next_persons(run: CheckRun, room: int) -> list[tuple[int, str]]:
    if run.scope in CheckRun.LISTED:
        part = run.person_ids[run.person_cursor : run.person_cursor + room]
        keys = dict(Person.objects.filter(pk__in=part).values_list("pk", "distributor_person_id"))
        return [(pk, keys.get(pk, "")) for pk in part]
    rows: Any = known_persons().filter(pk__gt=run.person_cursor)
    if run.organisation_id:
        at = School.objects.filter(organisation_id=run.organisation_id)
        rows = rows.filter(school_persons__school__in=at).distinct()
    return list(rows.values_list("pk", "distributor_person_id")[:room])


def _next_schools(run: CheckRun, room: int) -> list[tuple[int, str]]:
    if run.scope in CheckRun.LISTED:
        part = run.organisation_ids[run.school_cursor : run.school_cursor + room]
        return [(0, str(key)) for key in part]
    rows = School.objects.filter(pk__gt=run.school_cursor).order_by("pk")
    if run.organisation_id:
        rows = rows.filter(organisation_id=run.organisation_id)
    return list(rows.values_list("pk", "organisation_id")[:room])


def _finish(run: CheckRun) -> None:
    CheckRun.objects.filter(pk=run.pk, status=CheckRun.Status.RUNNING).update(
        status=CheckRun.Status.DONE,
        finished_at=timezone.now(),
        person_ids=[],  # kept as long as they are needed
        organisation_ids=[],
    )
    logger.info("check_run_done", extra={"run_id": run.pk})


def last_checked() -> datetime | None:
    """When a comparison ended for the last time; None when nothing was ever compared."""
    runs = CheckRun.objects.filter(status=CheckRun.Status.DONE).exclude(answered=0, failed__gt=0)
    jobs = Job.objects.filter(kind=Job.Kind.FETCH, status=Job.Status.DONE)
    answered = jobs.filter(summary__counts__has_any_keys=list(map(str, COMPARED)))
    ended = [rows.exclude(finished_at=None).order_by() for rows in (runs, answered)]
    first, second = (rows.values_list("finished_at", flat=True) for rows in ended)
    return first.union(second).order_by("-finished_at").first()
