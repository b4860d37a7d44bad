"""`python -m tests.chaos`: every experiment with its negative control; `--quick` a tenth of it.

Exit status 0 when no promise was broken and every control was; `--only N1,P3` runs these.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import traceback

from benchmarks.workshop import Workshop, open_workshop
from tests.chaos.experiment import Experiment, NotHere, Outcome, Run, Size, experiments
from tests.postgresql import postgresql

SHOWN = 5  # violations of one experiment that are printed


def main() -> int:
    # Whoever ends us, as a CI that has waited too long, must not find processes left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    size = Size.SMOKE if options.smoke else Size.QUICK if options.quick else Size.FULL
    chosen = [one for one in experiments() if not options.only or one.name in options.only]
    missing = set(options.only) - {one.name for one in chosen}
    if missing:
        print(f"There is no experiment {', '.join(sorted(missing))}.", file=sys.stderr)
        return 2
    started = time.monotonic()
    failed: list[str] = []
    left_out: list[str] = []
    for one in chosen:
        with open_workshop(postgresql()) as workshop:
            try:
                if not _holds(one, workshop, size):
                    failed.append(one.name)
            except NotHere as reason:
                print(f"{one.name:4} NOT TESTED HERE: {reason}", flush=True)
                left_out.append(one.name)
    if left_out and os.environ.get("REQUIRE_SERVICES") == "1":
        failed += left_out
    passed = len(chosen) - len(set(failed) | set(left_out))
    print(f"chaos, {size.value}: {time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {len(failed)} failed, {len(set(left_out) - set(failed))} skipped")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the numbers")
    parser.add_argument("--smoke", action="store_true", help="a kill or two, as in the suite")
    parser.add_argument(
        "--only",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        default=[],
        help="names, separated by commas",
    )
    return parser.parse_args()


def _holds(one: Experiment, workshop: Workshop, size: Size) -> bool:
    print(f"{one.name:4} {one.promise}", flush=True)
    outcome = _made(one.run, workshop, size)
    holds = outcome is not None and outcome.tried > 0 and not outcome.violations
    _tell("", outcome, is_well=holds)
    control = _made(one.control, workshop, size)
    is_red = control is not None and bool(control.violations)
    _tell(f"control, {one.broken}: ", control, is_well=is_red, is_control=True)
    return holds and is_red


def _made(run: Run, workshop: Workshop, size: Size) -> Outcome | None:
    started = time.monotonic()
    try:
        outcome = run(workshop, size)
    except NotHere:
        raise
    except Exception:  # the border: a broken experiment is told, and the next one runs
        traceback.print_exc()
        return None
    outcome.remarks.append(f"{time.monotonic() - started:.0f} s")
    return outcome


def _tell(title: str, outcome: Outcome | None, *, is_well: bool, is_control: bool = False) -> None:
    if outcome is None:
        print(f"     {title}BROKEN, see above", flush=True)
        return
    verdict = "ok" if is_well else "THE CONTROL STAYED GREEN" if is_control else "VIOLATED"
    print(f"     {title}{outcome}; {'; '.join(outcome.remarks)}: {verdict}", flush=True)
    if not is_well or is_control:
        for violation in outcome.violations[: 1 if is_control else SHOWN]:
            print(f"       {violation}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
