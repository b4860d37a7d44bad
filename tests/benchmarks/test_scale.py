from benchmarks.scale import QUICK


def test_rounds_go_forwards_and_backwards() -> None:
    assert QUICK.in_turn("abc", 0) == ["a", "b", "c"]
    assert QUICK.in_turn("abc", 1) == ["c", "b", "a"]
    assert QUICK.in_turn("abc", 2) == ["a", "b", "c"]
