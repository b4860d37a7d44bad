"""What hangs on a person at a school, told by the apps that know.

Persons know nothing of credits; credits tell here what moves or goes along, and are told when the
person at a school is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Dependant:
    """One credit as the preview of a wizard shows it.

    `is_held` says that Edu-iX has it, or may have it; `is_ended` that it was given back.
    """

    subject: str  # e.g. "person_credit:12"
    school_person_id: int
    key: str
    title: str
    pill: SafeString
    url: str
    is_held: bool
    is_ended: bool
    end_url: str = ""

    @property
    def blocks_deletion(self) -> bool:
        """Edu-iX keeps a person with a credit that is in force."""
        return self.is_held and not self.is_ended


Finder = Callable[[Collection[int]], list[Dependant]]
Remover = Callable[[Collection[int], datetime], object]

_finders: list[Finder] = []
_removers: list[Remover] = []


def register_dependants(find: Finder, remove: Remover) -> None:
    """`find` lists what hangs on these persons at schools; `remove` marks it deleted."""
    if find not in _finders:
        _finders.append(find)
        _removers.append(remove)


def dependants_of(school_person_ids: Collection[int]) -> list[Dependant]:
    """Everything that hangs on these persons at schools and is not deleted."""
    return [found for find in _finders for found in find(school_person_ids)]


def remove_dependants(school_person_ids: Collection[int], now: datetime) -> None:
    """Mark all of it deleted; call it in the transaction of the change."""
    for remove in _removers:
        remove(school_person_ids, now)
