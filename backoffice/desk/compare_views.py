"""The page that lays our row beside that of Edu-iX, and the choices made on it.

Looking never changes anything; every step is a button that posts, and asks for a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backoffice.desk.comparison import (
    Comparison,
    compare,
    gone_above,
    label_of,
    shown,
    state_of,
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
from backoffice.jobs.models import Drift
from backoffice.outbox.models import Held, Message, key_of
from backoffice.outbox.pushable import signed_in
from backoffice.screens.cells import Tone, pill
from credits.adopting import take_over_row
from persons.comparing import queue_check, school_check
from persons.models import School

View = Callable[..., HttpResponse]
LONGEST_REASON: Final = 100  # what the history keeps
BELOW_SHOWN: Final = 100


def compare_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `vergelijken/`."""

    def page(view: View) -> View:
        return site.admin_view(never_cache(view(site)))

    row = "vergelijken/<slug:kind>/<int:pk>/"
    return [
        path("vergelijken/alleen-daar/<int:pk>/", page(_extra), name="compare_extra"),
        path("vergelijken/alleen-daar/<int:pk>/overnemen/", page(_adopt), name="compare_adopt"),
        path("vergelijken/school/<int:pk>/", page(_school), name="compare_school"),
        path("vergelijken/school/<int:pk>/stand/", page(_school_live), name="compare_school_live"),
        path(
            "vergelijken/school/<int:pk>/ophalen/", page(_school_fetch), name="compare_school_fetch"
        ),
        path(row, page(_page), name="compare"),
        path(f"{row}stand/", page(_live), name="compare_live"),
        path(f"{row}ophalen/", page(_fetch), name="compare_fetch"),
        path(f"{row}kiezen/", page(_choose), name="compare_choose"),
        path(f"{row}opnieuw/", page(_create), name="compare_create"),
        path(f"{row}verwijderd/", page(_delete), name="compare_delete"),
    ]


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
                request, mirror, row, problems=problems, posted=dict(request.POST.items())
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


# --- a school -----------------------------------------------------------------------------------


def _find_school(request: HttpRequest, pk: int, action: str = "view") -> School:
    if not request.user.has_perm(f"persons.{action}_school"):
        raise PermissionDenied
    school = School.objects.filter(pk=pk).first()
    if school is None:
        raise Http404
    return school


def _school_context(request: HttpRequest, school: School) -> dict[str, Any]:
    subject = f"school:{school.organisation_id}"
    held = Held.objects.filter(subject=subject).first()
    credits = list(MIRRORS["school_credit"].rows().filter(school=school).order_by("pk"))
    rows = [(MIRRORS["school_credit"], credit) for credit in credits[:BELOW_SHOWN]]
    active = Message.objects.active().filter(subject=subject, operation="school.check")
    parts = {
        "live": reverse("admin:compare_school_live", args=[school.pk]),
        "fetch": reverse("admin:compare_school_fetch", args=[school.pk]),
    }
    state = "unknown" if held is None else ("equal" if held.is_there else "gone")
    may_see = request.user.has_perm("credits.view_schoolcredit")
    return {
        "title": _("Compare with Edu-iX"),
        "school": school,
        "held": held,
        "state": state,
        "pill": state_pill(state),
        "under": below_lines(rows, subject) if may_see else [],
        "under_way": active.exists(),
        "may_fetch": request.user.has_perm("persons.change_school"),
        "urls": parts,
    }


def _school(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = _school_context(request, _find_school(request, pk))
        return TemplateResponse(
            request, "desk/compare_school.html", {**site.each_context(request), **context}
        )

    return view


def _school_live(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = _school_context(request, _find_school(request, pk))
        return TemplateResponse(request, "desk/_compare_school.html", context)

    return view


def _school_fetch(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        school = _find_school(request, pk, "change")
        queue_check(wanted=school_check(school.organisation_id), user=signed_in(request))
        messages.success(request, _("Edu-iX is being asked; the answer appears here."))
        return HttpResponseRedirect(reverse("admin:compare_school", args=[pk]))

    return view


# --- only at Edu-iX -----------------------------------------------------------------------------


def _find_extra(request: HttpRequest, pk: int, action: str) -> tuple[Mirror, Drift, Held]:
    drift = Drift.objects.filter(pk=pk, what=Drift.What.EXTRA).first()
    held = Held.objects.filter(subject=drift.subject).first() if drift is not None else None
    if drift is None or held is None:
        raise Http404
    mirror = MIRRORS[drift.kind]
    for one in {"view", action}:
        if not request.user.has_perm(mirror.permission(one)):
            raise PermissionDenied
    return mirror, drift, held


def _extra(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        mirror, drift, held = _find_extra(request, pk, "view")
        return _extra_page(site, request, mirror, drift, held)

    return view


def _extra_page(
    site: AdminSite,
    request: HttpRequest,
    mirror: Mirror,
    drift: Drift,
    held: Held,
    problem: str = "",
) -> HttpResponse:
    names = {one.name for one in mirror.model._meta.fields} | set(mirror.links) | mirror.fixed
    blank = mirror.model()
    context = {
        **site.each_context(request),
        "title": _("Only at Edu-iX"),
        "kind": mirror.model._meta.verbose_name,
        "drift": drift,
        "held": held,
        "lines": [
            (label_of(mirror, name), shown(blank, name, value))
            for name, value in held.values.items()
            if name in names
        ],
        "problem": problem,
        "may_adopt": request.user.has_perm(mirror.permission("add")),
        "adopt_url": reverse("admin:compare_adopt", args=[drift.pk]),
        "longest_reason": LONGEST_REASON,
    }
    return TemplateResponse(
        request, "desk/compare_extra.html", context, status=422 if problem else None
    )


def _adopt(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        mirror, drift, held = _find_extra(request, pk, "add")
        reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
        if not reason:
            problem = _("Give the reason; it stands in the history.")
            return _extra_page(site, request, mirror, drift, held, problem)
        question = take_over_row(
            kind=drift.kind, key=drift.label, reason=reason, user=signed_in(request)
        )
        return HttpResponseRedirect(reverse("admin:question", args=[question.pk]))

    return view
