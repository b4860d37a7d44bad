"""From a message or a code of Edu-iX to the form, and the field, that mends it.

Each app tells here which page belongs to its rows, so that the outbox can link to rows of apps it
does not import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from backoffice.eduix.codes import BLOCK, INCORRECT_REQUEST
from backoffice.eduix.rules import RULES, Rule, rules_of

_RULE_BY_BASE = {rule.base: rule for rule in RULES}


@dataclass(frozen=True)
class Page:
    """The form of one kind of row.

    `url` takes what stands behind the colon of `person:12`; `counted` says a number of them in
    words ("3 credits"); `rules` is its object in the rule table; `fields` names the form field of a
    column where the two differ, e.g. `organisation_id` is chosen as `school`.
    """

    url: Callable[[str], str]
    counted: Callable[[int], str]
    rules: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


_pages: dict[str, Page] = {}


def register_page(kind: str, page: Page) -> None:
    """Tell which form belongs to subjects of this kind (`person` in `person:12`)."""
    _pages[kind] = page


def kind_of(subject: str) -> str:
    """`person` of `person:12`."""
    return subject.partition(":")[0]


def field_of(kind: str, code: int | None, text: str = "") -> str:
    """The form field that a code of Edu-iX is about; empty when it is about none.

    A field code is base + kind, so its base names the field. General code 6 has no field: then the
    answer's own text usually names it.
    """
    page = _pages.get(kind)
    if page is None or code is None or not page.rules:
        return ""
    number = abs(code)
    rule = _RULE_BY_BASE.get(number - number % BLOCK)
    if number == INCORRECT_REQUEST:
        rule = _named_in(text, rules_of(page.rules))
    if rule is None:
        return ""
    return page.fields.get(rule.column, rule.column)


def _named_in(text: str, rules: tuple[Rule, ...]) -> Rule | None:
    """The rule whose field the text names as a whole word."""
    words = set(re.findall(r"\w+", text))
    return next((rule for rule in rules if rule.field in words), None)


def url_of(subject: str, *, code: int | None = None, text: str = "") -> str:
    """Where the row behind `person:12` is mended; with a code: at the field. Empty if nowhere."""
    kind, _colon, key = subject.partition(":")
    page = _pages.get(kind)
    if page is None:
        return ""
    name = field_of(kind, code, text)
    return f"{page.url(key)}#id_{name}" if name else page.url(key)


def counted(kind: str, number: int) -> str:
    """A number of rows in words: `3 credits`; empty for none and for an unknown kind."""
    page = _pages.get(kind)
    return page.counted(number) if page is not None and number else ""
