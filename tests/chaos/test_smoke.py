"""Every experiment in its smallest form, and that its control goes red.

The quick form runs in CI (`make chaos QUICK=1`), the full one on demand (`make chaos`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.workshop import Workshop, open_workshop
from tests.chaos.experiment import Experiment, NotHere, Outcome, Run, Size, experiments
from tests.conftest import need
from tests.postgresql import postgresql as address_of_postgresql

EXPERIMENTS = experiments()
each = pytest.mark.parametrize("one", EXPERIMENTS, ids=[one.name for one in EXPERIMENTS])


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with open_workshop(address_of_postgresql()) as made:
        yield made


@each
def test_the_promise_holds(one: Experiment, workshop: Workshop) -> None:
    outcome = made(one.run, workshop)

    assert outcome.tried > 0
    assert outcome.violations == []


@each
def test_the_control_goes_red(one: Experiment, workshop: Workshop) -> None:
    assert made(one.control, workshop).violations


def made(run: Run, workshop: Workshop) -> Outcome:
    try:
        return run(workshop, Size.SMOKE)
    except NotHere as reason:
        need(False, str(reason))
        raise AssertionError("unreachable") from reason
