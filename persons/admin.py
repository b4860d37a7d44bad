"""Lists and forms of schools, persons and persons at schools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.jobs.queueing import enqueue_many
from backoffice.outbox.cells import push_pill, quiet_words
from backoffice.outbox.models import Message, PushState
from backoffice.outbox.pushable import Fact, signed_in
from backoffice.plain_numbers import plain_number
from backoffice.screens.admin import cells_of, lay_beside
from backoffice.screens.cells import dotted, link, problem_cell, quiet_cell, two_lines
from persons.columns import (
    lay_persons,
    masked_eck_id,
    prematch_pill,
    prematch_words,
    problems_of,
    schools_cell,
)
from persons.duplicate_pages import double_pill, look_alikes_link, register_look_alikes, say_view
from persons.duplicates import open_likenesses
from persons.filters import (
    DoubleFilter,
    PersonSchoolFilter,
    PrematchFilter,
    PushGroupFilter,
    RoleFilter,
)
from persons.forms import PersonForm, SchoolPersonForm, SchoolPersonFormSet, SchoolPersonInlineForm
from persons.imports import person_push
from persons.models import Person, SchoolPerson
from persons.pages import register_pages
from persons.plans import person_steps, school_person_steps
from persons.pushing import school_person_pushes
from persons.school_admin import SchoolAdmin
from persons.search import persons_matching, school_persons_matching
from persons.sendable_admin import SendableAdmin
from persons.services import (
    NEEDS_PUSH,
    queue_person_push,
    queue_school_person_push,
    save_person,
    save_school_person,
)
from persons.wizards import PERSON_WIZARDS, SCHOOL_PERSON_WIZARDS, wizard_urls

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = ["PersonAdmin", "SchoolAdmin", "SchoolPersonAdmin"]

register_pages()
register_look_alikes()


class SchoolPersonInline(admin.StackedInline[SchoolPerson, Person]):
    """The schools of a person, on its page."""

    model = SchoolPerson
    form = SchoolPersonInlineForm
    formset = SchoolPersonFormSet
    extra = 0
    can_delete = False
    autocomplete_fields = ["school"]
    readonly_fields = ["sync_state"]
    fields = [
        ("school", "role"),
        ("school_student_number", "distributor_school_person_id"),
        "sync_state",
    ]
    verbose_name = _("school of this person")
    verbose_name_plural = _("schools of this person")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchoolPerson]:
        rows = super().get_queryset(request).select_related("school", "person")
        return rows.exclude(push_state=PushState.DELETED)

    @admin.display(description=_("at Edu-iX"))
    def sync_state(self, school_person: SchoolPerson) -> SafeString | str:
        if school_person.pk is None:
            return ""
        url = reverse("admin:persons_schoolperson_change", args=[school_person.pk])
        return link(url, push_pill(school_person))


@admin.register(Person)
class PersonAdmin(SendableAdmin[Person]):
    """Persons: everything else of a person is reached from here."""

    kind = "person"
    steps_of = person_steps
    key_fields = ("distributor_person_id",)
    masked_in_history = frozenset({"eck_id"})
    form = PersonForm
    inlines = [SchoolPersonInline]
    fieldsets = [
        (None, {"fields": [("first_name", "preposition", "surname"), "distributor_person_id"]}),
        (_("Person"), {"fields": ["date_of_birth", "gender", "person_state"]}),
        (_("Address"), {"fields": [("postal_code", "house_number"), "country_code", "email"]}),
        (
            _("Replace the ECK iD"),
            {"fields": ["new_eck_id", "remove_eck_id"], "classes": ["collapse"]},
        ),
    ]

    plain_numbers = {"house_number": "plain_house_number"}
    plain_house_number = plain_number("house_number", _("house number"))

    lead = _("Pupils and teachers, and how each stands at Edu-iX.")
    list_display = ["who", "at_schools", "prematch", "sync_state", "what_to_do", "credits"]
    list_filter = [PushGroupFilter, PersonSchoolFilter, RoleFilter, PrematchFilter, DoubleFilter]
    search_fields = ["surname"]  # shows the box; `get_search_results` decides what is searched
    search_help_text = _("Name, customer number, student number, e-mail or ECK iD")
    allowed_lookups = frozenset({"group", "school", "role", "prematch", "double"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        return super().get_queryset(request).exclude(push_state=PushState.DELETED)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        return queryset.filter(persons_matching(search_term)), False

    def prepare_rows(self, request: HttpRequest, rows: list[Person]) -> None:
        lay_persons(rows)

    # --- columns ---------------------------------------------------------------------------------

    @admin.display(description=_("person"), ordering="surname")
    def who(self, person: Person) -> SafeString:
        key = person.distributor_person_id
        is_double = cells_of(person).get("is_double")
        return two_lines(person.full_name, dotted([key, double_pill()]) if is_double else key)

    @admin.display(description=_("school"))
    def at_schools(self, person: Person) -> SafeString:
        return schools_cell(cells_of(person).get("schools", ()))

    @admin.display(description=_("prematch"))
    def prematch(self, person: Person) -> SafeString:
        return prematch_pill(person)

    @admin.display(description=_("at Edu-iX"), ordering="push_state")
    def sync_state(self, person: Person) -> SafeString:
        return push_pill(person)

    @admin.display(description=_("what is the matter, and what to do"))
    def what_to_do(self, person: Person) -> SafeString:
        problem = cells_of(person).get("problem")
        return problem_cell(problem) if problem is not None else quiet_cell(quiet_words(person))

    @admin.display(description=_("credits"))
    def credits(self, person: Person) -> SafeString:
        number = cells_of(person).get("credits", 0)
        why = link(reverse("admin:why_person", args=[person.pk]), _("Why no access?"))
        return two_lines(format_html('<span class="num">{}</span>', number), why)

    # --- form ------------------------------------------------------------------------------------

    def facts(self, row: Person) -> Iterable[Fact]:
        if open_likenesses([row]):
            yield Fact(_("look-alikes"), look_alikes_link(row))
        yield Fact(_("prematch"), prematch_words(row))
        yield Fact(_("user ID in the portal"), row.user_id)
        yield Fact(_("ECK iD"), masked_eck_id(row.eck_id))
        yield Fact(_("profile ID of Edu-iX"), str(row.profile_id or ""))
        yield Fact(_("known at Edu-iX since"), row.registered_at)

    def save_row(self, row: Person, user: AbstractBaseUser, *, push: bool) -> Message | None:
        return save_person(person=row, user=user, push=push)

    def queue(self, row: Person, user: AbstractBaseUser, priority: int) -> Message:
        return queue_person_push(person=row, user=user, priority=priority)

    def queue_many(self, rows: QuerySet[Person], user: AbstractBaseUser) -> int:
        return enqueue_many([person_push(person) for person in rows], user=user)

    def get_urls(self) -> list[URLPattern]:
        say = self.admin_site.admin_view(say_view)
        return [
            *wizard_urls(self.admin_site, PERSON_WIZARDS),
            path("<int:pk>/look-alike/", say, name="persons_person_look_alike"),
            *super().get_urls(),
        ]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for school_person in formset.save(commit=False):
            save_school_person(school_person=school_person, user=signed_in(request))
        formset.save_m2m()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Sending a person sends its schools along: a person alone gives nobody access."""
        super().save_related(request, form, formsets, change)
        allowed = request.user.has_perm("persons.push_schoolperson")
        if self.wants_push(request, form.instance) and allowed:
            for row in form.instance.school_persons.filter(push_state__in=NEEDS_PUSH):
                queue_school_person_push(school_person=row, user=signed_in(request))


