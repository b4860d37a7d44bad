"""What was tried with each notification: a row a try, written many at once.

Applying one costs some milliseconds, so an own INSERT for each would show; what went wrong is
written at once, because the next one may be the one that stops the worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.models import Notification, Try

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User

MOST_UNWRITTEN: Final = 500


@dataclass(frozen=True)
class Who:
    """By whom a notification is applied."""

    by: Try.By = Try.By.WORKER
    user: AbstractBaseUser | None = None


WORKER: Final = Who()
COMMAND: Final = Who(Try.By.COMMAND)


@dataclass
class History:
    """Takes note of tries; `write` puts them in the database, in one statement."""

    who: Who = WORKER
    unwritten: list[Try] = field(default_factory=list)

    def note(
        self,
        pk: int,
        *,
        number: int,
        verdict: str,
        reason: str,
        traceback: str = "",
        next_at: datetime | None = None,
    ) -> None:
        """One try of this notification, that ended now."""
        self.unwritten.append(
            Try(
                notification_id=pk,
                number=number,
                tried_at=timezone.now(),
                by=self.who.by,
                user=cast("User | None", self.who.user),
                verdict=verdict,
                reason=reason,
                traceback=traceback,
                next_at=next_at,
            )
        )
        if len(self.unwritten) >= MOST_UNWRITTEN:
            self.write()

    def write(self) -> None:
        """Everything noted since the last time."""
        tries, self.unwritten = self.unwritten, []
        if not tries:
            return
        try:
            with transaction.atomic():
                Try.objects.bulk_create(tries)
        except IntegrityError:  # a notification was deleted meanwhile: not at the others' cost
            wanted = {one.notification_id for one in tries}
            kept = set(Notification.objects.filter(pk__in=wanted).values_list("pk", flat=True))
            Try.objects.bulk_create([one for one in tries if one.notification_id in kept])


def prune_tries(*, before: datetime) -> int:
    """Delete the tries from before this; returns how many.

    Their keys grow with time, so the oldest ones say when to stop, and the time needs no index.
    """
    deleted = 0
    while True:
        oldest = list(Try.objects.order_by("pk").values_list("pk", "tried_at")[:MOST_UNWRITTEN])
        over = [pk for pk, tried_at in oldest if tried_at < before]
        deleted += Try.objects.filter(pk__in=over).delete()[0]
        if len(over) < MOST_UNWRITTEN:
            return deleted
