"""Schools: fetched from Edu-iX, with what we ourselves know of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.cells import explanation_of
from backoffice.outbox.models import Message
from backoffice.outbox.pushable import signed_in
from backoffice.plain_numbers import plain_number
from backoffice.screens.admin import cells_of
from backoffice.screens.cells import pill, two_lines
from backoffice.screens.history import HistoryAdmin
from backoffice.screens.panels import panels_of
from backoffice.screens.posting import post_only
from persons.columns import lay_schools
from persons.forms import SchoolFetchForm, SchoolForm
from persons.models import School
from persons.search import schools_matching
from persons.services import queue_school_fetch

UNDER_WAY = (Message.Status.QUEUED, Message.Status.SENDING, Message.Status.UNCERTAIN)


@admin.register(School)
class SchoolAdmin(HistoryAdmin[School]):
    """Schools; the service has no write for them, so nobody types one in."""

    form = SchoolForm
    change_form_template = "persons/school_form.html"
    fieldsets = [
        (
            _("As Edu-iX tells it"),
            {
                "fields": [
                    ("name", "brin"),
                    "organisation_id",
                    ("address", "plain_house_number", "house_number_suffix"),
                    ("postal_code", "city", "country_code"),
                    "fetched_at",
                ],
                "description": _("Wrong? Edu-iX keeps the schools; fetch it again after a change."),
            },
        ),
        (
            _("Our own"),
            {"fields": ["account_manager", "contact_name", "contact_email", "contact_phone"]},
        ),
    ]
    readonly_fields = [
        "name",
        "organisation_id",
        "brin",
        "address",
        "plain_house_number",
        "house_number_suffix",
        "postal_code",
        "city",
        "country_code",
        "fetched_at",
    ]

    lead = _("Every school as Edu-iX knows it, and who looks after it.")
    list_display = ["school", "running", "city", "brin", "persons", "credits", "contact", "report"]
    list_select_related = ["account_manager"]
    search_fields = ["name"]  # shows the box; `get_search_results` decides what is searched
    search_help_text = _("Name, city, BRIN or school ID")
    allowed_lookups = frozenset({"organisation_id"})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[School], bool]:
        return queryset.filter(schools_matching(search_term)), False

    def prepare_rows(self, request: HttpRequest, rows: list[School]) -> None:
        lay_schools(rows)

    def has_delete_permission(self, request: HttpRequest, obj: School | None = None) -> bool:
        """A school that nobody is at may go; Edu-iX keeps it."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.school_persons.exists())

    plain_house_number = plain_number("house_number", _("house number"))

    # --- columns ---------------------------------------------------------------------------------

    @admin.display(description=_("school"), ordering="name")
    def school(self, school: School) -> SafeString:
        return two_lines(school.name, school.organisation_id)

    @admin.display(description=_("how it stands"))
    def running(self, school: School) -> SafeString:
        state = cells_of(school).get("running")
        return (
            two_lines(pill(state.word, state.word.label), state.reason) if state else two_lines("")
        )

    @admin.display(description=_("persons"))
    def persons(self, school: School) -> SafeString:
        return format_html('<span class="num">{}</span>', cells_of(school).get("persons", 0))

    @admin.display(description=_("credits"))
    def credits(self, school: School) -> SafeString:
        return format_html('<span class="num">{}</span>', cells_of(school).get("credits", 0))

    @admin.display(description=_("contact"))
    def contact(self, school: School) -> SafeString:
        ours = school.account_manager.get_username() if school.account_manager else ""
        return two_lines(school.contact_name or "-", ours)

    @admin.display(description=_("report"))
    def report(self, school: School) -> SafeString:
        url = reverse("admin:school_report", args=[school.pk])
        return format_html(
            '<a class="btn small" href="{}">{}<span class="visually-hidden">: {}</span></a>',
            url,
            _("Report"),
            school.name,
        )

    # --- form ------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: School, form: Any, change: bool) -> None:
        """Only what was changed: a fetch may have written the other columns meanwhile."""
        if form.changed_data:
            obj.save(update_fields=form.changed_data)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        school: School | None = context.get("original")
        if school is not None:
            context["panels"] = panels_of("school", request, school)
            context["may_fetch"] = self.has_change_permission(request, school)
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    # --- fetching --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/fetch/", wrap(self.fetch_view), name="persons_school_fetch"),
            path(
                "fetching/<int:message_pk>/",
                wrap(self.fetching_view),
                name="persons_school_fetching",
            ),
            *super().get_urls(),
        ]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for the school's ID and fetch the rest, instead of a blank form."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SchoolFetchForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            wanted = form.cleaned_data["organisation_id"]
            known = School.objects.filter(organisation_id=wanted).first()
            if known is not None:
                self.message_user(request, _("This school is here already."), messages.INFO)
                return HttpResponseRedirect(reverse("admin:persons_school_change", args=[known.pk]))
            return self._fetch(request, wanted)
        return self._page(request, "persons/school_add.html", _("Add a school"), form=form)

    @post_only("admin:persons_school_change")
    def fetch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask Edu-iX again how it knows this school."""
        school = get_object_or_404(School, pk=pk)
        if not self.has_change_permission(request, school):
            raise PermissionDenied
        return self._fetch(request, school.organisation_id)

    def _fetch(self, request: HttpRequest, organisation_id: str) -> HttpResponse:
        message = queue_school_fetch(organisation_id=organisation_id, user=signed_in(request))
        return HttpResponseRedirect(reverse("admin:persons_school_fetching", args=[message.pk]))

    def fetching_view(self, request: HttpRequest, message_pk: int) -> HttpResponse:
        """Wait for the answer; a script asks for this page's middle every other second."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        message = Message.objects.filter(pk=message_pk, operation="school.fetch").first()
        if message is None:
            raise Http404
        school = School.objects.filter(organisation_id=message.label).first()
        if message.status == Message.Status.DONE and school is not None:
            url = reverse("admin:persons_school_change", args=[school.pk])
            if "HX-Request" in request.headers:
                return HttpResponse(headers={"HX-Redirect": url})
            return HttpResponseRedirect(url)
        fragment = "HX-Request" in request.headers
        template = "persons/_fetching.html" if fragment else "persons/school_fetching.html"
        return self._page(
            request,
            template,
            _("Fetching a school"),
            message=message,
            explanation=explanation_of(message),
            is_under_way=message.status in UNDER_WAY,
        )

    def _page(
        self, request: HttpRequest, template: str, title: object, **context: object
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context},
        )
