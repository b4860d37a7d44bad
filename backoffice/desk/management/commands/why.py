"""`manage.py why PERSON`: the answer of the page "why no access?", on a terminal or as JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.desk.why import Look, looks_of
from backoffice.desk.why_search import Found, find_day, find_ean, find_persons, find_school
from backoffice.explanations import texts
from credits.access_words import book_words
from persons.models import Person

SIGNS = {"ok": "✓", "bad": "!", "q": "?"}


class Command(BaseCommand):
    """Exit status 0 with an answer, 1 with one line when nobody or several fit, or on bad input."""

    help = "Tell why somebody has no access to a book: the verdict, the proof and the next step."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", nargs="+", help="any number or key, e-mail, or name")
        parser.add_argument("--ean", default="", help="EAN or title; all books when left out")
        parser.add_argument("--date", default="", help="2026-11-21 or 21-11-2026; today at first")
        parser.add_argument("--school", default="", help="school ID, BRIN or name")
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument("--lang", choices=texts.LANGUAGES, default="nl", help="nl or en")

    def handle(self, *args: Any, **options: Any) -> None:
        with override(options["lang"]):
            look, others = self._look(" ".join(options["person"]), options)
            if options["json"]:
                self.stdout.write(json.dumps(look.as_json(), ensure_ascii=False, indent=1))
                return
            for line in _lines(look, others):
                self.stdout.write(line)

    def _look(self, typed: str, options: dict[str, Any]) -> tuple[Look, list[Look]]:
        school, wrong = find_school(options["school"])
        if wrong:
            raise CommandError(wrong)
        day, wrong = find_day(options["date"], timezone.localdate())
        if wrong:
            raise CommandError(wrong)
        found = find_persons(typed, school=school)
        if found.one is None:
            raise CommandError(_not_one(found))
        ean, wrong = find_ean(options["ean"], found.one)
        if wrong:
            raise CommandError(wrong)
        looks = looks_of(
            found.one,
            day=day,
            now=timezone.now(),
            ean=ean,
            organisation_id=school.organisation_id if school is not None else "",
        )
        return looks[0], looks[1:]


def _not_one(found: Found) -> str:
    """Nobody, or several: one line with whom it may be."""
    if found.persons:
        line = _("Several fit; give the number of one: %(names)s")
        return line % {"names": ", ".join(map(_named, found.persons))}
    if found.near:
        line = _("%(problem)s These come near: %(names)s")
        return line % {"problem": found.problem, "names": ", ".join(map(_named, found.near))}
    return found.problem


def _named(person: Person) -> str:
    return f"{person.full_name} ({person.distributor_person_id})"


def _lines(look: Look, others: list[Look]) -> Iterator[str]:
    yield look.answer.sentence
    yield _("Who: %(owner)s. %(when)s.") % {
        "owner": look.answer.owner_label,
        "when": look.answer.when,
    }
    yield ""
    width = max(len(step.title) for step in look.steps)
    for step in look.steps:
        when = f"  ({step.when})" if step.when else ""
        yield f"  {SIGNS[step.tone]}  {step.title:<{width}}  {step.evidence}{when}"
    if others:
        yield ""
        for other in others:
            yield f"  {book_words(other.book)}: {other.short}"
