"""Does Edu-iX let us in, and does its WSDL fit?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from backoffice.eduix.ping import Ping, ping


class Command(BaseCommand):
    help = "Log in to both services of Edu-iX and say what works and what does not fit."
    requires_system_checks = []  # it says itself what does not fit, in full

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(ping(settings))
        if options["json"]:
            self.stdout.write(json.dumps({one.service: asdict(one) for one in found}, indent=2))
        else:
            for one in found:
                self.tell(one)
        problems = [f"{one.service}: {one.problem}" for one in found if one.problem]
        if problems:
            raise CommandError(problems[0])

    def tell(self, one: Ping) -> None:
        """A few lines for one service."""
        self.stdout.write(f"{one.service} {one.version}")
        lines = [
            (_("address"), one.address),
            (_("WSDL"), one.wsdl),
            (_("operations"), str(one.operations)),
        ]
        if one.login_ms is not None:
            lines.append((_("login"), f"{one.login_ms} ms"))
        lines.append((_("session"), _("yes") if one.has_session else _("no")))
        if one.clock_seconds is not None:
            lines.append((_("clock difference"), f"{one.clock_seconds:+.1f} s"))
        if one.certificate_days is not None:
            lines.append((_("certificate ends in"), _("%d days") % one.certificate_days))
        lines += [(_("does not fit"), line) for line in one.misfits]
        lines += [(_("note"), line) for line in one.remarks]
        if one.problem and one.problem not in one.misfits:
            lines.append((_("problem"), one.problem))
        for label, words in lines:
            self.stdout.write(f"  {label}: {words}")
