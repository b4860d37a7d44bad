"""`python -m benchmarks [--quick] [--only NAME]`: see docs/benchmarks.md for how to read it."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks import (
    claims,
    gateway_cost,
    memory,
    message_cost,
    notifications_in,
    office,
    pushes_out,
    why_asked,
)
from benchmarks.children import Failed
from benchmarks.figures import CostTable, Table
from benchmarks.report import printed
from benchmarks.scale import FULL, QUICK, Scale
from benchmarks.workshop import Workshop, open_workshop
from tests.postgresql import postgresql

Measurement = Callable[[Workshop, Scale], Iterator[Table | CostTable]]

MEASUREMENTS: Final[dict[str, Measurement]] = {
    "message": message_cost.measure,
    "gateway": gateway_cost.measure,
    "notifications": notifications_in.measure,
    "pushes": pushes_out.measure,
    "claims": claims.measure,
    "office": office.measure,
    "memory": memory.measure,
    "why": why_asked.measure,
}


def main(arguments: list[str] | None = None) -> int:
    """Print every table; 1 when a result is wrong, never because one is slow."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: no figures to keep")
    parser.add_argument("--only", choices=sorted(MEASUREMENTS), help="one measurement")
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else list(MEASUREMENTS)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, _interrupt)
    try:
        return measure(names, QUICK if options.quick else FULL)
    except Failed as problem:
        print(f"Not measured: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; processes, databases and files are cleared away.", file=sys.stderr)
        return 130


def measure(names: list[str], scale: Scale) -> int:
    """Run these measurements; the number of wrong results, at most 1."""
    begun = time.monotonic()
    url = postgresql()
    if not url:
        print("NOT MEASURED: PostgreSQL (TEST_DATABASE_URL or 127.0.0.1:5432 cannot be reached)\n")
    wrong = 0
    with open_workshop(url) as workshop:
        for name in names:
            for table in MEASUREMENTS[name](workshop, scale):
                print(printed(table), flush=True)
                wrong += len(table.problems)
    print(f"{time.monotonic() - begun:.0f} seconds; {wrong or 'no'} wrong results.")
    return min(wrong, 1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
