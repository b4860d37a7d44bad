"""Writing changed rows many at a time, by the rule that saving one of them follows.

A row that was equal to Edu-iX becomes `changed`; one whose message is refused, or on its way with
older data, goes out again by itself. A queued message needs nothing: it reads the row when it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from backoffice.outbox.models import Message, Pushable, PushState, key_of, subject_pk

Row = TypeVar("Row", bound=Pushable)

_GOES_AGAIN: Final = (
    Message.Status.SENDING,
    Message.Status.UNCERTAIN,
    Message.Status.REFUSED,
    Message.Status.CONFLICT,
)


def save_changed(
    model: type[Row], changed: Mapping[Row, Iterable[str]], *, subject: str
) -> list[Row]:
    """Write the changed columns of each row; returns the rows whose message must go out again.

    `subject` is how messages name the model: "person" in "person:12".
    """
    if not changed:
        return []
    rows = {row.pk: row for row in changed}
    columns = sorted({column for columns in changed.values() for column in columns})
    model._default_manager.bulk_update(list(rows.values()), columns)
    model._default_manager.filter(pk__in=list(rows), push_state=PushState.IN_SYNC).update(
        push_state=PushState.CHANGED
    )
    subjects = [key_of(subject, pk) for pk in rows]
    open_messages = Message.objects.filter(
        operation=f"{subject}.push", subject__in=subjects, status__in=_GOES_AGAIN
    )
    return [rows[subject_pk(found)] for found in open_messages.values_list("subject", flat=True)]
