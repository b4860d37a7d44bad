"""Comparing many persons and schools with Edu-iX as a job: what is asked, and what it came to.

A person is asked for with everything below it, a school with its credits, each once. What comes of
the answers stands in `credits/comparing.py`; here each row tells whether anything differs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.jobs.deeds import STUCK, Deed, open_messages
from backoffice.jobs.models import Drift, Job, JobRow
from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.jobs.registry import Described
from backoffice.jobs.remarks import Remark
from backoffice.outbox.again import take_back
from backoffice.outbox.models import Message, PushState, subject_pk
from backoffice.screens.links import kind_of
from persons.models import Person, School
from persons.services import chain_of

Result = JobRow.Result
PUT_OFF: Final = timedelta(minutes=30)  # longer than any pause between two tries


def person_check(person_id: int, label: str) -> Wanted:
    """The question how Edu-iX holds a person and everything below it."""
    chain = chain_of(person_id)
    return Wanted(operation="person.check", subject=chain, chain=chain, label=label)


def school_check(organisation_id: str) -> Wanted:
    """The question how Edu-iX holds a school and its credits."""
    subject = f"school:{organisation_id}"
    return Wanted(operation="school.check", subject=subject, chain=subject, label=organisation_id)


def behind_put_off(message: str = "") -> Q:
    """Questions behind a message of the same chain that is put off till later.

    They would keep whoever waits for them for as long, and are asked another time. `message` is the
    way to the question, e.g. "message__".
    """
    put_off = _put_off().filter(
        chain=OuterRef(f"{message}chain"), position__lt=OuterRef(f"{message}position")
    )
    untried = {f"{message}status": Message.Status.QUEUED, f"{message}tries": 0}
    return Q(**untried) & Q(Exists(put_off))


def _put_off() -> QuerySet[Message]:
    return Message.objects.active().filter(due_at__gt=timezone.now() + PUT_OFF)


class Fetch(Deed):
    """Asking how Edu-iX holds rows of one kind; nothing changes there, so asking twice is safe."""

    job_kind = Job.Kind.FETCH
    stuck: ClassVar[Mapping[str, str]] = {
        **STUCK,
        Message.Status.REFUSED: Result.UNANSWERED,
        Message.Status.CONFLICT: Result.UNANSWERED,
    }
    came_to = ""
    tried_again: ClassVar[tuple[str, ...]] = (Result.UNANSWERED,)
    operation: ClassVar[str]

    @property
    def rights(self) -> tuple[str, ...]:
        return (f"persons.view_{self.kind}",)

    @property
    def steering_rights(self) -> tuple[str, ...]:
        return ("persons.change_person", "persons.change_school")

    @abstractmethod
    def wanted(self, pks: Collection[int]) -> dict[int, Wanted]:
        """The question about each of these rows; one that is gone is left out."""

    def begin(self, job: Job, rows: Sequence[JobRow]) -> None:
        wanted = self.wanted([subject_pk(row.key) for row in rows])
        enqueue_many(list(wanted.values()), user=job.created_by, batch=job.pk)
        messages = open_messages(self.operation, [one.subject for one in wanted.values()])
        for row in rows:
            one = wanted.get(subject_pk(row.key))
            row.result = Result.QUEUED if one is not None else Result.GONE
            row.message_id = messages[one.subject] if one is not None else None
            row.findings = []

    def end(self, rows: Sequence[JobRow]) -> None:
        """Each by what its answer has left behind; two queries for all."""
        subjects = [row.message.subject for row in rows if row.message is not None]
        found: Counter[tuple[str, bool]] = Counter()
        drifts = Drift.objects.filter(owner__in=subjects).values_list("owner", "what")
        for owner, what in drifts:
            found[owner, what in Drift.OPEN] += 1
        unsent = self.unsent(subjects)
        for row in rows:
            subject = row.message.subject if row.message is not None else ""
            row.findings, row.values = [], {}
            if differences := found[subject, True]:
                row.result, row.values = Result.DIFFERS, {"differences": differences}
                row.findings = [Remark("error", "conflict").as_json()]
            elif subject in unsent:
                row.result = Result.OWN
            else:
                row.result = Result.TAKEN_OVER if found[subject, False] else Result.EQUAL

    def unsent(self, subjects: Collection[str]) -> set[str]:
        """Those whose data of now never went, or wait to go: they claim to be equal to nothing."""
        del subjects
        return set()

    def give_up(self, job: Job) -> None:
        rows = job.rows.filter(message__operation=self.operation)
        left: list[JobRow] = []
        if _put_off().exists():  # seldom; looking for it row by row is dear
            waiting = rows.filter(behind_put_off("message__"), result=Result.QUEUED)
            left = list(waiting.select_related("message"))
        remark = Remark("error", "unreachable").as_json()
        for row in left:
            rows.filter(pk=row.pk).update(result=Result.UNANSWERED, findings=[remark])
        refused = rows.filter(result=Result.UNANSWERED, message__status=Message.Status.REFUSED)
        for row in [*left, *refused.select_related("message")]:
            # A question needs nobody's attention; one that others wait for stays.
            if row.message is not None and (
                row.message.status == Message.Status.REFUSED or row.message.batch == job.pk
            ):
                take_back(message=row.message)

    def url(self, key: str) -> str:
        return reverse("admin:compare", args=[kind_of(key), subject_pk(key)])

    def mend_url(self, subject: str, *, code: int | None, text: str) -> str:
        """What differs is settled where both stand side by side."""
        return self.url(subject)

    def words(self, row: JobRow) -> str:
        if row.result == Result.DIFFERS:
            number = int(row.values.get("differences", 1))
            words = ngettext(
                "%d row differs; compare it field by field.",
                "%d rows differ; compare them field by field.",
                number,
            )
            return words % number
        if row.result == Result.OWN:
            return _("Nothing of it counts as equal until it is sent.")
        if row.result == Result.TAKEN_OVER:
            return _("Edu-iX knew it better, and our row says the same now.")
        if row.result == Result.GONE:
            return _("This row was deleted since; there is nothing to compare.")
        return ""


class PersonFetch(Fetch):
    """Persons, each with its places at schools and their credits."""

    kind = "person"
    label = "distributor_person_id"
    operation = "person.check"

    def wanted(self, pks: Collection[int]) -> dict[int, Wanted]:
        rows = Person.objects.filter(pk__in=pks).values_list("pk", self.label)
        return {pk: person_check(pk, key) for pk, key in rows}

    def unsent(self, subjects: Collection[str]) -> set[str]:
        rows: Any = Person.objects.filter(pk__in=map(subject_pk, subjects))
        rows = rows.exclude(push_state=PushState.IN_SYNC)
        return {f"person:{pk}" for pk in rows.values_list("pk", flat=True)}

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        return {
            row.pk: Described(row.full_name, row.distributor_person_id)
            for row in Person.objects.filter(pk__in=pks)
        }


class SchoolFetch(Fetch):
    """Schools, each with its credits."""

    kind = "school"
    label = "organisation_id"
    operation = "school.check"

    def wanted(self, pks: Collection[int]) -> dict[int, Wanted]:
        rows = School.objects.filter(pk__in=pks).values_list("pk", self.label)
        return {pk: school_check(key) for pk, key in rows}

    def describe(self, pks: Collection[int]) -> dict[int, Described]:
        return {
            row.pk: Described(row.name, row.organisation_id)
            for row in School.objects.filter(pk__in=pks)
        }


FETCHES: Final = (PersonFetch(), SchoolFetch())
