"""What follows from each verdict on access: who must act, and the first thing to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from credits.access import Facts, Verdict


@dataclass(frozen=True)
class Next:
    """Who must act on a verdict, whether it passes by itself, and the first thing to do.

    `explanation` is what `explain()` takes; codes of Edu-iX and of publishers bring their own
    explanation and owner. `action` is empty where nothing can be done from here.
    """

    owner: str
    action: str = ""
    clears_itself: bool = False
    explanation: str = ""


def _of_each_row(finding: str, **then: str) -> dict[str, Next]:
    return {f"{what}_{finding}": Next(**then) for what in ("person", "school_person", "credit")}  # type: ignore[arg-type]  # only texts are given


NEXT: Final[Mapping[str, Next]] = {
    **_of_each_row("not_sent", owner="wij", action="push", explanation="own:not_sent"),
    **_of_each_row("refused", owner="wij", action="edit", explanation="own:refused"),
    **_of_each_row("differs", owner="wij", action="compare", explanation="own:conflict"),
    **_of_each_row("deleted", owner="wij", explanation="own:why_deleted"),
    "person_blocked": Next("wij", "edit", explanation="own:why_person_blocked"),
    "duplicate_holds_it": Next("wij", "merge", explanation="own:why_duplicate"),
    "school_person_missing": Next(
        "wij", "link_school", explanation="own:why_school_person_missing"
    ),
    "at_another_school": Next("wij", "move_school", explanation="own:why_at_another_school"),
    "prematch_never": Next("school", "message_school", explanation="own:waiting_for_prematch"),
    "prematch_undone": Next("school", "message_school", explanation="own:why_prematch_undone"),
    "credit_missing": Next("wij", "new_credit", explanation="own:why_credit_missing"),
    "school_credit_empty": Next("wij", "edit", explanation="own:why_school_credit_empty"),
    "credit_returned": Next("wij", "new_credit", explanation="own:why_credit_returned"),
    "wrong_school_year": Next("wij", "set_school_year", explanation="own:why_wrong_school_year"),
    "not_started": Next("niemand", "start_today", True, "own:not_yet_usable"),
    "expired": Next("wij", "extend", explanation="own:why_expired"),
    "waiting_for_publisher": Next("uitgever", "fetch", True, "own:waiting_for_publisher"),
    "publisher_silent": Next("uitgever", "push", explanation="own:why_publisher_silent"),
    "publisher_fault": Next("uitgever", "push", explanation="own:publisher_fault"),
    "publisher_fault_unknown": Next("wij", "write_explanation"),
    "waits_for_refused": Next("wij", "open_blocker", explanation="own:waiting"),
    "login_refused": Next("wij", "resume", explanation="own:login_refused"),
    "worker_gone": Next("wij", explanation="own:why_worker_gone"),
    "eduix_unreachable": Next("Edu-iX", "send_now", True, "own:unreachable"),
    "sending_stuck": Next("wij", "send_now", explanation="own:why_sending_stuck"),
    "sending": Next("niemand", "", True, "own:sending"),
    "all_fine": Next("niemand"),
}
"""What follows from each verdict."""


def next_of(verdict: Verdict, facts: Facts, *, day: date) -> Next:
    """What follows from this verdict; a credit that misses more than its year is made anew."""
    then = NEXT[verdict.key]
    credit = facts.credit
    if verdict.key == "wrong_school_year" and credit is not None:
        fits = credit.start <= day and (credit.end is None or credit.end >= day)
        return then if fits else replace(then, action="new_credit")
    if verdict.key == "at_another_school" and facts.is_at_asked_school:
        return replace(then, action="new_credit")
    return then
