"""How a row is pushed: create or update, ask first when in doubt, compare before giving up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from backoffice.eduix.errors import ALREADY_EXISTS, EduixRefused
from backoffice.eduix.gateway import Gateway
from backoffice.eduix.records import Record
from backoffice.outbox.models import Held, Message, Pushable, PushState, subject_pk

Rec = TypeVar("Rec", bound=Record)


GONE: Final = "not known at Edu-iX"


class Differs(Exception):
    """Edu-iX holds this key already, with other data: a colleague must decide."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(", ".join(columns))
        self.columns = columns


class StillOurs(Protocol):
    """Renews the lease just before a call, and keeps the digest of what will go out.

    Raises `NotOursAnyMore` when another worker has the message.
    """

    def __call__(self, digest: str = "") -> None: ...


class NotOursAnyMore(Exception):
    """The lease ran out and another worker took over: nothing may be sent or written."""


@dataclass(frozen=True)
class Prepared(Generic[Rec]):
    """A row as it will be sent, read just before sending."""

    record: Rec
    is_registered: bool

    @cached_property
    def digest(self) -> str:
        """Of the record; asked for before the call and during it."""
        return self.record.digest()


class Sender(ABC):
    """What the drainer needs to know of one operation."""

    operation: ClassVar[str]

    is_settled_together: ClassVar[bool] = False  # accepted ones may be written down many at once

    @abstractmethod
    def prepare(self, message: Message) -> Any | None:
        """Read what is to be sent; None when there is nothing left to send."""

    def prepare_many(self, messages: Sequence[Message]) -> dict[int, Any | None]:
        """`prepare` for many by their keys; one that is left out is prepared when it is sent."""
        return {}

    def digest_of(self, prepared: Any) -> str:
        """What tells our own request apart when its answer is lost; "" where nothing does."""
        return ""

    @abstractmethod
    def send(
        self, message: Message, prepared: Any, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        """Make the calls, each after `still_ours`. Raises the gateway's errors and `Differs`."""

    @abstractmethod
    def mark(
        self,
        subjects: Sequence[str],
        state: PushState,
        *,
        code: int | None,
        text: str,
        accepted: bool,
        now: datetime,
    ) -> None:
        """Write the sync state on the rows, without history."""

    @abstractmethod
    def taken_back(self, subject: str, now: datetime) -> None:
        """A colleague gave up this message before it took effect."""

    def taken_back_together(self, subjects: Sequence[str], now: datetime) -> None:
        """`taken_back` for many."""
        for subject in subjects:
            self.taken_back(subject, now)


class FetchSender(Sender):
    """A question: nothing is changed at Edu-iX, so it may be asked any number of times."""

    def prepare(self, message: Message) -> Any | None:
        return message.label

    def mark(
        self,
        subjects: Sequence[str],
        state: PushState,
        *,
        code: int | None,
        text: str,
        accepted: bool,
        now: datetime,
    ) -> None:
        """A question has no sync state to show."""

    def taken_back(self, subject: str, now: datetime) -> None:
        """Nor anything to undo."""


class RowSender(Sender):
    """An operation about rows that show their own sync state."""

    model: ClassVar[type[Pushable]]

    def mark(
        self,
        subjects: Sequence[str],
        state: PushState,
        *,
        code: int | None,
        text: str,
        accepted: bool,
        now: datetime,
    ) -> None:
        columns: dict[str, Any] = {
            "push_state": state,
            "push_code": code,
            "push_text": text,
            "push_changed_at": now,
        }
        if accepted:
            columns["registered_at"] = Coalesce(F("registered_at"), Value(now))
        rows = self._kept().filter(pk__one_of=[subject_pk(one) for one in subjects])
        rows.update(**columns)
        if accepted:
            self.accepted(rows, now)
        self.marked(rows)

    def _kept(self) -> QuerySet[Any]:
        """A deleted row stays deleted, whatever was still under way about it."""
        return self.model._default_manager.exclude(push_state=PushState.DELETED)

    def accepted(self, rows: QuerySet[Any], now: datetime) -> None:
        """What follows with us when Edu-iX has done it, in the transaction of its answer."""

    def marked(self, rows: QuerySet[Any]) -> None:
        """What else follows from a new sync state; a credit's status does."""

    def taken_back(self, subject: str, now: datetime) -> None:
        """A colleague gave up this message: the row is as it was, only with us."""
        self._as_before([subject], now)

    def _as_before(self, subjects: Sequence[str], now: datetime) -> None:
        rows = self._kept().filter(pk__one_of=[subject_pk(one) for one in subjects])
        rows.update(
            push_state=Case(
                When(registered_at=None, then=Value(PushState.LOCAL_ONLY)),
                default=Value(PushState.CHANGED),
            ),
            push_code=None,
            push_text="",
            push_changed_at=now,
        )
        self.marked(rows)


class ActionSender(RowSender):
    """Something that is done once: rename, merge, delete, return.

    The row of `model` is the wish itself, with its own state; what it does to our other rows is
    written in `accepted`. A lost answer is asked for before anything is sent again.
    """

    @abstractmethod
    def has_arrived(self, prepared: Any, gateway: Gateway) -> bool:
        """Whether an earlier try took effect; raises `Differs` when only a colleague can tell."""

    @abstractmethod
    def act(self, prepared: Any, gateway: Gateway) -> None:
        """The call itself."""

    def send(
        self, message: Message, prepared: Any, gateway: Gateway, still_ours: StillOurs
    ) -> None:
        if message.ask_first:
            still_ours()
            if self.has_arrived(prepared, gateway):
                return
        still_ours()
        self.act(prepared, gateway)


class PushSender(RowSender, Generic[Rec]):
    """Create or update of one row, with the rule that a lost answer is asked for first."""

    is_settled_together = True

    def taken_back_together(self, subjects: Sequence[str], now: datetime) -> None:
        self._as_before(subjects, now)

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """The rows that may be sent, with all that their records need."""

    record: ClassVar[type[Record]]
    # Where a field of the record stands, when not in a column of the same name.
    columns: ClassVar[Mapping[str, str]] = {}

    def prepare(self, message: Message) -> Prepared[Rec] | None:
        return self.prepare_many([message])[message.pk]

    def prepare_many(self, messages: Sequence[Message]) -> dict[int, Any | None]:
        """The rows as they go to Edu-iX; a model's own objects would cost as much as the rest."""
        names = [each.name for each in fields(self.record)]
        wanted = [subject_pk(message.subject) for message in messages]
        rows = self.rows().filter(pk__one_of=wanted)
        found: dict[int, Prepared[Any]] = {}
        for pk, registered_at, *values in rows.values_list(
            "pk", "registered_at", *(self.columns.get(name, name) for name in names)
        ):
            record = self.record(**dict(zip(names, values, strict=True)))
            found[pk] = Prepared(record, registered_at is not None)
        return {message.pk: found.get(subject_pk(message.subject)) for message in messages}

    def digest_of(self, prepared: Prepared[Rec]) -> str:
        return prepared.digest

    @abstractmethod
    def find(self, record: Rec, gateway: Gateway) -> Rec | None:
        """What Edu-iX holds under this key; may also take over what only Edu-iX knows."""

    @abstractmethod
    def create(self, record: Rec, gateway: Gateway) -> None: ...

    @abstractmethod
    def update(self, record: Rec, gateway: Gateway) -> None: ...

    def send(
        self, message: Message, prepared: Prepared[Rec], gateway: Gateway, still_ours: StillOurs
    ) -> None:
        record, digest = prepared.record, self.digest_of(prepared)
        if message.ask_first:
            self._settle(message, prepared, gateway, still_ours)
        elif prepared.is_registered:
            still_ours(digest)
            self.update(record, gateway)
        else:
            # What a lost request may have left there: our own, whatever we hold by now.
            still_ours(digest)
            try:
                self.create(record, gateway)
            except EduixRefused as refused:
                if refused.number not in ALREADY_EXISTS:
                    raise
                self._settle(message, prepared, gateway, still_ours)

    def _settle(
        self, message: Message, prepared: Prepared[Rec], gateway: Gateway, still_ours: StillOurs
    ) -> None:
        """Ask what Edu-iX holds, then do only what is still missing.

        Equal: nothing. Absent: create. Ours but older (we registered it before, or it is exactly
        what our lost request said): update. Anything else is somebody's else data: `Differs`.
        """
        record = prepared.record
        still_ours()
        found = self.find(record, gateway)
        Held.objects.keep(
            subject=message.subject, label=message.label, record=found, at=timezone.now()
        )
        if found is None:
            if prepared.is_registered:  # gone there: making it anew is for a colleague to decide
                raise Differs([GONE])
            still_ours(record.digest())
            self.create(record, gateway)
            return
        columns = record.differences(found)
        if not columns:
            return
        if prepared.is_registered or found.digest() == message.sent_digest:
            still_ours(record.digest())
            self.update(record, gateway)
            return
        raise Differs(columns)
