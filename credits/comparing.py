"""What comes of asking how Edu-iX holds a person or a school with everything below it.

What only Edu-iX tells (user ID, profile ID, specification, what was returned, the data of a
school) is taken over. All else is compared and kept: `Held` beside our rows, `Drift` for each row
that claimed to be equal and is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import (
    PersonCreditInformation,
    PersonInformation,
    Record,
    SpecificationRecord,
)
from backoffice.jobs.models import Drift
from backoffice.outbox.held import Told
from backoffice.outbox.models import Held, Message, Pushable, PushState, key_of, subject_pk
from backoffice.outbox.push import FetchSender, StillOurs
from backoffice.outbox.services import lock_chain
from credits.models import PersonCredit, SchoolCredit
from credits.senders import person_credit_record, take_over_specification
from persons.models import Person, SchoolPerson
from persons.senders import person_record, school_person_record, take_over

P = TypeVar("P", bound=Pushable)

# Told by Edu-iX alone: a difference is taken over, never chosen.
TOLD: Final = frozenset({"person_product_state"})


def extra_subject(kind: str, key: str) -> str:
    """How a row is named that only Edu-iX has; its key may be longer than a subject."""
    return f"extra_{kind}:{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def differing(ours: Record, theirs: Record) -> list[str]:
    """The columns that somebody must choose between."""
    return [name for name in ours.differences(theirs) if name not in TOLD]


@dataclass
class Finding:
    """Everything one answer says, collected before it is written in one go."""

    owner: str
    asked_at: datetime
    told: list[Told] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)

    def judges(self, row: Pushable) -> bool:
        """Whether this answer can say that a row has drifted.

        Only a row that claims to be equal, and has claimed it since before Edu-iX was asked: what
        was pushed or accepted meanwhile is newer than the answer.
        """
        since = row.push_changed_at
        return row.push_state == PushState.IN_SYNC and (since is None or since <= self.asked_at)

    def add(
        self, what: str, kind: str, pk: int | None, key: str, columns: Iterable[str] = ()
    ) -> None:
        """Note a difference of one row."""
        subject = key_of(kind, pk) if pk is not None else extra_subject(kind, key)
        if kind == "school":
            subject = f"school:{key}"
        self.drifts.append(
            Drift(
                subject=subject,
                kind=kind,
                row_id=pk,
                label=key[:300],
                owner=self.owner,
                what=what,
                columns=sorted(columns),
                found_at=self.asked_at,
            )
        )

    def compare(
        self,
        kind: str,
        row: Pushable,
        ours: Record,
        theirs: Record,
        *,
        taken: Iterable[str] = (),
        more: dict[str, object] | None = None,
    ) -> None:
        """A row that both have."""
        label = key_in(kind, ours)
        self.told.append(Told(key_of(kind, row.pk), label, theirs, more or {}))
        columns = differing(ours, theirs)
        if columns and self.judges(row):
            self.add(Drift.What.DIFFERS, kind, row.pk, label, columns)
        elif taken:
            self.add(Drift.What.TAKEN_OVER, kind, row.pk, label, taken)

    def gone(self, kind: str, row: Pushable, key: str, *, is_consequence: bool = False) -> None:
        """A row that Edu-iX once accepted and does not know any more.

        What hangs under another missing row is no news of its own.
        """
        if row.registered_at is None:
            return
        self.told.append(Told(key_of(kind, row.pk), key, None))
        if not is_consequence and self.judges(row):
            self.add(Drift.What.GONE, kind, row.pk, key)

    def only_there(self, kind: str, theirs: Record, deleted: Pushable | None) -> None:
        """A row that only Edu-iX has; we may have deleted ours."""
        key = key_in(kind, theirs)
        if deleted is not None:
            since = deleted.push_changed_at
            if since is not None and since > self.asked_at:
                return
        self.told.append(Told(extra_subject(kind, key), key, theirs))
        self.add(Drift.What.EXTRA, kind, None, key)

    def write(self) -> None:
        """Keep all of it, in place of what an earlier answer about the same owner said."""
        extras = {drift.subject for drift in self.drifts if drift.what == Drift.What.EXTRA}
        old = Drift.objects.filter(owner=self.owner)
        gone = old.filter(what=Drift.What.EXTRA).exclude(subject__in=extras)
        Held.objects.filter(subject__in=list(gone.values_list("subject", flat=True))).delete()
        old.delete()
        Drift.objects.bulk_create(
            {drift.subject: drift for drift in self.drifts}.values(),
            update_conflicts=True,  # found before, under another owner
            unique_fields=["subject"],
            update_fields=["kind", "row_id", "label", "owner", "what", "columns", "found_at"],
        )
        Held.objects.keep_many(
            list({one.subject: one for one in self.told}.values()), at=self.asked_at
        )


KEYS: Final = {
    "person": "distributor_person_id",
    "schoolperson": "distributor_school_person_id",
    "person_credit": "distributor_person_credit_id",
    "school_credit": "distributor_school_credit_id",
    "school": "organisation_id",
}


def key_in(kind: str, record: Record) -> str:
    """The partner's key of a record."""
    return str(getattr(record, KEYS[kind]))


