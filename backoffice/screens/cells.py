"""Cells of lists: two-line cells, pills, and an explanation beside the status it belongs to.

Everything is built with `format_html`: names, answers and explanations are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.explanations.explanation import Explanation

Tone = Literal["ok", "wait", "bad", "idle"]


def pill(tone: Tone, word: object) -> SafeString:
    """A status: its colour, its sign (from the style sheet) and always a word."""
    return format_html('<span class="pill {}">{}</span>', tone, word)


def link(url: str, text: object) -> SafeString:
    """A link, or plain text where there is nowhere to go."""
    return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)


def two_lines(first: object, second: object = "") -> SafeString:
    """What it is, and under it the key."""
    if not second:
        return format_html("{}", first)
    return format_html('{}<div class="sub">{}</div>', first, second)


def dotted(parts: Iterable[object]) -> SafeString:
    """`Us · code 4967 · 3 credits wait for this`; empty parts are left out."""
    return format_html_join(" · ", "{}", ((part,) for part in parts if part))


def first_sentence(text: str) -> str:
    """Enough for a list; the page behind the row holds the whole text."""
    head, stop, rest = text.partition(". ")
    return f"{head}." if stop and rest else text


@dataclass(frozen=True)
class Problem:
    """What a list says beside a status: what is wrong, why, the next step, who must act.

    `notes` are the small words at the end: a code, since when, how many wait for this.
    """

    title: str
    cause: str = ""
    url: str = ""
    url_text: str = ""
    owner: str = ""
    notes: tuple[str, ...] = ()


def problem_of(
    explanation: Explanation,
    *,
    url: str = "",
    url_text: object = "",
    notes: Iterable[object] = (),
) -> Problem:
    """An explanation made short for a list."""
    extra = [str(note) for note in notes if note]
    if explanation.clears_itself:
        extra.append(str(_("clears by itself")))
    return Problem(
        title=explanation.title,
        cause=first_sentence(explanation.cause),
        url=url,
        url_text=str(url_text),
        owner=capfirst(explanation.owner_label),
        notes=tuple(extra),
    )


def problem_cell(problem: Problem) -> SafeString:
    """The cell "what is the matter, and what to do"."""
    next_step = format_html(" {}", link(problem.url, problem.url_text)) if problem.url else ""
    return format_html(
        '<div class="why"><b>{}</b> {}{}<div class="owner">{}</div></div>',
        problem.title if problem.title.endswith((".", "!", "?")) else f"{problem.title}.",
        problem.cause,
        next_step,
        dotted([problem.owner, *problem.notes]),
    )


def quiet_cell(text: object) -> SafeString:
    """The same cell for a row that is fine."""
    return format_html('<div class="why"><span class="sub">{}</span></div>', text)
