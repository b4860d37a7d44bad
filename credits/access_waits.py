"""How long publishers usually take, from their newest answers."""

from __future__ import annotations

import statistics
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from credits.models import PersonCredit

EXPERIENCE: Final = 50  # answers of a publisher about a book that tell how long it usually takes
LEAST_EXPERIENCE: Final = 5
AT_ONCE: Final = 100  # books in one query; SQLite joins at most 500

# The newest answers about one book, where nothing but the publisher was waited for. A part for
# each book: a limit over all of them would let a popular book push a rare one out.
ANSWERS: Final = f"""
select * from (
  select credit.id, credit.ean, credit.push_changed_at, credit.specification_changed_at
  from credits_personcredit credit
  join persons_schoolperson place on place.id = credit.school_person_id
  join persons_person person on person.id = place.person_id
  where credit.ean = %s and credit.specification_changed_at > credit.push_changed_at
    and (person.user_id_changed_at is null
         or person.user_id_changed_at <= credit.push_changed_at)
  order by credit.id desc limit {EXPERIENCE}
) answers
"""  # noqa: S608  the only thing put in is a number of our own


def usual_waits(eans: Collection[str]) -> dict[str, timedelta]:
    """How long publishers usually take for these books; those without enough experience miss."""
    asked = sorted(eans)
    seconds: dict[str, list[float]] = {}
    for first in range(0, len(asked), AT_ONCE):
        part = asked[first : first + AT_ONCE]
        for row in PersonCredit.objects.raw(" union all ".join([ANSWERS] * len(part)), part):
            if row.push_changed_at is not None and row.specification_changed_at is not None:
                wait = row.specification_changed_at - row.push_changed_at
                seconds.setdefault(row.ean, []).append(wait.total_seconds())
    return {
        ean: timedelta(seconds=statistics.median(waits))
        for ean, waits in seconds.items()
        if len(waits) >= LEAST_EXPERIENCE
    }
