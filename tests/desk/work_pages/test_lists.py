"""The work lists: what stands in them, in which order, in pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from backoffice.desk.work import work_items
from backoffice.desk.work_states import (
    write_note,
)
from tests.desk.work_pages.conftest import (
    FAULT,
    NOW,
    faults,
    page,
    place,
    shown,
    unlinked,
)
from tests.factories import (
    PersonCreditFactory,
    SchoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


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
