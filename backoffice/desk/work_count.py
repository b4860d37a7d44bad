"""How many rows each work item stands for: a fixed number of grouped queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateTimeField,
    IntegerField,
    Max,
    Min,
    Q,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from backoffice.desk.attention import has_publisher_fault, waits_for_school
from backoffice.desk.freshness import WORKER_GONE
from backoffice.desk.work_keys import UNSENT, VERDICTS, Key, hour_of, hour_words, key_for
from backoffice.desk.work_rows import (
    BEFORE,
    CREDITS,
    SCHOOL,
    STUCK,
    UNDER_WAY,
    Rows,
    Scope,
    rows_of,
    silent_since,
    stuck_since,
    waits_of_most,
)
from backoffice.outbox.models import PushState, ServiceState
from backoffice.outbox.standstill import RESTS_BEFORE_ALARM
from backoffice.outbox.stops import SERVICE
from credits.status import CreditStatus
from persons.models import SchoolPerson

HELD: Final = "held"  # credits that wait behind the rows of an item
PERSONS: Final = {
    "person": "pk",
    "schoolperson": "person",
    "person_change": "person",
    "person_credit": "school_person__person",
    "credit_return": "person_credit__school_person__person",
}


@dataclass
class Tally:
    """Rows of one kind in one item. `pupils` counts persons, which rows may share."""

    rows: int = 0
    pupils: int = 0
    since: datetime | None = None
    newest: datetime | None = None
    max_pk: int = 0

    def add(self, rows: int, pupils: int, since: Any, newest: Any, max_pk: int) -> None:
        """One more group of the same item."""
        self.rows += rows
        self.pupils += pupils
        self.since = min(filter(None, (self.since, since)), default=None)
        self.newest = max(filter(None, (self.newest, newest)), default=None)
        self.max_pk = max(self.max_pk, max_pk)


@dataclass
class Counts:
    """Everything that is counted: by item and kind, with the state of our own sending."""

    items: dict[Key, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    service: ServiceState | None = None
    manager: int | None = None

    def add(self, key: Key, kind: str, group: tuple[Any, ...]) -> None:
        """A group of rows, as `_grouped` gives its numbers."""
        self.items[key][kind].add(*group)


def count(scope: Scope) -> Counts:
    """Every item that is there now."""
    counts = Counts(
        service=ServiceState.objects.filter(service=SERVICE).first(), manager=scope.manager
    )
    for kind in ("person", "schoolperson", "person_change", *CREDITS, "credit_return"):
        _by_answer(counts, kind, scope)
        _under_way(counts, kind, scope)
    _held_up(counts, scope)
    _faults(counts, scope)
    _prematch(counts, scope)
    _unsent(counts, scope)
    _waiting_for_publisher(counts, scope)
    _notifications(counts, scope)
    return counts


def _grouped(
    rows: Rows, *by: str, kind: str, moment: str = "push_changed_at"
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Groups with their numbers: rows, pupils, oldest and newest moment, highest key."""
    path = PERSONS.get(kind)
    pupils: Any = Count(path, distinct=True) if path else Value(0, output_field=IntegerField())
    if not by:
        rows, by = rows.annotate(one=Value(1, output_field=IntegerField())), ("one",)
    found = (
        rows.order_by()
        .values_list(*by)
        .annotate(
            n_rows=Count("pk"),
            n_pupils=pupils,
            oldest=Min(moment),
            newest=Max(moment),
            highest=Max("pk"),
        )
    )
    for row in found:
        if row[len(by)]:  # without groups the database answers for no rows as well
            yield row[: len(by)], row[len(by) :]


def _by_answer(counts: Counts, kind: str, scope: Scope) -> None:
    """What Edu-iX refused, by its answer and hour (and book); what differs, by kind."""
    rows = scope.in_state(kind, *STUCK).annotate(hour=hour_of("push_changed_at"))
    book = ("ean",) if kind in CREDITS else ()
    for by, group in _grouped(rows, "push_state", "push_code", "hour", *book, kind=kind):
        state, code, hour, *ean = by
        if state == PushState.CONFLICT:
            counts.add(key_for("conflict", kind=kind), kind, group)
        else:
            counts.add(_refused(kind, code, hour, *ean), kind, group)


def _refused(kind: str, code: int | None, hour: str | None, ean: str = "") -> Key:
    number = None if code is None else abs(code)
    return key_for("refused", kind=kind, code=number, ean=ean, hour=hour)


