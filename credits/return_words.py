"""How a return stands, and what a colleague can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.explanations.services import explain
from backoffice.outbox.cells import push_pill
from backoffice.outbox.models import PushState
from backoffice.outbox.push import GONE
from backoffice.screens.cells import Problem, pill, problem_cell, problem_of, quiet_cell
from credits.columns import status_url
from credits.models import CreditReturn
from credits.return_senders import MORE_THAN_IS_LEFT

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_DIFFERS: Final[dict[str, _StrOrPromise]] = {
    MORE_THAN_IS_LEFT: gettext_lazy(
        "Edu-iX has fewer left than this gives back. Take the return back and make it anew with "
        "the number that is left now."
    ),
    GONE: gettext_lazy(
        "Edu-iX does not know this credit any more, so there is nothing to give back. Take the "
        "return back."
    ),
    "returned": gettext_lazy(
        "The answer was lost, and what Edu-iX counts as given back does not tell whether this "
        "return is among it. Ask Edu-iX which returns it has; then take this one back, or send it "
        "again under the same reference."
    ),
}


def return_pill(back: CreditReturn) -> SafeString:
    """`Returned`, `Taken back`, or how it stands at Edu-iX."""
    if back.registered_at is not None:
        return pill("ok", _("Given back"))
    if back.withdrawn_at is not None:
        return pill("idle", _("Taken back"))
    return push_pill(back)


def words_of(back: CreditReturn) -> _StrOrPromise:
    """What is the matter when only a colleague can tell what happened; empty otherwise."""
    if back.push_state != PushState.CONFLICT or not back.is_open:
        return ""
    return _DIFFERS.get(back.push_text, _("Edu-iX holds something else than we thought."))


def return_problem(back: CreditReturn) -> SafeString:
    """The cell beside the state."""
    if not back.is_open:
        return quiet_cell("")
    url, open_it = status_url(back.credit), _("Open the credit")
    if back.push_state == PushState.CONFLICT:
        problem = Problem(title=str(words_of(back)), url=url, url_text=open_it)
        return problem_cell(problem)
    if back.push_state == PushState.REFUSED and back.push_code is not None:
        explanation = explain(back.push_code, service="credit")
        notes = [_("code %d") % abs(back.push_code)]
        return problem_cell(problem_of(explanation, url=url, url_text=open_it, notes=notes))
    if back.push_state == PushState.WAITING:
        return quiet_cell(_("It waits for a change of the credit that was refused."))
    return quiet_cell(_("It goes by itself."))
