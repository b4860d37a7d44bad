"""What stands in the daily mail, and what never does."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.core.management import CommandError, call_command

from backoffice.desk.digest import cause_of, contents_for
from backoffice.desk.digest_models import Digest
from backoffice.desk.digest_sending import (
    LEASE,
    NotSent,
    digest_daily,
    mail_to,
    send,
    waiting,
)
from backoffice.desk.work import MINE, SCHOOL, work_items
from backoffice.jobs.models import Job
from backoffice.outbox import stops
from backoffice.outbox.models import Attempt, Message, PushState
from credits.models import PersonCredit
from credits.status import CreditStatus
from notifications.models import Notification
from persons.models import School, SchoolPerson
from tests.desk.digest.conftest import MORNING
from tests.factories import (
    PersonCreditFactory,
    PersonFactory,
    SchoolFactory,
    SchoolPersonFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


YESTERDAY = MORNING - timedelta(days=1)


CANARY = "Zwaluwstaart"


def refused_at(school: School, *, code: int = -4967, at: datetime = YESTERDAY) -> SchoolPerson:
    """A pupil of this school whom Edu-iX refused."""
    person = PersonFactory(
        surname=CANARY,
        email=f"{CANARY}{code}{at:%H}@example.nl",
        push_state=PushState.REFUSED,
        push_code=code,
        push_text=f"{CANARY} is refused",
        push_changed_at=at,
    )
    return SchoolPersonFactory(person=person, school=school, push_state=PushState.IN_SYNC)


def unlinked_at(school: School) -> None:
    link = SchoolPersonFactory(
        school=school,
        person=PersonFactory(push_state=PushState.IN_SYNC),
        push_state=PushState.IN_SYNC,
    )
    PersonCreditFactory(
        school_person=link,
        status=CreditStatus.WAITING_FOR_PREMATCH,
        push_state=PushState.IN_SYNC,
        registered_at=YESTERDAY,
        push_changed_at=YESTERDAY,
    )


def text_for(user: User, now: datetime = MORNING) -> str:
    return mail_to(user, now, "en")[0].text


# --- what stands in it ---------------------------------------------------------------------------


def test_it_counts_what_the_work_lists_count(user: User, school: School) -> None:
    for code in (-4967, -5022):
        refused_at(school, code=code)
    unlinked_at(school)
    refused_at(SchoolFactory(), code=-5042)

    contents = contents_for(user, MORNING)
    items = work_items(now=MORNING, account_manager=user)

    assert [line.item for line in contents.mine] == [one for one in items if one.list == MINE]
    assert sorted(line.item.key for line in contents.lines) == sorted(one.key for one in items)
    assert sum(line.item.rows for line in contents.lines) == sum(one.rows for one in items) == 3
    text = text_for(user)
    for one in items:
        assert re.search(rf"^ +{one.number}  {re.escape(one.title[:30])}", text, re.MULTILINE)
    assert not any("5042" in one.key for one in items)


def test_new_still_open_and_solved_are_told_by_the_mail_of_yesterday(
    user: User, school: School
) -> None:
    stays = refused_at(school, code=-4967)
    goes = refused_at(school, code=-5022)
    unlinked_at(school)
    send(user, YESTERDAY, "en")
    type(goes.person).objects.filter(pk=goes.person_id).update(push_state=PushState.IN_SYNC)
    PersonCredit.objects.update(status=CreditStatus.USABLE)
    refused_at(school, code=-4967, at=MORNING)  # an hour of its own, and the same cause
    refused_at(school, code=-5042, at=MORNING)

    contents = contents_for(user, MORNING)

    fresh = {line.item.key.split(":")[2] for line in contents.mine if line.is_new}
    assert fresh == {"5042"}
    assert {line.before for line in contents.mine if not line.is_new} == {1}
    assert sorted((one.is_by_itself, one.rows) for one in contents.gone) == [(False, 1), (True, 1)]
    text = text_for(user)
    assert "1 new, 2 still open, 2 solved" in text
    assert "[was 1]" in text
    assert "(by itself)" in text
    assert stays.person.surname not in text


def test_the_first_mail_calls_nothing_new(user: User, school: School) -> None:
    refused_at(school)

    text = text_for(user)

    assert "This is your first overview: 1 still open." in text
    assert "[new]" not in text


def test_what_needs_the_reader_comes_first_with_an_address_that_works(
    user: User, school: School, settings: Any
) -> None:
    settings.BACKOFFICE_PUBLIC_URL = "https://office.example.nl"
    unlinked_at(school)
    refused_at(school)

    text = text_for(user)

    assert text.index("THIS NEEDS YOU") < text.index("WAITS FOR SCHOOL")
    [line] = contents_for(user, MORNING).mine
    assert f"https://office.example.nl{line.item.url}" in text
    assert contents_for(user, MORNING).lists[SCHOOL]


def test_a_quiet_day_says_so(user: User, school: School) -> None:
    mail, _snapshot = mail_to(user, MORNING, "en")

    assert mail.subject == "Edu-iX 20 November: nothing needs you"
    assert "All is equal" in mail.text


def test_no_pupil_is_named_anywhere(user: User, school: School) -> None:
    refused_at(school)
    Job.objects.create(kind="import_persons", status="failed", title=f"{CANARY}.csv")
    Notification.objects.create(
        kind="prematchChanged",
        raw=CANARY.encode(),
        raw_sha256="0" * 64,
        raw_length=1,
        subject=CANARY,
        received_at=MORNING,
        verdict="dead",
        reason=CANARY,
    )

    send(user, MORNING)

    [sent] = outbox.outbox
    assert CANARY.lower() not in sent.message().as_string().lower()
    assert CANARY.lower() not in sent.body.lower()
    assert CANARY.lower() not in str(Digest.objects.values()).lower()


def test_failures_of_every_kind_appear(user: User, school: School) -> None:
    job = Job.objects.create(kind="import_persons", status="failed", title="x.csv")
    Job.objects.filter(pk=job.pk).update(finished_at=MORNING)
    message = Message.objects.create(
        operation="person.push", subject="person:1", chain="person:1", due_at=MORNING
    )
    Attempt.objects.create(
        message=message, fence=1, started_at=MORNING, finished_at=MORNING, outcome="broken"
    )
    for number in range(2):
        Notification.objects.create(
            kind="prematchChanged",
            raw=b"",
            raw_sha256=str(number) * 64,
            raw_length=0,
            received_at=MORNING,
            verdict="dead",
        )
    stops.note_trouble("reconcile_nightly", KeyError("a secret"))

    text = text_for(user)

    for words in (
        "1 import broke off",
        "1 message met an unforeseen error",
        "2 notifications were given up",
        "The worker could not do “reconcile_night” (KeyError)",
        "Worker: action needed",
    ):
        assert words in text
    assert "a secret" not in text


def test_a_failure_is_told_once(user: User, school: School) -> None:
    job = Job.objects.create(kind="import_persons", status="failed", title="x.csv")
    Job.objects.filter(pk=job.pk).update(finished_at=YESTERDAY)
    send(user, YESTERDAY)
    Digest.objects.update(sent_at=YESTERDAY)

    assert not contents_for(user, MORNING).troubles


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("refused:person:4967::2026-11-21 08", "refused:person:4967::"),
        ("prematch:12", "prematch:12"),
        ("uncertain", "uncertain"),
    ],
)
def test_the_hour_of_a_refusal_is_no_part_of_its_cause(key: str, cause: str) -> None:
    from backoffice.desk.work_keys import Key, read_key

    text = str(Key("refused", ("person", "4967", "", "2026-11-21 08"))) if "08" in key else key
    assert str(read_key(text)) == text
    assert cause_of(text) == cause


# --- once ----------------------------------------------------------------------------------------


def test_it_goes_out_once_a_day(user: User, school: School) -> None:
    assert send(user, MORNING)
    assert not send(user, MORNING + timedelta(hours=3))
    assert not list(waiting(MORNING + timedelta(hours=3)))
    assert send(user, MORNING + timedelta(days=1))

    assert len(outbox.outbox) == 2
    assert len({one.extra_headers["Message-ID"] for one in outbox.outbox}) == 2


def test_what_a_dead_worker_left_is_sent_by_the_next_under_the_same_name(
    user: User, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_args: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", die)
        with pytest.raises(KeyboardInterrupt):
            send(user, MORNING)
    Digest.objects.update(lease_until=MORNING + LEASE)  # it counts from the real clock
    assert not send(user, MORNING + timedelta(minutes=4))

    assert send(user, MORNING + timedelta(minutes=6))
    [sent] = outbox.outbox
    assert sent.extra_headers["Message-ID"].startswith(f"<digest-20261120-{user.pk}@")


def test_a_refused_mail_is_written_down_shown_and_sent_later(
    user: User,
    school: School,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from backoffice.desk.running import running

    def refuse(*_args: Any, **_options: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        with pytest.raises(NotSent):
            send(user, MORNING)

    row = Digest.objects.get()
    assert row.sent_at is None
    assert row.failure == "ConnectionRefusedError: Connection refused"
    assert "digest_not_sent" in caplog.text
    [check] = [one for one in running(MORNING).checks if one.name == "Daily mail"]
    assert check.word == "wait"
    assert "ConnectionRefusedError" in check.text
    assert not list(waiting(MORNING))

    Digest.objects.update(lease_until=MORNING)
    assert [one.pk for one in waiting(MORNING)] == [user.pk]
    assert send(user, MORNING)
    [check] = [one for one in running(MORNING).checks if one.name == "Daily mail"]
    assert (check.word, check.text) == ("ok", "sent to 1 colleague")


def test_a_mail_that_cannot_be_made_stops_nobody_elses(
    user: User, school: School, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    from backoffice.desk import digest_sending

    settings.BACKOFFICE_DIGEST_AT = time(0, 0)
    other = UserFactory(email="jan@example.nl")
    SchoolFactory(account_manager=other)
    made = contents_for

    def broken_for_the_first(who: User, now: datetime) -> Any:
        if who == user:
            raise KeyError("nobody foresaw this")
        return made(who, now)

    monkeypatch.setattr(digest_sending, "contents_for", broken_for_the_first)
    for _ in range(3):
        digest_sending._looked.clear()
        digest_daily()

    assert [one.to for one in outbox.outbox] == [["jan@example.nl"]]
    assert Digest.objects.get(user=user).failure == "KeyError"


# --- by hand -------------------------------------------------------------------------------------


def test_a_dry_run_prints_it_and_sends_nothing(
    user: User, school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("digest", "--to", "fatima", "--dry-run", "--lang", "en")

    printed = capsys.readouterr().out
    assert "To: fatima@example.nl" in printed
    assert "Good morning, Fatima," in printed
    assert not outbox.outbox
    assert not Digest.objects.exists()


def test_by_hand_it_goes_out_once_too_unless_one_says_again(user: User, school: School) -> None:
    for _ in range(2):
        call_command("digest", "--all")
    assert len(outbox.outbox) == 1

    call_command("digest", "--to", "fatima", "--again")
    assert len(outbox.outbox) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "nobody"], "There is no colleague nobody"),
        (["--to", "jan"], "looks after no school"),
        (["--all"], "No account manager"),
    ],
)
def test_what_is_missing_is_said(arguments: list[str], words: str) -> None:
    UserFactory(username="jan", email="jan@example.nl")

    with pytest.raises(CommandError, match=words):
        call_command("digest", *arguments)
