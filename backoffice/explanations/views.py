"""The page where a colleague looks an explanation up: by code, by pasted message, by browsing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from backoffice.explanations import browse
from backoffice.explanations.models import UnknownCode
from backoffice.explanations.recognise import LONGEST
from backoffice.explanations.services import Explanation, explain_text, language

LONGEST_QUERY: Final = 200
"""What fits in an address; a longer message is posted, and never lands in a log."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """An explanation on the page; `write_url` where this reader may write the missing one."""

    explanation: Explanation
    write_url: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def lookup(request: HttpRequest, extra_context: Mapping[str, object] | None = None) -> HttpResponse:
    """Explain `q` (GET) or `pasted` (POST), or list what is `about` something; changes nothing.

    `extra_context` is the site's own context (`AdminSite.each_context`). For staff only; the site's
    `admin_view` sends others to the login page before they come here.
    """
    if not request.user.is_staff:
        raise PermissionDenied
    lang = language(None)
    pasted = request.POST.get("pasted", "") if request.method == "POST" else ""
    query = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    asked = pasted.strip() or query
    found = explain_text(asked, lang=lang) if asked else []
    about = request.GET.get("about", "")
    sections = browse.sections(about, lang) if about else []
    context = {
        "title": _("Explanations"),
        "query": query,
        "pasted": pasted[:LONGEST],
        "longest_query": LONGEST_QUERY,
        "longest_pasted": LONGEST,
        "asked": bool(asked),
        "found": [Shown(item, _write_url(request, item)) for item in found],
        "similar": browse.containing(asked, lang) if asked and not found else [],
        "families": browse.families(lang),
        "about": about,
        "sections": sections,
        "section": _chosen(sections, request.GET.get("field", "")),
        "unknown_count": _unknown_count(request),
        **(extra_context or {}),
    }
    return TemplateResponse(request, "explanations/lookup.html", context)


def _chosen(sections: Sequence[browse.Section], key: str) -> browse.Section | None:
    """The section that was asked for, else the first one; None when there is none."""
    first = sections[0] if sections else None
    return next((section for section in sections if section.key == key), first)


def _write_url(request: HttpRequest, explanation: Explanation) -> str:
    """The form for a publisher's code that nobody has explained, filled in."""
    if explanation.action != "write_explanation":
        return ""
    if not request.user.has_perm("explanations.add_publishercode"):
        return ""
    address = reverse("admin:explanations_publishercode_add")
    return f"{address}?{urlencode({'code': explanation.code})}"


def _unknown_count(request: HttpRequest) -> int:
    """How many publishers' codes wait for words, for those who may write them."""
    if not request.user.has_perm("explanations.view_unknowncode"):
        return 0
    waiting = UnknownCode.objects.filter(source=UnknownCode.Source.PUBLISHER, count__gt=0)
    return waiting.count()
