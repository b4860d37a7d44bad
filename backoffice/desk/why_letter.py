"""The answer for the school: one paragraph of plain Dutch, about this person and nobody else."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from backoffice.desk.why import Look
from credits.access_words import Answer, answer_on, book_words
from credits.columns import day_words

# What the school may expect, by who must act.
NEXT: Final[dict[str, str | Promise]] = {
    "wij": gettext_lazy("We mend this; you need not do anything."),
    "uitgever": gettext_lazy("The publisher must act. We pass it on; you need not do anything."),
    "Edu-iX": gettext_lazy("Edu-iX must act. We keep an eye on it; you need not do anything."),
    "leverancier": gettext_lazy("Our supplier mends this; you need not do anything."),
    "niemand": gettext_lazy("Nobody needs to do anything."),
}
# Causes in which the details are nobody's business but ours, or name somebody else.
PLAIN: Final[dict[str, str | Promise]] = {
    "duplicate_holds_it": gettext_lazy("we have this person twice, and the book hangs elsewhere"),
    "login_refused": gettext_lazy("our connection with Edu-iX does not work at the moment"),
    "worker_gone": gettext_lazy("our own sending stands still at the moment"),
    "sending_stuck": gettext_lazy("our message about this was held up"),
    "publisher_fault": gettext_lazy("the publisher has refused the licence"),
    "publisher_fault_unknown": gettext_lazy("the publisher has refused the licence"),
    "waits_for_refused": gettext_lazy("we must mend something else about this person first"),
}
ASKED: Final[dict[str, str | Promise]] = {
    "prematch_never": gettext_lazy(
        "Would you link this person in your portal (the prematch)? After that it goes by itself, "
        "usually within a day."
    ),
    "prematch_undone": gettext_lazy(
        "Would you link this person in your portal again? After that it goes by itself, usually "
        "within a day."
    ),
}


def letter_of(look: Look, *, day: date) -> str:
    """The paragraph, in Dutch whatever the language of the screen.

    No number of ours, no code, and nothing about anybody else.
    """
    with override("nl"):
        dutch = answer_on(look.book, look.verdict, day=day)
        return " ".join([_about(look), _what(look, dutch), _then(look, dutch)])


def _about(look: Look) -> str:
    place = look.book.place
    number = place.school_student_number if place is not None else ""
    named = {"who": look.book.person.full_name, "number": number}
    if number:
        return _("About %(who)s (student number %(number)s):") % named
    return _("About %(who)s:") % named


def _what(look: Look, answer: Answer) -> str:
    if look.verdict.is_fine:
        credit = look.book.credit
        at = credit.specification_changed_at if credit is not None else None
        named = {"book": book_words(look.book)}
        if at is None:
            return _("with us and at Edu-iX all is in order for %(book)s.") % named
        day = day_words(at)
        return _(
            "the publisher has had the licence for %(book)s ready since %(day)s, and all is in "
            "order with us and at Edu-iX."
        ) % {"day": day, **named}
    return f"{PLAIN.get(look.verdict.key, answer.cause)}."


def _then(look: Look, answer: Answer) -> str:
    if look.verdict.is_fine:
        return _(
            "Log out of the portal and in again, and open the book from there. Does it still fail? "
            "Then pass this on to the supplier of the portal or to the publisher."
        )
    words = ask_of_school(look.verdict.key, answer)
    if look.verdict.key in ASKED:
        return words
    if answer.owner != "school":
        words = str(NEXT.get(answer.owner, ""))
    return f"{words} {capfirst(answer.when)}." if answer.clears_itself else words


def ask_of_school(key: str, answer: Answer) -> str:
    """What the school is asked to do about a verdict; empty where it need not do anything."""
    if key in ASKED:
        return str(ASKED[key])
    explanation = answer.explanation
    is_theirs = answer.owner == "school" and explanation is not None
    return " ".join(explanation.steps) if is_theirs and explanation is not None else ""
