"""Cells escape what they show and leave out what is not there."""

from __future__ import annotations

from backoffice.screens.cells import (
    Problem,
    dotted,
    first_sentence,
    link,
    pill,
    problem_cell,
    quiet_cell,
    two_lines,
)

EVIL = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_every_cell_escapes_what_it_shows() -> None:
    problem = Problem(EVIL, EVIL, "/x", EVIL, EVIL, (EVIL,))

    for cell in (
        pill("bad", EVIL),
        link("/x", EVIL),
        link("", EVIL),
        two_lines(EVIL, EVIL),
        two_lines(EVIL),
        dotted([EVIL, EVIL]),
        problem_cell(problem),
        quiet_cell(EVIL),
    ):
        assert EVIL not in cell
        assert SAFE in cell


def test_an_address_cannot_leave_its_attribute() -> None:
    assert '"onclick' not in link('/x"onclick="alert(1)', "text")


def test_a_problem_without_a_next_step_has_no_link() -> None:
    cell = problem_cell(Problem("Wrong", "Because.", owner="Us", notes=("code 6", "")))

    assert cell == (
        '<div class="why"><b>Wrong.</b> Because.<div class="owner">Us · code 6</div></div>'
    )


def test_a_list_shows_the_first_sentence_of_a_cause() -> None:
    assert first_sentence("One. Two.") == "One."
    assert first_sentence("Only one.") == "Only one."
    assert first_sentence("") == ""
