"""One row with us beside the same row at Edu-iX, as its last answer told it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.desk.mirrors import Mirror, parent_of
from backoffice.outbox.models import Held, Message, Pushable, PushState, key_of
from credits.comparing import TOLD
from credits.models import PersonCredit, SchoolCredit
from persons.columns import masked_eck_id

# Nothing is under way, so that a choice can be made.
MAY_CHOOSE: Final = (
    PushState.IN_SYNC,
    PushState.CHANGED,
    PushState.CONFLICT,
    PushState.REFUSED,
    PushState.LOCAL_ONLY,
)
DATES: Final = frozenset({"date_of_birth", "credit_start_date", "credit_end_date"})

NAMES: Final[dict[str, str | Promise]] = {
    "organisation_id": gettext_lazy("school"),
    "distributor_person_id": gettext_lazy("person"),
    "distributor_school_person_id": gettext_lazy("person at a school"),
    "returned": gettext_lazy("returned"),
}


@dataclass(frozen=True)
class Line:
    """One field on both sides; `theirs` can only be chosen where `why_not` is empty."""

    column: str
    label: str
    ours: str
    theirs: str
    differs: bool
    why_not: str = ""


@dataclass
class Comparison:
    """A row beside what Edu-iX held at `asked_at`.

    `state` is unknown (never asked), old (Edu-iX accepted ours after the answer), equal, differs
    or gone. `token` stands for everything the page shows: a choice made on another one is stale.
    """

    mirror: Mirror
    row: Any
    held: Held | None
    state: str
    lines: list[Line] = field(default_factory=list)
    under_way: bool = False
    token: str = ""

    @property
    def subject(self) -> str:
        return key_of(self.mirror.kind, self.row.pk)

    @property
    def asked_at(self) -> datetime | None:
        """When Edu-iX told this."""
        return self.held.asked_at if self.held is not None else None

    @property
    def columns(self) -> list[str]:
        """The fields to choose between."""
        return [line.column for line in self.lines if line.differs]

    @property
    def may_choose(self) -> bool:
        """There is something to decide, and nothing under way that would decide otherwise."""
        return (
            self.state in ("differs", "gone")
            and not self.under_way
            and self.row.push_state in MAY_CHOOSE
        )


def compare(mirror: Mirror, row: Pushable) -> Comparison:
    """Lay both beside each other; three queries."""
    subject = key_of(mirror.kind, row.pk)
    held = Held.objects.filter(subject=subject).first()
    ours = as_json(mirror.record(row).pushed())
    check = mirror.check(row)
    under_way = Message.objects.active().filter(
        subject__in={subject, check.subject},
        operation__in=[mirror.operation, check.operation],
    )
    found = Comparison(mirror, row, held, "unknown", under_way=under_way.exists())
    if held is not None:
        theirs = held.values if held.is_there else {}
        found.state = state_of(mirror, row, held)
        found.lines = [
            _line(mirror, row, column, ours[column], theirs.get(column), held)
            for column in ours
            if column not in TOLD and column != mirror.key
        ]
        if found.state in ("old", "gone"):
            found.lines = [_quiet(line) for line in found.lines]
    found.token = _token(found, ours)
    return found


def as_json(values: dict[str, object]) -> dict[str, Any]:
    """Values as `Held` keeps them: dates as ISO texts."""
    found: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return found


def state_of(mirror: Mirror, row: Pushable, held: Held | None) -> str:
    """How a row stands beside the last answer; see `Comparison`."""
    if held is None:
        return "unknown"
    accepted = row.push_state == PushState.IN_SYNC and (
        row.push_changed_at is not None and row.push_changed_at > held.asked_at
    )
    if accepted:
        return "old"
    if not held.is_there:
        return "gone" if row.registered_at is not None else "unknown"
    ours = as_json(mirror.record(row).pushed())
    is_equal = all(held.values.get(name) == ours[name] for name in ours if name not in TOLD)
    return "equal" if is_equal else "differs"


def _token(found: Comparison, ours: dict[str, Any]) -> str:
    held = found.held
    facts = [
        found.subject,
        ours,
        found.row.push_state,
        None if held is None else [held.asked_at.isoformat(), held.is_there, held.values],
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _line(mirror: Mirror, row: Any, column: str, ours: Any, theirs: Any, held: Held) -> Line:
    differs = held.is_there and ours != theirs
    why_not = ""
    if differs and column in mirror.fixed:
        why_not = _("Whose this is never changes here: that would move credits to somebody else.")
    link = mirror.links.get(column)
    if differs and link is not None and not _is_known(link, theirs):
        why_not = str(link.absent)
    return Line(
        column=column,
        label=label_of(mirror, column),
        ours=shown(row, column, ours),
        theirs=shown(row, column, theirs) if held.is_there else "",
        differs=differs,
        why_not=why_not,
    )


def _is_known(link: Any, key: Any) -> bool:
    return bool(link.model._default_manager.filter(**{link.key: key}).exists())


def _quiet(line: Line) -> Line:
    return Line(line.column, line.label, line.ours, line.theirs, differs=False)


def label_of(mirror: Mirror, column: str) -> str:
    """What people call a column."""
    if column in NAMES:
        return capfirst(str(NAMES[column]))
    names = {one.name: str(one.verbose_name) for one in mirror.model._meta.fields}
    return capfirst(names[column])


def shown(row: Any, column: str, value: Any) -> str:
    """A value for people; an ECK iD by its last six characters."""
    if value in (None, ""):
        return ""
    if column == "eck_id":
        return masked_eck_id(str(value))
    if column in DATES:
        day = parse_date(str(value))
        return date_format(day, "j F Y") if day is not None else str(value)
    if column == "country_code" or column in NAMES:
        return str(value)
    choices = dict(row._meta.get_field(column).flatchoices)
    return str(choices.get(value, value))


def with_theirs(comparison: Comparison, columns: set[str]) -> None:
    """Put what Edu-iX holds in these columns of our row, without saving it."""
    held = comparison.held
    if held is None:
        return
    for column in columns:
        value: Any = held.values.get(column)
        link = comparison.mirror.links.get(column)
        if link is not None:
            value = link.model._default_manager.get(**{link.key: value})
            setattr(comparison.row, link.field, value)
            continue
        if column in DATES:
            value = _day(value)
        setattr(comparison.row, column, value)


def _day(value: Any) -> date | None:
    return parse_date(str(value)) if value else None


def title_of_row(mirror: Mirror, row: Any) -> tuple[str, str]:
    """What a row is, and under it whose or its key."""
    key = str(getattr(row, mirror.key))
    if isinstance(row, PersonCredit):
        return f"{_('Credit')} {key}", f"{row.school_person.person.full_name} · {row.ean}"
    if isinstance(row, SchoolCredit):
        return f"{_('Credit')} {key}", f"{row.school.name} · {row.ean}"
    if mirror.kind == "schoolperson":
        return str(row), key
    return str(row), key


def gone_above(mirror: Mirror, row: Any) -> tuple[str, Any] | None:
    """The row above this one that Edu-iX does not know either: that is to be settled first."""
    above = parent_of(mirror.kind, row)
    if above is None:
        return None
    kind, parent = above
    held = Held.objects.filter(subject=key_of(kind, parent.pk), is_there=False).first()
    if held is None:
        return None
    since = parent.push_changed_at
    if parent.push_state == PushState.IN_SYNC and since is not None and since > held.asked_at:
        return None
    return above
