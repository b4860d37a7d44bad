"""Our WSDLs in SOAP stacks that are not ours: PHP's ext-soap, and gSOAP in C.

Neither is a package of Python: Debian has both (php-cli and php-soap; gsoap, libgsoap-dev, gcc).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from backoffice.eduix_sandbox.server import SandboxServer
from notifications.models import Notification
from tests.conftest import need
from tests.eduix_sandbox.samples import DISTRIBUTOR, LINKING, SCHOOLS
from tests.notifications.conftest import PASSWORD as ENDPOINT_PASSWORD
from tests.notifications.conftest import PATH, USER, Sender

HERE = Path(__file__).parent
PASSWORD = "geheim & <lang>"  # noqa: S105  it must survive being written as XML
NAMES = """\
profile = "urn:edu-ix:profile:types:4.1"
credit = "urn:edu-ix:credit:types:4.1"
"""
"""Prefixes for wsdl2h: partner.c is written with them."""


def run(command: list[str], **options: Any) -> str:
    """What the program printed; a failure shows all it said."""
    done = subprocess.run(  # noqa: S603  programs of this machine, with our arguments
        command, capture_output=True, text=True, timeout=50, check=False, **options
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}\n{done.stderr}"
    return str(done.stdout)


def lines(printed: str) -> list[list[str]]:
    return [line.split("\t") for line in printed.splitlines()]


EXPECTED = [
    ["profile.login", "32"],
    ["createPerson", "done"],
    ["createSchoolperson", "done"],
    ["getPerson", "Zoë"],
    ["fault", "2626"],
    ["credit.login", "32"],
    ["createPersonCredit", "done"],
    ["getPersonCredit", "9789001205416"],
]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(
        schools=SCHOOLS, distributor_id=DISTRIBUTOR, password=PASSWORD, pace=0
    ) as running:
        yield running


@pytest.fixture(scope="session")
def php() -> str:
    """PHP with its SOAP module."""
    path = shutil.which("php")
    modules = run([path, "-m"]).split() if path else []
    need("soap" in modules, "PHP with ext-soap (php-cli, php-soap)")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def gsoap() -> None:
    """gSOAP's generators, its library and a compiler."""
    tools = all(shutil.which(tool) for tool in ("wsdl2h", "soapcpp2", "gcc"))
    header = Path("/usr/include/stdsoap2.h")
    need(tools and header.exists(), "gSOAP (gsoap, libgsoap-dev, gcc)")


def test_php_works_with_our_wsdls(php: str, sandbox: SandboxServer) -> None:
    organisation = LINKING["organisationID"]
    wsdls = [f"{sandbox.profile_url}/wsdl", f"{sandbox.credit_url}?wsdl"]

    printed = run(
        [php, str(HERE / "partner.php"), *wsdls, sandbox.username, str(DISTRIBUTOR), organisation],
        input=f"{PASSWORD}\n",
    )

    assert lines(printed) == EXPECTED
    applied = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert applied == ["createPerson", "createSchoolperson", "createPersonCredit"]


def test_gsoap_works_with_our_wsdls(gsoap: None, sandbox: SandboxServer, tmp_path: Path) -> None:
    (tmp_path / "names.dat").write_text(NAMES)
    wsdls = [f"{sandbox.profile_url}/wsdl", f"{sandbox.credit_url}?wsdl"]
    run(["wsdl2h", "-c", "-t", "names.dat", "-o", "partner.h", *wsdls], cwd=tmp_path)
    run(["soapcpp2", "-c", "-C", "-L", "-x", "partner.h"], cwd=tmp_path)
    build = ["gcc", "-O0", "-w", "-I.", "-o", "partner", str(HERE / "partner.c")]
    run([*build, "soapC.c", "soapClient.c", "-lgsoap"], cwd=tmp_path)

    printed = run(
        ["./partner", sandbox.username, str(DISTRIBUTOR), LINKING["organisationID"]],
        cwd=tmp_path,
        input=f"{PASSWORD}\n",
    )

    assert lines(printed) == EXPECTED
    applied = [row.operation for row in sandbox.control.ledger(applied=True)]
    assert applied == ["createPerson", "createSchoolperson", "createPersonCredit"]


@pytest.mark.django_db(transaction=True)
def test_php_can_notify_us(php: str, door: Sender, settings: Settings) -> None:
    settings.BACKOFFICE_PUBLIC_URL = f"http://127.0.0.1:{door.port}"  # the WSDL's soap:address
    wsdl = f"http://127.0.0.1:{door.port}{PATH}/wsdl"

    printed = run(
        [php, str(HERE / "notifier.php"), wsdl, USER, "P-1", "u-1"],
        input=f"{ENDPOINT_PASSWORD}\n",
    )

    assert lines(printed) == [["prematchChanged", "done"], ["fault", "-2"]]
    kept = Notification.objects.get()
    assert (kept.kind, kept.subject) == ("prematchChanged", "P-1")
