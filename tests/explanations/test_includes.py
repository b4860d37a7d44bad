"""The pieces of template that other pages include."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from backoffice.explanations import decode
from backoffice.explanations.explanation import Explanation

PAYLOAD = "<script>alert(1)</script>"
INCLUDES = ["screens/explanation.html", "explanations/_card.html"]


def rendered(name: str, explanation: Explanation, **more: object) -> str:
    with translation.override(explanation.lang):
        return render_to_string(name, {"explanation": explanation, **more})


def test_beside_a_status_the_title_comes_first_and_the_code_last() -> None:
    explanation = decode.explain_eduix(-5022, "en")

    body = rendered("screens/explanation.html", explanation)

    parts = (
        explanation.title, explanation.meaning, *explanation.causes, *explanation.steps,
        "Who: Us", explanation.passes, "code 5022",
    )  # fmt: skip
    places = [body.index(part) for part in parts]
    assert places == sorted(places)


def test_causes_and_steps_are_numbered_in_their_order() -> None:
    explanation = decode.explain_eduix(5022, "en")

    for name in INCLUDES:
        body = rendered(name, explanation)
        assert body.count("<li>") == len(explanation.causes) + len(explanation.steps)
        assert body.count("<ol") == 2


def test_a_card_offers_to_write_only_where_asked() -> None:
    explanation = decode.explain_eduix(5022, "en")

    assert "<a " not in rendered("explanations/_card.html", explanation)
    assert 'href="/x?a=1&amp;b=2"' in rendered(
        "explanations/_card.html", explanation, write_url="/x?a=1&b=2"
    )


@pytest.mark.parametrize("name", INCLUDES)
def test_html_in_a_text_stays_text(name: str) -> None:
    explanation = Explanation(
        "publisher", 117, PAYLOAD, "publisher", PAYLOAD, PAYLOAD, PAYLOAD, "uitgever", False, "nl"
    )

    body = rendered(name, explanation)

    assert "<script" not in body
    assert body.count("&lt;script&gt;") >= 3


@pytest.mark.parametrize("name", INCLUDES)
def test_a_large_code_is_written_without_separators(name: str) -> None:
    assert "code 1234567890" in rendered(name, decode.unknown_publisher_code(1234567890, "en"))
