"""The wizards as part of the lists of credits: their addresses and their actions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from credits.end_date_pages import end_date_selection
from credits.return_pages import return_selection
from credits.wizard_pages import check, check_change
from credits.wizards import wizard_urls


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
