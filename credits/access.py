"""Why has this pupil no access to this book on this day: a chain of links, pure.

Facts in, links out; the first broken link is the verdict. Nothing is guessed: a link whose facts
are still under way is `unknown`, and the last link, our own sending, says whether that is in order.
`access_facts` reads the facts, `access_next` says what follows, `access_words` says it to people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from backoffice.outbox.models import PushState

STUCK: Final = timedelta(minutes=5)  # what waits longer than this does not go by itself any more
SILENT_FROM: Final = timedelta(days=1)  # without experience with a book, a publisher has a day
SILENT_FACTOR: Final = 3  # with experience: three times as long as usual
SILENT_LEAST: Final = timedelta(hours=1)  # one that answers within seconds may have a bad hour
SCHOOL_YEAR_STARTS: Final = 8  # August


class State(StrEnum):
    """How one link of the chain stands."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Name(StrEnum):
    """The links, in their order."""

    PERSON = "person"
    DUPLICATE = "duplicate"
    SCHOOL_PERSON = "schoolperson"
    PREMATCH = "prematch"
    CREDIT = "credit"
    DATES = "dates"
    SPECIFICATION = "specification"
    PUBLISHER = "publisher"
    SENDING = "sending"


@dataclass(frozen=True)
class Pushed:
    """How a row of ours stands beside Edu-iX."""

    pk: int
    push_state: str
    push_code: int | None = None
    push_changed_at: datetime | None = None
    is_registered: bool = True


@dataclass(frozen=True)
class PlaceFacts:
    """A person at a school."""

    row: Pushed
    school_id: int
    school: str
    number: str = ""
    role: str = ""


@dataclass(frozen=True)
class CreditFacts:
    """The credit that should give access: of the person, or of the school."""

    row: Pushed
    start: date
    end: date | None
    school_year: int
    is_of_school: bool = False
    is_returned: bool = False
    remaining: int | None = None
    specification_state: str = ""
    specified_at: datetime | None = None
    publisher_error_code: int | None = None
    publisher_code_is_known: bool = True
    is_elsewhere: bool = False  # hangs on another school than all other books of this pupil


@dataclass(frozen=True)
class SendingFacts:
    """Our own sending, as far as this pupil and this book are concerned.

    `oldest` is when the first message that is still to go was asked for. `blocker_code` is the
    answer to the refused message `blocker` (its pk) that those messages wait for.
    """

    oldest: datetime | None = None
    blocker: int | None = None
    blocker_code: int | None = None
    blocked_at: datetime | None = None
    queue: int = 0
    queue_oldest: datetime | None = None
    login_refused_at: datetime | None = None
    unreachable_since: datetime | None = None
    worker_seen_at: datetime | None = None
    worker_is_gone: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything the chain looks at. `twin` is another person who seems the same one and holds
    the book; `look_alikes` counts all who seem the same.
    """

    person: Pushed
    is_blocked: bool = False
    places: tuple[PlaceFacts, ...] = ()
    place: PlaceFacts | None = None
    asked_school: str = ""
    is_at_asked_school: bool = True
    is_linked: bool = False
    has_eck_id: bool = False
    user_id_changed_at: datetime | None = None
    credit: CreditFacts | None = None
    twin: str = ""
    twin_pk: int | None = None
    look_alikes: int = 0
    usual_wait: timedelta | None = None
    sending: SendingFacts = field(default_factory=SendingFacts)


@dataclass(frozen=True)
class Link:
    """One question of the chain. `finding` is the key of what was found; `code` explains it."""

    name: Name
    state: State
    finding: str
    at: datetime | date | None = None
    code: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The first broken link; `all_fine` when there is none, `sending` when some are under way."""

    key: str
    links: tuple[Link, ...]
    code: int | None = None

    @property
    def broken(self) -> Link | None:
        """The link that the verdict is about."""
        return next((link for link in self.links if link.state == State.BROKEN), None)

    @property
    def is_fine(self) -> bool:
        """Everything that we can see is in order."""
        return self.key == "all_fine"


