"""What the workbench tells: what to do first, and whether everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.causes import Cause, causes, shortened
from backoffice.desk.chart import DAYS, Chart, chart_of
from backoffice.desk.running import Check, Silence, running
from backoffice.explanations.services import explain
from backoffice.jobs.models import Job
from backoffice.outbox.models import ServiceState
from notifications.models import Notification
from persons.models import Person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

JOBS: Final = 3  # more at once would push the rest off the page

# The publisher said no: its answer has a code (`notifications.payload`). Not `__gt`: SQLite puts
# JSON's null after every number.
ERROR_CODE: Final = "parsed__specification__0__error_code"
IS_FAULT: Final = Q(**{f"{ERROR_CODE}__isnull": False}) & ~Q(**{ERROR_CODE: None})


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
    silence: Silence | None
    chart: Chart
    jobs: list[Job]
    is_empty: bool


def home_page(user: AbstractUser | AnonymousUser, now: datetime | None = None) -> Home:
    """Everything on the page, by a number of queries that does not depend on the data."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    found = causes(today)
    runs = running(now)
    return Home(
        greeting=_greeting(timezone.localtime(now), user),
        lead=_lead(found, runs.is_well),
        causes=shortened(found),
        checks=runs.checks,
        alarm=_alarm(runs.state),
        silence=runs.silence,
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
