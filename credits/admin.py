"""Lists and forms of credits, products and returns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.jobs.queueing import enqueue_many
from backoffice.outbox.models import Message, PushState
from backoffice.outbox.pushable import Fact
from backoffice.plain_numbers import plain_number
from backoffice.screens.admin import OfficeAdmin, ReadOnlyAdmin, cells_of
from backoffice.screens.cells import dotted, link, two_lines
from backoffice.screens.numbers import grouped
from backoffice.screens.search import spaced_ean
from credits.bulk import person_credit_pushes, school_credit_pushes
from credits.columns import (
    amounts_words,
    lay_statuses,
    status_pill,
    status_url,
    title_of,
    under_title,
    why_link,
)
from credits.filters import (
    CreditGroupFilter,
    EanFilter,
    PersonCreditSchoolFilter,
    PublisherFilter,
    SchoolYearFilter,
    StatusFilter,
    first_year,
)
from credits.forms import PersonCreditForm, ProductForm, SchoolCreditForm, doubts_about
from credits.models import CreditReturn, PersonCredit, Product, SchoolCredit
from credits.pages import register_pages
from credits.plans import person_credit_steps, school_credit_steps
from credits.pushing import sendable_credits
from credits.return_words import return_pill, return_problem
from credits.search import person_credits_matching, products_matching, school_credits_matching
from credits.services import AnyCredit, queue_credit_push, save_credit
from credits.wizard_admin import ReturningAdmin, WizardAdmin
from persons.filters import SchoolFilter
from persons.sendable_admin import SendableAdmin

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

register_pages()

C = TypeVar("C", PersonCredit, SchoolCredit)


class CreditAdmin(SendableAdmin[C]):
    """What the lists and forms of both kinds of credit share."""

    allowed_lookups = frozenset({"group", "school", "year", "status", "ean", "publisher"})
    plain_numbers = {"school_year": "plain_school_year"}
    plain_school_year = plain_number("school_year", _("school year"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[C]:
        found: Any = super().get_queryset(request).exclude(push_state=PushState.DELETED)
        rows: QuerySet[C] = found.on(timezone.localdate()).with_title()
        return rows

    def prepare_rows(self, request: HttpRequest, rows: list[C]) -> None:
        lay_statuses(rows, today=timezone.localdate())

    def sendable(self, rows: QuerySet[C]) -> QuerySet[C]:
        return sendable_credits(rows)

    def save_row(self, row: C, user: AbstractBaseUser, *, push: bool) -> Message | None:
        credit: AnyCredit = row
        return save_credit(credit=credit, user=user, push=push)

    def queue(self, row: C, user: AbstractBaseUser, priority: int) -> Message:
        credit: AnyCredit = row
        return queue_credit_push(credit=credit, user=user, priority=priority)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new credit is nearly always for this school year."""
        first = first_year(timezone.localdate())
        this_year: dict[str, Any] = {
            "school_year": f"{first % 100:02d}{(first + 1) % 100:02d}",
            "credit_start_date": date(first, 8, 1),
            "credit_end_date": date(first + 1, 7, 31),
        }
        return this_year | super().get_changeform_initial_data(request)

    # --- columns ---------------------------------------------------------------------------------

    @admin.display(description=_("product"))
    def product(self, credit: C) -> SafeString:
        return two_lines(link(status_url(credit), title_of(credit)), under_title(credit))

    @admin.display(description=_("status"), ordering="shown_status")
    def state(self, credit: C) -> SafeString | str:
        status = cells_of(credit).get("status")
        return link(status_url(credit), status_pill(status)) if status else ""

    @admin.display(description=_("what is the matter, and what to do"))
    def what_to_do(self, credit: C) -> SafeString | str:
        cell: SafeString | str = cells_of(credit).get("cell", "")
        return cell

    # --- side card -------------------------------------------------------------------------------

    def facts(self, row: C) -> Iterable[Fact]:
        lay_statuses([row], today=timezone.localdate())
        yield Fact(_("status"), link(status_url(row), status_pill(cells_of(row)["status"])))
        yield Fact(_("product"), title_of(row))
        yield Fact(_("specification"), row.get_specification_state_display())
        yield Fact(_("specification date"), row.specification_state_date)
        yield Fact(_("publisher's code"), str(row.publisher_error_code or ""))
        yield Fact(_("publisher's reference"), row.publisher_response_id)
        yield Fact(_("known at Edu-iX since"), row.registered_at)


