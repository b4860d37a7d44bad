"""Lists and forms of what can be sent: look before you send, and be told what was changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from backoffice.eduix.preview import PreviewGateway
from backoffice.jobs.push_jobs import AT_ONCE
from backoffice.jobs.push_views import TYPED_FROM, ask_number, begin_push
from backoffice.jobs.pushing import pusher_of
from backoffice.outbox.models import Pushable
from backoffice.outbox.pushable import WHY_SKIPPED, PushableAdmin, signed_in
from backoffice.screens.numbers import is_typed
from persons.plans import FOR_EVER, Plan, Step, plan_of
from persons.preflight import preflight

P = TypeVar("P", bound=Pushable)

CHUNK = 500


class SendableAdmin(PushableAdmin[P]):
    """A row whose rules are checked before it goes, and whose sending can be looked at first.

    `steps_of` gives what goes out with a row; `step_related` what that needs from the database.
    """

    steps_of: ClassVar[Callable[[Any], list[Step]]]
    step_related: ClassVar[tuple[str, ...]] = ()

    actions = ["push_to_eduix", "show_what_happens"]

    # --- form ------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: P, form: Any, change: bool) -> None:
        """An ID that can never be mended is shown once before it goes for the first time."""
        if "_push" in request.POST and not self.wants_push(request, obj):
            self.save_row(obj, signed_in(request), push=False)
            return
        super().save_model(request, obj, form, change)

    def wants_push(self, request: HttpRequest, row: P) -> bool:
        """The colleague asked to send, and has seen what can never be mended afterwards."""
        if "_push" not in request.POST or not self.has_push_permission(request):
            return False
        return not (for_ever(self.steps(row)) - set(request.POST.getlist("_warned")))

    def steps(self, row: P) -> list[Step]:
        """What goes out with this row, first what goes first."""
        return type(self).steps_of(row)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        self._warn(request, form.instance)

    def _warn(self, request: HttpRequest, row: Any) -> None:
        """What Edu-iX would take to our regret."""
        for said in preflight(row):
            self.message_user(request, said.line, messages.WARNING)
        asked = "_push" in request.POST and self.has_push_permission(request)
        if asked and not self.wants_push(request, row):
            words = _("Not sent yet: look at the warning first. “Save and push” sends it as it is.")
            self.message_user(request, words, messages.WARNING)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: P | None = context.get("original")
        if row is not None:
            found: Any = row
            # After a refused save the errors stand at their fields, and the row is as it was.
            context["preflight"] = [] if context.get("errors") else preflight(found)
            context["unsendable"] = any(said.is_error for said in context["preflight"])
            context["warned"] = sorted(for_ever(self.steps(row)))
            context["dry_run_url"] = self._dry_run_url(row)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what would happen -----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/what-happens/",
            self.admin_site.admin_view(self.what_happens_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_what_happens",
        )
        return [own, *super().get_urls()]

    def _dry_run_url(self, row: P) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_what_happens"
        return reverse(name, args=[row.pk])

    @method_decorator(require_safe)
    def what_happens_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What sending one row would do."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        rows = self.model._default_manager.filter(pk=pk)
        return self._plan_page(request, self.plan(rows, with_envelopes=True), chosen=[str(pk)])

    @admin.action(description=_("Show what happens"), permissions=["view"])
    def show_what_happens(self, request: HttpRequest, queryset: QuerySet[P]) -> HttpResponse:
        plan = self.plan(queryset, with_envelopes=True)
        return self._plan_page(request, plan, chosen=chosen_of(request))

    @admin.action(description=_("Push to Edu-iX"), permissions=["push"])
    def push_to_eduix(  # type: ignore[override]  # the admin shows a page that an action gives
        self, request: HttpRequest, queryset: QuerySet[P]
    ) -> HttpResponse | None:
        """As ever, without what Edu-iX would refuse; and first a look at what is for ever.

        Many rows are a job: its page tells row by row what became of them.
        """
        number = queryset.order_by().count()
        if number >= AT_ONCE:
            return self._push_as_job(request, queryset, number)
        plan = self.plan(queryset, with_envelopes=False)
        if plan.for_ever and "confirmed" not in request.POST:
            return self.show_what_happens(request, queryset)
        super().push_to_eduix(request, queryset.exclude(pk__in=plan.refused))
        if plan.refused:
            number = len(plan.refused)
            words = ngettext(
                "%d row was not sent: Edu-iX would refuse it. “Show what happens” says why.",
                "%d rows were not sent: Edu-iX would refuse them. “Show what happens” says why.",
                number,
            )
            self.message_user(request, words % number, messages.WARNING)
        return None

    def _push_as_job(self, request: HttpRequest, rows: QuerySet[P], number: int) -> HttpResponse:
        confirmed = "confirmed" in request.POST
        if number > TYPED_FROM and not is_typed(request.POST.get("aantal", ""), number):
            return ask_number(
                request,
                self.admin_site,
                number=number,
                url=request.get_full_path(),
                back_url=request.get_full_path(),
                hidden=[
                    ("action", "push_to_eduix"),
                    ("index", "0"),
                    ("select_across", request.POST.get("select_across", "0")),
                    *([("confirmed", "1")] if confirmed else []),
                    *((ACTION_CHECKBOX_NAME, pk) for pk in chosen_of(request)),
                ],
            )
        title = str(pusher_of(self.kind).title)
        return begin_push(request, parts=[(self.kind, rows)], title=title, confirmed=confirmed)

    def plan(self, rows: QuerySet[P], *, with_envelopes: bool) -> Plan:
        """What sending these rows would do; reads them in chunks and keeps the first."""
        found = rows.order_by("pk").select_related(*self.step_related)
        sendable = set(self.sendable(rows.order_by()).values_list("pk", flat=True))
        return plan_of(
            found.iterator(chunk_size=CHUNK),
            type(self).steps_of,
            sendable=lambda row: "" if row.pk in sendable else why_skipped(row),
            today=timezone.localdate(),
            gateway=PreviewGateway(settings) if with_envelopes else None,
        )

    def _plan_page(self, request: HttpRequest, plan: Plan, *, chosen: list[str]) -> HttpResponse:
        changelist = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        is_action = request.method == "POST"
        context = {
            **self.admin_site.each_context(request),
            "title": _("What would happen"),
            "opts": self.opts,
            "plan": plan,
            "changelist": changelist,
            "chosen": chosen,
            "checkbox": ACTION_CHECKBOX_NAME,
            "select_across": request.POST.get("select_across", "0"),
            "send_url": request.get_full_path() if is_action else changelist,
            "may_push": self.has_push_permission(request) and plan.calls,
        }
        return TemplateResponse(request, "persons/what_happens.html", context)


def chosen_of(request: HttpRequest) -> list[str]:
    """The rows that were ticked."""
    return request.POST.getlist(ACTION_CHECKBOX_NAME)


def for_ever(steps: list[Step]) -> set[str]:
    """What Edu-iX would get for the first time and could never change."""
    return {
        said.finding.message_key
        for step in steps
        if step.row.registered_at is None
        for said in preflight(step.row)
        if said.finding.message_key in FOR_EVER
    }


def why_skipped(row: Pushable) -> str:
    """Why there is nothing to send."""
    return str(WHY_SKIPPED.get(row.push_state, _("nothing to send")))
