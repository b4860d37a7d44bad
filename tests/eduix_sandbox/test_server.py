"""Starting, stopping, and continuing after a restart."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from backoffice.eduix_sandbox.publishers import PublishersError
from backoffice.eduix_sandbox.schools import SchoolsError
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.eduix_sandbox.statefile import StateFileError

from .callers import Caller
from .samples import (
    SCHOOLS,
    distributor_person,
    own_person_credit,
    person,
    person_credit,
    school_credit,
    schoolperson,
)


def test_nothing_listens_any_more_once_it_has_stopped() -> None:
    sandbox = SandboxServer(schools=SCHOOLS).start()
    socket.create_connection(("127.0.0.1", sandbox.port), timeout=5).close()

    sandbox.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=5)


def test_a_port_in_use_is_an_os_error() -> None:
    with SandboxServer(schools=SCHOOLS) as first, pytest.raises(OSError, match="in use"):
        SandboxServer(port=first.port, schools=SCHOOLS).start()


def test_a_failed_start_lets_the_port_go(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for problem, options in (
        (SchoolsError, {"schools": tmp_path / "none"}),
        (PublishersError, {"schools": SCHOOLS, "publishers": tmp_path / "none"}),
        (StateFileError, {"schools": SCHOOLS, "state_file": tmp_path / "no" / "file"}),
        (ValueError, {"schools": SCHOOLS, "endpoint": "http://example.com/"}),
    ):
        with pytest.raises(problem):
            SandboxServer(port=port, **options).start()

    SandboxServer(port=port, schools=SCHOOLS).start().stop()


def test_it_cannot_be_started_twice(sandbox: SandboxServer) -> None:
    with pytest.raises(RuntimeError):
        sandbox.start()


def test_a_stopped_sandbox_answers_nobody_not_even_on_an_open_connection(caller: Caller) -> None:
    caller.log_in("profile")
    caller.sandbox.stop()

    with pytest.raises(requests.exceptions.ConnectionError):
        caller.call("getSchool")


def test_it_can_be_started_again_on_its_port_with_its_state(caller: Caller) -> None:
    caller.call("createPerson", person=person())
    port = caller.sandbox.port

    caller.sandbox.stop()
    caller.sandbox.start()

    assert caller.sandbox.port == port
    assert caller.refused("createPerson", person=person()) == 2626


def test_a_restart_with_a_state_file_continues(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"

    def sandbox(**options: bool) -> SandboxServer:
        return SandboxServer(schools=SCHOOLS, state_file=path, pace=0, **options)  # type: ignore[arg-type]

    with sandbox() as first:
        caller = Caller(first)
        caller.call("createPerson", person=person())
        caller.call("createSchoolperson", schoolperson=schoolperson())
        caller.call("createPersonCredit", personCredit=person_credit())
        assert first.control.wait_until_quiet()
        caller.call(
            "returnCredit",
            distributorPersonCredit=own_person_credit(),
            amount=1,
            returnCreditReferenceId="R1",
        )
        found = caller.call("getPerson", distributorPerson=distributor_person("P1"))
        calls = len(first.control.ledger())

    with sandbox() as second:
        caller = Caller(second)
        again = caller.call("getPerson", distributorPerson=distributor_person("P1"))
        (credit,) = caller.call("getPersonCredit", distributorPersonCredit=own_person_credit())
        replay = {"distributorPersonCredit": own_person_credit(), "amount": 1}
        second.replayed_return = "exists"

        assert again[0]["person"] == found[0]["person"]
        assert credit["specification"]["specificationState"] == "Specified"
        assert credit["personCredit"]["personProductState"] == "Returned"
        assert caller.refused("returnCredit", **replay, returnCreditReferenceId="R1") == 4
        assert len(second.control.ledger()) > calls

    with sandbox(fresh=True) as third:
        assert third.control.state()["persons"] == 0


def test_what_was_planned_happens_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    with SandboxServer(schools=SCHOOLS, state_file=path, pace=0.3) as first:
        Caller(first).call("createSchoolCredit", schoolCredit=school_credit())
        assert first.control.state()["specified"] == 0

    with SandboxServer(schools=SCHOOLS, state_file=path) as second:
        assert second.control.wait_until_quiet()
        assert second.control.state()["specified"] == 1


def test_a_session_does_not_survive_a_restart_with_a_state_file(tmp_path: Path) -> None:
    sandbox = SandboxServer(schools=SCHOOLS, state_file=tmp_path / "state.sqlite3")
    with sandbox:
        caller = Caller(sandbox)
        caller.log_in("profile")

    with sandbox:
        assert caller.refused("createPerson", person=person()) == 12


KILLED = """
import sys
import threading
from backoffice.eduix_sandbox.server import SandboxServer
from tests.eduix_sandbox.samples import SCHOOLS
server = SandboxServer(schools=SCHOOLS, state_file=__import__("pathlib").Path(sys.argv[1]),
                       username="demo", password=sys.argv[2]).start()
