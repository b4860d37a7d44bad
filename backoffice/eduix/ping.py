"""Are both services there, do they let us in, and do they fit?

For `manage.py eduix_ping`, and for the page of what is ready.
"""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from backoffice.eduix import contract
from backoffice.eduix.checks import SERVICES, fit_of_settings
from backoffice.eduix.client import recording
from backoffice.eduix.errors import LOGIN_REFUSED, EduixError, EduixRefused
from backoffice.eduix.gateway import Config
from backoffice.eduix.service import Service

WRONG_DISTRIBUTOR: Final = {3027, 3028, 3067, 3068}
"""distributorID is not known, or not ours: of `distributorPerson` and `distributorPersonCredit`."""
NOBODY: Final = "eduix-ping"  # a key that nobody has: the answer is an empty list
CLOCK_SECONDS: Final = 60.0  # more makes dates and sessions go wrong
CERTIFICATE_DAYS: Final = 21


@dataclass
class Ping:
    """What was found of one service; `problem` is one line when it does not work."""

    service: str
    address: str = ""
    wsdl: str = ""
    version: str = ""
    operations: int = 0
    misfits: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    login_ms: int | None = None
    has_session: bool = False
    clock_seconds: float | None = None  # the partner's clock minus ours
    certificate_days: int | None = None
    problem: str = ""
    kind: str = ""  # of the problem: misfit, not_tried, login, distributor, refused or no_answer
    code: int | None = None  # of Edu-iX, when it answered with one


def ping(config: Config) -> Iterator[Ping]:
    """One after the other. A login that is refused is not tried at the other service too.

    Three refused logins may lock our account, and both services have the same user name.
    """
    refused = ""
    for service in SERVICES:
        found = Ping(service, version=contract.VERSIONS[service])
        _ping(found, config, refused)
        if found.login_ms is not None and not found.has_session:
            refused = _("Not tried: the login was refused a moment ago.")
        yield found


def _ping(found: Ping, config: Config, refused: str) -> None:
    name = found.service.upper()
    wsdl = str(getattr(config, f"EDUIX_{name}_WSDL"))
    found.wsdl = wsdl or contract.wsdl_path(found.service).name
    found.address = str(getattr(config, f"EDUIX_{name}_URL"))
    fit = fit_of_settings(found.service, fetch=True)
    found.misfits, found.remarks = fit.errors, list(fit.warnings)
    if fit.errors:
        found.problem, found.kind = fit.errors[0], "misfit"
        return
    service = Service(
        found.service,
        address=found.address,
        wsdl=wsdl,
        user=config.EDUIX_USERNAME,
        password=config.EDUIX_PASSWORD,
        minutes=1,
        environment=str(getattr(config, "BACKOFFICE_ENV", "embedded")),
    )
    client = service.client
    found.address = client.address
    found.operations = len(client.dialect.forms)
    if refused:
        found.problem, found.kind = refused, "not_tried"
        return
    try:
        _call(found, service, config.EDUIX_DISTRIBUTOR_ID)
    finally:
        _clock(found, client.partner_date)
        _certificate(found, client.certificate_ends)
        service.close()


def _call(found: Ping, service: Service, distributor_id: int) -> None:
    """Log in, and ask for a key that nobody has."""
    begun = time.monotonic()
    try:
        with recording():
            service.sign_on()
    except EduixRefused as problem:
        found.kind, found.code = "refused", problem.code
        if problem.number in LOGIN_REFUSED:
            found.kind = "login"
            found.login_ms = round((time.monotonic() - begun) * 1000)
            found.problem = _(
                "Edu-iX refuses our login (code %d); check EDUIX_USERNAME and EDUIX_PASSWORD."
            ) % (problem.code)
        else:
            found.problem = _("The login failed with code %d.") % problem.code
        return
    except EduixError as problem:
        found.problem, found.kind = problem.text, "no_answer"
        return
    found.login_ms, found.has_session = round((time.monotonic() - begun) * 1000), True
    key: dict[str, Any] = {"distributorID": distributor_id}
    try:
        if found.service == "profile":
            service.read("getPerson", distributorPerson=key | {"distributorPersonID": NOBODY})
        else:
            inside = key | {"distributorPersonCreditID": NOBODY}
            service.read("getPersonCredit", distributorPersonCredit=inside)
    except EduixRefused as problem:
        found.kind, found.code = "refused", problem.code
        if problem.number in WRONG_DISTRIBUTOR:
            found.kind = "distributor"
            found.problem = _(
                "Edu-iX does not accept our distributor number %(number)d (code %(code)d); "
                "check EDUIX_DISTRIBUTOR_ID."
            ) % {"number": distributor_id, "code": problem.code}
        else:
            found.problem = _("A question after the login failed with code %d.") % problem.code
    except EduixError as problem:
        found.problem, found.kind = problem.text, "no_answer"


def _clock(found: Ping, date: str) -> None:
    try:
        theirs = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    found.clock_seconds = round((theirs - datetime.now(UTC)).total_seconds(), 1)
    if abs(found.clock_seconds) > CLOCK_SECONDS:
        found.remarks.append(
            _("The clocks differ by %d seconds; check the time of this machine.")
            % found.clock_seconds
        )


def _certificate(found: Ping, ends: str) -> None:
    if not ends:
        return
    found.certificate_days = int((ssl.cert_time_to_seconds(ends) - time.time()) // 86_400)
    if found.certificate_days < CERTIFICATE_DAYS:
        found.remarks.append(
            _("The certificate of Edu-iX ends in %d days.") % found.certificate_days
        )
