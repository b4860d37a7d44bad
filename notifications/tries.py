"""The tries of one notification, for the table on its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.screens.cells import pill
from notifications.columns import TONES
from notifications.models import Notification, Try
from notifications.reasons import in_words

SHOWN: Final = 50


@dataclass(frozen=True)
class TryLine:
    """One row of the table; without `pill` it tells of a try that nobody lived to write down."""

    at: datetime | None
    who: str
    pill: SafeString | str
    reason: str
    traceback: str = ""
    next_at: datetime | None = None


def try_lines(notification: Notification, *, with_details: bool) -> list[TryLine]:
    """The newest tries, newest first; one query. `with_details` adds the tracebacks."""
    found = notification.history.select_related("user").order_by("-pk")
    tries = list((found if with_details else found.defer("traceback"))[:SHOWN])
    lines: list[TryLine] = []
    for one, before in pairwise([*tries, None]):
        if one is None:
            continue
        lines.append(_line(one, with_details=with_details))
        if lost := _lost(one, before, is_cut=len(tries) == SHOWN):
            lines.append(_lost_line(lost))
    return lines


def who_words(one: Try) -> str:
    """By whom it was tried: a name, or what did it."""
    if one.user is not None:
        return one.user.get_full_name() or one.user.get_username()
    return str(one.get_by_display())


def _line(one: Try, *, with_details: bool) -> TryLine:
    is_put_off = one.verdict == Notification.Verdict.WAITING
    word = _("put off") if is_put_off else one.get_verdict_display()
    return TryLine(
        at=one.tried_at,
        who=who_words(one),
        pill=pill(TONES.get(one.verdict, "idle"), word),
        reason=in_words(one.reason) if one.reason else "",
        traceback=one.traceback if with_details else "",
        next_at=one.next_at,
    )


def _lost(one: Try, before: Try | None, *, is_cut: bool) -> int:
    """How many tries between these two have no row."""
    if before is None:
        return 0 if is_cut else max(0, one.number - 1)
    if one.number <= before.number:  # applied again: the numbers began anew
        return max(0, one.number - 1)
    return one.number - before.number - 1


def _lost_line(number: int) -> TryLine:
    told = ngettext(
        "%d try before this was not finished: the worker stopped.",
        "%d tries before this were not finished: the worker stopped.",
        number,
    )
    return TryLine(at=None, who=str(Try.By.WORKER.label), pill="", reason=told % number)
