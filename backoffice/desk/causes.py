"""Why credits stand still, by cause: one line for what one deed mends.

Each question is one query over the rows that need attention, so their number does not depend on
how many rows or causes there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.attention import has_publisher_fault, waits_for_school
from backoffice.explanations.models import EAN_PREFIX_LENGTH
from backoffice.explanations.services import (
    Explanation,
    PublisherFault,
    explain,
    explain_publisher_faults,
)
from backoffice.outbox.cells import compare_url
from backoffice.outbox.models import PushState, key_of
from backoffice.screens.links import url_of
from backoffice.screens.search import spaced_ean
from credits.models import PersonCredit, Product, SchoolCredit
from credits.status import CreditStatus
from persons.models import Person, PersonChange, SchoolPerson

SHOWN: Final = 6  # more lines than fit in one look help nobody: the rest is one line

REFUSED: Final = (PushState.REFUSED, PushState.CONFLICT)


@dataclass(frozen=True)
class Cause:
    """One cause.

    `count` credits stand still by it; 0 when it holds up only persons, whom `sub` then counts.
    `write_url` leads to the form for an explanation that nobody has written yet.
    """

    count: int
    title: str
    sub: str
    url: str
    button: str
    weight: int = 0
    is_for_school: bool = False
    write_url: str = ""

    @property
    def order(self) -> tuple[bool, int, int, str]:
        """What we can mend before what a school must do; biggest first, always the same order."""
        return (self.is_for_school, -self.count, -self.weight, self.title)


@dataclass(frozen=True)
class Root:
    """What Edu-iX refused, all rows of one kind with one answer taken together.

    `code` has lost its sign: the service answers some with and some without.
    """

    kind: str
    state: str
    code: int | None


@dataclass
class Weight:
    """How many rows a root holds, one of them, and how many credits stand still by it."""

    rows: int = 0
    first: int = 0
    credits: int = 0


# kind of row -> the list it stands in, and the service whose codes it gets
LISTS: Final = {
    "person": ("admin:persons_person_changelist", "profile"),
    "schoolperson": ("admin:persons_schoolperson_changelist", "profile"),
    "person_change": ("admin:persons_personchange_changelist", "profile"),
    "person_credit": ("admin:credits_personcredit_changelist", "credit"),
    "school_credit": ("admin:credits_schoolcredit_changelist", "credit"),
}


def causes(today: date) -> list[Cause]:
    """Everything that stands still, biggest first."""
    found = [*_refused(), *_publisher_faults(today), *_waiting_for_school(today)]
    return sorted(found, key=lambda cause: cause.order)


def shortened(found: list[Cause]) -> list[Cause]:
    """The biggest causes, and one line for the rest."""
    if len(found) <= SHOWN + 1:
        return found
    rest = found[SHOWN:]
    number = len(rest)
    other = Cause(
        count=sum(cause.count for cause in rest),
        title=_("Others"),
        sub=ngettext("%d other cause", "%d other causes", number) % number,
        url=f"{reverse('admin:credits_personcredit_changelist')}?group=attention",
        button=_("Look"),
    )
    return [*found[:SHOWN], other]


# --- refused by Edu-iX --------------------------------------------------------------------------


def _refused() -> Iterator[Cause]:
    roots: dict[Root, Weight] = defaultdict(Weight)
    persons = (
        ("person", Person),
        ("schoolperson", SchoolPerson),
        ("person_change", PersonChange),
    )
    for kind, model in persons:
        for state, code, rows, first in _by_answer(model):
            weight = roots[_root(kind, state, code)]
            weight.rows, weight.first = weight.rows + rows, first
    for kind, credit in (("person_credit", PersonCredit), ("school_credit", SchoolCredit)):
        for state, code, rows, first in _by_answer(credit):
            weight = roots[_root(kind, state, code)]
            weight.rows, weight.first = weight.rows + rows, first
            weight.credits += rows
    unknown = 0
    for root, rows in _held_up():
        if root in roots:
            roots[root].credits += rows
        else:
            unknown += rows
    for root, weight in roots.items():
        yield _refused_cause(root, weight)
    if unknown:
        yield _held_up_by_unknown(unknown)


def _root(kind: str, state: str, code: int | None) -> Root:
    return Root(kind, state, None if code is None else abs(code))


def _by_answer(model: Any) -> Any:
    """Refused rows of one kind by the answer: state, code, rows, and one of them.

    Credits also by their status: its index serves, and what was given back is nobody's work.
    """
    is_credit = model in (PersonCredit, SchoolCredit)
    by_status = Q(status=CreditStatus.REFUSED) if is_credit else Q()
    return (
        model.objects.filter(by_status, push_state__in=REFUSED)
        .order_by()
        .values_list("push_state", "push_code")
        .annotate(rows=Count("pk"), first=Min("pk"))
    )


def _held_up() -> Iterator[tuple[Root | None, int]]:
    """Credits that wait, by what was refused before them: their person or its school link."""
    person, link = "school_person__person", "school_person"
    rows = (
        PersonCredit.objects.filter(status=CreditStatus.WAITING)
        .order_by()
        .values_list(
            f"{person}__push_state",
            f"{person}__push_code",
            f"{link}__push_state",
            f"{link}__push_code",
        )
        .annotate(rows=Count("pk"))
    )
    for person_state, person_code, link_state, link_code, number in rows:
        if person_state in REFUSED:
            yield _root("person", person_state, person_code), number
        elif link_state in REFUSED:
            yield _root("schoolperson", link_state, link_code), number
        else:
            yield None, number


def _refused_cause(root: Root, weight: Weight) -> Cause:
    url_name, service = LISTS[root.kind]
    told = _told(root, service)
    url = f"{reverse(url_name)}?group=attention"
    button = _("Look")
    if weight.rows == 1:
        subject = key_of(root.kind, weight.first)
        if root.state == PushState.CONFLICT and root.kind != "person_change":
            url, button = compare_url(subject), _("Compare")
        else:
            url, button = url_of(subject, code=root.code) or url, _("Mend")
    parts = [counted_words(root.kind, weight.rows), told.owner_label, _code(root.code)]
    return Cause(
        count=weight.credits,
        title=told.title,
        sub=" · ".join(part for part in parts if part),
        url=url,
        button=button,
        weight=weight.rows,
    )


def _told(root: Root, service: str) -> Explanation:
    if root.state == PushState.CONFLICT or root.code is None:
        return explain("own:conflict" if root.state == PushState.CONFLICT else "own:refused")
    return explain(root.code, service=service)


def _code(code: int | None) -> str:
    return "" if code is None else _("code %s") % code


def counted_words(kind: str, number: int) -> str:
    """`3 persons refused`."""
    words = {
        "person": ngettext("%d person refused", "%d persons refused", number),
        "schoolperson": ngettext(
            "%d person at a school refused", "%d persons at a school refused", number
        ),
        "person_change": ngettext(
            "%d request about a person refused", "%d requests about persons refused", number
        ),
        "person_credit": ngettext("%d credit refused", "%d credits refused", number),
        "school_credit": ngettext("%d school credit refused", "%d school credits refused", number),
        "credit_return": ngettext("%d return refused", "%d returns refused", number),
    }
    return words[kind] % number


def _held_up_by_unknown(number: int) -> Cause:
    told = explain("own:waiting")
    return Cause(
        count=number,
        title=told.title,
        sub=told.owner_label,
        url=f"{reverse('admin:credits_personcredit_changelist')}?group=attention",
        button=_("Look"),
    )


# --- refused by a publisher ---------------------------------------------------------------------


def _publisher_faults(today: date) -> Iterator[Cause]:
    counts: dict[tuple[int, str], list[int]] = {}
    for at, model in enumerate((PersonCredit, SchoolCredit)):
        for code, ean, number in _by_fault(model, today):
            counts.setdefault((code, ean), [0, 0])[at] = number
    titles = titles_of({ean for _code, ean in counts})
    faults = {
        (code, ean): PublisherFault(code, ean, titles.get(ean, ("", ""))[1]) for code, ean in counts
    }
    told = explain_publisher_faults(faults.values())
    for key, (of_persons, of_schools) in counts.items():
        fault = faults[key]
        title = titles.get(fault.ean, ("", ""))[0]
        yield _fault_cause(fault, told[fault], title, of_persons, of_schools)


def _by_fault(model: Any, today: date) -> Any:
    """Credits with a publisher's fault: code (0 where none was told), EAN and number."""
    return (
        model.objects.filter(has_publisher_fault(today))
        .order_by()
        .annotate(told_code=Coalesce("publisher_error_code", 0))
        .values_list("told_code", "ean")
        .annotate(rows=Count("pk"))
    )


