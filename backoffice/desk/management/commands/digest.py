"""`manage.py digest`: the daily mail by hand, or a look at it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backoffice.desk.digest_sending import NotSent, account_managers, mail_to, send


class Command(BaseCommand):
    help = "Send account managers the daily mail about their schools, or show it."

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--to", default="", metavar="USER", help="one colleague by user name")
        whom.add_argument(
            "--all", action="store_true", help="every account manager with an address"
        )
        parser.add_argument("--dry-run", action="store_true", help="print it and send nothing")
        parser.add_argument("--again", action="store_true", help="also who had it today")
        parser.add_argument(
            "--lang", default="", choices=["", *dict(settings.LANGUAGES)], help="another language"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        users = [self.colleague(options["to"])] if options["to"] else list(account_managers())
        if not users:
            raise CommandError(
                "No account manager of a school has an e-mail address: choose one on the page of "
                "a school, and give the account an address."
            )
        failed = sum(not self.tell(user, options) for user in users)
        if failed:
            raise CommandError(f"{failed} of {len(users)} not sent; the worker tries again.")

    def colleague(self, username: str) -> User:
        """Who is meant; says what is missing."""
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no colleague {username}.")
        if not user.schools.exists():
            raise CommandError(
                f"{username} looks after no school: make this colleague the account manager of one."
            )
        return user

    def tell(self, user: User, options: dict[str, Any]) -> bool:
        """One mail; False when it could not be sent."""
        now = timezone.now()
        if options["dry_run"]:
            mail, _snapshot = mail_to(user, now, options["lang"])
            head = f"To: {user.email or '-'}\nSubject: {mail.subject}\n"
            self.stdout.write(f"{head}\n{mail.text}")
            return True
        if not user.email:
            raise CommandError(
                f"{user.get_username()} has no e-mail address: fill it in with the account."
            )
        try:
            sent = send(user, now, options["lang"], again=options["again"])
        except NotSent as problem:
            self.stderr.write(f"{user.get_username()}: not sent ({problem})")
            return False
        words = "sent" if sent else "has it already, or a worker is sending it (--again sends it)"
        self.stdout.write(f"{user.get_username()}: {words}")
        return True
