"""The table of publishers decides by the first digits, and repeats with its seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backoffice.eduix_sandbox.publishers import Publishers, PublishersError


@pytest.mark.parametrize(
    ("prefix", "seconds", "does", "code"),
    [
        ("9789001", 1.0, "accepts", None),
        ("9789006", 2.0, "accepts", None),
        ("9789011", 1.0, "accepts", None),
        ("9789020", 30.0, "accepts", None),
        ("9789028", 1.0, "refuses", 2041),
        ("9789034", 1.0, "refuses", 117),
        ("9789086", None, "stays silent", None),
    ],
)
def test_the_first_seven_digits_decide(
    prefix: str, seconds: float | None, does: str, code: int | None
) -> None:
    publishers = Publishers()

    behaviour = publishers.behaviour(f"{prefix}123456")
    assert (behaviour.does, behaviour.error_code) == (does, code)
    assert publishers.seconds(f"{prefix}123456") == seconds


def test_any_other_publisher_accepts_after_a_second_or_two() -> None:
    waits = {Publishers().seconds(f"978123456{number:04}") for number in range(200)}

    assert len(waits) > 100
    assert all(wait is not None and 1 <= wait <= 2 for wait in waits)


def test_the_wait_of_an_ean_repeats_with_the_seed() -> None:
    ean = "9781234567897"

    assert Publishers(seed=3).seconds(ean) == Publishers(seed=3).seconds(ean)
    assert Publishers(seed=3).seconds(ean) != Publishers(seed=4).seconds(ean)


def test_the_longest_prefix_wins(tmp_path: Path) -> None:
    path = tmp_path / "publishers.json"
    accepts = {"does": "accepts"}
    silent = {"prefix": "97890011", "does": "stays silent"}
    rows = [{"prefix": "978", **accepts}, silent, {"prefix": "9789001", **accepts}]
    path.write_text(json.dumps({"default": accepts, "publishers": rows}))

    assert Publishers(path).behaviour("9789001100000").prefix == "97890011"
    assert Publishers(path).behaviour("9789001200000").prefix == "9789001"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"default": {"does": "dances"}, "publishers": []}',
        '{"default": {"does": "accepts"}, "publishers": [{"prefix": "1", "does": "refuses"}]}',
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "publishers.json"
    path.write_text(text)

    with pytest.raises(PublishersError, match=r"publishers\.json"):
        Publishers(path)
