"""Brokers of an experiment's own: servers that may be killed, and a queue of RabbitMQ to empty."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import redis
from kombu import Connection, Exchange, Queue

from benchmarks.children import Failed, free_port
from tests.chaos.experiment import NotHere
from tests.chaos.waiting import wait_until

RABBITMQ: Final = "amqp://guest:guest@127.0.0.1:5672//"
PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # those on the path change user


class Broker(ABC):
    """What carries the rings; `with` makes it ready and clears it away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    @abstractmethod
    def url(self) -> str:
        """For CELERY_BROKER_URL."""

    @abstractmethod
    def forget(self, queue: str) -> None:
        """Every ring that waits is lost."""

    @abstractmethod
    def remove(self, queue: str) -> None:
        """The queue was only ours."""

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(self, *exc_info: object) -> None: ...


class RabbitMQ(Broker):
    """A queue on the server of this machine, which belongs to others too."""

    @property
    def url(self) -> str:
        return RABBITMQ

    def forget(self, queue: str) -> None:
        _purge(self.url, queue)

    def remove(self, queue: str) -> None:
        with Connection(self.url) as connection:
            Queue(queue, channel=connection.default_channel).delete()
            Exchange(queue, channel=connection.default_channel).delete()

    def __enter__(self) -> Self:
        try:
            with Connection(self.url, connect_timeout=5) as connection:
                connection.connect()
        except OSError as problem:
            raise NotHere("RabbitMQ on 127.0.0.1:5672") from problem
        return self

    def __exit__(self, *exc_info: object) -> None:
        """The server stays."""


def _purge(url: str, queue: str) -> None:
    with Connection(url) as connection:
        Queue(queue, channel=connection.default_channel).purge()


class Server(Broker):
    """A server on loopback in a folder below the given one; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(folder / f"{type(self).__name__}-{self.port}")
        self._folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> list[str]:
        """Raises `NotHere`."""

    def _environ(self) -> Mapping[str, str]:
        """Beside that of this process."""
        return {}

    def start(self) -> None:
        """Returns when it listens; raises `Failed` when it ended."""
        with (self._folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder,
                env={**os.environ, **self._environ()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._listens, f"{type(self).__name__} listens")

    def kill(self) -> None:
        """SIGKILL; what it held is gone. Does nothing when it does not run."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """To all its processes; SIGSTOP makes it hang."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def remove(self, queue: str) -> None:
        """It goes with the server."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except Failed:
            self.kill()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listens(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            said = (self._folder / "log.txt").read_text(errors="replace")
            raise Failed(f"{type(self).__name__} ended: {said[-1000:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Redis(Server):
    """A server without a disk, as most installations run it."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def forget(self, queue: str) -> None:
        """FLUSHALL: all queues."""
        with redis.Redis(port=self.port, socket_timeout=5) as client:
            client.flushall()

    def _command(self) -> list[str]:
        program = shutil.which("redis-server")
        if program is None:
            raise NotHere("the program redis-server")
        address = (program, "--port", str(self.port), "--bind", "127.0.0.1")
        return [*address, "--save", "", "--appendonly", "no"]


class OwnRabbitMQ(Server):
    """A node of its own beside that of the machine; it takes half a minute to start."""

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def forget(self, queue: str) -> None:
        _purge(self.url, queue)

    def _command(self) -> list[str]:
        if not PROGRAM.exists():
            raise NotHere("rabbitmq-server")
        return [str(PROGRAM)]

    def _environ(self) -> Mapping[str, str]:
        folder = str(self._folder)
        return {
            "HOME": folder,
            "RABBITMQ_NODENAME": f"chaos{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            # What the machine has set for its own node is not for this one.
            "RABBITMQ_CONFIG_FILE": f"{folder}/none",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
        }
