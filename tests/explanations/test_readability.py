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


# English that follows the Dutch word by word, and pieces of sentence patterns that do not fit.
WORD_FOR_WORD = re.compile(
    r"\b(?:stands? (?:in|with|behind|there)|stood in|hangs?|with us|nought|whose the)\b"
)
TWO_ARTICLES = re.compile(
    r"\b(?:de|een|ons|onze) (?:de|het|een|ons|onze)\b|\bhet (?:het|ons|onze)\b|"
    r"\b(?:the|an?|our) (?:the|an?|our)\b"
)
WRONG_A = re.compile(r"\ba (?=[aeio]|EAN|ECK|ELO)|\ban (?=[bcdfgjkmpqtvwxyzBCDGKPQTVW])")
XML_NAME = re.compile(r"\b(?!iX\b|iD\b|aNewSpring\b)[a-z]+[A-Z]\w*|->|<|&\w+;")
LONGEST_PART = 260
MOST_CAUSES, MOST_STEPS = 3, 4


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_patterns_and_their_words_make_one_sentence(lang: str) -> None:
    for explanation in everything(lang):
        for part in (
            explanation.title,
            explanation.meaning,
            *explanation.causes,
            explanation.remedy,
        ):
            found = TWO_ARTICLES.search(part.lower())
            assert found is None, (explanation.reference, part)
            if lang == "en":
                assert not WRONG_A.search(part), (explanation.reference, part)
                assert not WORD_FOR_WORD.search(part), (explanation.reference, part)


def test_a_school_is_no_woman() -> None:
    for explanation in everything("nl"):
        assert not re.search(r"\b(?:haar|zij)\b", words_of(explanation)), explanation.reference


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_name_of_the_services_and_no_code_in_what_is_said_first(lang: str) -> None:
    for explanation in everything(lang):
        first = re.split(r"(?<=[.!?]) ", explanation.meaning)[0]
        for part in (explanation.title, first):
            assert not XML_NAME.search(part), (explanation.reference, part)
            code = explanation.number
            assert code is None or not re.search(rf"\b{code}\b", part) or code < 20, part


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_part_says_what_another_part_has_said(lang: str) -> None:
    for explanation in everything(lang):
        parts = [explanation.title, explanation.meaning, *explanation.causes, *explanation.steps]
        plain = [re.sub(r"\W+", " ", part).strip().lower() for part in parts]
        assert len(set(plain)) == len(plain), (explanation.reference, parts)


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_parts_are_short_enough_to_be_said_aloud(lang: str) -> None:
    for explanation in everything(lang):
        for part in (explanation.meaning, *explanation.causes, *explanation.steps):
            assert len(part) <= LONGEST_PART, (explanation.reference, len(part), part)
        assert len(explanation.causes) <= MOST_CAUSES, explanation.reference
        assert 1 <= len(explanation.steps) <= MOST_STEPS, explanation.reference


@pytest.mark.parametrize(
    ("lang", "link"), [("nl", r"koppel(?!ing die wij)"), ("en", r"\blink(?:ed)?\b")]
)
def test_only_what_the_school_does_in_its_portal_is_called_a_link(lang: str, link: str) -> None:
    for explanation in everything(lang):
        if explanation.field.partition(" -> ")[2] == "organisationID":
            continue  # a school is linked to our connection
        if "choolperson" in explanation.field or explanation.code == "import_half_schoolperson":
            assert not re.search(link, words_of(explanation)), explanation.title


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_a_button_that_a_step_names_exists(lang: str) -> None:
    buttons = {action.labels[lang] for action in texts.actions().values()}
    for explanation in everything(lang):
        for step in explanation.steps:
            for named in re.findall(r"(?i)\b(?:kies|choose|press|druk op)[^“.]*“([^”]+)”", step):
                assert named in buttons, (explanation.reference, named)


WHO_IS_NAMED = {
    "school": ("school", "school"),
    "uitgever": ("uitgever", "publisher"),
    "Edu-iX": ("Edu-iX|verbinding", "Edu-iX|connection"),
    "leverancier": ("leverancier|Coachview", "supplier|Coachview"),
}
ADDRESSEE = {
    "message_school": WHO_IS_NAMED["school"],
    "contact_publisher": WHO_IS_NAMED["uitgever"],
    "contact_eduix": WHO_IS_NAMED["Edu-iX"],
    "contact_supplier": WHO_IS_NAMED["leverancier"],
}


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_the_steps_name_whoever_must_act_and_whom_the_button_writes_to(lang: str) -> None:
    column = texts.LANGUAGES.index(lang)
    for explanation in everything(lang):
        general = explanation.code in (1, 3, 7) or explanation.action == "fetch"
        for words in (WHO_IS_NAMED.get(explanation.owner), ADDRESSEE.get(explanation.action)):
            if words is not None and not general:
                assert re.search(words[column], explanation.remedy), explanation.reference


def test_what_colleagues_meet_most_is_written_by_hand() -> None:
    written = texts.written_by_hand()
    ours = {"person", "schoolperson", "personCredit", "schoolCredit"}
    for base, field in texts.fields().items():
        if field.object in ours and field.group in ("own", "key", "reference"):
            # missing, no date, not an allowed value: what a form or a file can hold wrongly
            missed = {kind for kind in field.kinds if kind in (0, 3, 4)} - {
                code - base for code in written
            }
            assert not missed, (field.path, missed)

    assert len(written) >= 130
