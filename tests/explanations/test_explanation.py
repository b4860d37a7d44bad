"""What the shape itself tells."""

from __future__ import annotations

from backoffice.explanations import decode

ROW_KEYS = [
    "source", "code", "field", "kind", "title", "cause", "remedy", "owner", "clears_itself", "lang"
]  # fmt: skip


def test_the_row_for_other_programs_has_the_fixed_keys_in_order() -> None:
    assert list(decode.explain_eduix(5022, "nl").as_row()) == ROW_KEYS


def test_owner_source_and_button_speak_the_language_of_the_explanation() -> None:
    dutch, english = decode.explain_eduix(5022, "nl"), decode.explain_eduix(5022, "en")

    assert (dutch.owner, english.owner) == ("wij", "wij")
    assert (dutch.owner_label, english.owner_label) == ("Wij", "Us")
    assert (dutch.action_label, english.action_label) == ("Aanpassen", "Edit")
    assert dutch.source_label == "Edu-iX"


def test_a_state_of_our_own_shows_no_number() -> None:
    state = decode.explain_key("own", "waiting", "nl")

    assert state.number is None
    assert state.reference == "own:waiting"


def test_an_explanation_without_an_action_has_no_words_for_a_button() -> None:
    assert decode.explain_key("own", "usable", "nl").action_label == ""
