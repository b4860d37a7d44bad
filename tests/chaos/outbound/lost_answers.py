"""P2: the answer to a push is lost on its way, in seven manners, for every operation."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.outbound.faulty_line import FAULTS, FaultyLine
from tests.chaos.outbound.office import open_office

WRITING: Final = (
    "createPerson",
    "updatePerson",
    "deletePerson",
    "updatePersonID",
    "mergePerson",
    "createSchoolperson",
    "updateSchoolperson",
    "deleteSchoolperson",
    "createPersonCredit",
    "updatePersonCredit",
    "createSchoolCredit",
    "updateSchoolCredit",
    "returnCredit (person)",
    "returnCredit (school)",
)
"""What changes something at Edu-iX, as the matrix of operations names it."""

_KEY: Final = re.compile(r"[A-Z](\d{6})")
WAIT_SECONDS: Final = 600.0


def lost_answers(workshop: Workshop, size: Size) -> Outcome:
    """Each fault meets each operation; in the suite each operation meets two."""
    return _spoiled(workshop, size, "short_deadline", "short_rests")


def not_asked(workshop: Workshop, size: Size) -> Outcome:
    """The same where an uncertain message is sent again without a question."""
    return _spoiled(workshop, size, "short_deadline", "short_rests", "no_question")


def _spoiled(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    pairs = [(given, fault) for given in WRITING for fault in FAULTS]
    if size is Size.SMOKE:
        pairs = [pair for number, pair in enumerate(pairs) if number % 3 == 0]
    pairs *= size.of(10, smoke=1, quick=1)
    Random(2).shuffle(pairs)  # noqa: S311  an order, no secret
    with open_office(workshop) as office:
        line = FaultyLine(office.sandbox.port)
        with line.open():
            office.address = line.address
            intents = [
                (str(one["operation"]), int(one["number"]))
                for one in office.ask("cases", given=[given for given, _fault in pairs])
            ]
            faults = {intent: fault for intent, (_given, fault) in zip(intents, pairs, strict=True)}
            line.plan |= faults
            ledger = office.sandbox.control.ledger
            before = len(ledger())
            sender = office.sender(*patches)
            office.wait_until_sent(WAIT_SECONDS, sender)
            applied = Counter(
                (row.operation, _number(row.subject)) for row in ledger(applied=True, since=before)
            )
            outcome = Outcome(len(intents), office.unfinished())
            if line.plan:
                outcome.violations.append(f"{len(line.plan)} intents never reached Edu-iX")
        outcome.violations += [
            f"{operation} {number} after {faults[operation, number]}: applied {times} times"
            for operation, number in intents
            if (times := applied[operation, number])
            != 1 + _is_applied_again(operation, faults[operation, number])
        ]
        made = ", ".join(f"{count} {fault}" for fault, count in sorted(line.met.items()))
        outcome.remarks.append(made)
    return outcome


def _number(subject: str) -> int:
    """The number in a key such as K000012, which only one intent has."""
    found = _KEY.search(subject)
    return int(found[1]) if found else 0


def _is_applied_again(operation: str, fault: str) -> bool:
    """The line itself sent it twice, and an update has nothing that tells a second one apart."""
    return (
        fault == "duplicate request"
        and operation.startswith("update")
        and operation != ("updatePersonID")
    )


EXPERIMENTS: Final = (
    Experiment(
        "P2",
        "A push whose answer was lost is never applied twice, and ends well by itself",
        lost_answers,
        not_asked,
        "what is uncertain is sent again without a question",
    ),
)
