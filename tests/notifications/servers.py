"""What the tests of real web servers share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.empty_tables import make_tables
from tests.notifications.sending import PASSWORD, USER, Sender

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def granian_at(var: Path, workers: int = 1, **environ: str) -> Iterator[Sender]:
    """granian with threads in front of backoffice.wsgi, as `make demo` starts it; SQLite in `var`.

    Its own WSDL names its own address.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {
        "BACKOFFICE_VAR": str(var),
        "BACKOFFICE_PORT": str(port),
        "NOTIFICATION_CREDENTIALS": f"{USER}:{PASSWORD}",
        **environ,
    }
    make_tables(var / "db.sqlite3", environment)
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "8"),
        "backoffice.wsgi:application",
    ]
    with (var / "server.log").open("w") as log:
        server = subprocess.Popen(  # noqa: S603  our own server
            command, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until_it_listens(port, server)
            yield Sender(port)
        finally:
            server.terminate()
            server.wait(timeout=20)


def wait_until_it_listens(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when the port is taken; fail when the server ended or a minute has passed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"{server.args!r} does not listen")