def _under_way(counts: Counts, kind: str, scope: Scope) -> None:
    """What goes by itself; unless our sending stands still."""
    is_long = Case(
        When(push_changed_at__lt=stuck_since(scope.now), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = scope.in_state(kind, *UNDER_WAY, PushState.UNCERTAIN).annotate(is_long=is_long)
    family = _sending(counts.service, scope.now)
    for (state, long), group in _grouped(rows, "push_state", "is_long", kind=kind):
        name = "uncertain" if state == PushState.UNCERTAIN else family
        counts.add(key_for("stuck" if long and name == "sending" else name), kind, group)


def _sending(service: ServiceState | None, now: datetime) -> str:
    if service is not None and service.stopped_at is not None:
        return "login"
    if service is None or service.beat_at is None or now - service.beat_at > WORKER_GONE:
        return "standstill"
    return "unreachable" if service.failures >= RESTS_BEFORE_ALARM else "sending"


def _held_up(counts: Counts, scope: Scope) -> None:
    """Credits that wait count with the refused person or school link that they wait for."""
    stuck = Q()
    for path in BEFORE["person_credit"]:
        stuck |= Q(**{f"{path}__push_state__in": STUCK})
    rows = scope.rows("person_credit").filter(stuck, status=CreditStatus.WAITING)
    by = []
    for path in BEFORE["person_credit"]:
        alias = f"hour_of_{path}"
        rows = rows.annotate(**{alias: hour_of(f"{path}__push_changed_at")})
        by += [f"{path}__push_state", f"{path}__push_code", alias]
    for told, group in _grouped(rows, *by, kind="person_credit"):
        kind, (state, code, hour) = (
            ("person", told[:3]) if told[0] in STUCK else ("schoolperson", told[3:])
        )
        is_conflict = state == PushState.CONFLICT
        key = key_for("conflict", kind=kind) if is_conflict else _refused(kind, code, hour)
        counts.add(key, HELD, group)
    key = key_for("held")
    for kind, others in rows_of(key, scope).items():
        for _by, group in _grouped(others, kind=kind):
            counts.add(key, kind, group)


def _faults(counts: Counts, scope: Scope) -> None:
    for kind in CREDITS:
        rows = scope.rows(kind).filter(has_publisher_fault(scope.today))
        rows = rows.annotate(hour=hour_of("specification_changed_at"))
        groups = _grouped(
            rows,
            "publisher_error_code",
            "ean",
            "hour",
            kind=kind,
            moment="specification_changed_at",
        )
        for (code, ean, hour), group in groups:
            counts.add(key_for("fault", code=code, ean=ean, hour=hour), kind, group)


def _prematch(counts: Counts, scope: Scope) -> None:
    rows = scope.rows("person_credit").filter(waits_for_school(scope.today))
    for (school,), group in _grouped(rows, SCHOOL["person_credit"], kind="person_credit"):
        counts.add(key_for("prematch", school=school), "person_credit", group)


def _unsent(counts: Counts, scope: Scope) -> None:
    """By school; a person at two schools is work of both."""
    moment = Coalesce("push_changed_at", "created_at", output_field=DateTimeField())
    for kind, path in SCHOOL.items():
        rows = scope.in_state(kind, *UNSENT).annotate(moment=moment)
        for (state, school), group in _grouped(
            rows, "push_state", path, kind=kind, moment="moment"
        ):
            counts.add(key_for("unsent", state=state, school=school), kind, group)
    for (state, school), group in _unsent_persons(scope):
        counts.add(key_for("unsent", state=state, school=school), "person", group)


def _unsent_persons(scope: Scope) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    places = SchoolPerson.objects.filter(person__push_state__in=UNSENT).exclude(
        push_state=PushState.DELETED
    )
    if scope.account_manager is not None:
        places = places.filter(school__account_manager=scope.account_manager.pk)
    moment = Coalesce("person__push_changed_at", "person__created_at", output_field=DateTimeField())
    yield from (
        (row[:2], row[2:])
        for row in places.order_by()
        .values_list("person__push_state", "school")
        .annotate(
            n_rows=Count("person", distinct=True),
            n_pupils=Count("person", distinct=True),
            oldest=Min(moment),
            newest=Max(moment),
            highest=Max("person"),
        )
    )
    for state in UNSENT:
        rows = rows_of(key_for("unsent", state=state), scope)["person"]
        own = Coalesce("push_changed_at", "created_at", output_field=DateTimeField())
        for _by, group in _grouped(rows.annotate(moment=own), kind="person", moment="moment"):
            yield (state, None), group


def _waiting_for_publisher(counts: Counts, scope: Scope) -> None:
    """By book: within the usual time it clears itself, longer is the publisher's work."""
    waits = waits_of_most()
    for kind in CREDITS:
        rows = scope.waiting_for_publisher(kind).annotate(hour=hour_of("offered"))
        for (ean, hour), group in _grouped(rows, "ean", "hour", kind=kind, moment="offered"):
            is_silent = bool(hour) and hour < hour_words(silent_since(ean, scope.now, waits))
            counts.add(key_for("silent" if is_silent else "publisher", ean=ean), kind, group)


def _notifications(counts: Counts, scope: Scope) -> None:
    rows = scope.rows("notification").filter(verdict__in=VERDICTS)
    groups = _grouped(rows, "verdict", kind="notification", moment="received_at")
    for (verdict,), group in groups:
        counts.add(key_for("notification", verdict=verdict), "notification", group)
