"""`manage.py prune`: blank what is too old now, instead of when the worker does it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from backoffice.desk.pruning import prune


class Command(BaseCommand):
    help = "Blank bodies that are older than BACKOFFICE_RETENTION_DAYS; counts and results stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="instead of BACKOFFICE_RETENTION_DAYS")

    def handle(self, *args: Any, **options: Any) -> None:
        days = (
            options["days"] if options["days"] is not None else settings.BACKOFFICE_RETENTION_DAYS
        )
        if days < 1:
            self.stderr.write("--days must be at least 1.")
            raise SystemExit(2)
        pruned = prune(days=days, now=timezone.now())
        self.stdout.write(
            f"Older than {days} days: {pruned.calls} calls, {pruned.notifications} notifications "
            f"and {pruned.import_rows} import rows blanked, {pruned.refusals} counts of refused "
            f"deliveries deleted, {pruned.held} answers about rows and {pruned.answers} answers to "
            "questions forgotten."
        )
