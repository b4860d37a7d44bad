"""The steps that every wizard about a person takes: a form, a preview of what moves, and a yes."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from persons.changes import ChangedMeanwhile, NotPossible
from persons.models import Person, PersonChange, SchoolPerson
from persons.previews import Preview

R = TypeVar("R", Person, SchoolPerson)


class Wizard(ABC, Generic[R]):
    """One wizard; a page that is only looked at changes nothing."""

    name: ClassVar[str]  # of its address, e.g. "person_merge"
    title: ClassVar[str | Promise]
    lead: ClassVar[str | Promise]
    button: ClassVar[str | Promise]
    permission: ClassVar[str] = "persons.push_person"
    form_template: ClassVar[str] = "persons/wizard_form.html"

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    # --- what each wizard does in its own way ----------------------------------------------------

    @abstractmethod
    def row_of(self, pk: int) -> R:
        """The row that it is about; raises `Http404`."""

    @abstractmethod
    def person_of(self, row: R) -> Person:
        """Whom it is about."""

    @abstractmethod
    def form_of(self, row: R, data: Any) -> forms.Form:
        """Its form."""

    @abstractmethod
    def preview(self, row: R, data: dict[str, Any]) -> Preview:
        """What would happen with a valid form."""

    @abstractmethod
    def act(
        self, request: HttpRequest, row: R, data: dict[str, Any], token: str, facts: str
    ) -> HttpResponse:
        """Do it, and show where it goes on. Raises `NotPossible` and `ChangedMeanwhile`."""

    def beforehand(self, request: HttpRequest, row: R) -> dict[str, Any]:
        """What the form's page shows beside the form."""
        return {}

    def back_url(self, row: R, data: dict[str, Any]) -> str:
        """The form again, as far as its address holds what was chosen."""
        return reverse(f"admin:persons_{self.name}", args=[row.pk])

    # --- the steps -------------------------------------------------------------------------------

    def __call__(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        token = request.POST.get("token", "")
        asked = PersonChange.objects.filter(token=token).first() if token else None
        if asked is not None:  # the page was sent twice; its person may be gone by now
            return follow(request, asked)
        row = self.row_of(pk)
        if request.method != "POST":
            return self._form_page(request, row, self.form_of(row, None))
        form = self.form_of(row, request.POST)
        if not form.is_valid():
            return self._form_page(request, row, form)
        if "_yes" not in request.POST:
            return self._preview_page(request, row, form, self.preview(row, form.cleaned_data))
        return self._done(request, row, form)

    def _done(self, request: HttpRequest, row: R, form: forms.Form) -> HttpResponse:
        token = request.POST.get("token", "")[:64] or secrets.token_urlsafe(24)
        facts = request.POST.get("facts", "") or "none shown"
        try:
            return self.act(request, row, form.cleaned_data, token, facts)
        except NotPossible as problem:
            return self._preview_page(request, row, form, problem.preview)
        except ChangedMeanwhile as problem:
            return self._preview_page(request, row, form, problem.preview, is_stale=True)
        except IntegrityError:  # a colleague was first by a hair
            now = self.preview(row, form.cleaned_data)
            return self._preview_page(request, row, form, now, is_stale=True)

    def _form_page(self, request: HttpRequest, row: R, form: forms.Form) -> HttpResponse:
        context = {"form": form, **self.beforehand(request, row)}
        return self._page(request, self.form_template, row, **context)

    def _preview_page(
        self,
        request: HttpRequest,
        row: R,
        form: forms.Form,
        preview: Preview,
        *,
        is_stale: bool = False,
    ) -> HttpResponse:
        """What will happen, with the answers of the form kept for the yes."""
        kept = [(name, form.data.get(name, "")) for name in form.fields]
        return self._page(
            request,
            "persons/wizard_preview.html",
            row,
            preview=preview,
            is_stale=is_stale,
            kept=kept,
            token=request.POST.get("token") or secrets.token_urlsafe(24),
            reason=form.cleaned_data["reason"],
            back_url=self.back_url(row, form.cleaned_data),
        )

    def _page(self, request: HttpRequest, template: str, row: R, **context: object) -> HttpResponse:
        return TemplateResponse(
            request,
            template,
            {
                **self.site.each_context(request),
                "title": self.title,
                "lead": self.lead,
                "button": self.button,
                "row": row,
                "person": self.person_of(row),
                "row_url": reverse(f"admin:persons_{row._meta.model_name}_change", args=[row.pk]),
                **context,
            },
        )


def follow(request: HttpRequest, change: PersonChange) -> HttpResponse:
    """The page that waits for Edu-iX; what was done at once is told on the person's page."""
    if change.is_open or change.registered_at is not None:
        url = reverse("admin:persons_personchange_change", args=[change.pk])
        return HttpResponseRedirect(url)
    told = _("%(what)s: done. Edu-iX never had it, so nothing was sent.")
    messages.success(request, told % {"what": capfirst(str(change))})
    stays = change.other_id or change.person_id
    if change.kind == PersonChange.Kind.DELETE:
        return HttpResponseRedirect(reverse("admin:persons_person_changelist"))
    return HttpResponseRedirect(reverse("admin:persons_person_change", args=[stays]))
