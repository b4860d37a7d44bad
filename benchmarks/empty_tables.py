"""The product's empty tables in a file of SQLite; made once for all processes of a test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.children import ROOT, Failed

SHARED: Final = "TEST_TABLES"  # a folder of this run alone; `python -m tests` names it


def make_tables(path: Path, environ: Mapping[str, str]) -> None:
    """Migrate this new file, or copy one that was. Raises `Failed`."""
    folder = os.environ.get(SHARED)
    if not folder:
        migrate(f"sqlite:///{path}", environ)
        return
    made = Path(folder) / "tables.sqlite3"
    with (Path(folder) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed: one makes it, others wait
        if not made.exists():
            new = made.with_suffix(".new")
            migrate(f"sqlite:///{new}", environ)
            new.replace(made)
    shutil.copyfile(made, path)


def migrate(database: str, environ: Mapping[str, str]) -> None:
    """`manage.py migrate` on this database. Raises `Failed`."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "-v0"],
        cwd=ROOT,
        env={**environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"migrate ended:\n{done.stderr[-2000:]}")
