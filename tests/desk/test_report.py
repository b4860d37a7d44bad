"""The report of a school: the sum, the worklist, the school's own list, and mailing it."""

from __future__ import annotations

import csv
import io
import re
import smtplib
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.desk import report
from backoffice.desk.mailing_models import SchoolMailing
from backoffice.desk.report import Report, report_on
from backoffice.desk.report_list import rows_for
from backoffice.desk.why import looks_of
from backoffice.outbox.models import PushState
from credits.access_mends import first_day_of, last_day_of
from credits.models import PersonCredit
from persons.models import Person, School, SchoolPerson
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
)

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]
LOOK = ("persons.view_person", "credits.view_personcredit", "persons.view_school")
OTHER = "9789006234561"


def sent(**columns: Any) -> dict[str, Any]:
    at = timezone.now() - timedelta(hours=48)
    return {"push_state": PushState.IN_SYNC, "push_changed_at": at, "registered_at": at, **columns}


def this_year() -> dict[str, Any]:
    today = timezone.localdate()
    first = first_day_of(today).year % 100
    return {
        "credit_start_date": first_day_of(today),
        "credit_end_date": last_day_of(today),
        "school_year": first * 100 + (first + 1) % 100,
    }


def pupil_at(school: School, linked: bool = True, **columns: Any) -> SchoolPerson:
    """At Edu-iX with a place; linked unless a test says otherwise."""
    person = PersonFactory(user_id="u" if linked else "", **sent(**columns))
    return SchoolPersonFactory(person=person, school=school, **sent())


def credit_at(place: SchoolPerson, **columns: Any) -> PersonCredit:
    given = {"specification_state": "Specified", **sent(), **this_year(), **columns}
    return PersonCreditFactory(school_person=place, **given)


@pytest.fixture
def school() -> School:
    """One pupil in order, two without a link, one refused, one without any credit."""
    ProductFactory()
    found = SchoolFactory(name="De Brug", contact_email="coordinator@brug.example")
    credit_at(pupil_at(found))
    for _each in range(2):
        credit_at(pupil_at(found, linked=False))
    credit_at(pupil_at(found, push_state=PushState.REFUSED, push_code=-4967))
    pupil_at(found)
    return found


def made(school: School) -> Report:
    return report_on(school, day=timezone.localdate(), now=timezone.now())


def url_of(school: School, name: str = "school_report", *more: str) -> str:
    return reverse(f"admin:{name}", args=[school.pk, *more])


def answers_in(page: str) -> int:
    """How many pupils it leads to the answer of."""
    return len(re.findall(r"/admin/waarom/\d+/", page))


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_sum_over_all_verdicts_is_everybody_with_a_credit(school: School) -> None:
    found = made(school)

    assert (found.fine, len(found.lines), found.total) == (1, 3, 4)
    assert sum(group.count for group in found.groups) + found.fine == found.total
    assert {group.owner: group.count for group in found.groups} == {"wij": 1, "school": 2}


def test_a_licence_of_the_school_counts_for_who_has_no_credit(school: School) -> None:
    SchoolCreditFactory(school=school, specification_state="Specified", **sent(), **this_year())

    found = made(school)

    assert (found.fine, found.total) == (2, 5)


