"""Addresses that only a button reaches."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

View = Callable[..., HttpResponse]


def post_only(parent: str) -> Callable[[View], View]:
    """Refuse other methods, but lead a GET to the page where the button stands.

    A session that ended in between makes the sign-in page ask for the button's address with GET.
    `parent` is the name of that page's address; it takes the same arguments.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(owner: object, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST":
                return view(owner, request, *args, **kwargs)
            if request.method in ("GET", "HEAD"):
                return HttpResponseRedirect(reverse(parent, args=[*args, *kwargs.values()]))
            return HttpResponseNotAllowed(["POST"])

        return wrapped

    return decorate