class PersonCheck(FetchSender):
    """getPerson and getPersonCredit by our key: the person, its schools and all its credits."""

    operation = "person.check"

    def prepare(self, message: Message) -> str | None:
        rows = Person.objects.filter(pk=subject_pk(message.subject))
        key = rows.values_list("distributor_person_id", flat=True).first()
        return str(key) if key is not None else None

    def send(
        self, message: Message, prepared: str, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        asked_at = timezone.now()
        still_ours()
        found = gateway.get_person(distributor_person_id=prepared)
        credits: list[PersonCreditInformation] = []
        if found is not None:
            still_ours()
            credits = gateway.get_person_credits(distributor_person_id=prepared)
        with transaction.atomic():
            lock_chain(message.chain)
            still_ours()
            note_person(subject_pk(message.subject), found, credits, asked_at)


def note_person(
    pk: int,
    found: PersonInformation | None,
    credits: Sequence[PersonCreditInformation],
    asked_at: datetime,
) -> None:
    """Write what Edu-iX told about a person; call it in a transaction that holds its chain."""
    person = Person.objects.filter(pk=pk).first()
    if person is None:
        return
    finding = Finding(key_of("person", pk), asked_at)
    keys = [one.distributor_school_person_id for one in found.school_persons] if found else []
    places = _places(person, keys)
    _note_person(finding, person, found)
    _note_places(finding, person, places, found)
    _note_credits(finding, person, places, credits, is_there=found is not None)
    finding.write()


def _note_person(finding: Finding, person: Person, found: PersonInformation | None) -> None:
    if found is None:
        finding.gone("person", person, person.distributor_person_id)
        return
    theirs, taken = found.person, []
    told_later = person.user_id_changed_at is not None and (
        person.user_id_changed_at > finding.asked_at
    )
    if not told_later:
        if theirs.user_id != person.user_id:
            taken.append("user_id")
        if theirs.profile_id and theirs.profile_id != person.profile_id:
            # the first one is news to nobody: every new person gets it afterwards
            taken += ["profile_id"] if person.profile_id else []
        take_over(theirs, distributor_person_id=person.distributor_person_id)
    finding.compare("person", person, person_record(person), theirs, taken=taken)


def living_last(rows: Iterable[P]) -> list[P]:
    """A deleted row may share its key with the one that came after it, which counts."""
    return sorted(rows, key=lambda row: row.push_state != PushState.DELETED)


def _places(person: Person, keys: Sequence[str]) -> list[SchoolPerson]:
    """The schools of a person with us, and whatever else has a key that Edu-iX named."""
    rows = SchoolPerson.objects.filter(Q(person=person) | Q(distributor_school_person_id__in=keys))
    return list(rows.select_related("person", "school"))


def _note_places(
    finding: Finding,
    person: Person,
    places: Sequence[SchoolPerson],
    found: PersonInformation | None,
) -> None:
    theirs = {
        one.distributor_school_person_id: one for one in (found.school_persons if found else ())
    }
    ours = {row.distributor_school_person_id: row for row in living_last(places)}
    for key, record in theirs.items():
        row = ours.get(key)
        if row is None or row.push_state == PushState.DELETED:
            finding.only_there("schoolperson", record, row)
        else:
            finding.compare("schoolperson", row, school_person_record(row), record)
    for row in places:
        if row.push_state != PushState.DELETED and row.distributor_school_person_id not in theirs:
            finding.gone(
                "schoolperson",
                row,
                row.distributor_school_person_id,
                is_consequence=found is None,
            )


def _note_credits(
    finding: Finding,
    person: Person,
    places: Sequence[SchoolPerson],
    told: Sequence[PersonCreditInformation],
    *,
    is_there: bool,
) -> None:
    theirs = {one.credit.distributor_person_credit_id: one for one in told}
    mine: QuerySet[PersonCredit] = PersonCredit.objects.filter(
        Q(school_person__person=person) | Q(distributor_person_credit_id__in=theirs)
    ).select_related("school_person")
    ours = {row.distributor_person_credit_id: row for row in living_last(mine)}
    missing = {
        row.pk
        for row in places
        if any(
            one.subject == key_of("schoolperson", row.pk) and one.record is None
            for one in finding.told
        )
    }
    for key, one in theirs.items():
        row = ours.get(key)
        if row is None or row.push_state == PushState.DELETED:
            finding.only_there("person_credit", one.credit, row)
            continue
        taken = take_over_credit(
            row, one.specification, one.credit.person_product_state, finding.asked_at
        )
        finding.compare(
            "person_credit",
            row,
            person_credit_record(row),
            one.credit,
            taken=taken,
            more=specification_values(one.specification),
        )
    for row in ours.values():
        if row.push_state != PushState.DELETED and row.distributor_person_credit_id not in theirs:
            finding.gone(
                "person_credit",
                row,
                row.distributor_person_credit_id,
                is_consequence=not is_there or row.school_person_id in missing,
            )


def specification_values(specification: SpecificationRecord | None) -> dict[str, object]:
    """What the publisher said, as `Held` keeps it; empty texts while it was not asked."""
    if specification is None:
        return {"specification_state": "", "specification_state_date": None}
    return {
        "specification_state": specification.specification_state,
        "specification_state_date": specification.specification_state_date,
    }


def take_over_credit(
    credit: PersonCredit | SchoolCredit,
    specification: SpecificationRecord | None,
    product_state: str,
    asked_at: datetime,
) -> list[str]:
    """Take over what only Edu-iX tells; returns what was different.

    A notification that came in after the question is newer than its answer.
    """
    told_at = credit.specification_changed_at
    if told_at is not None and told_at > asked_at:
        return []
    state = specification.specification_state if specification else ""
    day = specification.specification_state_date if specification else None
    taken = [] if state == credit.specification_state else ["specification_state"]
    if isinstance(credit, PersonCredit) and product_state != credit.person_product_state:
        taken.append("person_product_state")
    if taken or day != credit.specification_state_date:
        take_over_specification(credit, specification, product_state)
    return taken


SENDERS = (PersonCheck(),)
