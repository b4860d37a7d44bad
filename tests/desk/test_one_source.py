"""One explanation, the same words in every place; and one of our own, written once."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from backoffice.desk.why import looks_of
from backoffice.desk.why_letter import letter_of
from backoffice.explanations import own_texts
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.models import OwnText
from backoffice.explanations.services import explain
from backoffice.outbox.models import Message, PushState
from credits.access_words import in_sentence
from persons.services import queue_person_push
from tests.factories import PersonFactory, UserFactory

pytestmark = pytest.mark.django_db

CODE = 5020  # a surname that is missing: refused by Edu-iX, and seen in a file beforehand
COLUMNS = "distributorPersonID,firstName,surname,gender,personState,postalCode,countryCode"
OURS = {
    "title_nl": "De achternaam staat er niet bij",
    "cause_nl": "Zonder naam kan niets.\nMeestal is de kolom leeg.\nSoms is het een typefout.",
    "remedy_nl": "Bel de school.\nVul de achternaam in.",
}


@pytest.fixture
def refused() -> Any:
    person = PersonFactory()
    message = queue_person_push(person=person)
    columns = {"push_state": PushState.REFUSED, "push_code": CODE}
    type(person)._default_manager.filter(pk=person.pk).update(**columns)
    Message.objects.filter(pk=message.pk).update(status=Message.Status.REFUSED, code=CODE)
    return person


def client() -> Client:
    found = Client()
    found.force_login(UserFactory(groups=["Beheerder"]))
    found.cookies[settings.LANGUAGE_COOKIE_NAME] = "nl"
    return found


def pages(person: Any) -> dict[str, str]:
    """Every page that tells about this refusal in full."""
    message = Message.objects.get(subject=f"person:{person.pk}")
    addresses = {
        "look-up": f"{reverse('admin:explain')}?q={CODE}",
        "form": reverse("admin:persons_person_change", args=[person.pk]),
        "message": reverse("admin:outbox_message_change", args=[message.pk]),
    }
    visitor = client()
    return {name: visitor.get(url).content.decode() for name, url in addresses.items()}


def lists(person: Any) -> dict[str, str]:
    """Every list that tells it in short."""
    visitor = client()
    return {
        name: visitor.get(reverse(f"admin:{name}_changelist")).content.decode()
        for name in ("persons_person", "outbox_message")
    }


def printed() -> str:
    out = io.StringIO()
    call_command("explain", str(CODE), lang="nl", stdout=out)
    return out.getvalue()


def imported(folder: Path) -> tuple[str, str]:
    """What the import prints about a row without a surname, and what the file of errors says."""
    source, errors = folder / "persons.csv", folder / "errors.csv"
    source.write_text(f"{COLUMNS}\nK900,Sanne,,F,A,1234 AB,NL\n", encoding="utf-8")
    out = io.StringIO()
    with translation.override("nl"), pytest.raises(SystemExit):
        call_command("import", "persons", str(source), errors=str(errors), stdout=out, stderr=out)
    return out.getvalue(), errors.read_text(encoding="utf-8-sig")


def told(person: Any) -> dict[str, str]:
    """What `manage.py why` says, and the letter that goes to the school."""
    out = io.StringIO()
    person.refresh_from_db()
    call_command("why", person.distributor_person_id, stdout=out)
    [look, *_others] = looks_of(person, day=timezone.localdate(), now=timezone.now())
    return {"why": out.getvalue(), "letter": letter_of(look, day=timezone.localdate())}


def parts_of(explanation: Explanation) -> tuple[str, ...]:
    return (explanation.title, explanation.meaning, *explanation.causes, *explanation.steps)


def test_title_causes_and_steps_are_the_same_on_every_page_and_on_the_command_line(
    refused: Any,
) -> None:
    explanation = explain(CODE, lang="nl")

    places = {**pages(refused), "command": printed()}

    assert len(explanation.causes) == 2
    for place, text in places.items():
        for part in parts_of(explanation):
            assert part in text, (place, part)


def test_lists_imports_files_and_letters_say_it_with_the_same_title(
    refused: Any, tmp_path: Path
) -> None:
    title = explain(CODE, lang="nl").title
    shown, errors = imported(tmp_path)

    for place, text in {**lists(refused), "import": shown, "errors": errors}.items():
        assert title in text, place
    for place, text in told(refused).items():
        assert in_sentence(title) in text, place


def test_a_text_of_our_own_is_in_all_these_places_at_once(refused: Any, tmp_path: Path) -> None:
    shipped = explain(CODE, lang="nl").title
    OwnText.objects.create(reference=str(CODE), **OURS)
    own_texts.forget_texts()  # as a fresh process
    shown, errors = imported(tmp_path)
    lines = [line for text in OURS.values() for line in text.splitlines()]

    for place, text in {**pages(refused), "command": printed()}.items():
        for line in lines:
            assert line in text, (place, line)
    for place, text in {**lists(refused), "import": shown, "errors": errors}.items():
        assert OURS["title_nl"] in text, place
        assert shipped not in text, place
    for place, text in told(refused).items():
        assert in_sentence(OURS["title_nl"]) in text, place
