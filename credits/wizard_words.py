"""What the wizards tell before anything is done: who loses what, from when, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.outbox.models import Message, PushState
from backoffice.screens.numbers import grouped
from credits.columns import edit_url, status_url, title_of
from credits.long_numbers import is_never_told
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.returns import WHY_NOT, Told, WhyNot
from credits.services import AnyCredit, chain_of_credit


def whose(credit: AnyCredit) -> str:
    """The pupil, or the school."""
    if isinstance(credit, PersonCredit):
        return credit.school_person.person.full_name
    return credit.school.name


def effects_of(credit: AnyCredit, amount: int) -> Iterator[str]:
    """What giving back does, in the order in which people ask."""
    if isinstance(credit, PersonCredit):
        yield _("%(whose)s loses %(book)s as soon as Edu-iX has taken the return.") % {
            "whose": whose(credit),
            "book": title_of(credit),
        }
        yield _("It cannot be undone. To use the book again the pupil needs a new credit.")
    else:
        keeps = credit.remaining - amount
        words = ngettext(
            "%(whose)s keeps %(number)d licence of %(book)s once Edu-iX has taken the return.",
            "%(whose)s keeps %(number)d licences of %(book)s once Edu-iX has taken the return.",
            keeps,
        )
        yield words % {"whose": whose(credit), "number": keeps, "book": title_of(credit)}
        yield _("It cannot be undone. To use more again the school needs a new credit.")
    yield from _what_follows(credit)


def _what_follows(credit: AnyCredit) -> Iterator[str]:
    if not is_never_told(credit):
        yield _(
            "Edu-iX tells the publisher. You then get a notification that says whether the "
            "publisher has processed the return; it stands on the page of the credit."
        )
    else:
        yield _(
            "Edu-iX can never tell us about this credit, because its number is longer than 30 "
            "characters. Ask Edu-iX how it stands, on the page of the credit."
        )
    if credit.push_state in (PushState.REFUSED, PushState.WAITING):
        yield _(
            "One message is queued. It goes by itself when the refused change before it is mended."
        )
        return
    ahead = Message.objects.active().filter(chain=chain_of_credit(credit)).count()
    if ahead:
        words = ngettext(
            "One message is queued, behind %d that goes first.",
            "One message is queued, behind %d that go first.",
            ahead,
        )
        yield words % ahead
    else:
        yield _("One message is queued and goes at once.")


def effects_of_many(number: int) -> Iterator[str]:
    """The same for a selection."""
    words = ngettext(
        "%d pupil loses a book as soon as Edu-iX has taken the return.",
        "%d pupils lose a book as soon as Edu-iX has taken the returns.",
        number,
    )
    yield words % number
    yield _("It cannot be undone. To use the book again a pupil needs a new credit.")
    yield _(
        "Edu-iX tells the publishers. The notifications that follow say whether they have "
        "processed the returns."
    )
    words = ngettext("%d message is queued.", "%d messages are queued.", number)
    yield words % number


def way_out(why: WhyNot, credit: AnyCredit, *, may_delete: bool) -> tuple[str, str]:
    """Where to go instead of giving back, and the words of the link."""
    if why in (WhyNot.NEVER_SENT, WhyNot.NEVER_TAKEN):
        name = f"admin:credits_{type(credit)._meta.model_name}"
        if may_delete and why == WhyNot.NEVER_SENT:
            return reverse(f"{name}_delete", args=[credit.pk]), _("Delete it with us")
        return edit_url(credit), _("Edit the credit")
    if why == WhyNot.DELETED:
        return "", ""
    return status_url(credit), _("Open the page of the credit")


def told_after_return(back: CreditReturn) -> str:
    """What happens next, in one sentence."""
    if back.push_state == PushState.WAITING:
        return _("The return waits: it goes by itself when what stands before it is mended.")
    return _("The return goes to Edu-iX now; here you see what comes of it.")


def told_after_returns(told: Told) -> str:
    """`38 returns queued. 2 skipped: …`"""
    words = ngettext("%d return queued for Edu-iX.", "%d returns queued for Edu-iX.", told.queued)
    counted = words % told.queued
    if not told.skipped:
        return counted
    return f"{counted} {_('Skipped:')} {skipped_words(told.skipped.items())}"


def skipped_words(skipped: Iterable[tuple[WhyNot, int]]) -> str:
    """`2: It was given back already.`"""
    return " ".join(f"{number}: {WHY_NOT[why]}" for why, number in skipped)


def date_warnings(credits: Iterable[AnyCredit], new_end: date, today: date) -> Iterator[str]:
    """What a colleague should look at twice before changing end dates."""
    if new_end < today:
        yield _(
            "This day has passed: whoever has these credits loses the book as soon as Edu-iX has "
            "taken the change."
        )
    shorter = sum(
        credit.credit_end_date is None or credit.credit_end_date > new_end for credit in credits
    )
    if shorter:
        words = ngettext(
            "%d credit ends earlier than it does now.",
            "%d credits end earlier than they do now.",
            shorter,
        )
        yield words % shorter


def licences(credit: AnyCredit) -> str:
    """`10 bought, 3 given back`; empty for a person credit."""
    if not isinstance(credit, SchoolCredit):
        return ""
    return _("%(amount)s bought, %(returned)s given back") % {
        "amount": grouped(credit.amount),
        "returned": grouped(credit.returned),
    }
