"""The pages that give credits back and change end dates."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from backoffice.outbox.models import Message
from credits.models import CreditReturn, PersonCredit, SchoolCredit
from credits.services import refresh_statuses
from tests.factories import PersonCreditFactory, SchoolCreditFactory, UserFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine("2026-11-21T10:00:00+01:00"),
]

LIST = "/admin/credits/personcredit/"
SCHOOL_LIST = "/admin/credits/schoolcredit/"


def signed_in(*groups: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(UserFactory(groups=list(groups)))
    return client


@pytest.fixture
def manager() -> Client:
    return signed_in("Accountmanager")


@pytest.fixture(autouse=True)
def english(settings: Any) -> Any:
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield


def there(credit: Any, **columns: Any) -> Any:
    """A credit that Edu-iX has."""
    rows = type(credit)._default_manager.filter(pk=credit.pk)
    rows.update(**({"push_state": "in_sync", "registered_at": timezone.now()} | columns))
    refresh_statuses(rows)
    credit.refresh_from_db()
    return credit


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def text(response: Any) -> str:
    return str(response.content.decode())


# --- giving one back -----------------------------------------------------------------------------


def test_a_pupils_credit_is_given_back_in_one_page(manager: Client) -> None:
    credit = there(PersonCreditFactory())
    path = f"{LIST}{credit.pk}/return/"

    page = text(manager.get(path))
    values = {"reason": "verhuisd", "reference": hidden(page, "reference"), "_confirm": "1"}
    first = manager.post(path, values)
    second = manager.post(path, values)

    assert "Sanne van den Berg loses" in page
    back = CreditReturn.objects.get()
    assert (back.reason, back.reference) == ("verhuisd", values["reference"])
    assert back.created_by is not None
    assert first.status_code == second.status_code == 302
    assert Message.objects.filter(operation="credit_return.push").count() == 1


def test_looking_changes_nothing(manager: Client) -> None:
    credit, pool = there(PersonCreditFactory()), there(SchoolCreditFactory())

    for path in (
        f"{LIST}{credit.pk}/return/",
        f"{LIST}{credit.pk}/end-date/",
        f"{SCHOOL_LIST}{pool.pk}/return/",
        f"{SCHOOL_LIST}{pool.pk}/end-date/",
    ):
        assert manager.get(path).status_code == 200, path

    assert not CreditReturn.objects.exists()
    assert not Message.objects.exists()


def test_a_school_sees_what_it_keeps_before_it_is_done(manager: Client) -> None:
    pool = there(SchoolCreditFactory(amount=10))
    path = f"{SCHOOL_LIST}{pool.pk}/return/"
    reference = hidden(text(manager.get(path)), "reference")
    values = {"amount": "3", "reason": "klas kleiner", "reference": reference}

    preview = text(manager.post(path, values | {"_preview": "1"}))
    assert not CreditReturn.objects.exists()
    done = manager.post(path, values | {"_confirm": "1"})
    eight = {"amount": "8", "reference": "f" * 32, "_confirm": "1"}
    more = text(manager.post(path, values | eight))

    assert "keeps 7 licences" in preview
    assert "cannot be undone" in preview
    assert done.status_code == 302
    assert CreditReturn.objects.get().amount == 3
    assert "more than is left" in more


@pytest.mark.parametrize(
    ("amount", "line"),
    [
        ("", "how many licences"),
        ("drie", "no number"),
        ("2.5", "no number"),
        ("0", "at least 1"),
        ("-4", "at least 1"),
        ("11", "more than is left"),
        ("9" * 40, "more than is left"),
    ],
)
@pytest.mark.parametrize("step", ["_preview", "_confirm"])
def test_a_wrong_number_is_told_in_one_line(
    manager: Client, amount: str, line: str, step: str
) -> None:
    pool = there(SchoolCreditFactory(amount=10))
    path = f"{SCHOOL_LIST}{pool.pk}/return/"
    values = {"amount": amount, "reason": "x", "reference": "a" * 32, step: "1"}

    response = manager.post(path, values)

    assert response.status_code == 200
    assert line in text(response)
    assert text(response).count('role="alert"') == 1
    assert not CreditReturn.objects.exists()


def test_a_reason_is_required_and_a_made_up_reference_is_not_taken(manager: Client) -> None:
    credit = there(PersonCreditFactory())
    path = f"{LIST}{credit.pk}/return/"

    without = manager.post(path, {"reason": " ", "reference": "a" * 32, "_confirm": "1"})
    made_up = manager.post(path, {"reason": "x", "reference": "../1", "_confirm": "1"})

    assert "the reason stands in the history" in text(without)
    assert made_up.status_code == 200
    assert not CreditReturn.objects.exists()


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"push_state": "local_only", "registered_at": None}, "not at Edu-iX"),
        ({"push_state": "refused", "registered_at": None}, "does not have it"),
        ({"push_state": "conflict"}, "compare first"),
        ({"push_state": "deleted"}, "deleted"),
        ({"person_product_state": "Returned"}, "given back already"),
    ],
)
def test_what_cannot_be_given_back_says_so_and_offers_no_button(
    manager: Client, columns: dict[str, Any], line: str
) -> None:
    credit = there(PersonCreditFactory(), **columns)
    path = f"{LIST}{credit.pk}/return/"

    page = text(manager.get(path))
    posted = text(manager.post(path, {"reason": "x", "reference": "a" * 32, "_confirm": "1"}))

    assert line in page
    assert line in posted
    assert "_confirm" not in page
    assert not CreditReturn.objects.exists()
    assert not Message.objects.exists()


def test_a_credit_that_was_never_sent_can_be_deleted_instead() -> None:
    chief = signed_in("Beheerder")
    credit = PersonCreditFactory()

    page = text(chief.get(f"{LIST}{credit.pk}/return/"))

    assert f"{LIST}{credit.pk}/delete/" in page


def test_strangers_and_readers_give_nothing_back() -> None:
    credit = there(PersonCreditFactory())
    values = {"reason": "x", "reference": "a" * 32, "_confirm": "1", "pks": str(credit.pk)}
    values |= {"new_end": "2027-06-30"}

    for path in (
        f"{LIST}{credit.pk}/return/",
        f"{LIST}{credit.pk}/end-date/",
        f"{LIST}return/",
        f"{LIST}end-date/",
    ):
        assert Client().post(path, values).status_code == 302
        assert signed_in("Meelezer").post(path, values).status_code == 403
        assert signed_in().get(path).status_code in (403, 405)
    assert not CreditReturn.objects.exists()
    credit.refresh_from_db()
    assert credit.credit_end_date == date(2027, 7, 31)


def test_an_unknown_credit_is_not_there(manager: Client) -> None:
    assert manager.get(f"{LIST}999999/return/").status_code == 404
    assert manager.get(f"{LIST}999999/end-date/").status_code == 404


def test_a_refused_return_is_sent_again_or_taken_back_by_post_only(manager: Client) -> None:
    credit = there(PersonCreditFactory())
    path = f"{LIST}{credit.pk}/return/"
    manager.post(path, {"reason": "x", "reference": "a" * 32, "_confirm": "1"})
    back = CreditReturn.objects.get()
    Message.objects.update(status="refused", code=-5948)
    CreditReturn.objects.update(push_state="refused", push_code=-5948)

    assert manager.get(f"{path}{back.pk}/again/").status_code == 405
    manager.post(f"{path}{back.pk}/again/")
    assert Message.objects.get().status == "queued"
    Message.objects.update(status="refused")
    manager.post(f"{path}{back.pk}/withdraw/")

    back.refresh_from_db()
    assert back.withdrawn_at is not None
    assert Message.objects.get().status == "cancelled"
    late = manager.post(f"{path}{back.pk}/withdraw/", follow=True)
    assert "Too late" in text(late)
    other = there(PersonCreditFactory())
    assert manager.post(f"{LIST}{other.pk}/return/{back.pk}/again/").status_code == 404


# --- giving many back ----------------------------------------------------------------------------


def choose(client: Client, action: str, credits: Any, path: str = LIST) -> str:
    data = {"action": action, "_selected_action": [credit.pk for credit in credits]}
    response = client.post(path, data)
    assert response.status_code == 200
    return text(response)


def test_a_selection_is_looked_at_first_and_what_cannot_be_is_skipped(manager: Client) -> None:
    good = [there(PersonCreditFactory()) for _ in range(3)]
    never = PersonCreditFactory()

    page = choose(manager, "give_back", [*good, never])
    assert not CreditReturn.objects.exists()
    values = {name: hidden(page, name) for name in ("pks", "reference")} | {"reason": "stopt"}
    done = manager.post(f"{LIST}return/", values, follow=True)

    assert "Give back 3 credits" in page
    assert "not at Edu-iX" in page
    assert CreditReturn.objects.count() == 3
    assert "3 returns queued" in text(done)
    manager.post(f"{LIST}return/", values)
    assert CreditReturn.objects.count() == 3


def test_more_than_25_at_once_asks_to_type_the_number(manager: Client) -> None:
    credits = [there(credit) for credit in PersonCreditFactory.create_batch(26)]

    page = choose(manager, "give_back", credits)
    values = {name: hidden(page, name) for name in ("pks", "reference")} | {"reason": "stopt"}
    without = manager.post(f"{LIST}return/", values)
    wrong = manager.post(f"{LIST}return/", values | {"typed": "25"})
    assert not CreditReturn.objects.exists()
    right = manager.post(f"{LIST}return/", values | {"typed": "26"})
    again = manager.post(f"{LIST}return/", values | {"typed": "26"})

    assert "type 26" in page
    assert "Type 26" in text(without)
    assert "Type 26" in text(wrong)
    assert right.status_code == again.status_code == 302
    assert CreditReturn.objects.count() == 26


@pytest.mark.parametrize("pks", ["", "x", "1,,2", "1;2", "9" * 30])
def test_a_broken_selection_is_told_and_nothing_is_done(manager: Client, pks: str) -> None:
    values = {"pks": pks, "reason": "x", "reference": "a" * 32, "new_end": "2027-06-30"}

    for path in (f"{LIST}return/", f"{LIST}end-date/", f"{SCHOOL_LIST}end-date/"):
        response = manager.post(path, values | {"_confirm": "1"}, follow=True)
        assert "Choose the credits in the list" in text(response)
    assert manager.get(f"{LIST}return/").status_code == 405


# --- end dates -----------------------------------------------------------------------------------


def test_an_end_date_is_shown_beside_the_old_one_then_changed_and_sent(manager: Client) -> None:
    credit = there(PersonCreditFactory())
    path = f"{LIST}{credit.pk}/end-date/"
    values = {"new_end": "2027-09-30", "reason": "examen over", "pks": str(credit.pk)}

    preview = text(manager.post(path, values))
    credit.refresh_from_db()
    assert credit.credit_end_date == date(2027, 7, 31)
    done = manager.post(path, values | {"_confirm": "1"}, follow=True)
    manager.post(path, values | {"_confirm": "1"})

    credit.refresh_from_db()
    assert "Sept. 30, 2027" in preview or "30 September 2027" in preview
    assert "31 July 2027" in preview
    assert credit.credit_end_date == date(2027, 9, 30)
    assert credit.push_state == "queued"
    assert "1 end date changed. 1 goes to Edu-iX." in text(done)
    assert Message.objects.filter(operation="person_credit.push").count() == 1
    latest = credit.history.first()
    assert latest is not None
    assert latest.history_change_reason.endswith("examen over")
    assert latest.history_user is not None
    assert credit.history.count() == 2


@pytest.mark.parametrize(
    ("new_end", "line"),
    [
        ("", "Choose the new end date"),
        ("31-02-2027", "no date"),
        ("morgen", "no date"),
        ("20270-01-01", "no date"),
        ("1026-01-01", "between 2000 and 2099"),
    ],
)
def test_a_wrong_date_is_told_in_one_line(manager: Client, new_end: str, line: str) -> None:
    credit = there(PersonCreditFactory())
    values = {"new_end": new_end, "reason": "x", "pks": str(credit.pk), "_confirm": "1"}

    response = text(manager.post(f"{LIST}{credit.pk}/end-date/", values))

    assert line in response
    assert response.count('role="alert"') == 1
    credit.refresh_from_db()
    assert credit.credit_end_date == date(2027, 7, 31)


def test_a_day_that_has_passed_is_warned_about_and_one_before_the_start_is_skipped(
    manager: Client,
) -> None:
    credit = there(PersonCreditFactory())
    path = f"{LIST}{credit.pk}/end-date/"
    values = {"reason": "x", "pks": str(credit.pk)}

    passed = text(manager.post(path, values | {"new_end": "2026-11-01"}))
    before = text(manager.post(path, values | {"new_end": "2026-07-01"}))

    assert "This day has passed" in passed
    assert "_confirm" in passed
    assert "starts after this end date" in before
    assert "_confirm" not in before


@pytest.mark.parametrize("number", [4, 30])
def test_many_end_dates_change_and_what_must_not_is_skipped(manager: Client, number: int) -> None:
    credits = [there(credit) for credit in PersonCreditFactory.create_batch(number)]
    returned = there(PersonCreditFactory(), person_product_state="Returned")
    differs = there(PersonCreditFactory(), push_state="conflict")
    only_here = PersonCreditFactory()
    everything = [*credits, returned, differs, only_here]

    page = choose(manager, "change_end_dates", everything)
    values = {"pks": hidden(page, "pks"), "new_end": "2027-12-31", "reason": "verlengd"}
    preview = text(manager.post(f"{LIST}end-date/", values))
    assert not Message.objects.exists()
    done = text(manager.post(f"{LIST}end-date/", values | {"_confirm": "1"}, follow=True))

    ends = PersonCredit.objects.filter(credit_end_date=date(2027, 12, 31))
    assert f"{number + 1} credits change" in preview
    assert "given back already" in preview
    assert ends.count() == number + 1
    assert f"{number} go to Edu-iX" in done
    assert Message.objects.filter(operation="person_credit.push").count() == number
    assert set(ends.values_list("push_state", flat=True)) == {"queued", "local_only"}
    assert all("verlengd" in str(credit.history.first().history_change_reason) for credit in ends)


def test_the_end_date_of_a_schools_credit_changes_too(manager: Client) -> None:
    pools = [there(credit) for credit in SchoolCreditFactory.create_batch(25)]

    page = choose(manager, "change_end_dates", pools, SCHOOL_LIST)
    values = {"pks": hidden(page, "pks"), "new_end": "2027-12-31", "reason": "verlengd"}
    manager.post(f"{SCHOOL_LIST}end-date/", values | {"_confirm": "1"})

    assert SchoolCredit.objects.filter(credit_end_date=date(2027, 12, 31)).count() == 25
    assert Message.objects.filter(operation="school_credit.push").count() == 25
