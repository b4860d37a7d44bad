"""Who sends which operation, and what else the worker does; filled by the apps at start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from backoffice.outbox.models import Message, PushState

if TYPE_CHECKING:
    from backoffice.outbox.push import Sender

senders: dict[str, Sender] = {}
background: list[Callable[[], int]] = []


def register(sender: Sender) -> None:
    """Tell the drainer who sends an operation; called once at start by each app."""
    senders[sender.operation] = sender


def is_question(operation: str) -> bool:
    """Whether an operation only asks: a refused question holds nothing up."""
    from backoffice.outbox.push import FetchSender

    return isinstance(senders.get(operation), FetchSender)


def register_background(work: Callable[[], int]) -> None:
    """Work that the drainer does at least once a second, e.g. applying notifications.

    The function returns how many items it handled.
    """
    if work not in background:
        background.append(work)


def mark_rows(
    messages: Iterable[Message],
    state: PushState,
    *,
    code: int | None = None,
    text: str = "",
    accepted: bool = False,
    now: datetime | None = None,
) -> None:
    """Show on the rows what their messages do; one UPDATE per kind of row.

    `accepted` says that Edu-iX has taken the row, whatever state follows.
    """
    subjects: dict[str, list[str]] = defaultdict(list)
    for message in messages:
        subjects[message.operation].append(message.subject)
    for operation, found in subjects.items():
        senders[operation].mark(
            found, state, code=code, text=text, accepted=accepted, now=now or timezone.now()
        )
