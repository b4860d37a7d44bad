"""`manage.py eduix_ping` against the sandbox, with right and wrong settings."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from backoffice.eduix_sandbox.server import SandboxServer
from tests.eduix import variants


@pytest.fixture
def pointed(sandbox: SandboxServer, settings: Any) -> Iterator[SandboxServer]:
    settings.EDUIX_PROFILE_URL = sandbox.profile_url
    settings.EDUIX_CREDIT_URL = sandbox.credit_url
    settings.EDUIX_USERNAME = sandbox.username
    settings.EDUIX_PASSWORD = sandbox.password
    settings.EDUIX_DISTRIBUTOR_ID = sandbox.distributor_id
    with translation.override("en"):
        yield sandbox


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("eduix_ping", *arguments, stdout=out)
    return out.getvalue()


def refused() -> tuple[str, str]:
    out = io.StringIO()
    with pytest.raises(CommandError) as problem:
        call_command("eduix_ping", stdout=out)
    return str(problem.value), out.getvalue()


def test_both_services_are_told(pointed: SandboxServer) -> None:
    found = json.loads(told("--json"))

    assert set(found) == {"profile", "credit"}
    assert found["profile"]["operations"] == 12
    assert found["credit"]["operations"] == 8
    for one in found.values():
        assert one["has_session"]
        assert one["login_ms"] >= 0
        assert one["problem"] == ""
        assert abs(one["clock_seconds"]) < 5
        assert one["certificate_days"] is None


def test_no_secret_is_printed(pointed: SandboxServer) -> None:
    words = told() + told("--json")

    assert pointed.password not in words
    assert pointed.profile_url in words


def test_a_wrong_password_is_one_line_and_one_try(pointed: SandboxServer, settings: Any) -> None:
    settings.EDUIX_PASSWORD = "hunter2-hunter2"  # noqa: S105

    line, words = refused()

    assert "EDUIX_PASSWORD" in line
    assert "\n" not in line
    assert "hunter2" not in line + words
    assert len(pointed.control.ledger(operation="login")) == 1


def test_a_wrong_distributor_number_is_named(pointed: SandboxServer, settings: Any) -> None:
    settings.EDUIX_DISTRIBUTOR_ID = 999

    line, _words = refused()

    assert "EDUIX_DISTRIBUTOR_ID" in line
    assert "999" in line


def test_a_port_where_nobody_listens_is_one_line(pointed: SandboxServer, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EDUIX_PROFILE_URL = f"http://127.0.0.1:{server.getsockname()[1]}/"

    line, _words = refused()

    assert line == "profile: Edu-iX cannot be reached: connection refused."


def test_plain_http_behind_https_is_one_line(pointed: SandboxServer, settings: Any) -> None:
    settings.EDUIX_CREDIT_URL = pointed.credit_url.replace("http:", "https:")

    line, _words = refused()

    assert line.startswith("credit: Edu-iX cannot be reached: no TLS")


def test_a_host_of_another_environment_is_not_called(pointed: SandboxServer, settings: Any) -> None:
    settings.EDUIX_CREDIT_URL = "https://distributor.edu-ix.nl/soap/4.1/credit"

    line, _words = refused()

    assert "EDUIX_CREDIT_URL leads to https://distributor.edu-ix.nl" in line
    assert "BACKOFFICE_ENV=embedded" in line
    assert [row.service for row in pointed.control.ledger(operation="login")] == ["profile"]


def test_what_does_not_fit_is_named(pointed: SandboxServer, settings: Any, tmp_path: Path) -> None:
    dialect = variants.Dialect(lost=("//xs:complexType[@name='person']//*[@name='surname']",))
    settings.EDUIX_PROFILE_WSDL = str(variants.write("profile", tmp_path, dialect))

    line, words = refused()

    assert "createPerson: person has no surname." in line
    assert "updatePerson: person has no surname." in words
    assert pointed.control.ledger(operation="login")[0].service == "credit"
