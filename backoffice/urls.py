"""Addresses; the notification endpoint is not here: the door answers it before Django."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from backoffice.desk.health import healthz, readyz
from backoffice.desk.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="root"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]

handler400 = "backoffice.desk.errors.bad_request"
handler403 = "backoffice.desk.errors.permission_denied"
handler404 = "backoffice.desk.errors.page_not_found"
handler500 = "backoffice.desk.errors.server_error"
