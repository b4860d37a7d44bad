"""A number without a word beside it may be anybody's: Edu-iX', a publisher's, or both."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from backoffice.desk.search import answers_to
from backoffice.explanations.models import PublisherCode
from backoffice.explanations.publishers import note_unknown_code
from backoffice.explanations.recognise import Reference, references_in
from backoffice.explanations.services import explain_asked
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

FAULT = (
    "<soap:Envelope><soap:Body><soap:Fault><faultcode>soap:Client</faultcode><detail>"
    "<errorCode>5022</errorCode></detail></soap:Fault></soap:Body></soap:Envelope>"
)
NOTIFICATION = "<eckSpecification><ean>9789001234567</ean><errorCode>117</errorCode>"


def written(code: int = 117, publisher: str = "Noorderlicht") -> PublisherCode:
    return PublisherCode.objects.create(
        code=code,
        publisher=publisher,
        title_nl="De licentie is al op",
        cause_nl="De school heeft alles gebruikt.",
        remedy_nl="Bestel bij.",
    )


def page(query: str) -> str:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))
    return client.get(reverse("admin:explain"), {"q": query}).content.decode()


@pytest.mark.parametrize("asked", ["117", "code 117", "Foutcode: 117", "#117", "publisher:117"])
def test_a_publishers_code_is_found_on_the_page_by_the_command_and_by_the_search(
    asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written()

    call_command("explain", asked, lang="nl")

    assert "De licentie is al op" in capsys.readouterr().out
    shown = page(asked)
    assert "De licentie is al op" in shown
    assert "kennen we nog niet" not in shown
    titles = [answer.title for answer in answers_to(asked, UserFactory(groups=["Meelezer"]))]
    assert len(titles) == 1


def test_a_publishers_code_that_credits_carry_is_found_without_words() -> None:
    note_unknown_code(code=118, ean="9789001234567", publisher="Zuidzon")

    (found,) = explain_asked("118", lang="nl")
    shown = page("118")

    assert (found.source, found.known) == ("publisher", False)
    assert found.field == "Zuidzon · 9789001"
    assert "voor zijn code is nog geen uitleg geschreven" in shown
    assert "publishercode/add/?code=118&amp;ean_prefix=9789001&amp;publisher=Zuidzon" in shown
    assert answers_to("118", UserFactory(groups=["Meelezer"]))


def test_a_number_that_both_use_shows_both() -> None:
    written(code=5022)

    found = explain_asked("5022", lang="nl")

    assert [item.source for item in found] == ["eduix", "publisher"]


def test_words_for_one_publisher_do_not_hide_that_another_has_none() -> None:
    written(publisher="Noorderlicht")
    note_unknown_code(code=117, ean="9789999999999", publisher="Zuidzon")
    note_unknown_code(code=117, ean="9789001234567", publisher="Noorderlicht")

    found = explain_asked("117", lang="nl")

    assert [(item.known, item.field) for item in found] == [
        (True, "Noorderlicht"),
        (False, "Zuidzon · 9789999"),
    ]


def test_a_number_that_nobody_uses_says_so() -> None:
    (found,) = explain_asked("117", lang="nl")

    assert (found.source, found.known) == ("eduix", False)
    assert answers_to("117", UserFactory(groups=["Meelezer"])) == []
    with pytest.raises(CommandError):
        call_command("explain", "117", lang="nl")


def test_an_error_code_in_a_fault_is_edu_ix_and_in_a_notification_the_publishers() -> None:
    assert references_in(FAULT) == [Reference("eduix", 5022)]
    assert references_in(NOTIFICATION) == [Reference("publisher", 117, "9789001234567")]
    after = f"{FAULT} {NOTIFICATION}"
    assert references_in(after) == [
        Reference("eduix", 5022),
        Reference("publisher", 117, "9789001234567"),
    ]


@pytest.mark.parametrize("code", [5029, 5030, 5039])
def test_a_number_outside_the_list_still_tells_its_field(code: int) -> None:
    (found,) = explain_asked(str(code), lang="nl")

    assert not found.known
    assert "onbekend soort, veld = achternaam" in found.cause


def test_a_long_paste_in_the_short_field_is_read_whole() -> None:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))
    pasted = f"{'Beste collega, ' * 40} de melding was <code>5022</code>"
    assert len(pasted) > 200

    form = client.get(reverse("admin:explain")).content.decode()
    answer = client.post(reverse("admin:explain"), {"q": pasted})

    assert "maxlength" not in form.partition('id="explain-query"')[2].partition(">")[0]
    assert "De achternaam is te lang" in answer.content.decode()


def test_a_code_gets_an_address_of_its_own_and_other_words_do_not() -> None:
    client = Client()
    client.force_login(UserFactory(groups=["Accountmanager"]))

    code = client.post(reverse("admin:explain"), {"q": "5022"})
    words = client.post(reverse("admin:explain"), {"q": "postcode van Sanne"})

    assert code.status_code == 302
    assert code["Location"] == "/admin/uitleg/?q=5022"
    assert words.status_code == 200
