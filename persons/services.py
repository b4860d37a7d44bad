"""What may be done with schools, persons and persons at schools."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from backoffice.outbox.models import Message, Pushable, PushState, key_of
from backoffice.outbox.registry import mark_rows
from backoffice.outbox.services import ROW_STATE, enqueue, has_open, lock_chain
from persons.followers import recognition_changed
from persons.models import Person, SchoolPerson

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

# Not equal to Edu-iX, and nothing under way that will make it so.
NEEDS_PUSH = frozenset({PushState.LOCAL_ONLY, PushState.CHANGED})


def chain_of(person_id: int) -> str:
    """Everything of one person goes out in one order."""
    return key_of("person", person_id)


def show_queued(message: Message) -> None:
    """Show on the row what its message will do."""
    if message.status in ROW_STATE:
        mark_rows([message], ROW_STATE[message.status], code=message.code, text=message.text)


def queue_person_push(
    *,
    person: Person,
    user: AbstractBaseUser | None = None,
    priority: int = Message.Priority.INTERACTIVE,
) -> Message:
    """Ask to send a person (create or update, whichever is due)."""
    with transaction.atomic():
        message = enqueue(
            operation="person.push",
            subject=key_of("person", person.pk),
            chain=chain_of(person.pk),
            label=person.distributor_person_id,
            priority=priority,
            user=user,
        )
        show_queued(message)
    return message


def queue_school_person_push(
    *,
    school_person: SchoolPerson,
    user: AbstractBaseUser | None = None,
    priority: int = Message.Priority.INTERACTIVE,
) -> Message:
    """Ask to send a person at a school; the person goes first when Edu-iX lacks the newest."""
    with transaction.atomic():
        lock_chain(chain_of(school_person.person_id))
        person = Person.objects.only("push_state", "distributor_person_id").get(
            pk=school_person.person_id
        )
        if person.push_state in NEEDS_PUSH:
            queue_person_push(person=person, user=user, priority=priority)
        message = enqueue(
            operation="schoolperson.push",
            subject=key_of("schoolperson", school_person.pk),
            chain=chain_of(school_person.person_id),
            requires=key_of("person", school_person.person_id),
            label=school_person.distributor_school_person_id,
            priority=priority,
            user=user,
        )
        show_queued(message)
    return message


def save_person(
    *, person: Person, user: AbstractBaseUser | None = None, push: bool = False
) -> Message | None:
    """Save an edited or new person; returns the message that will go out, if any.

    One that was refused, or is still on its way, goes out again by itself.
    """
    with transaction.atomic():
        subject = key_of("person", person.pk or 0)
        again = save_edited(person, "person.push", subject, chain=subject)
        recognition_changed(person.pk)
        return queue_person_push(person=person, user=user) if again or push else None


def save_school_person(
    *, school_person: SchoolPerson, user: AbstractBaseUser | None = None, push: bool = False
) -> Message | None:
    """Save an edited or new person at a school, by the same rule."""
    with transaction.atomic():
        subject = key_of("schoolperson", school_person.pk or 0)
        chain = chain_of(school_person.person_id)
        if save_edited(school_person, "schoolperson.push", subject, chain) or push:
            return queue_school_person_push(school_person=school_person, user=user)
    return None


def save_edited(row: Pushable, operation: str, subject: str, chain: str) -> bool:
    """Save what a colleague wrote; True when it must go out again.

    Only what was changed since the row was read: machine columns, and what came in meanwhile,
    stay as they are. A row that was equal to Edu-iX becomes `changed`.
    """
    if row.pk is None:
        row.save()
        return False
    lock_chain(chain)
    changed = row.changed_fields()
    if changed:
        row.save(update_fields=changed)
    if has_open(operation=operation, subject=subject):
        return True
    if changed:
        rows = type(row)._default_manager.filter(pk=row.pk, push_state=PushState.IN_SYNC)
        if rows.update(push_state=PushState.CHANGED):
            row.push_state = PushState.CHANGED
    return False


def record_prematch(*, person: Person, user_id: str, eck_id: str | None, at: datetime) -> None:
    """Take over what the portal did: linked with this user ID, or unlinked when it is empty.

    `eck_id` None leaves ours as it is. Machine columns: no history row.
    """
    columns: dict[str, object] = {}
    if person.user_id != user_id:
        columns |= {"user_id": user_id, "user_id_changed_at": at}
    if eck_id is not None and person.eck_id != eck_id:
        columns["eck_id"] = eck_id
    if columns:
        with transaction.atomic():
            Person.objects.filter(pk=person.pk).update(**columns)
            recognition_changed(person.pk)
        for name, value in columns.items():
            setattr(person, name, value)


def queue_school_fetch(*, organisation_id: str, user: AbstractBaseUser | None = None) -> Message:
    """Ask Edu-iX for a school; the row appears when the answer is there."""
    with transaction.atomic():
        return enqueue(
            operation="school.fetch",
            subject=f"school:{organisation_id}",
            chain=f"school:{organisation_id}",
            label=organisation_id,
            user=user,
        )