@admin.register(SchoolPerson)
class SchoolPersonAdmin(SendableAdmin[SchoolPerson]):
    """A person at a school; reached from its person, so it stands in no navigation."""

    kind = "schoolperson"
    key_fields = ("distributor_school_person_id",)
    push_related = ("person", "school")
    steps_of = school_person_steps
    step_related = ("person", "school")
    form = SchoolPersonForm
    autocomplete_fields = ["person", "school"]

    list_display = ["who", "school_name", "sync_state", "what_to_do"]
    list_filter = [PushGroupFilter]
    list_select_related = ["person", "school"]
    search_fields = ["school_student_number"]  # shows the box; see `get_search_results`
    allowed_lookups = frozenset({"group"})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchoolPerson]:
        rows = super().get_queryset(request).select_related("person", "school")
        return rows.exclude(push_state=PushState.DELETED)

    def get_readonly_fields(
        self, request: HttpRequest, obj: SchoolPerson | None = None
    ) -> tuple[str, ...]:
        """Whose link this is never changes: that would move credits to somebody else."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "person") if obj is not None else fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[SchoolPerson], bool]:
        return queryset.filter(school_persons_matching(search_term)), False

    def prepare_rows(self, request: HttpRequest, rows: list[SchoolPerson]) -> None:
        problems = problems_of("schoolperson", rows)
        for row in rows:
            lay_beside(row, problem=problems.get(row.pk))

    @admin.display(description=_("person"), ordering="person__surname")
    def who(self, row: SchoolPerson) -> SafeString:
        return two_lines(row.person.full_name, row.distributor_school_person_id)

    @admin.display(description=_("school"), ordering="school__name")
    def school_name(self, row: SchoolPerson) -> SafeString:
        return two_lines(row.school.name, row.school_student_number)

    @admin.display(description=_("at Edu-iX"), ordering="push_state")
    def sync_state(self, row: SchoolPerson) -> SafeString:
        return push_pill(row)

    @admin.display(description=_("what is the matter, and what to do"))
    def what_to_do(self, row: SchoolPerson) -> SafeString:
        problem = cells_of(row).get("problem")
        return problem_cell(problem) if problem is not None else quiet_cell(quiet_words(row))

    def get_urls(self) -> list[URLPattern]:
        return [*wizard_urls(self.admin_site, SCHOOL_PERSON_WIZARDS), *super().get_urls()]

    def facts(self, row: SchoolPerson) -> Iterable[Fact]:
        person_url = reverse("admin:persons_person_change", args=[row.person_id])
        yield Fact(_("person"), link(person_url, row.person.full_name))
        yield Fact(_("customer number"), row.person.distributor_person_id)
        yield Fact(_("known at Edu-iX since"), row.registered_at)

    def save_row(self, row: SchoolPerson, user: AbstractBaseUser, *, push: bool) -> Message | None:
        return save_school_person(school_person=row, user=user, push=push)

    def queue(self, row: SchoolPerson, user: AbstractBaseUser, priority: int) -> Message:
        return queue_school_person_push(school_person=row, user=user, priority=priority)

    def queue_many(self, rows: QuerySet[SchoolPerson], user: AbstractBaseUser) -> int:
        return enqueue_many(school_person_pushes(rows.select_related("person")), user=user)

    def response_post_save_change(
        self, request: HttpRequest, obj: SchoolPerson
    ) -> HttpResponseRedirect:
        """Back to the person, where one came from."""
        return HttpResponseRedirect(reverse("admin:persons_person_change", args=[obj.person_id]))

    def response_post_save_add(
        self, request: HttpRequest, obj: SchoolPerson
    ) -> HttpResponseRedirect:
        return self.response_post_save_change(request, obj)
