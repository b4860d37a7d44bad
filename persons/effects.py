"""What follows with us once a person is renamed, merged or deleted.

Called with the chains of all persons involved locked: when Edu-iX has done it, or at once for a
person that Edu-iX never had.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override
from simple_history.utils import bulk_update_with_history

from backoffice.outbox.models import Message, Pushable, PushState, key_of
from backoffice.outbox.registry import mark_rows, senders
from backoffice.outbox.services import (
    ROW_STATE,
    enqueue,
    hold_behind_blockers,
    release_followers,
)
from persons.change_models import PersonChange
from persons.dependants import dependants_of, remove_dependants
from persons.followers import recognition_changed
from persons.models import Person, SchoolPerson

KEY_IN_USE = "toDistributorPersonID"


class KeyInUse(Exception):
    """Another person of ours has taken the number meanwhile."""


def apply_change(change: PersonChange, now: datetime) -> None:
    """Do with us what Edu-iX has done; once, however often it is called.

    Raises `KeyInUse` when the new number is another person's with us: nothing is changed then.
    """
    if not change.is_open:
        return
    with override("nl"):  # the history is read by everybody; whose answer it was must not matter
        _EFFECTS[change.kind](change, now)
    PersonChange.objects.filter(pk=change.pk).update(applied_at=now)
    change.applied_at = now


def _rename(change: PersonChange, now: datetime) -> None:
    person = Person.objects.get(pk=change.person_id)
    if is_taken(change.to_key, but=person.pk):
        raise KeyInUse
    person.distributor_person_id = change.to_key
    _write(change, Person, [person], ["distributor_person_id"], now)
    # Questions ask with the label, and people read it.
    Message.objects.open().filter(
        subject=key_of("person", person.pk), label=change.from_key
    ).update(label=change.to_key)


def _merge(change: PersonChange, now: datetime) -> None:
    assert change.other_id is not None  # noqa: S101  a constraint of the table holds it
    gone, kept = change.person_id, change.other_id
    places = _kept(SchoolPerson.objects.filter(person=gone))
    for place in places:
        place.person_id = kept
    _write(change, SchoolPerson, places, ["person"], now)
    both = Person.objects.filter(pk__in=(gone, kept))
    _write(change, Person, list(both), [], now)
    _cancel(Message.objects.open().filter(subject=key_of("person", gone)), now)
    _move_messages(gone, kept)
    _delete(Person.objects.filter(pk=gone), now)
    recognition_changed(kept)
    if change.registered_at is not None:
        # userID and profileID are Edu-iX' to tell, and it may have moved them: compare.
        enqueue(
            operation="person.check",
            subject=key_of("person", kept),
            chain=key_of("person", kept),
            label=change.to_key,
            user=change.created_by,
        )


def _delete_person(change: PersonChange, now: datetime) -> None:
    persons = Person.objects.filter(pk=change.person_id)
    places = _kept(SchoolPerson.objects.filter(person=change.person_id))
    _write(change, SchoolPerson, places, [], now)
    _write(change, Person, list(persons), [], now)
    _cancel(Message.objects.open().filter(chain=key_of("person", change.person_id)), now)
    _delete_places(places, now)
    _delete(persons, now)


def _delete_school_person(change: PersonChange, now: datetime) -> None:
    places = _kept(SchoolPerson.objects.filter(changes=change.pk))
    _write(change, SchoolPerson, places, [], now)
    pks = [place.pk for place in places]
    subjects = [key_of("schoolperson", pk) for pk in pks]
    subjects += [dependant.subject for dependant in dependants_of(pks)]
    _cancel(Message.objects.open().filter(subject__in=subjects), now)
    _delete_places(places, now)


def _delete_places(places: list[SchoolPerson], now: datetime) -> None:
    """Persons at schools, with the credits that hang on them."""
    pks = [place.pk for place in places]
    remove_dependants(pks, now)
    _delete(SchoolPerson.objects.filter(pk__in=pks), now)


_EFFECTS: dict[str, Callable[[PersonChange, datetime], None]] = {
    PersonChange.Kind.RENAME: _rename,
    PersonChange.Kind.MERGE: _merge,
    PersonChange.Kind.DELETE: _delete_person,
    PersonChange.Kind.DELETE_SCHOOL_PERSON: _delete_school_person,
}


def is_taken(key: str, *, but: int) -> bool:
    """A person of ours that is not deleted has this number."""
    rows = Person.objects.filter(distributor_person_id=key).exclude(pk=but)
    return rows.exclude(push_state=PushState.DELETED).exists()


def told_in_history(change: PersonChange) -> str:
    """`Merged: K1 into K2. Ordered twice by the parents`, as it stands in the history."""
    words = {
        PersonChange.Kind.RENAME: _("Other customer number: %(from)s became %(to)s."),
        PersonChange.Kind.MERGE: _("Merged: %(from)s into %(to)s."),
        PersonChange.Kind.DELETE: _("Deleted: %(from)s."),
        PersonChange.Kind.DELETE_SCHOOL_PERSON: _("Deleted from the school: %(from)s."),
    }
    what = str(words[PersonChange.Kind(change.kind)]) % {
        "from": change.from_key,
        "to": change.to_key,
    }
    return f"{what} {change.reason}"


def _write(
    change: PersonChange, model: type[Pushable], rows: list[Any], fields: list[str], now: datetime
) -> None:
    """Write these columns with a row of history; without columns only the history."""
    bulk_update_with_history(
        rows,
        model,
        fields,
        default_user=change.created_by,
        default_change_reason=told_in_history(change),
        default_date=now,
    )


def _kept(places: QuerySet[SchoolPerson]) -> list[SchoolPerson]:
    """Those that are not deleted already."""
    return list(places.exclude(push_state=PushState.DELETED))


def _delete(rows: QuerySet[Any], now: datetime) -> None:
    """Such a row stays for its history and stands in no list; its number is free again."""
    rows.update(push_state=PushState.DELETED, push_code=None, push_text="", push_changed_at=now)


def _cancel(rows: QuerySet[Message], now: datetime) -> None:
    """Give up what cannot be sent any more; what waited for it goes on."""
    messages = list(rows)
    for message in messages:
        Message.objects.filter(pk=message.pk).update(
            status=Message.Status.CANCELLED, finished_at=now, waits_for=None
        )
        senders[message.operation].taken_back(message.subject, now)
    for message in messages:
        release_followers(message)


def _move_messages(gone: int, kept: int) -> None:
    """What is still to be sent of the one goes on in the order of the other.

    None of these is under way: the merge itself was, and one at a time is in each chain.
    """
    old, new = key_of("person", gone), key_of("person", kept)
    moved = list(Message.objects.open().filter(chain=old).values_list("pk", flat=True))
    Message.objects.filter(pk__in=moved).update(chain=new)
    Message.objects.filter(pk__in=moved, requires=old).update(requires=new)
    messages = list(Message.objects.filter(pk__in=moved))
    hold_behind_blockers(messages)
    for status in (Message.Status.QUEUED, Message.Status.WAITING):
        mark_rows([one for one in messages if one.status == status], ROW_STATE[status])
