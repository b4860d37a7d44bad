"""The office's and the worker's words about many notifications."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from backoffice.outbox.models import PushState
from credits.models import PersonCredit, SchoolCredit
from notifications.marks import TEST_PREFIX
from persons.models import Person

if TYPE_CHECKING:
    from notifications.models import Notification


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notifications as the office and the worker speak of them."""

    def due(self, now: datetime) -> NotificationQuerySet:
        """Still to be applied, and no worker has them."""
        return self.filter(verdict__in=self.model.TO_APPLY).filter(
            Q(due_at__isnull=True) | Q(due_at__lte=now)
        )

    def from_outside(self) -> NotificationQuerySet:
        """Without the tests that we sent ourselves: they count nowhere."""
        return self.exclude(subject__startswith=TEST_PREFIX)

    def of_subject(self, notification: Notification) -> NotificationQuerySet:
        """All of the same kind about the same subject."""
        return self.filter(subject=notification.subject, kind=notification.kind)

    def in_pieces(self) -> NotificationQuerySet:
        """Of version 4.3: what they say stands together, see `piecing.py`."""
        return self.filter(parsed__has_key="version")

    def in_full(self) -> NotificationQuerySet:
        """Of version 4.0: each says everything."""
        return self.exclude(parsed__has_key="version")

    def take_new(self, *, now: datetime, lease: timedelta, limit: int) -> list[Notification]:
        """Claim what was never tried, in order of arrival; two workers never get the same one."""
        return self._take(self.filter(tries=0), now=now, lease=lease, limit=limit, tries=1)

    def take_again(self, *, now: datetime, lease: timedelta) -> Notification | None:
        """Claim one that was tried before; alone, so that it cannot take others down with it."""
        again = self.filter(tries__gt=0)
        first = again.due(now).order_by("id").values_list("tries", flat=True).first()
        if first is None:
            return None
        tried = again.filter(tries=first)
        taken = self._take(tried, now=now, lease=lease, limit=1, tries=first + 1)
        return taken[0] if taken else None

    def _take(
        self,
        candidates: NotificationQuerySet,
        *,
        now: datetime,
        lease: timedelta,
        limit: int,
        tries: int,
    ) -> list[Notification]:
        claim = uuid4().hex
        with transaction.atomic():
            rows = candidates.due(now).order_by("id")
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True)
            ids = list(rows.values_list("pk", flat=True)[:limit])
            if not ids:
                return []
            # The condition stands here once more: it decides, the reading above only proposes.
            candidates.due(now).filter(pk__in=ids).update(
                tries=tries, claim=claim, due_at=now + lease
            )
        return list(self.filter(pk__in=ids, claim=claim).defer("raw").order_by("id"))

    def unmatched(self) -> NotificationQuerySet:
        """Waiting for a subject that we do not have."""
        return self.filter(verdict=self.model.Verdict.UNMATCHED)

    def with_subject_here(self) -> NotificationQuerySet:
        """Those whose person or credit exists with us now."""
        key = OuterRef("subject")
        kept = Person.objects.exclude(push_state=PushState.DELETED)
        person = Exists(kept.filter(distributor_person_id=key))
        credit = Exists(PersonCredit.objects.filter(distributor_person_credit_id=key)) | Exists(
            SchoolCredit.objects.filter(distributor_school_credit_id=key)
        )
        kinds = self.model.Kind
        return self.filter(
            (Q(kind=kinds.PREMATCH_CHANGED) & person)
            | (Q(kind=kinds.SPECIFICATION_CHANGED) & credit)
        )

    def release(self) -> int:
        """Let these unmatched ones be applied."""
        return self.unmatched().update(
            verdict=self.model.Verdict.WAITING, reason="", tries=0, due_at=None, claim=""
        )

    def about(self, kind: str, subjects: Iterable[str]) -> NotificationQuerySet:
        """Of one kind, about any of these keys of the partner."""
        return self.filter(kind=kind, subject__in=list(subjects))
