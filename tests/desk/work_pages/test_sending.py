"""Sending all rows of an item, bad input, rights, and the page of one item."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.urls import reverse

from backoffice.desk import work_pushing
from backoffice.desk.models import WorkItemState, WorkNote
from backoffice.desk.work import work_items
from backoffice.desk.work_deeds import item_url
from backoffice.desk.work_keys import read_key
from backoffice.desk.work_pushing import order_for
from backoffice.desk.work_rows import Scope
from backoffice.jobs.models import Job
from backoffice.outbox.models import Message, PushState
from credits.models import PersonCredit
from credits.status import CreditStatus
from persons.models import Person
from tests.desk.work_pages.conftest import (
    NOW,
    faults,
    only,
    page,
    place,
    press,
    unlinked,
)
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


# --- bad input and rights ------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "nothing", "prematch:999999", "refused:person:1::", "\0"])
def test_an_item_that_is_not_there_is_said_on_the_list(browser: Any, key: str) -> None:
    client = browser()

    pressed = press(client, "nemen", key or " ")
    looked = client.get(reverse("admin:work_item"), {"item": key}, follow=True)

    for answer in (pressed, looked):
        assert answer.status_code == 200
        assert "This item is not there any more" in answer.content.decode()
    assert not WorkItemState.objects.exists()


def test_a_button_that_does_not_exist_is_said_on_the_list(browser: Any) -> None:
    unlinked()

    assert "That button is not known" in press(browser(), "opruimen").content.decode()


def test_a_reader_looks_and_changes_nothing(browser: Any) -> None:
    unlinked()
    reader = browser("Meelezer")
    text = page(reader, lijst="school")

    assert "I take it" not in text
    for do in ("nemen", "teruggeven", "uitstellen", "terughalen", "noteren"):
        assert press(reader, do, tekst="x", tot="2026-12-01").status_code == 403
    assert not WorkItemState.objects.exists()
    assert not WorkNote.objects.exists()


def test_who_may_see_no_credits_sees_no_work(signed_in: Any) -> None:
    client = signed_in("persons.view_person")

    for name in ("work", "work_item", "work_do"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403
    assert reverse("admin:work") not in client.get(reverse("admin:index")).content.decode()


# --- sending all ---------------------------------------------------------------------------------


def unsent(number: int) -> None:
    pupil = place()
    PersonCreditFactory.create_batch(
        number,
        school_person=pupil,
        status=CreditStatus.NOT_SENT,
        push_state=PushState.CHANGED,
        registered_at=NOW,
    )


def test_one_press_sends_all_rows_of_an_item_and_no_other(browser: Any) -> None:
    unsent(25)
    item = only()
    other = faults(1)[0]

    answer = press(browser(), "sturen", item.key, gezien="27")

    text = answer.content.decode()
    assert "25 rows queued for Edu-iX. 2 were under way or solved already." in text
    queued = Message.objects.filter(operation="person_credit.push")
    assert queued.count() == 25
    assert not queued.filter(subject=f"person_credit:{other.pk}").exists()
    assert set(PersonCredit.objects.exclude(pk=other.pk).values_list("push_state", flat=True)) == {
        PushState.QUEUED
    }


def test_ids_that_a_page_sends_along_mean_nothing(browser: Any) -> None:
    unsent(1)
    other = faults(1)[0]
    key = next(one.key for one in work_items(now=NOW) if one.key.startswith("unsent"))

    press(browser(), "sturen", key, ids=str(other.pk), _selected_action=str(other.pk))

    assert Message.objects.count() == 1


def test_what_edu_ix_would_refuse_stays(browser: Any) -> None:
    unsent(3)
    first = PersonCredit.objects.order_by("pk").first()
    assert first is not None
    PersonCredit.objects.filter(pk=first.pk).update(school_year=2640)

    text = press(browser(), "sturen").content.decode()

    assert "2 rows queued for Edu-iX. 1 was not sent: Edu-iX would refuse it." in text


def test_never_sent_rows_of_a_school_go_with_persons_first(browser: Any) -> None:
    pupil = SchoolPersonFactory()
    PersonCreditFactory(school_person=pupil)

    press(browser(), "sturen")

    operations = Message.objects.order_by("position").values_list("operation", flat=True)
    assert list(operations) == ["person.push", "schoolperson.push", "person_credit.push"]


def test_many_at_once_ask_for_the_number_typed(browser: Any) -> None:
    unsent(6)
    client = browser()
    with patch.object(work_pushing, "TYPED_FROM", 5):
        asked = press(client, "sturen")
        wrong = press(client, "sturen", aantal="7")
        assert not Message.objects.exists()
        right = press(client, "sturen", aantal="6")

    assert (asked.status_code, wrong.status_code, right.status_code) == (200, 422, 200)
    assert "type 6" in asked.content.decode()
    assert Message.objects.count() == 6


def test_many_rows_become_a_job_that_shows_how_far_it_is(browser: Any) -> None:
    unsent(6)
    with patch.object(work_pushing, "AT_ONCE", 5):
        answer = press(browser(), "sturen")

    job = Job.objects.get()
    assert answer.redirect_chain == [(reverse("admin:push_job", args=[job.pk]), 302)]
    assert set(job.rows.values_list("key", flat=True)) == {
        f"person_credit:{pk}" for pk in PersonCredit.objects.values_list("pk", flat=True)
    }
    assert not Message.objects.exists()  # the worker queues them


def test_who_may_not_send_sends_nothing(browser: Any) -> None:
    unsent(2)

    assert press(browser("Meelezer"), "sturen").status_code == 403
    assert not Message.objects.exists()


def test_what_is_not_sent_from_here_is_not_sent(browser: Any) -> None:
    unlinked()

    answer = press(browser(), "sturen")

    assert answer.status_code == 422
    assert not Message.objects.exists()


def test_refused_persons_that_may_pass_now_are_sent_again() -> None:
    PersonFactory.create_batch(2, push_state=PushState.REFUSED, push_code=-3, push_changed_at=NOW)
    (item,) = work_items(now=NOW)

    order = order_for(read_key(item.key), Scope(NOW))

    assert (item.deed.do, order.number) == ("push", 2)
    assert set(order.rows["person"]) == set(Person.objects.values_list("pk", flat=True))


def test_refused_persons_that_must_be_mended_first_are_not_sent_again() -> None:
    refused = {"push_state": PushState.REFUSED, "push_code": -4967, "push_changed_at": NOW}
    PersonFactory.create_batch(2, **refused)

    (item,) = work_items(now=NOW)

    assert (item.deed.do, item.deed.url) == ("", item.url)


# --- the page of one item ------------------------------------------------------------------------


def test_a_link_to_an_item_opens_for_whoever_has_other_schools(browser: Any) -> None:
    fatima = UserFactory(groups=["Accountmanager"])
    SchoolFactory(account_manager=fatima)
    school = unlinked(2)
    client = browser()
    client.force_login(fatima)

    response = client.get(item_url(f"prematch:{school.pk}"))

    assert response.status_code == 200
    assert response.context["line"].item.key == f"prematch:{school.pk}"


def test_the_letter_to_a_school_names_its_pupils_and_nobody_else(browser: Any) -> None:
    school = unlinked(2)
    other = unlinked(1)
    type(school).objects.filter(pk=school.pk).update(contact_email="boeken@example.nl")
    number = school.school_persons.get().school_student_number
    elsewhere = other.school_persons.get().school_student_number

    text = browser().get(item_url(f"prematch:{school.pk}")).content.decode()

    assert number in text
    assert elsewhere not in text
    assert "mailto:boeken@example.nl?subject=" in text


def test_the_text_for_a_publisher_names_nobody(browser: Any) -> None:
    faults(2)

    response = browser().get(item_url(only().key))

    letter = response.context["letter"].text
    assert "Sanne" not in letter
    assert "9789001 23456 2" in letter
    assert "117" in letter
