"""What the workbench tells: what to do first, and whether everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.causes import Cause, causes, shortened
from backoffice.desk.chart import DAYS, Chart, chart_of
from backoffice.desk.since import duration, moment
from backoffice.explanations.services import explain
from backoffice.jobs.models import Job
from backoffice.outbox.models import Message, ServiceState
from backoffice.outbox.stops import SERVICE
from notifications.models import Notification
from persons.models import Person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

SILENT: Final = timedelta(seconds=90)  # the worker gives a sign more often than this
SLOW: Final = timedelta(minutes=10)  # somebody asks when a message waits longer than this

JOBS: Final = 3  # more at once would push the rest off the page

# The publisher said no: its answer has a code (`notifications.payload`). Not `__gt`: SQLite puts
# JSON's null after every number.
ERROR_CODE: Final = "parsed__specification__0__error_code"
IS_FAULT: Final = Q(**{f"{ERROR_CODE}__isnull": False}) & ~Q(**{ERROR_CODE: None})


@dataclass(frozen=True)
class Check:
    """One line of "does everything run": `tone` is ok, wait, bad, or q for "we cannot know"."""

    tone: str
    name: str
    text: str


@dataclass(frozen=True)
class Alarm:
    """All sending stands still: what happened, and what to do."""

    title: str
    cause: str
    steps: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class Home:
    """The whole page."""

    greeting: str
    lead: str
    causes: list[Cause]
    checks: list[Check]
    alarm: Alarm | None
    chart: Chart
    jobs: list[Job]
    is_empty: bool


def home_page(user: AbstractUser | AnonymousUser, now: datetime | None = None) -> Home:
    """Everything on the page, by a number of queries that does not depend on the data."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    found = causes(today)
    state = ServiceState.objects.filter(service=SERVICE).first()
    checks = [_sending(state, now), _partner(state, now), _notifications(now)]
    return Home(
        greeting=_greeting(timezone.localtime(now), user),
        lead=_lead(found, all(check.tone in ("ok", "q") for check in checks)),
        causes=shortened(found),
        checks=checks,
        alarm=_alarm(state),
        chart=_chart(today),
        jobs=list(Job.objects.filter(status__in=Job.AT_WORK).order_by("-pk")[:JOBS]),
        is_empty=not found and not Person.objects.exists(),
    )


def _greeting(now: datetime, user: AbstractUser | AnonymousUser) -> str:
    parts = ((6, _("Good night")), (12, _("Good morning")), (18, _("Good afternoon")))
    words = next((words for hour, words in parts if now.hour < hour), _("Good evening"))
    name = str(getattr(user, "first_name", ""))
    return f"{words}, {name}" if name else words


def _lead(found: list[Cause], everything_runs: bool) -> str:
    """One line of verdict before any detail; its first number is the one in the menu."""
    ours = [cause for cause in found if not cause.is_for_school]
    attention = sum(cause.count for cause in ours)
    at_school = sum(cause.count for cause in found if cause.is_for_school)
    sentences = []
    if attention:
        words = ngettext("%s credit needs attention.", "%s credits need attention.", attention)
        sentences.append(words % number_format(attention))
    elif ours:
        sentences.append(_("No credit stands still, but some persons were refused."))
    if len(ours) > 3 and attention:
        explained = sum(cause.count for cause in ours[:3])
        sentences.append(_("Three causes explain %s of them.") % number_format(explained))
    if at_school:
        words = ngettext(
            "%s credit waits for a school.", "%s credits wait for a school.", at_school
        )
        sentences.append(words % number_format(at_school))
    if not found:
        sentences.append(_("Nothing needs your attention."))
    sentences.append(
        _("Everything runs on time.") if everything_runs else _("Not everything runs.")
    )
    return " ".join(sentences)


def _sending(state: ServiceState | None, now: datetime) -> Check:
    name = _("Sending")
    queue = Message.objects.active().aggregate(rows=Count("pk"), oldest=Min("created_at"))
    rows, oldest = queue["rows"], queue["oldest"]
    words = _("nothing in the queue")
    if rows:
        words = _("%(number)s in the queue, oldest %(age)s") % {
            "number": number_format(rows),
            "age": duration(now - oldest),
        }
    if state is not None and state.stopped_at is not None:
        return Check("bad", name, _("stopped; %s") % words)
    if state is None or state.beat_at is None:
        return Check("bad" if rows else "q", name, _("no sign of the sender yet; %s") % words)
    if now - state.beat_at > SILENT:
        since = moment(state.beat_at, now)
        return Check(
            "bad", name, _("silent since %(time)s; %(queue)s") % {"time": since, "queue": words}
        )
    if rows and now - oldest > SLOW:
        return Check("wait", name, words)
    return Check("ok", name, words)


def _partner(state: ServiceState | None, now: datetime) -> Check:
    name = "Edu-iX"
    if state is not None and state.stopped_at is not None:
        return Check("bad", name, _("refuses our login since %s") % moment(state.stopped_at, now))
    success = state.last_success_at if state else None
    failure = state.last_failure_at if state else None
    if failure is not None and (success is None or failure > success):
        return Check("wait", name, _("last try failed at %s") % moment(failure, now))
    if success is None:
        return Check("q", name, _("not asked anything yet"))
    return Check("ok", name, _("last answer %s") % moment(success, now))


def _notifications(now: datetime) -> Check:
    name = _("Notifications")
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    told = Notification.objects.aggregate(
        last=Max("received_at"), today=Count("pk", filter=Q(received_at__gte=midnight))
    )
    if told["last"] is None:
        return Check("q", name, _("none received yet"))
    words = _("last %(time)s, %(number)s today") % {
        "time": moment(told["last"], now),
        "number": number_format(told["today"]),
    }
    return Check("ok", name, words)


def _alarm(state: ServiceState | None) -> Alarm | None:
    if state is None or state.stopped_at is None:
        return None
    told = explain(state.code if state.code is not None else "own:login_refused")
    return Alarm(told.title, told.cause, told.steps, state.stopped_at)


def _chart(today: date) -> Chart:
    start = timezone.make_aware(datetime.combine(today - timedelta(days=DAYS - 1), time.min))
    rows = (
        Notification.objects.filter(received_at__gte=start)
        .order_by()
        .annotate(day=TruncDate("received_at"))
        .values_list("day")
        .annotate(rows=Count("pk"), faults=Count("pk", filter=IS_FAULT))
    )
    return chart_of({day: (number, faults) for day, number, faults in rows}, today)
