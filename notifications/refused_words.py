"""The alarm that a sender stands outside, in one sentence, with who must act and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.screens.numbers import grouped
from notifications.answers import RefusedNow


@dataclass(frozen=True)
class RefusedAlarm:
    """What the workbench and the page of answers show."""

    title: str
    cause: str
    steps: tuple[str, ...]
    who: str
    facts: str
    url: str


def alarm_of(refused: RefusedNow, now: datetime) -> RefusedAlarm:
    """`Edu-iX is refused since 09:12: wrong password`."""
    told = refused.explanation
    words = {"time": _moment(refused.since, now), "reason": told.title[:1].lower() + told.title[1:]}
    title = (
        _("Edu-iX is refused since %(time)s: %(reason)s")
        if refused.is_known
        else _("A sender is refused since %(time)s: %(reason)s")
    )
    facts = ngettext("%(number)s time", "%(number)s times", refused.count) % {
        "number": grouped(refused.count)
    }
    if refused.sources:
        facts = _("%(times)s, from %(sources)s") % {
            "times": facts,
            "sources": ", ".join(refused.sources),
        }
    return RefusedAlarm(
        title=title % words,
        cause=told.meaning,
        steps=told.steps,
        who=told.owner_label,
        facts=facts,
        url=reverse("admin:notification_answers"),
    )


def _moment(at: datetime, now: datetime) -> str:
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localdate(now)
    return date_format(local, "H:i" if is_today else "j F, H:i")
