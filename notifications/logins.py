"""The logins that may deliver, as a colleague sees them: never a password, always its last use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.login import current_logins
from notifications.models import CredentialUse

UNUSED: Final = timedelta(days=7)


@dataclass(frozen=True)
class LoginLine:
    """One pair; `number` is its place in the setting, because two may have the same name."""

    number: int
    name: str
    last_used_at: datetime | None
    today: int
    tone: str
    note: str


def login_lines(now: datetime) -> list[LoginLine]:
    """All pairs in the order of the setting; one query."""
    users = current_logins().users
    rows = {row.key: row for row in CredentialUse.objects.filter(key__in=[u.key for u in users])}
    lines = []
    for number, user in enumerate(users, 1):
        row = rows.get(user.key)
        others = [rows[other.key] for other in users if other.key != user.key and other.key in rows]
        tone, note = _verdict(row, others, now)
        lines.append(
            LoginLine(
                number=number,
                name=str(user),
                last_used_at=row.last_used_at if row else None,
                today=row.count if row and row.day == timezone.localdate(now) else 0,
                tone=tone,
                note=note,
            )
        )
    return lines


def _verdict(
    row: CredentialUse | None, others: list[CredentialUse], now: datetime
) -> tuple[str, str]:
    """Which of two is the old one is told by their use: the other has taken over."""
    last = row.last_used_at if row else None
    if last is not None and now - last <= UNUSED:
        return "ok", _("in use")
    taken_over = any(
        other.last_used_at is not None
        and now - other.last_used_at <= UNUSED
        and (last is None or other.last_used_at > last)
        for other in others
    )
    if last is not None:
        if taken_over:
            return "wait", _("old one, not used for 7 days: may go")
        return "wait", _("not used for 7 days")
    if taken_over and row is not None and now - row.seen_at > UNUSED:
        return "wait", _(
            "not used in the 7 days and more that we know it: when it is the old one, it may go"
        )
    if taken_over:
        return "idle", _("not used yet: Edu-iX still uses the other one")
    return "idle", _("not used yet")
