"""Rows are found by key and by index, and every change is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from backoffice.eduix_sandbox.tables import Table


@dataclass(frozen=True)
class Book:
    key: str
    shelf: str = ""


def table() -> tuple[Table[Book], list[Any]]:
    journal: list[Any] = []
    return Table("book", lambda data: Book(**data), journal, shelf=lambda row: row.shelf), journal


def test_rows_are_found_by_key_and_by_index_in_order_of_arrival() -> None:
    books, _ = table()
    for key, shelf in (("b", "1"), ("a", "1"), ("c", "2")):
        books.put(Book(key, shelf))

    assert books.get("a") == Book("a", "1")
    assert [book.key for book in books.find("shelf", "1")] == ["b", "a"]
    assert books.first("shelf", "2") == Book("c", "2")
    assert books.first("shelf", "3") is None
    assert "a" in books
    assert len(books) == 3


def test_an_empty_value_finds_nothing() -> None:
    books, _ = table()
    books.put(Book("a"))

    assert books.find("shelf", "") == []


def test_a_replaced_row_leaves_its_old_place_in_the_index() -> None:
    books, _ = table()
    books.put(Book("a", "1"))
    books.put(Book("a", "2"))

    assert books.find("shelf", "1") == []
    assert [book.key for book in books.find("shelf", "2")] == ["a"]


def test_a_removed_row_is_nowhere() -> None:
    books, _ = table()
    books.put(Book("a", "1"))
    books.remove("a")

    assert books.get("a") is None
    assert books.find("shelf", "1") == []
    with pytest.raises(KeyError):
        books.remove("a")


def test_the_journal_holds_what_stood_there_before() -> None:
    books, journal = table()
    books.put(Book("a", "1"))
    books.put(Book("a", "2"))
    books.remove("a")

    before = [(key, old.shelf if old else None) for _, key, old in journal]
    assert before == [("a", None), ("a", "1"), ("a", "2")]
