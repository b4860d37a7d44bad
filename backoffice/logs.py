"""Log lines as JSON: one event word with fields, in UTC, without names or envelopes."""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeAlias

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class JsonFormatter(logging.Formatter):
    """One JSON object per line; control characters are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        fields.pop("request", None)  # Django hands over the whole request, with its cookies
        line |= fields
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=True)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  the name is logging's
        """The types and frames of the whole chain, the cause first.

        Never what an exception says: a database names the row it refuses, with the person in it.
        Never a line of source either: it may not be the one that ran.
        """
        return "\n".join(_chain(ei[1], set())) if ei[1] is not None else ""


def _chain(problem: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(problem))
    earlier, words = problem.__cause__, "the cause of:"
    if earlier is None and not problem.__suppress_context__:
        earlier, words = problem.__context__, "while it was handled:"
    if earlier is not None and id(earlier) not in seen:
        yield from _chain(earlier, seen)
        yield words
    yield f"{type(problem).__module__}.{type(problem).__qualname__}"
    for frame, line in traceback.walk_tb(problem.__traceback__):
        yield f"  {frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
    if isinstance(problem, BaseExceptionGroup):
        for part in problem.exceptions:
            if id(part) not in seen:
                yield "one of the group:"
                yield from _chain(part, seen)
