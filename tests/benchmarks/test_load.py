from __future__ import annotations

from itertools import count

import pytest

from benchmarks.load import Job, percentile, run
from tests.benchmarks.servers import OK, serving


def job(port: int, **changes: object) -> Job:
    fields: dict[str, object] = {
        "port": port,
        "path": "/",
        "parts": ["<a>", "</a><b>", "</b>"],
        "prefix": "K",
        "connections": 4,
        "requests": 50,
    }
    return Job(**(fields | changes))  # type: ignore[arg-type]


def test_every_body_is_sent_once_and_no_two_are_equal() -> None:
    bodies: list[bytes] = []

    def reply(body: bytes) -> bytes:
        bodies.append(body)
        return OK

    with serving(reply) as port:
        outcome = run(job(port))

    assert outcome.statuses == {"200": 50}
    assert outcome.accepted == 50
    assert outcome.refused == 0
    assert sorted(bodies) == [
        b"<a>K%08d</a><b>K%08d</b>" % (number, number) for number in range(50)
    ]


def test_a_load_by_time_ends_and_counts_what_was_answered() -> None:
    with serving(lambda body: OK) as port:
        outcome = run(job(port, requests=0, seconds=0.1))

    assert outcome.seconds >= 0.1
    assert outcome.accepted > 0
    assert 0 < outcome.p50_ms <= outcome.p99_ms


def test_a_paced_load_sends_no_more_than_asked() -> None:
    with serving(lambda body: OK) as port:
        outcome = run(job(port, requests=0, seconds=0.5, per_second=40.0))

    assert 0 < outcome.accepted <= 21  # 40 a second, and the first one at once
    assert outcome.refused == 0


def test_other_answers_are_counted_by_their_status() -> None:
    numbers = count()
    busy = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"

    with serving(lambda body: busy if next(numbers) % 5 == 0 else OK) as port:
        outcome = run(job(port))

    assert outcome.statuses == {"200": 40, "503": 10}
    assert outcome.refused == 10


def test_a_connection_that_is_cut_is_counted_and_replaced() -> None:
    numbers = count()

    with serving(lambda body: b"" if next(numbers) == 20 else OK) as port:
        outcome = run(job(port))

    assert outcome.statuses == {"200": 49, "0": 1}


def test_an_answer_in_pieces_is_read_to_its_end() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000

    with serving(lambda body: long) as port:
        outcome = run(job(port, requests=8))

    assert outcome.statuses == {"200": 8}


def test_an_answer_whose_end_cannot_be_told_stops_the_load() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\nfine"

    with serving(lambda body: endless) as port, pytest.raises(ValueError, match="Content-Length"):
        run(job(port))


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_the_percentile_of_nothing_is_nothing() -> None:
    assert percentile([], 0.99) == 0
