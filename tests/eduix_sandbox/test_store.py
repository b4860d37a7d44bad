"""A change happens wholly or not at all, and is kept before it ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from backoffice.eduix_sandbox.rows import Credit, Entry, LedgerRow, Person, Row
from backoffice.eduix_sandbox.statefile import StateFile
from backoffice.eduix_sandbox.store import Store


def row(subject: str) -> LedgerRow:
    return LedgerRow(0, "", "profile", "createPerson", subject, "", "", applied=True)


def test_an_exception_takes_everything_back(tmp_path: Path) -> None:
    store = Store(StateFile(tmp_path / "state"))
    with store.change():
        store.persons.put(Person("P1", 1, {}))

    def fail_half_way() -> None:
        with store.change():
            store.persons.put(Person("P2", 2, {}))
            store.persons.remove("P1")
            store.write_down(row("person:P2"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert [person.key for person in store.persons] == ["P1"]
    assert store.ledger() == []


def test_a_file_that_cannot_be_written_takes_the_change_back(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state")
    store = Store(file)
    file.close()

    with pytest.raises(Exception, match="closed"), store.change():
        store.persons.put(Person("P1", 1, {}))

    assert len(store.persons) == 0


def test_a_change_inside_a_change_is_part_of_it() -> None:
    store = Store()

    def fail_after_the_inner_change() -> None:
        with store.change():
            with store.change():
                store.persons.put(Person("P1", 1, {}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_the_inner_change()

    assert len(store.persons) == 0


def test_listeners_hear_the_keys_of_their_kind() -> None:
    store = Store()
    heard: list[list[str]] = []
    store.subscribe("person", heard.append)

    with store.change():
        store.persons.put(Person("P1", 1, {}))
        store.persons.put(Person("P1", 1, {"surname": "x"}))
    with store.change():
        store.write_down(row("nobody"))
    store.unsubscribe("person")
    with store.change():
        store.persons.put(Person("P2", 2, {}))

    assert heard == [["P1"]]


def test_the_ledger_is_numbered_and_timed() -> None:
    store = Store()

    with store.change():
        first, second = store.write_down(row("a")), store.write_down(row("b"))

    assert (first.number, second.number) == (1, 2)
    assert first.at.endswith("+00:00")
    assert store.ledger() == [first, second]


def test_everything_is_read_again_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    credit = Credit("C1", {"ean": "1", "organisationID": "x"}, 1, (Entry(2, "r", 117),))
    first = Store(StateFile(path))
    with first.change():
        first.persons.put(Person("P1", 5_000_000_000, {"surname": "van 't Hóf"}, "u"))
        first.school_credits.put(credit)
        first.persons.put(Person("P2", 2, {}))
        first.write_down(row("person:P1"))
    with first.change():
        first.persons.remove("P2")
    first.close()

    second = Store(StateFile(path))

    kept: list[Row] = [*second.persons, *second.school_credits]
    assert kept == [Person("P1", 5_000_000_000, {"surname": "van 't Hóf"}, "u"), credit]
    assert second.persons.first("user", "u") is not None
    assert [entry.subject for entry in second.ledger()] == ["person:P1"]


def test_a_cleared_store_is_empty_in_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store = Store(StateFile(path))
    with store.change():
        store.persons.put(Person("P1", 1, {}))
        store.write_down(row("x"))

    store.clear()
    store.close()

    again = Store(StateFile(path))
    assert (len(again.persons), again.ledger()) == (0, [])


def test_changes_of_many_threads_do_not_mix() -> None:
    store = Store()

    def add(number: int) -> None:
        for step in range(50):
            with store.change():
                store.persons.put(Person(f"{number}-{step}", number * 100 + step, {}))
                store.write_down(row(f"{number}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store.persons) == 400
    assert [entry.number for entry in store.ledger()] == list(range(1, 401))
