"""How a request about a person reaches Edu-iX: done once, and asked for when an answer is lost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db.models import QuerySet

from backoffice.eduix.errors import EduixRefused
from backoffice.eduix.gateway import Gateway
from backoffice.outbox.models import Message, Pushable, PushState, subject_pk
from backoffice.outbox.push import ActionSender, Differs, StillOurs
from persons.change_models import PersonChange
from persons.effects import KEY_IN_USE, KeyInUse, apply_change
from persons.models import Person
from persons.senders import person_record

NOT_KNOWN: Final = frozenset({5, 2907, 3047, 3007, 3207})
"""Answers to a deletion which say that there is nothing to delete (Profile 4.1, kind 7)."""

SOURCE_GONE: Final = frozenset({5, 4747, 7327})
"""Answers to a merge or a new number which say that the number it starts from is not known."""


class ChangeSender(ActionSender):
    """A request about a person."""

    model: ClassVar[type[Pushable]] = PersonChange

    def prepare(self, message: Message) -> PersonChange | None:
        changes = PersonChange.objects.open().select_related("person", "other")
        return changes.filter(pk=subject_pk(message.subject)).first()

    def send(
        self, message: Message, prepared: PersonChange, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        was_there = not message.ask_first and self.is_source_there(prepared, gateway, still_ours)
        try:
            super().send(message, prepared, gateway, still_ours)
        except EduixRefused as refused:
            # An earlier try may have reached Edu-iX only after we asked about it. Or a proxy on
            # the way sent this one twice, and what we read is the answer to the second.
            if not (message.ask_first or (was_there and refused.number in SOURCE_GONE)):
                raise
            still_ours()
            if not self.has_arrived(prepared, gateway):
                raise

    def is_source_there(
        self, prepared: PersonChange, gateway: Gateway, still_ours: StillOurs
    ) -> bool:
        """Whether Edu-iX has, before the first try, what will be gone afterwards."""
        return False

    def accepted(self, rows: QuerySet[Any], now: datetime) -> None:
        for change in PersonChange.objects.open().filter(pk__in=rows.values("pk")):
            try:
                apply_change(change, now)
            except KeyInUse:
                PersonChange.objects.filter(pk=change.pk).update(
                    push_state=PushState.CONFLICT, push_text=KEY_IN_USE
                )

    def taken_back(self, subject: str, now: datetime) -> None:
        """Given up: it never happened, and never will."""
        PersonChange.objects.filter(pk=subject_pk(subject)).update(
            push_state=PushState.LOCAL_ONLY,
            push_code=None,
            push_text="",
            push_changed_at=now,
            withdrawn_at=now,
        )


def _is_there(gateway: Gateway, key: str) -> bool:
    return gateway.get_person(distributor_person_id=key) is not None


class _Move(ChangeSender):
    """Something after which one number is gone and another one is there."""

    def is_source_there(
        self, prepared: PersonChange, gateway: Gateway, still_ours: StillOurs
    ) -> bool:
        still_ours()
        return _is_there(gateway, prepared.from_key)


class PersonRename(_Move):
    """updatePersonID. The new number must be free at Edu-iX, so it is asked for before any try."""

    operation = "person.rename"

    def send(
        self, message: Message, prepared: PersonChange, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        if not message.ask_first:
            still_ours()
            if self._was_done_before(prepared, gateway):
                return
        super().send(message, prepared, gateway, still_ours)

    def _was_done_before(self, change: PersonChange, gateway: Gateway) -> bool:
        """Whether the person has the new number already; raises `Differs` when another has it."""
        found = gateway.get_person(distributor_person_id=change.to_key)
        if found is None:
            return False
        ours = person_record(Person.objects.get(pk=change.person_id))
        is_same = found.person.profile_id is not None and (
            found.person.profile_id == ours.profile_id
        )
        others = set(ours.differences(found.person)) - {"distributor_person_id"}
        if (is_same or not others) and not _is_there(gateway, change.from_key):
            return True
        raise Differs([KEY_IN_USE])

    def has_arrived(self, prepared: PersonChange, gateway: Gateway) -> bool:
        is_new_there = _is_there(gateway, prepared.to_key)
        if is_new_there != _is_there(gateway, prepared.from_key):
            return is_new_there
        raise Differs([KEY_IN_USE if is_new_there else "fromDistributorPersonID"])

    def act(self, prepared: PersonChange, gateway: Gateway) -> None:
        gateway.update_person_id(from_id=prepared.from_key, to_id=prepared.to_key)


class PersonMerge(_Move):
    """mergePerson."""

    operation = "person.merge"

    def has_arrived(self, prepared: PersonChange, gateway: Gateway) -> bool:
        if not _is_there(gateway, prepared.to_key):
            raise Differs(["toDistributorPersonID"])
        return not _is_there(gateway, prepared.from_key)

    def act(self, prepared: PersonChange, gateway: Gateway) -> None:
        gateway.merge_person(from_id=prepared.from_key, to_id=prepared.to_key)


class _Deletion(ChangeSender):
    """Something that must not be there afterwards: what is not known there is gone already."""

    def act(self, prepared: PersonChange, gateway: Gateway) -> None:
        try:
            self.remove(gateway)(prepared.from_key)
        except EduixRefused as refused:
            if refused.number not in NOT_KNOWN:
                raise

    @abstractmethod
    def remove(self, gateway: Gateway) -> Callable[[str], None]:
        """The call that takes the key."""


class PersonDelete(_Deletion):
    """deletePerson."""

    operation = "person.delete"

    def has_arrived(self, prepared: PersonChange, gateway: Gateway) -> bool:
        return not _is_there(gateway, prepared.from_key)

    def remove(self, gateway: Gateway) -> Callable[[str], None]:
        return lambda key: gateway.delete_person(distributor_person_id=key)


class SchoolPersonDelete(_Deletion):
    """deleteSchoolperson."""

    operation = "schoolperson.delete"

    def has_arrived(self, prepared: PersonChange, gateway: Gateway) -> bool:
        key = prepared.from_key
        return gateway.get_school_person(distributor_school_person_id=key) is None

    def remove(self, gateway: Gateway) -> Callable[[str], None]:
        return lambda key: gateway.delete_school_person(distributor_school_person_id=key)


CHANGE_SENDERS = (PersonRename(), PersonMerge(), PersonDelete(), SchoolPersonDelete())
