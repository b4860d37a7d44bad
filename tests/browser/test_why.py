"""Every pupil of `examples/scenarios.json`: the page names the cause, its button mends it.

The real demo runs: sandbox, sender, web server and door are processes of their own; one browser
walks along. What is pressed really happens at the sandbox, and the page turns by itself.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from backoffice.desk.stack import ROOT, free_port
from tests.browser.barriers import barriers

pytestmark = pytest.mark.browser
WAIT = 30_000  # milliseconds; a shared machine may be slow

ALL_JSON = """
import io, json, django
django.setup()
from django.core.management import call_command
for story in json.load(open("examples/scenarios.json")):
    out = io.StringIO()
    asked = (story["person"], "--ean", story["ean"], "--date", story["date"])
    call_command("why", *asked, "--json", stdout=out)
    print(json.dumps([story["name"], json.loads(out.getvalue())]))
"""


class Demo:
    """The running demo with its stories, and a browser signed in to it."""

    def __init__(self, page: Any, found: dict[str, str], var: Path) -> None:
        self.page, self.url, self.var = page, found["url"], var
        self.sandbox_port = int(found["sandbox"].rpartition(":")[2])
        told = json.loads((var / "examples" / "scenarios.json").read_text())
        self.stories = {story["name"]: story for story in told}
        self.told: dict[str, Any] = {}
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def control(self, name: str, order: dict[str, Any] | None = None) -> Any:
        """Look into the sandbox, or make something happen there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=10)
        if order is None:
            connection.request("GET", f"/control/{name}")
        else:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/control/{name}", json.dumps(order), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, told
        return told

    def calls(self, operation: str, key: str) -> int:
        """How many calls about this key the sandbox has applied."""
        ledger = self.control(f"ledger?operation={operation}&applied=true")["rows"]
        return sum(key in row["subject"] for row in ledger)

    def look(self, name: str, school: str = "") -> None:
        """Ask about this story as a colleague on the phone does."""
        story = self.stories[name]
        self.page.goto(f"{self.url}/admin/waarom/")
        self.page.fill("#id_wie", story["person"])
        self.page.fill("#id_boek", story["ean"])
        self.page.fill("#id_school", school)
        self.page.click(".why-form button")
        self.page.wait_for_selector("#live")

    def verdict(self) -> str:
        return str(self.page.locator("#live").get_attribute("data-verdict"))

    def press(self, do: str) -> None:
        """Press the button of the verdict that does this."""
        form = self.page.locator(f".verdict form:has(input[name=doen][value={do}])")
        form.locator("button").click()
        self.page.wait_for_selector(".messagelist, #live")

    def turns(self, verdict: str) -> None:
        """Without touching it, the page comes to say this."""
        self.page.wait_for_selector(f'#live[data-verdict="{verdict}"]')

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Let what hangs for its own story hang on: to resume hurries all that got no answer."""
        far = "status = 'queued' AND due_at > datetime('now', '+1 hour')"
        self._change(f"UPDATE outbox_message SET code = 1 WHERE code IS NULL AND {far}")  # noqa: S608
        yield
        self._change(f"UPDATE outbox_message SET code = NULL WHERE code = 1 AND {far}")  # noqa: S608

    def _change(self, statement: str) -> None:
        with closing(sqlite3.connect(self.var / "db.sqlite3", timeout=20)) as database, database:
            database.execute(statement)

    def main_link(self) -> None:
        self.page.locator(".verdict a.btn.main").click()

    def save(self, button: str = "_save") -> None:
        self.page.click(f"[name={button}]")
        self.page.wait_for_selector(".messagelist")


@pytest.fixture(scope="module")
def demo(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    var = tmp_path_factory.mktemp("why")
    env = {
        **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"},
        "BACKOFFICE_VAR": str(var),
        "BACKOFFICE_PORT": str(free_port()),
        "EDUIX_SANDBOX_PORT": str(free_port()),
    }
    command = [sys.executable, "manage.py", "demo"]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    found: dict[str, str] = {}
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        for name, pattern in (
            ("url", r"(http://\S+)/admin/"),
            ("password", r"^\s*accountmanager\s+(\S+)"),
            ("sandbox", r"sandbox\s+(http://\S+)"),
        ):
            if match := re.search(pattern, line):
                found[name] = match[1]
        if "are ready" in line or "not complete" in line:
            break
    assert "are ready" in said[-1], "".join(said[-5:])
    page = chromium.new_page(locale="nl-NL")
    page.goto(f"{found['url']}/admin/")
    page.fill("#id_username", "accountmanager")
    page.fill("#id_password", found["password"])
    page.click("[type=submit]")
    page.wait_for_selector("h1")
    walked = Demo(page, found, var)
    walked.told = told_by_command(walked)
    yield walked
    page.close()
    process.terminate()
    assert process.wait(timeout=40) == 0
    assert walked.complaints == []


def told_by_command(demo: Demo) -> dict[str, Any]:
    """What `manage.py why --json` says about each story, before any is mended."""
    environment = {
        **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"},
        "BACKOFFICE_VAR": str(demo.var),
        "EDUIX_SANDBOX_PORT": str(demo.sandbox_port),
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
    }
    script = ALL_JSON.replace("examples/", f"{demo.var}/examples/")
    told = subprocess.run(  # noqa: S603  our own interpreter and arguments
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return dict(json.loads(line) for line in told.stdout.splitlines())


def test_the_command_names_the_cause_of_each(demo: Demo) -> None:
    wanted = {name: (story["verdict"], story["action"]) for name, story in demo.stories.items()}
    found = {name: (one["verdict"], one["action"]) for name, one in demo.told.items()}
    wanted["login refused"] = ("all_fine", "")  # its own test breaks it

    assert len(wanted) >= 18
    assert found == wanted
    for name, one in demo.told.items():
        assert demo.stories[name]["person"] not in one["sentence"]
        assert one["owner"]


@pytest.mark.parametrize(
    ("name", "do", "operation"),
    [
        ("not sent", "push", "createPersonCredit"),
        ("at another school", "new_credit", "createPersonCredit"),
        ("credit missing", "new_credit", "createPersonCredit"),
        ("credit returned", "new_credit", "createPersonCredit"),
        ("wrong school year", "set_school_year", "updatePersonCredit"),
        ("not started", "start_today", "updatePersonCredit"),
        ("expired", "extend", "updatePersonCredit"),
        ("our queue stuck", "send_now", "updatePersonCredit"),
    ],
)
def test_one_press_mends_it_and_the_page_turns_green(
    demo: Demo, name: str, do: str, operation: str
) -> None:
    before = len(demo.control(f"ledger?operation={operation}&applied=true")["rows"])
    demo.look(name)
    assert demo.verdict() == demo.stories[name]["verdict"]

    demo.press(do)
    demo.turns("all_fine")

    assert len(demo.control(f"ledger?operation={operation}&applied=true")["rows"]) == before + 1
    assert demo.page.locator('[data-state="ok"]').count() == 9


def test_a_refused_field_is_mended_in_the_form(demo: Demo) -> None:
    demo.look("refused for a field")
    assert demo.verdict() == "person_refused"
    demo.main_link()

    demo.page.fill("#id_postal_code", "3011 AB")
    demo.save()
    demo.look("refused for a field")
    demo.turns("all_fine")

    assert demo.calls("createPerson", "D1002") == 1


def test_a_person_without_a_school_gets_one_and_then_the_book(demo: Demo) -> None:
    demo.look("schoolperson missing", school="Het Baken College")
    assert demo.verdict() == "school_person_missing"

    demo.press("link_school")
    demo.turns("credit_missing")
    demo.press("new_credit")
    demo.turns("all_fine")

    assert demo.calls("createSchoolperson", "D1003") == 1


@pytest.mark.parametrize("name", ["prematch never done", "prematch undone yesterday"])
def test_the_school_makes_the_link_and_the_page_turns_green(demo: Demo, name: str) -> None:
    story = demo.stories[name]
    demo.look(name)
    assert demo.verdict() == story["verdict"]
    assert demo.page.locator(".verdict .owner").inner_text().lower().count("school")

    demo.press("fetch")  # Edu-iX knows of no link either
    assert demo.verdict() == story["verdict"]
    demo.control("link", {"distributorPersonID": story["person"]})
    demo.turns("all_fine")


def test_a_publisher_is_asked_again_and_refuses_again(demo: Demo) -> None:
    name = "publisher refused with a known code"
    before = demo.calls("updatePersonCredit", "D1012")
    demo.look(name)
    assert demo.verdict() == "publisher_fault"

    demo.press("push")
    demo.page.wait_for_function("document.querySelector('#live').dataset.verdict !== 'x'")
    demo.turns("publisher_fault")

    for _ in range(100):
        if demo.calls("updatePersonCredit", "D1012") == before + 1:
            break
        demo.page.wait_for_timeout(100)
    assert demo.calls("updatePersonCredit", "D1012") == before + 1


def test_an_unknown_code_is_explained_once_and_shown_here(demo: Demo) -> None:
    name = "publisher refused with an unknown code"
    demo.look(name)
    assert demo.verdict() == "publisher_fault_unknown"
    demo.main_link()

    demo.page.fill("#id_title_nl", "De licentie is bij de uitgever uitverkocht")
    demo.page.fill("#id_cause_nl", "De oplage is op.")
    demo.page.fill("#id_remedy_nl", "Bestel de nieuwe druk.")
    demo.save()
    demo.look(name)

    assert demo.verdict() == "publisher_fault"
    assert "de licentie is bij de uitgever uitverkocht" in demo.page.inner_text(".verdict")


def test_a_silent_publisher_is_asked_anew_and_the_page_waits(demo: Demo) -> None:
    demo.look("publisher silent")
    assert demo.verdict() == "publisher_silent"

    demo.press("push")
    demo.turns("waiting_for_publisher")

    assert demo.calls("updatePersonCredit", "D1014") == 1


def test_two_accounts_become_one_and_the_book_moves_along(demo: Demo) -> None:
    demo.look("duplicate person holds it")
    assert demo.verdict() == "duplicate_holds_it"
    address = demo.page.url
    demo.main_link()

    pk = re.search(r"/waarom/(\d+)/", address)
    assert pk is not None
    demo.page.check(f"[name=keep][value='{pk[1]}']")
    demo.page.fill("[name=reason]", "Dezelfde leerling")
    demo.page.locator("main form[method=post] button[type=submit]").last.click()
    demo.page.wait_for_load_state("load")
    confirm = demo.page.locator("main form[method=post] button.main")
    if confirm.count():
        confirm.first.click()
        demo.page.wait_for_load_state("load")
    demo.page.goto(address)
    for _ in range(60):
        if demo.verdict() == "all_fine":
            break
        demo.page.wait_for_timeout(500)
        demo.page.goto(address)

    assert demo.verdict() == "all_fine"
    assert demo.control("ledger?operation=mergePerson&applied=true")["count"] == 1


def test_more_licences_for_the_school_are_entered_and_sent(demo: Demo) -> None:
    demo.look("school credit with nothing left")
    assert demo.verdict() == "school_credit_empty"
    address = demo.page.url
    demo.main_link()

    demo.page.fill("#id_amount", "10")
    demo.save("_push")
    demo.page.goto(address)
    demo.turns("all_fine")

    assert demo.calls("updateSchoolCredit", "D1018-S") == 1


def test_what_is_in_order_is_told_with_its_proof(demo: Demo) -> None:
    demo.look("nothing wrong")
    assert demo.verdict() == "all_fine"

    demo.page.locator("[data-copy]").click()
    demo.page.locator("a[href*='/bewijs/']").click()
    demo.page.wait_for_selector("main tbody tr")

    assert demo.page.locator("main tbody tr").count() == 9
    assert demo.page.locator("[name=doen]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_keep_nobody_out_and_fit_a_phone(demo: Demo, scheme: str) -> None:
    demo.look("nothing wrong")
    answer, start = demo.page.url, f"{demo.url}/admin/waarom/"
    proof = answer.replace("/?", "/bewijs/?")
    demo.page.emulate_media(color_scheme=scheme)
    found, wide = [], []
    for address in (start, answer, proof):
        demo.page.goto(address)
        found += barriers(demo.page, address)
        demo.page.set_viewport_size({"width": 360, "height": 780})
        wide.append(demo.page.evaluate("document.documentElement.scrollWidth"))
        demo.page.set_viewport_size({"width": 1280, "height": 800})
    demo.page.emulate_media(color_scheme="light")

    assert found == []
    assert max(wide) <= 360


def test_a_refused_login_is_tried_again_in_one_press(demo: Demo) -> None:
    """Meanwhile nothing else is sent; it ends as it began."""
    refused = {"kind": "fault", "operation": "login", "code": 2, "times": 3}
    demo.control("expire-sessions", {})
    demo.control("troubles", refused)
    demo.look("login refused")
    person = re.search(r"/waarom/(\d+)/", demo.page.url)
    assert person is not None
    address = demo.page.url
    demo.page.goto(f"{demo.url}/admin/persons/person/{person[1]}/change/")
    demo.page.fill("#id_house_number", "14")
    demo.save("_push")
    demo.page.goto(address)
    demo.turns("login_refused")

    with demo.held_up():
        demo.press("resume")
        demo.turns("all_fine")

    assert demo.calls("updatePerson", "D1017") == 1
