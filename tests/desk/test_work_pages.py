"""The work lists as pages: tabs, taking, notes, putting off, and sending all of an item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.desk import work_pushing
from backoffice.desk.models import WorkItemState, WorkNote
from backoffice.desk.pruning import prune
from backoffice.desk.work import WorkItem, work_items
from backoffice.desk.work_deeds import item_url
from backoffice.desk.work_keys import read_key
from backoffice.desk.work_pushing import order_for
from backoffice.desk.work_rows import Scope
from backoffice.desk.work_states import (
    NotPossible,
    TakenByOther,
    agreed,
    bring_back,
    put_off,
    release,
    take,
    write_note,
)
from backoffice.jobs.models import Job
from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.models import PersonCredit
from credits.status import CreditStatus
from persons.models import Person
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
TODAY = date(2026, 11, 21)
EAN = "9789001234562"
FAULT = {
    "status": CreditStatus.PUBLISHER_FAULT,
    "push_state": PushState.IN_SYNC,
    "specification_state": "Fault",
    "specification_changed_at": NOW,
    "publisher_error_code": 117,
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def running() -> None:
    ServiceState.objects.update_or_create(service=SERVICE, defaults={"beat_at": timezone.now()})


@pytest.fixture
def browser() -> Callable[..., Client]:
    """A browser of a colleague in this group."""

    def sign_in(group: str = "Accountmanager", **columns: Any) -> Client:
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        client.force_login(UserFactory(groups=[group], **columns))
        return client

    return sign_in


def place(school: Any = None) -> Any:
    return SchoolPersonFactory(
        person=PersonFactory(push_state=PushState.IN_SYNC, registered_at=NOW),
        school=school or SchoolFactory(),
        push_state=PushState.IN_SYNC,
        registered_at=NOW,
    )


def faults(number: int = 1, school: Any = None, **columns: Any) -> list[PersonCredit]:
    pupil = place(school)
    return PersonCreditFactory.create_batch(
        number, school_person=pupil, registered_at=NOW, **(FAULT | columns)
    )


def unlinked(number: int = 1, school: Any = None) -> Any:
    pupil = place(school)
    PersonCreditFactory.create_batch(
        number,
        school_person=pupil,
        status=CreditStatus.WAITING_FOR_PREMATCH,
        push_state=PushState.IN_SYNC,
    )
    return pupil.school


def only() -> WorkItem:
    (item,) = work_items(now=timezone.now())
    return item


def page(client: Client, **asked: str) -> str:
    response = client.get(reverse("admin:work"), asked)
    assert response.status_code == 200
    return response.content.decode()


def press(client: Client, do: str, key: str = "", **given: Any) -> Any:
    data = {"doen": do, "item": key or only().key, **given}
    return client.post(reverse("admin:work_do"), data, follow=True)


def shown(client: Client, name: str = "mine") -> list[str]:
    response = client.get(reverse("admin:work"), {"lijst": name})
    return [line.item.key for line in response.context["lines"]]


# --- the lists ----------------------------------------------------------------------------------


def test_each_list_shows_its_items_biggest_first(browser: Any) -> None:
    small, big = unlinked(1), unlinked(3)
    client = browser()

    assert shown(client, "school") == [f"prematch:{big.pk}", f"prematch:{small.pk}"]
    assert shown(client, "mine") == []
    text = page(client, lijst="school")
    assert f"{big.name} has not linked 1 pupil yet" in text
    assert "Write to the school" in text


def test_an_empty_list_says_so_kindly(browser: Any) -> None:
    assert "Nothing to do: whatever stands still waits for somebody else." in page(browser())


def test_somebody_with_schools_begins_with_those(browser: Any) -> None:
    client = browser(username="fatima")
    theirs = unlinked(2)
    assert shown(client, "school") == [f"prematch:{theirs.pk}"]  # no schools: all of them

    fatima = type(theirs).account_manager.field.related_model.objects.get(username="fatima")
    ours = unlinked(1, SchoolFactory(account_manager=fatima))

    assert shown(client, "school") == [f"prematch:{ours.pk}"]
    assert theirs.name in page(client, lijst="school", scholen="alle")
    assert theirs.name not in page(client, lijst="school", scholen="mijn")


def test_the_list_behind_an_item_holds_exactly_its_rows(browser: Any) -> None:
    fatima = UserFactory()
    mine = faults(2, SchoolFactory(account_manager=fatima))
    others = faults(1, ean="9789006112234")
    faults(3)
    client = browser()

    (item,) = (one for one in work_items(now=NOW, account_manager=fatima))
    response = client.get(item.url)
    whole = client.get(next(one.url for one in work_items(now=NOW) if one.rows == 5))
    other = client.get(next(one.url for one in work_items(now=NOW) if one.rows == 1))

    assert {row.pk for row in response.context["cl"].result_list} == {row.pk for row in mine}
    assert len(whole.context["cl"].result_list) == 5
    assert [row.pk for row in other.context["cl"].result_list] == [others[0].pk]


@pytest.mark.parametrize(
    "asked", ["nothing", "prematch:x", "prematch:1@x", "prematch:1@99999", "@"]
)
def test_a_list_of_an_item_that_cannot_be_is_empty(browser: Any, asked: str) -> None:
    faults(1)
    url = reverse("admin:credits_personcredit_changelist")

    response = browser().get(url, {"werk": asked})

    assert response.status_code == 200
    assert list(response.context["cl"].result_list) == []


def test_long_lists_come_in_pages(browser: Any) -> None:
    pupil = place()
    for number in range(53):
        PersonCreditFactory(
            school_person=pupil, **(FAULT | {"publisher_error_code": 1000 + number})
        )
    client = browser()

    first = client.get(reverse("admin:work"), {"lijst": "mine"})
    rest = client.get(first.context["more_url"])
    wild = client.get(reverse("admin:work"), {"lijst": "mine", "vanaf": "-1 or 1"})

    assert (len(first.context["lines"]), len(rest.context["lines"])) == (50, 3)
    assert len(wild.context["lines"]) == 50


def test_a_page_asks_as_often_whatever_there_is(
    browser: Any, django_assert_max_num_queries: Any
) -> None:
    client = browser()
    for number in range(30):
        faults(1, ean=f"97890012345{number:02d}")
        unlinked()
    for item in work_items(now=NOW):
        write_note(key=item.key, text="Called.", user=UserFactory(), now=NOW)
    client.get(reverse("admin:work"))

    with django_assert_max_num_queries(55):
        client.get(reverse("admin:work"), {"lijst": "mine"})


# --- taking -------------------------------------------------------------------------------------


def test_what_somebody_takes_stands_in_the_own_list_with_the_name(browser: Any) -> None:
    school = unlinked()
    fatima, joost = browser(first_name="Fatima"), browser()
    key = f"prematch:{school.pk}"

    press(fatima, "nemen", key)

    assert shown(fatima) == [key]
    assert shown(joost) == []
    assert "Fatima has this" in page(joost, lijst="school")
    assert "you have this" in page(fatima, lijst="school")
    press(fatima, "teruggeven", key)
    assert shown(fatima) == []


def test_the_second_who_takes_is_told_who_has_it_and_may_take_it_over(browser: Any) -> None:
    unlinked()
    fatima, joost = browser(first_name="Fatima"), browser(first_name="Joost")
    press(fatima, "nemen")

    second = press(joost, "nemen").content.decode()
    holder = WorkItemState.objects.get().taken_by
    assert "Fatima has this already" in second
    assert "Yes, take it over from Fatima" in second
    assert holder is not None
    assert holder.first_name == "Fatima"

    press(joost, "nemen", van=str(holder.pk))

    taken = WorkItemState.objects.get().taken_by
    assert taken is not None
    assert taken.first_name == "Joost"


def test_who_confirms_to_take_it_from_one_does_not_take_it_from_another() -> None:
    fatima, joost, sanne = UserFactory.create_batch(3)
    take(key="held", user=fatima, now=NOW)
    take(key="held", user=joost, now=NOW, over=fatima.pk)

    with pytest.raises(TakenByOther):
        take(key="held", user=sanne, now=NOW, over=fatima.pk)

    assert WorkItemState.objects.get().taken_by == joost


def test_taking_twice_keeps_the_moment_and_only_the_holder_gives_back() -> None:
    fatima, joost = UserFactory.create_batch(2)
    take(key="held", user=fatima, now=NOW)
    take(key="held", user=fatima, now=NOW + timedelta(hours=1))

    assert WorkItemState.objects.get().taken_at == NOW
    with pytest.raises(NotPossible):
        release(key="held", user=joost)
    release(key="held", user=fatima)
    assert WorkItemState.objects.get().taken_by is None


# --- notes --------------------------------------------------------------------------------------


def test_a_note_stands_on_the_item_with_its_writer_and_escaped(browser: Any) -> None:
    unlinked()
    client = browser(username="fatima")

    answer = press(client, "noteren", tekst="School  called,\ncalls <b>back</b>", terug="item")

    text = answer.content.decode()
    assert "School called, calls &lt;b&gt;back&lt;/b&gt;" in text
    assert "fatima" in text
    assert "School called" in page(client, lijst="school")


@pytest.mark.parametrize("text", ["", "  \n ", "\0", "x" * 1001])
def test_an_empty_or_endless_note_is_refused_with_what_to_do(browser: Any, text: str) -> None:
    unlinked()

    answer = press(browser(), "noteren", tekst=text)

    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert not WorkNote.objects.exists()


# --- putting off --------------------------------------------------------------------------------


def test_what_is_put_off_leaves_its_list_until_somebody_brings_it_back(browser: Any) -> None:
    unlinked()
    client, key = browser(), only().key
    until = timezone.localdate() + timedelta(days=7)

    press(client, "uitstellen", tot=until.isoformat())

    assert shown(client, "school") == []
    assert shown(client, "later") == [key]
    press(client, "terughalen")
    assert shown(client, "school") == [key]


def back_words(day: date = TODAY) -> str:
    (one,) = agreed(work_items(now=NOW), today=day, everything=lambda: work_items(now=NOW))
    return "put off" if one.is_put_off else one.back


def put_off_for_a_week() -> None:
    (item,) = work_items(now=NOW)
    put_off(item=item, until="2026-11-28", user=UserFactory(), now=NOW, today=TODAY)


def test_it_is_back_when_its_day_is_there() -> None:
    faults(2)
    put_off_for_a_week()

    assert back_words() == "put off"
    assert back_words(date(2026, 11, 27)) == "put off"
    assert back_words(date(2026, 11, 28)) not in ("", "put off")


def test_it_is_back_when_something_is_added_and_says_how_much() -> None:
    faults(2)
    put_off_for_a_week()

    faults(3)

    assert "3" in back_words()


def test_it_is_back_when_one_is_solved_and_another_came() -> None:
    first, *_rest = faults(2)
    put_off_for_a_week()
    PersonCredit.objects.filter(pk=first.pk).update(status=CreditStatus.USABLE)

    assert back_words() == "put off"  # that one is solved is no reason to look again
    faults(1)
    assert back_words() not in ("", "put off")


def test_it_is_back_when_the_same_rows_were_told_anew() -> None:
    faults(2)
    put_off_for_a_week()

    PersonCredit.objects.update(specification_changed_at=NOW + timedelta(minutes=5))

    assert back_words() not in ("", "put off")


def test_put_off_by_one_account_manager_is_put_off_for_another() -> None:
    """Each sees rows of other schools; the facts that are compared are those of all."""
    fatima, joost = UserFactory.create_batch(2)
    faults(2, SchoolFactory(account_manager=fatima))
    faults(3, SchoolFactory(account_manager=joost))
    put_off_for_a_week()

    for user in (fatima, joost):
        (one,) = agreed(
            work_items(now=NOW, account_manager=user),
            today=TODAY,
            everything=lambda: work_items(now=NOW),
        )
        assert one.is_put_off


def test_bringing_back_forgets_the_day() -> None:
    faults(1)
    put_off_for_a_week()

    bring_back(key=work_items(now=NOW)[0].key)

    assert back_words() == ""


@pytest.mark.parametrize("days", [-400, -1, 0, 93, 40_000])
def test_a_day_in_the_past_or_too_far_is_refused(browser: Any, days: int) -> None:
    unlinked()
    until = timezone.localdate() + timedelta(days=days)

    answer = press(browser(), "uitstellen", tot=until.isoformat())

    assert answer.status_code == 422
    assert not WorkItemState.objects.filter(put_off_until__isnull=False).exists()


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-31", "1e9", "\0"])
def test_what_is_no_day_is_refused(browser: Any, text: str) -> None:
    unlinked()

    assert press(browser(), "uitstellen", tot=text).status_code == 422


# --- bad input and rights -----------------------------------------------------------------------


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


# --- sending all --------------------------------------------------------------------------------


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


# --- the page of one item -----------------------------------------------------------------------


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


# --- forgetting ---------------------------------------------------------------------------------


def test_agreements_about_what_is_gone_are_forgotten_and_notes_after_the_days_we_may() -> None:
    faults(1)
    key, user = only().key, UserFactory()
    for each in (key, "held"):
        take(key=each, user=user, now=NOW)
    now = timezone.now()
    for days in (1, 401):
        write_note(key="held", text=f"{days}", user=user, now=now - timedelta(days=days))

    pruned = prune(days=400, now=now)

    assert pruned.agreements == 2
    assert list(WorkItemState.objects.values_list("key", flat=True)) == [key]
    assert list(WorkNote.objects.values_list("text", flat=True)) == ["1"]
