"""The page of all rules: field, rule, the code that Edu-iX would give, and how bad it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from backoffice.eduix.codes import INCORRECT_REQUEST
from backoffice.eduix.rules_listing import SENT, ListedRule, listed_rules
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.screens.findings import explanation_url

OBJECTS: Final[Mapping[str, Promise]] = {
    "person": gettext_lazy("Person"),
    "schoolperson": gettext_lazy("Person at a school"),
    "personCredit": gettext_lazy("Person credit"),
    "schoolCredit": gettext_lazy("School credit"),
    "returnCreditRequest": gettext_lazy("Return of a credit"),
    "updatePersonIDRequest": gettext_lazy("Another customer number"),
    "mergePersonRequest": gettext_lazy("Merge of two persons"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One rule for a reader."""

    rule: ListedRule
    explanation: Explanation

    @property
    def is_error(self) -> bool:
        """Edu-iX refuses the row; a warning it takes."""
        return self.rule.severity == "error"

    @property
    def limit(self) -> str:
        """`at most 50 characters`; empty for a rule without a limit."""
        words = {
            "too_long": _("at most %(max)s characters"),
            "person_id_beyond_rename": _("at most %(max)s characters"),
            "credit_id_beyond_notification": _("at most %(max)s characters"),
            "too_short": _("at least %(min)s characters"),
            "too_small": _("at least %(min)s"),
            "too_many_digits": _("at most %(max)s digits"),
            "not_allowed": _("possible: %(allowed)s"),
        }
        if self.rule.key not in words:
            return ""
        shown = {
            name: ", ".join(map(str, value)) if isinstance(value, tuple) else value
            for name, value in self.rule.params.items()
        }
        return words[self.rule.key] % shown

    @property
    def url(self) -> str:
        """Where the explanation stands in full."""
        return explanation_url(self.explanation)


@require_safe
def rules_page(
    request: HttpRequest, extra_context: Mapping[str, object] | None = None
) -> HttpResponse:
    """All rules of what we send, or those of the object named in `about`; for staff only."""
    if not request.user.is_staff:
        raise PermissionDenied
    asked = request.GET.get("about", "")
    about = asked if asked in OBJECTS else SENT[0]
    context = {
        "title": _("What is checked before sending"),
        "objects": [(name, words, name == about) for name, words in OBJECTS.items()],
        "about": OBJECTS[about],
        "partner": about,
        "lines": [Line(rule, _explanation(rule)) for rule in listed_rules(about)],
        **(extra_context or {}),
    }
    return TemplateResponse(request, "screens/rules.html", context)


def _explanation(rule: ListedRule) -> Explanation:
    """By its code; a rule that only has the general one is explained by ours."""
    if rule.code is None or rule.code == INCORRECT_REQUEST:
        return explain(f"own:{rule.key}")
    return explain(rule.code)
