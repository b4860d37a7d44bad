"""The school's own list, as a file and as mail."""

from __future__ import annotations

import csv
import io
import re
import smtplib
import uuid
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.desk.mailing_models import SchoolMailing
from backoffice.desk.report_list import rows_for
from backoffice.outbox.models import PushState
from persons.models import Person, School, SchoolPerson
from tests.desk.report.conftest import (
    LOOK,
    OTHER,
    SignIn,
    credit_at,
    made,
    pupil_at,
    sent,
    url_of,
)
from tests.factories import (
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# --- the school's own list -----------------------------------------------------------------------


def csv_of(client: Client, school: School) -> list[list[str]]:
    answer = client.get(url_of(school, "school_list", "csv"))
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def cells_in(content: bytes) -> list[list[str]]:
    """The texts of the sheet, row by row; no cell may be anything but a text."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for name in book.namelist():
            ElementTree.fromstring(book.read(name))  # noqa: S314  our own file
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    rows = []
    for row in sheet.iterfind(".//s:row", space):
        cells = row.findall("s:c", space)
        assert {cell.get("t") for cell in cells} == {"inlineStr"}
        assert not row.findall(".//s:f", space)
        rows.append(["".join(cell.itertext()) for cell in cells])
    return rows


def test_the_list_holds_who_the_school_must_help_and_nothing_else(
    manager: Client, school: School
) -> None:
    header, *rows = csv_of(manager, school)

    with override("nl"):
        assert header == [_("Student number"), _("Name"), _("Book"), _("What to do")]
    numbers = SchoolPerson.objects.filter(school=school, person__user_id="")
    assert {row[0] for row in rows} == set(numbers.values_list("school_student_number", flat=True))
    assert {row[2] for row in rows} == {"Getal & Ruimte 2 vwo"}
    assert all(row[3] for row in rows)
    xlsx = manager.get(url_of(school, "school_list", "xlsx"))
    assert cells_in(xlsx.content) == [header, *rows]


def test_nobody_else_stands_in_it(manager: Client, school: School) -> None:
    """Canaries: a pupil in order, one whom we must help, and one of another school."""
    canary: dict[str, Any] = {
        "first_name": "Kanarie",
        "surname": "Geel",
        "email": "geel@canary.example",
    }
    credit_at(pupil_at(school, **canary))
    credit_at(pupil_at(school, **canary | {"push_state": PushState.REFUSED}))
    away = pupil_at(SchoolFactory(), linked=False, **canary)
    credit_at(away)
    SchoolPersonFactory(person=away.person, school=school, **sent())
    send(manager, school)
    (letter,) = mail.outbox
    (_name, attached, _type) = letter.attachments[0]
    assert isinstance(attached, bytes)
    everything = "\n".join(
        [
            *(" ".join(row) for row in csv_of(manager, school)),
            *(" ".join(row) for row in cells_in(attached)),
            str(letter.subject),
            str(letter.body),
        ]
    )

    assert "Sanne" in everything
    assert "Kanarie" not in everything
    assert "@" not in everything
    for person in Person.objects.all():  # no number of ours, whoever it is
        assert person.distributor_person_id not in everything
    assert "Sanne" not in letter.body


def test_a_name_that_is_a_formula_stays_a_name(manager: Client, school: School) -> None:
    Person.objects.filter(user_id="").update(first_name="=HYPERLINK(1)", surname='A"&<B>')

    assert csv_of(manager, school)[1][1].startswith("'=HYPERLINK(1)")
    xlsx = manager.get(url_of(school, "school_list", "xlsx"))
    assert cells_in(xlsx.content)[1][1] == '=HYPERLINK(1) van den A"&<B>'


def test_other_books_of_the_same_pupil_are_counted(school: School) -> None:
    place = SchoolPerson.objects.filter(school=school, person__user_id="").earliest("pk")
    credit_at(place, ean=OTHER)
    credit_at(place, ean="9789001234579")

    books = {row.number: row.book for row in rows_for(made(school))}

    assert "2" in books[place.school_student_number].removeprefix("9789")


# --- mailing it ----------------------------------------------------------------------------------


def form_of(client: Client, school: School) -> dict[str, Any]:
    """What the page would post, ticked."""
    form = client.get(url_of(school, "school_mail")).context["form"]
    return {name: form.initial[name] for name in ("subject", "text", "key", "count")} | {
        "sure": "on"
    }


def send(client: Client, school: School, **changes: Any) -> Any:
    return client.post(
        url_of(school, "school_mail"), {**form_of(client, school), **changes}, follow=True
    )


def test_the_list_is_mailed_once_and_everybody_sees_it(manager: Client, school: School) -> None:
    given = form_of(manager, school)

    answer = manager.post(url_of(school, "school_mail"), given, follow=True)
    manager.post(url_of(school, "school_mail"), given)

    (letter,) = mail.outbox
    assert letter.to == ["coordinator@brug.example"]
    assert letter.attachments[0][0].startswith("de-brug-")
    mailing = SchoolMailing.objects.get()
    assert (mailing.pupils, mailing.recipient) == (2, "coordinator@brug.example")
    assert mailing.sent_at is not None
    assert mailing.created_by is not None
    assert mailing.created_by.get_username() in text_of(answer)


def test_without_the_tick_nothing_goes(manager: Client, school: School) -> None:
    answer = send(manager, school, sure="")

    assert answer.status_code == 422
    assert mail.outbox == []
    assert not SchoolMailing.objects.exists()


def test_a_list_that_changed_is_shown_again(manager: Client, school: School) -> None:
    given = form_of(manager, school)
    credit_at(pupil_at(school, linked=False))

    answer = manager.post(url_of(school, "school_mail"), given)

    assert answer.status_code == 422
    assert answer.context["form"].initial["count"] == 3
    assert mail.outbox == []


def test_a_school_without_an_address_is_asked_for_one(manager: Client, school: School) -> None:
    given = form_of(manager, school)
    School.objects.update(contact_email="")

    page = manager.get(url_of(school, "school_mail")).content.decode()

    assert "#id_contact_email" in page
    assert "<textarea" not in page
    assert manager.post(url_of(school, "school_mail"), given).status_code == 422
    assert mail.outbox == []


def test_a_school_that_need_not_do_anything_gets_no_mail(manager: Client, school: School) -> None:
    given = form_of(manager, school)
    Person.objects.update(user_id="u")

    assert manager.get(url_of(school, "school_mail")).context["count"] == 0
    assert manager.post(url_of(school, "school_mail"), given).status_code == 422
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("problem", "is_certain"),
    [
        (smtplib.SMTPRecipientsRefused({}), True),
        (smtplib.SMTPAuthenticationError(535, b"no"), True),
        (smtplib.SMTPDataError(554, b"no"), True),
        (ConnectionRefusedError(), True),
        (smtplib.SMTPServerDisconnected("gone"), False),
        (TimeoutError(), False),
    ],
)
def test_trouble_at_the_mail_server_is_told_and_nothing_claimed(
    manager: Client,
    school: School,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    is_certain: bool,
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise problem

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)

    answer = send(manager, school)

    assert answer.status_code == 422
    assert answer.context["problem"]
    mailing = SchoolMailing.objects.get()
    assert mailing.sent_at is None
    assert (mailing.refused_at is not None) == is_certain
    shown = list(manager.get(url_of(school)).context["mailings"])
    assert shown == ([] if is_certain else [mailing])


def test_a_subject_of_two_lines_becomes_one(manager: Client, school: School) -> None:
    send(manager, school, subject="Een\r\nBcc: iedereen@example.nl")

    assert mail.outbox[0].subject == "Een Bcc: iedereen@example.nl"
    assert mail.outbox[0].recipients() == ["coordinator@brug.example"]


def test_a_form_that_was_made_up_is_refused(manager: Client, school: School) -> None:
    assert send(manager, school, key="x").status_code == 422
    assert send(manager, school, count="", key=str(uuid.uuid4())).status_code == 422
    assert mail.outbox == []


def test_the_school_and_the_list_of_schools_lead_to_the_report(
    manager: Client, school: School
) -> None:
    form = manager.get(reverse("admin:persons_school_change", args=[school.pk]))
    schools = manager.get(reverse("admin:persons_school_changelist"))

    assert url_of(school) in form.content.decode()
    assert url_of(school) in schools.content.decode()


def test_the_answer_about_a_pupil_leads_to_the_report(
    manager: Client, signed_in: SignIn, school: School
) -> None:
    place = SchoolPerson.objects.filter(school=school).earliest("pk")
    url = reverse("admin:why_person", args=[place.person_id])

    assert url_of(school) in manager.get(url).content.decode()
    assert url_of(school) not in signed_in(*LOOK[:2]).get(url).content.decode()
