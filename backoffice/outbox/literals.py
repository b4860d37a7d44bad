"""A test on a status that a partial index serves on both databases.

SQLite proves that a query fits a partial index before it knows the parameters, so a list of them
fits none: a claim then reads the whole table for each message. Written out, the list is seen.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.db.models import CharField, Lookup

_WORD: Final = re.compile(r"[a-z_]+")


@CharField.register_lookup
class Among(Lookup[Any]):
    """`status__among=(…)`: like `in`, for words of our own, in the order of the index."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The words stand in the query itself: they come from the code, never from people."""
        sql, params = self.process_lhs(compiler, connection)
        words = [str(getattr(word, "value", word)) for word in self.rhs]
        if not words or not all(map(_WORD.fullmatch, words)):
            raise ValueError("only words of our own can be written out")
        listed = ", ".join(f"'{word}'" for word in words)
        return f"{sql} IN ({listed})", tuple(params)
