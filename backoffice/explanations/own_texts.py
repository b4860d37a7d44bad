"""What an organisation writes in place of a text that came with the program.

The texts are few and read often, so each process keeps them all. Whether they are still the newest
is asked once in a request, by its first explanation, and elsewhere at most every ten seconds: a
list of a thousand rows costs one small query.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final, Literal

from django.db import OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse

from backoffice.explanations import decode, texts
from backoffice.explanations.explanation import Explanation, meaning_and_causes
from backoffice.explanations.models import OwnText, UnknownCode
from backoffice.explanations.recognise import Reference, parse_reference

SECONDS: Final = 10.0
"""How long a process without requests, such as a worker, may tell an older text."""

Words = tuple[str, str, str]  # title, cause, remedy
Kept = Mapping[tuple[str, str], Words]  # by reference and language


@dataclasses.dataclass
class _Memory:
    """What this process holds. `asked_at` is on the monotonic clock; infinite: never ask."""

    kept: Kept = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    version: object = None
    asked_at: float = -SECONDS


_memory = _Memory()
_request: ContextVar[Literal["", "due", "done"]] = ContextVar("own_texts", default="")


class OwnTextsMiddleware:
    """Lets the first explanation of each request ask whether the texts have changed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set("due")
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def with_own_text(explanation: Explanation) -> Explanation:
    """The explanation in the organisation's own words, where it wrote them."""
    words = _current().get((reference_of(explanation), explanation.lang))
    if words is None:
        return explanation
    title, cause, remedy = words
    means, causes = meaning_and_causes(cause)
    return dataclasses.replace(
        explanation,
        title=title,
        cause=" ".join((means, *causes)),
        remedy=remedy,
        means=means,
        causes=causes,
        known=True,
        is_own=True,
        action="" if explanation.action == "write_explanation" else explanation.action,
    )


def reference_of(explanation: Explanation) -> str:
    """Under which reference its own text is kept: the sign of a code makes no difference."""
    if explanation.source == "eduix" and isinstance(explanation.code, int):
        return str(abs(explanation.code))
    return explanation.reference


def shipped(reference: str, lang: str) -> Explanation | None:
    """The text that came with the program; None where there can be none of our own either."""
    found = parse_reference(reference)
    if found is None or found.source == "publisher":
        return None
    explanation = _shipped(found, lang)
    if not explanation.known and found.source != "eduix":
        return None
    return explanation


def forget_unknown_number(reference: str) -> None:
    """Take a number of Edu-iX that has words now from the list of those that have none."""
    if reference.isdigit():
        waiting = UnknownCode.objects.filter(source=UnknownCode.Source.EDUIX)
        waiting.filter(code__in=(int(reference), -int(reference))).delete()


def forget_texts(*, ask: bool = True) -> None:
    """Start as a fresh process does; with `ask` False only requests ask for the texts."""
    _memory.kept, _memory.version = MappingProxyType({}), None
    _memory.asked_at = -SECONDS if ask else float("inf")


def _shipped(reference: Reference, lang: str) -> Explanation:
    code = reference.code
    if isinstance(code, str):
        return decode.explain_key(reference.source, code, lang)
    if reference.source == "coachview":
        return decode.explain_status(abs(code), lang)
    return decode.explain_eduix(abs(code), lang)


def _current() -> Kept:
    state = _request.get()
    if state == "due":
        _request.set("done")
        _ask()
    elif state == "" and time.monotonic() - _memory.asked_at >= SECONDS:
        _memory.asked_at = time.monotonic()
        _ask()
    return _memory.kept


def _ask() -> None:
    """Read all texts when somebody has changed one since; the history knows of deletions too."""
    newest = OwnText.history.order_by("-history_id").values_list("history_id", "history_date")
    try:
        version = newest.first()
        if version == _memory.version:
            return
        rows = list(OwnText.objects.all())
    except (OperationalError, ProgrammingError):
        return  # before the first migration: `manage.py explain` works without a database
    _memory.kept = MappingProxyType(
        {
            (row.reference, lang): words
            for row in rows
            for lang in texts.LANGUAGES
            if (words := row.words(lang)) is not None
        }
    )
    _memory.version = version
