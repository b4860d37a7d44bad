"""From a body to what it says, in a way that a stranger cannot fill our memory with.

lxml keeps every element, attribute and namespace name that a thread has ever parsed until that
thread ends: a body of 256 kB with names made up on the spot costs a megabyte for good. A few of
them do no harm. Once strangers have sent more than that, a body is read in the calling thread only
when all its tags were seen before in accepted deliveries; any other is read in a side thread that
is let go after a few megabytes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

from notifications.envelope import admitted, check_login, open_envelope, parse
from notifications.faults import Refused
from notifications.login import Logins
from notifications.payload import MAX_STRICT_BYTES, Content, read_content, read_valid

T = TypeVar("T")

_TAG: Final = re.compile(rb"<[^>]*>?")
_MAX_TAGS: Final = 2000
_MAX_TAG_BYTES: Final = 500
STRANGERS_BYTES: Final = 2 * 1024 * 1024
SIDE_BYTES: Final = 4 * 1024 * 1024


class Delivery(NamedTuple):
    """A delivery by a known sender; plain values, no part of the parsed tree."""

    user: str
    password: str
    namespace: str
    content: Content


class Reader:
    """Reads bodies; one for the whole process."""

    def __init__(self) -> None:
        self._strangers = 0  # bytes that were refused in the threads of the server
        self._known: frozenset[bytes] = frozenset()
        self._side = SideThread(SIDE_BYTES)

    def read(self, utf8: bytes, logins: Logins) -> Delivery:
        """What a body says; raises `Refused`."""
        if self._strangers > STRANGERS_BYTES:
            return self._read_with_care(utf8, logins)
        try:
            return examine(utf8, logins)
        except Refused:
            self._strangers += len(utf8)
            raise

    def _read_with_care(self, utf8: bytes, logins: Logins) -> Delivery:
        tags = _TAG.findall(utf8)
        # "&" may name an entity, and the names of entities are kept as well.
        if b"&" not in utf8 and self._known.issuperset(tags):
            return examine(utf8, logins)
        delivery = self._side.run(lambda: examine(utf8, logins), cost=len(utf8))
        self._learn(tags)
        return delivery

    def _learn(self, tags: list[bytes]) -> None:
        """Only tags that cannot hide another: quotes in pairs, nothing but elements."""
        new = {
            tag
            for tag in tags
            if len(tag) <= _MAX_TAG_BYTES
            and tag.endswith(b">")
            and (not tag.startswith((b"<!", b"<?")) or tag.startswith(b"<?xml "))
            and tag.count(b'"') % 2 == 0
            and tag.count(b"'") % 2 == 0
        }
        known = self._known | new
        self._known = known if len(known) <= _MAX_TAGS else frozenset(new)


class SideThread:
    """A thread beside the others, replaced when it has read `budget` bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._spent = 0
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def run(self, work: Callable[[], T], *, cost: int) -> T:
        """Do this in the side thread and wait for it; what it raises is raised here."""
        with self._lock:
            if self._pool is None or self._spent > self._budget:
                if self._pool is not None:
                    self._pool.shutdown(wait=False)
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="door-side")
                self._spent = 0
            self._spent += cost
            future = self._pool.submit(work)
        try:
            return future.result()
        finally:
            del future  # it and the traceback of a refusal would keep each other alive


def examine(utf8: bytes, logins: Logins) -> Delivery:
    """Gate, login and content, in that order; raises `Refused`."""
    root = parse(utf8)
    valid = read_valid(root) if len(utf8) <= MAX_STRICT_BYTES else None
    if valid is not None:
        user = admitted(valid.username, valid.password, logins)
        return Delivery(user, valid.password, valid.namespace, valid.content)
    opened = open_envelope(root)
    user, password = check_login(opened, logins)
    content = read_content(opened.operation, opened.namespace, opened.element)
    return Delivery(user, password, opened.namespace, content)
