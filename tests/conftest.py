"""What every test shares: loopback only, services that are named when they are missing."""

from __future__ import annotations

import gc
import ipaddress
import math
import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import hypothesis
import pytest
from django.conf import settings

from tests.numbered import start_high
from tests.spread import Spread, turn
from tests.tables import Tables

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "admin_client", "django_user_model"}
SECOND_RUN = "this test is for PostgreSQL; it runs in the second run"
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


def pytest_configure() -> None:
    # Tests call the application in their own process; servers that they start keep the default.
    settings.BACKOFFICE_BIND_PROCESSORS = False
    settings.MIDDLEWARE = ["tests.numbered.NumbersOfRows", *settings.MIDDLEWARE]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("markexpr"):  # `-m long` runs them; their quick forms are here
        _leave_out(config, items, lambda item: item.get_closest_marker("long") is not None)
    check_second_run(items)
    if config.getoption("--database-only"):
        _leave_out(config, items, lambda item: not _runs_again(item))
    items.sort(key=lambda item: turn(item.nodeid))  # stable: apart from this the order is random


def pytest_collection_finish() -> None:
    """What was collected stays until the end: the garbage collector need not walk through it."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    config.option.loadscopereorder = False  # by length, not by number of tests
    return Spread(config, log)


def check_second_run(items: Sequence[pytest.Item]) -> None:
    """What the first run skips is in the second; else nobody would notice that it never runs."""
    lost = [
        item.nodeid for item in items if "postgresql" in _fixtures(item) and not _runs_again(item)
    ]
    if lost:
        raise pytest.UsageError(f"for PostgreSQL, and in no run: {', '.join(lost)}")


def _runs_again(item: pytest.Item) -> bool:
    fixtures = _fixtures(item)
    touches = item.get_closest_marker("django_db") is not None or DATABASE_FIXTURES & fixtures
    is_elsewhere = item.get_closest_marker("browser") is not None or "sqlite" in fixtures
    return bool(touches) and not is_elsewhere


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all services are required no test is skipped, for whatever reason."""
    report = yield
    is_required = os.environ.get("REQUIRE_SERVICES") == "1"
    if is_required and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if SECOND_RUN not in reason:
            report.outcome, report.longrepr = "failed", f"REQUIRE_SERVICES=1, and {reason}"
    return report


def need(available: bool, what: str) -> None:
    """Skip with a reason; where all services are required that is a failure."""
    if not available:
        pytest.skip(f"{what} cannot be reached")


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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database; a test that commits leaves it as the migrations made it."""
    from django.test import TransactionTestCase

    with django_db_blocker.unblock():
        tables = Tables()
        start_high()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: tables.restore())
        yield


@pytest.fixture(autouse=True, scope="session")
def static_files_looked_up_once() -> Iterator[None]:
    """Each test client builds the middleware anew; the list of static files stays the same.

    WhiteNoise would walk through some two hundred files for every client of every test.
    """
    from whitenoise.middleware import WhiteNoiseMiddleware

    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def known(self: Any) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", known)
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """A digest that costs nothing for the accounts of tests; what we ship is Django's default."""
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True, scope="session")
def nobody_looks_outside_unasked() -> Iterator[None]:
    """A worker asks once a day by itself, ten minutes after its start: the suite may last as long.

    It asks in a thread, whose answers would outlive the test in which it happened to begin.
    """
    from backoffice.desk import outside

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outside, "_started", math.inf)
        yield


@pytest.fixture(autouse=True)
def texts_as_shipped() -> Iterator[None]:
    """No text of our own outlives the test that wrote it; only requests ask for them."""
    from backoffice.explanations.own_texts import forget_texts

    forget_texts(ask=False)
    yield
    forget_texts(ask=False)


@pytest.fixture(autouse=True)
def no_connection_left() -> Iterator[None]:
    """The door keeps connections of its own; a test database cannot be dropped under them."""
    yield
    from notifications.together import together

    together.close()


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
        pytest.skip(SECOND_RUN)


@pytest.fixture
def sqlite() -> None:
    """Only on SQLite: the second run leaves it out."""
    assert settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


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
    """Chromium of the system; the one without windows opens a page in less than half the time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    path = next(filter(None, map(shutil.which, names)), None)
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
