"""Our AdminSite: navigation by work, and the pages that span apps."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _


class BackofficeSite(admin.AdminSite):
    """The only site of the product.

    What the pages need is imported inside the methods: Django makes the site while it is still
    reading the apps in.
    """

    site_header = _("Edu-iX back-office")
    site_title = _("Edu-iX back-office")
    index_title = _("Workbench")
    enable_nav_sidebar = False
    site_url = None  # there is no other site to view
    empty_value_display = "\u2013"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Our own pages first; without Django's redirect to any object by its content type."""
        from backoffice.desk import views
        from backoffice.desk.button_views import button_urls
        from backoffice.desk.compare_views import compare_urls
        from backoffice.desk.credit_status import status_urls
        from backoffice.desk.drift_views import drift_urls
        from backoffice.desk.questions import question_urls
        from backoffice.desk.readiness_views import readiness_urls
        from backoffice.desk.report_views import report_urls
        from backoffice.desk.why_views import why_urls
        from backoffice.desk.work_posts import work_post_urls
        from backoffice.desk.work_views import work_page_urls
        from backoffice.jobs.push_views import push_urls
        from backoffice.jobs.views import get_urls as import_urls

        def page(view: Any) -> Any:
            return self.admin_view(view(self))

        own: list[URLPattern | URLResolver] = [
            path("", page(views.home), name="index"),
            path("zoeken/", page(views.search), name="search"),
            path("weer-sturen/", page(views.try_sending_again), name="resume"),
            path("beheer/", page(views.models_index), name="models"),
            path("taal/", views.choose_language, name="language"),
            path("uitleg/", page(views.explanations), name="explain"),
            path("uitleg/regels/", page(views.rules), name="rules"),
            *import_urls(self),
            *push_urls(self),
            *status_urls(self),
            *button_urls(self),
            *why_urls(self),
            *report_urls(self),
            *work_page_urls(self),
            *work_post_urls(self),
            *compare_urls(self),
            *drift_urls(self),
            *question_urls(self),
            *readiness_urls(self),
        ]
        stock = [
            url
            for url in super().get_urls()
            if getattr(url, "name", None) not in {"index", "view_on_site"}
        ]
        return [*own, *stock]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the site gets; the menu asks the database only when it is drawn."""
        from backoffice.desk.environment import current_environment
        from backoffice.desk.navigation import navigation

        context = super().each_context(request)
        context["environment"] = current_environment()
        context["navigation"] = SimpleLazyObject(
            lambda: navigation(
                path=request.path, user=request.user, app_list=context["available_apps"]
            )
        )
        return context
