"""What has happened, in order of time: what people changed, what went out, what Edu-iX told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.desk.why import Look
from backoffice.explanations.services import explain
from backoffice.jobs.models import JobRow
from backoffice.outbox.cells import service_of
from backoffice.outbox.models import Attempt, Pushable
from backoffice.outbox.words import operation_words
from credits.access_evidence import moment_words
from notifications.models import Notification, Try
from notifications.reasons import in_words
from notifications.tries import who_words
from persons.models import Person, SchoolPerson

SHOWN: Final = 30
READ: Final = 40  # of each kind

TOLD: Final[dict[str, str | Promise]] = {
    "linked": gettext_lazy("Linked by the school (prematch)"),
    "unlinked": gettext_lazy("The link with the portal was undone"),
    "fault": gettext_lazy("The publisher has refused the licence"),
    "specified": gettext_lazy("The publisher has prepared the licence"),
    "specification": gettext_lazy("Edu-iX told how the credit stands"),
}
ATTEMPTS: Final[dict[str, tuple[str, str]]] = {  # tone, sign
    Attempt.Outcome.ACCEPTED: ("ok", ""),
    Attempt.Outcome.REFUSED: ("bad", ""),
    Attempt.Outcome.CONFLICT: ("bad", ""),
    Attempt.Outcome.BROKEN: ("bad", ""),
    Attempt.Outcome.OPEN: ("wait", ""),
}
TRIES: Final[dict[str, str]] = {
    Notification.Verdict.APPLIED: "ok",
    Notification.Verdict.FAILED: "wait",
    Notification.Verdict.DEAD: "bad",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened. `sign` stands in the dot; empty takes the sign of the tone."""

    at: datetime
    when: str
    tone: str
    sign: str
    text: str
    sub: str = ""
    url: str = ""


def timeline_of(look: Look, *, user: AbstractUser | AnonymousUser, now: datetime) -> list[Event]:
    """Everything about the person, the place and the credit of this book, newest first."""
    events = [
        *_edits(look, now),
        *_attempts(look, user, now),
        *_imports(look, now),
        *(_notifications(look, user, now)),
    ]
    return sorted(events, key=lambda event: event.at, reverse=True)[:SHOWN]


def _rows(look: Look) -> Iterator[Pushable]:
    yield look.book.person
    if look.book.place is not None:
        yield look.book.place
    if look.book.credit is not None:
        yield look.book.credit


def _edits(look: Look, now: datetime) -> Iterator[Event]:
    for row in _rows(look):
        model: Any = type(row)
        records = list(
            model.history.filter(id=row.pk).select_related("history_user").order_by("history_id")
        )[-READ:]
        before = None
        for record in records:
            yield _edit(model, record, before, now)
            before = record


def _edit(model: Any, record: Any, before: Any, now: datetime) -> Event:
    what = str(model._meta.verbose_name)
    names = changed_names(model, record, before) if before is not None else []
    if record.history_type == "+":
        text = _("New: %(what)s") % {"what": what}
    elif names:
        text = _("Changed: %(fields)s") % {"fields": ", ".join(names)}
    else:
        text = record.history_change_reason or _("Changed: %(fields)s") % {"fields": what}
    who = record.history_user.get_username() if record.history_user is not None else ""
    reason = record.history_change_reason or ""
    parts = [who, reason if reason != text else ""]
    return Event(
        at=record.history_date,
        when=moment_words(record.history_date, now),
        tone="q",
        sign="✎",
        text=text,
        sub=" · ".join(filter(None, parts)),
    )


def changed_names(model: Any, record: Any, before: Any) -> list[str]:
    """The fields that a person changed, by name: the values are on the history page."""
    fields = [field for field in model._meta.concrete_fields if hasattr(record, field.attname)]
    return [
        str(field.verbose_name)
        for field in fields
        if getattr(record, field.attname) != getattr(before, field.attname)
    ]