def titles_of(eans: set[str]) -> dict[str, tuple[str, str]]:
    """Title and publisher of these books."""
    rows = Product.objects.filter(ean__in=eans).values_list("ean", "title", "publisher")
    return {ean: (title, publisher) for ean, title, publisher in rows}


def _fault_cause(
    fault: PublisherFault, told: Explanation, title: str, of_persons: int, of_schools: int
) -> Cause:
    model = "personcredit" if of_persons else "schoolcredit"
    ean = spaced_ean(fault.ean)
    query = urlencode({"group": "attention", "ean": fault.ean})
    parts = [f"{title} ({ean})" if title else ean, fault.publisher, told.owner_label]
    if fault.code:
        parts.append(_code(fault.code))
    if not told.known:
        parts.append(_("no explanation written yet"))
    return Cause(
        count=of_persons + of_schools,
        title=told.title if told.known else _("The publisher refuses this book"),
        sub=" · ".join(part for part in parts if part),
        url=f"{reverse(f'admin:credits_{model}_changelist')}?{query}",
        button=_("Look"),
        write_url="" if told.known or not fault.code else form_for(fault),
    )


def form_for(fault: PublisherFault) -> str:
    """The form for what a publisher's code means, filled in as far as we know."""
    filled = {
        "code": fault.code,
        "publisher": fault.publisher,
        "ean_prefix": fault.ean[:EAN_PREFIX_LENGTH],
    }
    return f"{reverse('admin:explanations_publishercode_add')}?{urlencode(filled)}"


# --- not linked by the school -------------------------------------------------------------------


def _waiting_for_school(today: date) -> Iterator[Cause]:
    rows = (
        PersonCredit.objects.filter(waits_for_school(today))
        .order_by()
        .values_list("school_person__school", "school_person__school__name")
        .annotate(rows=Count("pk"), persons=Count("school_person__person", distinct=True))
    )
    owner = explain("own:waiting_for_prematch").owner_label
    for school, name, number, persons in rows:
        query = urlencode({"group": "school", "school": school})
        pupils = ngettext("%d pupil", "%d pupils", persons) % persons
        yield Cause(
            count=number,
            title=_("%(school)s has not linked %(pupils)s yet")
            % {"school": name, "pupils": pupils},
            sub=" · ".join([owner, _("without it the publisher knows nobody")]),
            url=f"{reverse('admin:credits_personcredit_changelist')}?{query}",
            button=_("Look"),
            is_for_school=True,
        )
