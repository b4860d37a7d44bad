"""Keys come out when they are due, soonest first."""

from __future__ import annotations

import threading
import time

from backoffice.eduix_sandbox.agenda import Agenda


def test_the_soonest_key_comes_first() -> None:
    agenda = Agenda()
    agenda.add("late", time.time() - 1)
    agenda.add("early", time.time() - 2)

    assert [agenda.take(), agenda.take()] == ["early", "late"]


def test_a_key_is_not_handed_out_before_its_time() -> None:
    agenda = Agenda()
    begun = time.monotonic()
    agenda.add("soon", time.time() + 0.1)

    assert agenda.take() == "soon"
    assert time.monotonic() - begun >= 0.09


def test_a_sooner_key_overtakes_the_one_that_is_waited_for() -> None:
    agenda = Agenda()
    agenda.add("late", time.time() + 60)
    taken: list[str | None] = []
    taker = threading.Thread(target=lambda: taken.append(agenda.take()))
    taker.start()

    agenda.add("now", time.time())

    taker.join(2)
    assert taken == ["now"]


def test_a_closed_agenda_lets_its_takers_go() -> None:
    agenda = Agenda()
    taken: list[str | None] = []
    takers = [threading.Thread(target=lambda: taken.append(agenda.take())) for _ in range(3)]
    for taker in takers:
        taker.start()

    agenda.close()

    for taker in takers:
        taker.join(2)
    assert taken == [None, None, None]
