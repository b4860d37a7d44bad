"""What `make check` looks at, and that it never passes for want of something to look at."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check.py"


def loaded() -> ModuleType:
    """The script as a module; `scripts/` is no package."""
    spec = importlib.util.spec_from_file_location("make_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = loaded()


def none(*patterns: str) -> list[Path]:
    return []


@pytest.mark.parametrize("name", ["lock_files", "unsafe_markup", "numbers_of_rows"])
def test_a_check_that_finds_no_files_fails(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    look = getattr(check, name)
    assert look() == ""

    monkeypatch.setattr(check, "tracked", none)

    assert "found" in look()


def test_the_sample_of_production_passes_the_deployment_check() -> None:
    assert check.deployment() == ""


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("CELERY_BROKER_URL", "", "backoffice.W007"),
        ("BACKOFFICE_RETENTION_DAYS", "", "BACKOFFICE_RETENTION_DAYS"),
        ("NOTIFICATION_CREDENTIALS", "", "backoffice.W003"),
        ("SECRET_KEY", "short", "SECRET_KEY"),
    ],
)
def test_an_environment_with_a_gap_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    monkeypatch.setitem(check.PRODUCTION, name, value)

    assert complaint in check.deployment()


def test_the_number_of_a_row_that_would_be_written_in_groups_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    template = tmp_path / "page.html"
    template.write_text(
        '<a href="?other={{ one.pk }}">{{ one.pk|unlocalize }} {{ one.picked }}</a>'
    )
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(check, "tracked", lambda *_patterns: [template])

    assert check.numbers_of_rows().startswith("page.html:1:")

    template.write_text("{{ one.pk|unlocalize }} {{ one.picked }} {% url 'x' one.pk %}")
    assert check.numbers_of_rows() == ""
