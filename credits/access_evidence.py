"""What each link of the chain found, with its time: the proof behind a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.explanations.services import explain
from backoffice.screens.numbers import grouped
from credits.access import Link, Name, State, school_year_of, silence_limit
from credits.access_facts import Book
from credits.access_words import in_sentence
from credits.columns import day_words
from credits.models import SchoolCredit

TITLES: Final[dict[Name, str | Promise]] = {
    Name.PERSON: gettext_lazy("Person"),
    Name.DUPLICATE: gettext_lazy("Second account?"),
    Name.SCHOOL_PERSON: gettext_lazy("School"),
    Name.PREMATCH: gettext_lazy("Prematch"),
    Name.CREDIT: gettext_lazy("Credit"),
    Name.DATES: gettext_lazy("Dates"),
    Name.SPECIFICATION: gettext_lazy("Specification"),
    Name.PUBLISHER: gettext_lazy("Publisher"),
    Name.SENDING: gettext_lazy("Our sending"),
}
WORDS: Final[dict[State, str | Promise]] = {
    State.OK: gettext_lazy("in order"),
    State.BROKEN: gettext_lazy("not in order"),
    State.UNKNOWN: gettext_lazy("not known"),
}
TONES: Final = {State.OK: "ok", State.BROKEN: "bad", State.UNKNOWN: "q"}

# `key`, `school`, `number`, `role`, `year`, `start`, `end`, `why`, `amount`, `since`, `limit` …
EVIDENCE: Final[dict[str, str | Promise]] = {
    "person_in_sync": gettext_lazy("Equal to Edu-iX, customer number %(key)s."),
    "person_under_way": gettext_lazy("On its way to Edu-iX, customer number %(key)s."),
    "person_not_sent": gettext_lazy("Not sent as it is now, customer number %(key)s."),
    "person_refused": gettext_lazy("Refused by Edu-iX: %(why)s."),
    "person_differs": gettext_lazy("Edu-iX holds other data under customer number %(key)s."),
    "person_deleted": gettext_lazy("Deleted at Edu-iX."),
    "person_blocked": gettext_lazy("Known at Edu-iX, but with the state “blocked (B)”."),
    "duplicate_holds_it": gettext_lazy("%(twin)s has this book under customer number %(other)s."),
    "look_alikes": gettext_lazy("%(alike)s, but the book is not there."),
    "no_look_alikes": gettext_lazy(
        "Nobody else with this name and date of birth, or with this e-mail address."
    ),
    "school_person_missing": gettext_lazy("No school is linked to this person."),
    "at_another_school": gettext_lazy("%(place)s, and not %(school)s."),
    "school_person_in_sync": gettext_lazy("%(place)s, %(role)s, number %(number)s."),
    "school_person_under_way": gettext_lazy(
        "On its way to Edu-iX: %(place)s, %(role)s, number %(number)s."
    ),
    "school_person_not_sent": gettext_lazy(
        "Not sent as it is now: %(place)s, %(role)s, number %(number)s."
    ),
    "school_person_refused": gettext_lazy("Refused by Edu-iX: %(why)s."),
    "school_person_differs": gettext_lazy("Edu-iX holds other data about %(place)s."),
    "school_person_deleted": gettext_lazy("Deleted at Edu-iX: %(place)s."),
    "prematch_not_needed": gettext_lazy("Not needed: this is a licence of the school."),
    "prematch_linked": gettext_lazy("Linked by the school."),
    "prematch_eck_id": gettext_lazy("Not needed: there is an ECK iD."),
    "prematch_later": gettext_lazy("Only possible once Edu-iX knows the person."),
    "prematch_never": gettext_lazy("The school has never made the link."),
    "prematch_undone": gettext_lazy("The school, or its portal, has undone the link."),
    "credit_missing": gettext_lazy("There is no credit for this book."),
    "school_credit_empty": gettext_lazy("%(amount)s bought, %(returned)s given back, none left."),
    "credit_returned": gettext_lazy("Credit %(credit)s was given back."),
    "wrong_school_year": gettext_lazy("Credit %(credit)s is for %(year)s, not for %(now)s."),
    "credit_in_sync": gettext_lazy("Credit %(credit)s is equal to Edu-iX, school year %(year)s."),
    "credit_under_way": gettext_lazy("Credit %(credit)s is on its way to Edu-iX."),
    "credit_not_sent": gettext_lazy("Credit %(credit)s was not sent as it is now."),
    "credit_refused": gettext_lazy("Refused by Edu-iX: %(why)s."),
    "credit_differs": gettext_lazy("Edu-iX holds something else under number %(credit)s."),
    "credit_deleted": gettext_lazy("Credit %(credit)s was deleted at Edu-iX."),
    "no_credit": gettext_lazy("Cannot be judged without a credit."),
    "not_started": gettext_lazy("Valid from %(start)s."),
    "expired": gettext_lazy("Was valid from %(start)s to %(end)s."),
    "dates_fit": gettext_lazy("Valid from %(start)s to %(end)s."),
    "publisher_answered": gettext_lazy("The publisher has answered."),
    "not_asked_yet": gettext_lazy("The publisher was not asked yet."),
    "waiting_for_publisher": gettext_lazy(
        "Offered to the publisher %(since)s ago; up to %(limit)s is usual."
    ),
    "publisher_silent": gettext_lazy(
        "Offered to the publisher %(since)s ago without an answer; up to %(limit)s is usual."
    ),
    "no_answer_yet": gettext_lazy("No answer of the publisher yet."),
    "publisher_accepted": gettext_lazy("The publisher has prepared the licence."),
    "publisher_fault": gettext_lazy("Refused by the publisher: %(why)s."),
    "publisher_fault_unknown": gettext_lazy(
        "Refused by the publisher with a code that nobody has explained yet."
    ),
    "nothing_to_send": gettext_lazy("Nothing of this waits to be sent."),
    "sending_on_time": gettext_lazy("Runs on time: %(queue)s, the oldest of this %(waits)s old."),
    "waits_for_refused": gettext_lazy("Waits for a message that must be mended first."),
    "login_refused": gettext_lazy("All sending stands still: Edu-iX refuses our login."),
    "worker_gone": gettext_lazy("The process that sends gives no sign of life."),
    "eduix_unreachable": gettext_lazy("Edu-iX cannot be reached; we keep trying."),
    "sending_stuck": gettext_lazy("A message about this has waited for %(waits)s."),
}


@dataclass(frozen=True)
class Step:
    """One link as people read it. `at` is what the evidence dates from; `code` comes last."""

    link: Link
    title: str
    word: str
    tone: str
    evidence: str
    at: datetime | date | None
    when: str
    code: str

    def as_row(self) -> dict[str, object]:
        """The row of `manage.py why --json`; its keys are fixed."""
        return {
            "name": self.link.name.value,
            "state": self.link.state.value,
            "evidence": self.evidence,
            "at": self.at.isoformat() if self.at is not None else None,
        }


def steps_of(book: Book, links: tuple[Link, ...], *, day: date, now: datetime) -> list[Step]:
    """The whole chain in words."""
    return [_step(book, link, day, now) for link in links]


def _step(book: Book, link: Link, day: date, now: datetime) -> Step:
    return Step(
        link=link,
        title=str(TITLES[link.name]),
        word=str(WORDS[link.state]),
        tone=TONES[link.state],
        evidence=_evidence(book, link, day, now),
        at=link.at,
        when=moment_words(link.at, now) if isinstance(link.at, datetime) else "",
        code=str(abs(link.code)) if link.code is not None else "",
    )


def _evidence(book: Book, link: Link, day: date, now: datetime) -> str:
    """A lazy table: only what a sentence asks for is worked out."""
    return str(EVIDENCE[link.finding]) % _Named(book, link, day, now)


class _Named(dict[str, str]):
    """What the sentences name, each worked out when it is asked for."""

    def __init__(self, book: Book, link: Link, day: date, now: datetime) -> None:
        super().__init__()
        self.book, self.link, self.day, self.now = book, link, day, now

    def __missing__(self, name: str) -> str:
        return {**_of_person(self), **_of_credit(self), **_of_time(self)}[name]


def _of_person(named: _Named) -> dict[str, str]:
    book, place = named.book, named.book.place
    number = book.facts.look_alikes
    alike = ngettext("%d person who seems the same", "%d persons who seem the same", number)
    return {
        "key": book.person.distributor_person_id,
        "twin": book.twin.full_name if book.twin is not None else "",
        "other": book.twin.distributor_person_id if book.twin is not None else "",
        "alike": alike % number,
        "school": book.school,
        "place": place.school.name if place is not None else "",
        "number": (place.school_student_number if place is not None else "") or _("none"),
        "role": str(place.get_role_display()).lower() if place is not None else "",
    }


def _of_credit(named: _Named) -> dict[str, str]:
    credit, link = named.book.credit, named.link
    fault = named.book.fault
    service = "credit" if link.name == Name.CREDIT else "profile"
    why = explain(link.code, service=service).title if link.code is not None else ""
    if link.name == Name.PUBLISHER and fault is not None:
        why = fault.title
    found = {"why": in_sentence(why or _("without a code"))}
    if credit is None:
        return found
    end = credit.credit_end_date
    first, second = divmod(school_year_of(named.day), 100)
    found |= {
        "credit": str(credit),
        "year": credit.school_year_label,
        "now": f"20{first:02d}-20{second:02d}",
        "start": _start_words(credit.credit_start_date, end),
        "end": day_words(end) if end is not None else _("no end"),
    }
    if isinstance(credit, SchoolCredit):
        found |= {"amount": grouped(credit.amount), "returned": grouped(credit.returned)}
    return found


def _start_words(start: date, end: date | None) -> str:
    """With its year when the end has another one: `1 August 2026` to `31 July 2027`."""
    if end is None or end.year == start.year:
        return day_words(start)
    return date_format(start, "j F Y")


def _of_time(named: _Named) -> dict[str, str]:
    sending, at = named.book.facts.sending, named.link.at
    queue = ngettext("%d message in the queue", "%d messages in the queue", sending.queue)
    asked = sending.oldest
    return {
        "since": _length(at, named.now) if isinstance(at, datetime) else "",
        "limit": timesince(
            named.now - silence_limit(named.book.facts.usual_wait), named.now, depth=1
        ),
        "queue": queue % sending.queue,
        "waits": _length(asked, named.now) if asked is not None else "",
    }


def _length(since: datetime, now: datetime) -> str:
    """`12 minutes`; seconds are nobody's business."""
    return timesince(min(since, now), now, depth=1)


def moment_words(at: datetime, now: datetime) -> str:
    """`09:02` for today, else `14 August, 09:02`."""
    local = timezone.localtime(at)
    clock = date_format(local, "H:i")
    if local.date() == timezone.localdate(now):
        return clock
    return f"{day_words(local.date())}, {clock}"
