"""How rows stand beside Edu-iX, in a pill and in the list of what hangs under a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.desk.comparison import state_of, title_of_row
from backoffice.desk.mirrors import MIRRORS, Mirror
from backoffice.jobs.models import Drift
from backoffice.outbox.models import Held, key_of
from backoffice.screens.cells import Tone, pill

BELOW_SHOWN: Final = 100


def state_pill(state: str) -> SafeString:
    """Colour, sign and word of how two rows stand beside each other."""
    words: dict[str, tuple[Tone, str]] = {
        "unknown": ("idle", _("Not asked yet")),
        "old": ("ok", _("Accepted since")),
        "equal": ("ok", _("Equal")),
        "differs": ("bad", _("Differs")),
        "gone": ("bad", _("Not at Edu-iX any more")),
        "extra": ("wait", _("Only at Edu-iX")),
    }
    return pill(*words[state])


@dataclass(frozen=True)
class Below:
    """A row under the one shown, or one that only Edu-iX has."""

    title: str
    sub: str
    pill: SafeString
    url: str


def below_lines(rows: Sequence[tuple[Mirror, Any]], owner: str) -> list[Below]:
    """How everything under a row stands; two queries beside the rows themselves."""
    subjects = [key_of(mirror.kind, row.pk) for mirror, row in rows]
    held = {one.subject: one for one in Held.objects.filter(subject__in=subjects)}
    lines = [
        Below(
            *title_of_row(mirror, row),
            state_pill(state_of(mirror, row, held.get(key_of(mirror.kind, row.pk)))),
            reverse("admin:compare", args=[mirror.kind, row.pk]),
        )
        for mirror, row in rows
    ]
    extras = Drift.objects.filter(owner=owner, what=Drift.What.EXTRA).order_by("pk")
    lines += [
        Below(
            one.label,
            MIRRORS[one.kind].model._meta.verbose_name or "",  # type: ignore[arg-type]
            state_pill("extra"),
            reverse("admin:compare_extra", args=[one.pk]),
        )
        for one in extras[:BELOW_SHOWN]
    ]
    return lines