def _attempts(look: Look, user: AbstractUser | AnonymousUser, now: datetime) -> Iterator[Event]:
    if not user.has_perm("outbox.view_message"):
        return
    found = Attempt.objects.filter(message__subject__in=look.subjects).select_related("message")
    for attempt in found.defer("calls", "traceback").order_by("-pk")[:READ]:
        tone, sign = ATTEMPTS.get(attempt.outcome, ("wait", ""))
        what = operation_words(attempt.message.operation)
        words = _("%(operation)s: %(outcome)s") % {
            "operation": what[:1].upper() + what[1:],
            "outcome": attempt.get_outcome_display().lower(),
        }
        sub = ""
        if attempt.code:
            sub = explain(attempt.code, service=service_of(attempt.message)).title
        yield Event(
            at=attempt.started_at,
            when=moment_words(attempt.started_at, now),
            tone=tone,
            sign=sign,
            text=words,
            sub=sub,
            url=reverse("admin:outbox_message_change", args=[attempt.message_id]),
        )


def _imports(look: Look, now: datetime) -> Iterator[Event]:
    """The files that this person, place or credit came in with."""
    book = look.book
    about = Q(group=book.person.distributor_person_id) | Q(key__in=list(_keys(look)))
    rows = JobRow.objects.filter(
        about, result__in=[JobRow.Result.CREATED, JobRow.Result.CHANGED]
    ).select_related("job")
    for row in rows.only("job", "result", "number")[:READ]:
        at = row.job.finished_at or row.job.created_at
        yield Event(
            at=at,
            when=moment_words(at, now),
            tone="q",
            sign="⇣",
            text=_("Read in from “%(file)s”") % {"file": row.job.title},
            sub=_("line %(line)d") % {"line": row.number},
        )


def _keys(look: Look) -> Iterable[str]:
    for row in _rows(look):
        if isinstance(row, SchoolPerson):
            yield row.distributor_school_person_id
        elif not isinstance(row, Person):
            yield str(row)


def _notifications(
    look: Look, user: AbstractUser | AnonymousUser, now: datetime
) -> Iterator[Event]:
    if not user.has_perm("notifications.view_notification"):
        return
    about = Q(
        kind=Notification.Kind.PREMATCH_CHANGED, subject=look.book.person.distributor_person_id
    )
    if look.book.credit is not None:
        about |= Q(kind=Notification.Kind.SPECIFICATION_CHANGED, subject=str(look.book.credit))
    rows = list(Notification.objects.filter(about).defer("raw").order_by("-pk")[:READ])
    yield from _later_tries(rows, now)
    for row in rows:
        told = told_by(row)
        is_applied = row.verdict == Notification.Verdict.APPLIED
        tone = "bad" if told in ("unlinked", "fault") else "ok"
        yield Event(
            at=row.received_at,
            when=moment_words(row.received_at, now),
            tone=tone if is_applied else "q",
            sign="" if is_applied else "⇣",
            text=str(TOLD[told]),
            sub="" if is_applied else str(row.get_verdict_display()),
            url=reverse("admin:notifications_notification_change", args=[row.pk]),
        )


def _later_tries(rows: list[Notification], now: datetime) -> Iterator[Event]:
    """What happened to a notification after it came in: failures, and being applied again."""
    tries = Try.objects.filter(notification__in=rows).select_related("user").defer("traceback")
    went_well = Q(by=Try.By.WORKER, number__lte=1, verdict__in=Notification.SETTLED)
    for one in tries.exclude(went_well).order_by("-pk")[:READ]:
        words = {"who": who_words(one), "verdict": one.get_verdict_display().lower()}
        if one.by == Try.By.WORKER:
            text = _("Notification tried by %(who)s: %(verdict)s") % words
        else:
            text = _("Notification applied again by %(who)s: %(verdict)s") % words
        yield Event(
            at=one.tried_at,
            when=moment_words(one.tried_at, now),
            tone=TRIES.get(one.verdict, "q"),
            sign="" if one.verdict in TRIES else "↻",
            text=text,
            sub=in_words(one.reason) if one.reason else "",
            url=reverse("admin:notifications_notification_change", args=[one.notification_id])
            + "#tries",
        )


def told_by(row: Notification) -> str:
    """What a notification came to say, as a key of `TOLD`."""
    if row.kind == Notification.Kind.PREMATCH_CHANGED:
        return "linked" if row.parsed.get("user_id") else "unlinked"
    lines = row.parsed.get("specification") or []
    if any(line.get("error_code") is not None for line in lines[-1:]):
        return "fault"
    return "specified" if lines else "specification"
