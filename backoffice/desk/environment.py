"""Which environment this is, for the badge that stands on every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Environment:
    """`name` is a value of BACKOFFICE_ENV and a class in the style sheet; `word` is for people."""

    name: str
    word: str | Promise


ENVIRONMENTS: Final = {
    "embedded": Environment("embedded", _("TRIAL")),
    "acceptance": Environment("acceptance", _("ACCEPTANCE")),
    "production": Environment("production", _("PRODUCTION")),
}


def current_environment() -> Environment:
    """The environment of this process."""
    return ENVIRONMENTS[settings.BACKOFFICE_ENV]
