"""What a colleague decides when our row and that of Edu-iX differ, done wholly or not at all.

Each function locks the chain, looks again whether the facts are still those the colleague saw
(`Stale` when not), and writes rows, history and messages in one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.desk.comparison import Comparison, as_json, compare, with_theirs
from backoffice.desk.mirrors import MIRRORS, Mirror, below
from backoffice.outbox.again import take_back
from backoffice.outbox.by_hand import settled_by_hand
from backoffice.outbox.models import Held, Message, Pushable, PushState, key_of
from backoffice.outbox.services import lock_chain
from credits.comparing import TOLD
from credits.models import PersonCredit, SchoolCredit
from credits.services import refresh_statuses

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class Stale(Exception):
    """Something changed since the page was shown: look again."""


class CannotDecide(Exception):
    """What was chosen cannot be done; the lines say why."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(" ".join(lines))
        self.lines = lines


def choose(
    *,
    kind: str,
    pk: int,
    token: str,
    take: set[str],
    reason: str,
    user: AbstractBaseUser,
) -> bool:
    """Take these columns over from Edu-iX and push the rest; True when something is pushed.

    Raises `Stale`, and `CannotDecide` when our rules refuse what was chosen.
    """
    with transaction.atomic():
        found = _look_again(kind, pk, token)
        if found.state != "differs":
            raise Stale
        _need_reason(reason)
        blocked = [line.why_not for line in found.lines if line.why_not and line.column in take]
        if blocked:
            raise CannotDecide(blocked)
        with_theirs(found, take & set(found.columns))
        _need_valid(found)
        left = _left(found)
        row, mirror = found.row, found.mirror
        is_changed = bool(row.changed_fields())
        _remember(row, reason, user, is_changed=is_changed)
        if not left:
            settled_by_hand(operation=mirror.operation, subject=found.subject)
            mirror.save(row, user, push=False)
            settled_by_hand(operation=mirror.operation, subject=found.subject)
            return False
        # Edu-iX has this row, whoever put it there: from now on it is ours to change.
        mirror.model._default_manager.filter(pk=row.pk, registered_at=None).update(
            registered_at=timezone.now()
        )
        mirror.save(row, user, push=True)
    return True


def create_again(*, kind: str, pk: int, token: str, reason: str, user: AbstractBaseUser) -> int:
    """Make a row that is gone at Edu-iX there anew, with what is gone below it.

    Returns how many rows go. A credit that was given back stays gone.
    """
    with transaction.atomic():
        found = _look_again(kind, pk, token)
        if found.state != "gone":
            raise Stale
        _need_reason(reason)
        rows: list[tuple[Mirror, Any]] = [(found.mirror, found.row), *gone_below(found)]
        for mirror, row in rows:
            _refuse_busy(mirror, row)
            mirror.model._default_manager.filter(pk=row.pk).update(
                registered_at=None,
                push_state=PushState.LOCAL_ONLY,
                push_code=None,
                push_text="",
                push_changed_at=timezone.now(),
            )
            _remember(row, reason, user, is_changed=False)
        for mirror, row in rows:
            mirror.queue(mirror.rows().get(pk=row.pk), user)
    return len(rows)


def mark_deleted(*, kind: str, pk: int, token: str, reason: str, user: AbstractBaseUser) -> int:
    """A row that is gone at Edu-iX is gone with us too, with all below it; returns how many."""
    with transaction.atomic():
        found = _look_again(kind, pk, token)
        if found.state != "gone":
            raise Stale
        _need_reason(reason)
        rows = [*reversed(below(kind, found.row)), (found.mirror, found.row)]
        for mirror, row in rows:
            _give_up(mirror, row)
        now = timezone.now()
        for mirror, row in rows:
            mirror.model._default_manager.filter(pk=row.pk).update(
                push_state=PushState.DELETED, push_code=None, push_text="", push_changed_at=now
            )
            if isinstance(row, PersonCredit | SchoolCredit):
                refresh_statuses(type(row)._default_manager.filter(pk=row.pk))
            _remember(row, reason, user, is_changed=False)
    return len(rows)


def gone_below(found: Comparison) -> list[tuple[Mirror, Any]]:
    """What hangs under a missing row and is missing too, as far as Edu-iX was asked."""
    under = [
        (mirror, row)
        for mirror, row in below(found.mirror.kind, found.row)
        if row.registered_at is not None
        and getattr(row, "person_product_state", "") != PersonCredit.ProductState.RETURNED
    ]
    subjects = [key_of(mirror.kind, row.pk) for mirror, row in under]
    gone = set(
        Held.objects.filter(subject__in=subjects, is_there=False).values_list("subject", flat=True)
    )
    return [(mirror, row) for mirror, row in under if key_of(mirror.kind, row.pk) in gone]


def _look_again(kind: str, pk: int, token: str) -> Comparison:
    """The row under its lock, as the colleague saw it. Raises `Stale`."""
    mirror = MIRRORS[kind]
    row = mirror.rows().filter(pk=pk).first()
    if row is None:
        raise Stale
    lock_chain(mirror.chain(row))
    row = mirror.rows().filter(pk=pk).first()
    if row is None:
        raise Stale
    found = compare(mirror, row)
    if found.token != token or not found.may_choose:
        raise Stale
    return found


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise CannotDecide([_("Give the reason; it stands in the history.")])


def _need_valid(found: Comparison) -> None:
    """Our own rules, which are the partner's: what they refuse is not taken over."""
    try:
        found.row.full_clean()
    except ValidationError as problem:
        lines = []
        for name, errors in problem.message_dict.items():
            label = next((one.label for one in found.lines if one.column == name), "")
            if not label and name != "__all__":
                label = str(found.row._meta.get_field(name).verbose_name)
            lines += [f"{label}: {error}" if label else str(error) for error in errors]
        raise CannotDecide(lines) from problem


def _left(found: Comparison) -> list[str]:
    """The columns in which our row still differs, as it stands now."""
    ours = as_json(found.mirror.record(found.row).pushed())
    theirs = found.held.values if found.held is not None else {}
    return [name for name in ours if name not in TOLD and ours[name] != theirs.get(name)]


def _remember(row: Pushable, reason: str, user: AbstractBaseUser, *, is_changed: bool) -> None:
    """The reason stands in the history, also when no field of ours changes."""
    row._change_reason = reason  # type: ignore[attr-defined]  # simple_history reads it
    row._history_user = user  # type: ignore[attr-defined]
    if not is_changed:
        history: Any = type(row).history  # type: ignore[attr-defined]
        history.bulk_history_create(
            [row], update=True, default_change_reason=reason, default_user=user
        )


def _refuse_busy(mirror: Mirror, row: Any) -> None:
    busy = Message.objects.active().filter(
        subject=key_of(mirror.kind, row.pk), operation=mirror.operation
    )
    if busy.exists():
        raise CannotDecide([_("A message about this is under way: wait until it is finished.")])


def _give_up(mirror: Mirror, row: Any) -> None:
    """Take back what would still be sent about a row that is to go."""
    messages = Message.objects.open().filter(
        subject=key_of(mirror.kind, row.pk), operation=mirror.operation
    )
    for message in messages:
        if not take_back(message=message):
            raise CannotDecide([_("A message about this is under way: wait until it is finished.")])
