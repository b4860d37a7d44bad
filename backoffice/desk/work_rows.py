"""Which rows a work item stands for: said once, for counting, for lists and for buttons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When
from django.utils import timezone

from backoffice.desk.attention import has_publisher_fault, is_kept, still_counts, waits_for_school
from backoffice.desk.work_keys import Key, in_hour
from backoffice.outbox.models import PushState
from credits.access import silence_limit
from credits.access_waits import usual_waits
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.status import CreditStatus
from notifications.models import Notification
from persons.models import Person, PersonChange, SchoolPerson

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Rows = QuerySet[Any]

CREDITS: Final = ("person_credit", "school_credit")
MODELS: Final[dict[str, Any]] = {
    "person": Person,
    "schoolperson": SchoolPerson,
    "person_change": PersonChange,
    "person_credit": PersonCredit,
    "school_credit": SchoolCredit,
    "credit_return": CreditReturn,
    "notification": Notification,
}
MOST_EANS: Final = 100  # each is a part of one query, and no database takes any number of parts
UNDER_WAY: Final = (PushState.QUEUED, PushState.SENDING)
LONG: Final = timedelta(minutes=10)  # what is under way for longer does not go by itself any more
# Where a row's school is; a person has none of its own, see `_persons_of`.
SCHOOL: Final = {
    "schoolperson": "school",
    "person_credit": "school_person__school",
    "school_credit": "school",
}
# The status that the index on credits serves, for each sync state.
_STATUS: Final[dict[str, CreditStatus]] = {
    PushState.LOCAL_ONLY: CreditStatus.NOT_SENT,
    PushState.CHANGED: CreditStatus.NOT_SENT,
    PushState.QUEUED: CreditStatus.SENDING,
    PushState.SENDING: CreditStatus.SENDING,
    PushState.REFUSED: CreditStatus.REFUSED,
    PushState.CONFLICT: CreditStatus.REFUSED,
    PushState.UNCERTAIN: CreditStatus.UNCERTAIN,
}


@dataclass(frozen=True)
class Scope:
    """Whose rows, seen when; without an account manager those of all schools."""

    now: datetime
    account_manager: AbstractBaseUser | None = None

    @property
    def today(self) -> date:
        """The day on which credits are judged."""
        return timezone.localdate(self.now)

    @property
    def manager(self) -> int | None:
        """The key of the account manager."""
        return None if self.account_manager is None else self.account_manager.pk

    def rows(self, kind: str) -> Rows:
        """All rows of a kind that are there; of one account manager when there is one."""
        found: Rows = MODELS[kind]._default_manager.order_by()
        if kind in ("person_change", "credit_return"):
            found = found.filter(withdrawn_at=None)
        elif kind != "notification":
            found = found.filter(is_kept())
        if self.account_manager is None or kind == "notification":
            return found
        return found.filter(_OF_SCHOOLS[kind](self.account_manager))

    def in_state(self, kind: str, *states: str) -> Rows:
        """Rows by how they stand beside Edu-iX."""
        found = self.rows(kind).filter(push_state__in=states)
        if kind in CREDITS:  # one that was given back may still be refused
            found = found.filter(status__in={_STATUS[state] for state in states})
        return found

    def waiting_for_publisher(self, kind: str) -> Rows:
        """Credits that a publisher has been offered, with `offered` at which moment."""
        found = self.rows(kind).filter(
            Q(status=CreditStatus.WAITING_FOR_PUBLISHER) & still_counts(self.today)
        )
        offered: Any = _OFFERED if kind == "person_credit" else F("push_changed_at")
        rows: Rows = found.annotate(offered=offered)
        return rows


def _persons_of(user: AbstractBaseUser, path: str) -> Q:
    """Persons at one of this colleague's schools, and those who are at no school at all."""
    places = SchoolPerson.objects.filter(person=OuterRef(path)).exclude(
        push_state=PushState.DELETED
    )
    return Q(Exists(places.filter(school__account_manager=user.pk))) | ~Q(Exists(places))


