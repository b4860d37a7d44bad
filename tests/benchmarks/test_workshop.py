from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from benchmarks.children import Child, Failed
from benchmarks.workshop import POSTGRESQL, SQLITE, Workshop, held_back, open_workshop


def test_a_database_has_the_tables_of_the_product_and_nothing_in_them(workshop: Workshop) -> None:
    one, other = workshop.database(SQLITE, "one"), workshop.database(SQLITE, "one")

    workshop.query(one, "CREATE TABLE mark (id integer)")

    assert one != other
    assert workshop.query(other, "SELECT count(*) FROM notifications_notification") == [(0,)]
    with pytest.raises(sqlite3.OperationalError):
        workshop.query(other, "SELECT * FROM mark")


def test_a_discarded_database_is_gone_and_the_others_stay(workshop: Workshop) -> None:
    one, other = workshop.database(SQLITE, "one"), workshop.database(SQLITE, "one")

    workshop.discard(one)

    assert not Path(one.removeprefix("sqlite:///")).exists()
    assert workshop.query(other, "SELECT count(*) FROM notifications_notification") == [(0,)]


def test_without_postgresql_only_sqlite_is_measured(workshop: Workshop) -> None:
    assert workshop.kinds == (SQLITE,)


def test_nothing_of_another_installation_reaches_a_measurement(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDUIX_PROFILE_URL", "https://distributor.edu-ix.nl/soap/4.1/profile")
    monkeypatch.setenv("BACKOFFICE_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "another")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "another.settings")

    environ = workshop.environ("sqlite:////tmp/x")

    assert environ["DATABASE_URL"] == "sqlite:////tmp/x"
    assert environ["BACKOFFICE_VAR"].startswith(str(workshop.folder))
    assert not {
        "EDUIX_PROFILE_URL",
        "BACKOFFICE_ENV",
        "SECRET_KEY",
        "CELERY_BROKER_URL",
        "DJANGO_SETTINGS_MODULE",
    } & set(environ)
    assert environ["PATH"] == os.environ["PATH"]


def start_sleeper(workshop: Workshop) -> Child:
    return workshop.start("sleeper", ["-c", "import time; time.sleep(60)"], dict(os.environ))


def test_processes_and_files_are_gone_afterwards() -> None:
    with open_workshop("") as workshop:
        child = start_sleeper(workshop)
        (workshop.folder / "some-file").touch()

    assert child.process.poll() is not None
    assert not workshop.folder.exists()


@pytest.mark.parametrize("problem", [KeyboardInterrupt, ValueError])
def test_processes_and_files_are_gone_after_an_error(problem: type[BaseException]) -> None:
    made = []

    def fail() -> None:
        with open_workshop("") as workshop:
            made.append((start_sleeper(workshop), workshop.folder))
            raise problem

    with pytest.raises(problem):
        fail()

    ((child, folder),) = made
    assert child.process.poll() is not None
    assert not folder.exists()


def test_an_interruption_waits_until_what_was_begun_is_noted() -> None:
    done = []

    def begin() -> None:
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("noted")
        done.append("went on")

    with pytest.raises(KeyboardInterrupt):
        begin()

    assert done == ["noted"]


@pytest.mark.service
def test_databases_on_postgresql_are_dropped_afterwards(
    postgresql_workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workshop, "_migrate", lambda *_: None)  # their tables do not matter
    server = postgresql_workshop.postgresql
    names = "SELECT datname FROM pg_database"

    with open_workshop(server) as workshop:
        name = workshop.database(POSTGRESQL, "one").rpartition("/")[2]
        assert (name,) in workshop.query(server, names)

    assert (name,) not in postgresql_workshop.query(server, names)


@pytest.mark.service
def test_what_postgresql_refuses_is_told_in_its_words(postgresql_workshop: Workshop) -> None:
    missing = f"{postgresql_workshop.database(POSTGRESQL, 'one')}_that_does_not_exist"

    with pytest.raises(Failed, match="does not exist"):
        postgresql_workshop.query(missing, "SELECT 1")


def test_a_database_that_cannot_be_dropped_now_is_dropped_in_a_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def busy_twice(_self: Workshop, _database: str, statement: str) -> list[tuple[object, ...]]:
        asked.append(statement)
        if asked.count(statement) < 3 and statement.startswith("DROP"):
            raise Failed("too many clients already")
        return []

    monkeypatch.setattr(Workshop, "query", busy_twice)
    monkeypatch.setattr("benchmarks.workshop.DROP_SECONDS", 0)
    monkeypatch.setattr(Workshop, "_migrate", lambda *_: None)
    workshop = Workshop(tmp_path, "postgres://127.0.0.1/postgres")
    workshop.database(POSTGRESQL, "one")

    workshop.close()

    drops = [statement for statement in asked if statement.startswith("DROP")]
    assert len(drops) == 6  # the template and the copy, each at the third try
    assert len(set(drops)) == 2


def test_a_database_that_stays_behind_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: object) -> list[tuple[object, ...]]:
        raise Failed("connection refused")

    monkeypatch.setattr("benchmarks.workshop.DROP_SECONDS", 0)
    monkeypatch.setattr(Workshop, "query", gone)
    workshop = Workshop(tmp_path, "postgres://127.0.0.1/postgres")
    with pytest.raises(Failed):
        workshop.database(POSTGRESQL, "one")

    workshop.close()

    assert "Left behind in PostgreSQL: the database eduix_bench_" in capsys.readouterr().err
