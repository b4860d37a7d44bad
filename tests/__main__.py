"""`python -m tests`: the suite on SQLite, then what touches the database on PostgreSQL too."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from benchmarks.empty_tables import SHARED
from tests.postgresql import postgresql

# One more than the cores: many tests wait for a socket, a browser or another process.
WORKERS = str((os.cpu_count() or 1) + 1)


def run(title: str, arguments: list[str], **environment: str) -> int:
    """One run of pytest in a folder of its own for generated files; returns its exit code."""
    print(f"--- {title}", flush=True)
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="backoffice-test-") as var,
        tempfile.TemporaryDirectory(prefix="backoffice-test-tables-") as tables,
    ):
        code = subprocess.call(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "-m", "pytest", "-n", WORKERS, *arguments],
            # Some images forbid it; then every worker and child compiles all modules for itself.
            env={
                **os.environ,
                "PYTHONDONTWRITEBYTECODE": "",
                "BACKOFFICE_VAR": var,
                SHARED: tables,
                **environment,
            },
        )
    print(f"--- {title}: exit {code} after {time.monotonic() - started:.0f} s", flush=True)
    return code


def main() -> int:
    os.environ.pop("DATABASE_URL", None)
    extra = sys.argv[1:]
    first = run("suite on SQLite", extra)
    url = postgresql()
    if not url:
        print("NOT TESTED HERE: PostgreSQL cannot be reached (TEST_DATABASE_URL or 127.0.0.1:5432)")
        return first or int(os.environ.get("REQUIRE_SERVICES") == "1")
    second = run("database tests on PostgreSQL", ["--database-only", *extra], DATABASE_URL=url)
    return first or second


if __name__ == "__main__":
    sys.exit(main())
