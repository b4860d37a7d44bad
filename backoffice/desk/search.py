"""The search box on every page: what did somebody type, and which page answers it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.explanations.services import explain_asked
from backoffice.outbox.models import PushState
from backoffice.screens.search import ean_of, every_word, spaced_ean
from credits.models import PersonCredit, SchoolCredit
from persons.models import Person, School
from persons.search import persons_matching

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

LEAST: Final = 3  # characters of the name of a school
SHOWN: Final = 5  # persons with the same key, e.g. a student number at two schools


@dataclass(frozen=True)
class Answer:
    """A page that may be meant, with the words to choose it by."""

    title: str
    sub: str
    url: str
    why_url: str = ""  # of a person: why is there no access?
    is_by_name: bool = False  # a person may have this name too


def answers_to(text: str, user: AbstractUser | AnonymousUser) -> list[Answer]:
    """The pages that this text names exactly; none means: look it up as a name.

    A number may be a student number and a fault code at once, so there can be several.
    """
    return [
        *_persons(text, user),
        *_schools(text, user),
        *_credits(text, user),
        *_explanation(text),
    ]


def is_meant(answers: list[Answer], text: str, user: AbstractUser | AnonymousUser) -> bool:
    """There is one answer, and nobody can have meant a person of that name."""
    if len(answers) != 1:
        return False
    if not answers[0].is_by_name or not user.has_perm("persons.view_person"):
        return True
    return not Person.objects.filter(persons_matching(text)).exists()


def name_search(text: str, user: AbstractUser | AnonymousUser) -> str:
    """Where a name is looked up; empty for a colleague who may see no persons."""
    if not user.has_perm("persons.view_person"):
        return ""
    return _list("admin:persons_person_changelist", text)


def _persons(text: str, user: AbstractUser | AnonymousUser) -> list[Answer]:
    if not user.has_perm("persons.view_person"):
        return []
    exact = (
        Q(distributor_person_id=text)
        | Q(user_id=text)
        | Q(eck_id=text)
        | Q(school_persons__school_student_number=text)
        | Q(school_persons__distributor_school_person_id=text)
    )
    kept = Person.objects.exclude(push_state=PushState.DELETED)
    found = kept.filter(exact).distinct()[:SHOWN]
    return [
        Answer(
            person.full_name,
            _("Person · customer number %s") % person.distributor_person_id,
            reverse("admin:persons_person_change", args=[person.pk]),
            reverse("admin:why_person", args=[person.pk]),
        )
        for person in found
    ]


def _schools(text: str, user: AbstractUser | AnonymousUser) -> list[Answer]:
    """By a part of the name; by BRIN or school ID in full."""
    if not user.has_perm("persons.view_school") or len(text) < LEAST:
        return []
    exact = Q(brin__iexact=text) | Q(organisation_id__iexact=text)
    found = School.objects.filter(every_word(text, ("name",)) | exact)
    return [
        Answer(
            school.name,
            " · ".join(filter(None, (_("School"), school.city, school.brin))),
            reverse("admin:persons_school_change", args=[school.pk]),
            is_by_name=text.casefold() not in (school.brin.casefold(), school.organisation_id),
        )
        for school in found[:SHOWN]
    ]


def _credits(text: str, user: AbstractUser | AnonymousUser) -> list[Answer]:
    ean = ean_of(text)
    sub = _("EAN %s") % spaced_ean(ean) if ean else _("Credit number %s") % text
    answers = []
    for model, key, title in (
        (PersonCredit, "distributor_person_credit_id", _("Credits of persons")),
        (SchoolCredit, "distributor_school_credit_id", _("Credits of schools")),
    ):
        name = model._meta.model_name
        if not user.has_perm(f"credits.view_{name}"):
            continue
        asked = {"ean": ean} if ean else {key: text}
        if model._default_manager.filter(**asked).exists():
            url = _list(f"admin:credits_{name}_changelist", ean or text)
            answers.append(Answer(title, sub, url))
    return answers


def _explanation(text: str) -> list[Answer]:
    found = explain_asked(text)
    # A publisher's code that nobody has explained is met all the same: that is worth a page.
    known = [item for item in found if item.known or item.source == "publisher"]
    if not known:
        return []
    return [Answer(_("Explanation"), known[0].title, _list("admin:explain", text))]


def _list(url_name: str, text: str) -> str:
    return f"{reverse(url_name)}?{urlencode({'q': text})}"
