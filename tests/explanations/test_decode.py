"""Every documented code in words, and unlisted ones as far as they go."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.explanations import decode, texts
from backoffice.explanations.explanation import OWNERS, Explanation
from tests.facts import rows

CODES = sorted({int(row["code"]) for row in rows("codes")})
BOTH = [(code, lang) for code in CODES for lang in texts.LANGUAGES]
CODE_TALK = re.compile(
    r"(?<!access )(?<!country )(?<!postal )\b(codes?|xml|soap|element|header)\b", re.IGNORECASE
)

# Words that give a text of one language away in the other.
DUTCH = re.compile(r"\b(het|een|niet|naar|wordt|bij|hoogstens|minstens|stuur)\b", re.IGNORECASE)
ENGLISH = re.compile(r"\b(the|not|with|which|sent|characters|least|please)\b", re.IGNORECASE)


def everything(lang: str) -> list[Explanation]:
    found = [decode.explain_eduix(code, lang) for code in (0, *CODES, *texts.account())]
    found += [decode.explain_status(code, lang) for code in texts.coachview()]
    found += [decode.explain_key("anewspring", key, lang) for key in texts.anewspring()]
    return found + [decode.explain_key("own", key, lang) for key in texts.own()]


def test_the_487_documented_codes_are_the_ones_we_count() -> None:
    assert decode.documented_codes() == tuple(CODES)
    assert len(CODES) == 487


@pytest.mark.parametrize(("code", "lang"), BOTH)
def test_every_documented_code_has_title_cause_remedy_and_owner(code: int, lang: str) -> None:
    explanation = decode.explain_eduix(code, lang)

    assert explanation.known
    assert explanation.source == "eduix"
    assert explanation.code == code
    assert explanation.title
    assert explanation.cause.endswith((".", "?"))
    assert explanation.steps
    assert explanation.owner in OWNERS
    assert explanation.owner_label


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_text_shows_a_placeholder_double_space_or_half_sentence(lang: str) -> None:
    for explanation in everything(lang):
        for part in (explanation.title, explanation.cause, *explanation.steps):
            assert not re.search(r"[{}]|  | [.,;:?]|\.\.|^\W*$|None", part), (
                explanation.code,
                part,
            )
            assert part[0].isupper() or part[0] in "“É", (explanation.code, part)
        assert all(step.endswith((".", "?")) for step in explanation.steps), explanation.code


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_titles_read_as_plain_words(lang: str) -> None:
    for explanation in everything(lang):
        assert not explanation.title.endswith("."), explanation.title
        assert not CODE_TALK.search(explanation.title), explanation.title
        assert len(explanation.title) <= 110, explanation.title
        if explanation.number is not None and explanation.number > 12:
            assert str(explanation.number) not in explanation.title


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_the_first_sentence_of_a_cause_holds_no_code_talk_nor_the_number_itself(lang: str) -> None:
    for explanation in everything(lang):
        first = re.split(r"(?<=[.?]) ", explanation.cause)[0]
        assert not CODE_TALK.search(first), first
        assert len(re.findall(r"[A-Za-z]{2,}", first)) >= 4, first


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_two_codes_have_the_same_title(lang: str) -> None:
    titles = Counter(explanation.title for explanation in everything(lang))

    assert [title for title, count in titles.items() if count > 1] == []


def test_languages_are_not_mixed_up() -> None:
    for explanation in everything("nl"):
        assert not ENGLISH.search(explanation.cause), explanation.cause
    for explanation in everything("en"):
        assert not DUTCH.search(explanation.cause), explanation.cause


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_sentences_are_short_enough_to_read_on_the_phone(lang: str) -> None:
    for explanation in everything(lang):
        for part in (explanation.cause, *explanation.steps):
            for sentence in re.split(r"(?<=[.?:;]) ", part):
                assert len(sentence.split()) <= 32, sentence


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_a_limit_is_named_where_there_is_one(lang: str) -> None:
    for row in rows("codes"):
        if row["name"] in ("too_small", "too_long"):
            explanation = decode.explain_eduix(int(row["code"]), lang)
            if explanation.title.endswith({"nl": " is leeg", "en": " is empty"}[lang]):
                assert row["limit"] == "1", explanation.title
                continue
            assert re.search(rf"\b{row['limit']}\b", explanation.title), explanation.title


def test_what_passes_by_itself_asks_nobody_to_act_first() -> None:
    for lang, words in {"nl": "hoef", "en": "need"}.items():
        for explanation in everything(lang):
            if explanation.owner == "niemand" and explanation.clears_itself:
                assert words in explanation.remedy, explanation.code


@pytest.mark.parametrize(
    ("code", "title"),
    [
        (5022, "De achternaam is te lang: hoogstens 50 tekens"),
        (4840 + 2, "Het e-mailadres is te lang: hoogstens 254 tekens"),
        (4900 + 1, "Het huisnummer is te laag: minstens 1"),
        (4320 + 1, "Het school-ID bij het zoeken naar een school is te kort: minstens 1 teken"),
        (7701, "Het ECK iD is te kort: precies 128 tekens"),
        (12, "We waren bij Edu-iX automatisch uitgelogd"),
    ],
)
def test_titles_are_grammatical(code: int, title: str) -> None:
    assert decode.explain_eduix(code, "nl").title == title


def test_a_code_is_looked_up_without_its_sign_and_keeps_it() -> None:
    negative, positive = decode.explain_eduix(-5022, "nl"), decode.explain_eduix(5022, "nl")

    assert negative.code == -5022
    assert negative.title == positive.title


def test_nought_in_a_fault_is_explained_as_uncertain() -> None:
    explanation = decode.explain_eduix(0, "nl")

    assert explanation.known
    assert explanation.clears_itself
    assert explanation.owner == "niemand"


def test_an_unlisted_kind_of_a_known_field_names_the_field() -> None:
    explanation = decode.explain_eduix(5029, "nl")

    assert not explanation.known
    assert explanation.kind == "unknown"
    assert explanation.field == "person -> surname"
    assert "onbekend soort, veld = achternaam" in explanation.cause


def test_an_unlisted_pair_of_known_field_and_kind_says_that_it_is_not_listed() -> None:
    explanation = decode.explain_eduix(5021, "en")

    assert not explanation.known
    assert explanation.kind == "too_small"
    assert explanation.title == "The surname is probably too low or too short"
    assert "5021" in explanation.cause


def test_an_unknown_field_shows_its_number_and_what_to_do() -> None:
    explanation = decode.explain_eduix(9999, "nl")

    assert not explanation.known
    assert "9999" in explanation.cause
    assert explanation.steps


@given(st.integers(min_value=-(10**12), max_value=10**12), st.sampled_from(texts.LANGUAGES))
def test_any_number_gets_words(code: int, lang: str) -> None:
    explanation = decode.explain_eduix(code, lang)

    assert explanation.code == code
    assert explanation.title
    assert explanation.cause
    assert explanation.steps
    assert "{" not in explanation.title + explanation.cause + explanation.remedy


def test_the_login_codes_stop_the_sending_and_are_ours() -> None:
    for code in (2, 2208, 2220, 2228, 4682, 4685, 4688, 4702, 4705, 4708):
        explanation = decode.explain_eduix(code, "nl")
        assert (explanation.owner, explanation.action) == ("wij", "check_login"), code


def test_a_lost_session_mends_itself() -> None:
    for code in (12, 2240, 2248, 6860, 6862, 6868):
        explanation = decode.explain_eduix(code, "nl")
        assert explanation.clears_itself, code
        assert explanation.owner == "niemand", code


def test_what_exists_already_is_compared() -> None:
    for code in (4, 2606, 2626, 2786, 2806, 3046, 5066, 6466, 6746):
        explanation = decode.explain_eduix(code, "nl")
        assert explanation.action == "compare", code
        assert explanation.clears_itself, code


def test_coachview_has_words_for_each_of_its_statuses() -> None:
    assert set(texts.coachview()) == {405, 403, 400, 404, 503, 500, 200}
    assert decode.explain_status(403, "nl").known
    assert not decode.explain_status(418, "nl").known


def test_an_unknown_key_of_ours_says_so() -> None:
    explanation = decode.explain_key("own", "never_heard_of", "nl")

    assert not explanation.known
    assert "never_heard_of" in explanation.cause


def test_another_name_of_a_state_gives_the_same_words() -> None:
    by_alias = decode.explain_key("own", "local_only", "nl")

    assert by_alias == decode.explain_key("own", "not_sent", "nl")


def test_a_key_of_hostile_length_is_cut() -> None:
    assert len(decode.explain_key("own", "x" * 100_000, "nl").cause) < 500
