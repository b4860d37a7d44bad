"""The daily mail over real SMTP, by several workers at once, and with a server that refuses."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from backoffice.desk import digest_sending
from backoffice.desk.digest_models import Digest
from backoffice.desk.digest_sending import NotSent, digest_daily, send
from backoffice.outbox.delivery import Drainer
from tests.desk.mail_server import MailServer, mail_server
from tests.factories import SchoolFactory, UserFactory

MORNING = datetime(2026, 11, 20, 6, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def smtp(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "back-office@office.example.nl"
        settings.BACKOFFICE_DIGEST_AT = time(0, 0)
        digest_sending._looked.clear()
        yield server


@pytest.fixture
def user() -> User:
    made = UserFactory(username="fatima", first_name="Fatima", email="fatima@example.nl")
    SchoolFactory(account_manager=made, name="Het Baken")
    return made


def test_a_real_server_gets_one_plain_readable_message(smtp: MailServer, user: User) -> None:
    assert send(user, MORNING)

    [text] = smtp.received
    message = email.message_from_string(text, policy=email.policy.default)
    assert message["To"] == "fatima@example.nl"
    assert message["From"] == "back-office@office.example.nl"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].startswith(f"<digest-20261120-{user.pk}@")
    assert message.get_content_type() == "text/plain"
    assert max(map(len, message.get_content().splitlines())) <= 78


def test_of_several_workers_at_once_one_sends_it(smtp: MailServer, user: User) -> None:
    barrier = threading.Barrier(4)
    sent: list[bool] = []

    def work() -> None:
        try:
            barrier.wait()
            sent.append(send(user, MORNING))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(sent) == [False, False, False, True]
    assert len(smtp.received) == 1


def test_the_worker_sends_it_beside_its_other_work(smtp: MailServer, user: User) -> None:
    other = UserFactory(email="jan@example.nl")
    SchoolFactory(account_manager=other)
    drainer = Drainer(connections=0)

    for _ in range(3):
        drainer._background()

    assert len(smtp.received) == 2
    assert Digest.objects.exclude(sent_at=None).count() == 2


def test_a_server_that_refuses_gets_it_later_and_addresses_stay_out_of_the_log(
    smtp: MailServer, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    smtp.refuse_with = "451 <fatima@example.nl>: try later"
    with pytest.raises(NotSent, match=r"^SMTPRecipientsRefused 451$"):
        send(user, MORNING)
    row = Digest.objects.get()
    assert (row.tries, row.sent_at, row.items) == (1, None, {})
    assert "fatima@example.nl" not in caplog.text

    smtp.refuse_with = ""
    Digest.objects.update(lease_until=MORNING)
    assert send(user, MORNING + timedelta(minutes=10))

    row.refresh_from_db()
    assert (row.tries, row.failure) == (2, "")
    assert len(smtp.received) == 1


def test_a_server_that_is_not_there_costs_the_worker_nothing(
    user: User, settings: Any, smtp: MailServer
) -> None:
    settings.EMAIL_PORT = 1

    assert digest_daily() == 0

    row = Digest.objects.get()
    assert row.failure == "ConnectionRefusedError: Connection refused"
    assert row.lease_until > timezone.now() + timedelta(minutes=4)
