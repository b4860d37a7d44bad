"""SOAP stacks that are not ours, and no packages of Python; Debian has them all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
JARS = Path("/usr/share/java")
JAX_WS = (
    "jaxws-tools", "jaxws-rt", "jaxws-api", "jaxb-xjc", "jaxb-impl", "jaxb-core", "jaxb-api",
    "jws-api", "javax.xml.soap-api", "saaj-impl", "stax-ex", "streambuffer", "metro-policy",
    "gmbal", "mimepull", "javax.activation", "xml-resolver", "woodstox-core", "stax2-api",
)  # fmt: skip
"""What JAX-WS consists of in Debian's libjaxws-java and the packages that it needs."""


def run(command: list[str], **options: Any) -> str:
    """What the program printed; a failure shows all it said."""
    done = subprocess.run(  # noqa: S603  programs of this machine, with our arguments
        command, capture_output=True, text=True, timeout=120, check=False, **options
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}\n{done.stderr}"
    return str(done.stdout)


def lines(printed: str) -> list[list[str]]:
    """A line of a program is its words, by tabs."""
    return [line.split("\t") for line in printed.splitlines()]


def built_with_gsoap(folder: Path, source: str, prefixes: dict[str, str], wsdls: list[str]) -> Path:
    """A program of ours with the calls that gSOAP makes of these WSDLs.

    The program is written with these prefixes for the namespaces.
    """
    names = "".join(f'{prefix} = "{namespace}"\n' for prefix, namespace in prefixes.items())
    (folder / "names.dat").write_text(names)
    run(["wsdl2h", "-c", "-t", "names.dat", "-o", "calls.h", *wsdls], cwd=folder)
    run(["soapcpp2", "-c", "-C", "-L", "-x", "calls.h"], cwd=folder)
    program = folder / "program"
    build = ["gcc", "-O0", "-w", "-I.", "-o", str(program), str(HERE / source)]
    run([*build, "soapC.c", "soapClient.c", "-lgsoap"], cwd=folder)
    return program


def class_path(*more: Path) -> str:
    """JAX-WS, and folders of ours."""
    return ":".join([*map(str, more), *(str(JARS / f"{name}.jar") for name in JAX_WS)])


def built_with_jax_ws(folder: Path, wsdl: str) -> list[str]:
    """The command that runs Notifier.java with the calls that wsimport makes of this WSDL."""
    generate = ["java", "-cp", class_path(), "com.sun.tools.ws.WsImport", "-Xnocompile", "-quiet"]
    run([*generate, "-XadditionalHeaders", "-s", ".", "-d", ".", "-p", "told", wsdl], cwd=folder)
    sources = [str(HERE / "Notifier.java"), *map(str, folder.glob("told/*.java"))]
    run(["javac", "-nowarn", "-cp", class_path(), "-d", ".", *sources], cwd=folder)
    return ["java", "-cp", class_path(folder), "Notifier"]
