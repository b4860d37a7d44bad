"""What the controls take away: the product with one mechanism patched out, chosen by its name.

Only the children of experiments use it, once Django is set up: the server (`served.py`), the
worker (`worker.py`) and the office (`office.py`). The product itself has no such switch.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

BROKEN: Final = "CHAOS_BROKEN"  # the name of the mechanism that is missing
WAITS: Final = "CHAOS_WAITS"  # seconds by "module.NAME", for what would take minutes otherwise


def prepare() -> None:
    """Shorten the waits that the environment names, and break what it names."""
    for path, seconds in json.loads(os.environ.get(WAITS, "{}")).items():
        module, _dot, name = path.rpartition(".")
        _patch(module, name, _like(_found(module, name), seconds))
    if name := os.environ.get(BROKEN):
        BREAKS[name]()


def _like(before: Any, seconds: float) -> Any:
    if isinstance(before, tuple):
        return (timedelta(seconds=seconds),) * len(before)
    return timedelta(seconds=seconds) if isinstance(before, timedelta) else seconds


def _found(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _patch(module: str, name: str, value: Any) -> None:
    _replace(importlib.import_module(module), name, value)


def _replace(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


def _every_copy_is_news() -> None:
    _patch("notifications.taking_over", "_repeats", lambda _notification: False)


def _steps_back_are_believed() -> None:
    """Whatever arrives last is taken for the newest, and Edu-iX is not asked."""
    from notifications.told import ToldSpecification

    _replace(ToldSpecification, "is_step_back", lambda _told, _credit: False)


def _answers_overwrite() -> None:
    """The answer to a call writes the whole row, as it was when the call left."""
    from backoffice.outbox.models import subject_pk
    from credits.models import PersonCredit

    mark = _found("backoffice.outbox.settling", "mark_rows")

    def marked(messages: Any, *arguments: Any, **more: Any) -> Any:
        pushed = [message for message in messages if message.operation == "person_credit.push"]
        PersonCredit.objects.filter(pk__in=[subject_pk(one.subject) for one in pushed]).update(
            specification_state="", publisher_response_id="", specification_changed_at=None
        )
        return mark(messages, *arguments, **more)

    _patch("backoffice.outbox.settling", "mark_rows", marked)


def _logins_sign_by_sign() -> None:
    """The first wrong sign ends it, as with `==`, and slowly enough to be measured anywhere."""
    from django.conf import settings

    from notifications.login import Logins

    def user_of(_logins: Logins, username: str, password: str) -> Any:
        [(name, secret)] = settings.NOTIFICATION_CREDENTIALS
        told, known = f"{username}:{password}", f"{name}:{secret}"
        if len(told) != len(known):
            return None
        for one, other in zip(told, known, strict=True):
            if one != other:
                return None
        return username

    _replace(Logins, "user_of", user_of)


def _strangers_are_kept() -> None:
    """A row and a log line for everyone who is refused, as a careless receiver would."""
    from django.utils import timezone

    from notifications import door
    from notifications.models import Notification

    refuse = door._refuse

    def kept(refusal: Any, source: str) -> Any:
        door.logger.warning("refused", extra={"reason": refusal.reason.value})
        Notification.objects.create(
            kind="unknown", raw=b"<x/>", raw_sha256="", raw_length=4, received_at=timezone.now()
        )
        return refuse(refusal, source)

    _patch("notifications.door", "_refuse", kept)


def _careless_reader() -> None:
    """It takes every amount for a number, and looks where a body tells it to."""
    read = _found("notifications.reading", "read_content")

    def careless(operation: str, namespace: str, element: Any) -> Any:
        for place in element.xpath("//@*[local-name() = 'noNamespaceSchemaLocation']"):
            if Path(path := place.removeprefix("file://")).exists():
                Path(path).read_bytes()
        for amount in element.iter("{*}amount"):
            int(amount.text or "")
        return read(operation, namespace, element)

    _patch("notifications.reading", "read_content", careless)


def _poison() -> None:
    """One handler has three bugs; the number of the person says which one it meets."""
    healthy = _found("notifications.taking_over", "record_prematch")

    def poisoned(*, person: Any, **told: Any) -> None:
        key = person.distributor_person_id
        if key.startswith("RAISE"):
            raise RuntimeError("the handler is broken")
        if key.startswith("EXIT"):
            os._exit(139)
        while key.startswith("LOOP"):
            pass
        healthy(person=person, **told)

    _patch("notifications.taking_over", "record_prematch", poisoned)


def _poison_tried_in_company() -> None:
    """What was tried before is claimed together with others that were."""
    from notifications.applying import LEASE, MAX_TRIES
    from notifications.models import Notification

    def claimed(now: Any, limit: int) -> Iterator[Any]:
        found = Notification.objects.all()
        for tries in range(MAX_TRIES + 1):
            tried = found.filter(tries=tries)
            yield from found._take(tried, now=now, lease=LEASE, limit=limit, tries=tries + 1)

    _poison()
    _patch("notifications.applying", "_claimed", claimed)


def _poison_without_an_end() -> None:
    """Nobody ends a worker that is busy for ever."""
    _poison()
    _patch("notifications.applying", "_ending_at_the_longest", nullcontext)


BREAKS: Final[dict[str, Callable[[], None]]] = {
    "every copy is news": _every_copy_is_news,
    "steps back are believed": _steps_back_are_believed,
    "answers overwrite": _answers_overwrite,
    "logins sign by sign": _logins_sign_by_sign,
    "strangers are kept": _strangers_are_kept,
    "careless reader": _careless_reader,
    "poison": _poison,
    "poison, tried in company": _poison_tried_in_company,
    "poison, without an end": _poison_without_an_end,
}
