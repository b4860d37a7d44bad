"""`manage.py replay`: apply notifications again, and say what became of each subject's newest."""

from __future__ import annotations

import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from notifications.models import Notification
from notifications.services import Replayed, replay

Verdict = Notification.Verdict

EVERY_SECONDS: Final = 2.0
OPEN: Final = (Verdict.FAILED, Verdict.DEAD, Verdict.UNMATCHED)


class Command(BaseCommand):
    help = "Apply stored notifications again: of each person or credit the newest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="these notifications")
        parser.add_argument(
            "--subject", default="", help="all about this customer or credit number"
        )
        parser.add_argument(
            "--verdict",
            action="append",
            choices=[value for value in Verdict.values if value != Verdict.INVALID],
            help="all with this verdict; may be given more than once",
        )
        parser.add_argument(
            "--open", action="store_true", help="all that failed, were given up or are unmatched"
        )
        parser.add_argument("--all", action="store_true", help="every notification that is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises `CommandError` when nothing was chosen, or when something failed again."""
        chosen = self.chosen(options)
        self.last = time.monotonic()
        try:
            replayed = replay(notifications=chosen, progress=self.tell)
        except KeyboardInterrupt:
            raise CommandError("Stopped; what was applied stays.") from None
        self.report(replayed)

    def chosen(self, options: dict[str, Any]) -> QuerySet[Notification]:
        found = Notification.objects.all()
        if options["numbers"]:
            found = found.filter(pk__in=self.numbers(options["numbers"]))
        if options["subject"]:
            found = found.filter(subject=options["subject"])
        verdicts = [*(options["verdict"] or ()), *(OPEN if options["open"] else ())]
        if verdicts:
            found = found.filter(verdict__in=verdicts)
        if not (options["numbers"] or options["subject"] or verdicts or options["all"]):
            raise CommandError("Say which: numbers, --subject, --verdict, --open or --all.")
        if not found.exists():
            raise CommandError("There are no such notifications.")
        return found

    def numbers(self, texts: list[str]) -> list[int]:
        wrong = [text for text in texts if not (text.isascii() and text.isdigit())]
        if wrong:
            raise CommandError(f"{wrong[0][:40]} is not the number of a notification.")
        wanted = {int(text) for text in texts if len(text) < 19}
        known = set(Notification.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        missing = [text for text in texts if len(text) >= 19 or int(text) not in known]
        if missing:
            raise CommandError(f"There is no notification {missing[0][:40]}.")
        return sorted(wanted)

    def tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last > EVERY_SECONDS:
            self.last = now
            self.stderr.write(f"{done} of {total} applied")

    def report(self, replayed: Replayed) -> None:
        for verdict, number in sorted(replayed.verdicts.items()):
            self.stdout.write(f"{number} {verdict}")
        if replayed.skipped:
            self.stdout.write(f"{replayed.skipped} skipped: nothing in them can be applied")
        failed = replayed.verdicts[Verdict.FAILED] + replayed.verdicts[Verdict.DEAD]
        if failed:
            raise CommandError(f"{failed} failed again; their pages tell why.")
