"""How the rows of each school stand, for the list of schools and the form of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, DateTimeField, F, Min, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.attention import is_kept, needs_attention, still_counts, waits_for_school
from backoffice.desk.freshness import DAY, QUEUE_LATE, WEEK, SchoolFacts, Word, school_word
from backoffice.desk.since import moment
from backoffice.outbox.models import PushState
from backoffice.screens.numbers import with_number
from backoffice.screens.panels import Panel, register_cells, register_panel
from credits.models import PersonCredit, SchoolCredit
from credits.status import CreditStatus
from persons.models import School, SchoolPerson

REFUSED: Final = (PushState.REFUSED, PushState.CONFLICT)
UNDER_WAY: Final = (PushState.QUEUED, PushState.SENDING, PushState.UNCERTAIN)
UNSENT: Final = (PushState.LOCAL_ONLY, PushState.CHANGED)
TEMPLATE: Final = "desk/_school_running.html"


@dataclass(frozen=True)
class SchoolState:
    """A school's word with its reason."""

    word: Word
    reason: str


def school_states(schools: Collection[int], now: datetime) -> dict[int, SchoolState]:
    """The word of each of these schools; one query."""
    return {pk: _state(facts, now) for pk, facts in school_facts(schools, now).items()}


def school_facts(schools: Collection[int], now: datetime) -> dict[int, SchoolFacts]:
    """What counts of each school: its credits, its persons there, and these persons themselves."""
    today = timezone.localdate(now)
    parts = [
        _of_credits(PersonCredit.objects.all(), "school_person__school", schools, today),
        _of_credits(SchoolCredit.objects.all(), "school", schools, today),
        _of_persons("", schools),
        _of_persons("person__", schools),
    ]
    found: dict[int, list[tuple[Any, ...]]] = {pk: [] for pk in schools}
    for school, *columns in parts[0].union(*parts[1:], all=True):
        found[school].append(tuple(columns))
    return {pk: _merged(rows) for pk, rows in found.items()}


def _merged(rows: Sequence[tuple[Any, ...]]) -> SchoolFacts:
    def oldest(at: int) -> datetime | None:
        return min((row[at] for row in rows if row[at] is not None), default=None)

    return SchoolFacts(sum(row[0] for row in rows), oldest(1), oldest(2), oldest(3), oldest(4))


def _of_credits(
    rows: QuerySet[Any], school: str, schools: Collection[int], today: date
) -> QuerySet[Any, Any]:
    at_publisher = Q(status=CreditStatus.WAITING_FOR_PUBLISHER) & is_kept() & still_counts(today)
    since = Coalesce("registered_at", "push_changed_at", "created_at")
    # A usable credit is nobody's work: the index leaves those out.
    open_ones = rows.exclude(status=CreditStatus.USABLE).filter(**{f"{school}__in": schools})
    return _row(
        open_ones,
        school,
        refused=Count("pk", filter=needs_attention(today)),
        under_way=_oldest("", UNDER_WAY),
        unsent=_oldest("", UNSENT),
        at_publisher=Min(since, filter=at_publisher),
        at_school=Min(since, filter=waits_for_school(today)),
    )


def _of_persons(prefix: str, schools: Collection[int]) -> QuerySet[Any, Any]:
    nothing = Cast(Value(None), DateTimeField())
    states = [*REFUSED, *UNDER_WAY, *UNSENT]
    open_ones = SchoolPerson.objects.exclude(push_state=PushState.DELETED).filter(
        **{"school__in": schools, f"{prefix}push_state__in": states}
    )
    return _row(
        open_ones,
        "school",
        refused=Count("pk", filter=Q(**{f"{prefix}push_state__in": REFUSED})),
        under_way=_oldest(prefix, UNDER_WAY),
        unsent=_oldest(prefix, UNSENT),
        at_publisher=nothing,
        at_school=nothing,
    )


def _row(rows: QuerySet[Any], school: str, **columns: Any) -> QuerySet[Any, Any]:
    grouped = rows.order_by().values(at=F(school)).annotate(**columns)
    listed: QuerySet[Any, Any] = grouped.values_list("at", *columns)
    return listed


def _oldest(prefix: str, states: Sequence[str]) -> Min:
    since = Coalesce(f"{prefix}push_changed_at", f"{prefix}created_at")
    return Min(since, filter=Q(**{f"{prefix}push_state__in": states}))


def _state(facts: SchoolFacts, now: datetime) -> SchoolState:
    word = school_word(facts, now)
    if word == Word.ACTION:
        words = ngettext("%d row needs attention", "%d rows need attention", facts.refused)
        return SchoolState(word, with_number(words, facts.refused))
    waits = (
        (facts.under_way_since, QUEUE_LATE, _("being sent since %s")),
        (facts.unsent_since, DAY, _("not sent since %s")),
        (facts.at_publisher_since, DAY, _("at the publisher since %s")),
        (facts.at_school_since, WEEK, _("waits for the school since %s")),
    )
    for since, patience, words in waits:
        if since is not None and now - since > patience:
            return SchoolState(word, words % moment(since, now))
    return SchoolState(word, "")


# --- on the pages -------------------------------------------------------------------------------


def register_school_states() -> None:
    """Called once, when the roof is set up."""
    register_cells("school", _cells)
    register_panel("school", _panel)


def _cells(schools: Collection[int]) -> dict[int, dict[str, object]]:
    states = school_states(schools, timezone.now())
    return {pk: {"running": state} for pk, state in states.items()}


def _panel(request: HttpRequest, school: School) -> Panel | None:
    if not request.user.has_perm("credits.view_personcredit"):
        return None
    return Panel(TEMPLATE, school_states([school.pk], timezone.now())[school.pk])
