"""`manage.py import`, with the sandbox as partner, and every wrong way to call it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import Job, JobRow
from backoffice.outbox import delivery
from persons.models import Person, School
from tests.outbox.conftest import gateway_for

from .given import BAKEN, person, pupil, school, table

pytestmark = pytest.mark.django_db


def run(*words: object) -> tuple[int, str]:
    """What the command prints, and its exit status."""
    out = StringIO()
    try:
        call_command("import", *map(str, words), stdout=out, stderr=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_bytes(table([pupil(1), pupil(2)]))
    (tmp_path / "some.csv").write_bytes(table([pupil(1), pupil(2, Achternaam=""), pupil(3)]))
    return tmp_path


@pytest.fixture
def edu_ix(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """The sandbox, as the gateway that the drainer uses by itself."""
    known = {"organisationID": BAKEN, "name": "Het Baken College", "countryCode": "NL"}
    with SandboxServer(schools=[known], pace=0.02) as server:
        gateway: Gateway = gateway_for(server)
        monkeypatch.setattr(delivery, "default_gateway", lambda: gateway)
        yield server
        gateway.close()


def test_good_rows_go_in_and_the_exit_status_is_zero(folder: Path) -> None:
    school()

    status, said = run("persons", folder / "good.csv")

    assert status == 0
    assert Person.objects.count() == 2
    assert Job.objects.get().status == Job.Status.DONE
    assert "good.csv: 2" in said


def test_refused_rows_are_listed_and_the_others_go_in(folder: Path) -> None:
    school()

    status, said = run("persons", folder / "some.csv", "--errors", folder / "wrong.csv")

    assert status == 1
    assert Person.objects.count() == 2
    (line,) = [each for each in said.splitlines() if "5020" in each]
    assert "3" in line.split("  ")[0]
    assert "Achternaam" in line
    assert "5020" in (folder / "wrong.csv").read_text(encoding="utf-8-sig")


def test_no_error_file_is_written_when_nothing_is_refused(folder: Path) -> None:
    school()

    run("persons", folder / "good.csv", "--errors", folder / "wrong.csv")

    assert not (folder / "wrong.csv").exists()


def test_a_trial_says_the_same_and_leaves_nothing(folder: Path) -> None:
    school()

    status, said = run("persons", folder / "some.csv", "--dry-run")

    assert status == 1
    assert "5020" in said
    assert not Person.objects.exists()
    assert not Job.objects.exists()
    assert not JobRow.objects.exists()


def test_the_same_file_twice_changes_nothing(folder: Path) -> None:
    school()
    run("persons", folder / "good.csv")
    before = list(Person.objects.values())

    status, _said = run("persons", folder / "good.csv")

    assert status == 0
    assert list(Person.objects.values()) == before
    assert Job.objects.latest("pk").summary["counts"] == {"unchanged": 2}


def test_control_characters_of_a_cell_never_reach_the_terminal(folder: Path) -> None:
    school()
    (folder / "x.csv").write_bytes(table([person(Geslacht="Q\x1b[31m" + "x" * 100)]))

    _status, said = run("persons", folder / "x.csv")

    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) < 300


def test_an_unknown_school_is_fetched_from_edu_ix_first(
    folder: Path, edu_ix: SandboxServer
) -> None:
    status, _said = run("persons", folder / "good.csv")

    assert status == 0
    assert School.objects.get().name == "Het Baken College"
    assert Person.objects.count() == 2


def test_a_school_that_edu_ix_does_not_know_keeps_its_row_out(
    folder: Path, edu_ix: SandboxServer
) -> None:
    rows = [pupil(1), pupil(2, **{"School-ID": "00000000-0000-4000-8000-000000000404"})]
    (folder / "x.csv").write_bytes(table(rows))

    status, said = run("persons", folder / "x.csv")

    assert status == 1
    assert "6727" in said
    assert Person.objects.count() == 1


def test_no_answer_of_edu_ix_is_one_clear_line_and_nothing_goes_in(
    folder: Path, edu_ix: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.jobs.management.commands.import.ASK_SECONDS", 0)
    edu_ix.stop()

    with pytest.raises(CommandError) as failed:
        run("persons", folder / "good.csv")

    assert failed.value.returncode == 2
    assert "\n" not in str(failed.value)
    assert not Person.objects.exists()
    assert not Job.objects.exists()


def wrong_calls(folder: Path) -> dict[str, list[Any]]:
    (folder / "book.xlsx").write_bytes(b"PK\x03\x04 [Content_Types].xml xl/")
    (folder / "empty.csv").write_bytes(b"")
    os.mkfifo(folder / "pipe")
    return {
        "a missing file": ["persons", folder / "nowhere.csv"],
        "a folder": ["persons", folder],
        "a pipe": ["persons", folder / "pipe"],
        "a workbook": ["persons", folder / "book.xlsx"],
        "an empty file": ["persons", folder / "empty.csv"],
        "another kind": ["school-credits", folder / "good.csv"],
        "an unknown kind": ["pupils", folder / "good.csv"],
        "no file": ["persons"],
        "errors to a folder": ["persons", folder / "good.csv", "--errors", folder],
        "errors to nowhere": ["persons", folder / "good.csv", "--errors", folder / "x" / "y.csv"],
    }


@pytest.mark.parametrize(
    "name",
    [
        "a missing file",
        "a folder",
        "a pipe",
        "a workbook",
        "an empty file",
        "another kind",
        "an unknown kind",
        "no file",
        "errors to a folder",
        "errors to nowhere",
    ],
)
def test_a_wrong_call_is_one_clear_line_and_changes_nothing(name: str, folder: Path) -> None:
    school()

    with pytest.raises(CommandError) as refused:
        run(*wrong_calls(folder)[name])

    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) > 10
    assert refused.value.returncode in (1, 2)
    assert not Job.objects.exists()
    assert not Person.objects.exists()


def test_a_file_that_may_not_be_read_is_one_clear_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*args: Any, **options: Any) -> None:  # root may read everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", closed)

    with pytest.raises(CommandError, match="Permission denied") as refused:
        run("persons", folder / "good.csv")

    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)
