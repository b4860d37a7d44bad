"""The whole road in a real browser: from a file of orders to a credit that can be used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backoffice.desk.stack import ROOT, free_port

pytestmark = pytest.mark.browser
WAIT = 90_000  # milliseconds; a shared machine may be slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The real demo, in a folder of its own."""
    var = tmp_path_factory.mktemp("road")
    env = {
        **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"},
        "BACKOFFICE_VAR": str(var),
        "BACKOFFICE_PORT": str(free_port()),
        "EDUIX_SANDBOX_PORT": str(free_port()),
    }
    command = [sys.executable, "manage.py", "demo", "--plain"]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    found = {"examples": str(var / "examples")}
    for line in process.stdout or ():
        if url := re.search(r"(http://\S+)/admin/", line):
            found["url"] = url[1]
        if password := re.search(r"^\s*accountmanager\s+(\S+)", line):
            found["password"] = password[1]
        if "Ctrl-C" in line:
            break
    yield found
    process.terminate()
    assert process.wait(timeout=40) == 0


def test_an_account_manager_walks_the_road(chromium: Any, demo: dict[str, str]) -> None:
    page = chromium.new_page(locale="nl-NL")
    page.set_default_timeout(WAIT)
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))

    log_in(page, demo)
    import_file(page, demo, "persons.csv")
    import_file(page, demo, "person-credits.csv")
    page.locator("form[action$='sturen/'] button").click()

    refused = wait_for_refused_person(page, demo)
    mend(page, refused)
    see_the_credits_follow(page, refused)

    assert wrong == []


def log_in(page: Any, demo: dict[str, str]) -> None:
    page.goto(f"{demo['url']}/admin/")
    page.fill("#id_username", "accountmanager")
    page.fill("#id_password", demo["password"])
    page.click("[type=submit]")
    page.wait_for_selector("h1")


def import_file(page: Any, demo: dict[str, str], name: str) -> None:
    page.goto(f"{demo['url']}/admin/importeren/")
    page.set_input_files("#id_file", str(Path(demo["examples"]) / name))
    page.locator("form:has(#id_file) button").click()
    page.locator("form[action$='inlezen/'] button").click()
    page.wait_for_selector("form[action$='sturen/'] button")


def wait_for_refused_person(page: Any, demo: dict[str, str]) -> str:
    """Reload the list until a refused credit's explanation stands there; the person's address."""
    for _ in range(60):
        page.goto(f"{demo['url']}/admin/persons/person/?group=attention")
        link = page.locator("#result_list a[href*='/person/'][href*='/change/']").first
        if link.count():
            return str(link.get_attribute("href")).split("?")[0].split("#")[0]
        page.wait_for_timeout(1000)
    raise AssertionError("no person was refused")


def mend(page: Any, path: str) -> None:
    page.goto(page.url.split("/admin/")[0] + path)
    assert "9999 XX" in page.input_value("#id_postal_code")
    assert page.locator(".refused-field").first.is_visible()
    page.fill("#id_postal_code", "3011 AB")
    page.click("[name=_save]")
    page.wait_for_selector(".messagelist, .success")


def see_the_credits_follow(page: Any, path: str) -> None:
    base = page.url.split("/admin/")[0]
    for _ in range(60):
        page.goto(base + path)
        words = page.inner_text("main")
        if "Geweigerd" not in words and re.search(
            "Beschikbaar|Wacht op (uitgever|prematch)", words
        ):
            return
        page.wait_for_timeout(1000)
    raise AssertionError("the credits of the mended person did not follow")
