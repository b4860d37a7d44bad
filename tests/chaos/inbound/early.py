"""N11: what is told about a credit before its creation was answered is not lost."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Final

from backoffice.eduix_sandbox.server import SandboxServer
from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.scene import Scene, scene
from tests.chaos.partner import working_with
from tests.chaos.waiting import comes_true
from tests.notifications.sending import PASSWORD, PATH, USER
from tests.outbox.conftest import SCHOOL

ACCEPTED: Final = "9789001234562"  # its publisher accepts, here at once
SECONDS: Final = 5.0  # between what Edu-iX does and its answer
SMOKE_SECONDS: Final = 1.5

EARLY: Final = (
    "SELECT m.label FROM outbox_message m JOIN outbox_attempt a ON a.message_id = m.id"
    " JOIN notifications_notification n ON n.subject = m.label"
    " WHERE m.operation = 'person_credit.push' AND n.applied_at < a.finished_at"
)
HELD: Final = (
    "SELECT c.distributor_person_credit_id, c.push_state, c.specification_state, p.user_id <> ''"
    " FROM credits_personcredit c JOIN persons_schoolperson s ON s.id = c.school_person_id"
    " JOIN persons_person p ON p.id = s.person_id"
)


def run(workshop: Workshop, size: Size, broken: str = "") -> Outcome:
    """Only credits count that were told about, and applied, while their creation was open."""
    keys = [f"C{at}" for at in range(size.of(200, smoke=8, quick=24))]
    seconds = SMOKE_SECONDS if size is Size.SMOKE else SECONDS
    with scene(workshop, workshop.kinds[0], "n11", broken=broken) as here:
        door, sender = here.door()
        with SandboxServer(
            schools=[SCHOOL | {"prematch": True}],
            pace=0,
            endpoint=f"http://127.0.0.1:{sender.port}{PATH}",
            endpoint_username=USER,
            endpoint_password=PASSWORD,
            notify_threads=4,
        ) as sandbox:
            here.environ = working_with(sandbox)
            worker = here.worker()
            made = {"per_person": 1, "organisation": SCHOOL["organisationID"]}
            worker.ask({"do": "credits", "keys": keys, "ean": ACCEPTED, **made})
            sandbox.control.trouble(
                "delay", "createPersonCredit", times=len(keys), seconds=seconds, after=True
            )
            door.wait_for_port(sender.port)
            worker.ask({"do": "push", "keys": keys})
            is_over = comes_true(lambda: _is_over(here, sandbox))
            early = {key for (key,) in workshop.query(here.database, EARLY)}
            outcome = Outcome(tried=len(early))
            if not is_over:
                outcome.violations.append("messages or notifications were left over")
            outcome.violations += _violations(here, sandbox, keys)
    outcome.remarks.append(f"{len(keys)} credits, each answered {seconds:g} s late")
    return outcome


def _is_over(here: Scene, sandbox: SandboxServer) -> bool:
    return (
        here.count("status <> 'done'", "outbox_message") == 0
        and sandbox.control.wait_until_quiet(1)
        and here.is_settled()
    )


def _violations(here: Scene, sandbox: SandboxServer, keys: list[str]) -> list[str]:
    held = {key: rest for key, *rest in here.workshop.query(here.database, HELD)}
    wrong = [
        f"{key} is {held[key]} with us"
        for key in keys
        if [held[key][0], held[key][1], bool(held[key][2])] != ["in_sync", "Specified", True]
    ]
    made = Counter(
        row.subject for row in sandbox.control.ledger(operation="createPersonCredit", applied=True)
    )
    wrong += [f"{key} was made {number} times" for key, number in made.items() if number != 1]
    there = sorted(row.key for row in sandbox.control.rows("personCredit"))
    if there != sorted(keys) or len(held) != len(keys):
        wrong.append(f"{len(held)} credits here and {len(there)} at Edu-iX, for {len(keys)}")
    return wrong


EXPERIMENTS: Final = (
    Experiment(
        name="N11",
        promise="What is told about a credit before its creation was answered is not lost",
        run=run,
        control=partial(run, broken="answers overwrite"),
        broken="the answer writes the whole row as it was sent",
    ),
)
