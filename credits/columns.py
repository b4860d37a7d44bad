"""What stands beside each credit of a list: its status today and the explanation of it.

Everything that a page needs is fetched at once, so that the number of queries does not depend on
the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote, urlencode

from django.db.models import Count, Model, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.eduix.codes import BLOCK
from backoffice.eduix.rules import RULES
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.models import EAN_PREFIX_LENGTH
from backoffice.explanations.services import (
    PublisherFault,
    explain,
    explain_publisher_faults,
)
from backoffice.outbox.cells import (
    Blocker,
    blockers_of,
    compare_url,
    explanation_of,
    waiting_words,
)
from backoffice.outbox.models import Message, PushState, key_of
from backoffice.screens.admin import lay_beside
from backoffice.screens.cells import Problem, Tone, link, pill, problem_cell, problem_of, quiet_cell
from backoffice.screens.links import field_of, kind_of, url_of
from backoffice.screens.numbers import grouped
from backoffice.screens.search import spaced_ean
from credits.long_numbers import is_never_told, never_told
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.services import AnyCredit, answer_for
from credits.services import kind_of as kind_of_credit
from credits.status import CreditStatus, StatusAnswer
from persons.columns import mend_words
from persons.models import Person, School, SchoolPerson

TONES: dict[str, Tone] = {
    CreditStatus.USABLE: "ok",
    CreditStatus.WAITING_FOR_PREMATCH: "wait",
    CreditStatus.WAITING_FOR_PUBLISHER: "wait",
    CreditStatus.SENDING: "wait",
    CreditStatus.WAITING: "wait",
    CreditStatus.NOT_YET_USABLE: "wait",
    CreditStatus.REFUSED: "bad",
    CreditStatus.PUBLISHER_FAULT: "bad",
    CreditStatus.UNCERTAIN: "bad",
}

# Nothing is the matter: a quiet line says the dates.
FINE = (CreditStatus.USABLE, CreditStatus.EXPIRED, CreditStatus.RETURNED)

# The object that the codes of a block are about; a credit may be refused because of its person.
_OWNERS = {rule.base: rule.object for rule in RULES}

_MODELS = {"person": Person, "schoolperson": SchoolPerson, "person_credit": PersonCredit}


def tone_of(status: str) -> Tone:
    """The colour of a status."""
    return TONES.get(status, "idle")


def status_url(credit: AnyCredit) -> str:
    """The page that tells everything about one credit."""
    return status_url_of(type(credit), credit.pk)


def status_url_of(model: type[Model], pk: int) -> str:
    """The same for a credit that was not read."""
    return reverse(f"admin:credits_{model._meta.model_name}_status", args=[pk])


def why_link(credit: PersonCredit) -> SafeString:
    """To the page that tells why this person cannot open this book."""
    url = reverse("admin:why_person", args=[credit.school_person.person_id])
    return link(f"{url}?{urlencode({'boek': credit.ean})}", _("Why no access?"))


def edit_url(credit: AnyCredit, column: str = "") -> str:
    """The form of a credit, at one of its fields."""
    url = reverse(f"admin:credits_{type(credit)._meta.model_name}_change", args=[credit.pk])
    return f"{url}#id_{column}" if column else url


def status_pill(status: str) -> SafeString:
    """Colour, sign and word of a status."""
    return pill(tone_of(status), CreditStatus(status).label)


def day_words(day: date | datetime) -> str:
    """`18 August`; with the year when it is not this one."""
    local = timezone.localtime(day) if isinstance(day, datetime) else day
    same_year = local.year == timezone.localdate().year
    return date_format(local, "j F" if same_year else "j F Y")


def since_words(moment: datetime | None, today: date) -> str:
    """`since 09:04` for today, else `since 18 August`."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    when = date_format(local, "H:i") if local.date() == today else day_words(local)
    return _("since %(when)s") % {"when": when}


