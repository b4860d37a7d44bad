"""Why there is no access: a verdict for every combination of facts, and the right one for each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.explanations.explanation import OWNERS
from backoffice.explanations.services import explain
from backoffice.outbox.models import PushState
from credits.access import (
    CreditFacts,
    Facts,
    Name,
    PlaceFacts,
    Pushed,
    SendingFacts,
    State,
    school_year_of,
    verdict_on,
)
from credits.access_evidence import EVIDENCE, TITLES
from credits.access_next import NEXT, next_of
from credits.access_words import SENTENCES, SHORT

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 21)
HOUR_AGO = NOW - timedelta(hours=1)


def pushed(state: str = "in_sync", **more: Any) -> Pushed:
    return Pushed(pk=1, push_state=state, push_changed_at=HOUR_AGO, **more)


PLACE = PlaceFacts(row=pushed(), school_id=1, school="Het Baken College")
CREDIT = CreditFacts(
    row=pushed(),
    start=date(2026, 8, 1),
    end=date(2027, 7, 31),
    school_year=2627,
    specification_state="Specified",
    specified_at=HOUR_AGO,
)
FINE = Facts(
    person=pushed(),
    places=(PLACE,),
    place=PLACE,
    is_linked=True,
    user_id_changed_at=HOUR_AGO,
    credit=CREDIT,
)

rows = st.builds(
    Pushed,
    pk=st.just(1),
    push_state=st.sampled_from(PushState.values),
    push_code=st.sampled_from([None, 4967, -5022, 999_999]),
    push_changed_at=st.sampled_from([None, NOW, HOUR_AGO, NOW - timedelta(days=9)]),
    is_registered=st.booleans(),
)
places = st.builds(PlaceFacts, row=rows, school_id=st.just(1), school=st.just("De Brug"))
moments = st.sampled_from([None, NOW, HOUR_AGO, NOW - timedelta(days=9)])
days = st.sampled_from([date(2025, 8, 1), date(2026, 8, 1), DAY, date(2027, 2, 1)])
credits = st.builds(
    CreditFacts,
    row=rows,
    start=days,
    end=st.none() | days,
    school_year=st.sampled_from([2526, 2627, 2728]),
    is_of_school=st.booleans(),
    is_returned=st.booleans(),
    remaining=st.sampled_from([None, 0, 3]),
    specification_state=st.sampled_from(["", "Specified", "Fault"]),
    specified_at=moments,
    publisher_error_code=st.sampled_from([None, 117]),
    publisher_code_is_known=st.booleans(),
    is_elsewhere=st.booleans(),
)
sendings = st.builds(
    SendingFacts,
    oldest=moments,
    blocker=st.sampled_from([None, 7]),
    blocker_code=st.sampled_from([None, 4967]),
    login_refused_at=moments,
    unreachable_since=moments,
    worker_seen_at=moments,
    worker_is_gone=st.booleans(),
)
everything = st.builds(
    Facts,
    person=rows,
    is_blocked=st.booleans(),
    places=st.lists(places, max_size=2).map(tuple),
    place=st.none() | places,
    is_at_asked_school=st.booleans(),
    is_linked=st.booleans(),
    has_eck_id=st.booleans(),
    user_id_changed_at=moments,
    credit=st.none() | credits,
    twin=st.sampled_from(["", "Sanne"]),
    look_alikes=st.integers(0, 2),
    usual_wait=st.sampled_from([None, timedelta(seconds=2), timedelta(days=1)]),
    sending=sendings,
)


@settings(max_examples=1500, deadline=None)
@given(everything)
def test_every_combination_of_facts_has_one_verdict_one_owner_and_an_explanation(
    facts: Facts,
) -> None:
    verdict = verdict_on(facts, day=DAY, now=NOW)
    then = next_of(verdict, facts, day=DAY)

    assert then.owner in OWNERS
    assert {verdict.key} <= set(SENTENCES) & set(SHORT)
    brings_its_own = verdict.key.startswith("publisher_fault")
    assert verdict.is_fine or then.explanation or brings_its_own
    assert [link.name for link in verdict.links] == list(Name)
    assert {link.finding for link in verdict.links} <= set(EVIDENCE)


@settings(max_examples=500, deadline=None)
@given(everything)
def test_the_first_broken_link_is_the_verdict(facts: Facts) -> None:
    verdict = verdict_on(facts, day=DAY, now=NOW)
    broken = [link for link in verdict.links if link.state == State.BROKEN]
    unknown = [link for link in verdict.links if link.state == State.UNKNOWN]

    if broken:
        assert (verdict.key, verdict.code) == (broken[0].finding, broken[0].code)
        assert verdict.broken == broken[0]
    else:
        assert verdict.key == ("sending" if unknown else "all_fine")
        assert verdict.is_fine is not bool(unknown)


@settings(max_examples=300, deadline=None)
@given(everything)
def test_the_same_facts_give_the_same_verdict(facts: Facts) -> None:
    assert verdict_on(facts, day=DAY, now=NOW) == verdict_on(replace(facts), day=DAY, now=NOW)


@settings(max_examples=500, deadline=None)
@given(everything)
def test_nothing_is_called_fine_while_something_is_not(facts: Facts) -> None:
    verdict = verdict_on(facts, day=DAY, now=NOW)

    if verdict.is_fine:
        assert facts.person.push_state == "in_sync"
        assert facts.credit is not None
        assert facts.credit.specification_state == "Specified"
        assert facts.is_linked or facts.has_eck_id or facts.credit.is_of_school


def changed(**facts: Any) -> Facts:
    return replace(FINE, **facts)


def with_credit(**facts: Any) -> Facts:
    return changed(credit=replace(CREDIT, **facts))


LATE = SendingFacts(oldest=HOUR_AGO)
SENT = replace(CREDIT, specification_state="", specified_at=None)
ROWS = {
    "all_fine": FINE,
    "person_not_sent": changed(person=pushed("local_only")),
    "person_refused": changed(person=pushed("refused", push_code=4967)),
    "person_differs": changed(person=pushed("conflict")),
    "person_deleted": changed(person=pushed("deleted")),
    "person_blocked": changed(is_blocked=True),
    "duplicate_holds_it": changed(credit=None, twin="Sanne van den Berg"),
    "school_person_missing": changed(places=(), place=None),
    "at_another_school": with_credit(is_elsewhere=True),
    "school_person_not_sent": changed(place=replace(PLACE, row=pushed("changed"))),
    "prematch_never": changed(is_linked=False, user_id_changed_at=None),
    "prematch_undone": changed(is_linked=False),
    "credit_missing": changed(credit=None),
    "school_credit_empty": with_credit(is_of_school=True, remaining=0),
    "credit_returned": with_credit(is_returned=True),
    "wrong_school_year": with_credit(school_year=2526),
    "credit_refused": with_credit(row=pushed("refused", push_code=5102)),
    "not_started": with_credit(start=date(2027, 2, 1)),
    "expired": with_credit(end=date(2026, 11, 20)),
    "waiting_for_publisher": changed(credit=SENT),
    "publisher_silent": changed(
        credit=replace(SENT, row=replace(pushed(), push_changed_at=NOW - timedelta(days=2))),
        user_id_changed_at=NOW - timedelta(days=3),
    ),
    "publisher_fault": with_credit(specification_state="Fault", publisher_error_code=117),
    "publisher_fault_unknown": with_credit(
        specification_state="Fault", publisher_error_code=2041, publisher_code_is_known=False
    ),
    "waits_for_refused": changed(
        person=pushed("waiting"), sending=replace(LATE, blocker=7, blocker_code=4967)
    ),
    "login_refused": changed(
        person=pushed("queued"), sending=replace(LATE, login_refused_at=HOUR_AGO)
    ),
    "worker_gone": changed(person=pushed("queued"), sending=replace(LATE, worker_is_gone=True)),
    "eduix_unreachable": changed(
        person=pushed("queued"), sending=replace(LATE, unreachable_since=HOUR_AGO)
    ),
    "sending_stuck": changed(person=pushed("queued"), sending=LATE),
    "sending": changed(
        person=pushed("queued"), sending=SendingFacts(oldest=NOW - timedelta(seconds=9))
    ),
}


@pytest.mark.parametrize("key", ROWS)
def test_each_cause_has_its_own_verdict(key: str) -> None:
    assert verdict_on(ROWS[key], day=DAY, now=NOW).key == key


def test_an_eck_id_makes_the_link_needless() -> None:
    facts = changed(is_linked=False, user_id_changed_at=None, has_eck_id=True)

    assert verdict_on(facts, day=DAY, now=NOW).is_fine


def test_a_licence_of_the_school_needs_no_link() -> None:
    facts = replace(with_credit(is_of_school=True, remaining=3), is_linked=False)

    assert verdict_on(facts, day=DAY, now=NOW).is_fine


def test_a_publisher_is_not_silent_while_it_could_not_recognise_anybody() -> None:
    """The credit was sent days ago, the school has linked the pupil an hour ago."""
    row = replace(pushed(), push_changed_at=NOW - timedelta(days=9))

    verdict = verdict_on(changed(credit=replace(SENT, row=row)), day=DAY, now=NOW)

    assert verdict.key == "waiting_for_publisher"
    assert verdict.broken is not None
    assert verdict.broken.at == HOUR_AGO


@pytest.mark.parametrize(
    ("usual", "key"),
    [
        (None, "waiting_for_publisher"),
        (timedelta(seconds=2), "publisher_silent"),
        (timedelta(hours=1), "waiting_for_publisher"),
    ],
)
def test_what_is_long_depends_on_the_publisher(usual: timedelta | None, key: str) -> None:
    row = replace(pushed(), push_changed_at=NOW - timedelta(hours=2))
    facts = changed(
        credit=replace(SENT, row=row), usual_wait=usual, user_id_changed_at=NOW - timedelta(days=9)
    )

    assert verdict_on(facts, day=DAY, now=NOW).key == key


def test_a_queue_that_holds_up_others_is_not_to_blame() -> None:
    facts = changed(sending=SendingFacts(queue=4_000, login_refused_at=HOUR_AGO))

    assert verdict_on(facts, day=DAY, now=NOW).is_fine


@pytest.mark.parametrize(
    ("day", "year"),
    [(date(2026, 7, 31), 2526), (date(2026, 8, 1), 2627), (date(1999, 9, 1), 9900)],
)
def test_a_school_year_begins_in_august(day: date, year: int) -> None:
    assert school_year_of(day) == year


def test_a_credit_of_another_year_that_has_ended_is_made_anew() -> None:
    ended = with_credit(school_year=2526, end=date(2026, 7, 31))
    wrong = with_credit(school_year=2526)

    actions = [
        next_of(verdict_on(facts, day=DAY, now=NOW), facts, day=DAY).action
        for facts in (ended, wrong)
    ]

    assert actions == ["new_credit", "set_school_year"]


def test_every_finding_of_the_chain_has_its_evidence_and_each_verdict_its_words() -> None:
    assert set(NEXT) == set(SENTENCES) == set(SHORT)
    assert set(NEXT) - {"sending", "all_fine"} <= set(EVIDENCE)
    assert set(TITLES) == set(Name)


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_every_verdict_has_an_explanation_that_somebody_wrote(lang: str) -> None:
    for key, then in NEXT.items():
        if then.explanation:
            explanation = explain(then.explanation, lang=lang)

            assert explanation.known, key
            assert explanation.owner == then.owner, key
