"""What a colleague reads beside a credit: a pure function of the facts and the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.models import PushState


class CreditStatus(models.TextChoices):
    """What an account manager reads in a list; `credits/status.py` gives the rule."""

    NOT_SENT = "not_sent", _("Not sent")
    SENDING = "sending", _("Being sent")
    WAITING = "waiting", _("Waits for another")
    REFUSED = "refused", _("Refused")
    UNCERTAIN = "uncertain", _("Uncertain")
    WAITING_FOR_PREMATCH = "waiting_for_prematch", _("Waits for prematch")
    WAITING_FOR_PUBLISHER = "waiting_for_publisher", _("Waits for publisher")
    PUBLISHER_FAULT = "publisher_fault", _("Fault at publisher")
    NOT_YET_USABLE = "not_yet_usable", _("Not yet usable")
    USABLE = "usable", _("Usable")
    EXPIRED = "expired", _("Expired")
    RETURNED = "returned", _("Returned")


@dataclass(frozen=True)
class CreditFacts:
    """Everything the status depends on.

    `is_recognisable` is None for a school credit, and for nothing else: it needs no prematch, and
    its words speak of licences where those of a person credit speak of the person.
    `is_link_undone`: the school had linked the person, who is not recognisable any more.
    `blocker_code` is the code of the refused message that a waiting credit waits for.
    """

    push_state: str
    credit_start_date: date
    credit_end_date: date | None
    push_code: int | None = None
    specification_state: str = ""
    publisher_error_code: int | None = None
    is_recognisable: bool | None = None
    is_link_undone: bool = False
    is_returned: bool = False


@dataclass(frozen=True)
class StatusAnswer:
    """A status with the explanation to show, who must act, and what can be done.

    `explanation` is what `explain()` takes: a code of Edu-iX, `publisher:117`, or `own:waiting`.
    """

    status: CreditStatus
    explanation: str
    owner: str
    clears_itself: bool
    actions: tuple[str, ...]


FROM_PUSH_STATE = {
    PushState.LOCAL_ONLY: CreditStatus.NOT_SENT,
    PushState.CHANGED: CreditStatus.NOT_SENT,
    PushState.QUEUED: CreditStatus.SENDING,
    PushState.SENDING: CreditStatus.SENDING,
    PushState.WAITING: CreditStatus.WAITING,
    PushState.REFUSED: CreditStatus.REFUSED,
    PushState.CONFLICT: CreditStatus.REFUSED,
    PushState.UNCERTAIN: CreditStatus.UNCERTAIN,
}

# What the specification of the services can say; anything else is not known to be usable.
SPECIFIED, FAULT = "Specified", "Fault"

# Statuses whose words speak of one person; of a school credit they speak of licences.
_ALSO_OF_SCHOOLS = frozenset(
    {CreditStatus.WAITING, CreditStatus.USABLE, CreditStatus.EXPIRED, CreditStatus.RETURNED}
)

# owner, clears itself, actions; codes of Edu-iX and of publishers bring their own owner along
_ANSWERS: dict[CreditStatus, tuple[str, bool, tuple[str, ...]]] = {
    CreditStatus.NOT_SENT: ("wij", False, ("push",)),
    CreditStatus.SENDING: ("niemand", True, ()),
    CreditStatus.WAITING: ("wij", False, ("open_blocker",)),
    CreditStatus.REFUSED: ("wij", False, ("edit", "push")),
    CreditStatus.UNCERTAIN: ("niemand", True, ()),
    CreditStatus.WAITING_FOR_PREMATCH: ("school", False, ("message_school",)),
    CreditStatus.WAITING_FOR_PUBLISHER: ("uitgever", True, ()),
    CreditStatus.PUBLISHER_FAULT: ("uitgever", False, ("push",)),
    CreditStatus.NOT_YET_USABLE: ("niemand", True, ()),
    CreditStatus.USABLE: ("niemand", True, ()),
    CreditStatus.EXPIRED: ("niemand", False, ("extend",)),
    CreditStatus.RETURNED: ("niemand", False, ()),
}


def stored_status(facts: CreditFacts) -> CreditStatus:
    """The status without the calendar: what the column `status` holds.

    Raises `ValueError` for a deleted row: it has no status and stands in no list.
    """
    if facts.push_state == PushState.DELETED:
        raise ValueError("a deleted credit has no status")
    if facts.is_returned:
        return CreditStatus.RETURNED
    if facts.push_state in FROM_PUSH_STATE:
        return FROM_PUSH_STATE[PushState(facts.push_state)]
    if facts.specification_state == FAULT:
        return CreditStatus.PUBLISHER_FAULT
    if facts.is_link_undone:  # what the publisher once accepted cannot be opened
        return CreditStatus.WAITING_FOR_PREMATCH
    if facts.specification_state == SPECIFIED:
        return CreditStatus.USABLE
    if facts.specification_state:  # a word that only a later version has: never called usable
        return CreditStatus.WAITING_FOR_PUBLISHER
    if facts.is_recognisable is False:
        return CreditStatus.WAITING_FOR_PREMATCH
    return CreditStatus.WAITING_FOR_PUBLISHER


def status_on(stored: CreditStatus, *, start: date, end: date | None, today: date) -> CreditStatus:
    """The status a colleague sees today; lists do the same in SQL (`CreditQuerySet.on`)."""
    if stored in CALENDAR_FREE:
        return stored
    if end is not None and end < today:
        return CreditStatus.EXPIRED
    if stored == CreditStatus.USABLE and start > today:
        return CreditStatus.NOT_YET_USABLE
    return stored


# Statuses about our own sending come before the calendar: a refused credit is refused, expired
# or not, because Edu-iX does not know it.
CALENDAR_FREE = frozenset({*FROM_PUSH_STATE.values(), CreditStatus.RETURNED})


def credit_status(facts: CreditFacts, today: date) -> StatusAnswer:
    """Status, explanation, owner and actions for any combination of facts.

    Raises `ValueError` for a deleted row.
    """
    status = status_on(
        stored_status(facts),
        start=facts.credit_start_date,
        end=facts.credit_end_date,
        today=today,
    )
    owner, clears_itself, actions = _ANSWERS[status]
    is_of_school = facts.is_recognisable is None and status in _ALSO_OF_SCHOOLS
    explanation = f"own:school_{status.value}" if is_of_school else f"own:{status.value}"
    if facts.push_state == PushState.CONFLICT and status == CreditStatus.REFUSED:
        explanation, actions = "own:conflict", ("compare",)
    elif status == CreditStatus.REFUSED and facts.push_code is not None:
        explanation = str(abs(facts.push_code))
    elif status == CreditStatus.PUBLISHER_FAULT and facts.publisher_error_code is not None:
        explanation = f"publisher:{facts.publisher_error_code}"
    return StatusAnswer(status, explanation, owner, clears_itself, actions)