@dataclass(frozen=True)
class Surroundings:
    """What the explanations of one page need beside the credits themselves."""

    today: date
    blockers: dict[str, Blocker] = field(default_factory=dict)
    same_fault: dict[tuple[int, str], int] = field(default_factory=dict)
    faults: dict[PublisherFault, Explanation] = field(default_factory=dict)
    returns: dict[int, CreditReturn] = field(default_factory=dict)


def lay_statuses(credits: Sequence[AnyCredit], *, today: date) -> None:
    """Status and explanation beside each credit of a page.

    Person credits need `school_person__person` and `school_person__school` at hand, school credits
    `school`.
    """
    answers = [(credit, answer_for(credit, today=today)) for credit in credits]
    around = surroundings_of(answers, today)
    for credit, answer in answers:
        lay_beside(credit, status=answer.status.value, cell=what_to_do(credit, answer, around))


def surroundings_of(answers: Sequence[tuple[AnyCredit, StatusAnswer]], today: date) -> Surroundings:
    """Blockers, publishers' codes, counts of equal faults, returns: a query or two for each."""
    by_status: dict[CreditStatus, list[AnyCredit]] = {}
    for credit, answer in answers:
        by_status.setdefault(answer.status, []).append(credit)
    waiting = by_status.get(CreditStatus.WAITING, [])
    faulty = by_status.get(CreditStatus.PUBLISHER_FAULT, [])
    returned = by_status.get(CreditStatus.RETURNED, [])
    return Surroundings(
        today=today,
        blockers=blockers_of(subject_of(credit) for credit in waiting) if waiting else {},
        same_fault=_same_faults(faulty) if faulty else {},
        faults=explain_publisher_faults(fault_of(credit) for credit in faulty) if faulty else {},
        returns=_returns_of(returned) if returned else {},
    )


def subject_of(credit: AnyCredit) -> str:
    """How messages name this credit."""
    return key_of(kind_of_credit(credit), credit.pk)


def _same_faults(credits: Sequence[AnyCredit]) -> dict[tuple[int, str], int]:
    """How many credits have the same code at the same EAN."""
    model = type(credits[0])
    pairs = Q(
        publisher_error_code__in={credit.publisher_error_code for credit in credits},
        ean__in={credit.ean for credit in credits},
    )
    rows = (
        model._default_manager.filter(pairs, status=CreditStatus.PUBLISHER_FAULT)
        .order_by()
        .values_list("publisher_error_code", "ean")
        .annotate(rows=Count("pk"))
    )
    return {(int(code), str(ean)): int(number) for code, ean, number in rows}


def _returns_of(credits: Sequence[AnyCredit]) -> dict[int, CreditReturn]:
    """The last return of each credit that was not taken back."""
    column = "person_credit" if isinstance(credits[0], PersonCredit) else "school_credit"
    kept = CreditReturn.objects.filter(withdrawn_at=None)
    rows = kept.filter(**{f"{column}__in": [credit.pk for credit in credits]})
    return {getattr(row, f"{column}_id"): row for row in rows.order_by("pk")}


def what_to_do(credit: AnyCredit, answer: StatusAnswer, around: Surroundings) -> SafeString:
    """The cell beside the status."""
    if answer.status in FINE:
        return quiet_cell(_quiet_words(credit, answer.status, around))
    return problem_cell(_problem(credit, answer, around))


def _quiet_words(credit: AnyCredit, status: CreditStatus, around: Surroundings) -> str:
    if status == CreditStatus.RETURNED and isinstance(credit, SchoolCredit):
        return _("Nothing left: all %(amount)s given back") % {"amount": grouped(credit.amount)}
    if status == CreditStatus.RETURNED:
        back = around.returns.get(credit.pk)
        if back is None:
            return _("Given back")
        day = day_words(back.created_at)
        if not back.reason:
            return _("Given back on %(day)s") % {"day": day}
        return _("Given back on %(day)s: “%(reason)s”") % {"day": day, "reason": back.reason}
    if credit.credit_end_date is None:
        return _("Since %(start)s, without an end") % {"start": day_words(credit.credit_start_date)}
    words = {
        "start": day_words(credit.credit_start_date),
        "end": day_words(credit.credit_end_date),
    }
    if status == CreditStatus.EXPIRED:
        return _("Was valid from %(start)s to %(end)s") % words
    return _("Since %(start)s, until %(end)s") % words


