"""Drain the outbox without a broker, and apply what comes in."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backoffice.eduix.checks import refuse_misfit
from backoffice.outbox.counts import Counts
from backoffice.outbox.delivery import Drainer
from backoffice.outbox.drains import drain_once
from backoffice.processor import keep_to_one


class Command(BaseCommand):
    help = "Send what waits in the outbox and apply notifications; runs until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when nothing is due any more")

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_misfit()
        if options["once"]:
            self.report(drain_once(connections=Drainer().connections))
            return
        keep_to_one(may_share=True)
        drainer = Drainer()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: drainer.stop())
        self.stdout.write(f"Sending over {drainer.connections} connections; Ctrl-C stops.")
        self.report(drainer.run(until=lambda: False))

    def report(self, counts: Counts) -> None:
        self.stdout.write(
            f"{counts.accepted} accepted, {counts.refused} refused, {counts.later} later, "
            f"{counts.uncertain} uncertain, {counts.background} notifications applied."
        )
