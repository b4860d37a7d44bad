"""N8: an event that breaks its handler, its worker or never ends costs no other event anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks.workshop import Workshop
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.inbound.scene import Scene, scene
from tests.chaos.waiting import PATIENCE

ONE_IN: Final = 50
KINDS: Final = ("EXIT", "LOOP", "RAISE")  # see `product/broken.py`
REASONS: Final = {"EXIT": "stopped_the_worker", "LOOP": "stopped_the_worker", "RAISE": "broke"}
# Only this worker claims anything, so a lease may end before a loop is ended.
WAITS: Final = {
    "notifications.applying.LEASE": 0.5,
    "notifications.applying.BACKOFF": 0.2,
    "notifications.applying.LONGEST": 1.5,
}
STUCK_SECONDS: Final = 5.0  # without an event that is done


def run(
    workshop: Workshop, size: Size, broken: str = "poison", patience: float = PATIENCE
) -> Outcome:
    """The door takes everything first: what is poison is claimed together with all others."""
    keys = _keys(size.of(2000, smoke=45))
    waits = WAITS | ({"notifications.applying.MAX_TRIES": 2} if size is Size.SMOKE else {})
    outcome = Outcome(tried=len(keys))
    with scene(workshop, workshop.kinds[0], "n8", broken=broken, waits=waits) as here:
        worker = here.supervised()
        worker.ask({"do": "persons", "keys": keys})
        worker.ask({"do": "told", "users": {key: f"user-{key}" for key in keys}})
        worker.ask({"do": "deliver"})
        here.settles(patience)
        verdicts = here.verdicts()
        outcome.violations += [
            f"{key}: {dict(verdicts.get(key, {}))}"
            for key in keys
            if list(verdicts.get(key, {})) != ["dead" if _is_poison(key) else "applied"]
        ]
        outcome.violations += _without_reason(here)
        if not outcome.violations:
            outcome.violations += _not_mended(workshop, here, keys)
        poisoned = sum(map(_is_poison, keys))
    outcome.remarks.append(f"{len(keys) - poisoned} done, {poisoned} given up and then mended")
    return outcome


def _keys(events: int) -> list[str]:
    """Each kind of poison at least once, the first one at the very beginning."""
    healthy = [f"K{number:05d}" for number in range(events)]
    every = min(ONE_IN, events // len(KINDS))
    for place, start in enumerate(range(0, events - every + 1, every)):
        healthy[start] = f"{KINDS[place % len(KINDS)]}{place}"
    return healthy


def _is_poison(key: str) -> bool:
    return key.startswith(KINDS)


def _without_reason(here: Scene) -> list[str]:
    rows = here.workshop.query(
        here.database,
        "SELECT subject, reason, traceback FROM notifications_notification WHERE verdict = 'dead'",
    )
    return [
        f"{subject} was given up for {reason!r}"
        for subject, reason, traceback in rows
        if _is_poison(subject)
        and (
            reason != REASONS[subject.rstrip("0123456789")]
            or (reason == "broke" and "the handler is broken" not in traceback)
        )
    ]


def _not_mended(workshop: Workshop, here: Scene, keys: list[str]) -> list[str]:
    """Apply the dead ones again, with the product as it is shipped."""
    workshop.stop(*here.children)
    status, said = here.manage("replay", "--open")
    linked = dict(
        workshop.query(here.database, "SELECT distributor_person_id, user_id FROM persons_person")
    )
    wrong = [f"replay ended with {status}: {said}"] if status else []
    wrong += [f"{key} is not linked" for key in keys if linked.get(key) != f"user-{key}"]
    return wrong


def _control(workshop: Workshop, size: Size) -> Outcome:
    """Two mechanisms, each taken away alone."""
    both = Outcome()
    breaks: list[Callable[[Workshop, Size], Outcome]] = [
        partial(run, broken="poison, tried in company", patience=STUCK_SECONDS),
        partial(run, broken="poison, without an end", patience=STUCK_SECONDS),
    ]
    for one in breaks:
        made = one(workshop, size)
        both.tried += made.tried
        both.violations += made.violations
        if not made.violations:
            return made
    return both


EXPERIMENTS: Final = (
    Experiment(
        name="N8",
        promise="A poison event never blocks others and is never dropped",
        run=run,
        control=_control,
        broken="tried again in company; nobody ends what has no end",
    ),
)
