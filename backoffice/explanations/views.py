"""The page where a colleague looks an explanation up: by code, by pasted message, by browsing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from backoffice.explanations import browse, recognise
from backoffice.explanations.models import OwnText, PublisherCode, UnknownCode
from backoffice.explanations.own_texts import reference_of
from backoffice.explanations.recognise import LONGEST
from backoffice.explanations.services import Explanation, explain_asked, language

LONGEST_QUERY: Final = 200
"""What fits in an address; a longer message is posted, and never lands in a log."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """An explanation on the page; `write_url` is where this reader may write or change it."""

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
    typed = request.POST.get("q", "").strip()
    if typed and len(typed) <= LONGEST_QUERY and recognise.is_code(typed):
        # An address of its own, to send to a colleague; anything longer may hold names.
        return HttpResponseRedirect(f"{request.path}?{urlencode({'q': typed})}")
    pasted = request.POST.get("pasted", "") or (typed if len(typed) > LONGEST_QUERY else "")
    query = typed[:LONGEST_QUERY] or request.GET.get("q", "").strip()
    asked = pasted.strip() or query
    found = explain_asked(asked, lang=lang) if asked else []
    about = request.GET.get("about", "")
    sections = browse.sections(about, lang) if about else []
    context = {
        "title": _("Explanations"),
        "query": query,
        "pasted": pasted[:LONGEST],
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
    """The form where these words are written or changed; empty for who may not."""
    if explanation.source == "publisher":
        return _publisher_form(request, explanation)
    reference = reference_of(explanation)
    if explanation.is_own:
        row = OwnText.objects.filter(reference=reference).first()
        if row is not None and request.user.has_perm("explanations.change_owntext"):
            return reverse("admin:explanations_owntext_change", args=[row.pk])
        return ""
    can_be_written = explanation.known or explanation.source == "eduix"
    if can_be_written and request.user.has_perm("explanations.add_owntext"):
        return f"{reverse('admin:explanations_owntext_add')}?{urlencode({'reference': reference})}"
    return ""


def _publisher_form(request: HttpRequest, explanation: Explanation) -> str:
    """The form of a publisher's code: filled in where it is new."""
    publisher, _dot, ean_prefix = explanation.field.rpartition(" · ")
    if not publisher and not ean_prefix.isdigit():
        publisher, ean_prefix = ean_prefix, ""
    if explanation.known:
        row = PublisherCode.objects.filter(
            code=explanation.code, publisher=publisher, ean_prefix=ean_prefix
        ).first()
        if row is not None and request.user.has_perm("explanations.change_publishercode"):
            return reverse("admin:explanations_publishercode_change", args=[row.pk])
        return ""
    if not request.user.has_perm("explanations.add_publishercode"):
        return ""
    filled = {"code": explanation.code, "ean_prefix": ean_prefix, "publisher": publisher}
    query = urlencode({key: value for key, value in filled.items() if value != ""})
    return f"{reverse('admin:explanations_publishercode_add')}?{query}"


def _unknown_count(request: HttpRequest) -> int:
    """How many codes wait for words, for those who may see the list."""
    if not request.user.has_perm("explanations.view_unknowncode"):
        return 0
    return UnknownCode.objects.filter(count__gt=0).count()
