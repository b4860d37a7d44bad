"""What is ready outside: both services of Edu-iX, their certificates, notifications, mail.

Nothing here leaves the house: the rows show the last answer that the worker got, beside what the
ordinary calls have met since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.digest_models import Digest
from backoffice.desk.freshness import QUEUE_LATE, Word
from backoffice.desk.outside_models import OutsideCheck
from backoffice.desk.readiness import OF_WORDS, Row, State
from backoffice.desk.readiness_here import administrator, clock_row
from backoffice.desk.running import NAMES, incoming, partner_check
from backoffice.desk.since import duration, moment
from backoffice.eduix.checks import fit_of_settings
from backoffice.eduix.contract import VERSIONS
from backoffice.eduix.ping import CERTIFICATE_DAYS
from backoffice.eduix.wsdl_documents import is_remote
from backoffice.outbox.models import ServiceState
from backoffice.outbox.stops import PARTNERS
from notifications.models import Notification

Checks = Mapping[str, OutsideCheck]
States = Mapping[str, ServiceState]
Part = OutsideCheck.Part

APPLIED_LATE: Final = timedelta(minutes=1)


def ask_words() -> str:
    """What to do about what nobody has looked at yet."""
    return _("Press “Check now”.")


def helpdesk() -> str:
    """Who mends what is wrong on the other side."""
    return "Edu-iX"


def partners(states: States, checks: Checks, now: datetime) -> Iterator[Row]:
    """The rows of both services, login first."""
    for service in PARTNERS:
        yield login(service, states, checks.get(service), now)
    for service in PARTNERS:
        yield wsdl(service, checks.get(service))
    for service in PARTNERS:
        yield certificate(service, checks.get(service), now)
    yield partner_clock(checks)


# --- login --------------------------------------------------------------------------------------


def login(service: str, states: States, check: OutsideCheck | None, now: datetime) -> Row:
    """Whether we are let in, by the calls of today and by the last check."""
    key, name = f"login-{service}", _("%s: login") % NAMES[service]
    live = partner_check(service, states, now)
    state = states.get(service)
    if check is None or check.checked_at is None:
        found = OF_WORDS[live.word]
        remedy = ask_words() if found == State.UNKNOWN else ""
        return Row(key, name, found, live.text, remedy=remedy)
    answered_at = state.last_success_at if state is not None else None
    is_newer = answered_at is not None and answered_at > check.checked_at
    if check.found.get("kind") and not is_newer:
        return _failed(key, name, check, now)
    checked = _("checked %(time)s, logged in within %(ms)s ms") % {
        "time": moment(check.checked_at, now),
        "ms": check.found.get("login_ms"),
    }
    if live.word in (Word.ACTION, Word.BEHIND) and _failed_after(state, check):
        remedy, who = _remedy("no_answer")
        since = answered_at or (state.last_failure_at if state is not None else None)
        return Row(key, name, OF_WORDS[live.word], live.text, since, remedy=remedy, who=who)
    return Row(key, name, State.READY, checked if not is_newer else live.text, check.since)


def _failed_after(state: ServiceState | None, check: OutsideCheck) -> bool:
    failed_at = state.last_failure_at if state is not None else None
    return failed_at is None or check.checked_at is None or failed_at > check.checked_at


def _failed(key: str, name: str, check: OutsideCheck, now: datetime) -> Row:
    kind, code = check.found.get("kind", ""), check.found.get("code")
    words = {
        "misfit": _("the WSDL does not fit, so nobody logged in"),
        "not_tried": _("not tried, because this login was refused before"),
        "login": _("refuses our login"),
        "distributor": _("lets us in, and does not accept our distributor number"),
        "refused": _("refuses a question"),
        "no_answer": _("gives no usable answer"),
    }
    seen = words.get(kind, words["no_answer"])
    if code is not None:
        seen = _("%(words)s (code %(code)s)") % {"words": seen, "code": code}
    if check.checked_at is not None:
        when = moment(check.checked_at, now)
        seen = _("%(words)s; checked %(time)s") % {"words": seen, "time": when}
    remedy, who = _remedy(kind)
    return Row(key, name, State.ACTION, seen, check.since, remedy=remedy, who=who)


def _remedy(kind: str) -> tuple[str, str]:
    """What to do about a kind of failure, and who does it."""
    login = _(
        "Ask Edu-iX which user name and password hold, put them in EDUIX_USERNAME and "
        "EDUIX_PASSWORD, and start the processes again. More tries may lock the account."
    )
    remedies = {
        "misfit": (_("See the row about the WSDL."), administrator()),
        "not_tried": (login, administrator()),
        "login": (login, administrator()),
        "distributor": (_("Put your number at Edu-iX in EDUIX_DISTRIBUTOR_ID."), administrator()),
        "refused": (_("Call the helpdesk of Edu-iX and tell them the code."), helpdesk()),
    }
    unreachable = _(
        "Messages wait and go by themselves. Does it last? Look whether this machine reaches the "
        "internet, then ask Edu-iX about a failure."
    )
    return remedies.get(kind, (unreachable, administrator()))


# --- what it is made of -------------------------------------------------------------------------


def wsdl(service: str, check: OutsideCheck | None) -> Row:
    """Whether the description of the service fits what we send and read."""
    key, name = f"wsdl-{service}", _("%s: WSDL") % NAMES[service]
    own = str(getattr(settings, f"EDUIX_{service.upper()}_WSDL"))
    fit = fit_of_settings(service, fetch=False)
    errors, warnings = list(fit.errors), list(fit.warnings)
    if is_remote(own):
        if check is None or check.checked_at is None:
            seen = _("on another machine, not fetched yet")
            return Row(key, name, State.UNKNOWN, seen, remedy=ask_words())
        errors += check.found.get("misfits", [])
    seen = _("version %s, came along with this program") % VERSIONS[service]
    if own:
        seen = _("%(wsdl)s fits version %(version)s") % {
            "wsdl": own.rpartition("/")[2],
            "version": VERSIONS[service],
        }
    if errors:
        remedy = _("Mend %s, or leave it out to use the WSDL that comes along.") % (
            f"EDUIX_{service.upper()}_WSDL"
        )
        return Row(
            key, name, State.ACTION, " ".join(errors[:3]), remedy=remedy, who=administrator()
        )
    if warnings:
        return Row(
            key,
            name,
            State.LOOK,
            " ".join(warnings[:3]),
            remedy=_("Only these questions cannot be asked; all else works."),
            who=administrator(),
        )
    return Row(key, name, State.READY, seen)


def certificate(service: str, check: OutsideCheck | None, now: datetime) -> Row:
    """Until when the partner's certificate holds."""
    key, name = f"certificate-{service}", _("%s: certificate") % NAMES[service]
    if check is None or check.checked_at is None:
        return Row(key, name, State.UNKNOWN, _("not looked at yet"), remedy=ask_words())
    days = check.found.get("certificate_days")
    if days is None:
        if str(check.found.get("address", "")).startswith("http:"):
            seen = _("none: the calls stay on this machine")
            return Row(key, name, State.READY, seen)
        return Row(key, name, State.UNKNOWN, _("not seen at the last check"), remedy=ask_words())
    ends = check.checked_at + timedelta(days=int(days))
    left = (ends - now).days
    seen = ngettext("ends in %(days)d day, on %(date)s", "ends in %(days)d days, on %(date)s", left)
    seen = seen % {"days": left, "date": date_format(ends, "j F Y")}
    if left >= CERTIFICATE_DAYS:
        return Row(key, name, State.READY, seen)
    return Row(
        key,
        name,
        State.ACTION if left < 3 else State.LOOK,
        seen if left >= 0 else _("ended on %s") % date_format(ends, "j F Y"),
        remedy=_("Ask Edu-iX when the new one comes; after it ends no call gets through."),
        who=helpdesk(),
    )


