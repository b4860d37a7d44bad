"""The verdict on access in one sentence for a colleague: what, what to do, who, and when.

Every sentence names the person and the book. Nobody's gender is guessed, and a teacher is no
pupil: people are named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from backoffice.explanations import texts
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain, language
from backoffice.screens.search import spaced_ean
from credits.access import Verdict
from credits.access_facts import Book
from credits.access_next import Next, next_of
from credits.columns import day_words

Words = tuple[str | Promise, str | Promise]

# What is the matter, and what to do. `who`, `book`, `school`, `day`, `twin`, `year`, `why`.
SENTENCES: Final[dict[str, Words]] = {
    "person_not_sent": (
        gettext_lazy(
            "%(who)s cannot open %(book)s yet: this person is not at Edu-iX as we have it"
        ),
        gettext_lazy("send the person, and all that waits goes along by itself"),
    ),
    "person_refused": (
        gettext_lazy(
            "%(who)s cannot open %(book)s because Edu-iX has refused the person (%(why)s)"
        ),
        gettext_lazy("mend that one thing, and the rest goes by itself"),
    ),
    "person_differs": (
        gettext_lazy("%(who)s cannot open %(book)s because Edu-iX holds other data of this person"),
        gettext_lazy("compare both and choose which are right"),
    ),
    "person_deleted": (
        gettext_lazy("%(who)s cannot open %(book)s because this person was deleted at Edu-iX"),
        gettext_lazy("look in the history why, and make the person anew if that was a mistake"),
    ),
    "person_blocked": (
        gettext_lazy("%(who)s cannot open %(book)s because we have blocked this person"),
        gettext_lazy("set the state to active and send the person again"),
    ),
    "duplicate_holds_it": (
        gettext_lazy("%(who)s cannot open %(book)s because the book hangs on a second account"),
        gettext_lazy("merge the two accounts, and the credits move along"),
    ),
    "school_person_missing": (
        gettext_lazy("%(who)s cannot open %(book)s because no school is linked to this person"),
        gettext_lazy("add the school and send it"),
    ),
    "at_another_school": (
        gettext_lazy("%(who)s cannot open %(book)s because it hangs on another school (%(place)s)"),
        gettext_lazy("give the book at %(school)s"),
    ),
    "school_person_not_sent": (
        gettext_lazy(
            "%(who)s cannot open %(book)s yet: Edu-iX does not know the place at %(school)s"
        ),
        gettext_lazy("send the school of this person"),
    ),
    "school_person_refused": (
        gettext_lazy(
            "%(who)s cannot open %(book)s because Edu-iX has refused the school (%(why)s)"
        ),
        gettext_lazy("mend that one thing, and the rest goes by itself"),
    ),
    "school_person_differs": (
        gettext_lazy(
            "%(who)s cannot open %(book)s because Edu-iX holds another place at the school"
        ),
        gettext_lazy("compare both and choose which is right"),
    ),
    "school_person_deleted": (
        gettext_lazy("%(who)s cannot open %(book)s because the school was deleted at Edu-iX"),
        gettext_lazy("look in the history why, and add the school anew if that was a mistake"),
    ),
    "prematch_never": (
        gettext_lazy("%(who)s cannot open %(book)s because %(school)s has not made the link yet"),
        gettext_lazy(
            "ask the school for the prematch in its portal, and after that it goes by itself"
        ),
    ),
    "prematch_undone": (
        gettext_lazy("%(who)s cannot open %(book)s because the link was undone on %(day)s"),
        gettext_lazy("ask %(school)s to make the link again, and after that it goes by itself"),
    ),
    "credit_missing": (
        gettext_lazy("%(who)s cannot open %(book)s because there is no credit for it"),
        gettext_lazy("check the order and make the credit"),
    ),
    "school_credit_empty": (
        gettext_lazy("%(who)s cannot open %(book)s because %(school)s has no licences left"),
        gettext_lazy("ask the school how many it needs and raise the amount"),
    ),
    "credit_returned": (
        gettext_lazy("%(who)s cannot open %(book)s because the credit was given back"),
        gettext_lazy(
            "make a new credit when that was a mistake, because a returned one stays returned"
        ),
    ),
    "wrong_school_year": (
        gettext_lazy("%(who)s cannot open %(book)s because the credit is for school year %(year)s"),
        gettext_lazy("set the right school year and send the credit"),
    ),
    "credit_not_sent": (
        gettext_lazy("%(who)s cannot open %(book)s yet: the credit is not at Edu-iX as we have it"),
        gettext_lazy("send the credit"),
    ),
    "credit_refused": (
        gettext_lazy(
            "%(who)s cannot open %(book)s because Edu-iX has refused the credit (%(why)s)"
        ),
        gettext_lazy("mend that one thing, and the credit goes again by itself"),
    ),
    "credit_differs": (
        gettext_lazy(
            "%(who)s cannot open %(book)s because Edu-iX holds another credit by this number"
        ),
        gettext_lazy("compare both and choose which is right"),
    ),
    "credit_deleted": (
        gettext_lazy("%(who)s cannot open %(book)s because the credit was deleted at Edu-iX"),
        gettext_lazy("look in the history why, and make a new credit if that was a mistake"),
    ),
    "not_started": (
        gettext_lazy("%(who)s cannot open %(book)s yet because the credit starts on %(day)s"),
        gettext_lazy("wait, or let the credit start sooner"),
    ),
    "expired": (
        gettext_lazy("%(who)s cannot open %(book)s any more because the credit ended on %(day)s"),
        gettext_lazy("give the credit a later end date if the book is still needed"),
    ),
    "waiting_for_publisher": (
        gettext_lazy("%(who)s cannot open %(book)s yet because the publisher is preparing it"),
        gettext_lazy("wait for the answer, which comes here by itself"),
    ),
    "publisher_silent": (
        gettext_lazy("%(who)s cannot open %(book)s because the publisher does not answer"),
        gettext_lazy("send the credit again so that the publisher is asked anew"),
    ),
    "publisher_fault": (
        gettext_lazy("%(who)s cannot open %(book)s because the publisher has refused it (%(why)s)"),
        gettext_lazy("pass this on to the publisher and send the credit again once it is mended"),
    ),
    "publisher_fault_unknown": (
        gettext_lazy("%(who)s cannot open %(book)s because the publisher has refused it (%(why)s)"),
        gettext_lazy("ask the publisher what it means and write it down once, for everybody"),
    ),
    "waits_for_refused": (
        gettext_lazy("%(who)s cannot open %(book)s because something else must be mended first"),
        gettext_lazy("open the cause and mend that, and the rest goes by itself"),
    ),
    "login_refused": (
        gettext_lazy("%(who)s cannot open %(book)s because Edu-iX refuses our login"),
        gettext_lazy("have the login checked and let sending go on, and all that waits goes along"),
    ),
    "worker_gone": (
        gettext_lazy("%(who)s cannot open %(book)s because our own sending stands still"),
        gettext_lazy("ask the functional administrator to start the sender, and the rest follows"),
    ),
    "eduix_unreachable": (
        gettext_lazy("%(who)s cannot open %(book)s because Edu-iX cannot be reached"),
        gettext_lazy("wait, because everything goes by itself once Edu-iX is back"),
    ),
    "sending_stuck": (
        gettext_lazy("%(who)s cannot open %(book)s because our own message hangs"),
        gettext_lazy("send it now"),
    ),
    "sending": (
        gettext_lazy("%(who)s cannot open %(book)s yet because it is on its way to Edu-iX"),
        gettext_lazy("wait a moment, because it goes by itself"),
    ),
    "all_fine": (
        gettext_lazy("%(who)s can open %(book)s: all is in order with us and at Edu-iX"),
        gettext_lazy(
            "if it still fails, the portal or the publisher is the cause: send this proof"
        ),
    ),
}


# The verdict as a pill: a word or two.
SHORT: Final[dict[str, str | Promise]] = {
    "person_not_sent": gettext_lazy("Person not sent"),
    "person_refused": gettext_lazy("Person refused"),
    "person_differs": gettext_lazy("Person differs"),
    "person_deleted": gettext_lazy("Person deleted"),
    "person_blocked": gettext_lazy("Person blocked"),
    "duplicate_holds_it": gettext_lazy("On a second account"),
    "school_person_missing": gettext_lazy("No school"),
    "at_another_school": gettext_lazy("At another school"),
    "school_person_not_sent": gettext_lazy("School not sent"),
    "school_person_refused": gettext_lazy("School refused"),
    "school_person_differs": gettext_lazy("School differs"),
    "school_person_deleted": gettext_lazy("School deleted"),
    "prematch_never": gettext_lazy("Not linked"),
    "prematch_undone": gettext_lazy("Link undone"),
    "credit_missing": gettext_lazy("No credit"),
    "school_credit_empty": gettext_lazy("No licences left"),
    "credit_returned": gettext_lazy("Given back"),
    "wrong_school_year": gettext_lazy("Wrong school year"),
    "credit_not_sent": gettext_lazy("Credit not sent"),
    "credit_refused": gettext_lazy("Credit refused"),
    "credit_differs": gettext_lazy("Credit differs"),
    "credit_deleted": gettext_lazy("Credit deleted"),
    "not_started": gettext_lazy("Not started"),
    "expired": gettext_lazy("Expired"),
    "waiting_for_publisher": gettext_lazy("At the publisher"),
    "publisher_silent": gettext_lazy("Publisher silent"),
    "publisher_fault": gettext_lazy("Refused by publisher"),
    "publisher_fault_unknown": gettext_lazy("Unknown code of publisher"),
    "waits_for_refused": gettext_lazy("Waits for another"),
    "login_refused": gettext_lazy("Login refused"),
    "worker_gone": gettext_lazy("Sending stands still"),
    "eduix_unreachable": gettext_lazy("Edu-iX unreachable"),
    "sending_stuck": gettext_lazy("Hangs in our queue"),
    "sending": gettext_lazy("Being sent"),
    "all_fine": gettext_lazy("In order"),
}


@dataclass(frozen=True)
class Answer:
    """A verdict as people read it, in the language of the screen.

    `cause` has no stop at its end, `todo` begins small: `sentence` joins them. `owner` is the word
    that is stored ("wij"), `owner_label` the one that is shown.
    """

    cause: str
    todo: str
    owner: str
    owner_label: str
    clears_itself: bool
    when: str
    action: str
    explanation: Explanation | None

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        return _("%(cause)s; %(todo)s.") % {"cause": self.cause, "todo": self.todo}

    @property
    def advice(self) -> str:
        """What to do, as a sentence of its own."""
        return f"{capfirst(self.todo)}."


def answer_on(book: Book, verdict: Verdict, *, day: date) -> Answer:
    """The verdict in words, with who must act and when it passes."""
    then = next_of(verdict, book.facts, day=day)
    explanation = explanation_of(book, verdict, then)
    owner, clears_itself = _who_acts(verdict, then, explanation)
    cause, todo = SENTENCES[verdict.key]
    named = names(book, verdict, explanation)
    return Answer(
        cause=str(cause) % named,
        todo=str(todo) % named,
        owner=owner,
        owner_label=texts.label("owners", owner, language(get_language())),
        clears_itself=clears_itself,
        when=when_words(verdict, explanation, clears_itself=clears_itself),
        action=then.action,
        explanation=explanation,
    )


def explanation_of(book: Book, verdict: Verdict, then: Next) -> Explanation | None:
    """The words of the code where there is one, else those of the verdict itself."""
    if verdict.key.startswith("publisher_fault") and book.fault is not None:
        return book.fault
    if verdict.code is not None and verdict.key != "publisher_fault":
        service = "credit" if verdict.key.startswith("credit") else "profile"
        return explain(verdict.code, service=service)
    return explain(then.explanation) if then.explanation else None


def who_acts(book: Book, verdict: Verdict, *, day: date) -> tuple[str, bool]:
    """Who must act, and whether it passes by itself: what lists need, without any words."""
    then = next_of(verdict, book.facts, day=day)
    explanation = explanation_of(book, verdict, then) if _brings_owner(verdict) else None
    return _who_acts(verdict, then, explanation)


def _who_acts(verdict: Verdict, then: Next, explanation: Explanation | None) -> tuple[str, bool]:
    """Exactly one owner: the code's own where it has one, else that of the verdict."""
    if explanation is None or not _brings_owner(verdict):
        return then.owner, then.clears_itself
    owner = explanation.owner if explanation.known else then.owner
    return owner, explanation.clears_itself


