"""A stranger's names do not stay in memory, and a known sender is read in its own thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from notifications import reading
from notifications.faults import Refused
from notifications.login import Logins
from notifications.reading import Delivery, Reader, SideThread
from tests.notifications.bodies import GOOD, SECRET
from tests.notifications.conftest import PASSWORD, USER
from tests.notifications.servers import ROOT

LOGINS = Logins([(USER, PASSWORD)])


# Prints the bytes that a fresh process has grown by: elsewhere in the suite, what other tests left
# to the allocator moves the figure.
GROWN = """
from tests.chaos.inbound.product.parsing import resident_bytes  # sets Django up
from notifications import reading
from notifications.faults import Refused
from notifications.login import Logins

def read_made_up(reader, numbers):
    for number in numbers:
        names = " ".join(f'x{number}y{index}="1"' for index in range(16_000))
        try:
            reader.read(f"<a {names}/>".encode(), Logins([]))
        except Refused:
            continue
        raise AssertionError("a stranger was let in")

reading.STRANGERS_BYTES = %d
reader = reading.Reader()
read_made_up(reader, range(20))
before = resident_bytes()
read_made_up(reader, range(100, 150))
print(resident_bytes() - before)
"""


def grown(strangers_bytes: int) -> int:
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", GROWN % strangers_bytes],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system has no /proc")
def test_names_that_strangers_make_up_do_not_fill_the_memory() -> None:
    in_the_threads_of_the_server = grown(10**9)

    assert in_the_threads_of_the_server > 30_000_000
    assert grown(reading.STRANGERS_BYTES) < in_the_threads_of_the_server / 2


def _refused(reader: Reader, body: bytes) -> None:
    with pytest.raises(Refused):
        reader.read(body, LOGINS)


def where(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Notes for each body whether it was read in the calling thread."""
    seen: list[bool] = []
    caller = threading.current_thread()

    def examine(utf8: bytes, logins: Logins) -> Delivery:
        seen.append(threading.current_thread() is caller)
        return original(utf8, logins)

    original = reading.examine
    monkeypatch.setattr(reading, "examine", examine)
    return seen


def test_with_few_strangers_everything_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = where(monkeypatch)
    reader = Reader()

    reader.read(GOOD, LOGINS)
    _refused(reader, b"<hello/>")

    assert seen == [True, True]


def test_after_many_strangers_only_tags_seen_before_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "STRANGERS_BYTES", 10)
    seen = where(monkeypatch)
    reader = Reader()
    _refused(reader, b"<somebody-else/>")
    other_value = GOOD.replace(b"C-1001", b"C-1002")

    for body in (GOOD, other_value, other_value.replace(b"Active", b"&#65;ctive")):
        assert reader.read(body, LOGINS).content.parsed["state"] == "Active"
    _refused(reader, GOOD.replace(b"<n:state>", b"<n:state new='name'>").replace(SECRET, b"x"))
    _refused(reader, GOOD[:-5])

    assert seen == [True, False, True, False, False, False]


def test_a_refusal_in_the_side_thread_is_the_same_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    body = GOOD.replace(SECRET, b"wrong")
    with pytest.raises(Refused) as at_once:
        Reader().read(body, LOGINS)
    monkeypatch.setattr(reading, "STRANGERS_BYTES", -1)

    with pytest.raises(Refused) as beside:
        Reader().read(body, LOGINS)

    assert beside.value.answer == at_once.value.answer


def test_the_side_thread_is_replaced_after_its_budget() -> None:
    side = SideThread(budget=100)

    threads = [side.run(threading.current_thread, cost=60) for _ in range(6)]

    assert len(set(threads)) == 3
    assert threading.current_thread() not in threads


def test_many_threads_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STRANGERS_BYTES", -1)
    reader = Reader()
    results: list[str] = []

    def read() -> None:
        for number in range(40):
            body = GOOD.replace(b"C-1001", b"C-%d" % number)
            results.append(reader.read(body, LOGINS).content.subject)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == sorted([f"C-{number}" for number in range(40)] * 8)