def partner_clock(checks: Checks) -> Row:
    """The larger difference of both services."""
    name = _("Clock of Edu-iX")
    seen = [
        (abs(check.found["clock_seconds"]), check)
        for part in PARTNERS
        if (check := checks.get(part)) and check.found.get("clock_seconds") is not None
    ]
    if not seen:
        return Row("clock-eduix", name, State.UNKNOWN, _("not looked at yet"), remedy=ask_words())
    _size, check = max(seen, key=lambda pair: pair[0])
    return clock_row("clock-eduix", name, check.found["clock_seconds"])


# --- coming in ----------------------------------------------------------------------------------


def last_notification(now: datetime) -> Row:
    """When Edu-iX told us something, and whether it is silent or kept out."""
    found, name = incoming(now), _("Last notification")
    url = reverse("admin:notification_answers")
    state = OF_WORDS[found.check.word]
    if not settings.NOTIFICATION_CREDENTIALS:
        return Row(
            "notifications",
            name,
            State.ACTION,
            _("no login is set up: every notification is refused"),
            remedy=_("Fill in NOTIFICATION_CREDENTIALS and start the web server again."),
            who=administrator(),
        )
    remedy, since = "", found.last_at
    if found.refused is not None:
        remedy, since = (
            _("Read why, and what to do, under “Answers to Edu-iX”."),
            found.refused.since,
        )
    elif found.silence is not None:
        state, remedy = State.ACTION, found.silence.step
    elif state == State.UNKNOWN:
        remedy = _("Send a test to ourselves to see whether the door is open.")
    return Row(
        "notifications",
        name,
        state,
        found.check.text,
        since if state != State.READY else None,
        remedy=remedy,
        who=administrator() if remedy else "",
        url=url,
        url_text=_("Answers to Edu-iX"),
    )


