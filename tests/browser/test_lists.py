"""Lists and numbers in Chromium: in sight, with their unit, in line with the words beside them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backoffice.outbox.models import PushState
from persons.models import Person
from tests.factories import PersonFactory, SchoolFactory, SchoolPersonFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 780}
ALIGNED = "one => getComputedStyle(one).textAlign"


def test_in_a_card_on_a_phone_a_number_stands_below_its_label(page: Any, live_server: Any) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{live_server.url}/admin/notifications/notification/antwoorden/")

    assert page.locator("main td.num").first.evaluate(ALIGNED) == "left"


def test_an_empty_list_has_its_heading_above_its_words(page: Any, live_server: Any) -> None:
    page.goto(f"{live_server.url}/admin/outbox/message/?q=bestaat-niet")

    for part in ("h2", "p"):
        assert page.locator(f"#changelist .empty {part}").first.evaluate(ALIGNED) == "center"


def test_the_last_column_of_persons_is_in_sight(page: Any, live_server: Any) -> None:
    linked = {"user_id": "u-1", "user_id_changed_at": datetime(2026, 11, 30, 11, tzinfo=UTC)}
    school = SchoolFactory(name="Het Baken College")
    for _number in range(3):
        SchoolPersonFactory(
            school=school, person=PersonFactory(push_state=PushState.IN_SYNC, **linked)
        )
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{live_server.url}/admin/persons/person/")

    hidden = page.locator(".results").evaluate("one => one.scrollWidth - one.clientWidth")

    assert hidden <= 0


def test_the_workbench_tells_what_its_numbers_count(page: Any, live_server: Any) -> None:
    PersonFactory(push_state=PushState.REFUSED, push_code=-4967, postal_code="9999 XX")

    for path in ("/admin/", "/admin/werk/"):
        page.goto(live_server.url + path)
        assert page.locator(".cause > strong").first.inner_text().split() == ["1", "rij"]


def test_the_bar_with_actions_writes_numbers_as_the_tabs_do(page: Any, live_server: Any) -> None:
    Person.objects.bulk_create([PersonFactory.build() for _number in range(1001)])
    page.goto(f"{live_server.url}/admin/persons/person/")

    page.locator("#action-toggle").check()
    page.locator(".actions .question a").click()

    assert page.locator(".actions .all").inner_text() == "Alle 1.001 geselecteerd"
