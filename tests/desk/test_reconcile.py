"""The page of differences, the command, and the comparison of every night."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from backoffice.desk import drift
from backoffice.desk.management.commands import reconcile
from backoffice.eduix import gateway as gateways
from backoffice.eduix.gateway import Gateway
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.jobs.models import CheckRun, Drift
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import PushState, ServiceState
from credits.models import PersonCredit
from persons.comparing import cancel_run, start_run
from persons.models import Person, School
from persons.services import queue_person_push, save_person
from tests.credits.comparing.conftest import changed, credit, school
from tests.factories import PersonFactory, UserFactory
from tests.outbox.conftest import SCHOOL, gateway, gateway_for, sandbox

__all__ = ["credit", "gateway", "sandbox", "school"]

pytestmark = pytest.mark.django_db
PAGE = "/admin/afwijkingen/"


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def client() -> Client:
    made = Client()
    made.cookies["django_language"] = "en"
    made.force_login(UserFactory(groups=["Accountmanager"]))
    return made


@pytest.fixture
def drifted(credit: PersonCredit, gateway: Gateway, sandbox: SandboxServer) -> Person:
    """A person changed behind our back, and found."""
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, postalCode="9711 AA")
    start_run()
    drain_once(gateway=gateway)
    person.refresh_from_db()
    return person


@pytest.fixture
def as_default(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The command talks to this sandbox, over one thread, as the others of this process would."""
    monkeypatch.setattr(gateways, "_gateway", gateway)
    settings.EDUIX_CONNECTIONS = 0


# --- the page -----------------------------------------------------------------------------------


def test_an_empty_page_says_when_everything_was_equal(
    client: Client, credit: PersonCredit, gateway: Gateway
) -> None:
    assert "Nothing was compared yet." in client.get(PAGE).content.decode()

    start_run()
    drain_once(gateway=gateway)

    assert "Everything is equal, last compared at" in client.get(PAGE).content.decode()


def test_a_difference_stands_there_with_its_field_and_a_link(
    client: Client, drifted: Person
) -> None:
    text = client.get(PAGE).content.decode()

    assert f"/admin/vergelijken/person/{drifted.pk}/" in text
    assert "Postal code" in text
    assert "all 2 compared" in text


def test_what_was_not_answered_is_not_called_compared(client: Client) -> None:
    CheckRun.objects.create(
        scope="all", status="done", total=1, failed=1, finished_at=timezone.now()
    )

    text = client.get(PAGE).content.decode()

    assert "Everything: 0 of 1 compared. 1 was not answered." in text
    assert "Nothing was compared yet." in text


def test_a_mended_difference_disappears(client: Client, drifted: Person, gateway: Gateway) -> None:
    drifted.email = "nieuw@example.nl"
    save_person(person=drifted, push=True)
    drain_once(gateway=gateway)

    assert not drift.still_there().exists()
    assert "Everything is equal" in client.get(PAGE).content.decode()


def test_a_deleted_row_is_no_difference_any_more(drifted: Person) -> None:
    Person.objects.filter(pk=drifted.pk).update(push_state=PushState.DELETED)

    assert not drift.still_there().exists()


def test_the_file_holds_names_of_fields_and_nothing_that_calculates(
    client: Client, drifted: Person
) -> None:
    Drift.objects.update(label="=1+1")

    answer: Any = client.get(f"{PAGE}afwijkingen.csv")

    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    head, row = list(csv.reader(io.StringIO(body), delimiter=";"))
    assert head[2] == "Key"
    assert row[2] == "'=1+1"
    assert row[3] == "Postal code"
    assert "9711 AA" not in body
    assert "attachment" in answer["Content-Disposition"]


def test_the_number_of_queries_does_not_depend_on_the_differences(
    client: Client, drifted: Person
) -> None:
    def count() -> int:
        client.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        return len(queries)

    one = count()
    for person in PersonFactory.create_batch(12, push_state="in_sync"):
        Drift.objects.create(
            subject=f"person:{person.pk}",
            kind="person",
            row_id=person.pk,
            owner=f"person:{person.pk}",
            what="differs",
            columns=["surname"],
            found_at=timezone.now(),
        )

    assert count() == one


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"sample": "0"}, "must be between 1 and"),
        ({"sample": "-3"}, "must be between 1 and"),
        ({"sample": "veel"}, "must be between 1 and"),
        ({"sample": "9" * 40}, "must be between 1 and"),
        ({"school": "nergens"}, "There is no school with the ID nergens here."),
    ],
)
def test_what_cannot_be_compared_is_said_and_begins_nothing(
    client: Client, data: dict[str, str], words: str
) -> None:
    answer = client.post(f"{PAGE}vergelijken/", data)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not CheckRun.objects.exists()


def test_one_comparison_at_a_time_which_can_be_stopped(
    client: Client, credit: PersonCredit, school: School
) -> None:
    client.post(f"{PAGE}vergelijken/", {})
    run = CheckRun.objects.get()
    assert "hx-get" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}vergelijken/", {}).status_code == 422

    client.post(f"{PAGE}{run.pk}/stoppen/")

    run.refresh_from_db()
    assert run.status == CheckRun.Status.CANCELLED
    assert client.get(f"{PAGE}stand/").headers["HX-Refresh"] == "true"


