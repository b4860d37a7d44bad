"""What the lists of persons and schools show beside each row, fetched once per page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Count, Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.outbox.cells import answer_of, blockers_of, compare_url, waiting_words
from backoffice.outbox.models import Pushable, PushState, key_of
from backoffice.screens.admin import lay_beside
from backoffice.screens.cells import Problem, Tone, dotted, pill, problem_of, two_lines
from backoffice.screens.links import field_of, url_of
from backoffice.screens.panels import cells_beside
from persons.duplicates import open_likenesses
from persons.models import Person, School, SchoolPerson


def masked_eck_id(eck_id: str) -> str:
    """An ECK iD names a pupil everywhere for life: only its last six characters are shown."""
    return f"…{eck_id[-6:]}" if eck_id else ""


def prematch_words(person: Person) -> str:
    """Whether, and since when, a publisher can recognise this person."""
    if day := _linked_on(person):
        return _("Linked since %(day)s") % {"day": day}
    if person.user_id:
        return _("Linked")
    return _("ECK iD") if person.eck_id else _("Not yet")


def prematch_pill(person: Person) -> SafeString:
    """The same as a pill, the day below it: in one line they push the last column out of sight."""
    tone: Tone = "ok" if person.is_recognisable else "wait"
    if day := _linked_on(person):
        return two_lines(pill(tone, _("Linked")), _("since %(day)s") % {"day": day})
    return pill(tone, prematch_words(person))


def _linked_on(person: Person) -> str:
    if not person.user_id or person.user_id_changed_at is None:
        return ""
    return date_format(timezone.localtime(person.user_id_changed_at), "j F Y")


def lay_persons(persons: Sequence[Person]) -> None:
    """Schools, number of credits and what is the matter, beside each person of a page."""
    schools = _schools_of(persons)
    credits = _credits_of(persons)
    problems = problems_of("person", persons)
    doubles = open_likenesses(persons)
    for person in persons:
        lay_beside(
            person,
            schools=schools.get(person.pk, ()),
            credits=credits.get(person.pk, 0),
            problem=problems.get(person.pk),
            is_double=person.pk in doubles,
        )


def _schools_of(persons: Iterable[Person]) -> dict[int, list[SchoolPerson]]:
    found: dict[int, list[SchoolPerson]] = defaultdict(list)
    rows = SchoolPerson.objects.filter(person__in=[person.pk for person in persons])
    for row in rows.exclude(push_state=PushState.DELETED).select_related("school"):
        found[row.person_id].append(row)
    return found


def _credits_of(persons: Iterable[Person]) -> dict[int, int]:
    rows = (
        SchoolPerson.objects.filter(person__in=[person.pk for person in persons])
        .order_by()
        .values_list("person")
        .annotate(rows=Count("person_credits"))
    )
    return {int(pk): int(number) for pk, number in rows}


def schools_cell(rows: Iterable[SchoolPerson]) -> SafeString:
    """Each school with the pupil's number there."""
    lines = (
        (row.school.name, dotted([row.school_student_number, row.get_role_display()]))
        for row in rows
    )
    return format_html_join("", '{}<div class="sub">{}</div>', lines)


def problems_of(kind: str, rows: Sequence[Pushable]) -> dict[int, Problem]:
    """What is the matter with each row that Edu-iX refused or that waits; at most two queries."""
    subjects = {key_of(kind, row.pk): row for row in rows if row.push_state == PushState.WAITING}
    blockers = blockers_of(subjects) if subjects else {}
    problems: dict[int, Problem] = {}
    for row in rows:
        blocker = blockers.get(key_of(kind, row.pk))
        if blocker is not None:
            problems[row.pk] = Problem(
                title=_("Waits for %(label)s") % {"label": blocker.message.label},
                url=url_of(
                    blocker.message.subject, code=blocker.message.code, text=blocker.message.text
                ),
                url_text=_("Open"),
                notes=(waiting_words(blocker.followers),),
            )
            continue
        answer = answer_of(row)
        if answer is not None and row.push_state == PushState.CONFLICT:
            url = compare_url(key_of(kind, row.pk))
            problems[row.pk] = problem_of(answer, url=url, url_text=_("Compare"))
        elif answer is not None:
            problems[row.pk] = problem_of(
                answer,
                url=url_of(key_of(kind, row.pk), code=row.push_code, text=row.push_text),
                url_text=mend_words(type(row), field_of(kind, row.push_code, row.push_text)),
                notes=[_("code %d") % abs(row.push_code)] if row.push_code is not None else (),
            )
    return problems


def mend_words(model: type[Model], field: str) -> str:
    """`Change postal code`, or `Open` where no single field is to blame."""
    names = {column.name: str(column.verbose_name) for column in model._meta.fields}
    name = names.get(field.removeprefix("new_"))
    return capfirst(_("change %(field)s") % {"field": name}) if name else _("Open")


def lay_schools(schools: Sequence[School]) -> None:
    """Numbers of pupils and credits beside each school of a page, and how it all stands."""
    keys = [school.pk for school in schools]
    rows = SchoolPerson.objects.filter(school__in=keys).order_by().values_list("school")
    persons = {int(pk): int(number) for pk, number in rows.annotate(rows=Count("pk"))}
    credits = {int(pk): int(number) for pk, number in rows.annotate(rows=Count("person_credits"))}
    others = cells_beside("school", keys)
    for school in schools:
        numbers = {"persons": persons.get(school.pk, 0), "credits": credits.get(school.pk, 0)}
        lay_beside(school, **numbers, **others[school.pk])
