"""Our own sending, as one pupil meets it: what is still to go out, and whether anything goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
        if not self.pending:  # nearly always, and lists ask for thousands
            return self.service
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


def outgoing_of(
    school_credits: Mapping[int, Sequence[int]], service: SendingFacts
) -> dict[int, Outgoing]:
    """What is still to go out for each of these persons and their school credits; one query."""
    chains = {
        pk: {chain_of(pk), *(key_of("school_credit", credit) for credit in credits)}
        for pk, credits in school_credits.items()
    }
    pending = _pending_by_chain({chain for those in chains.values() for chain in those})
    found = {}
    for pk, those in chains.items():
        mine = {one.pk: one for chain in those for one in pending.get(chain, ())}
        ordered = sorted(mine.values(), key=lambda one: (one.asked_at, one.pk))
        found[pk] = Outgoing(ordered, service)
    return found


def _pending_by_chain(chains: Collection[str]) -> Mapping[str, Sequence[Message]]:
    """The unfinished messages of these chains; one that joins two stands under both."""
    found: dict[str, list[Message]] = defaultdict(list)
    rows = (
        Message.objects.filter(Q(status__in=Message.ACTIVE) | Q(status=Message.Status.WAITING))
        .filter(Q(chain__in=chains) | Q(joins__in=chains))
        .select_related("waits_for")
    )
    for one in rows:
        if not is_question(one.operation):
            for chain in {one.chain, one.joins}:
                found[chain].append(one)
    return found


def service_facts(now: datetime) -> SendingFacts:
    """How all sending stands, whoever asks; two queries."""
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
        unreachable_since=state.unreachable_since or (failed if is_down else None),
        worker_seen_at=beat,
        worker_is_gone=beat is None or now - beat > WORKER_SILENT,
    )
