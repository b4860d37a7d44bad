"""The product on this machine, with the sandbox as its partner."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.desk.demo import (
    hand_over_schools,
    load_products,
    prepare_accounts,
    prepare_examples,
)
from backoffice.desk.stack import CannotStart, Stack
from backoffice.desk.stories import NotSetUp, Stories


class Command(BaseCommand):
    help = "Start sandbox, drainer and web server on this machine, with an example school year."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--plain", action="store_true", help="without the pupils whose access is broken"
        )
        parser.add_argument("--seconds", type=float, help="stop by itself after so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.BACKOFFICE_ENV != "embedded":
            raise CommandError("The demo runs in the embedded environment only (BACKOFFICE_ENV).")
        var = Path(settings.BACKOFFICE_VAR)
        stack = Stack(
            var=var,
            port=settings.BACKOFFICE_PORT,
            sandbox_port=settings.EDUIX_SANDBOX_PORT,
            logs=var / "log",
        )
        ending = _Ending()
        try:
            stack.check_ports()
            accounts = self.prepare()
            with stack:
                self.greet(stack, accounts)
                if not options["plain"]:
                    self.tell_stories(stack, ending)
                ending.wait(stack, options["seconds"])
        except CannotStart as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write("Stopped. `make demo` goes on where you left; `make clean` removes all.")

    def prepare(self) -> dict[str, str]:
        """Tables, titles, example files and accounts; a second start changes nothing."""
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0, interactive=False)
        load_products(prepare_examples(today=timezone.localdate()))
        return prepare_accounts()

    def tell_stories(self, stack: Stack, ending: _Ending) -> None:
        """The pupils whose access is broken, beside what runs; once for each `var`."""
        done = stack.var / "stories-ready"
        if done.exists():
            return
        stories = Stories(
            stack.var / "examples",
            stack.sandbox_port,
            go_on=lambda: not ending.asked and not stack.ended(),
        )
        try:
            number = stories.set_up()
        except NotSetUp as problem:
            self.stderr.write(f"The example pupils are not complete: {problem}.")
        else:
            hand_over_schools()
            done.touch()
            self.stdout.write(f"  {number} pupils to ask “why no access?” about are ready.\n")
            self.stdout.flush()

    def greet(self, stack: Stack, accounts: dict[str, str]) -> None:
        width = max(map(len, accounts))
        self.stdout.write(f"\n  Edu-iX back-office   {stack.url}/admin/\n")
        for username, password in accounts.items():
            self.stdout.write(f"  {username:<{width}}       {password}")
        self.stdout.write(
            f"\n  Example files        {stack.var / 'examples'}"
            f"\n  What the parts say   {stack.logs}"
            f"\n  The sandbox          {stack.sandbox_url}\n\n  Ctrl-C stops.\n"
        )
        self.stdout.flush()


class _Ending:
    """Until Ctrl-C, SIGTERM, the time is up, or one of the processes ends by itself."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True

    def wait(self, stack: Stack, seconds: float | None) -> None:
        end = time.monotonic() + seconds if seconds else None
        while not self.asked and (end is None or time.monotonic() < end):
            if gone := stack.ended():
                raise CannotStart(f"The {gone} process ended by itself; see {stack.log_of(gone)}.")
            time.sleep(0.2)
