"""Reads the corpus and mutations of it as the door does, and tells what came of it.

`-m tests.chaos.inbound.product.parsing PORT CANARY WARM MUTATIONS`: nobody may call the port, and
nobody may read the file.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from notifications.framing import MAX_BYTES  # noqa: E402  Django is set up only now
from tests.chaos.inbound.product.broken import prepare  # noqa: E402
from tests.notifications.corpus import corpus  # noqa: E402
from tests.notifications.mutations import SEEDS, Run, calling_out, watched  # noqa: E402

SEED: Final = 15
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
SHOWN: Final = 50


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def read_all(port: int, canary: Path, warm: int, mutations: int) -> dict[str, object]:
    """Memory counts after `warm` mutations: caches are full, and all threads were there once."""
    calling = calling_out(port, canary)
    run = Run(SEED, SEEDS + calling, canary.read_text())
    cases = [case for case in corpus(calling) if len(case[1]) <= MAX_BYTES]
    with watched() as opened:
        for name, body, charset in cases:
            run.read(body, charset, name)
        run.go(warm)
    before = resident_bytes()
    with watched() as opened_later:
        run.go(mutations - warm)
    grown = resident_bytes() - before
    return {
        "done": run.done,
        "cases": len(cases),
        "different": len({case[1:] for case in cases}),
        "violations": [*opened, *opened_later, *run.violations][:SHOWN],
        "slowest": run.slowest,
        "grown": grown,
        "answers": dict(run.answers.most_common()),
    }


if __name__ == "__main__":
    prepare()
    place, file, *numbers = sys.argv[1:]
    print(json.dumps(read_all(int(place), Path(file), *map(int, numbers))), flush=True)
