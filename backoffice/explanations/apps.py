from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExplanationsConfig(AppConfig):
    name = "backoffice.explanations"
    label = "explanations"
    verbose_name = _("Explanations")
