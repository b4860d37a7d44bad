"""What the tests of real web servers share."""

from __future__ import annotations

import socket
import subprocess
import time


def wait_until_it_listens(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when the port is taken; fail when the server ended or a minute has passed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"{server.args!r} does not listen")
