"""Codes and their signs."""

from __future__ import annotations

import pytest

from backoffice.eduix_sandbox.faults import Refusal, field_refusal, incorrect, signed
from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .samples import SCHOOLS, person


def test_a_field_code_is_base_plus_kind_and_names_the_field() -> None:
    refusal = field_refusal(5020, 2, "surname", "at most 50")

    assert refusal.code == 5022
    assert refusal.message == "surname is too long (at most 50)"
    assert incorrect("x").code == 6


def test_the_sign_follows_the_choice_and_an_order_wins() -> None:
    refusal = Refusal(2626, "exists")

    assert signed(refusal, "positive", seed=0, about="x") == 2626
    assert signed(refusal, "negative", seed=0, about="x") == -2626
    assert signed(Refusal(12, "gone", sign=1), "negative", seed=0, about="x") == 12
    assert signed(Refusal(-12, "gone", sign=-1), "positive", seed=0, about="x") == -12


def test_both_signs_are_sent_and_repeat_with_the_seed(caller: Caller) -> None:
    def run() -> list[int]:
        return [
            caller.signed_refusal("updatePerson", person=person(f"nobody-{number}"))
            for number in range(20)
        ]

    first = run()
    assert {7367, -7367} == set(first)
    assert run() == first


@pytest.mark.parametrize(("choice", "code"), [("positive", 7367), ("negative", -7367)])
def test_one_sign_can_be_chosen(choice: str, code: int) -> None:
    with SandboxServer(schools=SCHOOLS, fault_sign=choice) as sandbox:  # type: ignore[arg-type]
        assert Caller(sandbox).signed_refusal("updatePerson", person=person()) == code
