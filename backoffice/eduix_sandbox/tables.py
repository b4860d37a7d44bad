"""Rows by key with indexes beside them, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar


class Keyed(Protocol):
    """Anything with a key."""

    @property
    def key(self) -> str: ...


R = TypeVar("R", bound=Keyed)


class Table(Generic[R]):
    """One kind of row; every change is told to `journal`, with the row that stood there before."""

    def __init__(
        self,
        kind: str,
        load: Callable[[Mapping[str, Any]], R],
        journal: list[tuple[Table[Any], str, Any]],
        **indexes: Callable[[R], str],
    ) -> None:
        self.kind = kind
        self.load = load
        self._journal = journal
        self._rows: dict[str, R] = {}
        self._indexes = indexes
        # Values of an index -> keys in order of arrival: a dict, because a set has no order.
        self._found: dict[str, dict[str, dict[str, None]]] = {name: {} for name in indexes}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def get(self, key: str) -> R | None:
        return self._rows.get(key)

    def find(self, index: str, value: str) -> list[R]:
        """Rows with this value in this index, oldest first; an empty value finds nothing."""
        keys = self._found[index].get(value, {}) if value else {}
        return [self._rows[key] for key in keys]

    def first(self, index: str, value: str) -> R | None:
        return next(iter(self.find(index, value)), None)

    def put(self, row: R) -> None:
        """Add the row, or replace the one with its key."""
        self._journal.append((self, row.key, self._rows.get(row.key)))
        self.restore(row.key, row)

    def remove(self, key: str) -> None:
        """Forget the row; `KeyError` when there is none."""
        self._journal.append((self, key, self._rows[key]))
        self.restore(key, None)

    def restore(self, key: str, row: R | None) -> None:
        """Put the row (or its absence) back without telling the journal."""
        old = self._rows.get(key)
        if old is not None:
            for name, value_of in self._indexes.items():
                value = value_of(old)
                if row is None or value_of(row) != value:
                    self._found[name].get(value, {}).pop(key, None)
        if row is None:
            self._rows.pop(key, None)
            return
        self._rows[key] = row
        for name, value_of in self._indexes.items():
            if value := value_of(row):
                self._found[name].setdefault(value, {})[key] = None
