"""What went, and must still go, to Edu-iX: to look at, and to try again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backoffice.eduix.codes import BLOCK, NOT_FOUND
from backoffice.explanations.services import explain
from backoffice.outbox.again import MAY_GO_AGAIN, send_again
from backoffice.outbox.calls import done_words, outcome_pill, tries_of
from backoffice.outbox.cells import (
    compare_url,
    explanation_of,
    followers_of,
    message_pill,
    service_of,
    waiting_words,
)
from backoffice.outbox.filters import MessageGroupFilter, OperationFilter
from backoffice.outbox.models import Attempt, Message
from backoffice.outbox.pushable import in_chunks, signed_in
from backoffice.outbox.registry import is_question
from backoffice.outbox.standstill import standstill_now
from backoffice.outbox.words import operation_words
from backoffice.screens.admin import ReadOnlyAdmin, cells_of, lay_beside
from backoffice.screens.buttons import buttons_for
from backoffice.screens.cells import (
    Problem,
    dotted,
    link,
    problem_cell,
    problem_of,
    quiet_cell,
    two_lines,
)
from backoffice.screens.links import url_of
from backoffice.screens.numbers import with_number

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

ATTEMPTS_SHOWN = 50


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    """Every intent to change or ask something at Edu-iX."""

    change_form_template = "outbox/message.html"
    change_list_template = "outbox/list.html"
    actions = ["send_again_now"]

    lead = _("What went to Edu-iX, what still must go, and what stands in its way.")
    list_display = ["what", "state", "what_to_do", "moment"]
    list_filter = [MessageGroupFilter, OperationFilter]
    list_select_related = ["waits_for"]
    ordering = ["-id"]
    search_fields = ["label"]  # shows the box; see `get_search_results`
    search_help_text = _("Customer number, credit number or school ID, in full or its beginning")
    allowed_lookups = frozenset({"group", "operation", "subject"})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        typed = search_term.strip()
        if not typed:
            return queryset, False
        return queryset.filter(Q(label__istartswith=typed) | Q(subject=typed)), False

    def prepare_rows(self, request: HttpRequest, rows: list[Message]) -> None:
        roots = {row.pk for row in rows} | {row.waits_for_id for row in rows if row.waits_for_id}
        followers = followers_of(roots)
        tries = tries_by_message(row.pk for row in rows)
        for row in rows:
            lay_beside(
                row,
                followers=followers.get(row.waits_for_id or row.pk, 0),
                tries=tries.get(row.pk, 0),
            )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"standstill": standstill_now(), **(extra_context or {})}
        return super().changelist_view(request, context)

    # --- columns ---------------------------------------------------------------------------------

    @admin.display(description=_("message"))
    def what(self, message: Message) -> SafeString:
        return two_lines(
            capfirst(operation_words(message.operation)), message.label or message.subject
        )

    @admin.display(description=_("status"), ordering="status")
    def state(self, message: Message) -> SafeString:
        return message_pill(message)

    @admin.display(description=_("what is the matter, and what to do"))
    def what_to_do(self, message: Message) -> SafeString:
        problem = problem_with(message, cells_of(message).get("followers", 0))
        return problem_cell(problem) if problem is not None else quiet_cell(quiet_words(message))

    @admin.display(description=_("asked"), ordering="id")
    def moment(self, message: Message) -> SafeString:
        asked = date_format(timezone.localtime(message.asked_at), "j b, H:i")
        number = cells_of(message).get("tries", 0)
        return two_lines(asked, ngettext("%d try", "%d tries", number) % number if number else "")

    # --- page ------------------------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        message: Message = context["original"]
        tries = tries_of(message.attempts.all()[:ATTEMPTS_SHOWN], service_of(message))
        explanation = explanation_of(message)
        context |= {
            "title": capfirst(operation_words(message.operation)),
            "pill": message_pill(message),
            "explanation": explanation,
            "row_url": url_of(message.subject, code=message.code, text=message.text),
            "compare_url": _compare_page(message),
            "root_url": _page_of(message.waits_for),
            "followers": followers_of([message.pk]).get(message.pk, 0),
            "tries": tries,
            "operation_words": operation_words(message.operation),
            "number_of_tries": message.attempts.count(),
            "done_words": done_words(message.operation, tries[0] if tries else None),
            "not_found_url": not_found_url(message),
            "may_resend": (message.status in MAY_GO_AGAIN and self.has_resend_permission(request)),
        }
        if explanation is not None:
            shown = {context["row_url"], context["compare_url"], context["not_found_url"]}
            found = buttons_for(explanation, message, kind="message", user=request.user)
            context["buttons"] = [button for button in found if button.url not in shown - {""}]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- action ----------------------------------------------------------------------------------

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Nobody edits a message; the right to change one is the right to send it again."""
        return request.user.has_perm("outbox.change_message")

    @admin.action(description=_("Send again now"), permissions=["resend"])
    def send_again_now(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        due = queryset.filter(status__in=MAY_GO_AGAIN).order_by("position")
        pks = list(due.values_list("pk", flat=True))
        skipped = queryset.count() - len(pks)
        for chunk in in_chunks(pks):
            for message in Message.objects.filter(pk__in=chunk).order_by("position"):
                send_again(message=message, user=signed_in(request))
        told = ngettext("%d message goes again now.", "%d messages go again now.", len(pks))
        words = [with_number(told, len(pks))]
        if skipped:
            left = ngettext(
                "%d was skipped: it is done, being sent, or waits for another.",
                "%d were skipped: they are done, being sent, or wait for another.",
                skipped,
            )
            words.append(with_number(left, skipped))
        self.message_user(request, " ".join(words), messages.SUCCESS if pks else messages.WARNING)


def problem_with(message: Message, followers: int) -> Problem | None:
    """What stands in the way of a message; None when nothing does."""
    root = message.waits_for
    if message.status == Message.Status.WAITING and root is not None:
        return Problem(
            title=str(_("Waits for %(label)s")) % {"label": root.label or root.subject},
            url=_page_of(root),
            url_text=str(_("Open what it waits for")),
            notes=(waiting_words(followers),),
        )
    explanation = explanation_of(message)
    if explanation is None or message.status == Message.Status.DONE:
        return None
    url = _compare_page(message) or url_of(message.subject, code=message.code, text=message.text)
    code = str(_("code %d")) % abs(message.code) if message.code is not None else ""
    return problem_of(
        explanation, url=url, url_text=_("Open"), notes=[code, waiting_words(followers)]
    )


QUIET: dict[str, _StrOrPromise] = {
    Message.Status.DONE: _("Accepted by Edu-iX."),
    Message.Status.CANCELLED: _("Taken back; it was not sent."),
}


def quiet_words(message: Message) -> _StrOrPromise:
    """What to say about a message that nothing stands in the way of."""
    if message.status == Message.Status.DONE and is_question(message.operation):
        return _("Answered by Edu-iX.")
    return QUIET.get(message.status, _("It goes by itself."))


def tries_by_message(pks: Iterable[int]) -> dict[int, int]:
    """How often each of these messages was tried, whatever came of it; one query."""
    rows = Attempt.objects.filter(message__in=list(pks)).order_by().values_list("message")
    return {int(pk): int(number) for pk, number in rows.annotate(rows=Count("pk"))}


def not_found_url(message: Message) -> str:
    """Where to see what Edu-iX has, when it says that it did not find a value; else empty."""
    is_not_found = message.code is not None and abs(message.code) % BLOCK == NOT_FOUND
    if message.status != Message.Status.REFUSED or not is_not_found:
        return ""
    return compare_url(message.subject)


def _compare_page(message: Message) -> str:
    """Where a message that met other data at Edu-iX is settled; empty for every other."""
    return compare_url(message.subject) if message.status == Message.Status.CONFLICT else ""


def _page_of(message: Message | None) -> str:
    return reverse("admin:outbox_message_change", args=[message.pk]) if message else ""


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    """Every try of every message: the log of calls."""

    lead = _("Each try of each message, newest first.")
    list_display = ["moment", "what", "state", "answer"]
    list_select_related = ["message"]
    ordering = ["-id"]
    change_form_template = "outbox/attempt.html"
    allowed_lookups = frozenset({"message__id__exact"})

    @admin.display(description=_("started"), ordering="id")
    def moment(self, attempt: Attempt) -> str:
        return date_format(timezone.localtime(attempt.started_at), "j b, H:i:s")

    @admin.display(description=_("message"))
    def what(self, attempt: Attempt) -> SafeString:
        message = attempt.message
        words = link(_page_of(message), capfirst(operation_words(message.operation)))
        return two_lines(words, message.label or message.subject)

    @admin.display(description=_("outcome"))
    def state(self, attempt: Attempt) -> SafeString:
        return outcome_pill(attempt)

    @admin.display(description=_("answer of Edu-iX"))
    def answer(self, attempt: Attempt) -> SafeString:
        if attempt.code is None:
            return dotted([attempt.text])
        explanation = explain(attempt.code, service=service_of(attempt.message))
        return problem_cell(problem_of(explanation, notes=[str(_("code %d")) % abs(attempt.code)]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        attempt: Attempt = context["original"]
        context["message"] = attempt.message
        [shown] = tries_of([attempt], service_of(attempt.message))
        context["tries"] = [shown]
        context["explanation"] = shown.explanation
        if attempt.outcome == Attempt.Outcome.REFUSED:
            subject = attempt.message.subject
            context["row_url"] = url_of(subject, code=attempt.code, text=attempt.text)
        context["message_url"] = _page_of(attempt.message)
        return super().render_change_form(request, context, *args, **kwargs)