_OF_SCHOOLS: Final[dict[str, Callable[[Any], Q]]] = {
    "person": lambda user: _persons_of(user, "pk"),
    "schoolperson": lambda user: Q(school__account_manager=user.pk),
    "person_change": lambda user: _persons_of(user, "person"),
    "person_credit": lambda user: Q(school_person__school__account_manager=user.pk),
    "school_credit": lambda user: Q(school__account_manager=user.pk),
    "credit_return": lambda user: (
        Q(person_credit__school_person__school__account_manager=user.pk)
        | Q(school_credit__school__account_manager=user.pk)
    ),
}

# A publisher begins when it can recognise the pupil: at the link, when that came later and there is
# no ECK iD (`credits.access`).
_OFFERED: Final = Case(
    When(
        school_person__person__eck_id="",
        school_person__person__user_id_changed_at__gt=F("push_changed_at"),
        then=F("school_person__person__user_id_changed_at"),
    ),
    default=F("push_changed_at"),
)


# --- the rows of one item -----------------------------------------------------------------------


def rows_of(key: Key, scope: Scope) -> dict[str, Rows]:
    """The rows that an item stands for now, by kind, in the order in which they are sent."""
    return _ROWS[key.family](key, scope)


def held_by(key: Key, scope: Scope) -> Rows:
    """Credits that wait behind the refused rows of this item."""
    waiting = scope.rows("person_credit").filter(status=CreditStatus.WAITING)
    if key.family not in ("refused", "conflict"):
        return waiting.none()
    path = {"person": "school_person__person", "schoolperson": "school_person"}.get(
        key.part("kind")
    )
    if path is None:
        return waiting.none()
    found = waiting.filter(**{f"{path}__in": rows_of(key, Scope(scope.now))[key.part("kind")]})
    if path == "school_person":  # its person comes first
        found = found.exclude(school_person__person__push_state__in=STUCK)
    return found


STUCK: Final = (PushState.REFUSED, PushState.CONFLICT)


def code_is(column: str, code: int | None) -> Q:
    """Rows with this code: the service answers some with a sign and some without."""
    if code is None:
        return Q(**{f"{column}__isnull": True})
    return Q(**{f"{column}__in": {code, -code}})


def _refused(key: Key, scope: Scope) -> dict[str, Rows]:
    kind = key.part("kind")
    found = scope.in_state(kind, PushState.REFUSED).filter(
        code_is("push_code", key.code) & in_hour("push_changed_at", key.part("hour"))
    )
    return {kind: found.filter(ean=key.part("ean")) if kind in CREDITS else found}


def _conflict(key: Key, scope: Scope) -> dict[str, Rows]:
    kind = key.part("kind")
    return {kind: scope.in_state(kind, PushState.CONFLICT)}


def _fault(key: Key, scope: Scope) -> dict[str, Rows]:
    one = (
        has_publisher_fault(scope.today)
        & in_hour("specification_changed_at", key.part("hour"))
        & (Q(publisher_error_code=key.code) if key.code is not None else _NO_CODE)
    )
    return {kind: scope.rows(kind).filter(one, ean=key.part("ean")) for kind in CREDITS}


_NO_CODE: Final = Q(publisher_error_code__isnull=True)


def _prematch(key: Key, scope: Scope) -> dict[str, Rows]:
    found = scope.rows("person_credit").filter(waits_for_school(scope.today))
    return {"person_credit": found.filter(school_person__school=key.school)}


def _unsent(key: Key, scope: Scope) -> dict[str, Rows]:
    """A person is at the school of each of its places; one without any has no school."""
    state, school = key.part("state"), key.school
    persons = scope.in_state("person", state)
    if school is None:
        return {"person": persons.filter(~Exists(_places()))}
    found = {"person": persons.filter(Exists(_places().filter(school=school)))}
    for kind, path in SCHOOL.items():
        found[kind] = scope.in_state(kind, state).filter(**{path: school})
    return found


