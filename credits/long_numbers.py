"""Credits whose number is too long for a notification: Edu-iX can never tell us about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from backoffice.eduix.rules import LONGEST_NOTIFIED_CREDIT_ID
from backoffice.explanations.explanation import Explanation

if TYPE_CHECKING:
    from credits.services import AnyCredit


def is_never_told(credit: AnyCredit) -> bool:
    """Whether Edu-iX can never notify us about this credit, because of its long number."""
    return len(str(credit)) > LONGEST_NOTIFIED_CREDIT_ID


def never_told(explanation: Explanation) -> Explanation:
    """Nothing clears by itself where no notification can come: we must ask."""
    return replace(
        explanation,
        title=_("Edu-iX cannot tell us how this credit stands"),
        cause=_(
            "The number of this credit is longer than 30 characters. Edu-iX sends no notification "
            "about it, so what the publisher answers does not appear here by itself."
        ),
        remedy="\n".join(
            [
                _("Ask Edu-iX how it stands, on the page of the credit, when you want to know."),
                _("Give new credits a number of at most 30 characters."),
            ]
        ),
        means="",
        causes=(),
        owner="wij",
        clears_itself=False,
        when="",
    )
