"""The stable name of a work item: what is wrong, with what it is about.

A key says nothing about the rows it stands for now, so that whoever takes an item, writes a note or
presses its button tomorrow means the same thing. It also stands in addresses: no personal data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import quote, unquote

from django.db.models import CharField, F, Func, Q

from backoffice.outbox.models import PushState
from notifications.models import Notification

LONGEST: Final = 200
KINDS: Final = (
    "person",
    "schoolperson",
    "person_change",
    "person_credit",
    "school_credit",
    "credit_return",
)
UNSENT: Final = (PushState.LOCAL_ONLY, PushState.CHANGED)
VERDICTS: Final = (
    Notification.Verdict.UNMATCHED,
    Notification.Verdict.INVALID,
    Notification.Verdict.FAILED,
    Notification.Verdict.DEAD,
)


class UnknownKey(Exception):
    """No item can have this key."""


@dataclass(frozen=True)
class Key:
    """`refused:person:4967::2026-11-21 08` in parts; an unknown code or hour is empty."""

    family: str
    parts: tuple[str, ...] = ()

    SEPARATOR: ClassVar[str] = ":"

    def __str__(self) -> str:
        parts = (quote(part, safe="") for part in self.parts)
        return self.SEPARATOR.join((self.family, *parts))

    def part(self, name: str) -> str:
        """One part by its name, e.g. "ean"; empty where this family has none."""
        names = FAMILIES[self.family]
        return self.parts[names.index(name)] if name in names else ""

    @property
    def code(self) -> int | None:
        """The code, without a sign."""
        text = self.part("code")
        return int(text) if text else None

    @property
    def school(self) -> int | None:
        """The key of the school; None where rows have no school."""
        text = self.part("school")
        return int(text) if text else None


# Each family of causes with what tells its items apart.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "refused": ("kind", "code", "ean", "hour"),
    "conflict": ("kind",),
    "fault": ("code", "ean", "hour"),
    "prematch": ("school",),
    "unsent": ("state", "school"),
    "publisher": ("ean",),
    "silent": ("ean",),
    "uncertain": (),
    "sending": (),
    "stuck": (),
    "unreachable": (),
    "login": (),
    "standstill": (),
    "held": (),
    "notification": ("verdict",),
}

_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "kind": KINDS.__contains__,
    "code": lambda text: not text or bool(re.fullmatch(r"-?[0-9]{1,18}", text)),
    "ean": lambda text: len(text) <= 30 and "\0" not in text,
    "hour": lambda text: not text or _hour(text) is not None,
    "school": lambda text: not text or bool(re.fullmatch(r"[0-9]{1,18}", text)),
    "state": UNSENT.__contains__,
    "verdict": VERDICTS.__contains__,
}


def key_for(family: str, **parts: object) -> Key:
    """The key of an item; a part that is not given, or None, is empty."""
    values = (parts.get(name) for name in FAMILIES[family])
    return Key(family, tuple("" if value is None else str(value) for value in values))


def read_key(text: str) -> Key:
    """The key that somebody's address or form holds. Raises `UnknownKey`."""
    family, *quoted = text.split(Key.SEPARATOR)
    names = FAMILIES.get(family)
    if names is None or len(quoted) != len(names) or len(text) > LONGEST:
        raise UnknownKey(text[:LONGEST])
    parts = tuple(unquote(part) for part in quoted)
    if not all(_CHECKS[name](part) for name, part in zip(names, parts, strict=True)):
        raise UnknownKey(text)
    key = Key(family, parts)
    if str(key) != text:  # one item has one key
        raise UnknownKey(text)
    return key


# --- hours --------------------------------------------------------------------------------------


class HourOf(Func):
    """A moment as `2026-11-21 08` in UTC.

    Not `TruncHour`: SQLite asks Python for each row then, and this groups a hundred thousand.
    """

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="substr(%(expressions)s, 1, 13)", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "to_char(%(expressions)s at time zone 'UTC', 'YYYY-MM-DD HH24')"
        return self.as_sql(compiler, connection, template=template, **context)


def hour_words(moment: datetime) -> str:
    """The same for one moment."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H")


def in_hour(column: str, hour: str) -> Q:
    """Rows whose moment lies in this hour; in no hour when it is empty."""
    start = _hour(hour) if hour else None
    if start is None:
        return Q(**{f"{column}__isnull": True})
    return Q(**{f"{column}__gte": start, f"{column}__lt": start + timedelta(hours=1)})


def hour_of(column: str) -> HourOf:
    """For grouping rows by the hour of a column."""
    return HourOf(F(column))


def _hour(text: str) -> datetime | None:
    try:
        found = datetime.strptime(text, "%Y-%m-%d %H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if hour_words(found) == text else None
