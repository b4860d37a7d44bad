"""Parts that refresh themselves, in Chromium: nobody who uses them notices."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.jobs.models import CheckRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_keyboard_stays_on_a_button_that_is_refreshed(page: Any, live_server: Any) -> None:
    CheckRun.objects.create(status=CheckRun.Status.RUNNING, total=10)
    page.goto(f"{live_server.url}/admin/afwijkingen/")
    stop = page.locator("#run button")
    stop.focus()
    stop.evaluate("one => { one.dataset.old = 'yes'; }")

    page.locator("#run button:not([data-old])").wait_for(timeout=10_000)

    assert page.evaluate("document.activeElement === document.querySelector('#run button')")
