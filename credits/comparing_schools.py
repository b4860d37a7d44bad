"""What comes of asking how Edu-iX holds a school and its credits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import SchoolCreditInformation, SchoolRecord
from backoffice.jobs.models import Drift
from backoffice.outbox.held import Told
from backoffice.outbox.models import Message, PushState
from backoffice.outbox.push import FetchSender, StillOurs
from backoffice.outbox.services import lock_chain
from credits.comparing import Finding, living_last, specification_values, take_over_credit
from credits.models import SchoolCredit
from credits.senders import school_credit_record
from persons.models import School


class SchoolCheck(FetchSender):
    """getSchool and getSchoolCredit by its ID: the school and all its credits."""

    operation = "school.check"

    def send(
        self, message: Message, prepared: str, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        asked_at = timezone.now()
        still_ours()
        found = gateway.get_school(organisation_id=prepared)
        still_ours()
        credits = gateway.get_school_credits(organisation_id=prepared)
        with transaction.atomic():
            lock_chain(message.chain)
            still_ours()
            note_school(prepared, found, credits, asked_at)


def note_school(
    organisation_id: str,
    found: SchoolRecord | None,
    credits: Sequence[SchoolCreditInformation],
    asked_at: datetime,
) -> None:
    """Write what Edu-iX told about a school; call it in a transaction that holds its chain."""
    school = School.objects.filter(organisation_id=organisation_id).first()
    if school is None:
        return
    finding = Finding(f"school:{organisation_id}", asked_at)
    finding.told.append(Told(finding.owner, organisation_id, found))
    if found is None:
        finding.add(Drift.What.GONE, "school", school.pk, organisation_id)
    else:
        taken = [
            name
            for name, value in found.pushed().items()
            if str(getattr(school, name) or "") != str(value or "")
        ]
        School.objects.store(found, at=asked_at)
        if taken:
            finding.add(Drift.What.TAKEN_OVER, "school", school.pk, organisation_id, taken)
    _note_school_credits(finding, school, credits)
    finding.write()


def _note_school_credits(
    finding: Finding, school: School, told: Sequence[SchoolCreditInformation]
) -> None:
    theirs = {one.credit.distributor_school_credit_id: one for one in told}
    rows = SchoolCredit.objects.filter(
        Q(school=school) | Q(distributor_school_credit_id__in=theirs)
    ).select_related("school")
    ours = {row.distributor_school_credit_id: row for row in living_last(rows)}
    for key, one in theirs.items():
        row = ours.get(key)
        if row is None or row.push_state == PushState.DELETED:
            finding.only_there("school_credit", one.credit, row)
            continue
        taken = take_over_credit(row, one.specification, "", finding.asked_at)
        if one.returned != row.returned and not _given_back_since(row, finding.asked_at):
            taken.append("returned")
            rows_: QuerySet[Any] = SchoolCredit.objects.filter(pk=row.pk)
            rows_.update(returned=one.returned)
            rows_.refresh_statuses()  # type: ignore[attr-defined]  # CreditQuerySet's
        more = specification_values(one.specification) | {"returned": one.returned}
        finding.compare(
            "school_credit", row, school_credit_record(row), one.credit, taken=taken, more=more
        )
    for row in ours.values():
        if row.push_state != PushState.DELETED and row.distributor_school_credit_id not in theirs:
            finding.gone("school_credit", row, row.distributor_school_credit_id)


def _given_back_since(credit: SchoolCredit, asked_at: datetime) -> bool:
    """A return was accepted after the question: the answer does not know of it yet."""
    return credit.returns.filter(push_changed_at__gt=asked_at).exists()


SENDERS = (SchoolCheck(),)