@admin.register(PersonCredit)
class PersonCreditAdmin(ReturningAdmin, CreditAdmin[PersonCredit]):
    """Credits of persons."""

    kind = "person_credit"
    key_fields = ("distributor_person_credit_id", "school_person")
    push_related = ("school_person__person",)
    steps_of = person_credit_steps
    step_related = ("school_person__person", "school_person__school")
    form = PersonCreditForm
    autocomplete_fields = ["school_person"]
    fieldsets = [
        (None, {"fields": ["school_person", "ean", "school_year"]}),
        (_("Period"), {"fields": [("credit_start_date", "credit_end_date")]}),
        (_("Key"), {"fields": ["distributor_person_credit_id"]}),
    ]

    lead = _("Which pupil has which book, and whether it works today.")
    list_display = ["pupil", "product", "state", "what_to_do"]
    list_display_links = None
    list_filter = [
        CreditGroupFilter,
        PersonCreditSchoolFilter,
        SchoolYearFilter,
        StatusFilter,
        EanFilter,
        PublisherFilter,
    ]
    list_select_related = ["school_person__person", "school_person__school"]
    search_help_text = _("Name, credit number, student number or EAN")
    search_fields = ["distributor_person_credit_id"]  # shows the box; see get_search_results

    def get_queryset(self, request: HttpRequest) -> QuerySet[PersonCredit]:
        rows = super().get_queryset(request)
        return rows.select_related("school_person__person", "school_person__school")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[PersonCredit], bool]:
        return queryset.filter(person_credits_matching(search_term)), False

    @admin.display(description=_("pupil"), ordering="school_person__person__surname")
    def pupil(self, credit: PersonCredit) -> SafeString:
        place = credit.school_person
        url = reverse("admin:persons_person_change", args=[place.person_id])
        return two_lines(
            link(url, place.person.full_name),
            dotted([place.school_student_number, place.school.name, why_link(credit)]),
        )

    def facts(self, row: PersonCredit) -> Iterable[Fact]:
        place = row.school_person
        url = reverse("admin:persons_person_change", args=[place.person_id])
        yield Fact(_("person"), link(url, place.person.full_name))
        yield Fact(_("school"), place.school.name)
        yield from super().facts(row)

    def queue_many(self, rows: QuerySet[PersonCredit], user: AbstractBaseUser) -> int:
        return enqueue_many(person_credit_pushes(rows), user=user)


