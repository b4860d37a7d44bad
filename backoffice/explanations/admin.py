"""The table of publishers' codes, and the list of codes that nobody has explained yet."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextField
from django.forms import ModelForm, Textarea
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from backoffice.explanations import texts
from backoffice.explanations.forms import OwnTextForm
from backoffice.explanations.models import OwnText, PublisherCode, UnknownCode
from backoffice.explanations.own_texts import forget_unknown_number, shipped
from backoffice.explanations.services import explain, forget_unknown_codes
from backoffice.plain_numbers import PlainNumbers, plain_number

C = TypeVar("C", PublisherCode, UnknownCode)


class TextHistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # it has no types
    """Every earlier wording, and bringing one back for those who may change it."""

    view_on_site = False

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The library lets everybody who may look save as well; we do not."""
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        response: HttpResponse = super().history_form_view(
            request, object_id, version_id, extra_context
        )
        return response


class NumberAdmin(PlainNumbers[C]):
    """A list of codes: a code is a name, so it is written without a point for the thousands."""

    plain_numbers = {"code": "number"}
    number = plain_number("code", _("code"))


@admin.register(PublisherCode)
class PublisherCodeAdmin(TextHistoryAdmin, NumberAdmin[PublisherCode]):
    """Colleagues write here what a publisher's code means: once, for everybody."""

    list_display = ["number", "publisher", "ean_prefix", "title_nl", "owner", "updated_at"]
    list_display_links = ["number", "title_nl"]
    list_filter = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["=code", "publisher", "ean_prefix", "title_nl"]
    search_help_text = _("Search by code, publisher, start of the EAN or words of the title")
    readonly_fields = ["created_at", "updated_at"]
    formfield_overrides = {TextField: {"widget": Textarea(attrs={"rows": 3, "cols": 70})}}
    save_on_top = False
    view_on_site = False
    fieldsets = [
        (_("Which code"), {"fields": ["code", "publisher", "ean_prefix"]}),
        (_("Dutch"), {"fields": ["title_nl", "cause_nl", "remedy_nl"]}),
        (_("English"), {"fields": ["title_en", "cause_en", "remedy_en"]}),
        (_("Who and when"), {"fields": ["owner", "clears_itself", "created_at", "updated_at"]}),
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "owner__exact"

    def save_model(
        self, request: HttpRequest, obj: PublisherCode, form: ModelForm[PublisherCode], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        forget_unknown_codes(obj)


@admin.register(OwnText)
class OwnTextAdmin(TextHistoryAdmin, admin.ModelAdmin[OwnText]):
    """Where an organisation says it in its own words; deleting brings the program's text back."""

    form = OwnTextForm
    change_form_template = "explanations/own_text_form.html"
    list_display = ["title", "reference", "updated_at"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["reference", "title_nl", "title_en"]
    search_help_text = _("Search by code or by words of the title")
    readonly_fields = ["shipped_nl", "shipped_en", "updated_at"]
    formfield_overrides = {TextField: {"widget": Textarea(attrs={"rows": 5, "cols": 70})}}
    view_on_site = False
    fieldsets = [
        (None, {"fields": ["reference"]}),
        (_("Dutch"), {"fields": ["shipped_nl", "title_nl", "cause_nl", "remedy_nl"]}),
        (_("English"), {"fields": ["shipped_en", "title_en", "cause_en", "remedy_en"]}),
        (_("When"), {"fields": ["updated_at"]}),
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: OwnText | None = None
    ) -> tuple[str, ...]:
        """What a text is about stands fast: another code is another text."""
        fields = tuple(self.readonly_fields)
        return fields if obj is None else (*fields, "reference")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new text starts as the one that came with the program."""
        reference = str(super().get_changeform_initial_data(request).get("reference", ""))
        filled: dict[str, Any] = {"reference": reference}
        for lang in texts.LANGUAGES:
            found = shipped(reference, lang)
            if found is not None and found.known:
                filled[f"title_{lang}"] = found.title
                filled[f"cause_{lang}"] = "\n".join((found.meaning, *found.causes))
                filled[f"remedy_{lang}"] = found.remedy
        return filled

    def get_fieldsets(self, request: HttpRequest, obj: OwnText | None = None) -> Any:
        """A new text starts as the program's own, so that needs no place beside it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None:
            return fieldsets
        hidden = set(self.readonly_fields)
        shown = [
            (name, [field for field in options["fields"] if field not in hidden])
            for name, options in fieldsets
        ]
        return [(name, {"fields": fields}) for name, fields in shown if fields]

    @admin.display(description=_("title"), ordering="title_nl")
    def title(self, row: OwnText) -> str:
        return explain(row.reference).title

    @admin.display(description=_("the program's text, Dutch"))
    def shipped_nl(self, row: OwnText) -> SafeString | str:
        return _beside(row, "nl")

    @admin.display(description=_("the program's text, English"))
    def shipped_en(self, row: OwnText) -> SafeString | str:
        return _beside(row, "en")

    def save_model(
        self, request: HttpRequest, obj: OwnText, form: ModelForm[OwnText], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        forget_unknown_number(obj.reference)


def _beside(row: OwnText, lang: str) -> SafeString | str:
    found = shipped(row.reference, lang)
    if found is None:
        return ""
    return render_to_string("explanations/_shipped.html", {"explanation": found})


@admin.register(UnknownCode)
class UnknownCodeAdmin(NumberAdmin[UnknownCode]):
    """Filled by what comes in; the most frequent first."""

    list_display = [
        "number",
        "source",
        "ean_prefix",
        "publisher",
        "count",
        "last_seen",
        "write_it",
    ]
    list_display_links = None
    list_filter = ["source"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["=code", "publisher", "ean_prefix"]
    view_on_site = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "source__exact"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: UnknownCode | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UnknownCode | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownCode]:
        # A row is made with 0 and counted at once; between the two it is no news yet.
        return super().get_queryset(request).filter(count__gt=0)

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = list(super().get_list_display(request))
        rights = ("explanations.add_publishercode", "explanations.add_owntext")
        if not any(map(request.user.has_perm, rights)):
            columns.remove("write_it")
        return columns

    @admin.display(description=_("what to do"))
    def write_it(self, row: UnknownCode) -> SafeString | str:
        """A link to the form, filled in."""
        if row.source != UnknownCode.Source.PUBLISHER:
            address = reverse("admin:explanations_owntext_add")
            return _write_link(f"{address}?{urlencode({'reference': abs(row.code)})}")
        filled = {"code": row.code, "ean_prefix": row.ean_prefix, "publisher": row.publisher}
        address = reverse("admin:explanations_publishercode_add")
        query = urlencode({key: value for key, value in filled.items() if value != ""})
        return _write_link(f"{address}?{query}")


def _write_link(url: str) -> SafeString:
    return format_html(
        '<a class="btn small nowrap" href="{}">{}</a>', url, _("Write the explanation")
    )
