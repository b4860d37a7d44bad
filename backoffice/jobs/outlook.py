"""What sending an import would do, and what it would not and why: the sentences shared by kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import Count, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backoffice.jobs.models import Job
from backoffice.outbox.models import PushState

Line = tuple[str | Promise, int]

UNDER_WAY: Final = (PushState.QUEUED, PushState.WAITING, PushState.SENDING, PushState.UNCERTAIN)
IN_OUR_HANDS: Final = (PushState.REFUSED, PushState.CONFLICT)


def states_of(rows: QuerySet[Any]) -> dict[str, int]:
    """How many rows stand how beside Edu-iX."""
    return dict(rows.order_by().values_list("push_state").annotate(number=Count("pk")))


def total(states: Mapping[str, int], wanted: Iterable[str]) -> int:
    """How many rows are in one of these states."""
    return sum(states.get(state, 0) for state in wanted)


def counted(*lines: Line) -> list[Line]:
    """The lines that count anything."""
    return [line for line in lines if line[1]]


def staying(job: Job, *states: Mapping[str, int]) -> list[Line]:
    """What of an import is not sent, and why."""

    def of(wanted: Iterable[str]) -> int:
        return sum(total(each, wanted) for each in states)

    results = job.summary.get("counts", {})
    return counted(
        (_("Refused here: stands in the file with its reason"), results.get("refused", 0)),
        (_("Stands in the file twice"), results.get("skipped", 0)),
        (_("Equal to Edu-iX already"), of([PushState.IN_SYNC])),
        (_("On its way already"), of(UNDER_WAY)),
        (_("Refused by Edu-iX: mend it in its form, then it goes by itself"), of(IN_OUR_HANDS)),
    )
