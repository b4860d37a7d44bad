"""`manage.py sandbox`: Edu-iX in small, in the foreground, until it is told to stop."""

from __future__ import annotations

import errno
import signal
import threading
from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.eduix.contract import SPOKEN, endpoint_path
from backoffice.eduix_sandbox.page import ControlPage
from backoffice.eduix_sandbox.publishers import PublishersError
from backoffice.eduix_sandbox.schools import SchoolsError
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.eduix_sandbox.statefile import StateFileError


class Command(BaseCommand):
    """Serves until SIGTERM or SIGINT; prints a line when something changed, one a second."""

    help = _("Run the Edu-iX sandbox on this machine.")
    requires_system_checks = []  # it needs no database, and must start where there is none

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Without the usage, which would stand in front of what is wrong."""
        return super().create_parser(prog_name, subcommand, usage=SUPPRESS, **options)

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Texts: argparse would answer a wrong number with its whole usage.
        parser.add_argument("--port", help=_("port on 127.0.0.1; 0 takes a free one"))
        parser.add_argument(
            "--state", type=Path, help=_("file that keeps the state over a restart")
        )
        parser.add_argument(
            "--fresh", action="store_true", help=_("begin with an empty state file")
        )
        parser.add_argument(
            "--seed", default="0", help=_("number that decides signs, numbers and delays")
        )

        parser.add_argument(
            "--notifications",
            choices=SPOKEN["notification"],
            default="4.0",
            help=_("version in which it tells what changed"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError` with one line for whatever stops the start."""
        if settings.BACKOFFICE_ENV != "embedded":
            raise CommandError(_("The sandbox runs in the embedded environment only."))
        port = _port(options["port"])
        seed = _whole("--seed", options["seed"], most=2**63)
        state = options["state"] or settings.BACKOFFICE_VAR / "sandbox.sqlite3"
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        sandbox = _sandbox(
            port=port,
            seed=seed,
            state=state,
            fresh=options["fresh"],
            version=options["notifications"],
        )
        _start(sandbox)
        try:
            self._say(
                _("Sandbox on %(url)s with %(schools)d schools, state in %(state)s")
                % {
                    "url": sandbox.url,
                    "schools": sandbox.control.state()["schools"],
                    "state": state,
                }
            )
            self._tell_changes(sandbox, stop)
        finally:
            sandbox.stop()
        self._say(_("The sandbox has stopped."))

    def _tell_changes(self, sandbox: SandboxServer, stop: threading.Event) -> None:
        before = sandbox.control.state()
        while not stop.wait(1.0):
            now = sandbox.control.state()
            if now != before:
                self._say(_counts(now))
            before = now

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _port(text: str | None) -> int:
    """What was asked for, else the port of the profile service's address."""
    if text is None:
        return urlsplit(settings.EDUIX_PROFILE_URL).port or 80
    return _whole("--port", text, most=65_535)


def _whole(option: str, text: str, *, most: int) -> int:
    """The number of an option; raises `CommandError` for anything else."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else most + 1
    if number > most:
        line = _("%(option)s must be a whole number from 0 to %(most)d, not “%(text)s”.")
        raise CommandError(line % {"option": option, "most": most, "text": text[:40]})
    return number


def _sandbox(
    *, port: int, seed: int, state: Path, fresh: bool, version: Literal["4.0", "4.3"]
) -> SandboxServer:
    if not settings.NOTIFICATION_CREDENTIALS:
        raise CommandError(_("NOTIFICATION_CREDENTIALS is empty: the sandbox could not log in."))
    username, password = settings.NOTIFICATION_CREDENTIALS[0]
    return SandboxServer(
        port=port,
        seed=seed,
        page=ControlPage(),
        username=settings.EDUIX_USERNAME,
        password=settings.EDUIX_PASSWORD,
        distributor_id=settings.EDUIX_DISTRIBUTOR_ID,
        state_file=state,
        fresh=fresh,
        endpoint=settings.BACKOFFICE_PUBLIC_URL.rstrip("/")
        + endpoint_path("notification", version),
        notification_version=version,
        endpoint_username=username,
        endpoint_password=password,
    )


def _start(sandbox: SandboxServer) -> None:
    try:
        sandbox.start()
    except (SchoolsError, PublishersError, StateFileError, ValueError, OverflowError) as problem:
        raise CommandError(str(problem)) from problem
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            line = _("Port %(port)d is in use by another program; choose one with --port.")
            raise CommandError(line % {"port": sandbox.port}) from problem
        raise CommandError(f"127.0.0.1:{sandbox.port}: {problem.strerror}") from problem


def _counts(state: dict[str, Any]) -> str:
    line = _(
        "%(time)s  %(persons)d persons, %(linked)d linked; %(credits)d credits, "
        "%(specified)d specified, %(faults)d refused; %(outgoing)d notifications waiting, "
        "%(givenUp)d given up; %(calls)d calls"
    )
    credits_ = state["personCredits"] + state["schoolCredits"]
    time = timezone.localtime().strftime("%H:%M:%S")
    return line % {**state, "time": time, "credits": credits_}
