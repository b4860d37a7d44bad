"""`manage.py replay`, and replaying what was told in pieces."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from credits.models import SchoolCredit
from notifications.applying import apply_waiting
from notifications.models import Notification
from notifications.services import corrections_told, replay
from persons.models import Person
from tests.factories import PersonFactory, SchoolCreditFactory
from tests.notifications.rows import in_pieces, piece, prematch, specification, verdicts

pytestmark = pytest.mark.django_db(transaction=True)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("replay", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def dead(*rows: Notification) -> None:
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(
        verdict="dead", tries=5, traceback="Traceback of old"
    )


def test_of_ten_old_and_one_new_one_is_applied() -> None:
    PersonFactory(distributor_person_id="K-1")
    rows = [prematch("K-1", f"u{number}") for number in range(11)]
    dead(*rows)

    text = said("--open")

    assert text.splitlines() == ["1 applied", "10 superseded"]
    assert verdicts(*rows) == [*["superseded"] * 10, "applied"]
    assert Person.objects.get().user_id == "u10"
    assert not Notification.objects.exclude(traceback="").exists()


def test_what_is_not_chosen_stays_as_it_is() -> None:
    PersonFactory(distributor_person_id="K-1")
    PersonFactory(distributor_person_id="K-2")
    one, other, unknown = prematch("K-1", "a"), prematch("K-2", "b"), prematch("K-9")
    dead(one, other)

    assert said(str(one.pk)) == "1 applied\n"
    assert said("--subject", "K-9") == "1 unmatched\n"
    assert verdicts(one, other, unknown) == ["applied", "dead", "unmatched"]
    assert said("--verdict", "dead") == "1 applied\n"
    assert said("--all") == "2 applied\n1 unmatched\n"


def test_what_fails_again_is_told_and_is_no_success(broken: Callable[[], None]) -> None:
    PersonFactory(distributor_person_id="K-1")
    row = prematch("K-1")
    dead(row)

    with pytest.raises(CommandError, match="1 failed again"):
        said("--open")

    row.refresh_from_db()
    assert (row.verdict, row.tries) == ("failed", 1)
    assert "the handler is broken" in row.traceback
    assert "of old" not in row.traceback


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say which"),
        (["--open"], "no such"),
        (["--subject", "K-77"], "no such"),
        (["12"], "no notification 12"),
        (["9" * 30], "no notification 999"),
        (["twelve"], "twelve is not"),
    ],
)
def test_a_choice_of_nothing_is_one_clear_line(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said(*arguments)


def test_pieces_are_put_together_again_by_the_newest() -> None:
    SchoolCreditFactory(distributor_school_credit_id="S-1", push_state="in_sync")
    rows = [in_pieces("S-1", piece(number, amount=number)) for number in (5, 9, 7)]
    apply_waiting()
    lost = in_pieces("S-1", piece(6, amount=100))
    dead(lost)
    SchoolCredit.objects.update(specified=0, specification_state="", specification_changed_at=None)

    result = replay(notifications=Notification.objects.all())

    assert dict(result.verdicts) == {"applied": 1, "superseded": 3}
    assert verdicts(*rows, lost) == ["superseded", "applied", "superseded", "superseded"]
    assert SchoolCredit.objects.get().specified == 121


def test_a_licence_block_does_not_stand_for_a_specification_nor_43_for_40() -> None:
    SchoolCreditFactory(distributor_school_credit_id="S-1", push_state="in_sync")
    block = piece(1) | {"block_type": "Block", "specification_id": "Q5"}
    rows = [
        specification("S-1", None),
        in_pieces("S-1", piece(5, amount=20)),
        in_pieces("S-1", license_block=[block]),
    ]
    dead(*rows)

    result = replay(notifications=Notification.objects.all())

    assert sum(result.verdicts.values()) == 3
    assert SchoolCredit.objects.get().specified > 0
    assert "dead" not in verdicts(*rows)


def test_the_returns_of_a_credit_are_those_last_told_in_whatever_version() -> None:
    SchoolCreditFactory(distributor_school_credit_id="S-1", push_state="in_sync")
    assert corrections_told(subject="S-1") == []
    specification("S-1", None, correction=309)
    apply_waiting()
    old = [entry["error_code"] for entry in corrections_told(subject="S-1")]
    for number in (8, 6):
        in_pieces("S-1", piece(number - 1), correction=[piece(number, 300 + number)])
    in_pieces("S-1", piece(9))
    Notification.objects.filter(verdict="waiting").update(verdict="applied")

    assert old == [309]
    assert [entry["error_code"] for entry in corrections_told(subject="S-1")] == [306, 308]


def test_many_notifications_of_few_subjects_take_few_applications(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    PersonFactory(distributor_person_id="K-1")
    dead(*[prematch("K-1", f"u{number}") for number in range(60)])

    with django_assert_max_num_queries(25):  # type: ignore[attr-defined]
        replay(notifications=Notification.objects.all())

    assert Person.objects.get().user_id == "u59"
