"""What the buttons beside an explanation are, for every kind of row: links, posts, texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.outbox.calls import tries_of
from backoffice.outbox.cells import blockers_of, compare_url, service_of
from backoffice.outbox.models import Attempt, Message, PushState, key_of, subject_pk
from backoffice.screens.buttons import Ask, Button, page_url, register_buttons
from backoffice.screens.links import field_of, kind_of, url_of
from credits.columns import mending, school_step, title_of, write_url
from credits.models import PersonCredit, SchoolCredit
from persons.columns import mend_words
from persons.models import Person, SchoolPerson

CREDITS: Final = ("person_credit", "school_credit")
ROWS: Final = ("person", "schoolperson", *CREDITS)
UNDER_WAY: Final = (PushState.QUEUED, PushState.SENDING, PushState.WAITING, PushState.UNCERTAIN)
MODELS: Final[dict[str, Any]] = {
    "person": Person,
    "schoolperson": SchoolPerson,
    "person_credit": PersonCredit,
    "school_credit": SchoolCredit,
}


def register_all_buttons() -> None:
    """Called once, when the roof is set up."""
    for action, maker in _OF_ROWS.items():
        register_buttons(action, ROWS, maker)
        register_buttons(action, ["message"], _of_message(maker))
    for action, maker in _OF_CREDITS.items():
        register_buttons(action, CREDITS, maker)
        register_buttons(action, ["message"], _of_message(maker))
    register_buttons("replay", ["notification"], _replay)
    register_buttons("contact_eduix", ["notification"], _fetch_subject)
    register_buttons("find_subject", ["notification"], _find_subject)
    register_buttons("fix_file", ["job"], _fix_file)


def subject_of(ask: Ask) -> str:
    """How messages name the row: `person:12`."""
    return key_of(ask.kind, ask.row.pk)


def _of_message(maker: Callable[[Ask], Iterator[Button]]) -> Callable[[Ask], Iterator[Button]]:
    """A message offers what its row offers, as long as the row is there."""

    def make(ask: Ask) -> Iterator[Button]:
        message: Message = ask.row
        kind = kind_of(message.subject)
        model = MODELS.get(kind)
        row = None
        if model is not None:
            row = model._default_manager.filter(pk=subject_pk(message.subject)).first()
        if row is not None:
            yield from maker(Ask(ask.explanation, kind, row, ask.user))

    return make


def _do(what: str, ask: Ask, label: str, right: str) -> Button:
    url = page_url("do", what, ask.kind, ask.row.pk)
    return Button(label, url, is_post=True, right=right)


def _right(do: str, ask: Ask) -> str:
    return f"{type(ask.row)._meta.app_label}.{do}_{type(ask.row)._meta.model_name}"


def _edit(ask: Ask) -> Iterator[Button]:
    """The form, at the field that the code is about."""
    row = ask.row
    column = field_of(ask.kind, row.push_code, row.push_text)
    url = url_of(subject_of(ask), code=row.push_code, text=row.push_text)
    yield Button(mend_words(type(row), column), url, right=_right("change", ask))


def _push(ask: Ask) -> Iterator[Button]:
    if ask.row.push_state in UNDER_WAY:
        return
    again = ask.row.registered_at is not None
    words = _("Push to Edu-iX again") if again else _("Push to Edu-iX")
    yield _do("push", ask, words, _right("push", ask))


def _fetch(ask: Ask) -> Iterator[Button]:
    yield _do("fetch", ask, _("Ask Edu-iX now"), _right("change", ask))


def _fetch_or_push(ask: Ask) -> Iterator[Button]:
    """What is not found is looked at first, and then perhaps sent."""
    yield from _push(ask)
    yield from _fetch(ask)


def _compare(ask: Ask) -> Iterator[Button]:
    yield Button(_("Show differences"), compare_url(subject_of(ask)))
    yield from _fetch(ask)


def _open_blocker(ask: Ask) -> Iterator[Button]:
    """The refused message that this waits for, or else the row that must be there first."""
    blocker = blockers_of([subject_of(ask)]).get(subject_of(ask))
    if blocker is not None:
        url, words = mending(blocker.message)
        yield Button(words, url)
        page = page_url("outbox_message_change", blocker.message.pk)
        yield Button(_("Open the message it waits for"), page)
        return
    parents: list[tuple[str, Any]] = []
    if isinstance(ask.row, PersonCredit):
        place = ask.row.school_person
        parents = [("schoolperson", place), ("person", place.person)]
    elif isinstance(ask.row, SchoolPerson):
        parents = [("person", ask.row.person)]
    for kind, parent in reversed(parents):
        if parent.push_state != PushState.IN_SYNC:
            yield Button(
                _("Open %(what)s") % {"what": _name_of(parent)}, url_of(key_of(kind, parent.pk))
            )
    for kind, parent in reversed(parents[-1:]):
        yield from _push(Ask(ask.explanation, kind, parent, ask.user))
    if not parents:
        yield from _push(ask)


def _name_of(row: Any) -> str:
    return row.full_name if isinstance(row, Person) else str(row)


def _find_duplicates(ask: Ask) -> Iterator[Button]:
    """Who else has this value; and, for a person, merging the two."""
    person = _person_of(ask)
    if person is None:
        yield from _compare(ask)
        return
    column = field_of(ask.kind, ask.row.push_code, ask.row.push_text)
    value = str(getattr(ask.row, column.removeprefix("new_"), "") or person.surname)
    yield Button(
        _("Look for look-alikes"),
        page_url("persons_person_changelist", q=value),
        right="persons.view_person",
    )
    merge = page_url("persons_person_merge", person.pk)
    yield Button(_("Merge two persons"), merge, right="persons.push_person")


def _person_of(ask: Ask) -> Person | None:
    if isinstance(ask.row, Person):
        return ask.row
    if isinstance(ask.row, SchoolPerson):
        return ask.row.person
    return ask.row.school_person.person if isinstance(ask.row, PersonCredit) else None


def _rename(ask: Ask) -> Iterator[Button]:
    person = _person_of(ask)
    if person is not None:
        url = page_url("persons_person_rename", person.pk)
        yield Button(_("Change the customer number"), url, right="persons.push_person")
        yield from _edit(ask)


def _choose_school(ask: Ask) -> Iterator[Button]:
    """Another school from the list, or one more that Edu-iX knows."""
    kind, row = (
        ("schoolperson", ask.row.school_person)
        if isinstance(ask.row, PersonCredit)
        else (ask.kind, ask.row)
    )
    if kind in ("schoolperson", "school_credit"):
        url = url_of(key_of(kind, row.pk))
        yield Button(_("Choose another school"), f"{url}#id_school")
    school = page_url("persons_school_add")
    yield Button(_("Fetch a school from Edu-iX"), school, right="persons.add_school")


def _check_login(ask: Ask) -> Iterator[Button]:
    url = page_url("resume")
    yield Button(_("Try sending again"), url, is_post=True, right="outbox.change_message")
    calls = page_url("outbox_attempt_changelist")
    yield Button(_("Show the last calls"), calls, right="outbox.view_attempt")


def _message_school(ask: Ask) -> Iterator[Button]:
    """A letter to the school, or the place to fill in to whom."""
    if isinstance(ask.row, PersonCredit | SchoolCredit):
        url, words = school_step(ask.row)
        yield Button(str(words), url)
        return
    place = ask.row if isinstance(ask.row, SchoolPerson) else ask.row.school_persons.first()
    if place is None:
        return
    school = place.school
    if school.contact_email:
        url = f"mailto:{quote(school.contact_email, safe='@')}"
        yield Button(_("Write to the school"), url)
    else:
        url = page_url("persons_school_change", school.pk)
        yield Button(_("Fill in the school's contact"), f"{url}#id_contact_email")


def _contact_publisher(ask: Ask) -> Iterator[Button]:
    """A text without names: the publisher knows the credit by its number."""
    credit = ask.row
    at = credit.specification_changed_at or credit.push_changed_at
    lines = [
        _("EAN: %s") % credit.ean,
        _("Title: %s") % title_of(credit),
        _("Credit number: %s") % credit,
        _("Your code: %s") % (credit.publisher_error_code or _("none")),
        _("Your reference: %s") % (credit.publisher_response_id or _("none")),
        _("Time: %s")
        % (timezone.localtime(at).isoformat(sep=" ", timespec="seconds") if at else ""),
    ]
    yield Button(
        _("Text for the publisher"),
        text="\n".join(lines),
        hint=_("Without names: the publisher knows the credit by its number."),
    )
    yield from _push(ask)


def _write_explanation(ask: Ask) -> Iterator[Button]:
    code = ask.explanation.code
    if ask.explanation.source == "publisher":
        yield Button(
            _("Write the explanation"), write_url(ask.row), right="explanations.add_publishercode"
        )
    elif ask.explanation.source == "eduix" and isinstance(code, int):
        url = page_url("explanations_owntext_add", reference=abs(code))
        yield Button(_("Write the explanation"), url, right="explanations.add_owntext")
    if isinstance(ask.row, PersonCredit | SchoolCredit) and ask.explanation.source == "publisher":
        yield from _contact_publisher(ask)


def _copy_call(hint: str | Promise) -> Callable[[Ask], Iterator[Button]]:
    """The last call about this row as a text, with names and keys masked."""

    def make(ask: Ask) -> Iterator[Button]:
        attempts = Attempt.objects.filter(message__subject=subject_of(ask))
        last = attempts.select_related("message").order_by("-id").first()
        if last is not None:
            [told] = tries_of([last], service_of(last.message))
            yield Button(_("Text with the call"), text=told.for_edu_ix, hint=str(hint))
            yield Button(_("Open the call"), told.url, right="outbox.view_attempt")
        if not ask.explanation.known:
            yield from _write_explanation(ask)

    return make


def _extend(ask: Ask) -> Iterator[Button]:
    name = f"credits_{type(ask.row)._meta.model_name}_end_date"
    yield Button(_("Change the end date"), page_url(name, ask.row.pk), right=_right("push", ask))


def _return(ask: Ask) -> Iterator[Button]:
    name = f"credits_{type(ask.row)._meta.model_name}_return"
    yield Button(_("Report a return"), page_url(name, ask.row.pk), right=_right("push", ask))


def _new_credit(ask: Ask) -> Iterator[Button]:
    name = f"credits_{type(ask.row)._meta.model_name}_add"
    filled: dict[str, object] = {"ean": ask.row.ean, "school_year": ask.row.school_year}
    if isinstance(ask.row, PersonCredit):
        filled["school_person"] = ask.row.school_person_id
    else:
        filled["school"] = ask.row.school_id
    yield Button(_("Make a new credit"), page_url(name, **filled), right=_right("add", ask))


def _replay(ask: Ask) -> Iterator[Button]:
    yield _do("replay", ask, _("Apply again"), "notifications.replay_notification")


def _find_subject(ask: Ask) -> Iterator[Button]:
    yield Button(_("Look for this number"), page_url("search", q=ask.row.subject))
    yield Button(_("Ask Edu-iX"), page_url("ask"), right="persons.change_person")
    yield from _replay(ask)


def _fetch_subject(ask: Ask) -> Iterator[Button]:
    yield Button(_("Look for this number"), page_url("search", q=ask.row.subject))


def _fix_file(ask: Ask) -> Iterator[Button]:
    yield Button(_("Get the wrong rows"), page_url("import_errors", ask.row.pk))
    yield Button(_("Import the mended file"), page_url("import_start"), right="jobs.add_job")


_OF_ROWS: Final[dict[str, Callable[[Ask], Iterator[Button]]]] = {
    "edit": _edit,
    "push": _fetch_or_push,
    "fetch": _fetch,
    "compare": _compare,
    "open_blocker": _open_blocker,
    "find_duplicates": _find_duplicates,
    "rename": _rename,
    "choose_school": _choose_school,
    "check_login": _check_login,
    "message_school": _message_school,
    "contact_eduix": _copy_call(gettext_lazy("For Edu-iX; names and keys are masked.")),
    "contact_supplier": _copy_call(gettext_lazy("For the supplier; names and keys are masked.")),
}
_OF_CREDITS: Final[dict[str, Callable[[Ask], Iterator[Button]]]] = {
    "contact_publisher": _contact_publisher,
    "write_explanation": _write_explanation,
    "extend": _extend,
    "return_credit": _return,
    "new_credit": _new_credit,
}
