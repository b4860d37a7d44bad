"""The log of calls."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from backoffice.eduix.gateway import Gateway
from backoffice.outbox.again import take_back
from backoffice.outbox.calls import done_words, indented, tries_of
from backoffice.outbox.drains import drain_once
from backoffice.outbox.models import Attempt
from backoffice.screens.admin import cells_of
from persons.models import School
from persons.services import queue_person_push, queue_school_fetch
from tests.factories import PersonFactory, UserFactory
from tests.outbox.admin.conftest import ATTEMPTS, MESSAGES
from tests.outbox.conftest import SCHOOL

pytestmark = pytest.mark.django_db


def test_a_refused_call_is_shown_with_all_that_edu_ix_would_ask(
    manager: Client, school: School, gateway: Gateway
) -> None:
    person = PersonFactory(postal_code="9999 XX", surname="Zandvliet")
    message = queue_person_push(person=person)
    drain_once(gateway=gateway)
    attempt = Attempt.objects.get()

    page = manager.get(f"{ATTEMPTS}{attempt.pk}/change/").content.decode()
    [shown] = tries_of([attempt], "profile")
    refused = shown.calls[-1]

    assert refused.operation == "createPerson"
    assert refused.code in ("-4967", "+4967")
    assert refused.explanation is not None
    assert refused.status
    assert refused.milliseconds
    for part in ("createPerson", refused.code, refused.explanation.title, "tabindex", "copy.js"):
        assert part in page, part
    text = shown.for_edu_ix
    assert f"{message.pk}/{attempt.fence}" in text
    assert refused.code in text
    assert "profile" in text
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", text)
    assert str(settings.EDUIX_DISTRIBUTOR_ID) in text
    assert "<soap" in text or "Envelope" in text
    for secret in ("Zandvliet", person.email, "2012-03-04"):
        assert secret not in text
        assert secret not in page


def test_envelopes_are_shown_an_element_a_line() -> None:
    assert indented("<a><b>1</b><c/><d><e> x </e></d></a>").splitlines() == [
        "<a>",
        "  <b>1</b>",
        "  <c/>",
        "  <d>",
        "    <e> x </e>",
        "  </d>",
        "</a>",
    ]


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("", ""),
        ("no xml at all", "no xml at all"),
        ("<a><b>cut o", "<a>\n  <b>cut o"),
        ("<a><b>1</b><c", "<a>\n  <b>1</b>\n  <c"),
        ("<?xml version='1.0'?><a/>", "<?xml version='1.0'?>\n<a/>"),
        ("<a><!-- > --><b/></a>", "<a>\n  <!-- > -->\n  <b/>\n</a>"),
        ("<a><![CDATA[<x>]]></a>", "<a><![CDATA[<x>]]></a>"),
        ("</b></a>", "</b>\n</a>"),
    ],
)
def test_what_was_kept_is_shown_whole_whatever_it_is(kept: str, shown: str) -> None:
    assert indented(kept) == shown


def test_a_message_that_is_done_counts_its_tries(manager: Client, gateway: Gateway) -> None:
    message = queue_person_push(person=PersonFactory())
    drain_once(gateway=gateway)

    response = manager.get(f"{MESSAGES}{message.pk}/change/")
    listed = manager.get(MESSAGES).context["cl"].result_list[0]

    assert response.context["number_of_tries"] == 1
    assert cells_of(listed)["tries"] == 1
    assert "person.push" not in response.content.decode().split("</h1>")[1]


@pytest.mark.parametrize(
    ("organisation", "words"), [(SCHOOL["organisationID"], "nothing"), ("nowhere", "not know")]
)
def test_a_question_never_says_that_edu_ix_accepted_it(
    gateway: Gateway, organisation: str, words: str
) -> None:
    message = queue_school_fetch(organisation_id=organisation)
    drain_once(gateway=gateway)

    with translation.override("en"):
        shown = done_words(message.operation, tries_of(Attempt.objects.all(), "profile")[0])

    assert words in shown.lower()
    assert "accepted" not in shown


def test_a_message_that_was_taken_back_does_not_go_by_itself(manager: Client) -> None:
    message = queue_person_push(person=PersonFactory())
    assert take_back(message=message)

    with translation.override("en"):
        page = Client(headers={"accept-language": "en"})
        page.force_login(UserFactory(groups=["Meelezer"]))
        shown = page.get(f"{MESSAGES}{message.pk}/change/").content.decode()

    assert "by itself" not in shown.split("</h1>")[1]
