"""The wizards of persons in Chromium: readable for everybody, on a phone, by keyboard too."""

from __future__ import annotations

import pytest

from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from persons.models import PersonChange
from tests.browser.barriers import barriers
from tests.browser.test_look import DESKTOP, PHONE, TAP, TOO_SMALL, Open, opened
from tests.outbox.conftest import gateway, sandbox
from tests.persons.given import known_credit, known_person, rename, send

__all__ = ["gateway", "opened", "sandbox"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def house(gateway: Gateway, sandbox: SandboxServer) -> dict[str, str]:
    """A page of each wizard, and a request that was refused."""
    credit = known_credit(gateway)
    person, place = credit.school_person.person, credit.school_person
    other = known_person(gateway)
    long = known_person(gateway, distributor_person_id="K" * 24)
    refused = rename(known_person(gateway), "NIEUW")
    sandbox.control.trouble("fault", "updatePersonID", code=7328)
    send(gateway, refused)
    persons, places = "/admin/persons/person", "/admin/persons/schoolperson"
    return {
        "search": f"{persons}/{person.pk}/merge/",
        "merge": f"{persons}/{person.pk}/merge/?other={other.pk}",
        "rename": f"{persons}/{person.pk}/rename/",
        "too long": f"{persons}/{long.pk}/rename/",
        "delete": f"{persons}/{person.pk}/remove/",
        "move": f"{places}/{place.pk}/move/",
        "requests": "/admin/persons/personchange/",
        "refused": f"/admin/persons/personchange/{refused.pk}/change/",
        "person": f"{persons}/{refused.person_id}/change/",
        "not allowed": "/admin/weer-sturen/",
    }


def test_no_wizard_keeps_anybody_out(opened: Open, house: dict[str, str]) -> None:
    """One visit: all rules in light, colours once more in dark, sizes on a phone."""
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


def test_every_wizard_fits_a_phone_and_a_finger(opened: Open, house: dict[str, str]) -> None:
    window = opened(color_scheme="light", viewport=PHONE, has_touch=True)
    found: list[str] = []

    for name, path in house.items():
        page = window.go(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{name} is {width} wide"] if width > PHONE["width"] else []
        found += [f"{name}: {small}" for small in page.evaluate(TOO_SMALL, TAP)]

    assert found == []
    assert window.complaints == []


def test_a_merge_is_asked_by_keyboard_and_its_page_turns_green_by_itself(
    opened: Open, house: dict[str, str], gateway: Gateway
) -> None:
    page = opened(viewport=DESKTOP).go(house["merge"])

    page.focus("#id_reason")
    page.keyboard.type("Twee keer ingevoerd")
    page.keyboard.press("Enter")
    page.locator("code", has_text="mergePerson").wait_for()
    page.focus("button[name=_yes]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict.wait")
    send(gateway)

    page.wait_for_selector(".verdict.ok")
    assert PersonChange.objects.get(kind="merge").applied_at is not None
