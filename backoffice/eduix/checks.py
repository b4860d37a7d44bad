"""At the start: does the partner that the settings name fit, and is it the right one?

`manage.py check` and the web server look at the addresses and at WSDL files; what sends (`deliver`,
the Celery worker, `eduix_ping`) also fetches a WSDL that is an address. The web server does not: it
sends nothing, and must be able to start while Edu-iX is down.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from backoffice.eduix.addresses import wrong_address
from backoffice.eduix.dialect import dialect_of
from backoffice.eduix.errors import EduixMisfit
from backoffice.eduix.fitting import Fit, fit_of
from backoffice.eduix.wsdl_documents import is_remote

logger = logging.getLogger(__name__)

SERVICES: Final = ("profile", "credit")


def refuse_wrong_address(service: str, address: str, wsdl: str, environment: str) -> None:
    """Raises `EduixMisfit` when the address that calls would go to is not of this environment."""
    if wrong_address(address, environment):
        raise EduixMisfit(
            _(
                "%(name)s leads to %(address)s, which is no partner for BACKOFFICE_ENV=%(env)s: "
                "embedded talks to this machine only, acceptance and production each to their own "
                "hosts of Edu-iX, over https."
            )
            % {
                "name": f"EDUIX_{service.upper()}_{'WSDL' if wsdl else 'URL'}",
                "address": _shown(address),
                "env": environment,
            }
        )


def _shown(address: str) -> str:
    """An address without a user name or password that somebody wrote into it."""
    return re.sub(r"//[^/@]*@", "//", address) or _("no address")


def fit_of_settings(service: str, *, fetch: bool) -> Fit:
    """What does not fit of one service: its WSDL, and the address that counts in the end.

    The bundled WSDL fits itself; only another one is read.
    """
    wsdl = str(getattr(settings, f"EDUIX_{service.upper()}_WSDL"))
    address = str(getattr(settings, f"EDUIX_{service.upper()}_URL"))
    if wsdl and (fetch or not is_remote(wsdl)):
        fit = fit_of(service, wsdl)
        if fit.errors:
            return fit
        address = address or dialect_of(service, wsdl).address
    elif wsdl and not address:
        return Fit()  # its own address is known once it is fetched
    else:
        fit = Fit()
    try:
        refuse_wrong_address(service, address, wsdl, settings.BACKOFFICE_ENV)
    except EduixMisfit as problem:
        fit.errors.append(problem.text)
    return fit


def check_partner(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Another WSDL in a file must fit; one line each for what does not."""
    return _messages(fetch=False)


def refuse_misfit() -> None:
    """For what sends: fetches the WSDL as well. Raises `SystemExit` with one line per error."""
    found = _messages(fetch=True)
    for message in found:
        if not message.is_serious():
            logger.warning("eduix_wsdl", extra={"id": message.id, "words": message.msg})
    errors = [
        f"{message.id}: {message.msg} {message.hint}"
        for message in found
        if message.level >= checks.ERROR
    ]
    if errors:
        raise SystemExit("\n".join(errors))


def _messages(*, fetch: bool) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    for service in SERVICES:
        fit = fit_of_settings(service, fetch=fetch)
        hint = _("Mend %s, or leave it out to use the WSDL that comes along.") % (
            f"EDUIX_{service.upper()}_WSDL"
        )
        found += [
            checks.Error(f"{service}: {line}", hint=hint, id="eduix.E001") for line in fit.errors
        ]
        found += [
            checks.Warning(f"{service}: {line}", hint=hint, id="eduix.W001")
            for line in fit.warnings
        ]
    return found