def _problem(credit: AnyCredit, answer: StatusAnswer, around: Surroundings) -> Problem:
    blocker = around.blockers.get(subject_of(credit))
    if blocker is not None:
        return _blocked(blocker)
    explanation = explanation_for(credit, answer, around)
    url, words = next_step(credit, answer, explanation)
    return problem_of(explanation, url=url, url_text=words, notes=_notes(credit, answer, around))


def explanation_for(credit: AnyCredit, answer: StatusAnswer, around: Surroundings) -> Explanation:
    """The explanation of a status; a publisher's code was looked up with its book."""
    if credit.publisher_error_code is not None and answer.explanation.startswith("publisher:"):
        return around.faults[fault_of(credit)]
    explanation = explain(answer.explanation, service="credit")
    if answer.status == CreditStatus.WAITING_FOR_PUBLISHER and is_never_told(credit):
        return never_told(explanation)
    return explanation


def fault_of(credit: AnyCredit) -> PublisherFault:
    """The publisher's code of a credit with what it came about."""
    return PublisherFault(credit.publisher_error_code or 0, credit.ean, publisher_of(credit))


def publisher_of(credit: AnyCredit) -> str:
    """The publisher that `CreditQuerySet.with_title` found; empty when nobody named one."""
    return str(getattr(credit, "publisher", "") or "")


def title_of(credit: AnyCredit) -> str:
    """The title that `CreditQuerySet.with_title` found, else the EAN as people read it."""
    return str(getattr(credit, "title", "") or "") or spaced_ean(credit.ean)


def under_title(credit: AnyCredit) -> str:
    """What stands below the title: the EAN, unless that is all there is."""
    return spaced_ean(credit.ean) if getattr(credit, "title", None) else _("no title yet")


def _blocked(blocker: Blocker) -> Problem:
    """A waiting credit tells the cause it waits for, and links to where that is mended."""
    root = blocker.message
    explanation = explanation_of(root) or explain("own:waiting")
    code = _("code %d") % abs(root.code) if root.code is not None else ""
    url, words = mending(root)
    return problem_of(
        explanation, url=url, url_text=words, notes=[code, waiting_words(blocker.followers)]
    )


def mending(root: Message) -> tuple[str, str]:
    """Where the cause of a refused message is mended, and the words of the link."""
    if root.status == Message.Status.CONFLICT and (url := compare_url(root.subject)):
        return url, _("Compare")
    kind = kind_of(root.subject)
    model = _MODELS.get(kind)
    column = field_of(kind, root.code, root.text)
    words = mend_words(model, column) if model is not None else _("Open")
    return url_of(root.subject, code=root.code, text=root.text), words


def _notes(credit: AnyCredit, answer: StatusAnswer, around: Surroundings) -> Iterable[str]:
    match answer.status:
        case CreditStatus.REFUSED:
            yield _("code %d") % abs(credit.push_code) if credit.push_code is not None else ""
        case CreditStatus.PUBLISHER_FAULT:
            if credit.publisher_error_code is None:
                return
            yield _("code %d") % credit.publisher_error_code
            number = around.same_fault.get((credit.publisher_error_code, credit.ean), 1)
            if number > 1:
                yield (
                    ngettext(
                        "%d credit with the same fault", "%d credits with the same fault", number
                    )
                    % number
                )
        case CreditStatus.WAITING_FOR_PREMATCH | CreditStatus.WAITING_FOR_PUBLISHER:
            yield since_words(credit.push_changed_at, around.today)
        case CreditStatus.NOT_YET_USABLE:
            yield _("from %(day)s") % {"day": day_words(credit.credit_start_date)}


