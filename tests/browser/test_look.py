"""Every page in Chromium: strict policy, readable for everybody, and usable on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from backoffice.desk.work import work_items
from backoffice.desk.work_deeds import item_url
from backoffice.explanations.models import OwnText, PublisherCode
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.remarks import Remark
from backoffice.outbox.models import Attempt, Message, PushState
from credits.status import CreditStatus
from notifications.models import Notification, Try
from tests.browser.barriers import barriers
from tests.browser.watched import Watched
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    ProductFactory,
    SchoolCreditFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 780}
TAP = 40  # CSS pixels

Open = Callable[..., Any]


@pytest.fixture
def house() -> dict[str, str]:
    """A little of everything; tells the pages that show it."""
    schools = [SchoolFactory(name="Het Baken College"), SchoolFactory(name="De Brug")]
    ProductFactory()
    PublisherCode.objects.create(code=118, title_nl="Uitverkocht", cause_nl="Op", remedy_nl="Bel")
    refused = PersonFactory(push_state=PushState.REFUSED, push_code=-4967, postal_code="9999 XX")
    links = [
        SchoolPersonFactory(person=refused, school=schools[0], push_state=PushState.WAITING),
        SchoolPersonFactory(school=schools[1], push_state=PushState.IN_SYNC),
    ]
    for status in CreditStatus:
        waits = status == CreditStatus.WAITING
        credit = PersonCreditFactory(
            school_person=links[0] if waits else links[1],
            status=status,
            push_state=PushState.WAITING if waits else PushState.IN_SYNC,
            specification_state="Fault" if status == CreditStatus.PUBLISHER_FAULT else "",
            publisher_error_code=117 if status == CreditStatus.PUBLISHER_FAULT else None,
        )
    of_school = SchoolCreditFactory(
        school=schools[0], push_state=PushState.IN_SYNC, registered_at=timezone.now()
    )
    message = Message.objects.create(
        operation="person.push",
        subject=f"person:{refused.pk}",
        chain=f"person:{refused.pk}",
        label=refused.distributor_person_id,
        status=Message.Status.REFUSED,
        code=-4967,
        due_at=timezone.now(),
    )
    attempt = Attempt.objects.create(
        message=message,
        fence=1,
        started_at=timezone.now(),
        outcome=Attempt.Outcome.REFUSED,
        code=-4967,
        calls=[
            {
                "service": "profile",
                "operation": "createPerson",
                "request": "<Envelope><Body><createPersonRequest/></Body></Envelope>",
                "response": "<Fault><code>-4967</code></Fault>",
                "status": 500,
                "milliseconds": 12,
                "code": -4967,
            }
        ],
    )
    usable = PersonCreditFactory(
        school_person=links[1], push_state=PushState.IN_SYNC, registered_at=timezone.now()
    )
    for days in range(3):
        notification = Notification.objects.create(
            kind="specificationChanged",
            subject=str(credit),
            raw=b"<told/>",
            raw_sha256="0" * 64,
            raw_length=7,
            received_at=timezone.now() - timedelta(days=days),
            verdict=Notification.Verdict.APPLIED,
            parsed={
                "distributor_credit_id": str(credit),
                "state": "Active",
                "specification": [{"amount": 1, "response_id": "r1", "error_code": 117}],
                "correction": [],
            },
        )
    own = OwnText.objects.create(
        reference="5020", title_nl="Geen achternaam", cause_nl="Leeg.\nMeestal.", remedy_nl="Bel."
    )
    compared = Job.objects.create(
        kind=Job.Kind.FETCH,
        status=Job.Status.DONE,
        title="Vergelijken met Edu-iX",
        total=2,
        finished=2,
        summary={"kinds": ["person"], "counts": {"differs": 1, "unanswered": 1}},
    )
    for number, (result, remark) in enumerate(
        (("differs", Remark("error", "conflict")), ("unanswered", Remark("error", "unreachable"))),
        start=1,
    ):
        JobRow.objects.create(
            job=compared,
            number=number,
            key=f"person:{refused.pk + number - 1}",
            original=["K1"],
            result=result,
            findings=[remark.as_json()],
        )
    Try.objects.create(
        notification=notification,
        number=1,
        tried_at=timezone.now(),
        verdict=Notification.Verdict.FAILED,
        reason="broke",
        traceback="Traceback (most recent call last)",
        next_at=timezone.now(),
    )
    account = UserFactory(is_superuser=False)
    return {
        "workbench": "/admin/",
        "work lists": "/admin/werk/?lijst=publisher&scholen=alle",
        "work item": item_url(work_items(now=timezone.now())[0].key),
        "persons": "/admin/persons/person/",
        "persons, nothing found": "/admin/persons/person/?q=zzzz",
        "person": f"/admin/persons/person/{refused.pk}/change/",
        "new person": "/admin/persons/person/add/",
        "history of a person": f"/admin/persons/person/{refused.pk}/history/",
        "delete a person": f"/admin/persons/person/{refused.pk}/delete/",
        "schools": "/admin/persons/school/",
        "school": f"/admin/persons/school/{schools[0].pk}/change/",
        "report of a school": f"/admin/scholen/{schools[1].pk}/rapport/",
        "mail to a school": f"/admin/scholen/{schools[1].pk}/rapport/mail/",
        "person credits": "/admin/credits/personcredit/",
        "person credit": f"/admin/credits/personcredit/{credit.pk}/change/",
        "status of a person credit": f"/admin/credits/personcredit/{credit.pk}/status/",
        "school credits": "/admin/credits/schoolcredit/",
        "status of a school credit": f"/admin/credits/schoolcredit/{of_school.pk}/status/",
        "give back a credit": f"/admin/credits/personcredit/{usable.pk}/return/",
        "give back licences": f"/admin/credits/schoolcredit/{of_school.pk}/return/",
        "another end date": f"/admin/credits/personcredit/{usable.pk}/end-date/",
        "returns": "/admin/credits/creditreturn/",
        "call": f"/admin/outbox/attempt/{attempt.pk}/change/",
        "notifications": "/admin/notifications/notification/",
        "refusals": "/admin/notifications/refusal/",
        "notification": f"/admin/notifications/notification/{notification.pk}/change/",
        "sending": "/admin/outbox/message/",
        "message": f"/admin/outbox/message/{message.pk}/change/",
        "differences": "/admin/afwijkingen/",
        "comparison": f"/admin/versturen/{compared.pk}/",
        "import": "/admin/importeren/",
        "explanation": "/admin/uitleg/?q=5022",
        "publishers' codes": "/admin/explanations/publishercode/",
        "unknown codes": "/admin/explanations/unknowncode/",
        "texts of our own": "/admin/explanations/owntext/",
        "text of our own": f"/admin/explanations/owntext/{own.pk}/change/",
        "settings": "/admin/beheer/",
        "is everything ready": "/admin/beheer/gereed/",
        "account": f"/admin/auth/user/{account.pk}/change/",
        "new account": "/admin/auth/user/add/",
        "group": "/admin/auth/group/add/",
        "products": "/admin/credits/product/",
        "change password": "/admin/password_change/",
        "search": "/admin/zoeken/?q=niets%20bekends%20hier",
        "not there": "/admin/nergens/",
        "app": "/admin/persons/",
    }


@pytest.fixture
def opened(chromium: Any, live_server: Any) -> Iterator[Open]:
    """A window of Chromium, signed in as somebody who may do everything."""
    contexts = []

    def open_window(*, signed_in: bool = True, **options: Any) -> Watched:
        context = chromium.new_context(
            locale="nl-NL", timezone_id="Europe/Amsterdam", reduced_motion="reduce", **options
        )
        contexts.append(context)
        if signed_in:
            client = Client()
            client.force_login(UserFactory(is_superuser=True))
            name = settings.SESSION_COOKIE_NAME
            cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
            context.add_cookies([cookie])
        return Watched(context.new_page(), live_server.url)

    yield open_window
    for context in contexts:
        context.close()


def test_no_page_keeps_anybody_out_or_breaks_the_policy(
    opened: Open, house: dict[str, str]
) -> None:
    """One visit of each page: all rules in light, and what depends on colours once more in dark."""
    window = opened(color_scheme="light", viewport=DESKTOP)
    found: list[str] = []

    for name, path in house.items():
        page = window.go(path)
        found += barriers(page, name)
        page.emulate_media(color_scheme="dark")
        found += barriers(page, f"{name}, dark", rules=["color-contrast"])
        page.emulate_media(color_scheme="light")

    assert found == []
    assert window.complaints == []


def test_a_barrier_is_found(opened: Open) -> None:
    page = opened(signed_in=False).page
    page.set_content("<p style='color: #ccc; background: #fff'>grey</p><img src='data:,'>")

    found = barriers(page, "here") + barriers(page, "once more", rules=["color-contrast"])

    for rule in ("here: image-alt", "here: color-contrast", "once more: color-contrast"):
        assert any(line.startswith(rule) for line in found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_page_keeps_nobody_out(opened: Open, scheme: str) -> None:
    window = opened(signed_in=False, color_scheme=scheme, viewport=DESKTOP)

    page = window.go("/admin/login/")
    before = barriers(page, "login")
    page.fill("#id_username", "iemand")
    page.fill("#id_password", "verkeerd")
    page.click("#login-form [type=submit]")

    assert before + barriers(page, "refused login") == []


def test_widgets_that_scripts_build_keep_to_the_policy(opened: Open, house: dict[str, str]) -> None:
    window = opened(viewport=DESKTOP)

    page = window.go(house["new person"])
    page.locator(".datetimeshortcuts a").last.click()
    assert page.locator(".calendarbox").first.is_visible()
    page.locator(".add-row a").first.click()
    page.locator(".select2-selection").last.click()
    assert page.locator(".select2-dropdown").is_visible()

    assert window.complaints == []


TOO_SMALL = """
tap => [...document.querySelectorAll(
    'button, select, summary.chip, .btn, .chip, .side a, input:not([type=hidden])'
)].filter(one => one.checkVisibility({visibilityProperty: true}))
  .filter(one => !one.closest('.selector, .select2-hidden-accessible'))
  .map(one => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.width && Math.min(box.height, box.width) < tap)
  .map(([one, box]) => `${one.tagName}.${one.className} ${box.width}x${box.height}`)
