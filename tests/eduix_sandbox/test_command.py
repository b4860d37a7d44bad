"""`manage.py sandbox`, as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
from django.core.management import call_command, execute_from_command_line
from django.core.management.base import CommandError

from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller
from .samples import SCHOOLS, person

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def environment(var: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDUIX_")}
    return kept | {"BACKOFFICE_VAR": str(var), "BACKOFFICE_ENV": "embedded"} | more


def command(*options: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "sandbox", *options]


@contextmanager
def running(var: Path, *options: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        command(*options),
        env=environment(var, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def persons(port: int) -> int:
    answer = urllib3.request("GET", f"http://127.0.0.1:{port}/control/state", retries=False)
    return int(answer.json()["persons"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    with running(tmp_path, "--port", str(port)) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert f"http://127.0.0.1:{port}" in first
        assert persons(port) == 0

        process.send_signal(number)
        output, errors = process.communicate(timeout=10)

    assert process.returncode == 0
    assert errors == ""
    assert output.count("\n") == 1
    assert (tmp_path / "sandbox.sqlite3").exists()


def test_the_port_comes_from_the_address_of_the_profile_service(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/soap/4.1/profile"
    with running(tmp_path, EDUIX_PROFILE_URL=address) as process:
        assert process.stdout is not None

        assert f":{port}" in process.stdout.readline()


def test_it_lists_what_changed_once_a_second(tmp_path: Path) -> None:
    port = free_port()
    more = {"EDUIX_USERNAME": "demo", "EDUIX_PASSWORD": "once"}
    with running(tmp_path, "--port", str(port), **more) as process:
        assert process.stdout is not None
        process.stdout.readline()
        caller = Caller(SandboxServer(port=port, username="demo", password="once"))
        for number in range(20):
            caller.call("createPerson", person=person(f"P{number}"))

        lines = process.stdout.readline()

    assert "20 " in lines


def refusal(var: Path, *options: str, code: int = 1, **more: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        command(*options),
        env=environment(var, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert done.stdout == ""
    return done.stderr


@pytest.fixture
def refusal_here(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """As `refusal`, without starting a process for each option that is wrong."""
    settings.BACKOFFICE_VAR = tmp_path
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def refuse(*options: str, code: int = 1) -> str:
        with pytest.raises(SystemExit) as stopped:
            execute_from_command_line(["manage.py", "sandbox", *options])
        assert stopped.value.code == code
        printed = capsys.readouterr()
        assert printed.out == ""
        return printed.err

    yield refuse
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        line = refusal(tmp_path, "--port", port)

    assert port in line
    assert line.count("\n") == 1
    assert not (tmp_path / "sandbox.sqlite3").exists()


def test_a_state_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("this is no database, not even nearly one")

    line = refusal(tmp_path, "--port", str(free_port()), "--state", str(path))

    assert str(path) in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "99999"),
        ("--port", "-1"),
        ("--port", "http"),
        ("--port", "80٣"),
        ("--seed", "lucky"),
        ("--seed", "9" * 30),
        ("--state", "."),
        ("--state", "nowhere/state"),
    ],
)
def test_an_option_that_cannot_be_followed_is_one_clear_line(
    tmp_path: Path, refusal_here: Callable[..., str], option: str, value: str
) -> None:
    port = [] if option == "--port" else ["--port", "0"]

    line = refusal_here(*port, f"{option}={value}")

    assert line.count("\n") == 1
    assert value[:20] in line
    assert option in line or option == "--state"
    assert not (tmp_path / "sandbox.sqlite3").exists()


@pytest.mark.parametrize("option", ["--prot=1", "--port"])
def test_an_option_that_does_not_exist_is_one_clear_line(tmp_path: Path, option: str) -> None:
    line = refusal(tmp_path, option, code=2)

    assert line.count("\n") == 1
    assert option.partition("=")[0] in line


def test_it_has_a_page_and_a_seed(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "--port", str(port), "--seed", "7") as process:
        assert process.stdout is not None
        process.stdout.readline()

        page = urllib3.request("GET", f"http://127.0.0.1:{port}/", retries=False)

    assert page.status == 200
    assert b"<h1>" in page.data


def test_the_state_is_kept_until_a_fresh_start(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with SandboxServer(schools=SCHOOLS, state_file=path) as sandbox:
        Caller(sandbox).call("createPerson", person=person())
    for options, expected in (((), 1), (("--fresh",), 0)):
        port = free_port()
        with running(tmp_path, "--port", str(port), "--state", str(path), *options) as process:
            assert process.stdout is not None
            process.stdout.readline()

            assert persons(port) == expected


def test_it_refuses_outside_the_embedded_environment(settings: Any) -> None:
    settings.BACKOFFICE_ENV = "acceptance"

    with pytest.raises(CommandError, match="embedded"):
        call_command("sandbox")