def next_step(credit: AnyCredit, answer: StatusAnswer, explanation: Explanation) -> tuple[str, str]:
    """Where the next step is taken, and the words of the link; empty when there is none."""
    match answer.status:
        case CreditStatus.NOT_SENT:
            return status_url(credit), _("Look and send")
        case CreditStatus.REFUSED if credit.push_state == PushState.CONFLICT:
            return compare_url(subject_of(credit)), _("Compare")
        case CreditStatus.REFUSED:
            return mend_of(credit)
        case CreditStatus.WAITING_FOR_PUBLISHER if is_never_told(credit):
            return status_url(credit), _("Look and ask")
        case CreditStatus.PUBLISHER_FAULT if not explanation.known:
            return write_url(credit), _("Write an explanation")
        case CreditStatus.PUBLISHER_FAULT:
            return status_url(credit), _("Look and send again")
        case CreditStatus.WAITING_FOR_PREMATCH:
            return school_step(credit)
    return "", ""


def mend_of(credit: AnyCredit) -> tuple[str, str]:
    """Where a refused credit is mended: its own form, or that of its person or school link."""
    row: AnyCredit | Person | SchoolPerson = credit
    if isinstance(credit, PersonCredit) and credit.push_code is not None:
        number, place = abs(credit.push_code), credit.school_person
        about = _OWNERS.get(number - number % BLOCK)
        row = place.person if about == "person" else place if about == "schoolperson" else credit
    kind = row._meta.model_name or ""
    subject = subject_of(credit) if row is credit else key_of(kind, row.pk)
    column = field_of(kind_of(subject), credit.push_code, credit.push_text)
    url = url_of(subject, code=credit.push_code, text=credit.push_text)
    return url, mend_words(type(row), column)


def write_url(credit: AnyCredit) -> str:
    """Where a colleague writes what a publisher's code means, once for all credits."""
    filled = {
        "code": credit.publisher_error_code,
        "ean_prefix": credit.ean[:EAN_PREFIX_LENGTH],
        "publisher": publisher_of(credit),
    }
    query = urlencode({key: value for key, value in filled.items() if value})
    return f"{reverse('admin:explanations_publishercode_add')}?{query}"


def school_step(credit: AnyCredit) -> tuple[str, str]:
    """A letter to the school's contact when we have one, else the place to fill one in.

    The letter names the pupil by the school's own number: a subject line is no place for a name.
    """
    school: School = (
        credit.school_person.school if isinstance(credit, PersonCredit) else credit.school
    )
    if not school.contact_email or not isinstance(credit, PersonCredit):
        url = reverse("admin:persons_school_change", args=[school.pk])
        return f"{url}#id_contact_email", _("Fill in the school's contact")
    subject = quote(_prematch_request(credit.school_person))
    return f"mailto:{quote(school.contact_email, safe='@')}?subject={subject}", _(
        "Write to the school"
    )


def _prematch_request(place: SchoolPerson) -> str:
    """What the school is asked, by role; without a number the letter itself says who it is."""
    number, is_teacher = place.school_student_number, place.role == SchoolPerson.Role.TEACHER
    if not number:
        return (
            _("Please link a teacher (prematch)")
            if is_teacher
            else _("Please link a student (prematch)")
        )
    words = (
        _("Please link teacher %(number)s (prematch)")
        if is_teacher
        else _("Please link student %(number)s (prematch)")
    )
    return words % {"number": number}


def amounts_words(credit: SchoolCredit) -> str:
    """`30 bought, 2 given back, 28 at the publisher`."""
    parts = [_("%(number)s bought") % {"number": grouped(credit.amount)}]
    if credit.returned:
        parts.append(_("%(number)s given back") % {"number": grouped(credit.returned)})
    parts.append(_("%(number)s at the publisher") % {"number": grouped(credit.specified)})
    return ", ".join(parts)
