"""Addresses of the peers: the same path as the product's, and one for spyne where it is there."""

from importlib.util import find_spec

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from backoffice.eduix.contract import endpoint_path
from benchmarks.apps.views import notification

_PATH = endpoint_path("notification")[1:]

urlpatterns = [path(_PATH, notification)]
if find_spec("spyne"):
    from benchmarks.apps.spyne_service import django_view, store

    urlpatterns.append(path(f"spyne/{_PATH}", csrf_exempt(django_view(store))))
