"""What must still go out, in which order, and every try.

The row is the truth; a broker only rings (docs/delivery.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import IntegrityError, connections, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.outbox import literals, lookups  # noqa: F401  # `among` and `one_of`
from backoffice.outbox.held import Held
from backoffice.outbox.service_models import ServiceState
from backoffice.outbox.words import operation_words

__all__ = ["Attempt", "Held", "Message", "PushState", "Pushable", "ServiceState"]


def key_of(kind: str, pk: int) -> str:
    """How a message names its subject: `person:12`."""
    return f"{kind}:{pk}"


def subject_pk(subject: str) -> int:
    """The row behind `person:12`."""
    return int(subject.rpartition(":")[2])


class PushState(models.TextChoices):
    """How a mirrored row stands beside Edu-iX."""

    LOCAL_ONLY = "local_only", _("Only with us")
    CHANGED = "changed", _("Changed")
    QUEUED = "queued", _("Queued")
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    IN_SYNC = "in_sync", _("Equal")
    REFUSED = "refused", _("Refused")
    UNCERTAIN = "uncertain", _("Uncertain")
    CONFLICT = "conflict", _("Differs")
    DELETED = "deleted", _("Deleted")


class Pushable(models.Model):
    """Machine columns of a row that is pushed to Edu-iX; written by queryset `.update()` only."""

    push_state = models.CharField(
        _("sync state"), max_length=12, choices=PushState, default=PushState.LOCAL_ONLY
    )
    push_code = models.BigIntegerField(_("code of Edu-iX"), null=True, blank=True)
    push_text = models.CharField(_("answer of Edu-iX"), max_length=4096, blank=True)
    push_changed_at = models.DateTimeField(_("sync state since"), null=True, blank=True)
    registered_at = models.DateTimeField(
        _("known at Edu-iX since"),
        null=True,
        blank=True,
        help_text=_("Empty until Edu-iX has accepted this row once."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    # Never written by saving a row that a colleague edited; the model's own ones are added.
    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (
        "push_state",
        "push_code",
        "push_text",
        "push_changed_at",
        "registered_at",
        "created_at",
    )

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls,
        db: str | None,
        field_names: Collection[str],
        values: Collection[Any],
        **options: Any,  # later Djangos hand over more
    ) -> Self:
        """Remember what was read, so that saving an edit writes nothing else."""
        row = super().from_db(db, field_names, values, **options)
        row.__dict__["_as_read"] = dict(zip(field_names, values, strict=False))
        return row

    def changed_fields(self) -> list[str]:
        """The fields that hold something else than was read; all that people write, when unread."""
        as_read: dict[str, Any] | None = self.__dict__.get("_as_read")
        return [
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key
            and field.name not in self.MACHINE_FIELDS
            and (
                as_read is None
                or (
                    field.attname in self.__dict__
                    and as_read.get(field.attname, models.NOT_PROVIDED)
                    != getattr(self, field.attname)
                )
            )
        ]


@contextmanager
def along_indexes(using: str) -> Iterator[None]:
    """Make PostgreSQL take the first rows of a queue from its index; must run in a transaction.

    A queue grows from nothing to a million rows faster than statistics follow. By old ones the
    planner joins and sorts the whole queue for each claim (343 ms among 60,000; 0.4 ms like this).
    """
    _switch(using, "off")
    yield
    _switch(using, "on")  # an error ends the transaction, and this setting with it


def _switch(using: str, to: str) -> None:
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute(
                "select set_config(name, %s, true) from unnest(%s::text[]) as name",
                [to, ["enable_sort", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"]],
            )


class MessageQuerySet(models.QuerySet["Message"]):
    """The office's words about messages."""

    def open(self) -> MessageQuerySet:
        """Not finished: still to be sent, waiting, or in a colleague's hands."""
        return self.filter(status__among=Message.OPEN)

    def active(self) -> MessageQuerySet:
        """What the engine itself still works on."""
        return self.filter(status__in=Message.ACTIVE)

    def due(self, now: datetime) -> MessageQuerySet:
        """May be tried now and stands at the head of its chain, or of both that it joins."""
        active = Message.objects.filter(status__among=Message.ACTIVE).filter(
            Q(position__lt=OuterRef("position")) | Q(status=Message.Status.SENDING)
        )
        in_chain = active
        if connections[self.db].vendor == "sqlite":
            # Says nothing more, and SQLite sees by it that the index on the chain serves.
            in_chain = active.open()
        return self.filter(
            status__among=(Message.Status.QUEUED, Message.Status.UNCERTAIN), due_at__lte=now
        ).filter(
            ~Exists(in_chain.filter(chain=OuterRef("chain"))),
            Q(joins="") | ~Exists(in_chain.filter(chain=OuterRef("joins"))),
            # The second condition is what lets the index on `joins` serve.
            ~Exists(active.filter(joins=OuterRef("chain")).exclude(joins="")),
        )

    def claim(self, limit: int, *, now: datetime, lease: timedelta) -> list[Message]:
        """Take up to `limit` messages for sending, at most one of each chain.

        Must run in a transaction. Rows that another worker is taking are skipped; where a
        database cannot skip them, its single writer keeps two claims apart. The constraint on
        the chain refuses what both would overlook: then nothing is taken this time.
        """
        heads = self.due(now).order_by("priority", "position")
        is_locked = connections[self.db].features.has_select_for_update_skip_locked
        if is_locked:
            heads = heads.select_for_update(skip_locked=True, of=("self",))
        with along_indexes(self.db):
            messages = list(heads[:limit])
        try:
            with transaction.atomic():
                rows = self.filter(pk__one_of=[message.pk for message in messages])
                if not is_locked:
                    # Where they are locked this says nothing more, and makes PostgreSQL read all
                    # that is queued (22 ms among a million).
                    rows = rows.filter(status__in=[Message.Status.QUEUED, Message.Status.UNCERTAIN])
                taken = rows.update(
                    status=Message.Status.SENDING,
                    lease_until=now + lease,
                    fence=F("fence") + 1,
                    tries=F("tries") + 1,
                    again=False,
                )
        except IntegrityError:
            return []
        if taken != len(messages):
            raise RuntimeError("a claimed message was taken by another worker")
        for message in messages:
            message.status, message.lease_until = Message.Status.SENDING, now + lease
            message.fence, message.tries, message.again = (
                message.fence + 1,
                message.tries + 1,
                False,
            )
        return messages

    def left_behind(self, now: datetime) -> MessageQuerySet:
        """In flight longer than the lease: the worker that took it is gone."""
        return self.filter(status=Message.Status.SENDING, lease_until__lt=now)


