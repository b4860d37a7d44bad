from __future__ import annotations

from benchmarks.figures import Cost, CostTable, Figure, Ratio, Row, Table
from benchmarks.report import printed


def test_a_table_shows_rows_ratios_targets_and_what_is_wrong() -> None:
    table = Table(
        "Notifications in",
        [
            Row("product", "the door", [Figure(2500.4, 2.85, 8.29, 412.0, 195.0)]),
            Row("peer", "spyne on Django", note="spyne is not installed"),
            Row("limit", "bare WSGI", [Figure(5000.0, 1.0, 2.0)]),
        ],
        [
            Ratio("the door / bare WSGI", (0.5, 0.4, 0.6), 0.85),
            Ratio("the door / a view", (2.0,)),
        ],
        ["the door accepted 3, stored 2 (2 different)"],
    )

    lines = printed(table).splitlines()

    assert lines[0] == "Notifications in"
    assert lines[2].split() == ["product", "the", "door", "2,500", "2.85", "8.29", "412", "195"]
    assert lines[3].endswith("spyne is not installed")
    assert lines[4].split()[-2:] == ["-", "-"]
    assert "0.50  (0.40 to 0.60)" in lines[5]
    assert lines[5].endswith("at least 0.85: NOT MET")
    assert lines[6].endswith("2.00")
    assert lines[7] == "  WRONG: the door accepted 3, stored 2 (2 different)"


def test_a_table_of_costs_shows_microseconds() -> None:
    table = CostTable(
        "One notification",
        [Cost("product", "handled", (30.0, 32.0, 90.0)), Cost("peer", "spyne", note="not there")],
        [Ratio("handled / parse", (3.4,), 4.0, is_ceiling=True)],
    )

    lines = printed(table).splitlines()

    assert lines[2].split() == ["product", "handled", "32.0"]
    assert lines[3].endswith("not there")
    assert lines[4].endswith("at most 4: met")
