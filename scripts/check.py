"""Everything `make check` looks at; prints a line each and fails on the first kind that fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURSELVES = Path(__file__).resolve()
BIN = Path(sys.executable).parent


def command(*arguments: str) -> Callable[[], str]:
    """A check that runs a program; its output is the complaint."""

    def check() -> str:
        with tempfile.TemporaryDirectory(prefix="backoffice-check-") as var:
            result = subprocess.run(  # noqa: S603  our own tools and arguments
                [str(BIN / arguments[0]), *arguments[1:]],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "BACKOFFICE_VAR": var},
            )
        return "" if result.returncode == 0 else (result.stdout + result.stderr).strip()

    return check


# A whole production environment, with no secret of anybody in it.
PRODUCTION = {
    "BACKOFFICE_ENV": "production",
    "BACKOFFICE_PUBLIC_URL": "https://backoffice.example.nl",
    "BACKOFFICE_RETENTION_DAYS": "400",
    "BACKOFFICE_ALLOW_PASSWORD_ONLY": "1",
    "ALLOWED_HOSTS": "backoffice.example.nl",
    "SECRET_KEY": "k3J-9vQx_72mLpZrTn4WbYc8HdFs6GaEuXo1iVqStRzNyMwPlKj0",
    "DATABASE_URL": "postgres://app:secret@127.0.0.1/backoffice",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "EDUIX_USERNAME": "distributor",
    "EDUIX_PASSWORD": "a-password",
    "EDUIX_DISTRIBUTOR_ID": "77",
    "NOTIFICATION_CREDENTIALS": "eduix:a-password-for-the-check",
}
# Said at every start on purpose: single sign-on stands in front.
ACCEPTED_WARNINGS = {"backoffice.W004"}


def deployment() -> str:
    """Django's deployment check of a whole production environment, with none but known warnings."""
    with tempfile.TemporaryDirectory(prefix="backoffice-check-") as var:
        # Nothing of the environment of who runs this may make it pass or fail.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        result = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env={**kept, **PRODUCTION, "BACKOFFICE_VAR": var},
        )
    printed = (result.stdout + result.stderr).strip()
    found = set(re.findall(r"\(([a-z_]+\.[A-Z]\d{3})\)", printed))
    if found - ACCEPTED_WARNINGS or (result.returncode != 0 and not found):
        return printed
    return ""


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository."""
    listed = subprocess.run(  # noqa: S603
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def lines_matching(pattern: str, files: list[Path]) -> str:
    """file:line of each line that must not be there."""
    wrong = re.compile(pattern)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if wrong.search(line)
    ]
    return "\n".join(found)


def lock_files() -> str:
    """Pinned with hashes, without addresses."""
    files = tracked("requirements/*.txt")
    if not files:
        return "no lock files were found under requirements/"
    problems = lines_matching(r"://|^\s*--(?!hash)", files)
    for path in files:
        text = path.read_text()
        pins = len(re.findall(r"^[a-z0-9._-]+(\[[a-z,]+\])?==", text, re.M | re.I))
        hashed = len(
            re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==\S+ .*\\\n\s+--hash", text, re.M | re.I)
        )
        if pins != hashed or not pins:
            problems += f"\n{path.name}: {pins} packages, {hashed} with a hash"
    return problems.strip()


def unsafe_markup() -> str:
    """No markup that is taken as it is, no inline script, style or event handler."""
    templates = tracked("templates/**/*.html", "templates/*.html", "backoffice/**/templates/**")
    modules = tracked("*.py")
    if not templates or not modules:
        return "no templates or no modules were found to look at"
    return "\n".join(
        filter(
            None,
            (
                lines_matching(r"\bmark[_]safe\b", modules),
                lines_matching(
                    r"\|\s*safe\b|autoescape off|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']"
                    r"|<script(?![^>]*\bsrc=)(?![^>]*application/json)|javascript:",
                    templates,
                ),
            ),
        )
    )


def numbers_of_rows() -> str:
    """A row is named by its digits: written as an amount (`1.250`) its links and buttons fail."""
    templates = tracked("templates/**/*.html", "templates/*.html", "backoffice/**/templates/**")
    if not templates:
        return "no templates were found to look at"
    return lines_matching(r"\{\{\s*[\w.]*\b(pk|id)\s*\}\}", templates)


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("ruff", command("ruff", "check", ".")),
    ("format", command("ruff", "format", "--check", ".")),
    ("types", command("mypy", ".")),
    ("import contracts", command("lint-imports")),
    ("django", command("python", "manage.py", "check", "--fail-level", "WARNING")),
    ("deployment", deployment),
    ("migrations", command("python", "manage.py", "makemigrations", "--check", "--dry-run")),
    ("templates", command("djlint", "templates", "--lint", "--quiet")),
    ("markup", unsafe_markup),
    ("numbers of rows", numbers_of_rows),
    ("translations", command("python", "scripts/messages.py", "--check")),
    ("lock files", lock_files),
)


def main() -> int:
    failed = 0
    for name, check in CHECKS:
        complaint = check()
        print(f"{'ok  ' if not complaint else 'FAIL'}  {name}", flush=True)
        if complaint:
            print("\n".join(f"      {line}" for line in complaint.splitlines()[-60:]), flush=True)
            failed += 1
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