def test_counting_whom_the_database_finds_in_order_changes_no_verdict(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    credit_at(pupil_at(school), specification_state="")
    quick = made(school)
    monkeypatch.setattr(report, "plainly_fine", lambda pupils, *, day: set())

    slow = made(school)

    def shape(found: Report) -> Any:
        return found.fine, [(one.book.person.pk, one.verdict.key) for one in found.lines]

    assert shape(slow) == shape(quick)


def test_a_pupil_stands_there_with_the_worst_book_as_the_why_page_has_it(school: School) -> None:
    place = pupil_at(school)
    credit_at(place)
    faulty = {"specification_state": "Fault", "publisher_error_code": 117}
    credit_at(place, ean=OTHER, **faulty)
    credit_at(place, ean="9789001234579", specification_state="")

    (line,) = [one for one in made(school).lines if one.book.person.pk == place.person_id]
    first = looks_of(place.person, day=timezone.localdate(), now=timezone.now())[0]

    assert (line.book.ean, line.verdict.key) == (first.book.ean, first.verdict.key)
    assert line.verdict.key == "publisher_silent"


def test_a_book_at_another_school_is_not_what_this_school_hears_about(school: School) -> None:
    place = pupil_at(SchoolFactory(), linked=False)
    credit_at(place)
    SchoolPersonFactory(person=place.person, school=school, **sent())

    found = made(school)

    assert place.person_id in {line.book.person.pk for line in found.lines}
    assert len(rows_for(found)) == 2


def test_the_number_of_queries_does_not_grow_with_the_pupils(
    manager: Client, school: School
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(url_of(school)).status_code == 200
        return len(queries)

    manager.get(url_of(school))
    few = count()
    for _each in range(12):
        credit_at(pupil_at(school, linked=False))
        credit_at(pupil_at(school))

    assert count() == few
    assert few <= 35


def test_the_page_tells_who_must_act_and_what(manager: Client, school: School) -> None:
    answer = manager.get(url_of(school), headers={"accept-language": "nl"})
    page = answer.content.decode()

    assert "De Brug" in page
    assert answers_in(page) == 3
    assert url_of(school, "school_mail") in page
    assert timezone.localtime().strftime("%H:") in page


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("", 3),
        ("?wie=school", 2),
        ("?uitkomst=person_refused", 1),
        ("?wie=school&uitkomst=person_refused", 0),
        ("?wie=niemand-die-bestaat&uitkomst=x", 3),
        ("?pagina=99", 3),
        ("?pagina=x", 3),
    ],
)
def test_a_part_of_the_worklist(manager: Client, school: School, asked: str, number: int) -> None:
    page = manager.get(url_of(school) + asked).content.decode()

    assert answers_in(page) == number


def test_a_long_list_comes_in_pages(
    manager: Client, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.desk.report_views.PAGE", 2)

    first = manager.get(url_of(school)).content.decode()
    second = manager.get(url_of(school) + "?pagina=2").content.decode()

    assert (answers_in(first), answers_in(second)) == (2, 1)
    assert 'rel="next"' in first
    assert 'rel="prev"' in second


def test_a_school_without_credits_and_one_in_order_are_friendly(manager: Client) -> None:
    empty, fine = SchoolFactory(), SchoolFactory()
    credit_at(pupil_at(fine))

    assert reverse("admin:import_start") in manager.get(url_of(empty)).content.decode()
    page = manager.get(url_of(fine)).content.decode()
    assert 'class="card verdict ok"' in page
    assert answers_in(page) == 0


@pytest.mark.parametrize("name", ["school_report", "school_mail"])
def test_who_may_not_look_sees_nothing(signed_in: SignIn, school: School, name: str) -> None:
    assert signed_in("persons.view_school").get(url_of(school, name)).status_code == 403
    assert Client().get(url_of(school, name)).status_code == 302


def test_a_reader_may_look_and_download_and_not_mail(signed_in: SignIn, school: School) -> None:
    reader = signed_in(*LOOK)

    page = reader.get(url_of(school)).content.decode()

    assert url_of(school, "school_mail") not in page
    assert reader.get(url_of(school, "school_mail")).status_code == 403
    assert reader.get(url_of(school, "school_list", "csv")).status_code == 200


def test_a_school_or_a_kind_of_file_that_is_none(manager: Client, school: School) -> None:
    assert manager.get(reverse("admin:school_report", args=[99999])).status_code == 404
    assert manager.get(url_of(school, "school_list", "pdf")).status_code == 404
    assert manager.post(url_of(school)).status_code == 405


# --- the school's own list ----------------------------------------------------------------------


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


# --- mailing it ---------------------------------------------------------------------------------


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
