"""Each code with its button, in Chromium: the explanation stands there, the button mends it.

The server is a real one, the partner the sandbox over a real socket; between the press and the
look, the outbox is drained as the worker does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from backoffice.eduix.gateway import Gateway
from backoffice.explanations.models import OwnText, PublisherCode, UnknownCode
from backoffice.explanations.publishers import note_unknown_code
from backoffice.explanations.services import explain
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Message, PushState, ServiceState
from backoffice.outbox.stops import SERVICE
from credits.models import PersonCredit
from credits.services import queue_credit_push, refresh_statuses
from notifications.models import Notification
from persons.models import Person
from persons.services import queue_person_push
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
)
from tests.notifications.rows import prematch
from tests.outbox.conftest import SCHOOL, gateway, sandbox

__all__ = ["gateway", "sandbox"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WAIT = 30_000  # milliseconds; a shared machine may be slow


@pytest.fixture
def page(page: Any) -> Any:
    page.set_default_timeout(WAIT)
    return page


Rows = Any
Look = Callable[[Any, Rows], None]


@dataclass(frozen=True)
class Story:
    """A code or state, how it comes about, where it is read, what is pressed and what follows."""

    reference: str
    make: Callable[[Gateway], Rows]
    path: Callable[[Rows], str]
    press: str  # a selector: what is written on it depends on the language
    then: Look
    fill: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.reference


def person_path(row: Any) -> str:
    return f"/admin/persons/person/{row.pk}/change/"


def place_path(row: Any) -> str:
    return f"/admin/persons/schoolperson/{row.pk}/change/"


def credit_path(row: Any) -> str:
    return f"/admin/credits/personcredit/{row.pk}/status/"


def put(row: Any, **columns: Any) -> Any:
    rows = type(row)._default_manager.filter(pk=row.pk)
    rows.update(**columns)
    if isinstance(row, PersonCredit):
        refresh_statuses(rows)
    row.refresh_from_db()
    return row


def school() -> Any:
    return SchoolFactory(organisation_id=SCHOOL["organisationID"])


def credit(**columns: Any) -> Any:
    made = PersonCreditFactory(school_person__school=school())
    return put(made, **columns) if columns else made


def sent_credit(gateway: Gateway, **columns: Any) -> Any:
    made = credit()
    queue_credit_push(credit=made)
    drain_once(gateway=gateway)
    return put(made, **columns)


def refused_person(gateway: Gateway, **wrong: Any) -> Any:
    """A person that the sandbox itself refuses."""
    person = PersonFactory(**wrong)
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    person.refresh_from_db()
    assert person.push_state == PushState.REFUSED
    return person


def told_refused(row: Any, code: int) -> Any:
    return put(row, push_state=PushState.REFUSED, push_code=code)


def at(pattern: str) -> Look:
    """The button led to this address."""

    def look(page: Any, row: Any) -> None:
        assert re.search(pattern, page.url), page.url
        assert page.locator("h1").first.is_visible()

    return look


def in_sync(page: Any, row: Any) -> None:
    row.refresh_from_db()
    assert row.push_state == PushState.IN_SYNC


def asked(page: Any, row: Any) -> None:
    operations = set(Message.objects.values_list("operation", flat=True))
    assert {name for name in operations if name.endswith((".fetch", ".check"))}
    assert not Message.objects.filter(status=Message.Status.QUEUED).exists()


def runs_again(page: Any, row: Any) -> None:
    assert not ServiceState.objects.filter(stopped_at__isnull=False).exists()


def copied(*parts: str) -> Look:
    """The text for somebody else stands open, complete."""

    def look(page: Any, row: Any) -> None:
        text = page.locator("pre.envelope[id^=copy-]").first
        assert text.is_visible()
        for part in parts:
            assert part in text.inner_text()

    return look


def conflict(gateway: Gateway) -> Any:
    """Another person at Edu-iX under the same number."""
    person = PersonFactory(surname="Jansen")
    queue_person_push(person=person)
    drain_once(gateway=gateway)
    return put(person, surname="Pietersen", registered_at=None, push_state=PushState.CONFLICT)


def stopped(gateway: Gateway) -> Any:
    person = told_refused(PersonFactory(), 2228)
    ServiceState.objects.update_or_create(
        service=SERVICE, defaults={"stopped_at": timezone.now(), "code": 2228}
    )
    return person


def waiting(gateway: Gateway) -> Any:
    """A credit behind a person that the sandbox refuses."""
    made = PersonCreditFactory(
        school_person__school=school(), school_person__person=PersonFactory(postal_code="9999 XX")
    )
    queue_credit_push(credit=made)
    drain_once(gateway=gateway)
    made.refresh_from_db()
    return made


def dead(gateway: Gateway) -> Any:
    person = PersonFactory(user_id="")
    row = prematch(person.distributor_person_id, "elo-77")
    return put(row, verdict=Notification.Verdict.DEAD)


def replayed(page: Any, row: Any) -> None:
    row.refresh_from_db()
    assert row.verdict == Notification.Verdict.APPLIED
    assert Person.objects.get().user_id == "elo-77"


def notification_path(row: Any) -> str:
    return f"/admin/notifications/notification/{row.pk}/change/"


def fault(code: int | None) -> Callable[[Gateway], Any]:
    return lambda gateway: sent_credit(
        gateway, specification_state="Fault", publisher_error_code=code
    )


PUSH = "form[action*='/doen/push/'] button"
FETCH = "form[action*='/doen/fetch/'] button"
TEXT = "summary.btn"

STORIES = [
    Story("4967", lambda g: refused_person(g, postal_code="9999 XX"), person_path,
          "input[name=_push]", in_sync, fill=("#id_postal_code", "1234 AB")),
    Story("5022", lambda g: told_refused(PersonFactory(), 5022), person_path,
          ".why a.btn[href$='#id_surname']", at(r"#id_surname$")),
    Story("7367", lambda g: told_refused(PersonFactory(), 7367), person_path, PUSH, in_sync),
    Story("5007", lambda g: told_refused(sent_credit(g).school_person.person, 5007), person_path,
          FETCH, asked),
    Story("7447", lambda g: told_refused(SchoolPersonFactory(school=school()), 7447), place_path,
          PUSH, in_sync),
    Story("6707", lambda g: told_refused(SchoolPersonFactory(), 6707), place_path,
          ".why a.btn[href*='/persons/person/']", at(r"/admin/persons/person/\d+/change/")),
    Story("6727", lambda g: told_refused(SchoolPersonFactory(), 6727), place_path,
          ".why a.btn[href$='#id_school']", at(r"#id_school$")),
    Story("4846", lambda g: told_refused(PersonFactory(email="gezin@example.nl"), 4846),
          person_path, ".why a.btn[href*='?q=']", at(r"/admin/persons/person/\?q=gezin")),
    Story("7342", lambda g: told_refused(sent_credit(g).school_person.person, 7342), person_path,
          ".why a.btn[href*='rename']", at(r"/rename/|person_rename/")),
    Story("5087", lambda g: told_refused(credit(), 5087), credit_path,
          ".why a.btn[href*='/persons/person/']", at(r"/admin/persons/person/\d+/change/")),
    Story("5128", lambda g: told_refused(sent_credit(g), 5128), credit_path,
          "a.btn[href*='/return/']", at(r"/personcredit/\d+/return/")),
    Story("5967", lambda g: told_refused(sent_credit(g), 5967), credit_path,
          "form[action*='fetch'] button", asked),
    Story("own:not_sent", lambda g: credit(), credit_path,
          "form[action$='/status/push/'] button", in_sync),
    Story("own:conflict", conflict, person_path, ".why a.btn[href*='/vergelijken/']",
          at(r"/admin/vergelijken/person/\d+/")),
    Story("own:waiting_for_prematch", lambda g: sent_credit(g), credit_path,
          ".why a.btn[href$='#id_contact_email']", at(r"/persons/school/\d+/change/#id_contact")),
    Story("own:publisher_fault", fault(None), credit_path, TEXT, copied("EAN: ")),
    Story("publisher:117", fault(117), credit_path, "a.btn[href*='/publishercode/add/']",
          at(r"/publishercode/add/\?code=117")),
    Story("own:expired", lambda g: sent_credit(
        g, specification_state="Specified", credit_start_date="2020-08-01",
        credit_end_date="2021-07-31"), credit_path, "a.btn[href*='/end-date/']", at("/end-date/")),
    Story("own:returned", lambda g: sent_credit(g, person_product_state="Returned"), credit_path,
          ".why a.btn[href*='/personcredit/add/']", at(r"/personcredit/add/\?ean=")),
    Story("2228", stopped, person_path, "form[action$='/weer-sturen/'] button", runs_again),
    Story("9", lambda g: put(refused_person(g, postal_code="9999 XX"), push_code=9), person_path,
          TEXT, copied("createPerson")),
    Story("own:waiting", waiting, credit_path, "a.btn[href$='#id_postal_code']",
          at(r"#id_postal_code$")),
    Story("own:notification_dead", dead, notification_path,
          "form:has(input[value=apply_again]) button", replayed),
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_the_button_beside_the_explanation_mends_it(
    page: Any, live_server: Any, gateway: Gateway, story: Story
) -> None:
    row = story.make(gateway)
    page.goto(live_server.url + story.path(row))
    if story.reference != "own:waiting":  # that one tells the cause it waits for
        assert explain(story.reference, lang="nl").title in page.inner_text("main")

    if story.fill is not None:
        page.fill(*story.fill)
    page.locator(story.press).first.click()
    page.wait_for_load_state("load")
    drain_once(gateway=gateway)

    story.then(page, row)


def test_a_code_of_a_publisher_is_written_once_and_stands_with_every_credit(
    page: Any, live_server: Any, gateway: Gateway
) -> None:
    first = fault(117)(gateway)
    second = put(PersonCreditFactory(ean=first.ean), push_state=PushState.IN_SYNC,
                 specification_state="Fault", publisher_error_code=117)  # fmt: skip
    note_unknown_code(code=117, ean=first.ean)
    note_unknown_code(code=117, ean=first.ean)
    page.goto(f"{live_server.url}/admin/explanations/unknowncode/")
    assert "2" in page.locator("#result_list .field-count").inner_text()

    page.locator("#result_list .btn").first.click()
    page.fill("#id_title_nl", "De licentie is op")
    page.fill("#id_cause_nl", "De school heeft alles gebruikt.")
    page.fill("#id_remedy_nl", "Bestel bij.")
    page.click("input[name=_save]")

    for row in (first, second):
        page.goto(live_server.url + credit_path(row))
        assert "De licentie is op" in page.inner_text("main")
    assert not UnknownCode.objects.exists()
    assert PublisherCode.objects.count() == 1


def test_a_number_of_edu_ix_is_written_once_and_stands_with_every_row(
    page: Any, live_server: Any, gateway: Gateway
) -> None:
    rows = [told_refused(PersonFactory(), 2041), told_refused(PersonFactory(), -2041)]
    note_unknown_code(code=2041, source=UnknownCode.Source.EDUIX)
    page.goto(f"{live_server.url}/admin/explanations/unknowncode/")

    page.locator("#result_list .btn").first.click()
    page.fill("#id_title_nl", "Edu-iX kent de school van deze aanvraag niet")
    page.fill("#id_cause_nl", "De school is nieuw.\nMeestal duurt het een dag.")
    page.fill("#id_remedy_nl", "Wacht een dag.")
    page.click("input[name=_save]")

    for row in rows:
        page.goto(live_server.url + person_path(row))
        text = page.inner_text("main")
        assert "Edu-iX kent de school van deze aanvraag niet" in text
        assert "Meestal duurt het een dag." in text
    assert OwnText.objects.get().reference == "2041"
    assert not UnknownCode.objects.exists()
