"""Does everything run: the lines of the workbench, each with its word and the proof beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max, Min
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.digest_models import Digest
from backoffice.desk.freshness import (
    ENOUGH,
    NotificationFacts,
    PartnerFacts,
    SendingFacts,
    Word,
    comparison_word,
    mail_word,
    notifications_word,
    partner_word,
    sending_word,
    worker_word,
)
from backoffice.desk.sending_health import Queue, of_all, queues
from backoffice.desk.since import duration, moment
from backoffice.eduix.contract import endpoint_path
from backoffice.outbox.models import ServiceState
from backoffice.outbox.stops import PARTNERS, SERVICE, WORK
from credits.models import PersonCredit
from credits.status import CreditStatus
from notifications.answers import RefusedNow, refused_now
from notifications.models import Notification
from notifications.refused_words import RefusedAlarm, alarm_of
from persons.comparing import known_persons, last_checked

TROUBLE_NEWS: Final = timedelta(hours=1)  # after an unforeseen error of the worker
NAMES: Final = {"profile": "Edu-iX Profile", "credit": "Edu-iX Credit"}


@dataclass(frozen=True)
class Check:
    """One line: what, how it stands, and the proof."""

    word: Word
    name: str
    text: str

    @property
    def is_well(self) -> bool:
        """Nothing to look at; what never ran is no trouble."""
        return self.word in (Word.ON_TIME, Word.UNKNOWN)


@dataclass(frozen=True)
class Silence:
    """Credits left and no notification came: what that may be, and where to look."""

    title: str
    cause: str
    step: str
    url: str


@dataclass(frozen=True)
class Running:
    """The lines, and the alarms that belong to them."""

    checks: list[Check]
    state: ServiceState | None
    silence: Silence | None
    refused: RefusedAlarm | None
    checked_at: datetime | None
    queues: dict[str, Queue]

    @property
    def is_well(self) -> bool:
        """Every line."""
        return all(check.is_well for check in self.checks)


def running(now: datetime) -> Running:
    """All lines; a dozen queries, and four more when a sender of notifications is refused."""
    states = {row.service: row for row in ServiceState.objects.all()}
    state = states.get(SERVICE)
    waiting = queues()
    queue = of_all(waiting.values())
    told = _told(now)
    facts = _notification_facts(told)
    refused = refused_now(now)
    checked_at = last_checked()
    checks = [
        _sending(state, queue, now),
        _worker(state, bool(queue.rows), trouble_of(states, now), now),
        *(partner_check(name, states, now) for name in PARTNERS),
        _notifications(told, facts, now, refused),
        _comparison(checked_at, now),
        *_daily_mail(now),
    ]
    alarm = alarm_of(refused, now) if refused else None
    return Running(checks, state, _silence(facts, now), alarm, checked_at, waiting)


def _sending(state: ServiceState | None, queue: Queue, now: datetime) -> Check:
    words = _("nothing in the queue")
    if queue.oldest is not None:
        words = _("%(number)s in the queue, oldest %(age)s") % {
            "number": number_format(queue.rows),
            "age": duration(now - queue.oldest),
        }
    facts = SendingFacts(
        rows=queue.rows,
        oldest_at=queue.oldest,
        stopped_at=state.stopped_at if state else None,
        has_sent=state is not None and state.beat_at is not None,
    )
    text = _("stopped; %s") % words if facts.stopped_at else words
    return Check(sending_word(facts, now), _("Sending"), text)


def trouble_of(states: Mapping[str, ServiceState], now: datetime) -> ServiceState | None:
    """The background work that last met an unforeseen error, for as long as that is news."""
    met = [
        (state.last_failure_at, state)
        for service, state in states.items()
        if service.startswith(WORK) and state.last_failure_at is not None
    ]
    at, state = max(met, key=lambda pair: pair[0], default=(None, None))
    return state if at is not None and now - at <= TROUBLE_NEWS else None


def _worker(
    state: ServiceState | None, has_queue: bool, trouble: ServiceState | None, now: datetime
) -> Check:
    seen_at = state.beat_at if state else None
    word = worker_word(seen_at, has_queue, now)
    if seen_at is None:
        text = _("no sign of the sender yet")
    elif word == Word.ACTION:
        text = _("silent since %s; ask your administrator to start it") % moment(seen_at, now)
    elif word != Word.ON_TIME:
        text = _("silent since %s") % moment(seen_at, now)
    elif trouble is not None and trouble.last_failure_at is not None:
        word = Word.ACTION
        text = _("could not do “%(work)s” at %(time)s (%(error)s)") % {
            "work": trouble.service.removeprefix(WORK),
            "time": moment(trouble.last_failure_at, now),
            "error": trouble.last_failure,
        }
    else:
        text = _("at work")
    return Check(word, _("Worker"), text)


def partner_check(service: str, states: Mapping[str, ServiceState], now: datetime) -> Check:
    state, shared = states.get(service), states.get(SERVICE)
    refused = None
    if shared is not None and shared.refused_service in ("", service):
        refused = shared.stopped_at
    facts = PartnerFacts(
        answered_at=state.last_success_at if state else None,
        failed_at=state.last_failure_at if state else None,
        refused_at=refused,
    )
    word = partner_word(facts, now)
    if facts.refused_at is not None:
        text = _("refuses our login since %s") % moment(facts.refused_at, now)
    elif word == Word.ON_TIME and facts.answered_at is not None:
        text = _("last answer %s") % moment(facts.answered_at, now)
    elif facts.failed_at is not None and facts.answered_at is not None:
        text = _("no answer at %(time)s; the last one at %(last)s") % {
            "time": moment(facts.failed_at, now),
            "last": moment(facts.answered_at, now),
        }
    elif facts.failed_at is not None:
        text = _("last try failed at %s") % moment(facts.failed_at, now)
    else:
        text = _("not asked anything yet")
    return Check(word, NAMES[service], text)


# --- notifications ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """When something came in for the last time, how much today, and what is not applied yet."""

    last: datetime | None
    today: int
    stored: datetime | None


def _told(now: datetime) -> Told:
    """Three questions, each with an index of its own: the table is long."""
    rows = Notification.objects.from_outside().order_by()
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    return Told(
        last=rows.aggregate(at=Max("received_at"))["at"],
        today=rows.filter(received_at__gte=midnight).count(),
        stored=rows.filter(verdict=Notification.Verdict.WAITING).aggregate(at=Min("received_at"))[
            "at"
        ],
    )


def _notification_facts(told: Told) -> NotificationFacts:
    return NotificationFacts(
        last_at=told.last,
        publisher_due_at=_enough_left(CreditStatus.WAITING_FOR_PUBLISHER, told.last),
        school_due_at=_enough_left(CreditStatus.WAITING_FOR_PREMATCH, told.last),
        stored_at=told.stored,
    )


def _enough_left(status: CreditStatus, last_at: datetime | None) -> datetime | None:
    """When the last of twenty such credits left, none of them followed by a notification.

    Any twenty will do: the index on the status ends the search at the twentieth.
    """
    rows = PersonCredit.objects.filter(status=status, registered_at__isnull=False)
    if last_at is not None:
        rows = rows.filter(registered_at__gt=last_at)
    times: list[datetime] = [
        at for at in rows.order_by("pk").values_list("registered_at", flat=True)[:ENOUGH] if at
    ]
    return max(times) if len(times) == ENOUGH else None


def _notifications(
    told: Told, facts: NotificationFacts, now: datetime, refused: RefusedNow | None
) -> Check:
    if facts.last_at is None:
        text = _("none received yet")
    else:
        text = _("last %(time)s, %(number)s today") % {
            "time": moment(facts.last_at, now),
            "number": number_format(told.today),
        }
    if refused is not None:
        text = _("refused since %s") % moment(refused.since, now)
        return Check(Word.ACTION, _("Notifications"), text)
    word = notifications_word(facts, now)
    if not _is_quiet(facts, now) and word in (Word.BEHIND, Word.ACTION) and facts.stored_at:
        text = _("%(text)s; one from %(time)s is not applied yet") % {
            "text": text,
            "time": moment(facts.stored_at, now),
        }
    return Check(word, _("Notifications"), text)


@dataclass(frozen=True)
class Incoming:
    """The line about notifications alone, with what stands behind it."""

    check: Check
    last_at: datetime | None
    silence: Silence | None
    refused: RefusedNow | None


def incoming(now: datetime) -> Incoming:
    """What comes in, for a page that asks nothing else."""
    told = _told(now)
    facts = _notification_facts(told)
    refused = refused_now(now)
    check = _notifications(told, facts, now, refused)
    return Incoming(check, told.last, _silence(facts, now), refused)


def _is_quiet(facts: NotificationFacts, now: datetime) -> bool:
    return facts.silence(now) in (Word.BEHIND, Word.ACTION)


def _silence(facts: NotificationFacts, now: datetime) -> Silence | None:
    if not _is_quiet(facts, now):
        return None
    title = _("No notifications received yet")
    if facts.last_at is not None:
        title = _("No notifications received since %s") % moment(facts.last_at, now)
    due_at = facts.publisher_due_at or facts.school_due_at
    return Silence(
        title=title,
        cause=_(
            "By %(time)s at least %(number)d credits had left that should have brought some; "
            "Edu-iX may not reach us."
        )
        % {"time": moment(due_at, now) if due_at else "", "number": ENOUGH},
        step=_(
            "Ask Edu-iX which address and login it has for us; ours is %s. Look among the refused "
            "deliveries whether it knocked."
        )
        % (settings.BACKOFFICE_PUBLIC_URL + endpoint_path("notification")),
        url=reverse("admin:notifications_refusal_changelist"),
    )


# --- comparison ---------------------------------------------------------------------------------


def _comparison(ended_at: datetime | None, now: datetime) -> Check:
    name = _("Comparison")
    if ended_at is None:
        return Check(Word.UNKNOWN, name, _("not compared yet"))
    text = _("last compared %s") % moment(ended_at, now)
    if not known_persons().exists():
        return Check(Word.ON_TIME, name, text)
    return Check(comparison_word(ended_at, now), name, text)


# --- the daily mail -----------------------------------------------------------------------------


def _daily_mail(now: datetime) -> list[Check]:
    """Nothing on a day without mail."""
    rows = list(Digest.objects.filter(day=timezone.localdate(now)).order_by("failed_at"))
    if not rows:
        return []
    name = _("Daily mail")
    if failed := [row for row in rows if row.sent_at is None and row.failed_at is not None]:
        last = failed[-1]
        text = _("%(number)d not sent, last try %(time)s (%(error)s); tried again by itself") % {
            "number": len(failed),
            "time": moment(last.failed_at, now) if last.failed_at else "",
            "error": last.failure,
        }
        return [Check(mail_word(max(row.tries for row in failed)), name, text)]
    sent = sum(row.sent_at is not None for row in rows)
    text = ngettext("sent to %d colleague", "sent to %d colleagues", sent) % sent
    return [Check(Word.ON_TIME, name, text)]
