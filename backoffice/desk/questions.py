"""The page on which a colleague asks Edu-iX anything that its gets can answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backoffice.desk.comparison import NAMES, shown
from backoffice.desk.mirrors import MIRRORS, known_keys
from backoffice.eduix.rules import Finding
from backoffice.eduix.rules_values import HUBS
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.jobs.models import Question
from backoffice.outbox.cells import explanation_of
from backoffice.outbox.models import Message, key_of
from backoffice.outbox.pushable import signed_in
from credits.adopting import KINDS, take_over_row
from credits.asking import GETS, Choice, ask, problems_with
from credits.comparing import KEYS
from persons.models import School

View = Callable[..., HttpResponse]
PERMISSION: Final = "persons.change_person"
RECENT: Final = 8

FIELDS: Final[dict[str, str | Promise]] = {
    "distributor_person_id": gettext_lazy("Customer number"),
    "distributor_school_person_id": gettext_lazy("School person number"),
    "distributor_person_credit_id": gettext_lazy("Credit number"),
    "distributor_school_credit_id": gettext_lazy("Credit number"),
    "organisation_id": gettext_lazy("School ID"),
    "profile_id": gettext_lazy("Profile ID"),
    "eck_id": gettext_lazy("ECK iD"),
    "user_id": gettext_lazy("User ID"),
    "hub_id": gettext_lazy("Hub"),
    "portal_id": gettext_lazy("ID of the portal"),
    "ean": gettext_lazy("EAN"),
    "school_year": gettext_lazy("School year"),
}
IN_TITLE: Final = ("first_name", "preposition", "surname", "name")
TITLES: Final[dict[str, str | Promise]] = {
    "person": gettext_lazy("Person"),
    "schoolperson": gettext_lazy("Person at a school"),
    "school": gettext_lazy("School"),
    "person_credit": gettext_lazy("Person credit"),
    "school_credit": gettext_lazy("School credit"),
}
ADDS: Final = {
    "person": "persons.add_person",
    "schoolperson": "persons.add_schoolperson",
    "school": "persons.add_school",
    "person_credit": "credits.add_personcredit",
    "school_credit": "credits.add_schoolcredit",
}


def question_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages: all below `vragen/`."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    return [
        path("vragen/", page(_start), name="ask"),
        path("vragen/<int:pk>/", page(_page), name="question"),
        path("vragen/<int:pk>/stand/", page(_live), name="question_live"),
        path("vragen/overnemen/", page(_adopt), name="question_adopt"),
    ]


@dataclass(frozen=True)
class Box:
    """One field of the form."""

    name: str
    label: str
    value: str
    error: str = ""
    options: tuple[str, ...] = ()
    is_optional: bool = False


def _need(request: HttpRequest, permission: str = PERMISSION) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _start(site: AdminSite) -> View:
    """Choose a get and a choice (a link each), fill in its fields, ask."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        _need(request)
        given = request.POST if request.method == "POST" else request.GET
        get = GETS.get(given.get("get", "")) or GETS["getPerson"]
        choice = get.choice(given.get("choice", "")) or get.choices[0]
        values = {
            # An address lands in logs: an ECK iD comes by the form only.
            column: ""
            if column == "eck_id" and given is request.GET
            else given.get(column, "").strip()
            for _owner, column in (*choice.fields, *choice.filters)
        }
        findings: list[Finding] = []
        if request.method == "POST":
            findings = problems_with(choice, values, today=timezone.localdate())
            if not findings:
                question = ask(
                    operation=get.operation,
                    choice=choice.name,
                    values=values,
                    user=signed_in(request),
                )
                return HttpResponseRedirect(reverse("admin:question", args=[question.pk]))
        context = {
            **site.each_context(request),
            "title": _("Ask Edu-iX"),
            "gets": list(GETS.values()),
            "get": get,
            "choice": choice,
            "boxes": _boxes(choice, values, findings),
            "recent": _recent(),
        }
        return TemplateResponse(request, "desk/ask.html", context, status=422 if findings else None)

    return view


def _boxes(choice: Choice, values: Mapping[str, str], findings: list[Finding]) -> list[Box]:
    errors = {one.column: _words(one) for one in reversed(findings)}
    optional = {column for _owner, column in choice.filters}
    return [
        Box(
            column,
            str(FIELDS[column]),
            "" if column == "eck_id" else values.get(column, ""),  # never shown whole
            errors.get(column, ""),
            HUBS if column == "hub_id" else (),
            column in optional,
        )
        for _owner, column in (*choice.fields, *choice.filters)
    ]


def _words(finding: Finding) -> str:
    """What Edu-iX would answer, in words."""
    told = explain(f"own:{finding.message_key}" if finding.is_own_rule else finding.code or 6)
    number = "" if finding.is_own_rule else f" ({finding.code})"
    return f"{told.title}{number}"


@dataclass(frozen=True)
class Asked:
    """An earlier question in the list."""

    question: Question
    words: str
    url: str