print(server.port, flush=True)
sys.stdin.read()
"""


def start_killable(path: Path, password: str) -> tuple[subprocess.Popen[str], int]:
    """A sandbox as a process of its own, and its port."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", KILLED, str(path), password],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_kill_nine_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    path, password = tmp_path / "state.sqlite3", "once"
    process, port = start_killable(path, password)
    caller = Caller(SandboxServer(port=port, username="demo", password=password))
    for number in range(20):
        caller.call("createPerson", person=person(f"P{number}"))

    process.kill()
    process.communicate()

    with SandboxServer(schools=SCHOOLS, state_file=path) as again:
        assert again.control.state()["persons"] == 20
        assert len(again.control.ledger(applied=True)) == 20


def test_kill_nine_amid_writes_leaves_state_and_ledger_of_one_mind(tmp_path: Path) -> None:
    path, password = tmp_path / "state.sqlite3", "once"
    process, port = start_killable(path, password)
    answered: set[str] = set()
    asked: set[str] = set()
    enough = threading.Event()

    def write(thread: int) -> None:
        caller = Caller(SandboxServer(port=port, username="demo", password=password))
        for number in itertools.count():
            key = f"P{thread}-{number}"
            asked.add(key)
            try:
                caller.call("createPerson", person=person(key))
            except requests.exceptions.RequestException:
                return  # killed
            answered.add(key)
            if len(answered) > 60:
                enough.set()

    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for writer in writers:
        writer.start()
    assert enough.wait(40)
    process.kill()
    process.communicate()
    for writer in writers:
        writer.join(20)

    with SandboxServer(schools=SCHOOLS, state_file=path) as again:
        kept = {row.key for row in again.control.rows("person")}
        ledger = [row.subject for row in again.control.ledger(applied=True)]
    assert answered <= kept <= asked
    assert sorted(ledger) == sorted(f"person:{key}" for key in kept)


def test_two_runs_with_one_seed_are_alike_and_another_seed_differs() -> None:
    def run(seed: int) -> tuple[object, ...]:
        with SandboxServer(schools=SCHOOLS, pace=0, seed=seed) as sandbox:
            caller = Caller(sandbox)
            caller.call("createPerson", person=person())
            caller.call("createSchoolperson", schoolperson=schoolperson())
            caller.call("createPersonCredit", personCredit=person_credit())
            assert sandbox.control.wait_until_quiet()
            signs = [
                caller.signed_refusal("createPerson", person=person(f"P{n}", countryCode="XX"))
                for n in range(12)
            ]
            people = [(row.profile_id, row.user_id) for row in sandbox.control.rows("person")]
            answers = [
                (entry.response_id, entry.error_code)
                for row in sandbox.control.rows("personCredit")
                for entry in row.specification
            ]
            return signs, people, answers

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_it_shares_the_contract_with_the_back_office_and_nothing_else() -> None:
    program = (
        "import sys; import backoffice;"
        "roof = set(sys.modules); import backoffice.eduix_sandbox.server;"
        "print(*sorted(set(sys.modules) - roof))"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )

    loaded = done.stdout.split()
    ours = {name for name in loaded if name.startswith("backoffice.")}
    assert {name for name in ours if "eduix_sandbox" not in name} == {
        "backoffice.eduix",
        "backoffice.eduix.addresses",  # names of hosts, which the contract needs
        "backoffice.eduix.contract",
    }
    assert not {"zeep", "django", "persons", "credits", "notifications"} & set(loaded)
