"""Schools with their pupils and credits, as many as asked, made by the database itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, models
from django.utils import timezone

from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.access import SCHOOL_YEAR_STARTS, school_year_of
from credits.models import PersonCredit, Product
from persons.models import Person, School, SchoolPerson

BOOKS: Final = 8  # of each pupil
TITLES: Final = 400
PUPILS: Final = 600  # at a school
AT_ONCE: Final = 100_000  # rows of one statement


@dataclass(frozen=True)
class Town:
    """How many there are; the first school is of the asked size, the others share the rest."""

    persons: int
    first_school: int

    @property
    def schools(self) -> int:
        """At least one besides the first."""
        return 2 + self.persons // PUPILS

    @property
    def credits(self) -> int:
        """All of persons."""
        return self.persons * BOOKS

    def build(self) -> Iterator[int]:
        """Fill the empty tables of a migrated database; yields after each statement its rows.

        One pupil in twenty has no prematch, one in fifty is refused, one credit in forty waits
        for its publisher, one in fifty has a fault.
        """
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # the product's own limit is for pages
                cursor.execute("set statement_timeout = 0")
        now = timezone.now()
        ServiceState.objects.create(service=SERVICE, beat_at=now)
        sent = now - timedelta(days=9)
        for model, number, columns in (
            (School, self.schools, _schools()),
            (Product, TITLES, _products()),
            (Person, self.persons, _persons()),
            (SchoolPerson, self.persons, _places(self)),
            (PersonCredit, self.credits, _credits(now, sent)),
            (Message, self.persons // 4, _messages()),
        ):
            fixed = {"push_changed_at": sent, "registered_at": sent, "user_id_changed_at": sent}
            for first in range(1, number + 1, AT_ONCE):
                last = min(first + AT_ONCE - 1, number)
                yield _fill(model, first, last, columns, fixed)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("analyze")


def _fill(
    model: type[models.Model], first: int, last: int, columns: Mapping[str, str], fixed: Any
) -> int:
    """Rows `first` to `last`; a column is an expression in `i`, a fixed value or its default."""
    names: list[str] = []
    expressions: list[str] = []
    values: list[Any] = []
    for field in model._meta.concrete_fields:
        if isinstance(field, models.GeneratedField):
            continue
        if field.attname in columns:
            expressions.append(columns[field.attname].replace("%", "%%"))
        elif field.attname in fixed or not field.null:
            expressions.append("%s")
            values.append(fixed.get(field.attname, _default_of(field)))
        else:
            continue
        names.append(str(field.column))
    statement = (
        f"insert into {model._meta.db_table} ({', '.join(names)}) "  # noqa: S608  our own names
        f"with recursive n(i) as (select {first} union all select i + 1 from n where i < {last}) "
        f"select {', '.join(expressions)} from n"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    return last - first + 1


def _default_of(field: Any) -> Any:
    if isinstance(field, models.DateTimeField):
        return timezone.now()
    if isinstance(field, models.JSONField):
        return "{}"
    value = field.get_default()
    return "" if value is None else value


def _day_of(base: str, days: str) -> str:
    if connection.vendor == "postgresql":
        return f"date '{base}' + ({days})"
    return f"date('{base}', '+' || ({days}) || ' days')"


def _schools() -> dict[str, str]:
    return {"id": "i", "organisation_id": "'school-' || i", "name": "'School ' || i"}


def _products() -> dict[str, str]:
    return {"id": "i", "ean": "'9789' || (100000000 + i - 1)", "title": "'Titel ' || i"}


def _persons() -> dict[str, str]:
    return {
        "id": "i",
        "distributor_person_id": "'K' || i",
        "first_name": "'Naam' || (i % 5003)",
        "surname": "'Achternaam' || (i % 20011)",
        "date_of_birth": _day_of("2008-01-01", "i % 3000"),
        "email": "'pupil' || i || '@example.nl'",
        "user_id": "case when i % 20 = 0 then '' else 'user-' || i end",
        "push_state": "case when i % 50 = 1 then 'refused' else 'in_sync' end",
        "push_code": "case when i % 50 = 1 then -4967 end",
    }


def _places(town: Town) -> dict[str, str]:
    others = town.schools - 1
    return {
        "id": "i",
        "distributor_school_person_id": "'SP' || i",
        "person_id": "i",
        "school_id": f"case when i <= {town.first_school} then 1 else 2 + i % {others} end",
        "school_student_number": "'' || (200000 + i)",
        "push_state": f"'{PushState.IN_SYNC}'",
    }


def _credits(now: datetime, sent: datetime) -> dict[str, str]:
    today = timezone.localdate(now)
    year = today.year if today.month >= SCHOOL_YEAR_STARTS else today.year - 1
    told = f"'{(sent + timedelta(hours=1)).isoformat(sep=' ')}'"
    is_silent, is_faulty = "i % 40 = 3", "i % 50 = 7"
    if connection.vendor == "postgresql":
        told = f"timestamptz {told}"
    return {
        "id": "i",
        "distributor_person_credit_id": "'C' || i",
        "school_person_id": f"1 + (i - 1) / {BOOKS}",
        "ean": f"'9789' || (100000000 + ((i - 1) / {BOOKS} * 3 + i % {BOOKS} * 37) % {TITLES})",
        "credit_start_date": _day_of(f"{year}-08-01", "0"),
        "credit_end_date": _day_of(f"{year + 1}-07-31", "0"),
        "school_year": str(school_year_of(today)),
        "push_state": f"'{PushState.IN_SYNC}'",
        "status": f"case when {is_silent} then 'waiting_for_publisher' "
        f"when {is_faulty} then 'publisher_fault' else 'usable' end",
        "specification_state": f"case when {is_silent} then '' when {is_faulty} then 'Fault' "
        "else 'Specified' end",
        "specification_changed_at": f"case when {is_silent} then null else {told} end",
        "publisher_error_code": f"case when {is_faulty} then 117 end",
    }


def _messages() -> dict[str, str]:
    """What was sent in the past: rows that a look must not read."""
    return {
        "id": "i",
        "operation": "'person.push'",
        "subject": "'person:' || i",
        "chain": "'person:' || i",
        "label": "'K' || i",
        "status": f"'{Message.Status.DONE}'",
        "position": "i",
    }
