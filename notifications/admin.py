"""What Edu-iX told us: to look at, and to apply again; and what was refused at the door."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backoffice.outbox.pushable import signed_in
from backoffice.screens.admin import ReadOnlyAdmin, cells_of, lay_beside
from backoffice.screens.buttons import buttons_for
from backoffice.screens.cells import link, pill, two_lines
from backoffice.screens.numbers import grouped, with_number
from notifications.answers import refusal_tone
from notifications.body_search import with_text
from notifications.columns import (
    contents_of,
    explanation_of,
    fault_titles,
    flags_of,
    in_short,
    lines_of,
    publisher_explanations,
    subjects_of,
    verdict_pill,
    why_cell,
)
from notifications.filters import (
    KindFilter,
    NotificationGroupFilter,
    ReasonFilter,
    RefusedSinceFilter,
    SinceFilter,
    VerdictFilter,
)
from notifications.history import Who
from notifications.marks import is_test
from notifications.masking import as_it_came, pretty
from notifications.models import Notification, Refusal, Try
from notifications.reasons import in_words
from notifications.services import may_be_replayed, replay
from notifications.tries import try_lines
from notifications.views import answers_page, send_test_page

# Subjects, of each the newest: applied while the colleague waits, some milliseconds each.
MAX_REPLAY: Final = 500


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
    """Every delivery that was accepted, with what became of it."""

    change_form_template = "notifications/notification.html"
    change_list_template = "notifications/list.html"
    actions = ["apply_again"]

    lead = _("What Edu-iX told us about persons and credits, and what became of it.")
    list_display = ["what", "about", "state", "why", "moment"]
    list_filter = [NotificationGroupFilter, KindFilter, VerdictFilter, SinceFilter]
    ordering = ["-id"]
    search_fields = ["subject"]  # shows the box; see `get_search_results`
    search_help_text = _(
        "Customer number or credit number in full; else a piece of the body (capitals count), "
        "among the newest 20,000 of the last 7 days"
    )
    allowed_lookups = frozenset({"group", "kind", "verdict", "since"})

    def get_urls(self) -> list[URLPattern]:
        """The page of answers first: a key of a row would match anything."""

        def page(make: Any) -> Any:
            return self.admin_site.admin_view(make(self.admin_site))

        own = [
            path("antwoorden/", page(answers_page), name="notification_answers"),
            path("antwoorden/test/", page(send_test_page), name="notification_test"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return super().get_queryset(request).defer("raw", "traceback")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Notification], bool]:
        typed = search_term.strip()
        if not typed:
            return queryset, False
        if Notification.objects.filter(subject=typed).exists():
            return queryset.filter(subject=typed), False
        return queryset.filter(pk__in=with_text(typed, timezone.now())), False

    def prepare_rows(self, request: HttpRequest, rows: list[Notification]) -> None:
        subjects = subjects_of(rows)
        faults = fault_titles(rows, subjects)
        for row in rows:
            lay_beside(row, subject=subjects.get(row.pk), fault=faults.get(row.pk, ""))

    # --- columns ---------------------------------------------------------------------------------

    @admin.display(description=_("notification"))
    def what(self, notification: Notification) -> SafeString:
        return two_lines(notification.get_kind_display(), notification.subject)

    @admin.display(description=_("about"))
    def about(self, notification: Notification) -> SafeString:
        subject = cells_of(notification).get("subject")
        if subject:
            return link(subject.url, subject.name)
        return link("", _("ourselves") if is_test(notification.subject) else _("not known here"))

    @admin.display(description=_("verdict"), ordering="verdict")
    def state(self, notification: Notification) -> SafeString:
        return verdict_pill(notification)

    @admin.display(description=_("what is the matter, and what to do"))
    def why(self, notification: Notification) -> SafeString:
        beside = cells_of(notification)
        return why_cell(notification, beside.get("subject"), beside.get("fault", ""))

    @admin.display(description=_("received"), ordering="id")
    def moment(self, notification: Notification) -> SafeString:
        received = timezone.localtime(notification.received_at)
        return two_lines(date_format(received, "j b, H:i"), notification.source or "")

    # --- page ------------------------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        notification: Notification = context["original"]
        subject = subjects_of([notification]).get(notification.pk)
        context |= {
            "title": notification.get_kind_display(),
            "pill": verdict_pill(notification),
            "explanation": explanation_of(notification),
            "reason": in_words(notification.reason) if notification.reason else "",
            "flags": flags_of(notification),
            "in_short": in_short(notification, subject),
            "contents": contents_of(notification),
            "lines": lines_of(notification),
            "publisher_explanations": publisher_explanations(notification, subject),
            "subject": subject,
            "tries": try_lines(notification, with_details=self.has_replay_permission(request)),
            "body": pretty(bytes(notification.raw), notification.content_type),
            "raw": as_it_came(bytes(notification.raw), notification.content_type),
            "may_replay": (may_be_replayed(notification) and self.has_replay_permission(request)),
        }
        found = buttons_for(
            context["explanation"], notification, kind="notification", user=request.user
        )
        context["buttons"] = [
            button for button in found if not button.is_post
        ]  # replay stands below
        return super().render_change_form(request, context, *args, **kwargs)

    # --- action ----------------------------------------------------------------------------------

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """May apply notifications again."""
        return request.user.has_perm("notifications.replay_notification")

    @admin.action(description=_("Apply again"), permissions=["replay"])
    def apply_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        if queryset.order_by().values("kind", "subject").distinct().count() > MAX_REPLAY:
            told = _(
                "That is about more than %(most)d persons and credits. Choose fewer, or ask your "
                "administrator for “manage.py replay”."
            ) % {"most": MAX_REPLAY}
            self.message_user(request, told, messages.WARNING)
            return
        replayed = replay(
            notifications=queryset.defer(None), who=Who(Try.By.COLLEAGUE, signed_in(request))
        )
        words = dict(Notification.Verdict.choices)
        for verdict, number in sorted(replayed.verdicts.items()):
            told = ngettext(
                "%(number)s notification: %(verdict)s.",
                "%(number)s notifications: %(verdict)s.",
                number,
            ) % {
                "number": grouped(number),
                "verdict": str(words[verdict]).lower(),
            }
            is_fine = verdict in Notification.SETTLED
            self.message_user(request, told, messages.SUCCESS if is_fine else messages.WARNING)
        if replayed.skipped:
            told = ngettext(
                "%d was skipped: its content is not valid, so there is nothing to apply.",
                "%d were skipped: their content is not valid, so there is nothing to apply.",
                replayed.skipped,
            )
            self.message_user(request, with_number(told, replayed.skipped), messages.WARNING)


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin[Refusal]):
    """Which answers senders got other than "accepted", by minute."""

    lead = _("What the endpoint for Edu-iX refused, and why; nothing of it was kept.")
    list_display = ["moment", "answer", "why", "sender", "count"]
    list_display_links = None
    list_filter = [ReasonFilter, RefusedSinceFilter]
    ordering = ["-minute", "pk"]
    allowed_lookups = frozenset({"reason", "since"})

    @admin.display(description=_("minute"), ordering="minute")
    def moment(self, refusal: Refusal) -> str:
        return date_format(timezone.localtime(refusal.minute), "j b, H:i")

    @admin.display(description=_("answer"), ordering="status")
    def answer(self, refusal: Refusal) -> SafeString:
        code = _("code %(code)d") % {"code": refusal.code} if refusal.code else ""
        return two_lines(pill(refusal_tone(refusal.reason), refusal.status), code)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, refusal: Refusal) -> str:
        return str(refusal.get_reason_display())

    @admin.display(description=_("sender"), ordering="source")
    def sender(self, refusal: Refusal) -> str:
        return refusal.source or str(_("unknown"))
