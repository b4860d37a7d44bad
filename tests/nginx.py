"""nginx with the configuration that we ship, in front of a web server on loopback."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.children import free_port

SHIPPED: Final = Path(__file__).resolve().parents[1] / "deploy" / "nginx.conf"
NAME: Final = "office.example.nl"
PROGRAMS: Final = ("nginx", "openssl")
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0

_AROUND: Final = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    include {folder}/backoffice.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """Where it listens, and a client's view of its certificate."""

    plain_port: int
    port: int
    context: ssl.SSLContext


def missing() -> list[str]:
    """The programs that are not installed here."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def prepare(folder: Path, upstream: int, changes: Mapping[str, str] | None = None) -> Proxy:
    """Write what we ship into this folder, with ports and a certificate of its own.

    Raises `LookupError` when something that should be changed does not stand there.
    """
    plain_port, port = free_port(), free_port()
    _run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
        *("-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")),
    )
    text = SHIPPED.read_text()
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};",
        "/etc/ssl/backoffice/": f"{folder}/",
        **(changes or {}),
    }.items():
        if old not in text:
            raise LookupError(f"{SHIPPED.name} does not say {old!r}")
        text = text.replace(old, new)
    (folder / "backoffice.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, user=user))
    return Proxy(plain_port, port, ssl.create_default_context(cafile=str(folder / "fullchain.pem")))


def verdict(folder: Path) -> str:
    """What `nginx -t` finds wrong; empty when it finds nothing."""
    try:
        said = _run("nginx", "-t", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    except RuntimeError as problem:
        return str(problem)
    return "" if "warn" not in said else said


@contextmanager
def running(
    folder: Path, upstream: int, changes: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """The same, listening."""
    proxy = prepare(folder, upstream, changes)
    program = shutil.which("nginx")
    assert program is not None
    with (folder / "nginx.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not (folder / "nginx.pid").exists():  # written once it listens
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx: {(folder / 'nginx.log').read_text()[-1000:]}")
            time.sleep(0.02)
        yield proxy
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [shutil.which(program) or program, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.strip()[-1000:]}")
    return done.stderr
