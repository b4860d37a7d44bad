"""Log lines say where something went wrong, never what stood in the data."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from backoffice.logs import JsonFormatter

NAME = "Fatima de Vries"


def logged(**fields: Any) -> dict[str, Any]:
    """What one line of the log holds after an error that is being handled now."""
    record = logging.LogRecord(
        "app", logging.ERROR, __file__, 1, "broken", None, sys.exc_info() if fields == {} else None
    )
    vars(record).update(fields)
    line: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return line


def refuse() -> None:
    raise ValueError(f"Key (last_name)=({NAME}) already exists")


def test_a_line_has_time_level_logger_event_and_fields() -> None:
    line = logged(rows=3)

    assert line["event"] == "broken"
    assert line["level"] == "error"
    assert line["logger"] == "app"
    assert line["rows"] == 3
    assert line["time"].endswith("+00:00")
    assert "traceback" not in line


def test_a_traceback_has_types_and_frames_but_no_text_of_the_exception() -> None:
    try:
        refuse()
    except ValueError:
        line = logged()

    assert NAME not in json.dumps(line)
    lines = line["traceback"].splitlines()
    assert lines[0] == "builtins.ValueError"
    assert lines[-1].startswith(f"  {__file__}:")
    assert lines[-1].endswith(" refuse")


def test_the_cause_and_what_was_being_handled_are_named_without_their_text() -> None:
    try:
        try:
            try:
                refuse()
            except ValueError as problem:
                raise KeyError(NAME) from problem
        except KeyError:
            raise RuntimeError(NAME)  # noqa: B904  what is being handled belongs to the test
    except RuntimeError:
        line = logged()

    assert NAME not in json.dumps(line)
    names = [part for part in line["traceback"].splitlines() if not part.startswith("  ")]
    assert names == [
        "builtins.ValueError",
        "the cause of:",
        "builtins.KeyError",
        "while it was handled:",
        "builtins.RuntimeError",
    ]


def test_notes_and_the_parts_of_a_group_keep_their_text_to_themselves() -> None:
    try:
        problem = OSError(NAME)
        problem.add_note(NAME)
        raise ExceptionGroup(NAME, [problem])
    except ExceptionGroup:
        line = logged()

    assert NAME not in json.dumps(line)
    assert "one of the group:\nbuiltins.OSError" in line["traceback"]


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    try:
        raise first
    except ValueError:
        line = logged()

    assert line["traceback"].count("builtins.ValueError") == 1
