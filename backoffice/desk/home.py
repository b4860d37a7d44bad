"""What the workbench tells: what to do first, and whether everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.desk.chart import DAYS, Chart, chart_of
from backoffice.desk.running import Check, Silence, running
from backoffice.desk.sending_health import SendingLine, sending_lines
from backoffice.desk.since import moment
from backoffice.desk.todo import Todo, lead_of, todo_of
from backoffice.jobs.models import Job
from backoffice.outbox.standstill import Standstill, standstill
from notifications.models import Notification
from notifications.refused_words import RefusedAlarm
from persons.models import Person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

JOBS: Final = 3  # more at once would push the rest off the page

# The publisher said no: its answer has a code (`notifications.payload`). Not `__gt`: SQLite puts
# JSON's null after every number.
ERROR_CODE: Final = "parsed__specification__0__error_code"
IS_FAULT: Final = Q(**{f"{ERROR_CODE}__isnull": False}) & ~Q(**{ERROR_CODE: None})


@dataclass(frozen=True)
class Home:
    """The whole page."""

    greeting: str
    lead: str
    todo: Todo
    checks: list[Check]
    alarm: Standstill | None
    silence: Silence | None
    refused: RefusedAlarm | None
    chart: Chart
    sending: list[SendingLine]
    jobs: list[Job]
    is_empty: bool
    equal_words: str


def home_page(
    user: AbstractUser | AnonymousUser, now: datetime | None = None, schools: str = ""
) -> Home:
    """Everything on the page, by a number of queries that does not depend on the data.

    `schools` is OWN or ALL of the work lists; when it is neither, somebody with schools begins
    with those.
    """
    now = now or timezone.now()
    todo = todo_of(user, now, schools)
    runs = running(now)
    return Home(
        greeting=_greeting(timezone.localtime(now), user),
        lead=lead_of(todo, everything_runs=runs.is_well),
        todo=todo,
        checks=runs.checks,
        alarm=standstill(runs.state),
        silence=None if runs.refused else runs.silence,  # being refused is why it is silent
        refused=runs.refused,
        chart=_chart(timezone.localdate(now)),
        sending=sending_lines(runs.queues, now),
        jobs=list(Job.objects.filter(status__in=Job.AT_WORK).order_by("-pk")[:JOBS]),
        is_empty=not todo.found and not Person.objects.exists(),
        equal_words=_equal_words(runs.checked_at, now),
    )


def _equal_words(checked_at: datetime | None, now: datetime) -> str:
    if checked_at is None:
        return _("Nothing was compared with Edu-iX yet.")
    return _("Last compared with Edu-iX: %s.") % moment(checked_at, now)


def _greeting(now: datetime, user: AbstractUser | AnonymousUser) -> str:
    parts = ((6, _("Good night")), (12, _("Good morning")), (18, _("Good afternoon")))
    words = next((words for hour, words in parts if now.hour < hour), _("Good evening"))
    name = str(getattr(user, "first_name", ""))
    return f"{words}, {name}" if name else words


def _chart(today: date) -> Chart:
    start = timezone.make_aware(datetime.combine(today - timedelta(days=DAYS - 1), time.min))
    rows = (
        Notification.objects.from_outside()
        .filter(received_at__gte=start)
        .order_by()
        .annotate(day=TruncDate("received_at"))
        .values_list("day")
        .annotate(rows=Count("pk"), faults=Count("pk", filter=IS_FAULT))
    )
    return chart_of({day: (number, faults) for day, number, faults in rows}, today)
