"""P13: rows change at Edu-iX behind our back, and the comparison says which."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.eduix_sandbox.store import Store
from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.outbound.office import open_office
from tests.outbox.conftest import SCHOOL

Keys = dict[str, str]  # kind of row -> its key
Difference = tuple[str, str, str]  # what, kind, key

QUIET: Final = 100_000.0  # no portal and no publisher makes differences of its own


def _changed(kind: str, table: str, **fields: str) -> Callable[[Store, Keys], Difference]:
    def change(store: Store, keys: Keys) -> Difference:
        row: Any = store.tables[table].get(keys[kind])
        store.tables[table].put(replace(row, fields={**row.fields, **fields}))
        return "differs", kind, keys[kind]

    return change


def _gone(kind: str, table: str) -> Callable[[Store, Keys], Difference]:
    def remove(store: Store, keys: Keys) -> Difference:
        store.tables[table].remove(keys[kind])
        return "gone", kind, keys[kind]

    return remove


def _extra(store: Store, keys: Keys) -> Difference:
    """A credit that only they have."""
    key = f"X{keys['person_credit']}"
    row: Any = store.person_credits.get(keys["person_credit"])
    fields = {**row.fields, "distributorPersonCreditID": key}
    store.person_credits.put(replace(row, key=key, fields=fields))
    return "extra", "person_credit", key


def _returned(store: Store, keys: Keys) -> Difference:
    """Given back in another way; what is theirs to say is taken over."""
    row: Any = store.person_credits.get(keys["person_credit"])
    store.person_credits.put(replace(row, returned=1))
    return "taken_over", "person_credit", keys["person_credit"]


CHANGES: Final = (
    _changed("person", "person", surname="Anders"),
    _changed("schoolperson", "schoolperson", role="Teacher"),
    _changed("person_credit", "personCredit", creditEndDate="2027-01-31"),
    _gone("person", "person"),
    _gone("person_credit", "personCredit"),
    _extra,
    _returned,
)
OF_SCHOOL: Final = _changed("school_credit", "schoolCredit", contactName="Hr. Vos")


def drift(workshop: Workshop, size: Size) -> Outcome:
    """Eight kinds of differences among equal rows: all are found and nothing else is."""
    return _compared(workshop, size)


def without_comparing(workshop: Workshop, size: Size) -> Outcome:
    """The same where two records of one key count as equal."""
    return _compared(workshop, size, "no_comparing")


def _compared(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    persons = size.of(750, smoke=30, quick=100)
    wrong, wrong_pools = size.of(88, smoke=14, quick=42), size.of(12, smoke=2, quick=6)
    sandbox = SandboxServer(schools=[SCHOOL], pace=QUIET)
    with open_office(workshop, sandbox=sandbox) as office:
        rows = office.ask("equal", persons=persons, pools=wrong_pools + 4)
        expected = _spoil(sandbox, rows, wrong, wrong_pools)
        told = json.loads(office.manage("reconcile", "--json", patches=patches))
    found = {(one["what"], one["kind"], one["key"]) for one in told["differences"]}
    outcome = Outcome(len(expected))
    outcome.violations += [f"not found: {' '.join(one)}" for one in sorted(expected - found)]
    outcome.violations += [f"not true: {' '.join(one)}" for one in sorted(found - expected)]
    if told["compared"] != persons + 1:
        outcome.violations.append(f"{told['compared']} of {persons + 1} compared")
    kinds = Counter(what for what, _kind, _key in found)
    equal = persons * 3 + wrong_pools + 4 - len(expected)
    outcome.remarks.append(f"{dict(kinds)} among {equal} equal rows")
    return outcome


def _spoil(
    sandbox: SandboxServer, rows: dict[str, list[Keys]], wrong: int, wrong_pools: int
) -> set[Difference]:
    chance = Random(13)  # noqa: S311  a repeatable choice
    store = sandbox._world.store  # type: ignore[union-attr]  # no control changes a row
    with store.change():
        made = {
            CHANGES[number % len(CHANGES)](store, keys)
            for number, keys in enumerate(chance.sample(rows["persons"], wrong))
        }
        return made | {OF_SCHOOL(store, keys) for keys in chance.sample(rows["pools"], wrong_pools)}


EXPERIMENTS: Final = (
    Experiment(
        "P13",
        "A comparison finds every row that differs at Edu-iX, and names no equal one",
        drift,
        without_comparing,
        "two records of one key count as equal",
    ),
)
