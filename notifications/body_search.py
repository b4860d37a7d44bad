"""Searching in the stored bodies: among the newest ones only, since no index can help there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from xml.sax.saxutils import escape

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, F, Func, IntegerField, Q, Value
from django.db.models.sql.compiler import SQLCompiler

from notifications.models import Notification

NEWEST: Final = 20_000
AGE: Final = timedelta(days=7)
SHORTEST: Final = 3
LONGEST: Final = 200
FOUND: Final = 500


class Position(Func):
    """Where bytes stand in bytes, counted from one; 0 when they do not."""

    function = "POSITION"
    arg_joiner = " IN "
    output_field = IntegerField()

    def __init__(self, needle: bytes, hay: F) -> None:
        super().__init__(Value(needle, output_field=BinaryField()), hay)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **more: Any
    ) -> tuple[str, Any]:
        """SQLite asks the other way round."""
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, function="INSTR", arg_joiner=", ", **more)


def with_text(text: str, now: datetime) -> list[int]:
    """The newest notifications whose body holds this, in this case; two queries.

    Bodies in another encoding than UTF-8 are not found, unless the text is plain ASCII that the
    encoding writes the same way.
    """
    if not SHORTEST <= len(text) <= LONGEST:
        return []
    rows = Notification.objects.order_by("-pk")
    oldest = rows.values_list("pk", flat=True)[NEWEST - 1 : NEWEST]
    among = rows.filter(received_at__gte=now - AGE)
    if bound := list(oldest):
        among = among.filter(pk__gte=bound[0])
    held = Q()
    for number, form in enumerate(dict.fromkeys((text, escape(text)))):
        name = f"at_{number}"
        among = among.alias(**{name: Position(form.encode(), F("raw"))})
        held |= Q(**{f"{name}__gt": 0})
    return list(among.filter(held).values_list("pk", flat=True)[:FOUND])
