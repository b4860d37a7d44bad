"""SOAP stacks that are not ours tell our endpoint what changed, and understand its refusal.

Where a stack reads WSDLs it knows nothing but the one that the endpoint serves.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.foreign.stacks import HERE, built_with_gsoap, built_with_jax_ws, lines, run
from tests.notifications.sending import PASSWORD, PATH, USER, Sender

SAID = [["prematchChanged", "done"], ["specificationChanged", "done"], ["fault", "-2"]]
PREFIXES = {"told": "urn:edu-ix:notification:types:4.0"}


def address(endpoint: Sender, path: str = PATH) -> str:
    return f"http://127.0.0.1:{endpoint.port}{path}"


def kept(var: Path, name: str) -> dict[str, dict[str, Any]]:
    """What is stored of a stack's person and credit, by kind; nothing of it is invalid."""
    with closing(sqlite3.connect(var / "db.sqlite3")) as database:
        rows = database.execute(
            "SELECT kind, parsed FROM notifications_notification"
            " WHERE subject IN (?, ?) AND verdict = 'waiting'",
            (f"P-{name}", f"C-{name}"),
        )
        found = rows.fetchall()
    assert len(found) == 2
    return {kind: json.loads(parsed) for kind, parsed in found}


def assert_both_arrived(var: Path, name: str) -> None:
    told = kept(var, name)
    assert told["prematchChanged"]["user_id"] == f"u-{name}"
    assert told["specificationChanged"]["state"] == "Active"
    assert told["specificationChanged"]["specification"] == [
        {"amount": 1, "response_id": "R-1", "error_code": None},
        {"amount": 1, "response_id": "R-2", "error_code": 1042},
    ]


def test_php_delivers_what_our_wsdl_says(php: str, endpoint: Sender, var: Path) -> None:
    program = [php, str(HERE / "notifier.php"), f"{address(endpoint)}?wsdl", "4.0", USER]

    printed = run(program, input=f"{PASSWORD}\n")

    assert lines(printed) == SAID
    assert_both_arrived(var, "php")


def test_php_delivers_version_43(php: str, endpoint: Sender, var: Path) -> None:
    wsdl = address(endpoint, PATH.replace("4.0", "4.3")) + "?wsdl"

    printed = run([php, str(HERE / "notifier.php"), wsdl, "4.3", USER], input=f"{PASSWORD}\n")

    assert lines(printed) == SAID
    told = kept(var, "php43")["specificationChanged"]
    assert (told["version"], told["is_single_update"]) == ("4.3", False)
    entries = [
        (one["audit_id"], one["response_id"], one["error_code"]) for one in told["specification"]
    ]
    assert entries == [(1, "R-1", None), (2, "", 1042)]


def test_gsoap_delivers_what_our_wsdl_says(
    gsoap: None, endpoint: Sender, var: Path, tmp_path: Path
) -> None:
    wsdl = f"{address(endpoint)}?wsdl"
    notifier = built_with_gsoap(tmp_path, "notifier.c", PREFIXES, [wsdl])

    printed = run([str(notifier), address(endpoint), USER], input=f"{PASSWORD}\n")

    assert lines(printed) == SAID
    assert_both_arrived(var, "gsoap")


def test_perl_delivers_as_it_was_told(perl: str, endpoint: Sender, var: Path) -> None:
    program = [perl, str(HERE / "notifier.pl"), address(endpoint), USER]

    printed = run(program, input=f"{PASSWORD}\n")

    assert lines(printed) == SAID
    assert_both_arrived(var, "perl")


def test_jax_ws_delivers_what_our_wsdl_says(
    jax_ws: None, endpoint: Sender, var: Path, tmp_path: Path
) -> None:
    notifier = built_with_jax_ws(tmp_path, f"{address(endpoint)}?wsdl")

    printed = run([*notifier, USER], input=f"{PASSWORD}\n")

    assert lines(printed) == SAID
    assert_both_arrived(var, "jaxws")
