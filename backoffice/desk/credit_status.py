"""The page of one credit: a verdict first, then why, then everything that shows it.

It stands in the desk because it shows what the notifications told, which credits know nothing of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backoffice.desk.credit_lines import (
    CorrectionLine,
    MessageLine,
    NotificationLine,
    ReturnLine,
    corrections_of,
    failed_url_of,
    messages_of,
    notifications_of,
    returns_of,
    subjects_of,
)
from backoffice.desk.why_views import why_url
from backoffice.explanations.explanation import Explanation
from backoffice.outbox.admin import not_found_url
from backoffice.outbox.cells import (
    compare_url,
    explanation_of,
    told_after_queue,
)
from backoffice.outbox.models import Message, PushState
from backoffice.screens.buttons import Button, buttons_for, page_url
from backoffice.screens.cells import Tone, link
from backoffice.screens.links import kind_of
from credits.columns import (
    Surroundings,
    amounts_words,
    edit_url,
    explanation_for,
    mend_of,
    mending,
    status_pill,
    status_url,
    subject_of,
    surroundings_of,
    title_of,
    tone_of,
    under_title,
    write_url,
)
from credits.long_numbers import is_never_told
from credits.models import PersonCredit, SchoolCredit
from credits.returns import left_of
from credits.services import AnyCredit, answer_for, queue_credit_fetch, queue_credit_push
from credits.status import CreditStatus, StatusAnswer
from persons.columns import prematch_words

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

BUSY_SECONDS = 2
AWAITED_SECONDS = 5
AWAITED_FOR = timedelta(minutes=10)  # most publishers answer within this; then looking is enough

UNDER_WAY = (PushState.QUEUED, PushState.SENDING, PushState.WAITING, PushState.UNCERTAIN)

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Status:
    """Everything that the page shows."""

    credit: AnyCredit
    title: str
    whose: str
    sentence: str
    tone: Tone
    pill: SafeString
    explanation: Explanation
    buttons: list[Button]
    facts: list[tuple[str, object]]
    mend: tuple[str, str]
    write_url: str
    messages: list[MessageLine]
    notifications: list[NotificationLine]
    returns: list[ReturnLine]
    corrections: list[CorrectionLine]
    failed_url: str
    look_url: str
    poll_seconds: int
    urls: dict[str, str]


def status_urls(site: AdminSite) -> list[URLPattern]:
    """The pages of both kinds of credit; they stand before the admin's own addresses."""
    patterns: list[URLPattern] = []
    for model in (PersonCredit, SchoolCredit):
        name = str(model._meta.model_name)
        for part, make in (("", _page), ("live/", _live), ("push/", _push), ("fetch/", _fetch)):
            suffix = f"_{part.rstrip('/')}" if part else ""
            patterns.append(
                path(
                    f"credits/{name}/<int:pk>/status/{part}",
                    site.admin_view(make(site, model)),
                    name=f"credits_{name}_status{suffix}",
                )
            )
    return patterns


def _page(site: AdminSite, model: type[AnyCredit]) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        status = _status(request, model, pk)
        context = {**site.each_context(request), **_context(request, status)}
        return TemplateResponse(request, "credits/status.html", context)

    return view


def _live(site: AdminSite, model: type[AnyCredit]) -> View:
    """The same without its frame, asked for by a script while something is under way."""

    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = _context(request, _status(request, model, pk))
        return TemplateResponse(request, "credits/_status.html", context)

    return view


def _push(site: AdminSite, model: type[AnyCredit]) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        credit = _credit(request, model, pk, "push")
        queue_credit_push(credit=credit, user=_user(request))
        messages.success(request, told_after_queue(subject_of(credit)))
        return HttpResponseRedirect(status_url(credit))

    return view


def _fetch(site: AdminSite, model: type[AnyCredit]) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        credit = _credit(request, model, pk, "change")
        queue_credit_fetch(credit=credit, user=_user(request))
        messages.success(request, _("Edu-iX is being asked; the answer appears here."))
        return HttpResponseRedirect(status_url(credit))

    return view