def _places() -> Rows:
    return SchoolPerson.objects.filter(person=OuterRef("pk")).exclude(push_state=PushState.DELETED)


def _publisher(key: Key, scope: Scope) -> dict[str, Rows]:
    since = silent_since(key.part("ean"), scope.now, waits_of_most())
    on_time = Q(offered__gte=since) | Q(offered__isnull=True)
    return {
        kind: scope.waiting_for_publisher(kind).filter(on_time, ean=key.part("ean"))
        for kind in CREDITS
    }


def _silent(key: Key, scope: Scope) -> dict[str, Rows]:
    since = silent_since(key.part("ean"), scope.now, waits_of_most())
    return {
        kind: scope.waiting_for_publisher(kind).filter(offered__lt=since, ean=key.part("ean"))
        for kind in CREDITS
    }


def waits_of_most() -> dict[str, timedelta]:
    """How long publishers usually take, for the books most waited for; the others have a day."""
    waiting = PersonCredit.objects.filter(status=CreditStatus.WAITING_FOR_PUBLISHER).order_by()
    eans = waiting.values_list("ean").annotate(n_rows=Count("pk")).order_by("-n_rows", "ean")
    return usual_waits([ean for ean, _number in eans[:MOST_EANS]])


def silent_since(ean: str, now: datetime, waits: dict[str, timedelta]) -> datetime:
    """Offered before this moment is silent; a whole hour, because items count by the hour."""
    return (now - silence_limit(waits.get(ean))).replace(minute=0, second=0, microsecond=0)


def _in_states(*states: str) -> Callable[[Key, Scope], dict[str, Rows]]:
    def rows(key: Key, scope: Scope) -> dict[str, Rows]:
        kinds = ("person", "schoolperson", "person_change", *CREDITS, "credit_return")
        return {kind: scope.in_state(kind, *states) for kind in kinds}

    return rows


def _under_way(key: Key, scope: Scope) -> dict[str, Rows]:
    """What is being sent, or has been for too long."""
    since = stuck_since(scope.now)
    of_item = Q(push_changed_at__lt=since)
    return {
        kind: rows.filter(of_item if key.family == "stuck" else ~of_item)
        for kind, rows in _in_states(*UNDER_WAY)(key, scope).items()
    }


def stuck_since(now: datetime) -> datetime:
    """Under way since before this moment is stuck."""
    return now - LONG


def _held(key: Key, scope: Scope) -> dict[str, Rows]:
    """What waits, and no refused person or school link says why."""
    found = {
        kind: scope.rows(kind).filter(push_state=PushState.WAITING)
        for kind in ("schoolperson", "person_change", "credit_return")
    }
    found |= {kind: scope.rows(kind).filter(status=CreditStatus.WAITING) for kind in CREDITS}
    for kind, paths in BEFORE.items():
        for path in paths:
            found[kind] = found[kind].exclude(**{f"{path}__push_state__in": STUCK})
    return found


# What must be at Edu-iX before a row of this kind can go.
BEFORE: Final = {
    "schoolperson": ("person",),
    "person_change": ("person",),
    "person_credit": ("school_person__person", "school_person"),
}


def _notification(key: Key, scope: Scope) -> dict[str, Rows]:
    return {"notification": scope.rows("notification").filter(verdict=key.part("verdict"))}


_ROWS: Final[dict[str, Callable[[Key, Scope], dict[str, Rows]]]] = {
    "refused": _refused,
    "conflict": _conflict,
    "fault": _fault,
    "prematch": _prematch,
    "unsent": _unsent,
    "publisher": _publisher,
    "silent": _silent,
    "uncertain": _in_states(PushState.UNCERTAIN),
    "sending": _under_way,
    "stuck": _under_way,
    "unreachable": _in_states(*UNDER_WAY),
    "login": _in_states(*UNDER_WAY),
    "standstill": _in_states(*UNDER_WAY),
    "held": _held,
    "notification": _notification,
}
