"""Taking items, notes on them, and putting them off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.desk.models import WorkItemState, WorkNote
from backoffice.desk.pruning import prune
from backoffice.desk.work import work_items
from backoffice.desk.work_states import (
    NotPossible,
    TakenByOther,
    agreed,
    bring_back,
    put_off,
    release,
    take,
    write_note,
)
from credits.models import PersonCredit
from credits.status import CreditStatus
from tests.desk.work_pages.conftest import (
    NOW,
    faults,
    only,
    page,
    press,
    shown,
    unlinked,
)
from tests.factories import (
    SchoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


TODAY = date(2026, 11, 21)


# --- taking --------------------------------------------------------------------------------------


def test_what_somebody_takes_stands_in_the_own_list_with_the_name(browser: Any) -> None:
    school = unlinked()
    fatima, joost = browser(first_name="Fatima"), browser()
    key = f"prematch:{school.pk}"

    press(fatima, "nemen", key)

    assert shown(fatima) == [key]
    assert shown(joost) == []
    assert "Fatima has this" in page(joost, lijst="school")
    assert "you have this" in page(fatima, lijst="school")
    press(fatima, "teruggeven", key)
    assert shown(fatima) == []


def test_the_second_who_takes_is_told_who_has_it_and_may_take_it_over(browser: Any) -> None:
    unlinked()
    fatima, joost = browser(first_name="Fatima"), browser(first_name="Joost")
    press(fatima, "nemen")

    second = press(joost, "nemen").content.decode()
    holder = WorkItemState.objects.get().taken_by
    assert "Fatima has this already" in second
    assert "Yes, take it over from Fatima" in second
    assert holder is not None
    assert holder.first_name == "Fatima"

    press(joost, "nemen", van=str(holder.pk))

    taken = WorkItemState.objects.get().taken_by
    assert taken is not None
    assert taken.first_name == "Joost"


def test_who_confirms_to_take_it_from_one_does_not_take_it_from_another() -> None:
    fatima, joost, sanne = UserFactory.create_batch(3)
    take(key="held", user=fatima, now=NOW)
    take(key="held", user=joost, now=NOW, over=fatima.pk)

    with pytest.raises(TakenByOther):
        take(key="held", user=sanne, now=NOW, over=fatima.pk)

    assert WorkItemState.objects.get().taken_by == joost


def test_taking_twice_keeps_the_moment_and_only_the_holder_gives_back() -> None:
    fatima, joost = UserFactory.create_batch(2)
    take(key="held", user=fatima, now=NOW)
    take(key="held", user=fatima, now=NOW + timedelta(hours=1))

    assert WorkItemState.objects.get().taken_at == NOW
    with pytest.raises(NotPossible):
        release(key="held", user=joost)
    release(key="held", user=fatima)
    assert WorkItemState.objects.get().taken_by is None


# --- notes ---------------------------------------------------------------------------------------


def test_a_note_stands_on_the_item_with_its_writer_and_escaped(browser: Any) -> None:
    unlinked()
    client = browser(username="fatima")

    answer = press(client, "noteren", tekst="School  called,\ncalls <b>back</b>", terug="item")

    text = answer.content.decode()
    assert "School called, calls &lt;b&gt;back&lt;/b&gt;" in text
    assert "fatima" in text
    assert "School called" in page(client, lijst="school")


@pytest.mark.parametrize("text", ["", "  \n ", "\0", "x" * 1001])
def test_an_empty_or_endless_note_is_refused_with_what_to_do(browser: Any, text: str) -> None:
    unlinked()

    answer = press(browser(), "noteren", tekst=text)

    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert not WorkNote.objects.exists()


# --- putting off ---------------------------------------------------------------------------------


def test_what_is_put_off_leaves_its_list_until_somebody_brings_it_back(browser: Any) -> None:
    unlinked()
    client, key = browser(), only().key
    until = timezone.localdate() + timedelta(days=7)

    press(client, "uitstellen", tot=until.isoformat())

    assert shown(client, "school") == []
    assert shown(client, "later") == [key]
    press(client, "terughalen")
    assert shown(client, "school") == [key]


def back_words(day: date = TODAY) -> str:
    (one,) = agreed(work_items(now=NOW), today=day, everything=lambda: work_items(now=NOW))
    return "put off" if one.is_put_off else one.back


def put_off_for_a_week() -> None:
    (item,) = work_items(now=NOW)
    put_off(item=item, until="2026-11-28", user=UserFactory(), now=NOW, today=TODAY)


def test_it_is_back_when_its_day_is_there() -> None:
    faults(2)
    put_off_for_a_week()

    assert back_words() == "put off"
    assert back_words(date(2026, 11, 27)) == "put off"
    assert back_words(date(2026, 11, 28)) not in ("", "put off")


def test_it_is_back_when_something_is_added_and_says_how_much() -> None:
    faults(2)
    put_off_for_a_week()

    faults(3)

    assert "3" in back_words()


def test_it_is_back_when_one_is_solved_and_another_came() -> None:
    first, *_rest = faults(2)
    put_off_for_a_week()
    PersonCredit.objects.filter(pk=first.pk).update(status=CreditStatus.USABLE)

    assert back_words() == "put off"  # that one is solved is no reason to look again
    faults(1)
    assert back_words() not in ("", "put off")


def test_it_is_back_when_the_same_rows_were_told_anew() -> None:
    faults(2)
    put_off_for_a_week()

    PersonCredit.objects.update(specification_changed_at=NOW + timedelta(minutes=5))

    assert back_words() not in ("", "put off")


def test_put_off_by_one_account_manager_is_put_off_for_another() -> None:
    """Each sees rows of other schools; the facts that are compared are those of all."""
    fatima, joost = UserFactory.create_batch(2)
    faults(2, SchoolFactory(account_manager=fatima))
    faults(3, SchoolFactory(account_manager=joost))
    put_off_for_a_week()

    for user in (fatima, joost):
        (one,) = agreed(
            work_items(now=NOW, account_manager=user),
            today=TODAY,
            everything=lambda: work_items(now=NOW),
        )
        assert one.is_put_off


def test_bringing_back_forgets_the_day() -> None:
    faults(1)
    put_off_for_a_week()

    bring_back(key=work_items(now=NOW)[0].key)

    assert back_words() == ""


@pytest.mark.parametrize("days", [-400, -1, 0, 93, 40_000])
def test_a_day_in_the_past_or_too_far_is_refused(browser: Any, days: int) -> None:
    unlinked()
    until = timezone.localdate() + timedelta(days=days)

    answer = press(browser(), "uitstellen", tot=until.isoformat())

    assert answer.status_code == 422
    assert not WorkItemState.objects.filter(put_off_until__isnull=False).exists()


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-31", "1e9", "\0"])
def test_what_is_no_day_is_refused(browser: Any, text: str) -> None:
    unlinked()

    assert press(browser(), "uitstellen", tot=text).status_code == 422


# --- forgetting ----------------------------------------------------------------------------------


def test_agreements_about_what_is_gone_are_forgotten_and_notes_after_the_days_we_may() -> None:
    faults(1)
    key, user = only().key, UserFactory()
    for each in (key, "held"):
        take(key=each, user=user, now=NOW)
    now = timezone.now()
    for days in (1, 401):
        write_note(key="held", text=f"{days}", user=user, now=now - timedelta(days=days))

    pruned = prune(days=400, now=now)

    assert pruned.agreements == 2
    assert list(WorkItemState.objects.values_list("key", flat=True)) == [key]
    assert list(WorkNote.objects.values_list("text", flat=True)) == ["1"]