def applying(now: datetime) -> Row:
    """How far applying is behind, and what nobody will try again."""
    name = _("Applying notifications")
    rows = Notification.objects.order_by()
    failed = Q(verdict=Notification.Verdict.FAILED)
    open_ones = rows.filter(verdict__in=Notification.TO_APPLY).aggregate(
        waiting=Count("pk", filter=~failed),
        failed=Count("pk", filter=failed),
        oldest=Min("received_at", filter=~failed),
    )
    dead = rows.filter(verdict=Notification.Verdict.DEAD).count()
    parts = []
    state = State.READY
    since = None
    if open_ones["waiting"]:
        since = open_ones["oldest"]
        age = now - since
        parts.append(
            _("%(number)s wait, the oldest for %(age)s")
            % {"number": number_format(open_ones["waiting"]), "age": duration(age)}
        )
        if age > APPLIED_LATE:
            state = State.ACTION if age > QUEUE_LATE else State.LOOK
    else:
        parts.append(_("nothing waits"))
    if open_ones["failed"]:
        parts.append(_("%s failed and are tried again") % number_format(open_ones["failed"]))
        state = State.LOOK if state == State.READY else state
    if dead:
        parts.append(_("%s given up") % number_format(dead))
        state = State.ACTION
    remedy, url = "", ""
    if dead:
        url = reverse("admin:notifications_notification_changelist") + "?verdict=dead"
        remedy = _("Let your supplier read the technical details; then apply them again.")
    elif state != State.READY:
        remedy = _("Does the worker run? It applies everything by itself.")
    return Row(
        "applying",
        name,
        state,
        "; ".join(parts),
        since if state != State.READY else None,
        remedy=remedy,
        who=administrator() if remedy else "",
        url=url,
        url_text=_("Those that were given up") if url else "",
    )


# --- mail ---------------------------------------------------------------------------------------


def mail(check: OutsideCheck | None, now: datetime) -> Row:
    """Whether colleagues and schools get our mail."""
    name = _("Mail")
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        is_on_purpose = settings.BACKOFFICE_ENV == "embedded"
        return Row(
            "mail",
            name,
            State.READY if is_on_purpose else State.LOOK,
            _("no mail server: mail is only printed in the log"),
            remedy="" if is_on_purpose else _("Set EMAIL_URL to your mail server."),
            who="" if is_on_purpose else administrator(),
        )
    sent = Digest.objects.aggregate(sent=Max("sent_at"), failed=Max("failed_at"))
    sent_at, failed_at = sent["sent"], sent["failed"]
    parts = [_("last daily mail %s") % moment(sent_at, now)] if sent_at else []
    checked_at = check.checked_at if check is not None else None
    if check is not None and checked_at is not None:
        parts.append(_("checked %s") % moment(checked_at, now))
    is_refused = failed_at is not None and (sent_at is None or sent_at < failed_at)
    if (
        check is not None
        and check.found.get("kind")
        and not (sent_at and checked_at and sent_at > checked_at)
    ):
        parts.insert(0, _("the mail server does not let us in (%s)") % check.found.get("problem"))
        since = check.since
    elif is_refused:
        parts.insert(0, _("the last mail was not taken"))
        since = failed_at
    elif not parts:
        return Row("mail", name, State.UNKNOWN, _("nothing sent yet"), remedy=ask_words())
    else:
        return Row("mail", name, State.READY, "; ".join(parts))
    return Row(
        "mail",
        name,
        State.ACTION,
        "; ".join(parts),
        since,
        remedy=_("Look whether EMAIL_URL is right and the mail server runs; mail is sent again."),
        who=administrator(),
    )
