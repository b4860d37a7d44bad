"""What sending a selection would do: which calls, in which order, and what stays here and why.

A plan is made of the same parts that do the sending: the senders' own create and update on a
gateway that writes its envelopes down. Making one changes nothing and sends nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.eduix.preview import Draft, PreviewGateway
from backoffice.eduix.records import Record
from backoffice.outbox.models import Pushable, PushState, key_of
from backoffice.outbox.push import PushSender
from backoffice.screens.findings import Said
from backoffice.screens.links import url_of
from persons.models import Person, SchoolPerson
from persons.preflight import preflight
from persons.senders import PersonPush, SchoolPersonPush, person_record, school_person_record
from persons.services import NEEDS_PUSH

SHOWN: Final = 50

# What holds back everything behind it until somebody mends it.
STUCK: Final = frozenset({PushState.REFUSED, PushState.CONFLICT})

# An ID that Edu-iX takes now and can never rename, merge or tell us about later.
FOR_EVER: Final = frozenset({"person_id_beyond_rename", "credit_id_beyond_notification"})

OPERATIONS: Final = {
    "createPerson": gettext_lazy("create a person"),
    "updatePerson": gettext_lazy("change a person"),
    "createSchoolperson": gettext_lazy("create a person at a school"),
    "updateSchoolperson": gettext_lazy("change a person at a school"),
    "createPersonCredit": gettext_lazy("create a person credit"),
    "updatePersonCredit": gettext_lazy("change a person credit"),
    "createSchoolCredit": gettext_lazy("create a school credit"),
    "updateSchoolCredit": gettext_lazy("change a school credit"),
}


@dataclass(frozen=True)
class Step:
    """One row on its way out: who sends it, and what of it."""

    kind: str
    row: Any  # a Pushable that the rules know, with what its record needs at hand
    sender: PushSender[Any]
    record: Callable[[Any], Record]

    @property
    def subject(self) -> str:
        """`person:12`"""
        return key_of(self.kind, self.row.pk)

    @property
    def key(self) -> str:
        """The partner's key of the row."""
        name = "school_person" if self.kind == "schoolperson" else self.kind
        return str(getattr(self.row, f"distributor_{name}_id"))

    @property
    def operation(self) -> str:
        """`createPerson`, or `updatePerson` once Edu-iX knows it."""
        nouns = {"person": "Person", "schoolperson": "Schoolperson"}
        noun = nouns.get(self.kind) or self.kind.title().replace("_", "")
        return f"{'update' if self.row.registered_at else 'create'}{noun}"

    def draft(self, gateway: PreviewGateway) -> Draft:
        """The call, written and not made."""
        record = self.record(self.row)
        if self.row.registered_at:
            self.sender.update(record, gateway)
        else:
            self.sender.create(record, gateway)
        return gateway.drafts[-1]


def person_steps(person: Person) -> list[Step]:
    """A person goes alone."""
    return [Step("person", person, PersonPush(), person_record)]


def school_person_steps(school_person: SchoolPerson) -> list[Step]:
    """Behind the person, when Edu-iX lacks the newest."""
    person = school_person.person
    own = Step("schoolperson", school_person, SchoolPersonPush(), school_person_record)
    return [*(person_steps(person) if person.push_state in NEEDS_PUSH else []), own]


@dataclass(frozen=True)
class Finding:
    """What the rules say of one row of a plan, with where to mend it."""

    said: Said
    label: str
    url: str


@dataclass
class PlannedCall:
    """One call, and after the plan is cut to what is shown its envelope."""

    step: Step
    draft: Draft | None = None

    @property
    def words(self) -> str:
        """`create a person`"""
        return str(OPERATIONS.get(self.step.operation, self.step.operation))


@dataclass
class PlannedRow:
    """One chosen row: its calls, or why there are none."""

    label: str
    url: str
    calls: list[PlannedCall] = field(default_factory=list)
    skipped: str = ""
    waits_for: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Edu-iX would refuse it, or what must go before it; so it is not sent."""
        return any(finding.said.is_error for finding in self.findings)

    @property
    def is_for_ever(self) -> bool:
        """It would give Edu-iX an ID for the first time that can never be mended."""
        return any(finding.said.finding.message_key in FOR_EVER for finding in self.findings)


@dataclass
class Plan:
    """All of it counted, and the first rows in full."""

    total: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    warned: int = 0
    refused: list[int] = field(default_factory=list)  # keys of the rows that are not sent
    for_ever: int = 0
    rows: list[PlannedRow] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many calls go out."""
        return self.operations.total()

    @property
    def staying(self) -> list[tuple[str, int]]:
        """Why rows stay here, with how many; a template would ask the counter for "items"."""
        return self.skipped.most_common()

    @property
    def in_words(self) -> list[tuple[int, str, str]]:
        """`12, create a person, createPerson`, in the order in which they depend on each other."""
        return [
            (self.operations[name], str(words), name)
            for name, words in OPERATIONS.items()
            if self.operations[name]
        ]


def plan_of(
    rows: Iterable[Pushable],
    steps_of: Callable[[Any], list[Step]],
    *,
    sendable: Callable[[Any], str],
    today: date,
    gateway: PreviewGateway | None = None,
) -> Plan:
    """What sending these rows would do; `rows` come in the order in which they are queued.

    `steps_of` gives the rows that go along, first the one that goes first. `sendable` says why a
    row has nothing to send, empty when it has. With a gateway the first rows get their envelopes.
    """
    plan = Plan()
    going: set[str] = set()
    for row in rows:
        planned = _planned(row, steps_of(row), sendable(row), today)
        if planned.is_refused and planned.calls:
            plan.refused.append(row.pk)
            planned.calls, planned.skipped = [], _("Edu-iX would refuse it")
        planned.calls = [call for call in planned.calls if call.step.subject not in going]
        going.update(call.step.subject for call in planned.calls)
        _count(plan, planned)
        if len(plan.rows) < SHOWN:
            for call in planned.calls if gateway else ():
                call.draft = call.step.draft(gateway) if gateway else None
            plan.rows.append(planned)
    return plan


def _planned(row: Any, steps: list[Step], skipped: str, today: date) -> PlannedRow:
    own = steps[-1]
    planned = PlannedRow(str(row), url_of(own.subject), skipped=skipped)
    if skipped:
        return planned
    planned.calls = [PlannedCall(step) for step in steps]
    planned.waits_for = _stuck(own)
    planned.findings = list(_findings(steps, today))
    return planned


def _findings(steps: list[Step], today: date) -> Iterator[Finding]:
    for step in steps:
        for said in preflight(step.row, today=today):
            key = said.finding.message_key
            if key in FOR_EVER and step.row.registered_at:
                continue  # nothing can be done about it any more
            url = url_of(step.subject)
            yield Finding(said, step.key, f"{url}#id_{said.field}" if said.field else url)


def _stuck(own: Step) -> str:
    """The key of what must be mended before this can go; empty when nothing stands in its way."""
    before: list[tuple[Pushable, str]] = []
    place = own.row if own.kind == "schoolperson" else getattr(own.row, "school_person", None)
    if place is not None:
        before.append((place.person, place.person.distributor_person_id))
        if own.kind != "schoolperson":
            before.append((place, place.distributor_school_person_id))
    return next((key for row, key in before if row.push_state in STUCK), "")


def _count(plan: Plan, planned: PlannedRow) -> None:
    plan.total += 1
    if planned.skipped:
        plan.skipped[planned.skipped] += 1
        return
    plan.operations.update(call.step.operation for call in planned.calls)
    plan.warned += bool(planned.findings)
    plan.for_ever += planned.is_for_ever
