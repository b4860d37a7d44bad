"""The wizards about a person: merge, another number, delete, another school."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from backoffice.outbox.models import Message, PushState
from backoffice.outbox.pushable import signed_in
from persons.changes import (
    ask_delete,
    ask_merge,
    ask_rename,
    ask_school_person_delete,
    move_school_person,
)
from persons.models import Person, SchoolPerson
from persons.previews import (
    Preview,
    compared_persons,
    lasting_obstacles,
    preview_delete,
    preview_merge,
    preview_move,
    preview_rename,
    preview_school_person_delete,
)
from persons.search import persons_matching
from persons.wizard_forms import MergeForm, MoveForm, ReasonForm, RenameForm
from persons.wizard_steps import Wizard, follow

CANDIDATES = 20


class PersonWizard(Wizard[Person]):
    """A wizard about a person."""

    def row_of(self, pk: int) -> Person:
        return get_object_or_404(_kept_persons(), pk=pk)

    def person_of(self, row: Person) -> Person:
        return row


class RenameWizard(PersonWizard):
    """updatePersonID."""

    name = "person_rename"
    title = gettext_lazy("Other customer number")
    lead = gettext_lazy("Schools and credits stay as they are; only the number changes.")
    button = gettext_lazy("Change the number")

    def form_of(self, row: Person, data: Any) -> RenameForm:
        return RenameForm(data)

    def beforehand(self, request: HttpRequest, row: Person) -> dict[str, Any]:
        # What no other number mends is told before anybody types one.
        lasting = lasting_obstacles(row)
        return {"obstacles": lasting, "is_blocked": bool(lasting)}

    def preview(self, row: Person, data: dict[str, Any]) -> Preview:
        return preview_rename(row, data["to_key"])

    def act(
        self, request: HttpRequest, row: Person, data: dict[str, Any], token: str, facts: str
    ) -> HttpResponse:
        change = ask_rename(
            person=row,
            to_key=data["to_key"],
            reason=data["reason"],
            user=signed_in(request),
            token=token,
            facts=facts,
        )
        return follow(request, change)


class MergeWizard(PersonWizard):
    """mergePerson: choose the other by searching, then who stays."""

    name = "person_merge"
    title = gettext_lazy("Merge two persons")
    lead = gettext_lazy("One of the two stays; schools and credits of the other move to it.")
    button = gettext_lazy("Merge")
    form_template = "persons/wizard_merge.html"

    def form_of(self, row: Person, data: Any) -> forms.Form:
        other = self._other(row, data.get("other")) if data is not None else None
        if data is not None and other is not None:
            return MergeForm(data, persons=(row, other))
        # Without anybody to merge with there is nothing to fill in yet.
        return _NobodyChosen(data)

    def beforehand(self, request: HttpRequest, row: Person) -> dict[str, Any]:
        asked = request.POST.get("other") or request.GET.get("other")
        other = self._other(row, asked)
        if other is None:
            query = request.GET.get("q", "").strip()
            return {
                "q": query,
                "is_unknown": bool(asked),
                "candidates": candidates(row, query)[:CANDIDATES],
            }
        shown: dict[str, Any] = {
            "other": other,
            "compared": compared_persons(row, other),
            "obstacles": preview_merge(row, other).obstacles if other == row else (),
        }
        if request.method != "POST":
            initial = {"other": other.pk, "keep": str(better_of(row, other).pk)}
            shown["form"] = MergeForm(initial=initial, persons=(row, other))
        return shown

    def preview(self, row: Person, data: dict[str, Any]) -> Preview:
        return preview_merge(*self._gone_and_kept(row, data))

    def act(
        self, request: HttpRequest, row: Person, data: dict[str, Any], token: str, facts: str
    ) -> HttpResponse:
        gone, kept = self._gone_and_kept(row, data)
        change = ask_merge(
            gone=gone,
            kept=kept,
            reason=data["reason"],
            user=signed_in(request),
            token=token,
            facts=facts,
        )
        return follow(request, change)

    def back_url(self, row: Person, data: dict[str, Any]) -> str:
        return f"{super().back_url(row, data)}?other={data['other']}"

    def _other(self, row: Person, asked: str | None) -> Person | None:
        if asked is None or not asked.isdecimal() or len(asked) > 18:
            return None
        return _kept_persons().filter(pk=int(asked)).first()

    def _gone_and_kept(self, row: Person, data: dict[str, Any]) -> tuple[Person, Person]:
        other = _kept_persons().get(pk=data["other"])
        return (other, row) if data["keep"] == str(row.pk) else (row, other)


class _NobodyChosen(forms.Form):
    """The form of a merge before the other person is chosen; never valid."""

    def clean(self) -> None:
        raise forms.ValidationError(_("Choose the other person first."))


class DeleteWizard(PersonWizard):
    """deletePerson."""

    name = "person_remove"
    title = gettext_lazy("Delete a person")
    lead = gettext_lazy("For somebody who was entered by mistake. It cannot be undone.")
    button = gettext_lazy("Delete this person")

    def form_of(self, row: Person, data: Any) -> ReasonForm:
        return ReasonForm(data)

    def beforehand(self, request: HttpRequest, row: Person) -> dict[str, Any]:
        return _before_deleting(preview_delete(row))

    def preview(self, row: Person, data: dict[str, Any]) -> Preview:
        return preview_delete(row)

    def act(
        self, request: HttpRequest, row: Person, data: dict[str, Any], token: str, facts: str
    ) -> HttpResponse:
        change = ask_delete(
            person=row, reason=data["reason"], user=signed_in(request), token=token, facts=facts
        )
        return follow(request, change)


class SchoolPersonWizard(Wizard[SchoolPerson]):
    """A wizard about a person at a school."""

    permission = "persons.push_schoolperson"

    def row_of(self, pk: int) -> SchoolPerson:
        rows = SchoolPerson.objects.select_related("person", "school")
        return get_object_or_404(rows.exclude(push_state=PushState.DELETED), pk=pk)

    def person_of(self, row: SchoolPerson) -> Person:
        return row.person


class SchoolPersonDeleteWizard(SchoolPersonWizard):
    """deleteSchoolperson."""

    name = "schoolperson_remove"
    title = gettext_lazy("Delete from a school")
    lead = gettext_lazy("The person stays; only the place at this school goes.")
    button = gettext_lazy("Delete from this school")

    def form_of(self, row: SchoolPerson, data: Any) -> ReasonForm:
        return ReasonForm(data)

    def beforehand(self, request: HttpRequest, row: SchoolPerson) -> dict[str, Any]:
        return _before_deleting(preview_school_person_delete(row))

    def preview(self, row: SchoolPerson, data: dict[str, Any]) -> Preview:
        return preview_school_person_delete(row)

    def act(
        self, request: HttpRequest, row: SchoolPerson, data: dict[str, Any], token: str, facts: str
    ) -> HttpResponse:
        change = ask_school_person_delete(
            school_person=row,
            reason=data["reason"],
            user=signed_in(request),
            token=token,
            facts=facts,
        )
        return follow(request, change)


class MoveWizard(SchoolPersonWizard):
    """updateSchoolperson with another organisationID."""

    name = "schoolperson_move"
    title = gettext_lazy("To another school")
    lead = gettext_lazy("The credits of this place go along; their numbers stay.")
    button = gettext_lazy("Move to the new school")

    def form_of(self, row: SchoolPerson, data: Any) -> MoveForm:
        return MoveForm(data)

    def preview(self, row: SchoolPerson, data: dict[str, Any]) -> Preview:
        return preview_move(row, data["school"], data["student_number"])

    def act(
        self, request: HttpRequest, row: SchoolPerson, data: dict[str, Any], token: str, facts: str
    ) -> HttpResponse:
        wanted = (data["school"].pk, data["student_number"])
        if (row.school_id, row.school_student_number) == wanted:  # the page was sent twice
            message = Message.objects.filter(subject=f"schoolperson:{row.pk}").last()
        else:
            message = move_school_person(
                school_person=row,
                school=data["school"],
                student_number=data["student_number"],
                reason=data["reason"],
                user=signed_in(request),
                facts=facts,
            )
        if message is not None:
            return HttpResponseRedirect(
                reverse("admin:persons_personchange_follow", args=[message.pk])
            )
        messages.success(request, _("Done. Edu-iX does not know this place yet: nothing was sent."))
        return HttpResponseRedirect(reverse("admin:persons_schoolperson_change", args=[row.pk]))


def candidates(person: Person, query: str) -> QuerySet[Person]:
    """Whom somebody means who typed this; without words: who looks like the same person."""
    others = _kept_persons().exclude(pk=person.pk)
    if query:
        return others.filter(persons_matching(query))
    alike = Q(surname__iexact=person.surname, date_of_birth=person.date_of_birth)
    for name in ("email", "eck_id", "user_id"):
        if value := getattr(person, name):
            alike |= Q(**{name: value})
    return others.filter(alike)


def better_of(first: Person, second: Person) -> Person:
    """Whom to propose: whom Edu-iX knows, whom the portal knows, who came first."""
    return max(
        (first, second),
        key=lambda one: (one.registered_at is not None, one.is_recognisable, -one.pk),
    )


def _before_deleting(preview: Preview) -> dict[str, Any]:
    return {
        "places": preview.places,
        "obstacles": preview.obstacles,
        "is_blocked": bool(preview.obstacles),
    }


def _kept_persons() -> QuerySet[Person]:
    return Person.objects.exclude(push_state=PushState.DELETED)


PERSON_WIZARDS: tuple[type[Wizard[Any]], ...] = (MergeWizard, RenameWizard, DeleteWizard)
SCHOOL_PERSON_WIZARDS: tuple[type[Wizard[Any]], ...] = (MoveWizard, SchoolPersonDeleteWizard)


def wizard_urls(site: AdminSite, wizards: tuple[type[Wizard[Any]], ...]) -> list[URLPattern]:
    """One address each, e.g. `12/merge/`, with the name `persons_person_merge`."""
    methods = require_http_methods(["GET", "HEAD", "POST"])
    return [
        path(
            f"<int:pk>/{wizard.name.partition('_')[2]}/",
            site.admin_view(methods(wizard(site))),
            name=f"persons_{wizard.name}",
        )
        for wizard in wizards
    ]
