"""Stored notifications for tests, and the time and the answers that they wait for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from backoffice.outbox.models import Message
from credits.models import PersonCredit
from notifications.models import Notification

ECK_ID = "e" * 128


def stored(kind: str, subject: str, parsed: dict[str, Any]) -> Notification:
    return Notification.objects.create(
        kind=kind,
        subject=subject,
        raw=b"<x/>",
        raw_sha256="0" * 64,
        raw_length=4,
        parsed=parsed,
        received_at=timezone.now(),
    )


def prematch(subject: str, user_id: str = "elo-1", eck_id: str | None = None) -> Notification:
    parsed = {"distributor_person_id": subject, "user_id": user_id, "eck_id": eck_id}
    return stored("prematchChanged", subject, parsed)


def specification(
    subject: str, *codes: int | None, state: str = "Active", correction: int | None = -1
) -> Notification:
    """One entry a code; None is an entry without an error."""
    entries = [{"amount": 1, "response_id": "R", "error_code": code} for code in codes]
    corrections = (
        [] if correction == -1 else [{"amount": 1, "response_id": "", "error_code": correction}]
    )
    parsed = {
        "distributor_credit_id": subject,
        "state": state,
        "specification": entries,
        "correction": corrections,
    }
    return stored("specificationChanged", subject, parsed)


def in_pieces(
    subject: str, *entries: dict[str, Any], single: bool = True, **lists: list[dict[str, Any]]
) -> Notification:
    """One of version 4.3, with what it says about specifications."""
    parsed = {
        "version": "4.3",
        "distributor_credit_id": subject,
        "state": "",
        "is_single_update": single,
        "specification": list(entries),
        "correction": [],
        "license_block": [],
    } | lists
    return stored("specificationChanged", subject, parsed)


def piece(
    audit_id: int, code: int | None = None, *, minute: int | None = None, **more: Any
) -> dict[str, Any]:
    """One entry; of this minute of an hour long ago, its number unless told otherwise."""
    moment = datetime(2026, 8, 20, 9, audit_id if minute is None else minute, tzinfo=UTC)
    return {
        "audit_id": audit_id,
        "amount": 1,
        "request_id": f"Q{audit_id}",
        "response_id": "R",
        "owner_id": "",
        "state": "",
        "error_code": code,
        "error_message": "",
        "time_stamp": moment.isoformat(timespec="microseconds"),
    } | more


def verdicts(*notifications: Notification) -> list[str]:
    by_pk = dict(Notification.objects.values_list("pk", "verdict"))
    return [by_pk[notification.pk] for notification in notifications]


def due_now() -> None:
    """As if the time until the next try were over."""
    Notification.objects.exclude(due_at=None).update(due_at=timezone.now())


def answered(state: str, specification_state: str) -> None:
    """As if the fetch that was asked for had come back with this."""
    message = Message.objects.get(operation="person_credit.fetch")
    PersonCredit.objects.update(person_product_state=state, specification_state=specification_state)
    Message.objects.filter(pk=message.pk).update(status=Message.Status.DONE)
