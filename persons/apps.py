from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PersonsConfig(AppConfig):
    name = "persons"
    verbose_name = _("Persons")

    def ready(self) -> None:
        from backoffice.jobs.deeds import register_deed
        from backoffice.jobs.registry import register_importer
        from backoffice.outbox.registry import register, register_background
        from persons.change_senders import CHANGE_SENDERS
        from persons.comparing import continue_runs
        from persons.fetching import FETCHES
        from persons.imports import PersonImporter
        from persons.pushing import PUSHERS
        from persons.senders import SENDERS

        for sender in (*SENDERS, *CHANGE_SENDERS):
            register(sender)
        register_importer(PersonImporter())
        for deed in (*PUSHERS, *FETCHES):
            register_deed(deed)
        register_background(continue_runs)
