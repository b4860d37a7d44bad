"""The wizards as part of the lists of credits: their addresses and their actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.screens.admin import cells_of
from backoffice.screens.cells import Tone
from credits.columns import lay_statuses, status_pill, status_url, tone_of
from credits.end_date_pages import end_date_selection
from credits.return_pages import return_selection
from credits.returns import left_of
from credits.services import AnyCredit
from credits.wizard_pages import check, check_change
from credits.wizards import wizard_urls


@dataclass(frozen=True)
class Verdict:
    """How a credit stands, above the card that says how it stands beside Edu-iX."""

    tone: Tone
    pill: SafeString
    cell: SafeString
    url: str
    links: list[tuple[str, str]]


def verdict_of(credit: AnyCredit, *, may_push: bool) -> Verdict:
    """Status, explanation, and what can be done."""
    lay_statuses([credit], today=timezone.localdate())
    cells = cells_of(credit)
    name = f"admin:credits_{credit._meta.model_name}"
    links = []
    if may_push:
        links.append((reverse(f"{name}_end_date", args=[credit.pk]), gettext("Another end date")))
        if credit.registered_at is not None and left_of(credit):
            links.append((reverse(f"{name}_return", args=[credit.pk]), gettext("Give back")))
    return Verdict(
        tone=tone_of(cells["status"]),
        pill=status_pill(cells["status"]),
        cell=cells["cell"],
        url=status_url(credit),
        links=links,
    )


class WizardAdmin:
    """Mix in before the admin of one kind of credit."""

    actions: Any  # of the admin that this is mixed into
    wizard_actions: ClassVar[tuple[str, ...]] = ("change_end_dates",)

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)  # type: ignore[call-arg]  # it is mixed in
        self.actions = [*self.actions, *self.wizard_actions]

    def get_urls(self) -> list[Any]:
        """The wizards stand before "anything/", which Django takes for a row."""
        return [*wizard_urls(self), *super().get_urls()]  # type: ignore[misc]  # it is mixed in

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The verdict leads: a credit that Edu-iX took is not well because of that."""
        row = context.get("original")
        if row is not None:
            context["verdict"] = verdict_of(row, may_push=self.has_push_permission(request))  # type: ignore[attr-defined]  # it is mixed in
        made: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]  # it is mixed in
        return made

    @admin.action(description=_("Another end date"), permissions=["push", "change"])
    def change_end_dates(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        check_change(request, self)
        return end_date_selection(self, request, queryset)


class ReturningAdmin(WizardAdmin):
    """Person credits are given back by the lot too."""

    wizard_actions = ("change_end_dates", "give_back")

    @admin.action(description=_("Give back"), permissions=["push"])
    def give_back(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        check(request, self)
        return return_selection(self, request, queryset)
