"""How long something lasts or when it was, in the words of the screens."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def duration(length: timedelta) -> str:
    """`8 s`, `12 min`, `3 hours`, `2 days`: one unit, rounded down."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 90:
        return _("%d s") % seconds
    minutes = seconds // 60
    if minutes < 90:
        return _("%d min") % minutes
    hours = minutes // 60
    if hours < 48:
        return ngettext("%d hour", "%d hours", hours) % hours
    days = hours // 24
    return ngettext("%d day", "%d days", days) % days


def moment(at: datetime, now: datetime | None = None) -> str:
    """`09:11` for today, `20 November, 09:11` within this year, else with the year."""
    local, today = timezone.localtime(at), timezone.localdate(now)
    clock = date_format(local, "H:i")
    if local.date() == today:
        return clock
    day = date_format(local, "j F" if local.year == today.year else "j F Y")
    return f"{day}, {clock}"
