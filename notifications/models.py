"""What Edu-iX told us: every accepted body, append-only, with what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.models import Message
from notifications.querysets import NotificationQuerySet


class Flag(models.TextChoices):
    """A remark on a notification that is no reason to refuse it."""

    EXTRA_ELEMENT = "extra_element", _("Held an element we do not know; it was left out.")
    UNKNOWN_ENUM = "unknown_enum", _("Held a state we do not know; it was kept, not taken over.")
    ECK_ID_LENGTH = "eck_id_length", _("The ECK iD has not 128 characters; it was not taken over.")
    BOTH_CREDITS = (
        "both_credits",
        _("A person credit and a school credit have this number; the person credit was taken."),
    )


class Notification(models.Model):
    """One delivery to our endpoint. A, B, A are three events: a body is never unique."""

    class Kind(models.TextChoices):
        PREMATCH_CHANGED = "prematchChanged", _("Prematch changed")
        SPECIFICATION_CHANGED = "specificationChanged", _("Specification changed")
        UNKNOWN = "unknown", _("Unknown")

    class Verdict(models.TextChoices):
        WAITING = "waiting", _("Stored")
        APPLIED = "applied", _("Applied")
        DUPLICATE = "duplicate", _("Duplicate")
        SUPERSEDED = "superseded", _("Superseded")
        UNMATCHED = "unmatched", _("Unmatched")
        INVALID = "invalid", _("Invalid")
        FAILED = "failed", _("Failed")
        DEAD = "dead", _("Given up")
        TEST = "test", _("Test")  # our own, see `self_test.py`

    TO_APPLY: ClassVar[tuple[str, ...]] = (Verdict.WAITING, Verdict.FAILED)
    # What a later notification of the same subject makes of an earlier one: old news.
    SETTLED: ClassVar[tuple[str, ...]] = (Verdict.APPLIED, Verdict.DUPLICATE)

    kind = models.CharField(_("kind"), max_length=24, choices=Kind)
    subject = models.CharField(_("subject"), max_length=256, blank=True)  # the partner's key
    raw = models.BinaryField(_("body"))  # as received, the text of `password` blanked
    raw_sha256 = models.CharField(_("SHA-256 of the body"), max_length=64)  # of what came in
    raw_length = models.PositiveIntegerField(_("length in bytes"))
    content_type = models.CharField(_("content type"), max_length=200, blank=True)
    parsed = models.JSONField(_("content"), default=dict)
    flags = models.JSONField(_("remarks"), default=list)  # values of `Flag`
    credential = models.CharField(_("user name"), max_length=100, blank=True)
    source = models.GenericIPAddressField(_("sender"), null=True, blank=True)
    received_at = models.DateTimeField(_("received"))
    verdict = models.CharField(
        _("verdict"), max_length=12, choices=Verdict, default=Verdict.WAITING
    )
    reason = models.CharField(_("reason"), max_length=2000, blank=True)  # see `reasons.py`
    traceback = models.TextField(_("technical details"), blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    # The next try; while a worker has it, the moment at which another may take it over.
    due_at = models.DateTimeField(_("next try"), null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True, editable=False)  # of the worker that has it
    # The fetch that must tell whether a step backwards is true.
    question = models.ForeignKey(
        Message,
        verbose_name=_("question to Edu-iX"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-id"]
        permissions = [("replay_notification", "Can apply a notification again")]
        indexes = [
            # the worker: what is still to be applied, in order of arrival
            models.Index(
                fields=["id"],
                condition=Q(verdict__in=["waiting", "failed"]),
                name="notification_to_apply",
            ),
            # the history of one subject: the previous applied one, and those that wait for it
            models.Index(fields=["subject", "kind", "-id"], name="notification_subject"),
            # the inbox of what needs a colleague, and the sweep over the unmatched ones
            models.Index(
                fields=["verdict", "id"],
                condition=Q(verdict__in=["unmatched", "invalid", "failed", "dead"]),
                name="notification_attention",
            ),
            # the list by day, the chart of the last weeks, the last day of a stored body
            models.Index(fields=["received_at"], name="notification_received"),
            # deleting the tests that we sent ourselves, among millions of others
            models.Index(
                fields=["received_at"], condition=Q(verdict="test"), name="notification_tests"
            ),
            # deleting an old message sets this empty
            models.Index(
                fields=["question"],
                condition=Q(question__isnull=False),
                name="notification_question",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"

    @property
    def is_in_pieces(self) -> bool:
        """Of version 4.3: it may say a part of the state only, see `piecing.py`."""
        return "version" in self.parsed


class Try(models.Model):
    """One time that a notification was applied, or that it was put off for another reason.

    Of applying that the worker did not live to tell there is no row: its number is missing.
    """

    class By(models.TextChoices):
        WORKER = "worker", _("the worker")
        COLLEAGUE = "colleague", _("a colleague")
        COMMAND = "command", _("an administrator's command")

    notification = models.ForeignKey(
        Notification,
        verbose_name=_("notification"),
        on_delete=models.CASCADE,
        related_name="history",
        db_index=False,
    )
    number = models.PositiveIntegerField(_("number"))  # begins anew when it is applied again
    tried_at = models.DateTimeField(_("moment"))
    by = models.CharField(_("by"), max_length=10, choices=By, default=By.WORKER)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("colleague"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    verdict = models.CharField(_("verdict"), max_length=12, choices=Notification.Verdict)
    reason = models.CharField(_("reason"), max_length=2000, blank=True)  # see `reasons.py`
    traceback = models.TextField(_("technical details"), blank=True)
    next_at = models.DateTimeField(_("next try"), null=True, blank=True)

    class Meta:
        verbose_name = _("try")
        verbose_name_plural = _("tries")
        ordering = ["-id"]
        default_permissions = ()  # seen on the page of its notification only
        indexes = [
            # the page of one notification, and deleting one with its tries
            models.Index(fields=["notification", "id"], name="notification_try"),
            # deleting an account sets this empty
            models.Index(
                fields=["user"], condition=Q(user__isnull=False), name="notification_try_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.verdict}"


class Refusal(models.Model):
    """How often the door gave one answer to one sender in one minute; never a body."""

    class Reason(models.TextChoices):
        METHOD = "method", _("Not a POST")
        PATH = "path", _("Address does not exist")
        HOST = "host", _("Wrong host name")
        PLAIN_HTTP = "plain_http", _("Not over https")
        ADDRESS = "address", _("Address is not on the list")
        NO_CREDENTIALS = "no_credentials", _("No login set up with us")
        LENGTH = "length", _("Length not told")
        FRAMING = "framing", _("Length not kept, or told twice")
        MEDIA_TYPE = "media_type", _("Not an XML content type")
        TOO_LARGE = "too_large", _("Too large")
        NOT_XML = "not_xml", _("Not XML")
        VERSION = "version", _("Not SOAP 1.1")
        MUST_UNDERSTAND = "must_understand", _("A header we do not know")
        SHAPE = "shape", _("Not a proper SOAP envelope")
        OPERATION = "operation", _("Unknown operation")
        LOGIN_FORM = "login_form", _("User name or password of the wrong form")
        LOGIN = "login", _("Wrong user name or password")
        CONTENT = "content", _("Content not valid")
        DATABASE = "database", _("Our database could not be reached")
        LOCKED = "locked", _("Our database was busy for too long")
        OVERLOADED = "overloaded", _("More at once than we could store")
        UNFORESEEN = "unforeseen", _("Fault with us")

    minute = models.DateTimeField(_("minute"))
    status = models.PositiveSmallIntegerField(_("answer"))  # the HTTP status
    code = models.PositiveIntegerField(_("code"), default=0)  # of the Fault; 0: no Fault
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    source = models.CharField(_("sender"), max_length=45, blank=True)
    count = models.PositiveIntegerField(_("times"), default=0)

    class Meta:
        verbose_name = _("refused delivery")
        verbose_name_plural = _("refused deliveries")
        ordering = ["-minute", "reason", "pk"]
        constraints = [
            # counting adds to the row of the minute; its index also serves the list by time
            models.UniqueConstraint(
                fields=["minute", "status", "code", "reason", "source"], name="refusal_per_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.reason} x {self.count}"


class CredentialUse(models.Model):
    """When a pair of `NOTIFICATION_CREDENTIALS` was last used; two pairs may share a user name.

    `key` tells pairs apart and says nothing about the password, see `login.py`.
    """

    key = models.CharField(_("key"), max_length=16, unique=True)
    seen_at = models.DateTimeField(_("known since"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    day = models.DateField(_("day"), null=True, blank=True)
    count = models.PositiveIntegerField(_("times"), default=0)  # on that day

    class Meta:
        verbose_name = _("use of a login")
        verbose_name_plural = _("uses of logins")

    def __str__(self) -> str:
        return self.key
