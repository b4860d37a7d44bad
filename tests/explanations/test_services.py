"""explain() and explain_text(): one source for every place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import translation

from backoffice.eduix.rules import MESSAGES
from backoffice.explanations import texts
from backoffice.explanations.models import PublisherCode
from backoffice.explanations.services import all_explanations, explain, explain_text, language
from backoffice.outbox.models import Attempt, Message, PushState
from credits.status import CreditFacts, CreditStatus, credit_status
from notifications.models import Notification
from tests.factories import TODAY


def test_a_number_a_text_and_a_reference_give_the_same_words() -> None:
    words = explain(5022, lang="nl")

    assert explain("5022", lang="nl") == words
    assert explain("eduix:5022", lang="nl") == words
    assert explain("code 5022", lang="nl") == words
    assert explain_text("Fout 5022 van Edu-iX", lang="nl") == [words]


@pytest.mark.parametrize("service", ["eduix", "profile", "credit", "notification"])
def test_the_three_services_share_one_numbering(service: str) -> None:
    assert explain(5022, service=service, lang="nl") == explain(5022, lang="nl")


def test_the_service_decides_whose_number_it_is() -> None:
    assert explain(403, lang="nl").source == "coachview"
    assert explain(403, service="profile", lang="nl").source == "eduix"
    assert explain("waiting", service="own", lang="nl").source == "own"


def test_what_is_no_code_at_all_gets_an_answer_too() -> None:
    explanation = explain("¿que?", lang="nl")

    assert not explanation.known
    assert explanation.steps


def test_the_language_is_the_asked_one_else_that_of_the_screen_else_dutch() -> None:
    with translation.override("en"):
        assert language(None) == "en"
        assert language("nl") == "nl"
    with translation.override("fr"):
        assert language(None) == "nl"
    with translation.override("en-gb"):
        assert explain(5022).lang == "en"


def test_everything_in_one_language_is_every_documented_code_and_our_own(db: None) -> None:
    found = list(all_explanations(lang="nl"))
    numbers = [item.code for item in found if item.source == "eduix"]

    assert len(numbers) == len(set(numbers)) == 487
    assert {item.source for item in found} == {"eduix", "coachview", "anewspring", "own"}
    assert all(item.known and item.lang == "nl" for item in found)


def test_prematch_codes_come_only_when_asked_for() -> None:
    eduix = ["eduix"]

    assert len(list(all_explanations(lang="nl", sources=eduix))) == 487
    assert len(list(all_explanations(lang="nl", sources=eduix, with_elsewhere=True))) == 491


def test_what_colleagues_wrote_is_part_of_everything(db: None) -> None:
    PublisherCode.objects.create(code=117, title_nl="T", cause_nl="C.", remedy_nl="R.")

    found = [item for item in all_explanations(lang="nl") if item.source == "publisher"]

    assert [item.code for item in found] == [117]


@pytest.mark.parametrize("lang", texts.LANGUAGES)
@pytest.mark.parametrize("key", MESSAGES)
def test_every_rule_of_ours_has_words(key: str, lang: str) -> None:
    explanation = explain(f"own:{key}", lang=lang)

    assert explanation.known
    assert explanation.number is None


@pytest.mark.parametrize(
    "state",
    sorted(
        {
            *PushState.values,
            *Message.Status.values,
            *Attempt.Outcome.values,
            *(f"notification_{verdict}" for verdict in Notification.Verdict.values),
            *CreditStatus.values,
        }
    ),
)
def test_every_state_of_a_row_message_attempt_or_notification_has_words(state: str) -> None:
    assert explain(f"own:{state}", lang="nl").known


TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
SENT = CreditFacts("in_sync", YESTERDAY, TOMORROW, is_recognisable=True)
FACTS = {
    CreditStatus.NOT_SENT: replace(SENT, push_state="local_only"),
    CreditStatus.SENDING: replace(SENT, push_state="queued"),
    CreditStatus.WAITING: replace(SENT, push_state="waiting"),
    CreditStatus.REFUSED: replace(SENT, push_state="refused"),
    CreditStatus.UNCERTAIN: replace(SENT, push_state="uncertain"),
    CreditStatus.WAITING_FOR_PREMATCH: replace(SENT, is_recognisable=False),
    CreditStatus.WAITING_FOR_PUBLISHER: SENT,
    CreditStatus.PUBLISHER_FAULT: replace(SENT, specification_state="Fault"),
    CreditStatus.NOT_YET_USABLE: replace(
        SENT, specification_state="Specified", credit_start_date=TOMORROW
    ),
    CreditStatus.USABLE: replace(SENT, specification_state="Specified"),
    CreditStatus.EXPIRED: replace(SENT, credit_end_date=YESTERDAY),
    CreditStatus.RETURNED: replace(SENT, is_returned=True),
}


@pytest.mark.parametrize("status", CreditStatus)
def test_status_and_explanation_name_the_same_owner(status: CreditStatus) -> None:
    answer = credit_status(FACTS[status], TODAY)

    explanation = explain(answer.explanation, lang="nl")

    assert answer.status == status
    assert explanation.code == status.value
    assert (explanation.owner, explanation.clears_itself) == (answer.owner, answer.clears_itself)