class Message(models.Model):
    """One intent to change or ask something at Edu-iX; it names the row, never holds its data."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        WAITING = "waiting", _("Waiting for another message")
        SENDING = "sending", _("Being sent")
        UNCERTAIN = "uncertain", _("Uncertain: ask first")
        REFUSED = "refused", _("Refused")
        CONFLICT = "conflict", _("Differs from Edu-iX")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    ACTIVE: ClassVar[tuple[str, ...]] = (Status.QUEUED, Status.SENDING, Status.UNCERTAIN)
    OPEN: ClassVar[tuple[str, ...]] = (*ACTIVE, Status.WAITING, Status.REFUSED, Status.CONFLICT)

    class Priority(models.IntegerChoices):
        INTERACTIVE = 0, _("Asked by a colleague")
        BULK = 10, _("Bulk")

    operation = models.CharField(_("operation"), max_length=40)  # e.g. "person.push"
    subject = models.CharField(_("subject"), max_length=200)  # e.g. "person:12", see `key_of`
    label = models.CharField(_("label"), max_length=300, blank=True)  # the partner's key
    requires = models.CharField(
        _("requires"), max_length=200, blank=True
    )  # subject that goes first
    chain = models.CharField(_("chain"), max_length=200)
    # A merge belongs to the chains of both persons: nothing of either overtakes it.
    joins = models.CharField(_("second chain"), max_length=200, blank=True)
    position = models.BigIntegerField(_("position"), default=0)
    priority = models.SmallIntegerField(
        _("priority"), choices=Priority, default=Priority.INTERACTIVE
    )
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    due_at = models.DateTimeField(_("next try"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    not_now = models.PositiveIntegerField(_("answers that it is not possible now"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    fence = models.PositiveIntegerField(_("fence"), default=0)
    again = models.BooleanField(_("changed while sending"), default=False)
    ask_first = models.BooleanField(_("ask before sending"), default=False)
    sent_digest = models.CharField(_("digest of what went out"), max_length=64, blank=True)
    waits_for = models.ForeignKey(
        "self",
        verbose_name=_("waits for"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="followers",
    )
    code = models.BigIntegerField(_("code"), null=True, blank=True)
    text = models.CharField(_("answer"), max_length=4096, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # When it was last asked for: a refused message that is taken up again starts to wait anew.
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # The job that alone asked for this; empty as soon as anybody else asks for it too.
    batch = models.PositiveBigIntegerField(_("asked for by job"), null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            # One in flight per chain, whatever two drainers think at the same moment.
            models.UniqueConstraint(
                fields=["chain"],
                condition=Q(status="sending"),
                name="outbox_one_in_flight_per_chain",
            ),
            # Waiting edits of one subject are one message; the sender reads the newest data.
            models.UniqueConstraint(
                fields=["operation", "subject"],
                condition=Q(
                    status__in=[
                        "queued",
                        "sending",
                        "uncertain",
                        "waiting",
                        "refused",
                        "conflict",
                    ]
                ),
                name="outbox_one_open_per_subject",
            ),
        ]
        indexes = [
            # due(): the next messages to try
            models.Index(
                fields=["priority", "position"],
                condition=Q(status__in=["queued", "uncertain"]),
                name="outbox_due",
            ),
            # due(): is an earlier one of this chain still open?
            models.Index(
                fields=["chain", "position"],
                condition=Q(
                    status__in=[
                        "queued",
                        "sending",
                        "uncertain",
                        "waiting",
                        "refused",
                        "conflict",
                    ]
                ),
                name="outbox_chain_open",
            ),
            # due(): does an open message of another chain join this one?
            models.Index(
                fields=["joins", "position"],
                condition=Q(status__in=["queued", "sending", "uncertain"]) & ~Q(joins=""),
                name="outbox_joins_active",
            ),
            # left_behind(): leases that ran out
            models.Index(
                fields=["lease_until"], condition=Q(status="sending"), name="outbox_lease"
            ),
            # history of one subject on its page
            models.Index(fields=["subject", "-id"], name="outbox_subject"),
            # take_back_batch(): what a job asked for and has not begun
            models.Index(
                fields=["batch", "position"],
                condition=Q(status__in=["queued", "waiting"]) & Q(batch__isnull=False),
                name="outbox_batch_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{operation_words(self.operation)} {self.label or self.subject}"

    @property
    def chains(self) -> tuple[str, ...]:
        """The chain, and the second one where this message joins two."""
        return (self.chain, self.joins) if self.joins else (self.chain,)


class Attempt(models.Model):
    """One try of a message: written before the call, completed after it."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("Under way")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")
        UNREACHABLE = "unreachable", _("Not reached")
        UNCERTAIN = "uncertain", _("No readable answer")
        CONFLICT = "conflict", _("Differs")
        BROKEN = "broken", _("Unforeseen")
        LOST = "lost", _("Worker stopped")

    # The index of the constraint below begins with it.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    fence = models.PositiveIntegerField(_("fence"))
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, default=Outcome.OPEN)
    code = models.BigIntegerField(_("code"), null=True, blank=True)  # signed, as received
    text = models.CharField(_("answer"), max_length=4096, blank=True)
    traceback = models.TextField(_("technical details"), blank=True)
    calls = models.JSONField(_("calls"), default=list)  # masked exchanges, see eduix.exchange

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["message", "fence"], name="outbox_attempt_per_claim")
        ]

    def __str__(self) -> str:
        return f"{self.message_id}/{self.fence} {self.outcome}"
