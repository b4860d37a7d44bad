"""New persons of a file who look like somebody that we hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from backoffice.jobs.models import JobRow
from backoffice.jobs.remarks import Remark
from backoffice.outbox.models import key_of
from persons.duplicate_models import folded
from persons.duplicates import KINDS, MOST_READ, Kind, key_in, sharing
from persons.models import Person


def hints_beside_us(rows: Sequence[JobRow]) -> Iterator[tuple[JobRow, Remark]]:
    """A hint for each new person of these rows who shares name and birth date, or an address.

    Two queries whatever the number of rows. The first look-alike is named; its page shows all.
    """
    new = [row for row in rows if row.result == JobRow.Result.CREATED and row.values.get("surname")]
    for kind, key, column in zip(
        KINDS, ("same_person_here", "same_email_here"), ("surname", "email"), strict=True
    ):
        by_key: dict[Any, list[JobRow]] = defaultdict(list)
        for row in new:
            if found := _key(kind, row):
                by_key[found].append(row)
        if by_key:
            yield from _hints(kind, key, column, by_key)


def _hints(
    kind: Kind, key: str, column: str, by_key: dict[Any, list[JobRow]]
) -> Iterator[tuple[JobRow, Remark]]:
    told: set[int] = set()
    for person in sharing(kind, by_key).order_by()[:MOST_READ]:
        for row in by_key.get(key_in(kind, person), ()):
            if person.distributor_person_id != row.group and row.number not in told:
                told.add(row.number)
                yield row, Remark("hint", key, column, params=_about(person))


def _about(person: Person) -> dict[str, Any]:
    return {
        "other": person.distributor_person_id,
        "name": person.full_name,
        "subject": key_of("person", person.pk),
    }


def _key(kind: Kind, row: JobRow) -> Any:
    """What the row would share with a person of ours; empty when it has nothing to share."""
    if kind == "email":
        return str(row.values.get("email", "")).lower()
    born = row.values.get("date_of_birth")
    if not born:
        return None
    names = (str(row.values.get(name, "")) for name in ("first_name", "preposition", "surname"))
    return folded(*names), date.fromisoformat(born)
