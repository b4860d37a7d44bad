"""Simple rules that keep the words readable for somebody without technical training."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from backoffice.explanations import texts
from backoffice.explanations.explanation import OWNERS, Explanation
from backoffice.explanations.services import all_explanations

LONGEST_TITLE = 100
LONGEST_SENTENCE_WORDS = 35
HAND_WRITTEN_WITH_CAUSES = 60

JARGON = re.compile(
    r"\b(xml|soap|xsd|wsdl|json|csv|http\w*|api|string|integer|boolean|request|response|null|"
    r"endpoint|header|payload|timeout|exception|parameter|enum|regex|server|token|query|tag|node|"
    r"attribuut|attribute|choice|element)\b",
    re.IGNORECASE,
)
# Words that tell English from Dutch; none of them is a Dutch word.
ENGLISH = re.compile(
    r"\b(the|and|with|which|this|that|have|has|are|not|you|your|pupil|credit's|school's|record|"
    r"schoolperson|failed|error|push|fetch|merge)\b",
    re.IGNORECASE,
)
DUTCH = re.compile(
    r"\b(het|een|niet|deze|dit|voor|wordt|staat|gegeven|leerling|persoon|kan|maar|daar)\b",
    re.IGNORECASE,
)
# A noun with the other article, for every noun that the fields and records are made of.
WRONG_ARTICLE = re.compile(
    r"\b(?:het (?:persoon|credit|school(?!-)|schoolpersoon|schoolcredit|retour|melding|"
    r"uitgever|datum|begindatum|einddatum|postcode|achternaam|voornaam|koppeling|specificatie|EAN|rol)|"
    r"de (?:nummer|klantnummer|schooljaar|aantal|e-mailadres|portaal|tussenvoegsel|huisnummer|"
    r"ECK iD|bericht|veld|kenmerk|land|geslacht|leermiddel|wachtwoord|BRIN-nummer))\b"
)


@cache
def everything(lang: str) -> tuple[Explanation, ...]:
    sources = ("eduix", "coachview", "anewspring", "own")
    return tuple(all_explanations(lang=lang, sources=sources, with_elsewhere=True))


def sentences(explanation: Explanation) -> Iterator[str]:
    for part in (explanation.title, explanation.meaning, *explanation.causes, *explanation.steps):
        yield from re.split(r"(?<=[.!?]) (?=[A-Z“])", part)


def words_of(explanation: Explanation) -> str:
    return " ".join((explanation.title, explanation.cause, explanation.remedy, explanation.passes))


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_explanation_has_a_cause_a_remedy_an_owner_and_says_whether_it_passes(
    lang: str,
) -> None:
    for explanation in everything(lang):
        for part in (explanation.title, explanation.cause, explanation.remedy, explanation.passes):
            assert part.strip(), explanation.reference
        assert explanation.owner in OWNERS, explanation.reference


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_titles_are_short_start_with_a_capital_and_hold_no_jargon(lang: str) -> None:
    for explanation in everything(lang):
        title = explanation.title
        assert len(title) <= LONGEST_TITLE, title
        assert title[0].isupper() or title.startswith("e-mail"), title
        assert not title.endswith("."), title
        assert not JARGON.search(title), title


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_sentences_are_short_whole_and_end_with_a_full_stop(lang: str) -> None:
    for explanation in everything(lang):
        for sentence in sentences(explanation):
            assert len(sentence.split()) <= LONGEST_SENTENCE_WORDS, sentence
            assert sentence[0].isupper() or sentence[0] == "“" or sentence[0].isdigit(), sentence
            assert not re.search(r"  |{|}|\.\.| ,| \.|undefined|None", sentence), sentence
        for part in (explanation.meaning, *explanation.causes, *explanation.steps):
            assert part.endswith((".", "?", "!", ".”")), part


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_word_stands_twice_in_a_row(lang: str) -> None:
    for explanation in everything(lang):
        for sentence in sentences(explanation):
            twice = re.search(r"\b(\w+) \1\b", sentence, re.IGNORECASE)
            assert twice is None, twice


def test_dutch_texts_hold_no_english_and_english_texts_no_dutch() -> None:
    for explanation in everything("nl"):
        found = ENGLISH.search(words_of(explanation))
        assert found is None, (found, words_of(explanation))
    for explanation in everything("en"):
        found = DUTCH.search(words_of(explanation))
        assert found is None, (found, words_of(explanation))


def test_dutch_nouns_have_their_own_article() -> None:
    for explanation in everything("nl"):
        found = WRONG_ARTICLE.search(words_of(explanation))
        assert found is None, (found, words_of(explanation))


def test_nobody_is_called_a_pupil_who_may_be_a_teacher() -> None:
    for explanation in everything("nl"):
        assert not re.search(r"(?<!\()\bleerling(en)?\b", words_of(explanation)), explanation.title
    for explanation in everything("en"):
        assert not re.search(r"(?<!\()\bpupils?\b", words_of(explanation)), explanation.title


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_two_codes_have_the_same_title_and_the_same_cause(lang: str) -> None:
    seen = Counter((item.title, item.cause) for item in everything(lang))

    assert [words for words, count in seen.items() if count > 1] == []


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_sixty_codes_and_more_have_their_causes_in_order(lang: str) -> None:
    found = [item for item in everything(lang) if len(item.causes) > 1]

    assert len(found) >= HAND_WRITTEN_WITH_CAUSES
    first = {"nl": ("Meestal", "Vaak"), "en": ("Usually", "Often")}[lang]
    for item in found:
        assert item.causes[0].startswith(first), item.causes


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_what_passes_by_itself_says_when(lang: str) -> None:
    when = {
        "nl": r"binnen een|begindatum|in orde",
        "en": r"within a|start date|in order",
    }[lang]
    for explanation in everything(lang):
        if explanation.clears_itself:
            assert re.search(when, explanation.passes), (explanation.reference, explanation.passes)


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_both_languages_tell_as_many_causes_and_steps(lang: str) -> None:
    other = {"nl": "en", "en": "nl"}[lang]
    for one, two in zip(everything(lang), everything(other), strict=True):
        assert one.reference == two.reference
        assert len(one.causes) == len(two.causes), one.reference
        assert len(one.steps) == len(two.steps), one.reference
