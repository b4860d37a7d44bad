"""How notifications look in lists and on their page: pills, words, and links to their subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.explanations.services import (
    Explanation,
    PublisherFault,
    explain,
    explain_publisher_faults,
)
from backoffice.outbox.models import PushState
from backoffice.screens.cells import Tone, pill, problem_cell, problem_of, quiet_cell
from credits.models import Credit, PersonCredit, Product, SchoolCredit
from notifications.masking import masked_eck_id
from notifications.models import Flag, Notification
from notifications.reasons import in_words
from notifications.told import codes_of, told_prematch, told_specification
from persons.models import Person

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Kind = Notification.Kind
Verdict = Notification.Verdict

TONES: Final[dict[str, Tone]] = {
    Verdict.APPLIED: "ok",
    Verdict.WAITING: "wait",
    Verdict.UNMATCHED: "wait",
    Verdict.FAILED: "wait",
    Verdict.INVALID: "bad",
    Verdict.DEAD: "bad",
}
# What a list explains; the others went as they should.
PROBLEMS: Final = (Verdict.UNMATCHED, Verdict.INVALID, Verdict.FAILED, Verdict.DEAD)


@dataclass(frozen=True)
class Subject:
    """The person or credit that a notification is about, as far as it exists here."""

    name: str
    url: str
    is_school_credit: bool = False
    ean: str = ""


def verdict_pill(notification: Notification) -> SafeString:
    """What became of it: colour, sign and word."""
    tone = TONES.get(notification.verdict, "idle")
    return pill(tone, notification.get_verdict_display())


def subjects_of(notifications: Iterable[Notification]) -> dict[int, Subject]:
    """The subjects that exist here, by notification; three queries, however many rows."""
    rows = list(notifications)
    persons = _persons({row.subject for row in rows if row.kind == Kind.PREMATCH_CHANGED})
    credits = _credits({row.subject for row in rows if row.kind == Kind.SPECIFICATION_CHANGED})
    found = {
        row.pk: (persons if row.kind == Kind.PREMATCH_CHANGED else credits).get(row.subject)
        for row in rows
    }
    return {pk: subject for pk, subject in found.items() if subject is not None}


def _persons(keys: set[str]) -> dict[str, Subject]:
    return {
        person.distributor_person_id: Subject(
            person.full_name, reverse("admin:persons_person_change", args=[person.pk])
        )
        for person in Person.objects.exclude(push_state=PushState.DELETED).filter(
            distributor_person_id__in=keys
        )
    }


def _credits(keys: set[str]) -> dict[str, Subject]:
    school_credits = SchoolCredit.objects.filter(distributor_school_credit_id__in=keys)
    person_credits = PersonCredit.objects.filter(distributor_person_credit_id__in=keys)
    found = {
        credit.distributor_school_credit_id: Subject(
            credit.school.name,
            reverse("admin:credits_schoolcredit_change", args=[credit.pk]),
            is_school_credit=True,
            ean=credit.ean,
        )
        for credit in school_credits.select_related("school")
    }
    # Where both kinds have the number, the person credit was meant.
    return found | {
        credit.distributor_person_credit_id: Subject(
            credit.school_person.person.full_name,
            reverse("admin:credits_personcredit_change", args=[credit.pk]),
            ean=credit.ean,
        )
        for credit in person_credits.select_related("school_person__person")
    }


def in_short(notification: Notification, subject: Subject | None) -> str:
    """What it says, in one line."""
    if not notification.parsed:
        return ""
    if notification.kind == Kind.PREMATCH_CHANGED:
        return _prematch_in_short(notification)
    is_school_credit = subject is not None and subject.is_school_credit
    told = told_specification(notification.parsed, is_school_credit=is_school_credit)
    words = [_specification_words(told.state, told.code)]
    if notification.is_in_pieces:
        return " · ".join(_in_pieces_in_short(notification.parsed, words[0]))
    if notification.parsed["state"] != PersonCredit.ProductState.ACTIVE:
        words.append(_product_state_words(notification.parsed["state"]))
    return " · ".join(words)


def _in_pieces_in_short(parsed: Mapping[str, Any], specification: str) -> Iterator[str]:
    """What this one adds: it may be silent about the specification."""
    if parsed["specification"] or not (parsed["correction"] or parsed["license_block"]):
        yield specification
    if parsed["correction"]:
        yield _("Return")
    for block in parsed["license_block"]:
        yield _("Licence block “%(kind)s”") % {"kind": block["block_type"]}


@dataclass(frozen=True)
class Line:
    """One entry of version 4.3, for the table on the page."""

    what: str
    at: datetime
    entry: Mapping[str, Any]


def lines_of(notification: Notification) -> list[Line]:
    """What version 4.3 tells, in the order of time; nothing for 4.0."""
    if not notification.is_in_pieces:
        return []
    words = {
        "specification": _("Specification"),
        "correction": _("Return"),
        "license_block": _("Licence block"),
    }
    lines = [
        Line(words[name], datetime.fromisoformat(entry["time_stamp"]), entry)
        for name in words
        for entry in notification.parsed[name]
    ]
    return sorted(lines, key=lambda line: line.at)


def _prematch_in_short(notification: Notification) -> str:
    told = told_prematch(notification.parsed)
    if not told.user_id:
        return _("No longer linked in the portal")
    return _("Linked in the portal as %(user)s") % {"user": told.user_id}


def _specification_words(state: str, code: int | None) -> str:
    if state == Credit.SpecificationState.SPECIFIED:
        return _("Specified")
    if state == Credit.SpecificationState.FAULT:
        return _("Fault at publisher, code %(code)s") % {"code": code}
    return _("Not tried at the publisher yet")


def _product_state_words(state: str) -> str:
    known = dict(PersonCredit.ProductState.choices)
    return str(known.get(state, _("state “%(state)s”") % {"state": state}))


def explanation_of(notification: Notification) -> Explanation:
    """What its verdict means and what to do."""
    return explain(f"own:notification_{notification.verdict}")


def publisher_explanations(
    notification: Notification, subject: Subject | None
) -> list[Explanation]:
    """What the publishers' codes in it mean."""
    codes = codes_of(notification.parsed)
    ean = subject.ean if subject is not None else ""
    product = Product.objects.filter(ean=ean).first() if ean and codes else None
    publisher = product.publisher if product is not None else ""
    return [explain(f"publisher:{code}", ean=ean, publisher=publisher) for code in codes]