def words_of(question: Question) -> str:
    """`Person by ECK iD: …abc123`."""
    if question.operation == "takeOver":
        return f"{_('Take over')}: {question.arguments.get('key', '')}"
    get = GETS.get(question.operation)
    choice = get.choice(question.choice) if get is not None else None
    if not question.arguments and choice is not None and choice.fields:
        return f"{question.operation} {question.choice}"  # pruned
    asked = ", ".join(str(value) for value in question.arguments.values())
    if get is None or choice is None:
        return question.operation
    return f"{get.label} {choice.label}" + (f": {asked}" if asked else "")


def _recent() -> list[Asked]:
    return [
        Asked(one, words_of(one), reverse("admin:question", args=[one.pk]))
        for one in Question.objects.select_related("asked_by").order_by("-pk")[:RECENT]
    ]


# --- the answer ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row of the answer, and whether we have it."""

    kind: str
    key: str
    title: str
    facts: list[tuple[str, str]]
    url: str
    may_adopt: bool


@dataclass(frozen=True)
class Group:
    """The rows of one kind."""

    label: str
    rows: list[Row]


@dataclass(frozen=True)
class Answer:
    """Everything the page of one question shows."""

    question: Question
    words: str
    is_waiting: bool
    explanation: Explanation | None
    groups: list[Group]
    total: int
    message_url: str
    is_given_up: bool


def _find(request: HttpRequest, pk: int) -> Question:
    _need(request)
    question = Question.objects.filter(pk=pk).first()
    if question is None:
        raise Http404
    return question


def answer_page(question: Question, request: HttpRequest) -> Answer:
    """The answer with a link for each row that we have; a query for each kind in it."""
    message = Message.objects.filter(subject=key_of("question", question.pk)).first()
    is_waiting = message is not None and message.status in Message.ACTIVE
    items = question.answer.get("items", [])
    keys: dict[str, set[str]] = defaultdict(set)
    for item in items:
        keys[item["kind"]].add(item["key"])
    known = {kind: known_keys(kind, wanted) for kind, wanted in keys.items()}
    groups: dict[str, list[Row]] = defaultdict(list)
    for item in items:
        pk = known[item["kind"]].get(item["key"])
        groups[item["kind"]].append(_row(item, pk, request))
    return Answer(
        question=question,
        words=words_of(question),
        is_waiting=is_waiting and question.answered_at is None,
        explanation=explanation_of(message) if message is not None else None,
        groups=[Group(str(TITLES[kind]), rows) for kind, rows in groups.items()],
        total=int(question.answer.get("total", 0)),
        message_url=(reverse("admin:outbox_message_change", args=[message.pk]) if message else ""),
        is_given_up=question.answered_at is None and not is_waiting,
    )


def _row(item: dict[str, Any], pk: int | None, request: HttpRequest) -> Row:
    kind, key, values = item["kind"], item["key"], item["values"]
    return Row(
        kind,
        key,
        _title(kind, values) or key,
        _facts(kind, values),
        _url(kind, pk) if pk is not None else "",
        pk is None and bool(key) and request.user.has_perm(ADDS[kind]),
    )


def _title(kind: str, values: dict[str, Any]) -> str:
    if kind == "person":
        names = ("first_name", "preposition", "surname")
        return " ".join(str(values[name]) for name in names if values.get(name))
    return str(values.get("name", "")) if kind == "school" else ""


def _facts(kind: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    """Every value that is told, with the words of the screens; names stand in the title."""
    model: Any = School if kind == "school" else MIRRORS[kind].model
    names = {one.name: str(one.verbose_name) for one in model._meta.fields}
    blank = model()
    facts = []
    for name, value in values.items():
        if value in (None, "") or name in (*IN_TITLE, KEYS[kind]):
            continue
        label = names.get(name) or str(NAMES.get(name, FIELDS.get(name, name)))
        # An ECK iD was masked before it was kept.
        words = str(value) if name not in names or name == "eck_id" else shown(blank, name, value)
        facts.append((label, words))
    return facts


def _url(kind: str, pk: int) -> str:
    if kind == "school":
        return reverse("admin:persons_school_change", args=[pk])
    meta = MIRRORS[kind].model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])


def _page(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        answer = answer_page(_find(request, pk), request)
        context = {**site.each_context(request), "title": answer.words, "answer": answer}
        return TemplateResponse(request, "desk/question.html", context)

    return view


def _live(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        context = {"answer": answer_page(_find(request, pk), request)}
        return TemplateResponse(request, "desk/_question.html", context)

    return view


def _adopt(site: AdminSite) -> View:
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        kind, key = request.POST.get("kind", ""), request.POST.get("key", "")
        if kind not in KINDS or not key or len(key) > 256:
            raise Http404
        _need(request)
        _need(request, ADDS[kind])
        question = take_over_row(
            kind=kind, key=key, reason=_("found by asking Edu-iX"), user=signed_in(request)
        )
        return HttpResponseRedirect(reverse("admin:question", args=[question.pk]))

    return view
