"""How the pupils of one school stand today: one verdict for each, and who must act."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from django.utils.translation import get_language

from backoffice.desk.why import ORDER, badness, tone_of
from backoffice.explanations import texts
from backoffice.explanations.services import OWNERS, language
from backoffice.screens.cells import Tone
from credits.access import Verdict, verdict_on
from credits.access_books import Book
from credits.access_facts import books_of_many
from credits.access_pupils import plainly_fine, pupils_with_a_credit
from credits.access_words import SHORT, Answer, answer_on, who_acts
from persons.models import Person, School

FINE: Final = "all_fine"
PAGE: Final = 100


@dataclass(frozen=True)
class Line:
    """One pupil with the book that is worst; words only where they are shown.

    `others` counts the pupil's other books with the same verdict.
    """

    book: Book
    verdict: Verdict
    owner: str
    tone: Tone
    others: int = 0

    @property
    def short(self) -> str:
        """The verdict as a pill."""
        return str(SHORT[self.verdict.key])

    @property
    def owner_label(self) -> str:
        """Who must act, in the language of the screen."""
        return label_of(self.owner)

    @property
    def number(self) -> str:
        """The number that the school knows this pupil by."""
        return self.book.place.school_student_number if self.book.place is not None else ""

    def answer(self, day: date) -> Answer:
        """What to do, in words."""
        return answer_on(self.book, self.verdict, day=day)


@dataclass(frozen=True)
class Part:
    """One verdict with the number of pupils it is about."""

    key: str
    tone: Tone
    count: int

    @property
    def short(self) -> str:
        """The verdict as a pill."""
        return str(SHORT[self.key])


@dataclass(frozen=True)
class Group:
    """Everything that one owner must do."""

    owner: str
    parts: Sequence[Part]

    @property
    def label(self) -> str:
        """Who must act, in the language of the screen."""
        return label_of(self.owner)

    @property
    def count(self) -> int:
        """Pupils who wait for this owner."""
        return sum(part.count for part in self.parts)


@dataclass(frozen=True)
class Report:
    """All pupils of a school with a credit: those in order as a number, the others as lines."""

    school: School
    day: date
    at: datetime
    fine: int
    lines: Sequence[Line]

    @property
    def total(self) -> int:
        """The pupils at this school who have a credit; the sum of all verdicts."""
        return self.fine + len(self.lines)

    @property
    def groups(self) -> list[Group]:
        """Who must act, each with its verdicts, the most frequent first."""
        counted = Counter((line.owner, line.verdict.key, line.tone) for line in self.lines)
        found = []
        for owner in OWNERS:
            parts = [Part(key, tone, n) for (who, key, tone), n in counted.items() if who == owner]
            if parts:
                parts.sort(key=lambda part: (-part.count, part.key))
                found.append(Group(owner, parts))
        return found

    def shown(self, *, verdict: str = "", owner: str = "") -> list[Line]:
        """The lines of one verdict, of one owner, of both, or all."""
        return [
            line
            for line in self.lines
            if verdict in ("", line.verdict.key) and owner in ("", line.owner)
        ]


def label_of(owner: str) -> str:
    """`wij` as people read it, in the language of the screen."""
    return texts.label("owners", owner, language(get_language()))


def report_on(school: School, *, day: date, now: datetime) -> Report:
    """Every pupil of this school with a credit.

    Whom the database alone finds in order is counted and not read: in most schools nearly all.
    """
    pupils = pupils_with_a_credit(school, day=day)
    plain = plainly_fine(pupils, day=day)
    others = sorted(set(pupils.order_by().values_list("pk", flat=True)) - plain)
    lines = list(_lines(school, others, day, now))
    broken = [line for line in lines if not line.verdict.is_fine]
    fine = len(plain) + len(lines) - len(broken)
    return Report(school, day, now, fine, sorted(broken, key=_urgency))


def _lines(school: School, pks: Sequence[int], day: date, now: datetime) -> Iterator[Line]:
    persons = Person.objects.filter(pk__in=pks).order_by("pk").iterator(chunk_size=500)
    for books in books_of_many(persons, day=day, now=now):
        judged = [_judged(book, day, now) for book in books]
        worst = min(judged, key=lambda line: (not concerns(line.book, school), _badness(line)))
        same = sum(1 for line in judged if line.verdict.key == worst.verdict.key)
        yield replace(worst, others=same - 1)


def _judged(book: Book, day: date, now: datetime) -> Line:
    verdict = verdict_on(book.facts, day=day, now=now)
    owner, clears_itself = who_acts(book, verdict, day=day)
    return Line(book, verdict, owner, tone_of(verdict, clears_itself=clears_itself))


def _badness(line: Line) -> tuple[int, int, str, str]:
    return badness(line.book, line.verdict, line.tone)


def concerns(book: Book, school: School) -> bool:
    """Whether this book should open at this school: one left behind is the new school's."""
    credit = book.facts.credit
    is_left = credit is not None and credit.is_elsewhere
    place = book.newest if is_left else book.place
    return place is not None and place.school_id == school.pk


def _urgency(line: Line) -> tuple[int, int, str, str, str]:
    """By owner, alarms first; pupils of one verdict in the order of a class list."""
    person = line.book.person
    return (
        OWNERS.index(line.owner),
        ORDER[line.tone],
        line.verdict.key,
        person.surname,
        person.first_name,
    )
