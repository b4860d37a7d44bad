"""The environment decides, and wrong values stop the start with one clear line."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from backoffice import env as environment
from backoffice.env import BadEnvironment
from backoffice.env_settings import read_environment

ROOT = Path(__file__).resolve().parents[1]
PRODUCTION = {
    "BACKOFFICE_ENV": "production",
    "ALLOWED_HOSTS": "backoffice.example.nl",
    "SECRET_KEY": "k3J-9vQx_72mLpZrTn4WbYc8HdFs6GaEuXo1iVqStRzNyMwPlKj0",
    "DATABASE_URL": "postgres://app:secret@127.0.0.1/backoffice",
    "BACKOFFICE_PUBLIC_URL": "https://backoffice.example.nl",
    "EDUIX_USERNAME": "distributor",
    "EDUIX_PASSWORD": "a-password",
    "EDUIX_DISTRIBUTOR_ID": "77",
}
ACCEPTANCE = {**PRODUCTION, "BACKOFFICE_ENV": "acceptance"}
# Playwright's fixture sets the last one for its whole session; production must not know it.
NOT_PASSED_ON = {name.name for name in environment.NAMES} | {"DJANGO_ALLOW_ASYNC_UNSAFE"}
OURS = {name.name for name in environment.NAMES} - {"TEST_DATABASE_URL", "REQUIRE_SERVICES"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Settings as they would be with these names and no others."""

    def _read(**names: str) -> dict[str, Any]:
        for name in OURS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("BACKOFFICE_VAR", str(tmp_path / "var"))
        for name, value in names.items():
            monkeypatch.setenv(name, value)
        return read_environment()

    return _read


def test_nothing_needs_to_be_set_for_the_embedded_default(read: Any, tmp_path: Path) -> None:
    settings = read()

    assert settings["DEBUG"] is False
    assert settings["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert settings["EDUIX_PROFILE_URL"] == "http://127.0.0.1:8041/soap/4.1/profile"
    options = settings["DATABASES"]["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]
    for name in ("secret-key", "eduix-password", "notification-password"):
        assert stat.S_IMODE((tmp_path / "var" / name).stat().st_mode) == 0o600
    [(user, password)] = settings["NOTIFICATION_CREDENTIALS"]
    assert user == "eduix"
    assert len(password) >= 32


def test_the_daily_mail_goes_at_seven_unless_told_otherwise(read: Any) -> None:
    assert read()["BACKOFFICE_DIGEST_AT"] == time(7, 0)
    assert read()["DEFAULT_FROM_EMAIL"] == "back-office@localhost"
    assert read(BACKOFFICE_DIGEST_AT="")["BACKOFFICE_DIGEST_AT"] is None
    assert read(**PRODUCTION)["DEFAULT_FROM_EMAIL"] == "back-office@backoffice.example.nl"


def test_generated_secrets_stay_the_same(read: Any) -> None:
    first, second = read(), read()

    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["NOTIFICATION_CREDENTIALS"] == second["NOTIFICATION_CREDENTIALS"]


def test_production_with_everything_set_is_closed_and_complete(read: Any) -> None:
    settings = read(**PRODUCTION)

    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert settings["EDUIX_CREDIT_URL"] == "https://distributor.edu-ix.nl/soap/4.1/credit"
    assert settings["NOTIFICATION_CREDENTIALS"] == []  # the endpoint then answers 503 to all


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"EDUIX_PASWORD": "x"}, "Did you mean EDUIX_PASSWORD"),
        ({"BACKOFFICE_SOMETHING_ELSE_ALTOGETHER": "x"}, "README"),
        ({"BACKOFFICE_ENV": "test"}, "embedded, acceptance or production"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"BACKOFFICE_PORT": "eight"}, "BACKOFFICE_PORT"),
        ({"BACKOFFICE_PORT": "70000"}, "from 1 to 65535"),
        ({"DEBUG": "maybe"}, "must be 0 or 1"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DATABASE_URL": "mysql://a:b@localhost/c"}, "PostgreSQL"),
        ({"DATABASE_URL": " "}, "DATABASE_URL is empty"),
        ({"EDUIX_PROFILE_URL": "https://distributor.edu-ix.nl/soap"}, "loopback"),
        ({"EDUIX_CONNECTIONS": "0"}, "EDUIX_CONNECTIONS"),
        ({"NOTIFICATION_ALLOWED_IPS": "192.0.2.0/24,nowhere"}, "nowhere"),
        ({"BACKOFFICE_TRUSTED_PROXIES": "proxy.example.nl"}, "no address or network"),
        ({"NOTIFICATION_CREDENTIALS": "nocolon"}, "user:password"),
        ({"NOTIFICATION_CREDENTIALS": "a:b,c:d,e:f"}, "two"),
        ({"NOTIFICATION_CREDENTIALS": "a:" + "x" * 65}, "64"),
        ({"BACKOFFICE_DIGEST_AT": "7 uur"}, "a time such as 07:00"),
        ({"BACKOFFICE_DIGEST_AT": "24:00"}, "a time such as 07:00"),
        ({"BACKOFFICE_MAIL_FROM": "us"}, "one mail address"),
        ({"BACKOFFICE_MAIL_FROM": "us@a.nl, x@b.nl"}, "one mail address"),
        ({"ALLOWED_HOSTS": "localhost,office.example.nl"}, "public host while BACKOFFICE_ENV"),
        ({"ALLOWED_HOSTS": "127.evil.example"}, "public host while BACKOFFICE_ENV"),
        ({**PRODUCTION, "DEBUG": "1"}, "DEBUG=1 is refused"),
        ({**PRODUCTION, "NOTIFICATION_CREDENTIALS": "eduix:" + "x" * 15}, "fewer than 16"),
        ({**ACCEPTANCE, "NOTIFICATION_CREDENTIALS": f"a:{'x' * 16},b:short"}, "fewer than 16"),
        ({**PRODUCTION, "SECRET_KEY": ""}, "SECRET_KEY"),
        ({**PRODUCTION, "ALLOWED_HOSTS": "localhost"}, "ALLOWED_HOSTS"),
        ({**PRODUCTION, "DATABASE_URL": "sqlite:///x.sqlite3"}, "PostgreSQL"),
        ({**PRODUCTION, "EDUIX_USERNAME": ""}, "EDUIX_USERNAME"),
        ({**PRODUCTION, "EDUIX_DISTRIBUTOR_ID": ""}, "EDUIX_DISTRIBUTOR_ID"),
        ({**PRODUCTION, "BACKOFFICE_PUBLIC_URL": "http://x.nl"}, "https"),
        ({**PRODUCTION, "EDUIX_PROFILE_URL": "http://127.0.0.1:8041/x"}, "https"),
        ({**PRODUCTION, "EDUIX_PROFILE_URL": "https://edu-ix.example.nl/x"}, "a host of Edu-iX"),
        ({**PRODUCTION, "EDUIX_CREDIT_URL": "https://evil-edu-ix.nl/x"}, "a host of Edu-iX"),
        ({**ACCEPTANCE, "EDUIX_CREDIT_URL": "https://edu-ix.nl.evil.example/x"}, "a host of Edu"),
        (
            {**PRODUCTION, "EDUIX_CREDIT_URL": "https://acc-distributor.edu-ix.nl/x"},
            "acceptance while BACKOFFICE_ENV is production",
        ),
        (
            {**ACCEPTANCE, "EDUIX_CREDIT_URL": "https://distributor.edu-ix.nl/x"},
            "production while BACKOFFICE_ENV is acceptance",
        ),
    ],
)
def test_a_wrong_setting_is_refused_in_words(read: Any, names: dict[str, str], words: str) -> None:
    with pytest.raises(BadEnvironment, match=words.replace("(", r"\(")):
        read(**names)