def fault_titles(
    notifications: Iterable[Notification], subjects: Mapping[int, Subject]
) -> dict[int, str]:
    """What the publisher's code in each of these means, in a few words; two queries for all."""
    faults: dict[int, PublisherFault] = {}
    told = [(row.pk, codes) for row in notifications if (codes := codes_of(row.parsed))]
    eans = {pk: subjects[pk].ean for pk, _codes in told if pk in subjects}
    publishers = dict(
        Product.objects.filter(ean__in=set(eans.values())).values_list("ean", "publisher")
    )
    for pk, codes in told:
        ean = eans.get(pk, "")
        faults[pk] = PublisherFault(codes[0], ean, publishers.get(ean, ""))
    explained = explain_publisher_faults(faults.values())
    return {pk: explained[fault].title for pk, fault in faults.items()}


def why_cell(notification: Notification, subject: Subject | None, fault: str = "") -> SafeString:
    """The cell "what is the matter, and what to do"; `fault` is of `fault_titles`."""
    if notification.verdict in PROBLEMS:
        notes = _notes(notification)
        return problem_cell(problem_of(explanation_of(notification), notes=notes))
    if notification.verdict == Verdict.TEST:
        return quiet_cell(explanation_of(notification).title)
    told = in_short(notification, subject)
    return quiet_cell(" · ".join(filter(None, (told, fault, *_notes(notification)))))


def _notes(notification: Notification) -> list[str]:
    """The reason of this one, unless the verdict says it already, and the remarks on it."""
    says_it_already = notification.verdict in (
        Verdict.UNMATCHED,
        Verdict.DUPLICATE,
        Verdict.FAILED,
        Verdict.DEAD,
    )
    reason = "" if says_it_already else in_words(notification.reason)
    return [*filter(None, [reason]), *map(str, flags_of(notification))]


def flags_of(notification: Notification) -> list[_StrOrPromise]:
    """The remarks in words; one that a later version made is shown as it is."""
    words = dict(Flag.choices)
    return [words.get(flag, flag) for flag in notification.flags]


def contents_of(notification: Notification) -> Mapping[str, object]:
    """What was read out of it, for its page; an ECK iD shows its end only."""
    parsed = dict(notification.parsed)
    if parsed.get("eck_id"):
        parsed["eck_id"] = masked_eck_id(parsed["eck_id"])
    return parsed
