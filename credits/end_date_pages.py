"""Pages that change end dates: first old and new beside each other, then doing it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from backoffice.jobs.push_jobs import AT_ONCE
from backoffice.jobs.push_views import go_to
from backoffice.outbox.pushable import signed_in
from credits.columns import status_url, title_of
from credits.end_date_jobs import begin_end_dates
from credits.end_dates import SKIPPED, Line, Told, change_end_dates, lines_of
from credits.services import AnyCredit
from credits.wizard_forms import MOST_AT_ONCE, EndDateForm
from credits.wizard_pages import (
    LINES_SHOWN,
    Office,
    View,
    check_change,
    chosen,
    credit_of,
    list_url,
    page_of,
    rows_of,
)
from credits.wizard_words import date_warnings, whose

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


def end_date_selection(office: Office, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """The action of the list: ask for the new date."""
    pks = chosen(request, queryset, office)
    if pks is None:
        return None
    form = EndDateForm(initial={"pks": ",".join(map(str, pks))})
    return _end_date_page(request, office, form, pks)


def end_date_one(office: Office) -> View:
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        check_change(request, office)
        credit = credit_of(office, pk)
        if request.method != "POST":
            ends = credit.credit_end_date
            form = EndDateForm(initial={"pks": str(pk), "new_end": ends})
            return _end_date_page(request, office, form, [pk])
        return _change_dates(request, office, EndDateForm(request.POST), [pk], status_url(credit))

    return view


def end_date_many(office: Office) -> View:
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        check_change(request, office)
        form = EndDateForm(request.POST)
        form.is_valid()
        pks = form.cleaned_data.get("pks")
        if not pks or len(pks) > MOST_AT_ONCE:
            messages.error(request, _("Choose the credits in the list."))
            return HttpResponseRedirect(list_url(office))
        return _change_dates(request, office, form, pks, list_url(office))

    return view


def _change_dates(
    request: HttpRequest, office: Office, form: EndDateForm, pks: list[int], then: str
) -> HttpResponse:
    if not form.is_valid() or "_confirm" not in request.POST:
        is_previewed = form.is_valid() and "_edit" not in request.POST
        return _end_date_page(request, office, form, pks, is_previewed=is_previewed)
    given = {
        "model": office.model,
        "pks": pks,
        "new_end": form.cleaned_data["new_end"],
        "reason": form.cleaned_data["reason"],
        "user": signed_in(request),
    }
    if len(pks) >= AT_ONCE:
        return go_to(request, begin_end_dates(**given))
    told = change_end_dates(**given)
    level = messages.SUCCESS if told.changed else messages.WARNING
    office.message_user(request, _told_after_dates(told), level)
    return HttpResponseRedirect(then)


def _told_after_dates(told: Told) -> str:
    words = ngettext("%d end date changed.", "%d end dates changed.", told.changed) % told.changed
    parts = [words]
    if told.pushed:
        sent = ngettext("%d goes to Edu-iX.", "%d go to Edu-iX.", told.pushed)
        parts.append(sent % told.pushed)
    if told.changed > told.pushed:
        parts.append(_("What Edu-iX does not have was changed with us only."))
    if told.skipped:
        why = ", ".join(f"{number} {SKIPPED[skip]}" for skip, number in told.skipped.items())
        parts.append(_("Skipped: %(why)s.") % {"why": why})
    return " ".join(parts)


@dataclass(frozen=True)
class Row:
    """One credit as the page shows it; `skip` is empty for what gets the new date."""

    credit: AnyCredit
    whose: str
    product: str
    skip: _StrOrPromise = ""


def _row(line: Line) -> Row:
    skip = SKIPPED[line.skip] if line.skip is not None else ""
    return Row(line.credit, whose(line.credit), title_of(line.credit), skip)


def _end_date_page(
    request: HttpRequest,
    office: Office,
    form: EndDateForm,
    pks: list[int],
    *,
    is_previewed: bool = False,
) -> HttpResponse:
    credits = list(rows_of(office.model, pks))
    lines = [Line(credit, None) for credit in credits]
    context: dict[str, Any] = {}
    if is_previewed:
        new_end = form.cleaned_data["new_end"]
        lines = lines_of(credits, new_end)
        due = [line.credit for line in lines if line.skip is None]
        context = {
            "new_end": new_end,
            "number": len(due),
            "warnings": list(date_warnings(due, new_end, timezone.localdate())) if due else [],
            "skipped": _counted(lines),
        }
    title = ngettext(
        "Another end date for %d credit", "Another end date for %d credits", len(credits)
    )
    is_one = request.resolver_match is not None and "pk" in request.resolver_match.kwargs
    many_url = reverse(f"admin:credits_{office.opts.model_name}_end_date_many")
    context |= {
        "title": title % len(credits),
        "form": form,
        "rows": [_row(line) for line in lines[:LINES_SHOWN]],
        "total": len(credits),
        "is_previewed": is_previewed,
        "action_url": request.path if is_one else many_url,
        "back_url": status_url(credits[0]) if is_one else list_url(office),
        "credit": credits[0] if is_one else None,
        "status_url": status_url(credits[0]) if is_one else "",
    }
    return page_of(request, office, "credits/end_date.html", context)


def _counted(lines: list[Line]) -> list[tuple[int, _StrOrPromise]]:
    counts = Counter(line.skip for line in lines if line.skip is not None)
    return [(count, SKIPPED[skip]) for skip, count in counts.most_common()]