def _brings_owner(verdict: Verdict) -> bool:
    """A code of Edu-iX or of a publisher says itself who must act."""
    return verdict.code is not None and verdict.key != "publisher_fault_unknown"


def names(book: Book, verdict: Verdict, explanation: Explanation | None) -> dict[str, str]:
    """Everything that a sentence may name."""
    broken = verdict.broken
    place, credit = book.place, book.credit
    return {
        "who": book.person.full_name,
        "book": book_words(book),
        "school": book.school or _("the school"),
        "place": place.school.name if place else _("the school"),
        "day": day_words(broken.at) if broken is not None and broken.at is not None else "?",
        "year": credit.school_year_label if credit is not None else "",
        "why": in_sentence(explanation.title) if explanation is not None else "",
    }


def book_words(book: Book) -> str:
    """`“Getalwijs 2 vwo”`, the EAN where nobody gave a title, or `a book`."""
    if book.title:
        return _("“%(title)s”") % {"title": book.title}
    return spaced_ean(book.ean) if book.ean else _("a book")


def in_sentence(title: str) -> str:
    """A title between brackets: without a capital, unless it is a name such as Edu-iX."""
    first = title.split(" ", 1)[0]
    is_name = any(sign.isupper() for sign in first[1:])
    words = title if is_name else title[:1].lower() + title[1:]
    return words.rstrip(".")


def when_words(verdict: Verdict, explanation: Explanation | None, *, clears_itself: bool) -> str:
    """Whether and when it passes by itself."""
    if verdict.is_fine:
        return _("Is in order already")
    if verdict.key == "not_started" and verdict.broken is not None:
        start = verdict.broken.at
        if isinstance(start, date):
            return _("Clears by itself on %(day)s") % {"day": day_words(start)}
    if explanation is not None and explanation.when:
        return explanation.when
    return _("Clears by itself") if clears_itself else _("Does not clear by itself")


def today_or(day: date) -> str:
    """`today, 21 August 2026`, or only the day."""
    words = date_format(day, "j F Y")
    return _("today, %(day)s") % {"day": words} if day == timezone.localdate() else words
