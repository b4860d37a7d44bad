"""What all tests rely on: the tables after a test that commits, and who runs where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from persons.models import Person
from tests import conftest
from tests.factories import PersonFactory
from tests.spread import THEN, TOGETHER, Spread, turn
from tests.tables import Tables

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.django_db(transaction=True)
def test_what_tests_wrote_goes_and_what_migrations_wrote_stays() -> None:
    tables = Tables()
    rights = set(Permission.objects.filter(group__name="Meelezer").values_list("pk", flat=True))
    assert rights
    PersonFactory()
    Group.objects.create(name="new")
    Group.objects.get(name="Meelezer").delete()

    tables.restore()

    assert not Person.objects.exists()
    assert set(Group.objects.values_list("name", flat=True)) == {
        "Accountmanager",
        "Beheerder",
        "Meelezer",
    }
    found = Permission.objects.filter(group__name="Meelezer").values_list("pk", flat=True)
    assert set(found) == rights
    assert ContentType.objects.get_for_model(Person).pk is not None


@pytest.mark.parametrize("place", [*TOGETHER, *THEN])
def test_what_is_spread_with_care_is_where_the_table_says(place: str) -> None:
    assert (ROOT / place).exists()


def test_tests_of_one_demo_stay_together_and_come_before_all_others() -> None:
    spread = Spread.__new__(Spread)
    one, other = "tests/browser/test_why.py::test_a[x]", "tests/browser/test_why.py::test_b"
    alone = "tests/test_suite.py::test_c"

    assert spread._split_scope(one) == spread._split_scope(other)
    assert spread._split_scope(alone) == alone
    assert turn(one) < turn(alone)


def test_experiments_make_two_chains() -> None:
    spread = Spread.__new__(Spread)
    chains = {
        spread._split_scope(f"tests/chaos/test_smoke.py::test_the_promise_holds[{name}]")
        for name in ("N1", "S14", "P1", "P13")
    }

    assert len(chains) == 2


class Item:
    """What of a test tells in which run it is."""

    nodeid = "tests/test_x.py::test_x"

    def __init__(self, *fixtures: str, marker: str = "") -> None:
        self.fixturenames = fixtures
        self._marker = marker

    def get_closest_marker(self, name: str) -> object:
        return self if name == self._marker else None


def test_a_test_for_postgresql_that_no_run_would_make_stops_the_suite() -> None:
    twice: Any = [Item("postgresql", "db"), Item("postgresql", marker="django_db")]
    without_database: Any = Item("postgresql")
    in_chromium: Any = Item("postgresql", "db", marker="browser")

    conftest.check_second_run(twice)
    for lost in (without_database, in_chromium):
        with pytest.raises(pytest.UsageError, match="test_x"):
            conftest.check_second_run([lost])


@pytest.mark.parametrize(
    ("required", "reason", "outcome"),
    [
        ("1", "nginx cannot be reached", "failed"),
        ("0", "nginx cannot be reached", "skipped"),
        ("1", conftest.SECOND_RUN, "skipped"),
    ],
)
def test_where_services_are_required_nothing_is_skipped(
    required: str, reason: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_SERVICES", required)
    skipped = ("tests/test_x.py", 1, f"Skipped: {reason}")
    report = pytest.TestReport("x", ("x", 1, "x"), {}, "skipped", skipped, "call")
    hook = conftest.pytest_runtest_makereport()
    next(hook)

    with pytest.raises(StopIteration):
        hook.send(report)

    assert report.outcome == outcome
