import subprocess
import sys
from pathlib import Path

import pytest

from .files import EXAMPLES, ROOT

MADE = {
    "README.md",
    "expected.json",
    "person-credits.csv",
    "persons.csv",
    "products.csv",
    "scenarios.json",
    "scenarios/person-credits.csv",
    "scenarios/persons.csv",
    "scenarios/school-credits.csv",
    "school-credits.csv",
    "schools.json",
}


def make_examples(folder: Path, *, hash_seed: str) -> None:
    subprocess.run(  # noqa: S603  # a script of this repository
        [sys.executable, "scripts/make_examples.py", str(folder)],
        cwd=ROOT,
        env={"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("hash_seed", ["0", "20260801"])
def test_the_committed_files_are_what_the_generator_writes(tmp_path: Path, hash_seed: str) -> None:
    make_examples(tmp_path, hash_seed=hash_seed)

    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert made == MADE
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes(), name
