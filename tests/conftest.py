"""What every test shares: loopback only, services that are named when they are missing."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hypothesis
import pytest
from django.conf import settings

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "admin_client", "django_user_model"}
_missing: set[str] = set()

# A busy machine is slow, and no defect: how long something takes is measured in `make bench`.
hypothesis.settings.register_profile(
    "here", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="only tests that touch the database (the second run, on PostgreSQL)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("markexpr"):  # `-m long` runs them; their quick forms are here
        _leave_out(config, items, lambda item: item.get_closest_marker("long") is not None)
    if not config.getoption("--database-only"):
        return
    _leave_out(config, items, lambda item: not _runs_again(item))


def _runs_again(item: pytest.Item) -> bool:
    touches = item.get_closest_marker("django_db") is not None or DATABASE_FIXTURES & set(
        getattr(item, "fixturenames", ())
    )
    return bool(touches) and item.get_closest_marker("browser") is None


def _leave_out(
    config: pytest.Config, items: list[pytest.Item], is_out: Callable[[pytest.Item], bool]
) -> None:
    dropped = [item for item in items if is_out(item)]
    items[:] = [item for item in items if not is_out(item)]
    config.hook.pytest_deselected(items=dropped)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = sorted({str(report.longrepr[2]) for report in skipped if report.longrepr})
    for reason in reasons:
        terminalreporter.write_line(f"NOT TESTED HERE: {reason}", yellow=True)


def need(available: bool, what: str) -> None:
    """Skip with a reason, or fail where all services are required."""
    if available:
        return
    message = f"{what} cannot be reached"
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)


def listens(port: int) -> bool:
    """Whether something listens on this port of the loopback address."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """A test that leaves this machine fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            local = host == "localhost" or (
                _is_address(host) and ipaddress.ip_address(host).is_loopback
            )
            if not local:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def quick_flush() -> Iterator[None]:
    """Empty the tables of PostgreSQL by DELETE after a test that commits.

    TRUNCATE makes every one of some fifty tables anew on disk, however few rows they hold.
    """
    from django.db.backends.postgresql.operations import DatabaseOperations

    def deletes(self: Any, style: Any, tables: Sequence[str], **_options: Any) -> list[str]:
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608  ours

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", deletes)
        yield


@pytest.fixture(autouse=True)
def texts_as_shipped() -> Iterator[None]:
    """No text of our own outlives the test that wrote it; only requests ask for them."""
    from backoffice.explanations.own_texts import forget_texts

    forget_texts(ask=False)
    yield
    forget_texts(ask=False)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@pytest.fixture
def postgresql() -> None:
    """Only on PostgreSQL; the second run of `make test` is."""
    if not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        pytest.skip("this test is for PostgreSQL; it runs in the second run")


@pytest.fixture
def redis_url() -> str:
    """A Redis database of the tests' own."""
    need(listens(6379), "Redis on 127.0.0.1:6379")
    return "redis://127.0.0.1:6379/15"


@pytest.fixture
def rabbitmq_url() -> str:
    """RabbitMQ with its default account, which only loopback may use."""
    need(listens(5672), "RabbitMQ on 127.0.0.1:5672")
    return "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium of the system, headless."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    need(path is not None, "Chromium")
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; Django would take every query for one in async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