def verdict_on(facts: Facts, *, day: date, now: datetime) -> Verdict:
    """Why this pupil has, or has not, access on `day`; `now` is for how long something takes."""
    links = tuple(_chain(facts, day, now))
    broken = next((link for link in links if link.state == State.BROKEN), None)
    if broken is not None:
        return Verdict(broken.finding, links, broken.code)
    if any(link.state == State.UNKNOWN for link in links):
        return Verdict("sending", links)
    return Verdict("all_fine", links)


def school_year_of(day: date) -> int:
    """The school year of a day as Edu-iX writes it: 2627 from 1 August 2026 on."""
    first = day.year if day.month >= SCHOOL_YEAR_STARTS else day.year - 1
    return first % 100 * 100 + (first + 1) % 100


def _chain(facts: Facts, day: date, now: datetime) -> Iterator[Link]:
    yield _person(facts)
    yield _duplicate(facts)
    yield _school_person(facts)
    yield _prematch(facts)
    yield _credit(facts, day)
    yield _dates(facts, day)
    yield _specification(facts, now)
    yield _publisher(facts)
    yield _sending(facts, now)


_FINDINGS: Final = {
    PushState.LOCAL_ONLY: "not_sent",
    PushState.CHANGED: "not_sent",
    PushState.REFUSED: "refused",
    PushState.CONFLICT: "differs",
    PushState.DELETED: "deleted",
}


def _sent(name: Name, what: str, row: Pushed) -> Link:
    """Whether a row is at Edu-iX; what is under way is the last link's to judge."""
    state = PushState(row.push_state)
    if state in _FINDINGS:
        code = row.push_code if state == PushState.REFUSED else None
        found = f"{what}_{_FINDINGS[state]}"
        return Link(name, State.BROKEN, found, row.push_changed_at, code)
    if state == PushState.IN_SYNC:
        return Link(name, State.OK, f"{what}_in_sync", row.push_changed_at)
    return Link(name, State.UNKNOWN, f"{what}_under_way", row.push_changed_at)


def _person(facts: Facts) -> Link:
    sent = _sent(Name.PERSON, "person", facts.person)
    if facts.is_blocked and sent.state == State.OK:
        return Link(Name.PERSON, State.BROKEN, "person_blocked", sent.at)
    return sent


def _duplicate(facts: Facts) -> Link:
    if facts.twin and facts.credit is None:
        return Link(Name.DUPLICATE, State.BROKEN, "duplicate_holds_it")
    found = "look_alikes" if facts.look_alikes else "no_look_alikes"
    return Link(Name.DUPLICATE, State.OK, found)


def _school_person(facts: Facts) -> Link:
    if not facts.places:
        return Link(Name.SCHOOL_PERSON, State.BROKEN, "school_person_missing")
    credit = facts.credit
    if not facts.is_at_asked_school or (credit is not None and credit.is_elsewhere):
        return Link(Name.SCHOOL_PERSON, State.BROKEN, "at_another_school")
    place = facts.place or facts.places[0]
    return _sent(Name.SCHOOL_PERSON, "school_person", place.row)


def _prematch(facts: Facts) -> Link:
    """A school's licence needs no link; an ECK iD makes one unnecessary."""
    at = facts.user_id_changed_at
    if facts.credit is not None and facts.credit.is_of_school:
        return Link(Name.PREMATCH, State.OK, "prematch_not_needed")
    if facts.is_linked:
        return Link(Name.PREMATCH, State.OK, "prematch_linked", at)
    if facts.has_eck_id:
        return Link(Name.PREMATCH, State.OK, "prematch_eck_id")
    if not facts.person.is_registered:
        return Link(Name.PREMATCH, State.UNKNOWN, "prematch_later")
    found = "prematch_undone" if at is not None else "prematch_never"
    return Link(Name.PREMATCH, State.BROKEN, found, at)


