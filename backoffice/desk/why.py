"""Why has this pupil no access? Everything that the page, the command and the letter tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from backoffice.outbox.models import Message, PushState, key_of
from backoffice.screens.cells import Tone
from credits.access import State, Verdict, verdict_on
from credits.access_evidence import Step, steps_of
from credits.access_facts import Book, books_of
from credits.access_words import SHORT, Answer, answer_on
from credits.services import kind_of
from persons.models import Person

AWAITED_FOR: Final = timedelta(minutes=10)  # most publishers answer within this
AWAITED: Final = frozenset(
    {"waiting_for_publisher", "prematch_never", "prematch_undone", "publisher_fault"}
)
GOING: Final = frozenset({PushState.QUEUED, PushState.SENDING, PushState.UNCERTAIN})
BUSY_SECONDS: Final = 2
AWAITED_SECONDS: Final = 5

# It ended as it should, or somebody wanted it so: other books come first.
QUIET: Final = frozenset({"credit_returned", "expired"})
ORDER: Final[dict[str, int]] = {"bad": 0, "wait": 1, "idle": 2, "ok": 3}


@dataclass(frozen=True)
class Look:
    """One book of this person with its verdict."""

    book: Book
    verdict: Verdict
    answer: Answer
    steps: list[Step]
    tone: Tone
    short: str

    @property
    def broken(self) -> Step | None:
        """The step that the verdict is about."""
        return next((step for step in self.steps if step.tone == "bad"), None)

    @property
    def subjects(self) -> list[str]:
        """The rows that this book depends on, as messages name them."""
        book = self.book
        found = [key_of("person", book.person.pk)]
        if book.place is not None:
            found.append(key_of("schoolperson", book.place.pk))
        if book.credit is not None:
            found.append(key_of(kind_of(book.credit), book.credit.pk))
        return found

    @property
    def is_going(self) -> bool:
        """One of these rows was on its way to Edu-iX when it was read."""
        book = self.book
        rows = (book.person, book.place, book.credit)
        return any(row is not None and row.push_state in GOING for row in rows)

    def as_json(self) -> dict[str, object]:
        """What `manage.py why --json` prints; its keys are fixed."""
        return {
            "verdict": self.verdict.key,
            "sentence": self.answer.sentence,
            "owner": self.answer.owner,
            "action": self.answer.action,
            "links": [step.as_row() for step in self.steps],
        }


def looks_of(
    person: Person, *, day: date, now: datetime, ean: str = "", organisation_id: str = ""
) -> list[Look]:
    """The asked book, or all books of this person, the worst first."""
    books = books_of(person, day=day, now=now, ean=ean, organisation_id=organisation_id)
    looks = [_look(book, day, now) for book in books]
    return sorted(looks, key=lambda look: badness(look.book, look.verdict, look.tone))


def _look(book: Book, day: date, now: datetime) -> Look:
    verdict = verdict_on(book.facts, day=day, now=now)
    answer = answer_on(book, verdict, day=day)
    return Look(
        book=book,
        verdict=verdict,
        answer=answer,
        steps=steps_of(book, verdict.links, day=day, now=now),
        tone=tone_of(verdict, clears_itself=answer.clears_itself),
        short=str(SHORT[verdict.key]),
    )


def tone_of(verdict: Verdict, *, clears_itself: bool) -> Tone:
    """The colour of a verdict; what passes by itself is no alarm."""
    if verdict.is_fine:
        return "ok"
    if verdict.key in QUIET:
        return "idle"
    return "wait" if clears_itself else "bad"


def badness(book: Book, verdict: Verdict, tone: Tone) -> tuple[int, int, str, str]:
    """Alarms first, then what breaks earliest in the chain."""
    broken = (at for at, link in enumerate(verdict.links) if link.state == State.BROKEN)
    return ORDER[tone], next(broken, len(verdict.links)), book.title, book.ean


def poll_seconds(looks: Sequence[Look], *, now: datetime) -> int:
    """How often the page asks again; 0 when nothing is expected to change by itself.

    What was under way when it was read may be finished by now: the page must look once more.
    """
    if any(look.is_going for look in looks):
        return BUSY_SECONDS
    subjects = {subject for look in looks for subject in look.subjects}
    if Message.objects.active().filter(subject__in=subjects).exists():
        return BUSY_SECONDS
    return AWAITED_SECONDS if any(_is_awaited(look, now) for look in looks) else 0


def _is_awaited(look: Look, now: datetime) -> bool:
    """The publisher, or the portal, may answer any moment now."""
    credit = look.book.credit
    if credit is None or credit.push_state != PushState.IN_SYNC or credit.push_changed_at is None:
        return False
    is_open = look.verdict.key in AWAITED
    return is_open and now - credit.push_changed_at < AWAITED_FOR