@pytest.mark.parametrize(
    "address",
    [
        "postgres://app:secret@db.example.nl/backoffice",
        "postgres://app:secret@/backoffice?host=db.example.nl",
        "postgres://app:secret@127.0.0.1/backoffice?hostaddr=192.0.2.7",
        "postgres://app:secret@/backoffice?host=127.0.0.1,db.example.nl",
        "postgres:///backoffice?service=elsewhere",
    ],
)
def test_a_database_elsewhere_is_known_wherever_its_host_stands(read: Any, address: str) -> None:
    settings = read(**{**PRODUCTION, "DATABASE_URL": address})

    assert settings["DATABASES"]["default"]["OPTIONS"]["sslmode"] == "verify-full"
    with pytest.raises(BadEnvironment, match="database on another machine"):
        read(DEBUG="1", DATABASE_URL=address)


@pytest.mark.parametrize("name", ["PGHOST", "PGSERVICE"])
def test_a_database_elsewhere_may_also_be_named_by_the_drivers_own_names(
    read: Any, name: str
) -> None:
    settings = read(
        **{**PRODUCTION, "DATABASE_URL": "postgres://app@/backoffice", name: "db.example.nl"}
    )

    assert settings["DATABASES"]["default"]["OPTIONS"]["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    "address",
    [
        "postgres://app:secret@localhost/backoffice",
        "postgres:///backoffice?host=/var/run/postgresql",
    ],
)
def test_a_database_on_this_machine_needs_no_certificate(read: Any, address: str) -> None:
    settings = read(**{**PRODUCTION, "DATABASE_URL": address})

    assert "sslmode" not in settings["DATABASES"]["default"]["OPTIONS"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.8.7", "::1", "[::1]"]
)
def test_an_address_of_this_machine_is_one(host: str) -> None:
    assert environment.is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "128.0.0.1",
        "::2",
        "",
    ],
)
def test_a_name_that_only_looks_like_this_machine_is_not(host: str) -> None:
    assert not environment.is_loopback(host)


