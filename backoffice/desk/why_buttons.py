"""Which buttons stand beside a verdict and its links, for the colleague who looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from urllib.parse import quote, urlencode

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.desk.why import Look
from backoffice.outbox.models import Message, Pushable, PushState, key_of
from backoffice.screens.links import field_of, url_of
from credits.access import Name
from credits.access_evidence import Step
from credits.access_mends import last_day_of
from credits.access_next import NEXT
from credits.columns import day_words, edit_url, mending, school_step, write_url
from credits.models import PersonCredit, SchoolCredit
from credits.services import AnyCredit, kind_of
from persons.columns import mend_words
from persons.models import Person, SchoolPerson
from persons.services import NEEDS_PUSH

UNDER_WAY: Final = (PushState.QUEUED, PushState.SENDING, PushState.WAITING, PushState.UNCERTAIN)

# What a post does, and the right it takes; `why_doing` does it.
RIGHTS: Final[dict[str, tuple[str, ...]]] = {
    "push:person": ("persons.push_person",),
    "push:schoolperson": ("persons.push_schoolperson",),
    "push:person_credit": ("credits.push_personcredit",),
    "push:school_credit": ("credits.push_schoolcredit",),
    "new_credit": ("credits.add_personcredit", "credits.push_personcredit"),
    "edit:person_credit": ("credits.change_personcredit", "credits.push_personcredit"),
    "edit:school_credit": ("credits.change_schoolcredit", "credits.push_schoolcredit"),
    "link_school": ("persons.add_schoolperson", "persons.push_schoolperson"),
    "fetch": ("persons.change_person",),
    "send_now": ("outbox.change_message",),
    "resume": ("outbox.change_message",),
}


@dataclass(frozen=True)
class Button:
    """A link (`url`), or a post of `do` with its subject; `text` is something to copy instead."""

    label: str
    url: str = ""
    do: str = ""
    subject: str = ""
    text: str = ""
    hint: str = ""
    right: str = ""  # that a link takes; a post has its own
    is_main: bool = False


@dataclass(frozen=True)
class Desk:
    """Who looks, on which day and at which school."""

    user: AbstractUser | AnonymousUser
    day: date
    organisation_id: str = ""

    def may(self, do: str, subject: str = "") -> bool:
        """Whether this colleague may do it."""
        return self.user.has_perms(rights_for(do, subject))

    def may_press(self, button: Button) -> bool:
        """Whether this button works for this colleague."""
        if button.do:
            return self.may(button.do, button.subject)
        return not button.right or self.user.has_perm(button.right)


def rights_for(do: str, subject: str) -> tuple[str, ...]:
    """The rights that a post takes; raises `KeyError` for what nobody can do."""
    kind = subject.partition(":")[0]
    if ":" in do:
        raise KeyError(do)
    if do == "push":
        return RIGHTS[f"push:{kind}"]
    if do in ("set_school_year", "extend", "start_today"):
        return RIGHTS[f"edit:{kind}"]
    return RIGHTS[do]


def buttons_of(look: Look, desk: Desk) -> list[Button]:
    """What mends the verdict, the first one standing out."""
    step = look.broken
    if step is None:
        return []
    found = buttons_of_step(look, step, desk)
    return [replace(one, is_main=not place) for place, one in enumerate(found)]


def buttons_of_step(look: Look, step: Step, desk: Desk) -> list[Button]:
    """What can be done about one link; nothing for one that is in order."""
    if step.tone == "ok":
        return []
    if step.tone == "q":
        return list(_asking(look, step, desk))
    make = _MAKERS.get(look.answer.action) if step == look.broken else None
    name = _action_of(step)
    make = make or _MAKERS.get(name)
    found = list(make(look, step, desk)) if make is not None else []
    return [one for one in found if desk.may_press(one)]


def _action_of(step: Step) -> str:
    return NEXT[step.link.finding].action if step.link.finding in NEXT else ""


def _asking(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    """What is not known can be asked for, where Edu-iX can know it."""
    if step.link.name in (Name.SPECIFICATION, Name.PUBLISHER) and _is_at_eduix(look.book.credit):
        yield from (one for one in _fetch(look, step, desk) if desk.may_press(one))


def _is_at_eduix(row: Pushable | None) -> bool:
    return row is not None and row.registered_at is not None


def _row_of(look: Look, step: Step) -> Person | SchoolPerson | AnyCredit | None:
    if step.link.name == Name.PERSON:
        return look.book.person
    if step.link.name == Name.SCHOOL_PERSON:
        return look.book.place
    return look.book.credit


def _kind_of(row: Person | SchoolPerson | AnyCredit) -> str:
    if isinstance(row, Person):
        return "person"
    return "schoolperson" if isinstance(row, SchoolPerson) else kind_of(row)


def _change_right(row: Person | SchoolPerson | AnyCredit) -> str:
    return f"{row._meta.app_label}.change_{row._meta.model_name}"


def _push(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    row = _lowest_unsent(look, step)
    if row is None:
        return
    again = _is_at_eduix(row)
    words = _("Send to Edu-iX again") if again else _("Send to Edu-iX")
    if step.link.finding in ("publisher_silent", "publisher_fault"):
        words = _("Ask the publisher again")
    if row.push_state not in UNDER_WAY:
        yield Button(words, do="push", subject=key_of(_kind_of(row), row.pk))
    if step.link.name in (Name.SPECIFICATION, Name.PUBLISHER):
        yield from _publisher(look)


def _lowest_unsent(look: Look, step: Step) -> Person | SchoolPerson | AnyCredit | None:
    """The credit takes its place and its person along, so that one press sends all of it."""
    if step.link.name not in (Name.PERSON, Name.SCHOOL_PERSON):
        return look.book.credit
    for row in (look.book.credit, look.book.place):
        if isinstance(row, PersonCredit | SchoolPerson) and row.push_state in NEEDS_PUSH:
            return row
    return _row_of(look, step)


def _publisher(look: Look) -> Iterator[Button]:
    credit = look.book.credit
    if credit is None:
        return
    named = {
        "ean": credit.ean,
        "title": look.book.title,
        "credit": str(credit),
        "code": credit.publisher_error_code or _("none"),
        "at": credit.specification_changed_at or credit.push_changed_at or "",
        "reference": credit.publisher_response_id or _("none"),
    }
    text = _(
        "EAN %(ean)s (%(title)s), credit %(credit)s: code %(code)s, reference %(reference)s, "
        "%(at)s. Would you look what is the matter?"
    )
    yield Button(
        _("Text for the publisher"),
        text=text % named,
        hint=_("Without names: the publisher knows the credit by its number."),
    )


def _edit(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    row = _row_of(look, step)
    if row is None:
        return
    kind = _kind_of(row)
    if step.link.finding == "school_credit_empty":
        column = "amount"
    elif step.link.finding == "person_blocked":
        column = "person_state"
    else:
        column = field_of(kind, row.push_code, row.push_text)
    url = url_of(key_of(kind, row.pk))
    url = f"{url}#id_{column}" if column else url
    yield Button(mend_words(type(row), column), url=url, right=_change_right(row))


def _compare(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    row = _row_of(look, step)
    if row is not None:
        url = reverse("admin:compare", args=[_kind_of(row), row.pk])
        yield Button(_("Show differences"), url=url, right="persons.change_person")


def _merge(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    twin, person = look.book.twin, look.book.person
    if twin is None:
        return
    key = twin.distributor_person_id
    url = _wizard("merge", twin, other=person.pk)
    if url:
        yield Button(_("Merge with %(key)s") % {"key": key}, url=url, right="persons.push_person")
    twin_url = reverse("admin:persons_person_change", args=[twin.pk])
    yield Button(_("Open account %(key)s") % {"key": key}, url=twin_url)


def _wizard(name: str, row: Person | SchoolPerson, **query: object) -> str:
    """The page of a wizard; empty where this installation has none."""
    try:
        url = reverse(f"admin:persons_{type(row)._meta.model_name}_{name}", args=[row.pk])
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(query)}" if query else url


def _link_school(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    if desk.organisation_id:
        words = _("Link to %(school)s and send") % {"school": look.book.school}
        yield Button(words, do="link_school", subject=key_of("person", look.book.person.pk))
    query = urlencode({"person": look.book.person.pk})
    url = f"{reverse('admin:persons_schoolperson_add')}?{query}"
    yield Button(_("Add a school"), url=url, right="persons.add_schoolperson")


def _move(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    place = look.book.place
    if place is not None:
        url = _wizard("move", place) or url_of(key_of("schoolperson", place.pk))
        yield Button(_("To another school"), url=url, right="persons.push_schoolperson")
    yield from _link_school(look, step, desk)


def _new_credit(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    place = look.book.newest
    if place is None:
        return
    if look.book.ean:
        words = _("Make and send the credit")
        if step.link.finding == "at_another_school":
            words = _("Give the book at %(school)s") % {"school": place.school.name}
        yield Button(words, do="new_credit", subject=key_of("schoolperson", place.pk))
    query = urlencode({"school_person": place.pk, "ean": look.book.ean})
    url = f"{reverse('admin:credits_personcredit_add')}?{query}"
    yield Button(_("Fill in a credit"), url=url, right="credits.add_personcredit")


def _school(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    if isinstance(look.book.credit, PersonCredit):
        url, words = school_step(look.book.credit)
        yield Button(str(words), url=url)
    elif look.book.place is not None:
        school = look.book.place.school
        url = reverse("admin:persons_school_change", args=[school.pk])
        if school.contact_email:
            url = f"mailto:{quote(school.contact_email, safe='@')}"
        yield Button(_("Write to the school"), url=url)
    if _is_at_eduix(look.book.person):
        subject = key_of("person", look.book.person.pk)
        yield Button(_("Ask Edu-iX now"), do="fetch", subject=subject)


def _fetch(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    credit = look.book.credit
    if credit is not None:
        yield Button(_("Ask Edu-iX now"), do="fetch", subject=key_of(kind_of(credit), credit.pk))


def _mend(
    do: str, words: Callable[[Look, Desk], str], column: str
) -> Callable[[Look, Step, Desk], Iterator[Button]]:
    """A post that sets one column of the credit, beside the form for any other value."""

    def make(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
        credit = look.book.credit
        if credit is None:
            return
        yield Button(words(look, desk), do=do, subject=key_of(kind_of(credit), credit.pk))
        url, words_of = edit_url(credit, column), mend_words(type(credit), column)
        yield Button(words_of, url=url, right=_change_right(credit))

    return make


def _year_words(look: Look, desk: Desk) -> str:
    last = last_day_of(desk.day).year
    return _("Make it %(year)s and send") % {"year": f"{last - 1}-{last}"}


def _extend_words(look: Look, desk: Desk) -> str:
    return _("Extend until %(day)s and send") % {"day": day_words(last_day_of(desk.day))}


def _start_words(look: Look, desk: Desk) -> str:
    return _("Let it start on %(day)s and send") % {"day": day_words(desk.day)}


def _write(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    credit = look.book.credit
    if credit is None:
        return
    credit.publisher = look.book.publisher  # type: ignore[union-attr]  # as `with_title` does
    right = "explanations.add_publishercode"
    yield Button(_("Write the explanation"), url=write_url(credit), right=right)
    yield from _push(look, step, desk)


def _blocker(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    blocker = look.book.facts.sending.blocker
    root = Message.objects.filter(pk=blocker).first() if blocker is not None else None
    if root is not None:
        url, words = mending(root)
        message = reverse("admin:outbox_message_change", args=[root.pk])
        yield Button(words if url else _("Open the cause"), url=url or message)


def _send_now(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    credit = look.book.credit
    subject = key_of("person", look.book.person.pk)
    if isinstance(credit, SchoolCredit):
        subject = key_of("school_credit", credit.pk)
    yield Button(_("Send now"), do="send_now", subject=subject)


def _resume(look: Look, step: Step, desk: Desk) -> Iterator[Button]:
    yield Button(_("Let sending go on"), do="resume")


_MAKERS: Final[dict[str, Callable[[Look, Step, Desk], Iterator[Button]]]] = {
    "push": _push,
    "edit": _edit,
    "compare": _compare,
    "merge": _merge,
    "link_school": _link_school,
    "move_school": _move,
    "new_credit": _new_credit,
    "message_school": _school,
    "set_school_year": _mend("set_school_year", _year_words, "school_year"),
    "extend": _mend("extend", _extend_words, "credit_end_date"),
    "start_today": _mend("start_today", _start_words, "credit_start_date"),
    "fetch": _fetch,
    "write_explanation": _write,
    "open_blocker": _blocker,
    "send_now": _send_now,
    "resume": _resume,
}

MENDED: Final[dict[str, str | Promise]] = {
    "new_credit": gettext_lazy("The credit goes to Edu-iX now."),
    "set_school_year": gettext_lazy("The credit goes to Edu-iX now with the right school year."),
    "extend": gettext_lazy("The credit goes to Edu-iX now with its new end date."),
    "start_today": gettext_lazy("The credit goes to Edu-iX now with its new start date."),
    "link_school": gettext_lazy("The school goes to Edu-iX now."),
    "fetch": gettext_lazy("Edu-iX is being asked; the answer appears here."),
    "send_now": gettext_lazy("It is sent now."),
    "resume": gettext_lazy("We try again; within a minute you see here how it went."),
}
"""What a colleague reads after a post; a push tells it by its own queue."""
