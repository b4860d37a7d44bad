"""Named points at which a process dies, as if its power were cut: `os._exit(137)`.

Only what other people keep stable is patched: Django's signals, its `connection.commit()` and its
execute wrappers, Celery's `apply_async`, and the transport's `post`.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from celery.app.task import Task
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_save, pre_save

from backoffice.eduix import exchange
from backoffice.eduix.exchange import Transport
from backoffice.eduix.http_answer import read_from
from backoffice.outbox.models import Message
from tests.chaos.workers.patching import replace

_local = threading.local()


def crash_at(point: str) -> None:
    """End this process when it comes to this point."""
    POINTS[point]()


def _die(*_args: object, **_options: object) -> None:
    os._exit(137)


def _before_insert() -> None:
    pre_save.connect(_die, sender=Message, weak=False)


def _after_insert() -> None:
    post_save.connect(_die, sender=Message, weak=False)


def _note_insert(**_options: object) -> None:
    _local.is_marked = True


def _before_commit() -> None:
    post_save.connect(_note_insert, sender=Message, weak=False)
    _at_commit(_die, None)


def _after_commit() -> None:
    post_save.connect(_note_insert, sender=Message, weak=False)
    _at_commit(None, _die)


def _at_commit(before: Callable[[], None] | None, after: Callable[[], None] | None) -> None:
    """Around the commit of the transaction in which this thread has marked something."""
    commit = BaseDatabaseWrapper.commit

    def committing(connection: BaseDatabaseWrapper) -> None:
        is_marked = getattr(_local, "is_marked", False)
        if is_marked and before is not None:
            before()
        commit(connection)
        if is_marked and after is not None:
            after()

    replace(BaseDatabaseWrapper, "commit", committing)


def _before_ring() -> None:
    replace(Task, "apply_async", _die)


def _after_ring() -> None:
    apply_async = Task.apply_async

    def ringing(task: Any, *args: Any, **options: Any) -> None:
        apply_async(task, *args, **options)
        _die()

    replace(Task, "apply_async", ringing)


def _is_write(action: str) -> bool:
    """Neither a login nor a question."""
    return "#login" not in action and "#get" not in action


def _at_post(*, before: bool = False, sent: bool = False, after: bool = False) -> None:
    post = Transport.post

    def posting(transport: Transport, body: bytes, *, action: str) -> Any:
        is_write = _is_write(action)
        if is_write and before:
            _die()
        _local.is_write = is_write
        answer = post(transport, body, action=action)
        if is_write and after:
            _die()
        return answer

    def reading(sock: socket.socket, method: str) -> Any:
        if getattr(_local, "is_write", False) and sent:
            _die()
        return read_from(sock, method)

    replace(Transport, "post", posting)
    replace(exchange, "read_from", reading)


def _at_mark(*, before: bool) -> None:
    """The statement that writes on the message that it is done."""

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        is_mark = (
            "outbox_message" in sql and sql.lower().startswith("update") and _says_done(params)
        )
        if is_mark and before:
            _die()
        answer = execute(sql, params, many, context)
        if is_mark:
            _local.is_marked = True
        return answer

    def install(connection: BaseDatabaseWrapper, **_options: object) -> None:
        connection.execute_wrappers.append(watch)

    connection_created.connect(install, weak=False)
    _at_commit(None, _die)


def _says_done(params: Any) -> bool:
    return params is not None and Message.Status.DONE.value in [
        str(value) for value in (params.values() if isinstance(params, dict) else params)
    ]


POINTS: Final[dict[str, Callable[[], None]]] = {
    "before_insert": _before_insert,
    "after_insert": _after_insert,
    "before_commit": _before_commit,
    "after_commit": _after_commit,
    "before_ring": _before_ring,
    "after_ring": _after_ring,
    "before_send": lambda: _at_post(before=True),
    "after_send": lambda: _at_post(sent=True),
    "after_reply": lambda: _at_post(after=True),
    "before_mark": lambda: _at_mark(before=True),
    "after_mark": lambda: _at_mark(before=False),
}
