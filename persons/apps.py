from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PersonsConfig(AppConfig):
    name = "persons"
    verbose_name = _("Persons")

    def ready(self) -> None:
        from backoffice.jobs.pushing import register_pusher
        from backoffice.jobs.registry import register_importer
        from backoffice.outbox.registry import register, register_background
        from persons.change_senders import CHANGE_SENDERS
        from persons.comparing import continue_runs
        from persons.imports import PersonImporter
        from persons.pushing import PUSHERS
        from persons.senders import SENDERS

        for sender in (*SENDERS, *CHANGE_SENDERS):
            register(sender)
        register_importer(PersonImporter())
        for pusher in PUSHERS:
            register_pusher(pusher)
        register_background(continue_runs)
