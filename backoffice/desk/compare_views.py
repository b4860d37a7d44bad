"""The page that lays our row beside that of Edu-iX, and the choices made on it.

Looking never changes anything; every step is a button that posts, and asks for a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backoffice.desk.compare_lines import BELOW_SHOWN, below_lines, state_pill
from backoffice.desk.compare_others import LONGEST_REASON, View, other_urls
from backoffice.desk.comparison import (
    Comparison,
    compare,
    gone_above,
    label_of,
    title_of_row,
)
from backoffice.desk.deciding import (
    CannotDecide,
    Stale,
    choose,
    create_again,
    gone_below,
    mark_deleted,
)
from backoffice.desk.mirrors import MIRRORS, Mirror, below
from backoffice.outbox.models import Message, key_of
from backoffice.outbox.pushable import signed_in
from persons.comparing import queue_check


def compare_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `vergelijken/`."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    row = "vergelijken/<slug:kind>/<int:pk>/"
    return [
        *other_urls(site),
        path(row, page(_page), name="compare"),
        path(f"{row}stand/", page(_live), name="compare_live"),
        path(f"{row}ophalen/", page(_fetch), name="compare_fetch"),
        path(f"{row}kiezen/", page(_choose), name="compare_choose"),
        path(f"{row}opnieuw/", page(_create), name="compare_create"),
        path(f"{row}verwijderd/", page(_delete), name="compare_delete"),
    ]


# --- one row ------------------------------------------------------------------------------------


def _find(request: HttpRequest, kind: str, pk: int, *actions: str) -> tuple[Mirror, Any]:
    mirror = MIRRORS.get(kind)
    if mirror is None:
        raise Http404
    for action in ("view", *actions):
        if not request.user.has_perm(mirror.permission(action)):
            raise PermissionDenied
    row = mirror.rows().filter(pk=pk).first()
    if row is None:
        raise Http404
    return mirror, row


def _context(
    request: HttpRequest,
    mirror: Mirror,
    row: Any,
    *,
    problems: Sequence[str] = (),
    posted: dict[str, str] | None = None,
) -> dict[str, Any]:
    found = compare(mirror, row)
    under = below(mirror.kind, row)
    args = [mirror.kind, row.pk]
    title, sub = title_of_row(mirror, row)
    above = gone_above(mirror, row) if found.state == "gone" else None
    parts = ("live", "fetch", "choose", "create", "delete")
    return {
        "title": _("Compare with Edu-iX"),
        "row_title": title,
        "row_sub": sub,
        "found": found,
        "pill": state_pill(found.state),
        "tone": {"equal": "ok", "old": "ok", "unknown": "idle"}.get(found.state, "bad"),
        "sentence": _sentence(found),
        "under": below_lines(under[:BELOW_SHOWN], mirror.check(row).subject) if under else [],
        "problems": problems,
        "posted": posted or {},
        "lines": [(line, (posted or {}).get(f"take_{line.column}", "")) for line in found.lines],
        "above_url": reverse("admin:compare", args=[above[0], above[1].pk]) if above else "",
        "gone_along": len(gone_below(found)) if found.state == "gone" else 0,
        "deleted_along": len(under),
        "may_fetch": request.user.has_perm(mirror.permission("change")),
        "may_decide": (
            found.may_choose
            and request.user.has_perm(mirror.permission("push"))
            and request.user.has_perm(mirror.permission("change"))
        ),
        "message_url": _message_url(mirror, row),
        "row_url": _row_url(mirror, row),
        "longest_reason": LONGEST_REASON,
        "urls": {part: reverse(f"admin:compare_{part}", args=args) for part in parts},
    }


def _row_url(mirror: Mirror, row: Any) -> str:
    meta = mirror.model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def _message_url(mirror: Mirror, row: Any) -> str:
    message = (
        Message.objects.open()
        .filter(subject=key_of(mirror.kind, row.pk), operation=mirror.operation)
        .first()
    )
    return reverse("admin:outbox_message_change", args=[message.pk]) if message else ""


def _sentence(found: Comparison) -> str:
    if found.under_way:
        return _("Something about this is under way; the page follows it.")
    number = len(found.columns)
    return {
        "unknown": _("Edu-iX was not asked about this yet."),
        "old": _("Edu-iX accepted what we hold after this answer. Ask again to be sure."),
        "equal": _("What we hold and what Edu-iX holds is equal."),
        "differs": ngettext(
            "%d field differs. Choose which one is right.",
            "%d fields differ. Choose for each which one is right.",
            number,
        )
        % number,
        "gone": _("Edu-iX had this, and does not know it any more."),
    }[found.state]


def _page(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        mirror, row = _find(request, kind, pk)
        context = {**site.each_context(request), **_context(request, mirror, row)}
        return TemplateResponse(request, "desk/compare.html", context)

    return view


def _live(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        mirror, row = _find(request, kind, pk)
        return TemplateResponse(request, "desk/_compare.html", _context(request, mirror, row))

    return view


def _fetch(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
        mirror, row = _find(request, kind, pk, "change")
        queue_check(wanted=mirror.check(row), user=signed_in(request))
        messages.success(request, _("Edu-iX is being asked; the answer appears here."))
        return HttpResponseRedirect(reverse("admin:compare", args=[kind, pk]))

    return view


Decision = Callable[[HttpRequest, str, int, dict[str, Any]], str]


def _deciding(decide: Decision) -> Callable[[AdminSite], View]:
    """A button of the page: do it, or show the page again with what stands in the way."""

    def make(site: AdminSite) -> View:
        @require_POST
        def view(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
            mirror, row = _find(request, kind, pk, "change", "push")
            given = {
                "token": request.POST.get("token", ""),
                "reason": request.POST.get("reason", "").strip()[:LONGEST_REASON],
                "user": signed_in(request),
            }
            status = 422
            try:
                told = decide(request, kind, pk, given)
            except Stale:
                status = 409
                problems = [
                    _("Something changed since you saw this page. Nothing was done: look again.")
                ]
            except CannotDecide as cannot:
                problems = cannot.lines
            else:
                messages.success(request, told)
                if mirror.rows().filter(pk=pk).exists():
                    return HttpResponseRedirect(reverse("admin:compare", args=[kind, pk]))
                return HttpResponseRedirect(reverse("admin:drift"))
            row = mirror.rows().filter(pk=pk).first()
            if row is None:
                raise Http404
            context = _context(
                request,
                mirror,
                row,
                problems=problems,
                posted={name: str(value) for name, value in request.POST.items()},
            )
            return TemplateResponse(
                request,
                "desk/compare.html",
                {**site.each_context(request), **context},
                status=status,
            )

        return view

    return make


def _decide_fields(request: HttpRequest, kind: str, pk: int, given: dict[str, Any]) -> str:
    mirror, row = _find(request, kind, pk)
    columns = compare(mirror, row).columns
    chosen = {name: request.POST.get(f"take_{name}", "") for name in columns}
    if everything := request.POST.get("all", ""):
        chosen = dict.fromkeys(columns, everything)
    open_ones = [name for name, side in chosen.items() if side not in ("ours", "theirs")]
    if open_ones:
        names = ", ".join(label_of(mirror, name) for name in open_ones)
        raise CannotDecide([_("Choose ours or theirs for: %s.") % names])
    take = {name for name, side in chosen.items() if side == "theirs"}
    if choose(kind=kind, pk=pk, take=take, **given):
        return _("Saved. What we hold goes to Edu-iX now; then both are equal.")
    return _("Saved. What we hold and what Edu-iX holds is equal.")


def _decide_create(request: HttpRequest, kind: str, pk: int, given: dict[str, Any]) -> str:
    number = create_again(kind=kind, pk=pk, **given)
    return (
        ngettext("%d row goes to Edu-iX as new.", "%d rows go to Edu-iX as new.", number) % number
    )


def _decide_delete(request: HttpRequest, kind: str, pk: int, given: dict[str, Any]) -> str:
    number = mark_deleted(kind=kind, pk=pk, **given)
    return (
        ngettext(
            "%d row is marked as deleted here too.",
            "%d rows are marked as deleted here too.",
            number,
        )
        % number
    )


_choose = _deciding(_decide_fields)
_create = _deciding(_decide_create)
_delete = _deciding(_decide_delete)
