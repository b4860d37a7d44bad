"""Our own sending, as one pupil meets it: what is still to go out, and whether anything goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Min, Q

from backoffice.outbox import stops
from backoffice.outbox.models import Message, ServiceState, key_of
from backoffice.outbox.registry import is_question
from credits.access import SendingFacts
from persons.services import chain_of

WORKER_SILENT: Final = timedelta(seconds=90)
# Also what joins two persons: nothing of either overtakes it.
OF_THE_PERSON: Final = ("person.rename", "person.merge", "person.delete")


@dataclass(frozen=True)
class Outgoing:
    """The messages of one pupil that are not finished, and the state of all sending."""

    pending: Sequence[Message]
    service: SendingFacts

    def for_subjects(self, subjects: Iterable[str]) -> SendingFacts:
        """The same as far as these rows are concerned: another book's message holds up nothing."""
        wanted = set(subjects)
        mine = [
            one for one in self.pending if one.subject in wanted or one.operation in OF_THE_PERSON
        ]
        oldest = min((one.asked_at for one in mine), default=None)
        blocked = next((one for one in mine if one.waits_for is not None), None)
        if blocked is None or blocked.waits_for is None:
            return replace(self.service, oldest=oldest)
        root = blocked.waits_for
        return replace(
            self.service,
            oldest=oldest,
            blocker=root.pk,
            blocker_code=root.code,
            blocked_at=blocked.asked_at,
        )


def outgoing_of(person_id: int, school_credit_ids: Sequence[int], now: datetime) -> Outgoing:
    """What is still to go out for this person and these school credits."""
    chains = [chain_of(person_id), *(key_of("school_credit", pk) for pk in school_credit_ids)]
    pending = (
        Message.objects.filter(Q(status__in=Message.ACTIVE) | Q(status=Message.Status.WAITING))
        .filter(Q(chain__in=chains) | Q(joins__in=chains))
        .select_related("waits_for")
        .order_by("asked_at", "pk")
    )
    return Outgoing([one for one in pending if not is_question(one.operation)], _service_facts(now))


def _service_facts(now: datetime) -> SendingFacts:
    queue = Message.objects.active().aggregate(number=Count("pk"), oldest=Min("created_at"))
    state = ServiceState.objects.filter(service=stops.SERVICE).first()
    if state is None:
        return SendingFacts(queue=queue["number"], queue_oldest=queue["oldest"])
    failed, answered, beat = state.last_failure_at, state.last_success_at, state.beat_at
    is_down = failed is not None and (answered is None or failed > answered)
    return SendingFacts(
        queue=queue["number"],
        queue_oldest=queue["oldest"],
        login_refused_at=state.stopped_at,
        unreachable_since=failed if is_down else None,
        worker_seen_at=beat,
        worker_is_gone=beat is None or now - beat > WORKER_SILENT,
    )
