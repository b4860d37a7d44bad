"""Pages that give credits back: first what will happen, then doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.jobs.push_jobs import AT_ONCE
from backoffice.jobs.push_views import go_to
from backoffice.outbox.again import MAY_GO_AGAIN, send_again
from backoffice.outbox.pushable import signed_in
from credits.columns import status_url, title_of
from credits.models import CreditReturn, PersonCredit
from credits.return_jobs import begin_returns
from credits.returns import (
    WHY_NOT,
    CannotReturn,
    WhyNot,
    left_of,
    message_of,
    new_reference,
    queue_return,
    queue_returns,
    why_not,
    why_not_each,
    why_not_so_many,
    withdraw_return,
)
from credits.services import AnyCredit
from credits.wizard_forms import MOST_AT_ONCE, TYPED_FROM, ReturnForm, ReturnManyForm
from credits.wizard_pages import (
    LINES_SHOWN,
    Office,
    View,
    check,
    chosen,
    credit_of,
    list_url,
    page_of,
    rows_of,
)
from credits.wizard_words import (
    effects_of,
    effects_of_many,
    licences,
    told_after_return,
    told_after_returns,
    way_out,
    whose,
)

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


def return_one(office: Office) -> View:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        check(request, office)
        credit = credit_of(office, pk)
        form = ReturnForm(request.POST or None, credit=credit)
        is_previewed = False
        if request.method == "POST" and form.is_valid() and "_edit" not in request.POST:
            why = why_not_so_many(credit, form.how_many)
            if "_confirm" in request.POST:
                done = _give_back(request, credit, form)
                if done is not None:
                    return done
            elif why is None:
                is_previewed = True
            else:
                form.add_error("amount" if "amount" in form.fields else None, str(WHY_NOT[why]))
        return _return_page(request, office, credit, form, is_previewed=is_previewed)

    return view


def _give_back(request: HttpRequest, credit: AnyCredit, form: ReturnForm) -> HttpResponse | None:
    """Ask for it; None when it cannot be, and then the form says why."""
    try:
        back = queue_return(
            credit=credit,
            reference=form.cleaned_data["reference"],
            reason=form.cleaned_data["reason"],
            amount=form.how_many,
            user=signed_in(request),
        )
    except CannotReturn as problem:
        form.add_error("amount" if "amount" in form.fields else None, str(problem))
        return None
    messages.success(request, told_after_return(back))
    return HttpResponseRedirect(status_url(credit))


def _return_page(
    request: HttpRequest,
    office: Office,
    credit: AnyCredit,
    form: ReturnForm,
    *,
    is_previewed: bool,
) -> HttpResponse:
    why = why_not(credit, has_open_return=not left_of(credit))
    is_person = isinstance(credit, PersonCredit)
    shows = is_person or is_previewed
    amount = form.how_many if is_previewed else 1
    context = {
        "title": _("Give back %(book)s") % {"book": title_of(credit)},
        "credit": credit,
        "whose": whose(credit),
        "licences": licences(credit),
        "form": form,
        "why": str(WHY_NOT[why]) if why is not None else "",
        "way_out": way_out(why, credit, may_delete=office.has_delete_permission(request, credit))
        if why is not None
        else None,
        "effects": list(effects_of(credit, amount)) if shows and why is None else [],
        "amount": amount,
        "is_person": is_person,
        "is_previewed": is_previewed,
        "status_url": status_url(credit),
    }
    return page_of(request, office, "credits/return.html", context)


def _back(office: Office, pk: int, back: int) -> CreditReturn:
    found = CreditReturn.objects.of(credit_of(office, pk)).filter(pk=back).first()
    if found is None:
        raise Http404
    return found


def return_again(office: Office) -> View:
    """Send a refused return again, with the same reference."""

    @require_POST
    def view(request: HttpRequest, pk: int, back: int) -> HttpResponse:
        check(request, office)
        found = _back(office, pk, back)
        message = message_of(found)
        if message is None or message.status not in MAY_GO_AGAIN:
            messages.warning(request, _("This return cannot be sent again now."))
        else:
            send_again(message=message, user=signed_in(request))
            found.refresh_from_db()
            messages.success(request, told_after_return(found))
        return HttpResponseRedirect(status_url(found.credit))

    return view


def return_withdraw(office: Office) -> View:
    """Give up a return that Edu-iX did not take."""

    @require_POST
    def view(request: HttpRequest, pk: int, back: int) -> HttpResponse:
        check(request, office)
        found = _back(office, pk, back)
        if withdraw_return(back=found, user=signed_in(request)):
            messages.success(request, _("The return is taken back; you can make it anew."))
        else:
            messages.warning(request, _("Too late: the return is on its way to Edu-iX, or done."))
        return HttpResponseRedirect(status_url(found.credit))

    return view


# --- giving many back ----------------------------------------------------------------------------


@dataclass
class Plan:
    """What would become of a selection of credits to give back."""

    total: int
    number: int
    skipped: list[tuple[int, _StrOrPromise]]
    lines: list[tuple[AnyCredit, str, str, _StrOrPromise]]  # credit, whose, title, why not
    effects: list[str] = field(default_factory=list)


def _plan(pks: Sequence[int]) -> Plan:
    credits: list[PersonCredit] = list(rows_of(PersonCredit, pks))
    problems = why_not_each(credits)
    number = len(credits) - len(problems)
    counts: Counter[WhyNot] = Counter(problems.values())
    return Plan(
        total=len(credits),
        number=number,
        skipped=[(count, WHY_NOT[why]) for why, count in counts.most_common()],
        lines=[
            (
                credit,
                whose(credit),
                title_of(credit),
                WHY_NOT[problems[credit.pk]] if credit.pk in problems else "",
            )
            for credit in credits[:LINES_SHOWN]
        ],
        effects=list(effects_of_many(number)) if number else [],
    )


def return_selection(office: Office, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """The action of the list: what would happen to the chosen credits."""
    pks = chosen(request, queryset, office)
    if pks is None:
        return None
    form = ReturnManyForm(initial={"pks": ",".join(map(str, pks)), "reference": new_reference()})
    return _return_many_page(request, office, form, _plan(pks))


def return_many(office: Office) -> View:
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        check(request, office)
        form = ReturnManyForm(request.POST)
        is_valid = form.is_valid()
        pks = form.cleaned_data.get("pks")
        if not pks or len(pks) > MOST_AT_ONCE:
            messages.error(request, _("Choose the credits in the list."))
            return HttpResponseRedirect(list_url(office))
        plan = _plan(pks)
        # The number that stood on the page: what is queued by now, by this very page, counts too.
        was_queued = CreditReturn.objects.filter(
            reference__startswith=f"{form.cleaned_data.get('reference')}-"
        ).count()
        if not is_valid or not form.check_typed(plan.number + was_queued):
            return _return_many_page(request, office, form, plan)
        given = {
            "pks": pks,
            "token": form.cleaned_data["reference"],
            "reason": form.cleaned_data["reason"],
            "user": signed_in(request),
        }
        if len(pks) >= AT_ONCE:
            return go_to(request, begin_returns(**given))
        told = queue_returns(**given)
        level = messages.SUCCESS if told.queued else messages.WARNING
        office.message_user(request, told_after_returns(told), level)
        return HttpResponseRedirect(list_url(office))

    return view


def _return_many_page(
    request: HttpRequest, office: Office, form: ReturnManyForm, plan: Plan
) -> HttpResponse:
    words = ngettext("Give back %d credit", "Give back %d credits", plan.number) % plan.number
    context = {
        "title": words,
        "form": form,
        "plan": plan,
        "needs_typing": plan.number > TYPED_FROM,
        "action_url": reverse("admin:credits_personcredit_return_many"),
    }
    return page_of(request, office, "credits/return_many.html", context)
