"""Texts to copy from the page of a work item: for the school, and for the publisher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from backoffice.desk.work import WorkItem
from backoffice.desk.work_keys import Key
from backoffice.desk.work_rows import Scope, rows_of
from backoffice.screens.search import spaced_ean
from credits.models import Product
from persons.models import School

MOST: Final = 200  # pupils in one letter; a longer one is a file
FOR_PUBLISHER: Final = ("fault", "silent")


@dataclass(frozen=True)
class Letter:
    """A text; `mail_url` opens it in a mail, `mend_url` leads to the place to fill in to whom."""

    title: str
    text: str
    mail_url: str = ""
    mend_url: str = ""


def letter_for(key: Key, item: WorkItem, scope: Scope) -> Letter | None:
    """The text that goes with an item; None where nobody is written to."""
    if key.family == "prematch":
        school = School.objects.filter(pk=key.school or 0).first()
        return _for_school(key, school, scope) if school is not None else None
    if key.family in FOR_PUBLISHER:
        return Letter(_("Text for the publisher"), _for_publisher(key, item))
    return None


def _for_school(key: Key, school: School, scope: Scope) -> Letter:
    """In Dutch whatever the screen speaks; names in the text, never in a subject line."""
    pupils = (
        rows_of(key, scope)["person_credit"]
        .order_by("school_person__person__surname", "school_person__person__first_name")
        .values_list(
            "school_person__school_student_number",
            "school_person__person__first_name",
            "school_person__person__preposition",
            "school_person__person__surname",
        )
        .distinct()
    )
    lines = [" ".join(filter(None, pupil)) for pupil in pupils[: MOST + 1]]
    more = len(lines) > MOST
    with override("nl"):
        words = [
            _(
                "Would you link these pupils in your portal (the prematch)? Until then the "
                "publisher does not know them, and their books do not open. After that it goes by "
                "itself, usually within a day."
            ),
            "",
            *lines[:MOST],
        ]
        if more:
            words.append(_("… and more; ask us for the whole list."))
        subject = _("Please link pupils (prematch)")
    title = _("Letter to the school")
    if not school.contact_email:
        url = f"{reverse('admin:persons_school_change', args=[school.pk])}#id_contact_email"
        return Letter(title, "\n".join(words), mend_url=url)
    to = quote(school.contact_email, safe="@")
    return Letter(title, "\n".join(words), mail_url=f"mailto:{to}?subject={quote(subject)}")


def _for_publisher(key: Key, item: WorkItem) -> str:
    """Without names: the publisher knows its own book and its own code."""
    ean = key.part("ean")
    title = Product.objects.filter(ean=ean).values_list("title", flat=True).first()
    since = timezone.localtime(item.since).strftime("%Y-%m-%d %H:%M") if item.since else ""
    credits = ngettext("%s credit", "%s credits", item.credits) % number_format(item.credits)
    lines = [
        _("EAN: %s") % spaced_ean(ean),
        _("Title: %s") % title if title else "",
        _("Your code: %s") % key.code if key.code else "",
        _("Concerns: %s") % credits,
        _("Since: %s") % since if since else "",
    ]
    return "\n".join(line for line in lines if line)