def test_an_outage_is_said_on_the_page(client: Client, credit: PersonCredit) -> None:
    start_run()
    nobody = gateway_for(SandboxServer(), EDUIX_PROFILE_URL="http://127.0.0.1:9/soap")

    drain_once(gateway=nobody)

    text = client.get(f"{PAGE}stand/").content.decode()
    assert "No answer now. Edu-iX cannot be reached. It goes on" in text


def test_a_reader_sees_it_and_starts_nothing(drifted: Person) -> None:
    reader = Client()
    reader.force_login(UserFactory(groups=["Meelezer"]))

    assert reader.get(PAGE).status_code == 200
    assert reader.post(f"{PAGE}vergelijken/", {}).status_code == 403
    assert reader.get(f"{PAGE}vergelijken/").status_code == 405


def test_a_stranger_sees_nothing(db: None) -> None:
    stranger = Client()
    stranger.force_login(UserFactory())

    assert stranger.get(PAGE).status_code == 403
    assert stranger.get(f"{PAGE}afwijkingen.csv").status_code == 403


# --- the command --------------------------------------------------------------------------------


def test_the_command_names_what_differs(
    credit: PersonCredit, as_default: None, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, surname="Anders")
    output = io.StringIO()

    call_command("reconcile", stdout=output, stderr=io.StringIO())

    assert "differs" in output.getvalue()
    assert person.distributor_person_id in output.getvalue()
    assert "2 compared" in output.getvalue()


def test_the_command_speaks_json(
    credit: PersonCredit, as_default: None, sandbox: SandboxServer
) -> None:
    person = credit.school_person.person
    changed(sandbox, "person", person.distributor_person_id, surname="Anders")
    output = io.StringIO()

    call_command(
        "reconcile", "--sample", "5", "--seed", "3", "--json", stdout=output, stderr=io.StringIO()
    )

    told = json.loads(output.getvalue())
    assert (told["scope"], told["seed"], told["compared"]) == ("sample", 3, 2)
    assert {
        "what": "differs",
        "kind": "person",
        "key": person.distributor_person_id,
        "fields": ["surname"],
    } in told["differences"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--school", "nergens"], "There is no school nergens here."),
        (["--sample", "0"], "--sample must be at least 1."),
        (["--sample", "-1"], "--sample must be at least 1."),
    ],
)
def test_the_command_refuses_in_one_line(db: None, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("reconcile", *arguments)

    assert not CheckRun.objects.exists()


def test_the_command_says_that_edu_ix_is_down_and_leaves_the_run_open(
    credit: PersonCredit, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    nobody = gateway_for(
        SandboxServer(),
        EDUIX_PROFILE_URL="http://127.0.0.1:9/soap",
        EDUIX_CREDIT_URL="http://127.0.0.1:9/soap",
    )
    monkeypatch.setattr(gateways, "_gateway", nobody)
    monkeypatch.setattr(reconcile, "STEP_SECONDS", 0.1)
    settings.EDUIX_CONNECTIONS = 0

    with pytest.raises(CommandError, match="Edu-iX does not answer"):
        call_command("reconcile", "--patience", "0.3", stderr=io.StringIO())

    run = CheckRun.objects.get()
    assert run.status == CheckRun.Status.RUNNING
    assert cancel_run(run=run)


# --- every night --------------------------------------------------------------------------------

NIGHT = datetime(2026, 11, 22, 2, 30, tzinfo=ZoneInfo("Europe/Amsterdam"))


def look_at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "_looked", {})
    monkeypatch.setattr(timezone, "now", lambda: moment)
    drift.reconcile_nightly()


def test_a_sample_is_compared_once_a_night(
    credit: PersonCredit, monkeypatch: pytest.MonkeyPatch
) -> None:
    ServiceState.objects.filter(service=drift.NIGHT).delete()  # of a worker of another test
    look_at(NIGHT - timedelta(days=1), monkeypatch)  # the first look only notes the moment
    assert not CheckRun.objects.exists()

    look_at(NIGHT - timedelta(hours=3), monkeypatch)  # not night yet
    assert not CheckRun.objects.exists()

    look_at(NIGHT, monkeypatch)
    look_at(NIGHT + timedelta(minutes=30), monkeypatch)

    run = CheckRun.objects.get()
    assert (run.scope, run.total) == ("nightly", 2)
    assert ServiceState.objects.get(service="reconcile").beat_at == NIGHT


def test_a_run_over_nothing_ends(db: None, gateway: Gateway) -> None:
    run = start_run()

    drain_once(gateway=gateway)

    run.refresh_from_db()
    assert (run.status, run.total) == ("done", 0)


def test_a_person_pushed_before_is_found_by_its_own_run_only(
    credit: PersonCredit, gateway: Gateway
) -> None:
    another = PersonFactory()
    queue_person_push(person=another)
    drain_once(gateway=gateway)

    run = start_run(organisation_id=SCHOOL["organisationID"])
    drain_once(gateway=gateway)

    run.refresh_from_db()
    assert (run.total, run.answered) == (2, 2)
