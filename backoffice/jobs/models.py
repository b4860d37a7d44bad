"""Long work that people wait for: one row per item, so that each has its own result."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.jobs.drift import CheckItem, CheckRun, Drift
from backoffice.jobs.question import Question
from backoffice.outbox.models import Message

__all__ = ["CheckItem", "CheckRun", "Drift", "Job", "JobRow", "Question"]


class Job(models.Model):
    """One import, or one thing done with many rows of ours, with its progress and its rows.

    Whoever works on it holds a lease; `fence` counts the holders, and a chunk is written only
    under the fence it was begun with, so two workers never do the same rows.
    """

    class Kind(models.TextChoices):
        IMPORT_PERSONS = "import_persons", _("Import of persons")
        IMPORT_PERSON_CREDITS = "import_person_credits", _("Import of person credits")
        IMPORT_SCHOOL_CREDITS = "import_school_credits", _("Import of school credits")
        IMPORT_PRODUCTS = "import_products", _("Import of products")
        PUSH = "push", _("Push to Edu-iX")
        FETCH = "fetch", _("Comparison with Edu-iX")
        RETURN = "return", _("Credits given back")
        END_DATE = "end_date", _("Another end date")

    class Status(models.TextChoices):
        READING = "reading", _("Being read")
        ASKING = "asking", _("Asking Edu-iX")
        CHECKING = "checking", _("Being checked")
        PREVIEW = "preview", _("Preview")
        RUNNING = "running", _("Being taken in")
        QUEUEING = "queueing", _("Being put in the queue")
        STOPPING = "stopping", _("Being stopped")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Stopped")

    # Done with rows of ours by way of the outbox, see `deeds.py`; all other kinds are imports.
    BULK: ClassVar[tuple[str, ...]] = (Kind.PUSH, Kind.FETCH, Kind.RETURN, Kind.END_DATE)
    # Work goes on by itself in these; each has its step in `jobs/work.py`.
    AT_WORK: ClassVar[tuple[str, ...]] = (
        Status.CHECKING,
        Status.RUNNING,
        Status.QUEUEING,
        Status.STOPPING,
    )

    kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.READING)
    title = models.CharField(_("title"), max_length=200)  # the file's name
    header = models.JSONField(_("columns as in the file"), default=list)
    mapping = models.JSONField(_("columns"), default=list)  # our name per column, "" is ignored
    asked = models.JSONField(_("messages asked first"), default=list)
    summary = models.JSONField(_("summary"), default=dict)  # counts, remarks on the file
    total = models.PositiveIntegerField(_("rows"), default=0)
    finished = models.PositiveIntegerField(_("rows finished"), default=0)
    queued = models.PositiveIntegerField(_("put in the queue"), default=0)
    position = models.PositiveIntegerField(_("last line finished"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("fence"), default=0)
    tries = models.PositiveIntegerField(_("tries of this part"), default=0)
    failure = models.CharField(_("why it failed"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    queued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("sent by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    started_at = models.DateTimeField(_("this part began"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # The status that who asked was told of, see `telling.py`.
    told = models.CharField(max_length=12, blank=True, editable=False)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-id"]
        indexes = [
            # next_job(): what the worker must go on with
            models.Index(
                fields=["id"],
                condition=models.Q(
                    status__in=["reading", "asking", "checking", "running", "queueing", "stopping"]
                ),
                name="job_at_work",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_bulk(self) -> bool:
        """Done with rows of ours by way of the outbox; otherwise it is an import."""
        return self.kind in self.BULK

    @property
    def is_at_work(self) -> bool:
        """Something will change without anybody doing anything."""
        return self.status in (*self.AT_WORK, self.Status.ASKING, self.Status.READING)

    def heading(self, column: str) -> str:
        """What this file calls one of our columns; our own name when it has no such column."""
        try:
            return str(self.header[self.mapping.index(column)])
        except (ValueError, IndexError):
            return column


class JobRow(models.Model):
    """One item of a job: what it was, what became of it, and before and after.

    Until the job has run, `result` is what will become of it.
    """

    class Result(models.TextChoices):
        PENDING = "pending", _("To do")
        CREATED = "created", _("New")
        CHANGED = "changed", _("Changed")
        UNCHANGED = "unchanged", _("Unchanged")
        SKIPPED = "skipped", _("Skipped")
        REFUSED = "refused", _("Refused")
        # Of work by way of the outbox only:
        QUEUED = "queued", _("On its way")
        SENT = "sent", _("Accepted")
        WAITING = "waiting", _("Waiting for another message")
        CONFLICT = "conflict", _("Differs from Edu-iX")
        HELD = "held", _("Look first")
        GONE = "gone", _("Not here any more")
        TAKEN_BACK = "taken_back", _("Taken back")
        # Of a comparison only:
        EQUAL = "equal", _("Equal")
        TAKEN_OVER = "taken_over", _("Taken over from Edu-iX")
        DIFFERS = "differs", _("Differs from Edu-iX")
        OWN = "own", _("Ours is not sent yet")
        UNANSWERED = "unanswered", _("Not answered")

    # What can become of a row of a file.
    OF_IMPORTS: ClassVar[tuple[Result, ...]] = (
        Result.CREATED,
        Result.CHANGED,
        Result.UNCHANGED,
        Result.SKIPPED,
        Result.REFUSED,
    )
    GOOD: ClassVar[tuple[str, ...]] = (Result.CREATED, Result.CHANGED, Result.UNCHANGED)

    # Did not arrive, or is not equal, and will not be by itself within this job.
    NOT_THERE: ClassVar[tuple[Result, ...]] = (
        Result.DIFFERS,
        Result.UNANSWERED,
        Result.REFUSED,
        Result.CONFLICT,
        Result.HELD,
        Result.WAITING,
        Result.GONE,
    )

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("line"))  # as a person counts: the header is line 1
    key = models.CharField(_("key"), max_length=300, blank=True)
    # what rows may share, e.g. the person of two rows at two schools
    group = models.CharField(_("belongs to"), max_length=300, blank=True)
    values = models.JSONField(_("values"), default=dict)  # by column, normalised
    original = models.JSONField(_("as in the file"), default=list)  # cells, for the error file
    result = models.CharField(_("result"), max_length=12, choices=Result, default=Result.PENDING)
    findings = models.JSONField(_("remarks"), default=list)  # see `jobs/remarks.py`
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)
    # What carries this row to Edu-iX; maybe one that somebody else asked for before.
    message = models.ForeignKey(
        Message,
        verbose_name=_("message"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("job row")
        verbose_name_plural = _("job rows")
        ordering = ["job_id", "number"]
        constraints = [
            # running a job twice never doubles a row
            models.UniqueConstraint(fields=["job", "number"], name="job_row_number")
        ]
        indexes = [
            # the preview's tabs: rows of one result
            models.Index(fields=["job", "result", "number"], name="job_row_result"),
            # an earlier row of the file with the same key; a row's own history
            models.Index(fields=["key", "job"], condition=~models.Q(key=""), name="job_row_key"),
            # an earlier row about the same person; the history of a person
            models.Index(
                fields=["group", "job"], condition=~models.Q(group=""), name="job_row_group"
            ),
            # the rows of a message that is deleted
            models.Index(
                fields=["message"],
                condition=models.Q(message__isnull=False),
                name="job_row_message",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}:{self.number}"
