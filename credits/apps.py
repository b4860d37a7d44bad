from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CreditsConfig(AppConfig):
    name = "credits"
    verbose_name = _("Credits")

    def ready(self) -> None:
        from backoffice.jobs.deeds import register_deed
        from backoffice.jobs.registry import register_follower, register_importer
        from backoffice.outbox.registry import register
        from credits.adopting import SENDERS as ADOPTIONS
        from credits.asking import SENDERS as QUESTIONS
        from credits.comparing import SENDERS as PERSON_CHECKS
        from credits.comparing_schools import SENDERS as SCHOOL_CHECKS
        from credits.dependants import credits_on, remove_credits
        from credits.end_date_jobs import END_DATE_DEEDS
        from credits.imports import PersonCreditImporter, SchoolCreditImporter, statuses_follow
        from credits.product_imports import ProductImporter
        from credits.pushing import PUSHERS
        from credits.return_jobs import RETURN_DEEDS
        from credits.senders import SENDERS
        from credits.services import refresh_person
        from persons.dependants import register_dependants
        from persons.followers import tell_me
        from persons.imports import PersonImporter

        for sender in (*SENDERS, *PERSON_CHECKS, *SCHOOL_CHECKS, *QUESTIONS, *ADOPTIONS):
            register(sender)
        for importer in (PersonCreditImporter(), SchoolCreditImporter(), ProductImporter()):
            register_importer(importer)
        for deed in (*PUSHERS, *RETURN_DEEDS, *END_DATE_DEEDS):
            register_deed(deed)
        register_follower(PersonImporter.kind, statuses_follow)
        tell_me(refresh_person)
        register_dependants(credits_on, remove_credits)
