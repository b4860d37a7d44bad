"""P12: an older backup is put back; it says "to be sent" of what Edu-iX has done already."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.children import Failed
from benchmarks.workshop import POSTGRESQL, Workshop
from tests.chaos.cluster import programs
from tests.chaos.experiment import Experiment, Outcome, Size
from tests.chaos.outbound.lost_answers import WRITING
from tests.chaos.outbound.office import Office, open_office

UPDATES: Final = ("updatePerson", "updateSchoolperson", "updatePersonCredit", "updateSchoolCredit")
"""Sent once more with the same data: nothing tells a second update from the first."""

MERGE: Final = "person.merge"
"""Refused: that a person is gone at Edu-iX does not tell that it was merged. For a colleague."""

WAIT_SECONDS: Final = 300.0


def an_older_backup(workshop: Workshop, size: Size) -> Outcome:
    """Nothing takes effect again, and every row says in the end what Edu-iX holds."""
    return _restored(workshop, size)


def without_stored_references(workshop: Workshop, size: Size) -> Outcome:
    """The same where each try of a return has a reference of its own."""
    return _restored(workshop, size, "fresh_references")


def _restored(workshop: Workshop, size: Size, *patches: str) -> Outcome:
    outcome = Outcome()
    for kind in workshop.kinds if size is Size.FULL else workshop.kinds[:1]:
        with open_office(workshop, kind=kind) as office:
            _put_back(office, size, outcome, *patches)
    return outcome


def _put_back(office: Office, size: Size, outcome: Outcome, *patches: str) -> None:
    given = list(WRITING) * size.of(20, smoke=1, quick=4)
    asked = office.ask("cases", given=given)
    path = office.workshop.folder / "backup"
    _back_up(office, path)
    sender = office.sender(*patches)
    office.wait_until_sent(WAIT_SECONDS, sender)
    outcome.violations += office.unfinished()
    office.workshop.stop(sender, office.clerk)
    _restore(office, path)
    pending = office.active()
    if pending != len(asked):
        raise Failed(f"the backup holds {pending} messages that wait, not {len(asked)}")
    before = len(office.sandbox.control.ledger())
    sender = office.sender(*patches)
    office.wait_until_sent(WAIT_SECONDS, sender)
    office.workshop.stop(sender)
    outcome.tried += len(asked)
    outcome.violations += [line for line in office.unfinished() if not line.startswith(MERGE)]
    outcome.violations += [
        f"{row.operation} {row.subject} was applied again"
        for row in office.sandbox.control.ledger(applied=True, since=before)
        if row.operation not in UPDATES
    ]
    outcome.violations += _otherwise(office)
    merges = sum(line.startswith(MERGE) for line in office.unfinished())
    outcome.remarks.append(f"{office.kind}: {merges} merges wait for a colleague")


def _otherwise(office: Office) -> list[str]:
    """Rows that say something else than Edu-iX holds."""
    control = office.sandbox.control
    tables = ("persons_person", "persons_schoolperson", "credits_personcredit")
    found = [
        f"{count} rows of {table} are {state}"
        for table in (*tables, "credits_schoolcredit")
        for state, count in office.query(
            f"SELECT push_state, count(*) FROM {table} GROUP BY push_state"  # noqa: S608  our own words
        )
        if state not in ("in_sync", "deleted")
    ]
    theirs = {credit.key: credit for credit in control.rows("schoolCredit")}
    for key, returned in office.query(
        "SELECT distributor_school_credit_id, returned FROM credits_schoolcredit"
    ):
        if theirs[key].returned != returned:
            found.append(f"{key}: {returned} returned here, {theirs[key].returned} there")
    states_of = {credit.key: credit.state for credit in control.rows("personCredit")}
    for key, state in office.query(
        "SELECT distributor_person_credit_id, person_product_state FROM credits_personcredit"
    ):
        if (state == "Returned") != (states_of.get(key) == "Returned"):
            found.append(f"{key}: {state or 'nothing'} here, {states_of.get(key)} there")
    persons = {person.key for person in control.rows("person")}
    ours = {
        key
        for (key,) in office.query(
            "SELECT distributor_person_id FROM persons_person WHERE push_state <> 'deleted'"
        )
    }
    ours -= {
        label
        for (label,) in office.query(
            f"SELECT label FROM outbox_message WHERE operation = '{MERGE}' AND status = 'refused'"  # noqa: S608  our own words
        )
    }
    found += [f"{key} is a person on one side only" for key in sorted(persons ^ ours)]
    return found


def _back_up(office: Office, path: Path) -> None:
    if office.kind == POSTGRESQL:
        _run("pg_dump", "-Fc", "-f", str(path), office.database)
        return
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(office.database.removeprefix("sqlite:///"))) as lite:
        lite.execute("VACUUM INTO ?", [str(path)])


def _restore(office: Office, path: Path) -> None:
    if office.kind == POSTGRESQL:
        _run("pg_restore", "--clean", "--if-exists", "-d", office.database, str(path))
        return
    database = Path(office.database.removeprefix("sqlite:///"))
    for name in (f"{database}-wal", f"{database}-shm"):
        Path(name).unlink(missing_ok=True)
    database.write_bytes(path.read_bytes())


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [programs() / program, *arguments],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{program}: {done.stderr[-2000:]}")


EXPERIMENTS: Final = (
    Experiment(
        "P12",
        "An older backup that is put back applies nothing again, and its rows catch up",
        an_older_backup,
        without_stored_references,
        "each try of a return has a reference of its own",
    ),
)
