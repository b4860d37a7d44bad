"""What the partner's rules find, in words for a colleague: the code it would give, and why.

The rules say what is wrong; the catalogue of explanations says it in words. Here they meet, for
the forms, the page that shows what would be sent, and the table of all rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.eduix.codes import INCORRECT_REQUEST
from backoffice.eduix.rules import Finding
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain

_LIMITS: Final[dict[str, Promise]] = {
    **dict.fromkeys(
        ("too_long", "person_id_beyond_rename", "credit_id_beyond_notification"),
        gettext_lazy("at most %(max)s characters; there are %(length)s"),
    ),
    "too_short": gettext_lazy("at least %(min)s characters; there are %(length)s"),
    "too_small": gettext_lazy("at least %(min)s"),
    "too_many_digits": gettext_lazy("at most %(max)s digits"),
    "not_allowed": gettext_lazy("possible: %(allowed)s"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """A finding for a reader. `field` is the form field it is about, empty when it has none."""

    finding: Finding
    explanation: Explanation
    field: str = ""

    @property
    def is_error(self) -> bool:
        """Edu-iX would refuse the row; a warning it would take."""
        return self.finding.severity == "error"

    @property
    def line(self) -> str:
        """`Edu-iX would give 5022: …` for an error, the title of the explanation for a warning."""
        words = self.title
        if limit := limits_in_words(self.finding.message_key, self.finding.params):
            words = f"{words.rstrip('.')} ({limit})"
        if not self.is_error:
            return words
        code = self.finding.code
        return _("Edu-iX would give %(code)s: %(words)s") % {"code": code, "words": words}

    @property
    def title(self) -> str:
        """Without the limit that the explanation names itself: the particulars name it too."""
        title = self.explanation.title
        head, colon, tail = title.partition(": ")
        is_limit = self.finding.message_key in _LIMITS and any(sign.isdigit() for sign in tail)
        return head if colon and is_limit else title

    @property
    def url(self) -> str:
        """Where the whole explanation stands."""
        return explanation_url(self.explanation)


def in_words(finding: Finding, *, field: str = "") -> Said:
    """A finding with its explanation.

    A rule that has no code of its own is answered with the general 6, whose words say nothing of
    the rule; then ours explain it.
    """
    if finding.code is None or finding.code == INCORRECT_REQUEST:
        return Said(finding, explain(f"own:{finding.message_key}"), field)
    return Said(finding, explain(finding.code), field)


def limits_in_words(key: str, params: Mapping[str, object]) -> str:
    """`at most 50 characters; there are 51`; empty for a rule without a limit."""
    if key not in _LIMITS:
        return ""
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in params.items()
    }
    return str(_LIMITS[key] % shown)


def explanation_url(explanation: Explanation) -> str:
    """The page of explanations, open at this one."""
    return f"{reverse('admin:explain')}?{urlencode({'q': explanation.reference})}"
