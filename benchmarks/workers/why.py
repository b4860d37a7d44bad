"""Answers "why no access?" on a town of the asked size; milliseconds of wall time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.utils import timezone  # noqa: E402  Django has to be set up first

from backoffice.desk.report import report_on  # noqa: E402
from backoffice.desk.why import looks_of  # noqa: E402
from benchmarks.town import Town  # noqa: E402
from benchmarks.workers.protocol import answer_questions  # noqa: E402
from persons.models import Person, School  # noqa: E402

_building: Iterator[int] | None = None


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """One step of building, or one measured round."""
    return DOING[question["do"]](question)


def build(question: Mapping[str, Any]) -> dict[str, Any]:
    """The next statement; `rows` is 0 when all are there."""
    global _building
    if _building is None:
        _building = Town(question["persons"], question["first_school"]).build()
    return {"rows": next(_building, 0)}


def look(question: Mapping[str, Any]) -> dict[str, Any]:
    """Every book of each of these persons, with words and proof as the page shows them."""
    day, now = timezone.localdate(), timezone.now()
    took, verdicts = [], []
    for pk in question["persons"]:
        person = Person.objects.get(pk=pk)
        begun = time.perf_counter()
        looks = looks_of(person, day=day, now=now)
        took.append((time.perf_counter() - begun) * 1e3)
        verdicts.append(looks[0].verdict.key)
    return {"ms": took, "verdicts": verdicts}


def report(question: Mapping[str, Any]) -> dict[str, Any]:
    """The report of the first school, with the words of its first page."""
    day, now = timezone.localdate(), timezone.now()
    begun = time.perf_counter()
    made = report_on(School.objects.get(pk=1), day=day, now=now)
    for line in made.lines[:100]:
        line.answer(day)
    took = (time.perf_counter() - begun) * 1e3
    return {"ms": took, "total": made.total, "fine": made.fine}


DOING: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "build": build,
    "look": look,
    "report": report,
}

if __name__ == "__main__":
    answer_questions(answer)
