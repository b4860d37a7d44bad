"""Look-alikes on the page of a person: who, what to do, and what was said about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backoffice.explanations.services import explain
from backoffice.outbox.pushable import signed_in
from backoffice.screens.cells import link, pill
from backoffice.screens.panels import Panel, register_panel
from persons.duplicate_models import NotADuplicate
from persons.duplicates import (
    Kind,
    Likeness,
    likenesses,
    present,
    say_not_a_duplicate,
    show_again,
)
from persons.models import Person

MOST_SHOWN: Final = 20
PART: Final = "look-alikes"


@dataclass(frozen=True, slots=True)
class Line:
    """One look-alike: who it is, in what it is alike, and what was said."""

    likeness: Likeness
    url: str
    merge_url: str

    @property
    def why(self) -> str:
        """In what the two are alike."""
        return alike_words(self.likeness.kind)

    @property
    def said(self) -> str:
        """`Same family`, when somebody said so."""
        found = self.likeness.said
        return capfirst(found.get_reason_display()) if found else ""


@dataclass(frozen=True)
class LookAlikes:
    """What the panel shows."""

    open: list[Line]
    said: list[Line]
    more: int
    remedies: list[str]
    may_say: bool
    say_url: str
    part: str = PART


def alike_words(kind: Kind) -> str:
    """In what two persons are alike."""
    return _("same name and date of birth") if kind == "name" else _("same e-mail address")


def person_url(pk: int) -> str:
    """The form of a person."""
    return reverse("admin:persons_person_change", args=[pk])


def merge_url(pk: int) -> str:
    """Where this person is merged with another; empty where there is no such page."""
    try:
        return reverse("admin:persons_person_merge", args=[pk])
    except NoReverseMatch:
        return ""


def look_alikes_of(request: HttpRequest, person: Person) -> Panel | None:
    """The panel under the form of a person; none where nobody looks like it."""
    found = likenesses([person]).get(person.pk, [])
    if not found:
        return None
    merge = merge_url(person.pk) if request.user.has_perm("persons.push_person") else ""
    lines = [Line(each, person_url(each.other.pk), merge) for each in found]
    still = [line for line in lines if line.likeness.said is None]
    kinds = dict.fromkeys(line.likeness.kind for line in still)
    return Panel(
        "persons/look_alikes_panel.html",
        LookAlikes(
            open=still[:MOST_SHOWN],
            said=[line for line in lines if line.likeness.said is not None][:MOST_SHOWN],
            more=max(0, len(still) - MOST_SHOWN),
            remedies=[explain(f"own:{_KEYS[kind]}").cause for kind in kinds],
            may_say=request.user.has_perm("persons.change_person"),
            say_url=reverse("admin:persons_person_look_alike", args=[person.pk]),
        ),
    )


_KEYS: Final[dict[Kind, str]] = {"name": "same_person", "email": "same_email"}


def double_pill() -> SafeString:
    """The mark in a list."""
    return pill("wait", _("Possibly double"))


def look_alikes_link(person: Person) -> SafeString:
    """The mark with the way to the look-alikes."""
    return link(f"{person_url(person.pk)}#{PART}", double_pill())


@require_POST
def say_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that two persons are two, or take it back; POST `other` and `reason` ("" takes back)."""
    if not request.user.has_perm("persons.change_person"):
        raise PermissionDenied
    person = get_object_or_404(present(), pk=pk)
    other = get_object_or_404(present(), pk=_number(request.POST.get("other")))
    reason = request.POST.get("reason", "")
    names: dict[str, Any] = {"person": person.full_name, "other": other.full_name}
    if reason in NotADuplicate.Reason.values and person.pk != other.pk:
        say_not_a_duplicate(person=person, other=other, reason=reason, user=signed_in(request))
        words = _("Remembered: %(person)s and %(other)s are two. You can take it back below.")
        messages.success(request, words % names)
    elif reason == "" and show_again(person=person, other=other):
        messages.success(request, _("%(person)s and %(other)s may be double again.") % names)
    else:
        messages.warning(request, _("Nothing was changed."))
    return HttpResponseRedirect(f"{person_url(person.pk)}#{PART}")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0


def register_look_alikes() -> None:
    """Called once, when the admin is set up."""
    register_panel("person", look_alikes_of)
