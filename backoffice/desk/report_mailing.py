"""Mailing a school its own list: after a colleague has looked, once, and remembered."""

from __future__ import annotations

import logging
import smtplib
import socket
import uuid
from datetime import datetime
from typing import Final, cast

from django.contrib.auth.models import AbstractBaseUser, User
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from backoffice.desk.mailing_models import SchoolMailing
from backoffice.desk.report import Report
from backoffice.desk.report_list import XLSX, file_of, lines_for
from backoffice.jobs.sheets import XLSX_TYPE

SHOWN: Final = 5
# After these the mail has certainly not left. Any other trouble on the way may come after it did.
REFUSALS: Final = (
    smtplib.SMTPResponseException,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPNotSupportedError,
    ConnectionRefusedError,
    socket.gaierror,
)
TROUBLES: Final = (smtplib.SMTPException, OSError)

logger = logging.getLogger(__name__)


class NotSent(Exception):
    """Nothing went to the school; the message says why, in the language of the screen."""


class AlreadySent(NotSent):
    """This very form was sent before."""


def subject_of(report: Report) -> str:
    """In Dutch: the school reads it."""
    number = len(lines_for(report))
    with override("nl"):
        words = ngettext(
            "%(number)d pupil needs something from you: %(school)s",
            "%(number)d pupils need something from you: %(school)s",
            number,
        )
        return words % {"number": number, "school": report.school.name}


def text_of(report: Report, sender: str) -> str:
    """The mail itself, in plain Dutch; the pupils stand in the list beside it."""
    number = len(lines_for(report))
    contact = report.school.contact_name
    with override("nl"):
        hello = _("Dear %(name)s,") % {"name": contact} if contact else _("Dear reader,")
        about = ngettext(
            "Of %(school)s, %(number)d pupil cannot open every book yet because something is "
            "still to be done at your school. The list with this mail says who it is and what to "
            "do.",
            "Of %(school)s, %(number)d pupils cannot open every book yet because something is "
            "still to be done at your school. The list with this mail says who they are and what "
            "to do.",
            number,
        ) % {"school": report.school.name, "number": number}
        then = _(
            "Once it is done, the rest goes by itself, usually within a day. You need not send "
            "anything back."
        )
        stand = _("The list is as of %(moment)s. Do you have a question? Just answer this mail.")
        moment = date_format(timezone.localtime(report.at), "j F Y, H:i")
        return "\n\n".join(
            [hello, about, then, stand % {"moment": moment}, _("Kind regards,") + f"\n{sender}"]
        )


def mailings_to(report: Report) -> QuerySet[SchoolMailing]:
    """What went to this school, or may have gone, the newest first."""
    rows: QuerySet[SchoolMailing] = SchoolMailing.objects.filter(
        school=report.school, refused_at=None
    )
    return rows.select_related("created_by")[:SHOWN]


def send_list(
    report: Report,
    *,
    key: uuid.UUID,
    subject: str,
    text: str,
    user: AbstractBaseUser,
    now: datetime,
) -> SchoolMailing:
    """Mail the list to the school's contact; raises `NotSent`, and then nothing is claimed."""
    recipient = report.school.contact_email
    mailing = _begin(report, key, recipient, user)
    name, content = file_of(report, XLSX)
    sender = cast("User", user)
    mail = EmailMessage(
        subject=subject,
        body=text,
        to=[recipient],
        reply_to=[sender.email] if sender.email else None,
        attachments=[(name, content, XLSX_TYPE)],
    )
    rows = SchoolMailing.objects.filter(pk=mailing.pk)
    try:
        taken = mail.send()
    except TROUBLES as problem:
        if isinstance(problem, REFUSALS):
            rows.update(refused_at=now)
        logger.warning(
            "school_mail_failed", extra={"mailing_id": mailing.pk, "kind": type(problem).__name__}
        )
        raise NotSent(_words_of(problem, recipient)) from problem
    if not taken:
        rows.update(refused_at=now)
        raise NotSent(_("The mail server took nothing. Nothing was sent; try again later."))
    rows.update(sent_at=now)
    logger.info("school_mail_sent", extra={"mailing_id": mailing.pk})
    return mailing


def _begin(report: Report, key: uuid.UUID, recipient: str, user: AbstractBaseUser) -> SchoolMailing:
    try:
        with transaction.atomic():
            return SchoolMailing.objects.create(
                key=key,
                school=report.school,
                recipient=recipient,
                pupils=len(lines_for(report)),
                created_by=cast("User", user),
            )
    except IntegrityError:
        raise AlreadySent(_("This list was sent already; it is not sent twice.")) from None


def _words_of(problem: Exception, recipient: str) -> str:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return _(
            "The mail server does not take mail for %(address)s. Nothing was sent. Check the "
            "address of the contact."
        ) % {"address": recipient}
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        return _(
            "The mail server refuses our login. Nothing was sent. Ask the functional administrator "
            "to check EMAIL_URL."
        )
    if isinstance(problem, smtplib.SMTPResponseException):
        return _(
            "The mail server refused the mail (code %(code)d). Nothing was sent. Download the list "
            "and send it yourself, or try again later."
        ) % {"code": problem.smtp_code}
    if isinstance(problem, REFUSALS):
        return _(
            "The mail server cannot be reached. Nothing was sent. Try again later, or download the "
            "list and send it yourself."
        )
    return _(
        "The connection with the mail server broke. It is not known whether the mail has left: ask "
        "the school before you send it again."
    )
