"""The whole road once, without a browser: `make smoke`.

Starts the real demo in a folder of its own, walks it over HTTP as an account manager would, and
checks each step against both sides: our database and the sandbox's ledger. Prints one line a
step; exit 0 only when every step really happened.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import requests  # comes with zeep; the product itself sends over http.client

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WAIT_SECONDS = 120


class Failed(Exception):
    """A step that did not happen."""


class Fields(HTMLParser):
    """The fields of the first form that posts, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self._select = ""
        self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        kind = given.get("type", "text")
        if tag == "input" and name and kind not in {"submit", "button", "file", "search"}:
            if kind not in {"checkbox", "radio"} or "checked" in given:
                self.values.append((name, given.get("value", "on" if kind == "checkbox" else "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.values.append((self._select, given.get("value", "")))
        elif tag == "textarea" and name:
            self._area = name
            self.values.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[-1] = (self._area, self.values[-1][1] + data)


class Colleague:
    """An account manager with a browser that shows no pictures."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False

    def get(self, path: str) -> str:
        answer = self.http.get(self.url + path, timeout=30)
        expect(answer.status_code == 200, f"GET {path} answered {answer.status_code}")
        return answer.text

    def post(self, path: str, data: Any, **more: Any) -> requests.Response:
        values = dict(data) if isinstance(data, dict) else list(data)
        token = self.http.cookies.get("csrftoken", "")
        if isinstance(values, dict):
            values["csrfmiddlewaretoken"] = token
        else:
            values = [v for v in values if v[0] != "csrfmiddlewaretoken"]
            values.append(("csrfmiddlewaretoken", token))
        headers = {"Referer": self.url + path}
        answer = self.http.post(self.url + path, data=values, headers=headers, timeout=60, **more)
        expect(answer.status_code == 200, f"POST {path} answered {answer.status_code}")
        return answer

    def log_in(self, user: str, password: str) -> None:
        self.get("/admin/login/")
        self.post("/admin/login/?next=/admin/", {"username": user, "password": password})
        expect("sessionid" in self.http.cookies, "the login was refused")

    def upload(self, file: Path) -> str:
        """Upload a file on the import page; returns the address of its preview."""
        self.get("/admin/importeren/")
        with file.open("rb") as stream:
            answer = self.post("/admin/importeren/", {"kind": ""}, files={"file": stream})
        return answer.url.removeprefix(self.url)


def expect(true: object, otherwise: str) -> None:
    if not true:
        raise Failed(otherwise)


def wait_until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        expect(time.monotonic() < deadline, f"{what}: not within {WAIT_SECONDS} s")
        time.sleep(0.2)


class Walk:
    """The steps; each returns the words of its line."""

    def __init__(self, colleague: Colleague, sandbox: str, examples: Path) -> None:
        self.colleague = colleague
        self.sandbox = sandbox
        self.examples = examples
        self.expected = json.loads((ROOT / "examples" / "expected.json").read_text())
        self.jobs: list[str] = []

    def ask_sandbox(self, what: str) -> Any:
        return requests.get(f"{self.sandbox}/control/{what}", timeout=10).json()

    def import_file(self, name: str) -> str:
        from backoffice.jobs.models import Job

        job = self.colleague.upload(self.examples / name)
        pk = int(re.findall(r"\d+", job)[-1])
        wait_until(
            lambda: Job.objects.get(pk=pk).status == Job.Status.PREVIEW, f"preview of {name}"
        )
        self.colleague.get(job)
        self.colleague.post(f"{job}inlezen/", {})
        wait_until(lambda: Job.objects.get(pk=pk).status == Job.Status.DONE, f"import of {name}")
        counts = Counter(Job.objects.get(pk=pk).rows.values_list("result", flat=True))
        good = sum(counts[result] for result in ("created", "changed", "unchanged"))
        facts = self.expected[name]
        expect(good == facts["good"], f"{good} rows went in, {facts['good']} should")
        expect(
            counts["refused"] == len(facts["bad"]),
            f"{counts['refused']} rows were refused, {len(facts['bad'])} should be",
        )
        self.jobs.append(job)
        return f"{good} rows in, {counts['refused']} refused, {counts['skipped']} skipped"

    def send(self) -> str:
        for job in self.jobs:
            expect("sturen/" in self.colleague.get(job), f"{job} offers no button to send")
            self.colleague.post(f"{job}sturen/", {})
        from backoffice.outbox.models import Message

        queued = Message.objects.filter(operation__endswith=".push").count()
        expect(queued > 1000, f"only {queued} messages were queued")
        return f"{queued} messages queued"

    def delivered(self) -> str:
        from backoffice.outbox.models import Message

        wait_until(lambda: not Message.objects.active().exists(), "sending")
        counts = Counter(Message.objects.values_list("status", flat=True))
        refused = Message.objects.filter(status="refused")
        codes = {abs(code or 0) for code in refused.values_list("code", flat=True)}
        expect(codes == {4967}, f"refused with {sorted(codes)}, expected 4967 only")
        expect(counts["refused"] == 3, f"{counts['refused']} refused, expected 3")
        expect(counts["waiting"] > 0, "nothing waits for the refused persons")
        ledger = self.ask_sandbox("ledger")
        rows = ledger["rows"]
        applied = Counter(row["subject"] + row["operation"] for row in rows if row["applied"])
        twice = [key for key, number in applied.items() if number > 1 and "create" in key]
        expect(not twice, f"applied twice: {twice[:3]}")
        return f"{counts['done']} accepted, {counts['refused']} refused, {counts['waiting']} wait"

    def notified(self) -> str:
        from notifications.models import Notification

        def is_quiet() -> bool:
            state = self.ask_sandbox("state")
            waiting = Notification.objects.filter(verdict="waiting").exists()
            return state["outgoing"] == 0 and state["specified"] > 600 and not waiting

        wait_until(is_quiet, "notifications")
        counts = Counter(Notification.objects.values_list("verdict", flat=True))
        expect(counts["applied"] > 600, f"only {counts['applied']} notifications were applied")
        for verdict in ("failed", "dead", "invalid"):
            expect(not counts[verdict], f"{counts[verdict]} notifications are {verdict}")
        return ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))

    def statuses(self) -> str:
        from credits.models import PersonCredit

        counts = Counter(PersonCredit.objects.values_list("status", flat=True))
        for status in ("usable", "waiting", "waiting_for_prematch", "publisher_fault"):
            expect(counts[status], f"no credit is {status}")
        page = self.colleague.get("/admin/credits/personcredit/?group=attention")
        expect('class="pill bad"' in page, "the list shows no pill")
        expect("4967" in page or "117" in page, "the list explains nothing")
        return ", ".join(f"{number} {status}" for status, number in counts.most_common())

    def mend(self) -> str:
        from credits.models import PersonCredit
        from persons.models import Person

        person = Person.objects.filter(push_state="refused").order_by("pk")[0]
        credits = PersonCredit.objects.filter(school_person__person=person)
        waiting = credits.filter(status="waiting").count()
        expect(waiting, "no credit waits for this person")
        path = f"/admin/persons/person/{person.pk}/change/"
        page = self.colleague.get(path)
        expect("4967" in page, "the form does not show what Edu-iX answered")
        form = page[page.index('id="person_form"') :]
        values = [(k, "3011 AB" if k == "postal_code" else v) for k, v in Fields(form).values]
        self.colleague.post(path, [*values, ("_save", "1")])
        wait_until(lambda: not credits.exclude(push_state="in_sync").exists(), "the mended person")
        wait_until(
            lambda: not credits.filter(status__in=["waiting", "sending", "not_sent"]).exists(),
            "the credits of the mended person",
        )
        shown = self.colleague.get(f"/admin/credits/personcredit/{credits[0].pk}/status/")
        expect("verdict" in shown, "the page of the credit gives no verdict")
        now = Counter(credits.values_list("status", flat=True))
        return f"{waiting} credits followed: " + ", ".join(f"{n} {s}" for s, n in now.items())

    def again(self) -> str:
        """The same file twice changes nothing."""
        from backoffice.jobs.models import Job

        job = self.colleague.upload(self.examples / "person-credits.csv")
        pk = int(re.findall(r"\d+", job)[-1])
        counts = Counter(Job.objects.get(pk=pk).rows.values_list("result", flat=True))
        expect(not counts["created"] and not counts["changed"], f"a second import: {counts}")
        return f"{counts['unchanged']} rows unchanged"


def main() -> int:
    from backoffice.desk.stack import free_port

    with tempfile.TemporaryDirectory(prefix="backoffice-smoke-") as folder:
        environment = {
            **os.environ,
            "BACKOFFICE_VAR": folder,
            "BACKOFFICE_PORT": str(free_port()),
            "EDUIX_SANDBOX_PORT": str(free_port()),
        }
        os.environ.update(environment)
        demo = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--plain"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            return walk(demo, Path(folder))
        except Failed as problem:
            print(f"FAILED  {problem}")
            for log in sorted((Path(folder) / "log").glob("*.log")):
                print(f"--- {log.name}")
                print("\n".join(log.read_text(errors="replace").splitlines()[-8:]))
            return 1
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=30)


def walk(demo: subprocess.Popen[str], folder: Path) -> int:
    import django

    started = last = time.monotonic()

    def done(step: str, words: str) -> None:
        nonlocal last
        now = time.monotonic()
        print(f"ok  {now - last:6.1f} s  {step}: {words}", flush=True)
        last = now

    url = sandbox = password = ""
    for line in demo.stdout or ():
        url = next(iter(re.findall(r"(http://\S+)/admin/", line)), url)
        password = next(iter(re.findall(r"^\s*accountmanager\s+(\S+)", line)), password)
        sandbox = next(iter(re.findall(r"sandbox\s+(http://\S+)", line)), sandbox)
        if "Ctrl-C" in line:
            break
    expect(url and password and sandbox, "the demo did not start")
    done("start", f"demo on {url}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    colleague = Colleague(url)
    colleague.log_in("accountmanager", password)
    colleague.get("/admin/")
    done("log in", "accountmanager sees the workbench")
    road = Walk(colleague, sandbox, folder / "examples")
    for name in ("persons.csv", "person-credits.csv", "school-credits.csv"):
        done(f"import {name}", road.import_file(name))
    for step, action in (
        ("send", road.send),
        ("answers of Edu-iX", road.delivered),
        ("notifications", road.notified),
        ("status with explanation", road.statuses),
        ("mend one refused person", road.mend),
        ("the same file again", road.again),
    ):
        done(step, action())
    print(f"ok  {time.monotonic() - started:6.1f} s  in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
