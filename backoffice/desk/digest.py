"""What stands in the daily mail of an account manager: facts only, the words are beside it.

The items are those of the work lists (`todo.by_list`), so that mail and pages never differ. What
is new or went away is told by the items of the last mail that was sent. No pupil is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.digest_models import Digest
from backoffice.desk.running import Check, running
from backoffice.desk.todo import by_list
from backoffice.desk.work import LISTS, MINE, WorkItem
from backoffice.desk.work_keys import FAMILIES, Key, read_key
from backoffice.desk.work_rows import Scope
from backoffice.jobs.models import Job
from backoffice.outbox.models import Attempt, ServiceState
from backoffice.outbox.stops import WORK
from notifications.models import Notification
from persons.models import School

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

FIRST_LOOK: Final = timedelta(days=1)  # how far back the very first mail looks for failures


@dataclass(frozen=True)
class Line:
    """One item, and what the last mail said of its cause: nothing, or so many rows."""

    item: WorkItem
    before: int | None
    now: int

    @property
    def is_new(self) -> bool:
        """The last mail did not have it."""
        return self.before is None


@dataclass(frozen=True)
class Gone:
    """A cause of the last mail that is not there any more."""

    title: str
    rows: int
    is_by_itself: bool


@dataclass(frozen=True)
class Trouble:
    """Something that went wrong on our side, with where to look."""

    words: str
    url: str = ""


@dataclass(frozen=True)
class Contents:
    """Everything in one mail. `since` is when the last one was sent; None: this is the first."""

    user: AbstractBaseUser
    now: datetime
    since: datetime | None
    schools: int
    lists: Mapping[str, list[Line]]
    gone: list[Gone]
    troubles: list[Trouble]
    checks: list[Check]
    snapshot: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def mine(self) -> list[Line]:
        """What needs this colleague."""
        return self.lists[MINE]

    @property
    def lines(self) -> list[Line]:
        """All of them; what this colleague took from another list stands in two."""
        found = {line.item.key: line for lines in self.lists.values() for line in lines}
        return list(found.values())


def contents_for(user: AbstractBaseUser, now: datetime) -> Contents:
    """What the mail to this colleague tells at this moment."""
    today = timezone.localdate(now)
    last = (
        Digest.objects.filter(user_id=user.pk, day__lt=today)
        .exclude(sent_at=None)
        .order_by("-day")
        .first()
    )
    items, agreed_lists = by_list(Scope(now, user), user)
    snapshot = snapshot_of(items)
    before: dict[str, dict[str, Any]] = last.items if last else {}

    def line(item: WorkItem) -> Line:
        cause = cause_of(item.key)
        # The first mail has nothing to compare with: all of it is simply there.
        rows = before.get(cause, {}).get("rows") if last else snapshot[cause]["rows"]
        return Line(item, rows, snapshot[cause]["rows"])

    gone = [
        Gone(str(told["title"]), int(told["rows"]), told["list"] != MINE)
        for cause, told in before.items()
        if cause not in snapshot
    ]
    since = last.sent_at if last else None
    return Contents(
        user=user,
        now=now,
        since=since,
        schools=School.objects.filter(account_manager_id=user.pk).count(),
        lists={name: [line(one.item) for one in agreed_lists[name]] for name in LISTS},
        gone=sorted(gone, key=lambda one: (-one.rows, one.title)),
        troubles=troubles_since(since or now - FIRST_LOOK, now),
        checks=[check for check in running(now).checks if not check.is_well],
        snapshot=snapshot,
    )


def snapshot_of(items: Iterable[WorkItem]) -> dict[str, dict[str, Any]]:
    """What the next mail compares with: by cause its rows, its title and its list."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        told = found.setdefault(
            cause_of(item.key), {"rows": 0, "title": item.title, "list": item.list}
        )
        told["rows"] += item.number
    return found


def cause_of(text: str) -> str:
    """The key of an item without its hour: refused again an hour later is the same cause."""
    key = read_key(text)
    names = FAMILIES[key.family]
    parts = ("" if name == "hour" else part for name, part in zip(names, key.parts, strict=True))
    return str(Key(key.family, tuple(parts)))


# --- what went wrong with us --------------------------------------------------------------------


def troubles_since(since: datetime, now: datetime) -> list[Trouble]:
    """Failures of our own, also those that nobody foresaw; counts, never what they were about."""
    window = Q(finished_at__gt=since, finished_at__lte=now)
    found = []
    stopped = Job.objects.filter(status=Job.Status.FAILED).filter(
        window | Q(finished_at=None, created_at__gt=since)
    )
    if number := stopped.count():
        words = ngettext("%d import broke off", "%d imports broke off", number) % number
        found.append(Trouble(words, reverse("admin:import_start")))
    if number := Attempt.objects.filter(window, outcome=Attempt.Outcome.BROKEN).count():
        words = ngettext(
            "%d message met an unforeseen error", "%d messages met an unforeseen error", number
        )
        url = f"{reverse('admin:outbox_message_changelist')}?group=attention"
        found.append(Trouble(words % number, url))
    given_up = Notification.objects.filter(verdict=Notification.Verdict.DEAD)
    if number := given_up.filter(received_at__gt=since).count():
        words = ngettext("%d notification was given up", "%d notifications were given up", number)
        url = f"{reverse('admin:notifications_notification_changelist')}?verdict=dead"
        found.append(Trouble(words % number, url))
    works = ServiceState.objects.filter(service__startswith=WORK, last_failure_at__gt=since)
    for row in works.order_by("service"):
        words = _("The worker could not do “%(work)s” (%(error)s)") % {
            "work": row.service.removeprefix(WORK),
            "error": row.last_failure,
        }
        found.append(Trouble(words))
    return found