@admin.register(SchoolCredit)
class SchoolCreditAdmin(WizardAdmin, CreditAdmin[SchoolCredit]):
    """Credits of schools: a number of licences for everybody there."""

    kind = "school_credit"
    key_fields = ("distributor_school_credit_id", "school")
    push_related = ("school",)
    steps_of = school_credit_steps
    step_related = ("school",)
    form = SchoolCreditForm
    autocomplete_fields = ["school"]
    fieldsets = [
        (None, {"fields": ["school", "ean", "amount", "school_year"]}),
        (_("Period"), {"fields": [("credit_start_date", "credit_end_date")]}),
        (_("Contact at the school"), {"fields": [("contact_name", "contact_email")]}),
        (_("Key"), {"fields": ["distributor_school_credit_id"]}),
    ]

    lead = _("Which school has how many licences of which book.")
    list_display = ["at_school", "product", "amounts", "state", "what_to_do"]
    list_display_links = None
    list_filter = [
        CreditGroupFilter,
        SchoolFilter,
        SchoolYearFilter,
        StatusFilter,
        EanFilter,
        PublisherFilter,
    ]
    list_select_related = ["school"]
    search_help_text = _("School, credit number or EAN")
    search_fields = ["distributor_school_credit_id"]  # shows the box; see get_search_results

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchoolCredit]:
        return super().get_queryset(request).select_related("school")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[SchoolCredit], bool]:
        return queryset.filter(school_credits_matching(search_term)), False

    @admin.display(description=_("school"), ordering="school__name")
    def at_school(self, credit: SchoolCredit) -> SafeString:
        url = reverse("admin:persons_school_change", args=[credit.school_id])
        return two_lines(link(url, credit.school.name), credit.distributor_school_credit_id)

    @admin.display(description=_("licences"), ordering="amount")
    def amounts(self, credit: SchoolCredit) -> SafeString:
        return two_lines(grouped(credit.amount), amounts_words(credit))

    def facts(self, row: SchoolCredit) -> Iterable[Fact]:
        yield Fact(_("licences"), amounts_words(row))
        yield from super().facts(row)

    def queue_many(self, rows: QuerySet[SchoolCredit], user: AbstractBaseUser) -> int:
        return enqueue_many(school_credit_pushes(rows), user=user)


@admin.register(Product)
class ProductAdmin(OfficeAdmin[Product]):
    """Titles beside EANs: our own, never sent."""

    form = ProductForm
    lead = _("The title behind an EAN, shown wherever an EAN stands.")
    list_display = ["title_and_ean", "publisher"]
    search_fields = ["title"]  # shows the box; see get_search_results
    search_help_text = _("Title, publisher or EAN")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        return queryset.filter(products_matching(search_term)), False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for said in doubts_about(obj.ean):
            self.message_user(request, said.line, messages.WARNING)

    @admin.display(description=_("product"), ordering="title")
    def title_and_ean(self, product: Product) -> SafeString:
        return two_lines(product.title, spaced_ean(product.ean))


@admin.register(CreditReturn)
class CreditReturnAdmin(ReadOnlyAdmin[CreditReturn]):
    """What was given back; asking for it stands on the page of the credit."""

    lead = _("What was given back, and whether Edu-iX has taken it.")
    list_display = ["credit", "amount", "why", "sync_state", "what_to_do"]
    list_select_related = ["person_credit", "school_credit", "created_by"]
    ordering = ["-pk"]
    search_fields = ["reference"]
    search_help_text = _("Reference or credit number")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[CreditReturn], bool]:
        typed = search_term.strip()
        if not typed:
            return queryset, False
        found = (
            Q(reference=typed)
            | Q(person_credit__distributor_person_credit_id__iexact=typed)
            | Q(school_credit__distributor_school_credit_id__iexact=typed)
        )
        return queryset.filter(found), False

    @admin.display(description=_("credit"))
    def credit(self, row: CreditReturn) -> SafeString:
        return two_lines(link(status_url(row.credit), row.credit), row.reference)

    @admin.display(description=_("reason"))
    def why(self, row: CreditReturn) -> SafeString:
        asked = date_format(timezone.localtime(row.created_at), "j F Y, H:i")
        return two_lines(row.reason, dotted([asked, row.created_by]))

    @admin.display(description=_("at Edu-iX"), ordering="push_state")
    def sync_state(self, row: CreditReturn) -> SafeString:
        return return_pill(row)

    @admin.display(description=_("what is the matter, and what to do"))
    def what_to_do(self, row: CreditReturn) -> SafeString | str:
        return return_problem(row)

    def get_fields(
        self, request: HttpRequest, obj: CreditReturn | None = None
    ) -> list[str | list[str] | tuple[str, ...] | tuple[()]]:
        return ["credit", "amount", "why", "reference", "sync_state", "what_to_do"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: CreditReturn | None = None
    ) -> list[str]:
        return ["credit", "why", "sync_state", "what_to_do"]