"""


def test_every_page_fits_a_phone_and_a_finger(opened: Open, house: dict[str, str]) -> None:
    window = opened(color_scheme="light", viewport=PHONE, has_touch=True)
    wider: dict[str, int] = {}
    small: dict[str, list[str]] = {}

    for name, path in house.items():
        page = window.go(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wider[name] = width
        if found := page.evaluate(TOO_SMALL, TAP):
            small[name] = found

    assert wider == {}
    assert small == {}
    assert window.complaints == []


def test_on_a_phone_a_list_is_a_pile_of_cards_with_labels(
    opened: Open, house: dict[str, str]
) -> None:
    page = opened(viewport=PHONE).go(house["persons"])

    cell = page.locator("#result_list tbody td[data-label]").first
    label = cell.evaluate("one => getComputedStyle(one, '::before').content")

    assert cell.evaluate("one => getComputedStyle(one).display") == "block"
    assert label.strip('"') == cell.get_attribute("data-label")


def test_on_a_phone_the_menu_opens_by_a_button_and_closes_again(
    opened: Open, house: dict[str, str]
) -> None:
    page = opened(viewport=PHONE).go(house["workbench"])
    button, menu = page.locator("[data-menu-button]"), page.locator("#side")

    assert not menu.is_visible()
    button.press("Enter")
    assert menu.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    assert not menu.is_visible()


def test_without_scripts_the_phone_still_has_its_menu(opened: Open, house: dict[str, str]) -> None:
    page = opened(viewport=PHONE, java_script_enabled=False).go(house["persons"])

    page.locator("[data-menu-button]").click()

    assert page.locator("#side").is_visible()


def test_the_keyboard_reaches_the_content_the_search_box_and_the_menus(
    opened: Open, house: dict[str, str]
) -> None:
    page = opened(viewport=DESKTOP).go(house["persons"])

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-to-content-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content-start"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.locator("details.who > summary").press("Enter")
    assert page.locator("#logout-form button").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#logout-form button").is_visible()


def test_the_colours_that_somebody_chose_stay(opened: Open, house: dict[str, str]) -> None:
    page = opened(color_scheme="light", viewport=DESKTOP).go(house["workbench"])
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)

    page.locator("details.who > summary").click()
    page.locator(".theme-toggle").click()
    chosen = page.evaluate(paper)
    page.reload()

    assert chosen != light
    assert page.evaluate(paper) == chosen


def test_the_bar_with_actions_stays_in_sight_while_one_chooses(
    opened: Open, house: dict[str, str]
) -> None:
    PersonFactory.create_batch(40)
    page = opened(viewport=DESKTOP).go(house["persons"])

    page.locator("input.action-select").first.check()

    box = page.locator("#changelist .actions").bounding_box()
    assert box["y"] + box["height"] <= DESKTOP["height"]
    assert "1" in page.locator(".action-counter").inner_text()


def test_english_is_one_click_away_on_the_login_page(opened: Open) -> None:
    page = opened(signed_in=False, viewport=DESKTOP).go("/admin/login/")

    page.locator("button[lang=en]").click()

    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").inner_text() == "Log in"
