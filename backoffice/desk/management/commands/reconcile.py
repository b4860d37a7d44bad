"""`manage.py reconcile`: compare with Edu-iX now, and say what differs."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.desk.drift import fields_of, shown_part, trouble_of
from backoffice.jobs.models import CheckRun, Drift
from backoffice.outbox import stops
from backoffice.outbox.delivery import Drainer
from persons.comparing import UnknownSchool, cancel_run, start_run

PATIENCE_SECONDS: Final = 60.0
STEP_SECONDS: Final = 2.0


class Command(BaseCommand):
    help = "Ask Edu-iX how it holds our rows, and report what differs, is gone, or only there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--school", default="", metavar="ORG", help="one school by its ID")
        parser.add_argument("--sample", type=int, metavar="N", help="so many persons at random")
        parser.add_argument("--seed", type=int, help="draw the same sample again")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE_SECONDS,
            metavar="SECONDS",
            help="stop waiting when Edu-iX answers nothing for so long; the run stays open",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sample"] is not None and options["sample"] < 1:
            raise CommandError("--sample must be at least 1.")
        try:
            run = start_run(
                organisation_id=options["school"], sample=options["sample"], seed=options["seed"]
            )
        except UnknownSchool:
            raise CommandError(f"There is no school {options['school']} here.") from None
        try:
            self.wait(run, options["patience"])
        except KeyboardInterrupt:
            cancel_run(run=run)
            raise CommandError("Stopped; what was compared stays.") from None
        self.report(run, as_json=options["json"])

    def wait(self, run: CheckRun, patience: float) -> None:
        """Send until the run is finished, with a line now and then."""
        started = moved = time.monotonic()
        finished = -1
        while run.status == CheckRun.Status.RUNNING:
            Drainer().run(until=lambda: self.is_over(run), seconds=STEP_SECONDS)
            run.refresh_from_db()
            now = time.monotonic()
            if run.finished != finished:
                finished, moved = run.finished, now
                rate = run.finished / max(now - started, 0.001)
                self.stderr.write(f"{run.finished} of {run.total} compared, {rate:.0f} a second")
            if stops.is_stopped():
                raise CommandError("Edu-iX refuses our login: see the home page. " + LATER)
            if now - moved > patience and run.status == CheckRun.Status.RUNNING:
                why = trouble_of(run) or "no answer"
                raise CommandError(f"Edu-iX does not answer: {why}. {LATER}")

    def is_over(self, run: CheckRun) -> bool:
        """Whether the run has ended meanwhile."""
        return not CheckRun.objects.filter(pk=run.pk, status=CheckRun.Status.RUNNING).exists()

    def report(self, run: CheckRun, *, as_json: bool) -> None:
        rows = [*shown_part("").filter(run=run).order_by("what", "kind", "pk")]
        rows += Drift.objects.filter(run=run, what=Drift.What.TAKEN_OVER).order_by("kind", "pk")
        if as_json:
            self.stdout.write(json.dumps(as_dict(run, rows), ensure_ascii=False, indent=2))
            return
        for row in rows:
            fields = f": {fields_of(row)}" if row.columns else ""
            self.stdout.write(f"{row.what:<11} {row.kind:<14} {row.label}{fields}")
        unanswered = f", {run.failed} not answered" if run.failed else ""
        self.stdout.write(f"{run.answered} compared{unanswered}, {len(rows)} differences.")


LATER: Final = (
    "The comparison stays open: it goes on by itself while a worker runs, and can be stopped on "
    "the page of differences."
)


def as_dict(run: CheckRun, rows: list[Drift]) -> dict[str, Any]:
    """The result for programs; field names of Edu-iX in snake case, no values."""
    return {
        "scope": run.scope,
        "school": run.organisation_id,
        "seed": run.seed,
        "total": run.total,
        "compared": run.answered,
        "not_answered": run.failed,
        "differences": [
            {"what": row.what, "kind": row.kind, "key": row.label, "fields": row.columns}
            for row in rows
        ],
    }
