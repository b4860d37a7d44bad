"""`manage.py readiness`: the page of what is ready, for who has no browser."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.desk.readiness import Row, State
from backoffice.desk.readiness_page import readiness


class Command(BaseCommand):
    help = "Say of each part whether it is ready, and what to do; asks Edu-iX nothing."
    requires_system_checks = []  # a part that is not in order must not keep the others silent

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError` when a part needs action."""
        page = readiness(timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps([as_plain(row) for row in page.rows], indent=2))
        else:
            for row in page.rows:
                self.tell(row)
        if page.state == State.ACTION:
            raise CommandError(page.verdict)

    def tell(self, row: Row) -> None:
        """A line, and one more for what to do."""
        self.stdout.write(f"{row.state.label:<14} {row.name}: {row.seen}")
        if row.remedy:
            who = f" ({row.who})" if row.who else ""
            self.stdout.write(f"{'':<14} {_('What to do')}: {row.remedy}{who}")


def as_plain(row: Row) -> dict[str, object]:
    """One row as JSON has it; `state` is ok, wait, bad or idle."""
    return {
        "key": row.key,
        "name": row.name,
        "state": row.state.value,
        "seen": row.seen,
        "since": row.since.isoformat() if row.since is not None else None,
        "remedy": row.remedy,
        "who": row.who,
    }
