"""Starting the demo when something stands in the way: one line, nothing half-done."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from backoffice.desk.demo import (
    hand_over_schools,
    load_products,
    prepare_accounts,
    prepare_examples,
)
from backoffice.desk.stack import ROOT, CannotStart, Stack, free_port
from credits.models import Product
from tests.factories import SchoolFactory, SchoolPersonFactory


def run_demo(var: Path, **names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "demo", "--seconds", "1"],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"},
            "BACKOFFICE_VAR": str(var),
            **names,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["BACKOFFICE_PORT", "EDUIX_SANDBOX_PORT"])
def test_a_port_in_use_is_named_with_the_way_out(name: str, tmp_path: Path) -> None:
    ports = {"BACKOFFICE_PORT": str(free_port()), "EDUIX_SANDBOX_PORT": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports[name] = str(taken.getsockname()[1])

        result = run_demo(tmp_path / "var", **ports)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"Port {ports[name]}" in result.stderr
    assert f"{name}=" in result.stderr


def test_an_unusable_var_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file stands where the folder should be")

    result = run_demo(tmp_path / "var")

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "BACKOFFICE_VAR" in result.stderr


def test_the_demo_refuses_any_other_environment(tmp_path: Path) -> None:
    result = run_demo(
        tmp_path,
        BACKOFFICE_ENV="acceptance",
        ALLOWED_HOSTS="x.example.nl",
        SECRET_KEY="k3J-9vQx_72mLpZrTn4WbYc8HdFs6GaEuXo1iVqStRzNyMwPlKj0",
        BACKOFFICE_PUBLIC_URL="https://x.example.nl",
        BACKOFFICE_ALLOW_SQLITE="1",
        EDUIX_USERNAME="x",
        EDUIX_PASSWORD="y",
        EDUIX_DISTRIBUTOR_ID="1",
    )

    assert result.returncode == 1
    assert "embedded" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_process_that_ends_at_once_is_told(tmp_path: Path) -> None:
    stack = Stack(
        var=tmp_path,
        port=free_port(),
        sandbox_port=free_port(),
        environment={"EDUIX_UNKNOWN": "x"},
        logs=tmp_path / "log",
    )

    with pytest.raises(CannotStart, match="EDUIX_UNKNOWN"):
        stack.start()
    stack.stop()


def test_the_line_that_says_why_is_told_not_the_web_servers_own(tmp_path: Path) -> None:
    stack = Stack(var=tmp_path, port=free_port(), sandbox_port=free_port(), logs=tmp_path)
    stack.log_of("web").write_text(
        "EDUIX_UNKNOWN is no setting of the back-office.\n"
        "[ERROR] Unexpected exit from worker-1\n"
        "[INFO] Shutting down granian\n"
    )

    assert stack._hint("web") == ": EDUIX_UNKNOWN is no setting of the back-office."


@pytest.mark.django_db
def test_a_second_start_keeps_accounts_and_titles(settings: Any, tmp_path: Path) -> None:
    settings.BACKOFFICE_VAR = tmp_path
    examples = prepare_examples(today=date(2026, 11, 21))
    first = prepare_accounts()
    titles = load_products(examples)

    again = prepare_accounts()
    load_products(examples)

    assert again == first
    assert Product.objects.count() == titles == 40
    user = get_user_model().objects.get(username="accountmanager")
    assert user.check_password(first["accountmanager"])
    assert not user.is_superuser
    assert [group.name for group in user.groups.all()] == ["Accountmanager"]


@pytest.mark.django_db
def test_the_busiest_school_gets_an_account_manager_and_a_contact_once(
    settings: Any, tmp_path: Path
) -> None:
    settings.BACKOFFICE_VAR = tmp_path
    prepare_accounts()
    quiet, busy = SchoolFactory(name="De Brug"), SchoolFactory(name="Het Baken College")
    SchoolPersonFactory.create_batch(2, school=busy)

    assert hand_over_schools() == 1
    busy.refresh_from_db()
    quiet.refresh_from_db()

    assert str(busy.account_manager) == "accountmanager"
    assert busy.contact_email == "leermiddelen@hetbakencollege.example"
    assert quiet.account_manager is None


@pytest.mark.django_db
def test_the_passwords_are_for_this_user_only(settings: Any, tmp_path: Path) -> None:
    settings.BACKOFFICE_VAR = tmp_path

    prepare_accounts()

    files = list(tmp_path.glob("demo-password-*"))
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