@pytest.mark.parametrize("host", ["edu-ixstaging.nl", "soap.edu-ixstaging.nl", "test.edu-ix.nl"])
def test_every_host_of_edu_ix_may_be_called(read: Any, host: str) -> None:
    settings = read(**{**ACCEPTANCE, "EDUIX_PROFILE_URL": f"https://{host}/soap/4.1/profile"})

    assert settings["EDUIX_PROFILE_URL"] == f"https://{host}/soap/4.1/profile"


def test_beside_another_wsdl_its_own_address_counts_unless_one_is_given(read: Any) -> None:
    own = read(**ACCEPTANCE, EDUIX_PROFILE_WSDL="/srv/profile.wsdl")
    given = read(
        **ACCEPTANCE,
        EDUIX_PROFILE_WSDL="/srv/profile.wsdl",
        EDUIX_PROFILE_URL="https://acc-distributor.edu-ix.nl/here",
    )

    assert own["EDUIX_PROFILE_URL"] == ""
    assert own["EDUIX_CREDIT_URL"] == "https://acc-distributor.edu-ix.nl/soap/4.1/credit"
    assert given["EDUIX_PROFILE_URL"] == "https://acc-distributor.edu-ix.nl/here"


@pytest.mark.parametrize(
    "wsdl",
    [
        "https://distributor.edu-ix.nl/soap/4.1/profile/wsdl",
        "http://acc-distributor.edu-ix.nl/soap/4.1/profile/wsdl",
        "http://127.0.0.1:8041/soap/4.1/profile/wsdl",
        "ftp://acc-distributor.edu-ix.nl/profile.wsdl",
        "https://example.org/profile.wsdl",
    ],
)
def test_a_wsdl_is_not_fetched_from_another_environment(read: Any, wsdl: str) -> None:
    with pytest.raises(BadEnvironment, match="EDUIX_PROFILE_WSDL"):
        read(**ACCEPTANCE, EDUIX_PROFILE_WSDL=wsdl)


def test_a_long_password_of_who_notifies_is_accepted(read: Any) -> None:
    settings = read(**PRODUCTION, NOTIFICATION_CREDENTIALS="eduix:" + "x" * 16)

    assert settings["NOTIFICATION_CREDENTIALS"] == [("eduix", "x" * 16)]


def test_two_credentials_with_escaped_signs_are_read() -> None:
    pairs = environment.credentials("a:b%2Cc,d%3Ae:f")

    assert pairs == [("a", "b,c"), ("d:e", "f")]


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    path.write_text("x" * 64)
    path.chmod(0o644)

    with pytest.raises(BadEnvironment, match="chmod 600"):
        environment.generated_secret(path)


def test_an_unusable_var_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "var"
    file.write_text("not a folder")

    with pytest.raises(BadEnvironment, match="BACKOFFICE_VAR"):
        environment.usable_folder(file)


@pytest.mark.parametrize("arguments", [["manage.py", "check"], ["-c", "import backoffice.wsgi"]])
def test_a_wrong_setting_ends_the_process_with_one_line(arguments: list[str]) -> None:
    result = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "EDUIX_PASWORD": "hunter2"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "EDUIX_PASWORD" in result.stderr
    assert "hunter2" not in result.stderr


def test_production_passes_djangos_own_deployment_check(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if k not in NOT_PASSED_ON},
            **PRODUCTION,
            "BACKOFFICE_VAR": str(tmp_path),
            "BACKOFFICE_ALLOW_PASSWORD_ONLY": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    for silent in ("security.W004", "security.W008", "security.W012", "security.W016"):
        assert silent not in result.stderr


def start_server(tmp_path: Path, **names: str) -> subprocess.CompletedProcess[str]:
    """Import the WSGI application as a server does."""
    return subprocess.run(
        [sys.executable, "-c", "import backoffice.wsgi"],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if k not in NOT_PASSED_ON},
            **PRODUCTION,
            "BACKOFFICE_VAR": str(tmp_path),
            **names,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_without_a_second_factor_does_not_start(tmp_path: Path) -> None:
    result = start_server(tmp_path)

    assert result.returncode == 1
    assert "backoffice.E004" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_opt_out_is_said_at_every_start(tmp_path: Path) -> None:
    result = start_server(tmp_path, BACKOFFICE_ALLOW_PASSWORD_ONLY="1")

    assert result.returncode == 0, result.stderr
    assert "backoffice.W004" in result.stderr
    assert "backoffice.W003" in result.stderr
    assert "backoffice.W006" in result.stderr
    assert "backoffice.W007" in result.stderr


def test_what_was_chosen_is_not_warned_about(tmp_path: Path) -> None:
    result = start_server(
        tmp_path,
        BACKOFFICE_ALLOW_PASSWORD_ONLY="1",
        BACKOFFICE_RETENTION_DAYS="400",
        CELERY_BROKER_URL="redis://127.0.0.1:6379/0",
        NOTIFICATION_CREDENTIALS="eduix:" + "x" * 32,
    )

    assert result.returncode == 0, result.stderr
    for silent in ("backoffice.W003", "backoffice.W006", "backoffice.W007"):
        assert silent not in result.stderr