def _credit(facts: Facts, day: date) -> Link:
    credit = facts.credit
    if credit is None:
        return Link(Name.CREDIT, State.BROKEN, "credit_missing")
    if credit.remaining is not None and credit.remaining <= 0:
        return Link(Name.CREDIT, State.BROKEN, "school_credit_empty")
    if credit.is_returned:
        return Link(Name.CREDIT, State.BROKEN, "credit_returned")
    if credit.school_year != school_year_of(day):
        return Link(Name.CREDIT, State.BROKEN, "wrong_school_year")
    return _sent(Name.CREDIT, "credit", credit.row)


def _dates(facts: Facts, day: date) -> Link:
    credit = facts.credit
    if credit is None:
        return Link(Name.DATES, State.UNKNOWN, "no_credit")
    if credit.start > day:
        return Link(Name.DATES, State.BROKEN, "not_started", credit.start)
    if credit.end is not None and credit.end < day:
        return Link(Name.DATES, State.BROKEN, "expired", credit.end)
    return Link(Name.DATES, State.OK, "dates_fit", credit.end)


def _specification(facts: Facts, now: datetime) -> Link:
    credit = facts.credit
    if credit is None:
        return Link(Name.SPECIFICATION, State.UNKNOWN, "no_credit")
    if credit.specification_state:
        return Link(Name.SPECIFICATION, State.OK, "publisher_answered", credit.specified_at)
    since = _offered_at(facts, credit)
    if since is None:
        return Link(Name.SPECIFICATION, State.UNKNOWN, "not_asked_yet")
    limit = silence_limit(facts.usual_wait)
    found = "publisher_silent" if now - since > limit else "waiting_for_publisher"
    return Link(Name.SPECIFICATION, State.BROKEN, found, since)


def silence_limit(usual_wait: timedelta | None) -> timedelta:
    """How long a publisher may take before its silence is worth a question."""
    if usual_wait is None:
        return SILENT_FROM
    return max(usual_wait * SILENT_FACTOR, SILENT_LEAST)


def _offered_at(facts: Facts, credit: CreditFacts) -> datetime | None:
    """Since when the publisher can answer: the credit is there and its user recognisable."""
    sent = credit.row.push_changed_at
    if credit.row.push_state != PushState.IN_SYNC or sent is None:
        return None
    if credit.is_of_school or facts.has_eck_id:
        return sent
    linked = facts.user_id_changed_at
    if not facts.is_linked:
        return None
    return max(sent, linked) if linked is not None else sent


def _publisher(facts: Facts) -> Link:
    credit = facts.credit
    if credit is None or not credit.specification_state:
        return Link(Name.PUBLISHER, State.UNKNOWN, "no_answer_yet")
    at, code = credit.specified_at, credit.publisher_error_code
    if credit.specification_state != "Fault":
        return Link(Name.PUBLISHER, State.OK, "publisher_accepted", at)
    found = "publisher_fault" if credit.publisher_code_is_known else "publisher_fault_unknown"
    return Link(Name.PUBLISHER, State.BROKEN, found, at, code)


def _sending(facts: Facts, now: datetime) -> Link:
    """Red only when something of this pupil is held up by it."""
    sending = facts.sending
    if sending.oldest is None:
        return Link(Name.SENDING, State.OK, "nothing_to_send")
    if sending.blocker is not None:
        at, code = sending.blocked_at, sending.blocker_code
        return Link(Name.SENDING, State.BROKEN, "waits_for_refused", at, code)
    if sending.login_refused_at is not None:
        return Link(Name.SENDING, State.BROKEN, "login_refused", sending.login_refused_at)
    if now - sending.oldest <= STUCK:
        return Link(Name.SENDING, State.OK, "sending_on_time", sending.oldest)
    if sending.worker_is_gone:
        return Link(Name.SENDING, State.BROKEN, "worker_gone", sending.worker_seen_at)
    if sending.unreachable_since is not None:
        return Link(Name.SENDING, State.BROKEN, "eduix_unreachable", sending.unreachable_since)
    return Link(Name.SENDING, State.BROKEN, "sending_stuck", sending.oldest)
