"""The stacks, each named when it is missing, and our endpoint behind the server that we ship."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.foreign.stacks import JARS, JAX_WS, run
from tests.notifications.sending import Sender
from tests.notifications.servers import granian_at


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


@pytest.fixture(scope="session")
def perl() -> str:
    """Perl with SOAP::Lite."""
    path = shutil.which("perl")
    asked = [path or "", "-MSOAP::Lite", "-e", "1"]
    found = path and subprocess.run(asked, capture_output=True, check=False).returncode == 0  # noqa: S603
    need(bool(found), "Perl with SOAP::Lite (libsoap-lite-perl)")
    return path or ""


@pytest.fixture(scope="session")
def jax_ws() -> None:
    """Java with JAX-WS, which left the JDK with Java 11."""
    tools = shutil.which("java") and shutil.which("javac")
    has_jars = all((JARS / f"{name}.jar").exists() for name in JAX_WS)
    need(bool(tools) and has_jars, "JAX-WS (default-jdk-headless, libjaxws-java)")


@pytest.fixture(scope="session")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the endpoint's database."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="session")
def endpoint(var: Path) -> Iterator[Sender]:
    """Our notification endpoint under granian."""
    with granian_at(var) as sender:
        yield sender
