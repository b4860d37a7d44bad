"""A PostgreSQL server of an experiment's own, which may be killed, paused or run out of space.

The server that the machine offers belongs to others too; this one is made from the same programs
in a folder of its own, and listens on loopback only.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg

from benchmarks.children import free_port
from tests.chaos.experiment import NotHere

START_SECONDS: Final = 60.0
USER: Final = "postgres"  # the server refuses to run as root


class Cluster:
    """`start()` it, use `url`, `kill()` it or `stop()` it; `close()` removes its folder."""

    def __init__(self, folder: Path | None = None, **settings: str) -> None:
        self.port = free_port()
        self._programs = programs()
        self._as_user = {"user": USER} if os.geteuid() == 0 else {}
        # Not below a folder of ours: those let nobody else in.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="eduix-cluster-"))
        self.data = self.folder / "data"
        if self._as_user:
            shutil.chown(self.folder, USER)
        self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "-N")
        conf = {
            "listen_addresses": "'127.0.0.1'",
            "port": str(self.port),
            "unix_socket_directories": "''",
            "max_connections": "100",
            "shared_buffers": "'32MB'",
            "logging_collector": "off",
            **settings,
        }
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in conf.items())

    @property
    def url(self) -> str:
        """The address of its first database, as its owner."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def start(self) -> None:
        """Returns when it answers; after a kill it recovers first.

        Raises `RuntimeError` when the server ends instead, with what it wrote last.
        """
        log = self.folder / "log"
        self._run("pg_ctl", "-D", str(self.data), "-l", str(log), "-W", "start")
        end = time.monotonic() + START_SECONDS
        has_run = False
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                runs = (self.data / "postmaster.pid").exists()
                if has_run and not runs:
                    raise RuntimeError(log.read_text(errors="replace")[-1000:]) from None
                has_run |= runs
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """SIGKILL to the postmaster and to all it started, as the kernel would out of memory."""
        pid = self.pid
        family = [pid, *_children(pid)]
        for member in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        end = time.monotonic() + START_SECONDS
        while any(_is_alive(member) for member in family) and time.monotonic() < end:
            time.sleep(0.02)
        # A dead process whose parent has not looked yet still bears its number.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def signal(self, number: int) -> None:
        """To the postmaster and to all it started; SIGSTOP makes it hang."""
        pid = self.pid
        for member in (pid, *_children(pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, number)

    def stop(self) -> None:
        """At once and in order; does nothing when it does not run."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "stop", check=False)

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            **self._as_user,  # type: ignore[call-overload]  # mypy cannot see through it
        )
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()[-1000:]}")


def programs() -> Path:
    """Where initdb and pg_ctl stand. Raises `NotHere`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        path = found[-1].parent
    elif on_path := shutil.which("initdb"):
        path = Path(on_path).resolve().parent
    else:
        raise NotHere("PostgreSQL's own programs (initdb, pg_ctl)")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(USER)
        except KeyError:
            raise NotHere(f"the user {USER}, as whom PostgreSQL runs") from None
    return path


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
