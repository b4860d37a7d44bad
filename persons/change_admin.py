"""The requests about persons: how each stands, and what a colleague can still do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.outbox.cells import answer_of, explanation_of, push_pill
from backoffice.outbox.models import Message, PushState, subject_pk
from backoffice.outbox.pushable import signed_in
from backoffice.outbox.words import operation_words
from backoffice.screens.admin import ReadOnlyAdmin
from backoffice.screens.cells import link, pill, problem_cell, problem_of, quiet_cell, two_lines
from backoffice.screens.posting import post_only
from persons.change_models import PersonChange
from persons.changes import ask_again, message_of, withdraw
from persons.effects import is_taken
from persons.filters import PushGroupFilter

FOLLOWED: Final = (*PersonChange.OPERATIONS.values(), "schoolperson.push")
MAY_GO_AGAIN: Final = (PushState.REFUSED, PushState.CONFLICT)


def change_pill(change: PersonChange) -> SafeString:
    """How a request stands."""
    if change.applied_at is not None:
        return pill("ok", _("Done"))
    if change.withdrawn_at is not None:
        return pill("idle", _("Withdrawn"))
    return push_pill(change)


def conflict_words(change: PersonChange) -> str:
    """What only a colleague can settle, in words; empty when nothing is the matter."""
    if change.push_state != PushState.CONFLICT:
        return ""
    names = {"from": change.from_key, "to": change.to_key}
    if change.kind == PersonChange.Kind.MERGE:
        return (
            _("Edu-iX does not know %(to)s, the one that stays. Compare that person with Edu-iX.")
            % names
        )
    if change.push_text == "fromDistributorPersonID":
        return (
            _("Edu-iX knows neither %(from)s nor %(to)s. Compare the person with Edu-iX.") % names
        )
    if is_taken(change.to_key, but=change.person_id):
        return (
            _(
                "Somebody else with us has number %(to)s by now. "
                "Give that person another number, then try again."
            )
            % names
        )
    return (
        _("At Edu-iX somebody else has number %(to)s. Withdraw this and choose another number.")
        % names
    )


@admin.register(PersonChange)
class PersonChangeAdmin(ReadOnlyAdmin[PersonChange]):
    """Every request to rename, merge or delete; who may see a person may see these."""

    change_form_template = "persons/change.html"
    lead = gettext_lazy("What colleagues asked to be renamed, merged or deleted, and why.")
    list_display = ["what", "state", "what_to_do", "why", "moment"]
    list_filter = [PushGroupFilter]
    list_select_related = ["created_by", "person", "other", "school_person"]
    ordering = ["-id"]
    search_fields = ["from_key"]  # shows the box; see `get_search_results`
    search_help_text = gettext_lazy("Customer number, in full or its beginning")
    allowed_lookups = frozenset({"group"})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("persons.view_person")

    def has_view_permission(self, request: HttpRequest, obj: PersonChange | None = None) -> bool:
        return request.user.has_perm("persons.view_person")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[PersonChange], bool]:
        typed = search_term.strip()
        found = Q(from_key__istartswith=typed) | Q(to_key__istartswith=typed)
        return (queryset.filter(found) if typed else queryset), False

    # --- columns ---------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("request"))
    def what(self, change: PersonChange) -> SafeString:
        keys = " → ".join(filter(None, (change.from_key, change.to_key)))
        return two_lines(capfirst(change.get_kind_display()), keys)

    @admin.display(description=gettext_lazy("status"))
    def state(self, change: PersonChange) -> SafeString:
        return change_pill(change)

    @admin.display(description=gettext_lazy("what is the matter, and what to do"))
    def what_to_do(self, change: PersonChange) -> SafeString:
        answer = answer_of(change) if change.is_open else None
        if answer is None:
            return quiet_cell("")
        if words := conflict_words(change):
            return quiet_cell(words)
        code = [_("code %d") % abs(change.push_code)] if change.push_code is not None else []
        url = reverse("admin:persons_personchange_change", args=[change.pk])
        return problem_cell(problem_of(answer, url=url, url_text=_("Open"), notes=code))

    @admin.display(description=gettext_lazy("reason"))
    def why(self, change: PersonChange) -> str:
        return change.reason

    @admin.display(description=gettext_lazy("asked"), ordering="id")
    def moment(self, change: PersonChange) -> SafeString:
        return two_lines(
            date_format(timezone.localtime(change.created_at), "j b, H:i"), change.created_by or ""
        )

    # --- pages -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "followed/<int:message_pk>/",
                wrap(self.follow_view),
                name="persons_personchange_follow",
            ),
            path("<int:pk>/again/", wrap(self.again_view), name="persons_personchange_again"),
            path(
                "<int:pk>/withdraw/",
                wrap(self.withdraw_view),
                name="persons_personchange_withdraw",
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        change: PersonChange = context["original"]
        context |= self._standing(request, message_of(change), change)
        context |= {"title": str(change), "places": list(_pages_of(change))}
        return super().render_change_form(request, context, *args, **kwargs)

    def follow_view(self, request: HttpRequest, message_pk: int) -> HttpResponse:
        """Wait for the answer; a script asks for this page's middle every other second."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        messages_here = Message.objects.filter(operation__in=FOLLOWED)
        message = get_object_or_404(messages_here, pk=message_pk)
        change = None
        if message.subject.startswith("person_change:"):
            change = get_object_or_404(PersonChange, pk=subject_pk(message.subject))
        context = self._standing(request, message, change)
        if "HX-Request" in request.headers:
            return TemplateResponse(request, "persons/_following.html", context)
        if change is not None:
            url = reverse("admin:persons_personchange_change", args=[change.pk])
            return HttpResponseRedirect(url)
        page = {
            **self.admin_site.each_context(request),
            "title": capfirst(operation_words(message.operation)),
            "opts": self.opts,
            "row_url": reverse(
                "admin:persons_schoolperson_change", args=[subject_pk(message.subject)]
            ),
        }
        return TemplateResponse(request, "persons/following.html", page | context)

    def _standing(
        self, request: HttpRequest, message: Message | None, change: PersonChange | None
    ) -> dict[str, Any]:
        """How it stands, and the buttons that this colleague has."""
        is_open = change.is_open if change is not None else True
        words = conflict_words(change) if change is not None and is_open else ""
        is_ended = message is None or message.status not in Message.ACTIVE
        may = self._may_act(request, change) if change is not None else False
        return {
            "message": message,
            "asked": change,
            "pill": change_pill(change) if change is not None else None,
            "words": words,
            "explanation": None
            if words or message is None or not is_open
            else explanation_of(message),
            "is_under_way": not is_ended,
            "is_done": change.applied_at is not None
            if change is not None
            else message is not None and message.status == Message.Status.DONE,
            "may_again": may and is_open and change.push_state in MAY_GO_AGAIN
            if change is not None
            else False,
            "may_withdraw": may and is_open and _can_be_withdrawn(message),
        }

    def _may_act(self, request: HttpRequest, change: PersonChange) -> bool:
        row = "schoolperson" if change.school_person_id else "person"
        return request.user.has_perm(f"persons.push_{row}")

    # --- buttons ---------------------------------------------------------------------------------

    @post_only("admin:persons_personchange_change")
    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Try once more what was refused."""
        change = self._asked(request, pk)
        if ask_again(change=change, user=signed_in(request)) is None:
            messages.info(request, _("This request is done or withdrawn already."))
        return self._back(pk)

    @post_only("admin:persons_personchange_change")
    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Leave everything as it is."""
        change = self._asked(request, pk)
        if withdraw(change=change):
            messages.success(request, _("Withdrawn. Nothing has changed."))
        else:
            messages.warning(
                request, _("Too late to withdraw: it is under way, done, or withdrawn already.")
            )
        return self._back(pk)

    def _asked(self, request: HttpRequest, pk: int) -> PersonChange:
        change = get_object_or_404(PersonChange, pk=pk)
        if not self._may_act(request, change):
            raise PermissionDenied
        return change

    def _back(self, pk: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:persons_personchange_change", args=[pk]))


def _can_be_withdrawn(message: Message | None) -> bool:
    """As `take_back` decides; that decides once more."""
    if message is None or message.ask_first:
        return False
    stands = (Message.Status.WAITING, Message.Status.REFUSED, Message.Status.CONFLICT)
    never_tried = message.status == Message.Status.QUEUED and message.tries == 0
    return message.status in stands or never_tried


def _pages_of(change: PersonChange) -> Iterable[SafeString]:
    """Links to whom it is about; plain words for who is in no list any more."""
    for person in filter(None, (change.person, change.other)):
        name = f"{person.full_name} ({person.distributor_person_id})"
        is_kept = person.push_state != PushState.DELETED
        url = reverse("admin:persons_person_change", args=[person.pk]) if is_kept else ""
        yield link(url, name)
