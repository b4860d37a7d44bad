"""The rows of the page of what is ready, gathered; for the page and `manage.py readiness`."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from backoffice.desk import readiness_here as here
from backoffice.desk import readiness_outside as outside
from backoffice.desk.outside import is_under_way
from backoffice.desk.outside_models import OutsideCheck
from backoffice.desk.readiness import Group, Readiness, State
from backoffice.outbox.models import ServiceState


def readiness(now: datetime) -> Readiness:
    """All rows; some twenty queries, whatever the data. Nothing leaves for Edu-iX."""
    database = here.database()
    if database.state == State.ACTION:  # nothing else can be known
        return Readiness([Group(_("Here"), [database])], asked=False, checked_at=None)
    states = {row.service: row for row in ServiceState.objects.all()}
    checks = {row.part: row for row in OutsideCheck.objects.all()}
    ours = [
        database,
        here.durability(),
        here.clock(),
        here.broker(),
        here.worker(states, now),
        here.background(states, now),
        outside.applying(now),
        here.disk(),
        here.retention(states, now),
    ]
    theirs = [
        *outside.partners(states, checks, now),
        outside.last_notification(now),
    ]
    mail = [outside.mail(checks.get(OutsideCheck.Part.MAIL), now)]
    times = [check.checked_at for check in checks.values() if check.checked_at is not None]
    return Readiness(
        [Group(_("Here"), ours), Group("Edu-iX", theirs), Group(_("Mail"), mail)],
        asked=is_under_way(checks, now),
        checked_at=min(times, default=None),
    )
