"""What a colleague may ask about a person: another number, a merge, a deletion, another school."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.outbox.again import take_back
from backoffice.outbox.models import Message, PushState, key_of
from backoffice.outbox.services import enqueue, has_open, lock_chain
from persons.change_models import PersonChange
from persons.effects import apply_change
from persons.models import Person, School, SchoolPerson
from persons.previews import (
    Preview,
    preview_delete,
    preview_merge,
    preview_move,
    preview_rename,
    preview_school_person_delete,
)
from persons.services import chain_of, queue_person_push, save_school_person, show_queued

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User


class NotPossible(Exception):
    """Something stands in the way; `preview.obstacles` says what."""

    def __init__(self, preview: Preview) -> None:
        super().__init__("; ".join(obstacle.text for obstacle in preview.obstacles))
        self.preview = preview


class ChangedMeanwhile(Exception):
    """The rows are not those that the colleague saw; `preview` shows them as they are."""

    def __init__(self, preview: Preview) -> None:
        super().__init__("the facts have changed")
        self.preview = preview


def ask_rename(
    *,
    person: Person,
    to_key: str,
    reason: str,
    user: AbstractBaseUser | None,
    token: str,
    facts: str = "",
) -> PersonChange:
    """Ask to give a person another customer number.

    One that Edu-iX never had gets it at once. `facts` is `Preview.facts` of what the colleague
    saw, `token` that of the page: the same page sent twice asks once. Raises `NotPossible` and
    `ChangedMeanwhile`.
    """
    change = _new(PersonChange.Kind.RENAME, person, reason, user, token)
    change.to_key = to_key
    # Whoever had the number before and was deleted: nothing of both may overtake the other.
    deleted = Person.objects.filter(distributor_person_id=to_key, push_state=PushState.DELETED)
    holder = deleted.order_by("-pk").values_list("pk", flat=True).first()
    joins = chain_of(holder) if holder is not None and holder != person.pk else ""

    def look() -> Preview:
        return preview_rename(_fresh(person), to_key)

    with transaction.atomic():
        change = _ask(change, look, facts, chain_of(person.pk), joins)
        is_done_here = change.registered_at is None and change.applied_at is not None
        subject = key_of("person", person.pk)
        if is_done_here and has_open(operation="person.push", subject=subject):
            queue_person_push(person=_fresh(person), user=user)
    return change


def ask_merge(
    *,
    gone: Person,
    kept: Person,
    reason: str,
    user: AbstractBaseUser | None,
    token: str,
    facts: str = "",
) -> PersonChange:
    """Ask to fold `gone` into `kept`; the rest as `ask_rename`."""
    change = _new(PersonChange.Kind.MERGE, gone, reason, user, token)
    change.other, change.to_key = kept, kept.distributor_person_id

    def look() -> Preview:
        return preview_merge(_fresh(gone), _fresh(kept))

    with transaction.atomic():
        return _ask(change, look, facts, chain_of(gone.pk), chain_of(kept.pk))


def ask_delete(
    *,
    person: Person,
    reason: str,
    user: AbstractBaseUser | None,
    token: str,
    facts: str = "",
) -> PersonChange:
    """Ask to delete a person; the rest as `ask_rename`."""
    change = _new(PersonChange.Kind.DELETE, person, reason, user, token)
    with transaction.atomic():
        return _ask(change, lambda: preview_delete(_fresh(person)), facts, chain_of(person.pk))


def ask_school_person_delete(
    *,
    school_person: SchoolPerson,
    reason: str,
    user: AbstractBaseUser | None,
    token: str,
    facts: str = "",
) -> PersonChange:
    """Ask to delete a person from a school; the rest as `ask_rename`."""
    kind = PersonChange.Kind.DELETE_SCHOOL_PERSON
    change = _new(kind, school_person.person, reason, user, token)
    change.school_person = school_person
    change.from_key = school_person.distributor_school_person_id

    def look() -> Preview:
        return preview_school_person_delete(_fresh_place(school_person))

    with transaction.atomic():
        return _ask(change, look, facts, chain_of(school_person.person_id))


def move_school_person(
    *,
    school_person: SchoolPerson,
    school: School,
    student_number: str,
    reason: str,
    user: AbstractBaseUser | None,
    facts: str = "",
) -> Message | None:
    """Put a person at another school, and tell Edu-iX where it knows this place already.

    An ordinary edit with a reason: the row changes at once. Raises as `ask_rename`.
    """
    with transaction.atomic():
        lock_chain(chain_of(school_person.person_id))
        place = _fresh_place(school_person)
        _check(preview_move(place, school, student_number), facts)
        with override("nl"):
            told = _("To another school: %(old)s became %(new)s.") % {
                "old": place.school.name,
                "new": school.name,
            }
        place.school, place.school_student_number = school, student_number
        place._change_reason = f"{told} {reason}"  # type: ignore[attr-defined]  # simple_history's
        place._history_user = user  # type: ignore[attr-defined]
        return save_school_person(
            school_person=place, user=user, push=place.registered_at is not None
        )


def ask_again(*, change: PersonChange, user: AbstractBaseUser | None) -> Message | None:
    """Try a refused request again; None when it is done or withdrawn."""
    chains = [chain_of(pk) for pk in (change.person_id, change.other_id) if pk is not None]
    with transaction.atomic():
        lock_chain(*chains)
        if not PersonChange.objects.open().filter(pk=change.pk).exists():
            return None
        return _send(change, user, *chains)


def withdraw(*, change: PersonChange) -> bool:
    """Give a request up; False when it is too late for that."""
    message = message_of(change)
    return message is not None and change.is_open and take_back(message=message)


def message_of(change: PersonChange) -> Message | None:
    """The newest message of a request; None for what happened only with us."""
    return Message.objects.filter(subject=change.subject).order_by("-pk").first()


def _new(
    kind: PersonChange.Kind,
    person: Person,
    reason: str,
    user: AbstractBaseUser | None,
    token: str,
) -> PersonChange:
    return PersonChange(
        kind=kind,
        person=person,
        from_key=person.distributor_person_id,
        reason=reason,
        token=token,
        created_by=cast("User", user) if user is not None and user.pk else None,
    )


def _ask(
    change: PersonChange, look: Callable[[], Preview], facts: str, chain: str, joins: str = ""
) -> PersonChange:
    """Write the request with its message; what Edu-iX never had is done at once."""
    lock_chain(*filter(None, (chain, joins)))
    asked = _asked_before(change)
    if asked is not None:
        return asked
    preview = look()
    _check(preview, facts)
    change.save()
    if preview.is_only_with_us:
        now = timezone.now()
        PersonChange.objects.filter(pk=change.pk).update(
            push_state=PushState.IN_SYNC, push_changed_at=now
        )
        apply_change(change, now)
    else:
        _send(change, change.created_by, chain, joins)
    change.refresh_from_db()
    return change


def _asked_before(change: PersonChange) -> PersonChange | None:
    """The same request, from the same page or still under way."""
    same_page = PersonChange.objects.filter(token=change.token).first()
    if same_page is not None:
        return same_page
    return (
        PersonChange.objects.open()
        .filter(
            kind=change.kind,
            person=change.person_id,
            other=change.other_id,
            school_person=change.school_person_id,
            to_key=change.to_key,
        )
        .first()
    )


def _check(preview: Preview, facts: str) -> None:
    if preview.obstacles:
        raise NotPossible(preview)
    if facts and preview.facts != facts:
        raise ChangedMeanwhile(preview)


def _send(
    change: PersonChange, user: AbstractBaseUser | None, chain: str, joins: str = ""
) -> Message:
    message = enqueue(
        operation=change.operation,
        subject=change.subject,
        chain=chain,
        joins=joins,
        label=change.from_key,
        user=user,
    )
    show_queued(message)
    return message


def _fresh(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def _fresh_place(place: SchoolPerson) -> SchoolPerson:
    return SchoolPerson.objects.select_related("person", "school").get(pk=place.pk)
