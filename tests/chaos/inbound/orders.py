"""N6: in whatever order the states of a credit are told, we end with what Edu-iX holds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import permutations
from typing import Final

from lxml import etree

from backoffice.eduix_sandbox.server import SandboxServer
from benchmarks.children import Child
from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.scene import Scene, scene, status_of
from tests.chaos.partner import working_with
from tests.chaos.waiting import PATIENCE, comes_true
from tests.eduix_sandbox.endpoint import Endpoint, text_of
from tests.notifications.sending import PASSWORD, USER, Sender
from tests.outbox.conftest import SCHOOL

REFUSED, ACCEPTED = "9789034234565", "9789001234562"  # publishers of the sandbox, by prefix
OK: Final = 200
STATES: Final = 4  # not tried, Fault, Specified, Returned
WAITS: Final = {
    "notifications.taking_over.ASK_AGAIN_AFTER": 0.2,
    "notifications.taking_over.IN_TURN_AFTER": 0.1,
}
# Our rows as they were when the credits were ordered: what came of them is only told.
FORGET: Final = (
    "UPDATE credits_personcredit SET person_product_state = 'Active', specification_state = '',"
    " specification_state_date = NULL, publisher_error_code = NULL, publisher_response_id = '',"
    " specification_changed_at = NULL"
)
HELD: Final = (
    "SELECT distributor_person_credit_id, person_product_state, specification_state"
    " FROM credits_personcredit"
)


def run(workshop: Workshop, size: Size, broken: str = "") -> Outcome:
    """Every second round of 24 credits loses one of its four messages on the way."""
    keys = [f"C{at}" for at in range(size.of(2400, smoke=24, quick=48))]
    outcome = Outcome(tried=len(keys))
    with _partner() as (sandbox, told):
        environ = working_with(sandbox)
        with scene(
            workshop, workshop.kinds[0], "n6", broken=broken, waits=WAITS, environ=environ
        ) as here:
            worker = here.worker()
            door, sender = here.door()
            _live(here, worker, sandbox, keys)
            snapshots = _snapshots(told, keys)
            workshop.query(here.database, FORGET)
            door.wait_for_port(sender.port)
            whole, lossy = _deliver(here, sender, snapshots)
            if not here.settles():
                outcome.violations.append("notifications were left over")
            outcome.violations += _differences(here, sandbox, whole, "")
            lost = len(_differences(here, sandbox, lossy, ""))
            status, said = here.manage("reconcile")
            if status:
                outcome.violations.append(f"reconcile ended with {status}: {said}")
            outcome.violations += _differences(here, sandbox, keys, "after reconciling, ")
            asked = len(sandbox.control.ledger(operation="getPersonCredit"))
    outcome.remarks.append(
        f"{len(whole)} told in full, {len(lossy)} but for one, of which {lost} differed until"
        f" they were compared; Edu-iX was asked {asked} times"
    )
    return outcome


@contextmanager
def _partner() -> Iterator[tuple[SandboxServer, Endpoint]]:
    """The sandbox, and where its notifications go first: none reaches us in its own order."""
    told = Endpoint().start()
    try:
        with SandboxServer(
            schools=[SCHOOL],
            pace=0,
            endpoint=told.url,
            endpoint_username=USER,
            endpoint_password=PASSWORD,
            notify_threads=4,
        ) as sandbox:
            yield sandbox, told
    finally:
        told.stop()


def _live(here: Scene, worker: Child, sandbox: SandboxServer, keys: list[str]) -> None:
    """Each credit is ordered, refused by its publisher, ordered anew, accepted, given back."""
    control = sandbox.control
    made = {"per_person": 6, "organisation": SCHOOL["organisationID"]}
    worker.ask({"do": "credits", "keys": keys, "ean": REFUSED, **made})
    worker.ask({"do": "push", "keys": keys})
    _until_sent(here)
    for key in keys:
        control.notify("specificationChanged", key)
    assert control.wait_until_quiet(PATIENCE)
    for person in control.rows("person"):
        control.link(person.key)
    assert control.wait_until_quiet(PATIENCE, hurry=True)
    worker.ask({"do": "order_instead", "keys": keys, "ean": ACCEPTED})
    _until_sent(here)
    assert control.wait_until_quiet(PATIENCE, hurry=True)
    worker.ask({"do": "give_back", "keys": keys})
    _until_sent(here)
    assert control.wait_until_quiet(PATIENCE, hurry=True)


def _until_sent(here: Scene) -> None:
    assert comes_true(lambda: here.count("status <> 'done'", "outbox_message") == 0)


def _snapshots(told: Endpoint, keys: list[str]) -> dict[str, list[bytes]]:
    """The four states of each credit, as the sandbox told them, oldest first."""
    found: dict[str, dict[tuple[bool, bool, bool], bytes]] = {key: {} for key in keys}
    for root in told.received:
        body = root[-1][0]
        if key := text_of(body, "distributorCreditID"):
            state = (
                text_of(body, "state") == "Returned",
                body.find("{*}specification/{*}responseID") is not None,
                body.find("{*}specification/{*}errorCode") is not None,
            )
            found[key][state] = etree.tostring(root)
    assert all(len(states) == STATES for states in found.values()), found
    return {key: list(states.values()) for key, states in found.items()}


def _deliver(
    here: Scene, sender: Sender, snapshots: Mapping[str, list[bytes]]
) -> tuple[list[str], list[str]]:
    """Deliver each credit's in an order of its own; those told in full, and those with a loss.

    Half of them all at once, the other half one by one: each is applied before the next comes.
    """
    numbers = random.Random(6)  # noqa: S311
    orders = list(permutations(range(STATES)))
    whole: list[str] = []
    lossy: list[str] = []
    plans: dict[str, list[bytes]] = {}
    for place, (key, states) in enumerate(snapshots.items()):
        order = list(orders[place % len(orders)])
        # All orders come in both kinds: each round of 24 begins with the other one.
        if (place + place // len(orders)) % 2:
            order.remove(numbers.randrange(STATES))
            lossy.append(key)
        else:
            whole.append(key)
        plans[key] = [states[at] for at in order]
    plans_of = list(plans.values())
    for turn in range(STATES):
        _post(sender, [plan[turn : turn + 1] for plan in plans_of[: len(plans_of) // 2]])
        assert here.settles()
    _post(sender, plans_of[len(plans_of) // 2 :])
    return whole, lossy


def _post(sender: Sender, plans: list[list[bytes]]) -> None:
    """Side by side; those of one credit one after the other, each until it is accepted."""

    def post(bodies: list[bytes]) -> None:
        for body in bodies:
            assert comes_true(partial(_is_accepted, sender, body))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, plans))


def _is_accepted(sender: Sender, body: bytes) -> bool:
    return status_of(sender, body) == OK


def _differences(here: Scene, sandbox: SandboxServer, keys: list[str], when: str) -> list[str]:
    ours = {key: rest for key, *rest in here.workshop.query(here.database, HELD)}
    theirs = {
        row.key: [row.state, row.specification_state]
        for row in sandbox.control.rows("personCredit")
    }
    return [
        f"{when}{key} is {ours[key]} here and {theirs[key]} at Edu-iX"
        for key in keys
        if ours[key] != theirs[key]
    ]


EXPERIMENTS: Final = (
    Experiment(
        name="N6",
        promise="The states of a credit may be told in any order: we end as Edu-iX holds it",
        run=run,
        control=partial(run, broken="steps back are believed"),
        broken="a step backwards is taken over without asking",
    ),
)