def _user(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


def _may(request: HttpRequest, model: type[AnyCredit], what: str) -> bool:
    return request.user.has_perm(f"credits.{what}_{model._meta.model_name}")


def _credit(request: HttpRequest, model: type[AnyCredit], pk: int, what: str) -> AnyCredit:
    """The credit, for somebody who may see it and do this; a deleted one is not there."""
    if not (_may(request, model, "view") and _may(request, model, what)):
        raise PermissionDenied
    related = (
        ("school_person__person", "school_person__school")
        if issubclass(model, PersonCredit)
        else ("school",)
    )
    rows: Any = model._default_manager.exclude(push_state=PushState.DELETED)
    credit: AnyCredit | None = rows.with_title().select_related(*related).filter(pk=pk).first()
    if credit is None:
        raise Http404
    return credit


def _context(request: HttpRequest, status: Status) -> dict[str, Any]:
    model = type(status.credit)
    return {
        "title": status.title,
        "opts": model._meta,
        "status": status,
        "may_push": _may(request, model, "push") and status.credit.push_state not in UNDER_WAY,
        "may_send": _may(request, model, "push"),
        "may_return": _may(request, model, "push")
        and status.credit.registered_at is not None
        and left_of(status.credit) > 0,
        "may_see_calls": _may_see_calls(request),
        "open_return": next((line for line in status.returns if line.back.is_open), None),
        "awaits_correction": _awaits_correction(status),
        "may_change": _may(request, model, "change"),
        "may_write": request.user.has_perm("explanations.add_publishercode"),
    }


def _status(request: HttpRequest, model: type[AnyCredit], pk: int) -> Status:
    credit = _credit(request, model, pk, "view")
    now = timezone.now()
    today = timezone.localdate(now)
    answer = answer_for(credit, today=today)
    around = surroundings_of([(credit, answer)], today)
    blocker = around.blockers.get(subject_of(credit))
    root = blocker.message if blocker else None
    explanation = explanation_for(credit, answer, around)
    if root is not None:
        explanation = explanation_of(root) or explanation
    subjects = subjects_of(credit)
    mend = _mend(credit, answer, root)
    return Status(
        credit=credit,
        title=title_of(credit),
        whose=_whose(credit),
        sentence=_sentence(credit, answer, explanation, root),
        tone=tone_of(answer.status),
        pill=status_pill(answer.status),
        explanation=explanation,
        buttons=_buttons(request, credit, explanation, root, mend[0]),
        facts=_facts(credit, around),
        mend=mend,
        write_url=""
        if explanation.known or explanation.source != "publisher"
        else write_url(credit),
        messages=messages_of(subjects),
        notifications=notifications_of(request, credit),
        returns=returns_of(credit),
        corrections=list(corrections_of(request, credit)),
        failed_url=failed_url_of(credit, root) if _may_see_calls(request) else "",
        look_url=not_found_url(root) if root is not None else "",
        poll_seconds=_poll_seconds(credit, answer, subjects, now),
        urls=_urls(credit),
    )


def _whose(credit: AnyCredit) -> str:
    if isinstance(credit, PersonCredit):
        return credit.school_person.person.full_name
    return credit.school.name


def _sentence(
    credit: AnyCredit, answer: StatusAnswer, explanation: Explanation, root: Message | None
) -> str:
    """The verdict in one sentence."""
    if answer.status == CreditStatus.USABLE:
        return _("%(whose)s can use %(book)s today.") % {
            "whose": _whose(credit),
            "book": title_of(credit),
        }
    if root is not None:
        return _("%(why)s. That must be mended first: this credit of %(whose)s waits for it.") % {
            "why": explanation.title,
            "whose": _whose(credit),
        }
    return f"{explanation.title}."


def _mend(credit: AnyCredit, answer: StatusAnswer, root: Message | None) -> tuple[str, str]:
    """Where the cause is mended, and the words on that button; empty when nothing can be."""
    if root is not None:
        return mending(root)
    if answer.status != CreditStatus.REFUSED:
        return "", ""
    if credit.push_state == PushState.CONFLICT:
        return compare_url(subject_of(credit)), _("Compare")
    return mend_of(credit)


def _buttons(
    request: HttpRequest,
    credit: AnyCredit,
    explanation: Explanation,
    root: Message | None,
    mend_url: str,
) -> list[Button]:
    """What can be done about it: for the message it waits for, else for the credit itself.

    What stands at the top of the page already needs no second button here.
    """
    row, kind = (root, "message") if root is not None else (credit, kind_of(subject_of(credit)))
    found = buttons_for(explanation, row, kind=kind, user=request.user)
    above = {
        *_urls(credit).values(),
        write_url(credit),
        mend_url,
        *(page_url("do", what, kind, credit.pk) for what in ("push", "fetch")),
    }
    return [button for button in found if button.text or button.url not in above]


def _facts(credit: AnyCredit, around: Surroundings) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = []
    if isinstance(credit, PersonCredit):
        place = credit.school_person
        person_url = reverse("admin:persons_person_change", args=[place.person_id])
        school_url = reverse("admin:persons_school_change", args=[place.school_id])
        facts += [
            (_("Person"), link(person_url, place.person.full_name)),
            (_("School"), link(school_url, place.school.name)),
            (_("Student number"), place.school_student_number),
            (_("Prematch"), prematch_words(place.person)),
        ]
    else:
        school_url = reverse("admin:persons_school_change", args=[credit.school_id])
        facts += [
            (_("School"), link(school_url, credit.school.name)),
            (_("Licences"), amounts_words(credit)),
        ]
    facts += [
        (_("Product"), f"{title_of(credit)} · {under_title(credit)}"),
        (_("School year"), credit.school_year_label),
        (_("Start date"), credit.credit_start_date),
        (_("End date"), credit.credit_end_date),
        (_("Specification"), credit.get_specification_state_display()),
        (_("Specification date"), credit.specification_state_date),
        (_("Publisher's code"), _code_words(credit, around)),
        (_("Publisher's reference"), credit.publisher_response_id),
        (_("Credit number"), str(credit)),
        (_("Known at Edu-iX since"), credit.registered_at),
    ]
    return facts


def _code_words(credit: AnyCredit, around: Surroundings) -> str:
    code = credit.publisher_error_code
    if code is None:
        return ""
    titles = [
        explanation.title for fault, explanation in around.faults.items() if fault.code == code
    ]
    return " · ".join([str(code), *titles])


def _awaits_correction(status: Status) -> bool:
    """Something was given back, and the publisher has said nothing about it yet."""
    is_done = any(line.back.registered_at is not None for line in status.returns)
    return is_done and not status.corrections and not is_never_told(status.credit)


def _may_see_calls(request: HttpRequest) -> bool:
    return request.user.has_perm("outbox.view_attempt")


def _poll_seconds(
    credit: AnyCredit, answer: StatusAnswer, subjects: list[str], now: datetime
) -> int:
    """How often the page asks again; 0 when nothing is expected to change."""
    if Message.objects.active().filter(subject__in=subjects).exists():
        return BUSY_SECONDS
    sent_at = credit.push_changed_at
    if answer.status == CreditStatus.WAITING_FOR_PUBLISHER and sent_at is not None:
        return AWAITED_SECONDS if now - sent_at < AWAITED_FOR else 0
    return 0


def _urls(credit: AnyCredit) -> dict[str, str]:
    name = f"admin:credits_{type(credit)._meta.model_name}"
    args = [credit.pk]
    urls = {part: reverse(f"{name}_status_{part}", args=args) for part in ("live", "push", "fetch")}
    wizards = {part: reverse(f"{name}_{part}", args=args) for part in ("return", "end_date")}
    more = {"edit": edit_url(credit), "list": reverse(f"{name}_changelist")}
    if isinstance(credit, PersonCredit):
        more["why"] = why_url(credit.school_person.person_id, ean=credit.ean)
    return urls | wizards | more
