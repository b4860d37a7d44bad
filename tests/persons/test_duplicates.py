"""Two rows that may be one pupil, and two pupils on one address."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from backoffice.outbox.models import PushState
from persons.duplicate_models import NotADuplicate, folded
from persons.duplicate_pages import double_pill
from persons.duplicates import (
    likenesses,
    open_likenesses,
    say_not_a_duplicate,
    show_again,
    suspects,
)
from persons.models import Person
from tests.factories import PersonFactory, UserFactory

pytestmark = pytest.mark.django_db

PERSONS = "/admin/persons/person/"


@pytest.fixture
def manager() -> Client:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"], username="fatima"))
    return client


@pytest.fixture
def siblings() -> tuple[Person, Person]:
    return (
        PersonFactory(first_name="Noor", email="ouder@example.nl", date_of_birth=date(2012, 3, 4)),
        PersonFactory(first_name="Daan", email="Ouder@example.nl", date_of_birth=date(2014, 5, 6)),
    )


def pairs(persons: list[Person]) -> set[tuple[int, int, str]]:
    rows = Person.objects.filter(pk__in=[person.pk for person in persons])
    found = likenesses(list(rows))
    return {(pk, each.other.pk, each.kind) for pk, alike in found.items() for each in alike}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Zoë", "", "Bergé"), ("Zoe", "", "Berge")),
        (("Noor", "van den", "Berg"), ("NOOR", "Van den", "BERG")),
        (("Jan-Willem", "", "Smit"), ("Jan Willem", "", "Smit")),
        (("Anne", "van 't", "Hof"), ("Anne", "van \u2019t", "Hof")),
        (("Noor", "", "van den Berg"), ("Noor", "van den", "Berg")),
        (("ÉLISE", "", "Öz"), ("élise", "", "öz")),
    ],
)
def test_names_that_people_call_the_same_are_alike(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    columns = ("first_name", "preposition", "surname")
    first = PersonFactory(**dict(zip(columns, one, strict=True)))
    second = PersonFactory(**dict(zip(columns, other, strict=True)))

    assert pairs([first]) == {(first.pk, second.pk, "name")}
    assert pairs([second]) == {(second.pk, first.pk, "name")}


@pytest.mark.parametrize(
    "name", ["Zoë Bergé", "JAN-WILLEM", "van \u2019t Hof", "ÏÖÜ ñç", "O'Brien."]
)
def test_python_folds_as_the_database_does(name: str) -> None:
    person = PersonFactory(first_name=name, preposition="", surname="É")

    assert Person.objects.values_list("name_key", flat=True).get() == folded(name, "", "É")
    assert person.pk


def test_another_birth_date_or_none_is_another_person() -> None:
    person = PersonFactory()
    PersonFactory(date_of_birth=date(2011, 1, 1))
    PersonFactory(date_of_birth=None)
    PersonFactory(push_state=PushState.DELETED)

    assert pairs([person]) == set()


def test_siblings_on_one_address_are_hinted_at_on_both(siblings: tuple[Person, Person]) -> None:
    noor, daan = siblings
    PersonFactory.create_batch(2, email="", date_of_birth=None)

    assert pairs([noor]) == {(noor.pk, daan.pk, "email")}
    assert pairs([daan]) == {(daan.pk, noor.pk, "email")}
    assert set(suspects("email")) == {noor.pk, daan.pk}
    assert suspects("name") == []


def test_the_name_is_kept_whatever_writes_it() -> None:
    person = PersonFactory(surname="Berg")
    Person.objects.filter(pk=person.pk).update(surname="Dijk")
    Person.objects.bulk_create([PersonFactory.build(surname="Dijk", first_name="Sanne")])

    assert len(suspects("name")) == 2


# --- what a colleague says about it --------------------------------------------------------------


def test_same_family_is_remembered_for_the_pair_and_can_be_taken_back(
    manager: Client, siblings: tuple[Person, Person]
) -> None:
    noor, daan = siblings
    say = f"{PERSONS}{daan.pk}/look-alike/"

    page = manager.post(say, {"other": noor.pk, "reason": "family"}, follow=True)

    said = NotADuplicate.objects.get()
    assert (said.first_id, said.second_id, said.reason) == (noor.pk, daan.pk, "family")
    assert said.created_by is not None
    assert open_likenesses([noor, daan]) == {}
    assert suspects("email") == []
    assert "fatima" in page.content.decode()

    manager.post(say, {"other": noor.pk, "reason": ""})

    assert set(open_likenesses([noor, daan])) == {noor.pk, daan.pk}


def test_saying_it_twice_changes_the_reason_and_makes_no_second_row() -> None:
    one, other = PersonFactory.create_batch(2)
    say_not_a_duplicate(person=one, other=other, reason="family", user=None)

    say_not_a_duplicate(person=other, other=one, reason="different", user=None)

    assert NotADuplicate.objects.get().reason == "different"
    assert show_again(person=one, other=other)
    assert not show_again(person=one, other=other)


def test_a_third_sibling_is_hinted_at_again(siblings: tuple[Person, Person]) -> None:
    noor, daan = siblings
    say_not_a_duplicate(person=noor, other=daan, reason="family", user=None)
    third = PersonFactory(first_name="Saar", email="ouder@example.nl", date_of_birth=None)

    assert {each.other.pk for each in open_likenesses([noor])[noor.pk]} == {third.pk}


def test_nobody_is_a_duplicate_of_itself(manager: Client) -> None:
    person = PersonFactory()

    manager.post(f"{PERSONS}{person.pk}/look-alike/", {"other": person.pk, "reason": "family"})

    assert NotADuplicate.objects.count() == 0
    with pytest.raises(ValueError, match="itself"):
        say_not_a_duplicate(person=person, other=person, reason="family", user=None)


@pytest.mark.parametrize("other", ["", "x", "999999", "9" * 30])
def test_an_unknown_other_is_not_found(manager: Client, other: str) -> None:
    person = PersonFactory()

    answer = manager.post(f"{PERSONS}{person.pk}/look-alike/", {"other": other, "reason": "family"})

    assert answer.status_code == 404


def test_saying_it_needs_a_post_and_the_right(siblings: tuple[Person, Person]) -> None:
    noor, daan = siblings
    say = f"{PERSONS}{daan.pk}/look-alike/"
    reader = Client()
    reader.force_login(UserFactory(groups=["Meelezer"]))

    assert reader.post(say, {"other": noor.pk, "reason": "family"}).status_code == 403
    assert reader.get(say).status_code == 405
    assert Client().post(say, {"other": noor.pk}).status_code == 302
    assert NotADuplicate.objects.count() == 0


# --- pages ---------------------------------------------------------------------------------------


def test_the_hint_stands_on_both_forms_with_the_way_to_the_other(
    manager: Client, siblings: tuple[Person, Person]
) -> None:
    for person, other in (siblings, siblings[::-1]):
        page = manager.get(f"{PERSONS}{person.pk}/change/").content.decode()

        assert 'id="look-alikes"' in page
        assert f"{PERSONS}{other.pk}/change/" in page
        assert other.full_name in page


def test_the_list_marks_and_filters_them(manager: Client, siblings: tuple[Person, Person]) -> None:
    PersonFactory(first_name="Eenling")

    everything = manager.get(PERSONS).content.decode()
    page = manager.get(PERSONS, {"double": "email"}).content.decode()

    with translation.override("nl"):
        mark = double_pill()
    assert everything.count(mark) == 2
    assert "Eenling" not in page
    assert all(person.first_name in page for person in siblings)


def test_the_list_asks_no_more_for_more_rows(manager: Client) -> None:
    def fill(number: int) -> None:
        PersonFactory.create_batch(number, email="ouder@example.nl")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(PERSONS).status_code == 200
        return len(captured)

    fill(3)
    manager.get(PERSONS)
    few = queries()
    fill(30)

    assert queries() == few


def test_a_name_is_shown_as_text(manager: Client) -> None:
    evil = "<script>alert(1)</script>"
    one, _other = PersonFactory.create_batch(2, first_name=evil)

    page = manager.get(f"{PERSONS}{one.pk}/change/").content.decode()

    assert evil not in page


def test_what_was_said_goes_with_its_person(siblings: tuple[Person, Person]) -> None:
    noor, daan = siblings
    say_not_a_duplicate(person=noor, other=daan, reason="family", user=None)

    try:
        noor.delete()
    except ProtectedError:  # pragma: no cover  # nothing protects a person without schools
        pytest.fail("a dismissal must not keep a person")

    assert NotADuplicate.objects.count() == 0


@pytest.mark.usefixtures("postgresql")
def test_postgresql_finds_look_alikes_by_index() -> None:
    PersonFactory.create_batch(3)
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        by_name = Person.objects.filter(
            date_of_birth__isnull=False, name_key__in=["x"], date_of_birth__in=[date(2012, 3, 4)]
        )
        from persons.duplicates import sharing

        by_email: Any = sharing("email", ["a@example.nl"])

        assert "person_name_key" in by_name.order_by().explain()
        assert "person_email_key" in by_email.order_by().explain()
        cursor.execute("SET enable_seqscan = on")
