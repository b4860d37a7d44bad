"""How the sync state of a row and the status of a message look, and what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.outbox.models import Message, Pushable, PushState
from backoffice.screens.cells import Tone, pill
from backoffice.screens.links import counted, kind_of
from backoffice.screens.numbers import with_number

if TYPE_CHECKING:
    from collections.abc import Mapping

PUSH_TONES: Mapping[str, Tone] = {
    PushState.IN_SYNC: "ok",
    PushState.QUEUED: "wait",
    PushState.SENDING: "wait",
    PushState.WAITING: "wait",
    PushState.REFUSED: "bad",
    PushState.UNCERTAIN: "bad",
    PushState.CONFLICT: "bad",
}
MESSAGE_TONES: Mapping[str, Tone] = {
    Message.Status.DONE: "ok",
    Message.Status.QUEUED: "wait",
    Message.Status.SENDING: "wait",
    Message.Status.WAITING: "wait",
    Message.Status.REFUSED: "bad",
    Message.Status.UNCERTAIN: "bad",
    Message.Status.CONFLICT: "bad",
}


def push_pill(row: Pushable) -> SafeString:
    """How a row stands beside Edu-iX."""
    return pill(PUSH_TONES.get(row.push_state, "idle"), row.get_push_state_display())


def quiet_words(row: Pushable) -> str:
    """What to say about a row that nothing is the matter with."""
    match row.push_state:
        case PushState.IN_SYNC if row.push_changed_at is not None:
            day = date_format(timezone.localtime(row.push_changed_at), "j F Y")
            return _("Equal to Edu-iX since %(day)s") % {"day": day}
        case PushState.LOCAL_ONLY:
            return _("Push it when it is complete.")
        case PushState.CHANGED:
            return _("Changed since the last push: push it again.")
        case PushState.QUEUED | PushState.SENDING:
            return _("It goes by itself.")
    return ""


def message_pill(message: Message) -> SafeString:
    """How a message stands."""
    return pill(MESSAGE_TONES.get(message.status, "idle"), message.get_status_display())


def answer_of(row: Pushable) -> Explanation | None:
    """The explanation of what stands between this row and Edu-iX; None when nothing does."""
    if row.push_state == PushState.REFUSED and row.push_code is not None:
        return explain(row.push_code)
    if row.push_state in (PushState.REFUSED, PushState.CONFLICT, PushState.UNCERTAIN):
        return explain(f"own:{PushState(row.push_state).value}")
    return None


# Rows that are the same thing on both sides; a wish (a return, a merge) is compared with nothing.
COMPARED = ("person", "schoolperson", "person_credit", "school_credit")


def compare_url(subject: str) -> str:
    """Where our row is laid beside that of Edu-iX; empty for what is not compared."""
    kind, _colon, pk = subject.partition(":")
    return reverse("admin:compare", args=[kind, pk]) if kind in COMPARED else ""


def service_of(message: Message) -> str:
    """Which of the partner's services an operation belongs to: its codes are read with it."""
    return "credit" if "credit" in message.operation else "profile"


def explanation_of(message: Message) -> Explanation | None:
    """What the answer to a message means; None when there is nothing to explain."""
    if message.code is not None:
        return explain(message.code, service=service_of(message))
    if message.status in (Message.Status.CONFLICT, Message.Status.UNCERTAIN):
        return explain(f"own:{Message.Status(message.status).value}")
    return None


def no_answer_words(message: Message) -> str:
    """Why a tried message has no answer yet, as a title; its own text is for who mends programs."""
    return (explanation_of(message) or explain("own:unreachable")).title


@dataclass(frozen=True)
class Blocker:
    """The root cause that a waiting row waits for, and how many messages wait for it."""

    message: Message
    followers: int


def blockers_of(subjects: Iterable[str]) -> dict[str, Blocker]:
    """What each waiting subject waits for; two queries, however many subjects."""
    waiting = {
        message.subject: message.waits_for
        for message in Message.objects.filter(
            subject__in=list(subjects), status=Message.Status.WAITING, waits_for__isnull=False
        ).select_related("waits_for")
        if message.waits_for is not None
    }
    followers = followers_of({root.pk for root in waiting.values()})
    return {subject: Blocker(root, followers.get(root.pk, 0)) for subject, root in waiting.items()}


def followers_of(pks: Iterable[int]) -> dict[int, int]:
    """How many messages wait for each of these."""
    rows = (
        Message.objects.filter(waits_for__in=list(pks), status=Message.Status.WAITING)
        .order_by()
        .values_list("waits_for")
        .annotate(rows=Count("pk"))
    )
    return {int(pk): int(number) for pk, number in rows if pk is not None}


def waiting_words(number: int) -> str:
    """`3 messages wait for this`; empty when none does."""
    if not number:
        return ""
    return with_number(
        ngettext("%d message waits for this", "%d messages wait for this", number), number
    )


def told_after_save(subject: str) -> str:
    """What happens next with a row that was just saved, in two sentences."""
    saved = _("Saved.")
    return f"{saved} {told_after_queue(subject)}"


def told_after_queue(subject: str) -> str:
    """What happens next with a row, in one sentence."""
    message = Message.objects.open().filter(subject=subject, operation__endswith=".push").first()
    if message is None:
        return _("Nothing goes to Edu-iX yet: push it when it is complete.")
    if message.status == Message.Status.WAITING:
        return _("It goes to Edu-iX by itself as soon as what it waits for is mended.")
    follow = _who_follows(message)
    if follow:
        return _("It goes to Edu-iX now, and after it by itself: %(rows)s.") % {"rows": follow}
    return _("It goes to Edu-iX now.")


def _who_follows(message: Message) -> str:
    """`1 school link and 3 credits`: what goes out behind this message in its chain."""
    kinds: dict[str, int] = {}
    queued = Message.objects.filter(
        chain=message.chain, status=Message.Status.QUEUED, position__gt=message.position
    )
    for subject in queued.values_list("subject", flat=True):
        kind = kind_of(subject)
        kinds[kind] = kinds.get(kind, 0) + 1
    words = [text for kind, number in kinds.items() if (text := counted(kind, number))]
    if len(words) > 1:
        return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}
    return "".join(words)
