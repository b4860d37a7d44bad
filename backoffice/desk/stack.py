"""The whole product on one machine: sandbox, drainer and web server as processes of their own."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
START_SECONDS: Final = 60
STOP_SECONDS: Final = 15
# A sender that stops half-way holds a thread and a connection until it hangs up. The server makes
# threads when it needs them, so that many cost nothing until then.
THREADS: Final = 256
CONNECTIONS: Final = 512


def web_server(
    port: int,
    *,
    workers: int = 1,
    threads: int = THREADS,
    application: str = "backoffice.wsgi:application",
) -> list[str]:
    """The arguments of Python that start the web server on loopback."""
    return [
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        *("--backpressure", str(CONNECTIONS), "--no-ws", "--log-level", "warning"),
        application,
    ]


class CannotStart(Exception):
    """One line: what stands in the way, and what to do."""


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_use(port: int) -> bool:
    """Whether something listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@dataclass
class Stack:
    """Three processes that share one `var` folder; `with Stack(...)` stops them again."""

    var: Path
    port: int
    sandbox_port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None
    """Folder in which each process writes a file of its own; None = to our own output."""

    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def environ(self) -> dict[str, str]:
        """The environment of each process, and of commands beside them."""
        return {
            **os.environ,
            "BACKOFFICE_VAR": str(self.var),
            "BACKOFFICE_PORT": str(self.port),
            "EDUIX_SANDBOX_PORT": str(self.sandbox_port),
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py ...` beside the processes, with its output captured."""
        return subprocess.run(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
        )

    def check_ports(self) -> None:
        """Raises `CannotStart` with the name of the setting to change."""
        for port, name, what in (
            (self.port, "BACKOFFICE_PORT", "the web server"),
            (self.sandbox_port, "EDUIX_SANDBOX_PORT", "the sandbox"),
        ):
            if in_use(port):
                raise CannotStart(
                    f"Port {port} for {what} is in use. Stop what listens there, or choose "
                    f"another: {name}={free_port()} make demo"
                )

    def start(self) -> None:
        """Start all three and wait until they answer. Raises `CannotStart`."""
        self.check_ports()
        self.run_sandbox()
        self.run_drainer()
        self.run_web()
        self._wait("sandbox", self.sandbox_port, "/healthz")
        self._wait("web", self.port, "/readyz")

    def run_sandbox(self) -> None:
        state = str(self.var / "sandbox.sqlite3")
        port = str(self.sandbox_port)
        self._run("sandbox", "manage.py", "sandbox", "--port", port, "--state", state)

    def run_drainer(self) -> None:
        self._run("drainer", "manage.py", "deliver")

    def run_web(self) -> None:
        self._run("web", *web_server(self.port))

    def log_of(self, name: str) -> Path:
        """Where the process of this name writes; raises `ValueError` without a folder."""
        if self.logs is None:
            raise ValueError("this stack writes no files")
        return self.logs / f"{name}.log"

    def stop(self) -> None:
        """Ask all to stop, the web server first; kill what does not listen."""
        for name in ("web", "sandbox", "drainer"):
            process = self.processes.get(name)
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def ended(self) -> str:
        """The name of a process that ended by itself; empty while all run."""
        return next((n for n, p in self.processes.items() if p.poll() is not None), "")

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _run(self, name: str, *arguments: str) -> None:
        output = None
        if self.logs:
            self.logs.mkdir(parents=True, exist_ok=True)
            output = self.log_of(name).open("ab")
        self.processes[name] = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,  # Ctrl-C reaches the parent only, which stops all in order
        )
        if output:
            output.close()

    def _wait(self, name: str, port: int, path: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if gone := self.ended():
                raise CannotStart(f"The {gone} process ended at once{self._hint(gone)}")
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            try:
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass  # not listening yet
            finally:
                connection.close()
            time.sleep(0.1)
        raise CannotStart(f"The {name} process does not answer within {START_SECONDS} s.")

    def _hint(self, name: str) -> str:
        """The last thing a process said; it prints one line when it cannot start."""
        if self.logs is None or not self.log_of(name).exists():
            return "."
        text = self.log_of(name).read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        # The web server tells "[ERROR] Unexpected exit" after the line that says why.
        own = [line for line in lines if not line.startswith("[")] or lines
        return f": {own[-1][:300]}" if own else "."
