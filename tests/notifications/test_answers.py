"""The page of answers, the alarm that a sender stands outside, and the last use of each login."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from backoffice.desk.home import home_page
from backoffice.desk.pruning import prune
from backoffice.explanations.services import explain
from notifications import body_search
from notifications.answers import answers, refused_now
from notifications.applying import apply_waiting
from notifications.login import current_logins
from notifications.logins import login_lines
from notifications.marks import new_test_subject
from notifications.masking import as_it_came
from notifications.models import CredentialUse, Notification, Refusal
from notifications.refusals import Counts
from notifications.uses import uses
from tests.factories import UserFactory
from tests.notifications.conftest import PASSWORD, USER, Sender, envelope
from tests.notifications.rows import prematch

pytestmark = pytest.mark.django_db

PAGE = "/admin/notifications/notification/antwoorden/"
EDU_IX = "203.0.113.9"


def refusal(reason: str, *, minutes: int = 5, source: str = EDU_IX, **more: Any) -> Refusal:
    minute = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    given = {"status": 500, "code": 2, "count": 3} | more
    return Refusal.objects.create(minute=minute, reason=reason, source=source, **given)


def let_in(*, minutes: int, source: str = EDU_IX) -> None:
    row = prematch("K-1")
    at = timezone.now() - timedelta(minutes=minutes)
    Notification.objects.filter(pk=row.pk).update(
        received_at=at, source=source, verdict=Notification.Verdict.APPLIED
    )


def page(*groups: str) -> str:
    client = Client()
    client.force_login(UserFactory(groups=list(groups)))
    response = client.get(PAGE)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("reason", [*Refusal.Reason.values, "accepted"])
def test_every_answer_has_words_of_its_own(reason: str) -> None:
    told = explain(f"own:door_{reason}")

    assert told.known
    assert told.steps


def test_answers_are_added_up_by_what_was_answered() -> None:
    let_in(minutes=30)
    let_in(minutes=10)
    refusal("login", minutes=8)
    refusal("login", minutes=3, source="198.51.100.1", count=1)
    refusal("not_xml", status=400, code=0, minutes=60)
    refusal("not_xml", status=400, code=0, minutes=60 * 25)

    found = [(line.status, line.code, line.count) for line in answers(timezone.now())]

    assert found == [(200, 0, 2), (500, 2, 4), (400, 0, 3)]
    [_good, login, _bad] = answers(timezone.now())
    assert [(sender.source, sender.count) for sender in login.senders] == [
        (EDU_IX, 3),
        ("198.51.100.1", 1),
    ]
    assert login.first_at < login.last_at
    assert not login.more_senders


def test_many_strangers_are_summed_up() -> None:
    for number in range(8):
        refusal("address", source=f"198.51.100.{number}", status=403, code=0, count=1)

    [line] = answers(timezone.now())

    assert line.count == 8
    assert len(line.senders) == 5
    assert line.more_senders


def test_an_invalid_delivery_and_a_test_are_not_counted_as_accepted() -> None:
    row = prematch("K-1")
    Notification.objects.filter(pk=row.pk).update(verdict="invalid")
    prematch(new_test_subject())

    assert answers(timezone.now()) == []


def test_the_page_asks_the_database_the_same_whatever_there_is() -> None:
    client = Client()
    client.force_login(UserFactory(groups=["Beheerder"]))
    client.get(PAGE)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        return len(captured)

    let_in(minutes=5)
    refusal("not_xml", status=400, code=0)
    few = queries()
    for reason in ("shape", "method", "too_large", "path"):
        for number in range(6):
            refusal(reason, source=f"198.51.100.{number}", code=0, status=400)
    assert queries() == few


def test_the_page_needs_the_right_to_see_what_was_refused() -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True))

    assert client.get(PAGE).status_code == 403
    assert "Verkeerd wachtwoord" not in page("Meelezer")


# --- the alarm ----------------------------------------------------------------------------------


def test_a_sender_that_only_gets_refused_is_an_alarm_with_the_time_it_began() -> None:
    let_in(minutes=180)
    refusal("login", minutes=200)  # before the last one that was let in
    refusal("login", minutes=90)
    refusal("login", minutes=4)

    found = refused_now(timezone.now())

    assert found is not None
    assert found.is_known
    assert found.count == 6
    assert timedelta(minutes=89) < timezone.now() - found.since < timedelta(minutes=92)
    assert found.sources == [EDU_IX]


@pytest.mark.parametrize(
    ("reason", "minutes", "accepted"),
    [("login", 5, 30), ("login", 61, 300), ("not_xml", 5, 300), ("path", 5, 300)],
    ids=["one was let in", "long ago", "about one message", "a robot"],
)
def test_no_alarm_without_a_reason(reason: str, minutes: int, accepted: int) -> None:
    let_in(minutes=accepted)
    refusal(reason, minutes=minutes)

    assert refused_now(timezone.now()) is None


def test_a_test_of_our_own_does_not_silence_the_alarm() -> None:
    refusal("login")
    prematch(new_test_subject())

    found = refused_now(timezone.now())

    assert found is not None
    assert not found.is_known


def test_the_workbench_shows_the_alarm_and_the_line_of_notifications_is_not_well() -> None:
    user = UserFactory(groups=["Beheerder"])
    refusal("login")

    shown = home_page(user)

    assert shown.refused is not None
    assert shown.refused.steps
    assert shown.silence is None
    [line] = [check for check in shown.checks if check.text.startswith(("refused", "geweigerd"))]
    assert not line.is_well
    client = Client()
    client.force_login(user)
    assert EDU_IX in client.get("/admin/").content.decode()


# --- wrong paths --------------------------------------------------------------------------------


def test_a_sender_at_a_wrong_path_is_counted_and_a_visitor_is_not(quiet_counts: Counts) -> None:
    client = Client(raise_request_exception=False)

    client.post("/soap/9.9/notification", b"<x/>", content_type="text/xml")
    client.get("/soap/9.9/notification")
    client.post("/nowhere")
    quiet_counts.flush()

    [row] = Refusal.objects.all()
    assert (row.status, row.reason, row.count, row.source) == (404, "path", 1, "127.0.0.1")


# --- logins -------------------------------------------------------------------------------------

OLD, NEW = (USER, PASSWORD), (USER, "another-long-password-for-tests-01")


@pytest.fixture
def two(settings: Settings) -> None:
    settings.NOTIFICATION_CREDENTIALS = [OLD, NEW]


@pytest.mark.django_db(transaction=True)
def test_two_passwords_of_one_name_are_told_apart(two: None, door: Sender) -> None:
    body = envelope("prematch_linked")
    for _turn in range(3):
        assert door.post(body).status == 200
    assert door.post(body.replace(PASSWORD.encode(), NEW[1].encode())).status == 200
    assert door.post(body.replace(PASSWORD.encode(), b"wrong")).status == 500
    uses.flush()
    assert door.post(body).status == 200
    uses.flush()

    old, new = login_lines(timezone.now())

    assert (old.name, old.today, new.name, new.today) == (USER, 4, USER, 1)
    assert old.last_used_at is not None
    stored = " ".join(str(row) for row in CredentialUse.objects.values_list())
    assert PASSWORD not in stored
    assert NEW[1] not in stored


@pytest.mark.parametrize(
    ("old_days", "new_days", "known_days", "tones"),
    [
        (1, None, 3, ["ok", "idle"]),
        (1, None, 30, ["ok", "wait"]),
        (8, 1, 30, ["wait", "ok"]),
        (6, 1, 30, ["ok", "ok"]),
        (8, 9, 30, ["wait", "wait"]),
        (None, 1, 30, ["wait", "ok"]),
        (None, 1, 3, ["idle", "ok"]),
    ],
)
def test_the_old_login_may_go_when_the_other_took_over_a_week_ago(
    two: None, old_days: int | None, new_days: int | None, known_days: int, tones: list[str]
) -> None:
    now = timezone.now()
    for user, days in zip(current_logins().users, (old_days, new_days), strict=True):
        CredentialUse.objects.create(
            key=user.key,
            seen_at=now - timedelta(days=known_days),
            last_used_at=None if days is None else now - timedelta(days=days),
        )

    lines = login_lines(now)

    assert [line.tone for line in lines] == tones
    may_go = [line for line in lines if re.search(r"may go|kan (die )?weg", line.note)]
    unused = [number for number, tone in enumerate(tones, 1) if tone == "wait"]
    assert [line.number for line in may_go] == (unused if "ok" in tones else [])


def test_a_database_that_is_down_gets_the_uses_later(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.utils import OperationalError

    from notifications import uses as module

    def down(_taken: object) -> None:
        raise OperationalError("down")

    [user] = current_logins().users
    uses.note(user.key, timezone.now())
    with monkeypatch.context() as patched:
        patched.setattr(module, "write", down)
        uses.flush()
    uses.note(user.key, timezone.now())
    uses.flush()

    [line] = login_lines(timezone.now())
    assert line.today == 2


def test_no_password_is_on_the_page_or_in_a_session(two: None) -> None:
    text = page("Beheerder")

    assert text.count(USER) >= 2
    assert PASSWORD not in text
    assert NEW[1] not in text
    assert not [row for row in Session.objects.all() if PASSWORD in str(row.get_decoded())]


def test_the_page_shows_who_may_deliver_beside_who_was_kept_out(settings: Settings) -> None:
    settings.NOTIFICATION_ALLOWED_IPS = ["192.0.2.0/24"]
    settings.BACKOFFICE_TRUSTED_PROXIES = ["10.1.2.3"]
    refusal("address", status=403, code=0, source="198.51.100.77")
    refusal("login", source="198.51.100.78")

    text = page("Meelezer")

    kept_out = text[text.index("NOTIFICATION_ALLOWED_IPS</span>") :]
    assert "192.0.2.0/24" in kept_out
    assert "10.1.2.3" in kept_out
    assert "198.51.100.77" in kept_out
    assert "198.51.100.78" not in kept_out


def test_tests_are_deleted_after_a_day_and_nothing_else() -> None:
    now = timezone.now()
    _old, new, unseen = (prematch(new_test_subject()) for _ in range(3))
    real = prematch("K-1")
    apply_waiting()
    Notification.objects.filter(pk=unseen.pk).update(verdict=Notification.Verdict.WAITING)
    Notification.objects.exclude(pk=new.pk).update(received_at=now - timedelta(days=2))

    prune(days=400, now=now)

    # The worker has not seen the third: it goes when that has been.
    assert set(Notification.objects.values_list("pk", flat=True)) == {new.pk, unseen.pk, real.pk}
    apply_waiting()
    prune(days=400, now=now)
    assert set(Notification.objects.values_list("pk", flat=True)) == {new.pk, real.pk}


# --- searching in bodies, and the body as it came -----------------------------------------------


def with_body(subject: str, body: str, *, days: int = 0) -> Notification:
    row = prematch(subject)
    Notification.objects.filter(pk=row.pk).update(
        raw=body.encode(), received_at=timezone.now() - timedelta(days=days)
    )
    return row


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("K-1", ["K-1"]),
        ("Łódź", ["K-2"]),
        ("a & b", ["K-2"]),
        ("K-1 ", ["K-1"]),
        ("nobody", []),
        ("lo", []),
        ("old words", []),
        ("%", []),
    ],
)
def test_a_piece_of_the_body_is_found_among_the_newest(typed: str, found: list[str]) -> None:
    with_body("K-1", "<x>hello</x>")
    with_body("K-2", "<x>Łódź K-1 a &amp; b</x>")
    with_body("K-3", "<x>old words</x>", days=8)
    client = Client()
    client.force_login(UserFactory(groups=["Meelezer"]))

    shown = client.get("/admin/notifications/notification/", {"q": typed})

    assert [row.subject for row in shown.context["cl"].result_list] == found


def test_searching_stops_at_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [with_body(f"K-{number}", "<x>hello</x>") for number in range(5)]
    monkeypatch.setattr(body_search, "NEWEST", 3)

    assert body_search.with_text("hello", timezone.now()) == [row.pk for row in rows[:1:-1]]


def test_the_body_as_it_came_differs_in_the_eck_id_only() -> None:
    body = envelope("prematch_linked")
    [eck_id] = re.findall(rb"<n:eckID>(\w+)<", body)

    text = as_it_came(body, "text/xml; charset=utf-8")

    assert text == body.decode().replace(eck_id.decode(), "…" + eck_id.decode()[-6:])


@pytest.mark.parametrize(
    "hidden",
    ["&#101;" * 128, "<![CDATA[ee]]>" + "e" * 126, "<b>e</b>" + "e" * 127, "e<!-- -->" * 128],
)
def test_a_body_that_hides_its_eck_id_is_not_shown_as_it_came(hidden: str) -> None:
    body = f"<x><eckID>{hidden}</eckID></x>".encode()

    assert as_it_came(body, "text/xml; charset=utf-8") == ""


def test_a_test_stands_in_the_list_as_a_test_and_not_among_what_needs_somebody() -> None:
    row = prematch(new_test_subject())
    Notification.objects.update(verdict="test")
    client = Client()
    client.force_login(UserFactory(groups=["Beheerder"]))
    title = explain("own:notification_test").title

    everything = client.get("/admin/notifications/notification/").content.decode()
    attention = client.get("/admin/notifications/notification/", {"group": "attention"})
    alone = client.get(f"/admin/notifications/notification/{row.pk}/change/").content.decode()

    assert title in everything
    assert title in alone
    assert not list(attention.context["cl"].result_list)
