"""Giving many person credits back as a job: a row for each, which says what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from backoffice.jobs.deeds import Deed, open_messages
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.push_jobs import create_bulk_job
from backoffice.jobs.registry import Described
from backoffice.outbox.models import key_of, subject_pk
from credits.columns import status_url_of
from credits.models import CreditReturn, PersonCredit
from credits.pushing import PersonCreditPusher
from credits.returns import (
    OPERATION,
    WHY_NOT,
    WhyNot,
    lock_credits,
    make_returns,
    new_reference,
    reference_of,
    why_not_each,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Result = JobRow.Result

# What a row becomes that cannot be given back: nothing is left to do, or somebody must look.
RESULTS: Final[dict[WhyNot, str]] = {
    WhyNot.DELETED: Result.GONE,
    WhyNot.RETURNED: Result.SKIPPED,
    WhyNot.RETURN_OPEN: Result.SKIPPED,
    WhyNot.CONFLICT: Result.CONFLICT,
}


def begin_returns(
    *, pks: Sequence[int], token: str, reason: str, user: AbstractBaseUser | None = None
) -> Job:
    """Give these person credits back as a job; the same `token` begins one, however often sent."""
    known = Job.objects.filter(kind=Job.Kind.RETURN, summary__token=token).order_by("pk").first()
    if known is not None:
        return known
    return create_bulk_job(
        kind=Job.Kind.RETURN,
        parts=[("person_credit", PersonCredit.objects.filter(pk__in=pks))],
        title=str(_("Give back credits")),
        user=user,
        options={"token": token, "reason": reason},
    )


class GiveBack(Deed):
    """Each credit once: the return and the row that says so are written together."""

    job_kind = Job.Kind.RETURN
    kind = "person_credit"
    label = "distributor_person_credit_id"

    @property
    def rights(self) -> tuple[str, ...]:
        return ("credits.view_personcredit", "credits.push_personcredit")

    def begin(self, job: Job, rows: Sequence[JobRow]) -> None:
        credits = {credit.pk: credit for credit in lock_credits([_pk(row) for row in rows])}
        problems = why_not_each(list(credits.values()))
        due = [credit for pk, credit in credits.items() if pk not in problems]
        backs = make_returns(
            due,
            _references(str(job.summary["token"]), due),
            reason=str(job.summary["reason"]),
            user=job.created_by,
            batch=job.pk,
        )
        subjects = {back.person_credit_id: key_of("credit_return", back.pk) for back in backs}
        messages = open_messages(OPERATION, subjects.values())
        for row in rows:
            pk = _pk(row)
            why = problems.get(pk) if pk in credits else WhyNot.DELETED
            row.findings, row.message_id, row.values = [], None, {}
            if why is None:
                row.result, row.message_id = Result.QUEUED, messages[subjects[pk]]
            else:
                row.result, row.values = RESULTS.get(why, Result.HELD), {"why": why.value}

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        return PersonCreditPusher().describe(pks)

    def url(self, key: str) -> str:
        return status_url_of(PersonCredit, subject_pk(key))

    def words(self, row: JobRow) -> str:
        why = row.values.get("why")
        return str(WHY_NOT[WhyNot(why)]) if why else ""


def _pk(row: JobRow) -> int:
    return subject_pk(row.key)


def _references(token: str, credits: Sequence[PersonCredit]) -> dict[int, str]:
    """A reference for each: new for one that this job asked back before and then took back."""
    wanted = {credit.pk: reference_of(token, credit.pk) for credit in credits}
    used = set(
        CreditReturn.objects.filter(reference__in=wanted.values()).values_list(
            "reference", flat=True
        )
    )
    return {pk: new_reference() if one in used else one for pk, one in wanted.items()}


RETURN_DEEDS: Final = (GiveBack(),)
