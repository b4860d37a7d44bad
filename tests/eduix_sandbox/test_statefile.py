"""The file of the state: kept, guarded, and refused with one line when it is no good."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from backoffice.eduix_sandbox.statefile import StateFile, StateFileError


def test_rows_are_kept_replaced_and_removed(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state")
    file.write([("person", "a", {"n": 1}), ("person", "b", {"n": 2})], [(1, {"x": 1})])
    file.write([("person", "a", {"n": 3}), ("person", "b", None)], [])

    assert list(file.rows()) == [("person", {"n": 3})]
    assert list(file.ledger()) == [{"x": 1}]


def test_a_write_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state")
    file.write([], [(1, {})])

    with pytest.raises(sqlite3.IntegrityError):
        file.write([("person", "a", {})], [(1, {})])

    assert list(file.rows()) == []


def test_a_fresh_file_forgets_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state"
    old = StateFile(path)
    old.write([("person", "a", {})], [])
    old.close()

    assert list(StateFile(path, fresh=True).rows()) == []


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    StateFile(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first = StateFile(path)
    first.write([("person", "a", {})], [])

    with pytest.raises(StateFileError, match="locked"):
        StateFile(path)


@pytest.mark.parametrize("content", [b"this is no database at all, not even nearly", b"\0" * 4096])
def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state"
    path.write_bytes(content)

    with pytest.raises(StateFileError) as refused:
        StateFile(path)

    assert "\n" not in str(refused.value)
    assert path.read_bytes() == content


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFileError):
        StateFile(tmp_path / "nowhere" / "state")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(StateFileError, match="another version"):
        StateFile(path)
