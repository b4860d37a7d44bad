"""The table of publishers' codes, and the list of codes that nobody has explained yet."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet, TextField
from django.forms import ModelForm, Textarea
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.explanations.models import PublisherCode, UnknownCode
from backoffice.explanations.services import forget_unknown_codes


@admin.register(PublisherCode)
class PublisherCodeAdmin(admin.ModelAdmin[PublisherCode]):
    """Colleagues write here what a publisher's code means: once, for everybody."""

    list_display = ["code", "publisher", "ean_prefix", "title_nl", "owner", "updated_at"]
    list_display_links = ["code", "title_nl"]
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


@admin.register(UnknownCode)
class UnknownCodeAdmin(admin.ModelAdmin[UnknownCode]):
    """Filled by what comes in; the most frequent first."""

    list_display = [
        "code",
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
        if not request.user.has_perm("explanations.add_publishercode"):
            columns.remove("write_it")
        return columns

    @admin.display(description=_("what to do"))
    def write_it(self, row: UnknownCode) -> SafeString | str:
        """A link to the form, filled in; a code of Edu-iX is not ours to explain."""
        if row.source != UnknownCode.Source.PUBLISHER:
            return ""
        filled = {"code": row.code, "ean_prefix": row.ean_prefix, "publisher": row.publisher}
        address = reverse("admin:explanations_publishercode_add")
        query = urlencode({key: value for key, value in filled.items() if value != ""})
        return format_html(
            '<a class="btn small nowrap" href="{}?{}">{}</a>',
            address,
            query,
            _("Write the explanation"),
        )
