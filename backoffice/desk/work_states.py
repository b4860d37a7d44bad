"""Taking a work item, writing about it, and putting it off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.models import LONGEST_NOTE, WorkItemState, WorkNote
from backoffice.desk.work import WorkItem

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User

LONGEST_WAIT: Final = timedelta(days=92)  # three months, whichever they are
BATCH: Final = 500


class NotPossible(Exception):
    """What was asked cannot be done; the message says why, in the reader's language."""


class TakenByOther(NotPossible):
    """A colleague has it: taking it over is asked once more."""

    def __init__(self, state: WorkItemState) -> None:
        self.state = state
        super().__init__(
            _("%(who)s has this already. You can take it over.") % {"who": name_of(state.taken_by)}
        )


def name_of(user: User | None) -> str:
    """As colleagues call each other."""
    if user is None:
        return _("a colleague who left")
    return user.get_full_name() or user.get_username()


def state_of(key: str) -> WorkItemState | None:
    """What was agreed about one item."""
    rows = WorkItemState.objects.select_related("taken_by", "put_off_by")
    return rows.filter(key=key).first()


def take(*, key: str, user: AbstractBaseUser, now: datetime, over: int | None = None) -> None:
    """Take an item; of two colleagues at one moment the second is told who has it.

    `over` is the colleague from whom it is taken over: whoever pressed has seen that name. Raises
    `TakenByOther`.
    """
    WorkItemState.objects.get_or_create(key=key)
    rows = WorkItemState.objects.filter(key=key)
    if rows.filter(taken_by=user.pk).exists():
        return
    free = Q(taken_by=None)
    if over is not None:
        free |= Q(taken_by=over)
    if not rows.filter(free).update(taken_by=user.pk, taken_at=now):
        raise TakenByOther(rows.select_related("taken_by").get())


def release(*, key: str, user: AbstractBaseUser) -> None:
    """Give it back. Raises `NotPossible` when it is somebody else's by now."""
    rows = WorkItemState.objects.filter(key=key, taken_by=user.pk)
    if not rows.update(taken_by=None, taken_at=None):
        raise NotPossible(_("You did not have this item any more."))


def put_off(
    *, item: WorkItem, until: str, user: AbstractBaseUser, now: datetime, today: date
) -> date:
    """Let it wait until a day, or until something is added to it. Raises `NotPossible`."""
    day = _day(until, today)
    WorkItemState.objects.update_or_create(
        key=item.key,
        defaults={
            "put_off_until": day,
            "put_off_by": cast("User", user),
            "put_off_at": now,
            "rows": item.rows,
            "newest": item.newest,
            "max_pk": item.max_pk,
        },
    )
    return day


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise NotPossible(_("Choose the day on which it must come back.")) from None
    if day <= today:
        raise NotPossible(_("Choose a day after today: until then the item waits."))
    if day - today > LONGEST_WAIT:
        raise NotPossible(_("Choose a day within three months: what waits longer is forgotten."))
    return day


def bring_back(*, key: str) -> None:
    """Put it back in its list now."""
    WorkItemState.objects.filter(key=key).update(
        put_off_until=None, put_off_by=None, put_off_at=None
    )


def write_note(*, key: str, text: str, user: AbstractBaseUser, now: datetime) -> WorkNote:
    """Keep what a colleague wrote. Raises `NotPossible`."""
    words = " ".join(text.replace("\0", "").split())
    if not words:
        raise NotPossible(_("Write something first: the note is empty."))
    if len(words) > LONGEST_NOTE:
        raise NotPossible(
            _("The note is too long: %(number)s characters, and %(most)s fit.")
            % {"number": number_format(len(words)), "most": number_format(LONGEST_NOTE)}
        )
    return WorkNote.objects.create(
        key=key, text=words, written_by=cast("User", user), written_at=now
    )


# --- what a list shows --------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreed:
    """An item with what was agreed about it. `back` says why it is back, empty when it was not."""

    item: WorkItem
    state: WorkItemState | None = None
    back: str = ""
    is_put_off: bool = False

    @property
    def holder(self) -> str:
        """The name of who has it."""
        has_one = self.state is not None and self.state.taken_by_id is not None
        return name_of(self.state.taken_by) if self.state and has_one else ""

    def is_of(self, user: AbstractBaseUser) -> bool:
        """This colleague has taken it."""
        return self.state is not None and self.state.taken_by_id == user.pk


def agreed(
    items: Iterable[WorkItem], *, today: date, everything: Callable[[], Iterable[WorkItem]]
) -> list[Agreed]:
    """Items with what was agreed about them, in their order; one query.

    What is put off is compared with the rows of all schools, whoever looks: `everything` gives
    those, and is only asked when something is put off.
    """
    rows = WorkItemState.objects.select_related("taken_by", "put_off_by")
    states = {state.key: state for state in rows}
    facts: dict[str, WorkItem] = {}
    if any(state.put_off_until is not None for state in states.values()):
        facts = {item.key: item for item in everything()}
    return [_agreed(item, states.get(item.key), facts, today) for item in items]


def _agreed(
    item: WorkItem, state: WorkItemState | None, facts: dict[str, WorkItem], today: date
) -> Agreed:
    if state is None or state.put_off_until is None:
        return Agreed(item, state)
    whole = facts.get(item.key, item)
    if state.has_news(rows=whole.rows, newest=whole.newest, max_pk=whole.max_pk):
        added = whole.rows - state.rows
        if added > 0:
            words = ngettext("is back: %s more", "is back: %s more", added) % number_format(added)
        else:
            words = _("is back: something has changed")
        return Agreed(item, state, back=words)
    if state.waits(today):
        return Agreed(item, state, is_put_off=True)
    return Agreed(item, state, back=_("is back: its day has come"))


def notes_of(keys: Iterable[str]) -> dict[str, list[WorkNote]]:
    """Notes of these items, newest first; one query."""
    found: dict[str, list[WorkNote]] = {}
    rows = WorkNote.objects.filter(key__in=list(keys)).select_related("written_by")
    for note in rows.order_by("-pk"):
        found.setdefault(note.key, []).append(note)
    return found


# --- forgetting ---------------------------------------------------------------------------------


def prune_agreements(*, keys: Iterable[str], before: datetime) -> int:
    """Forget what was agreed about items that are gone, and notes older than we may keep."""
    there = set(keys)
    gone = [pk for pk, key in WorkItemState.objects.values_list("pk", "key") if key not in there]
    for start in range(0, len(gone), BATCH):
        WorkItemState.objects.filter(pk__in=gone[start : start + BATCH]).delete()
    return len(gone) + WorkNote.objects.filter(written_at__lt=before).delete()[0]
