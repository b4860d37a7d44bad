"""A test notification over a real socket to our own door, and where it stops."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from backoffice.desk.home import home_page
from notifications import self_test
from notifications.applying import apply_waiting
from notifications.models import CredentialUse, Notification, Refusal
from notifications.refusals import Counts
from notifications.self_test import Walk, send_test
from notifications.self_test_words import steps_of
from notifications.uses import uses
from persons.models import Person
from tests.factories import UserFactory
from tests.notifications.conftest import PASSWORD, USER, Sender

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/notifications/notification/antwoorden/"
SEND = f"{PAGE}test/"


@pytest.fixture
def own_door(door: Sender, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """The door under the address that we have of ourselves."""
    settings.BACKOFFICE_PUBLIC_URL = f"http://127.0.0.1:{door.port}"
    monkeypatch.setattr(self_test, "SECONDS", 1.0)
    return door


@pytest.fixture
def worker() -> Iterator[None]:
    """Applies what is stored, as the worker does, until the test ends."""
    stop = threading.Event()

    def work() -> None:
        from django.db import connections

        while not stop.wait(0.02):
            apply_waiting()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def writing(quiet_counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door's counts are written while the test is looking."""
    wait = time.sleep

    def flush_and_wait(seconds: float) -> None:
        quiet_counts.flush()
        wait(seconds)

    monkeypatch.setattr(time, "sleep", flush_and_wait)


def send(password: str = PASSWORD) -> Walk:
    return send_test(username=USER, password=password)


def tones(walk: Walk) -> list[str]:
    return [step.tone for step in steps_of(walk)]


def test_all_the_way(own_door: Sender, worker: None) -> None:
    walk = send()

    assert tones(walk) == ["ok"] * 4
    [row] = Notification.objects.all()
    assert (row.verdict, row.subject) == ("test", walk.subject)
    assert not Person.objects.exists()


def test_it_counts_nowhere(own_door: Sender, worker: None) -> None:
    send()
    uses.flush()

    shown = home_page(UserFactory(groups=["Beheerder"]))

    assert Notification.objects.count() == 1
    assert shown.chart.total == 0
    assert not [check for check in shown.checks if "1" in check.text and "vandaag" in check.text]
    assert not CredentialUse.objects.exclude(last_used_at=None).exists()


def test_without_a_worker_it_stops_after_storing(own_door: Sender) -> None:
    walk = send()

    assert tones(walk) == ["ok", "ok", "ok", "bad"]
    assert walk.problem == "not_applied"


def test_a_wrong_password_says_so_and_is_no_refusal_from_outside(
    own_door: Sender, writing: None
) -> None:
    walk = send("something-else")

    assert tones(walk) == ["ok", "bad", "idle", "idle"]
    assert (walk.status, walk.code, walk.reason, walk.source) == (500, 2, "login", "127.0.0.1")
    assert not Refusal.objects.exists()
    assert not Notification.objects.exists()


def test_the_refusals_of_others_stay_counted(own_door: Sender, writing: None) -> None:
    for _turn in range(3):
        own_door.post(b"hello")
    send("something-else")

    assert list(Refusal.objects.values_list("reason", "count")) == [("not_xml", 3)]


def test_our_own_address_may_miss_on_the_list(
    own_door: Sender, writing: None, settings: Settings
) -> None:
    settings.NOTIFICATION_ALLOWED_IPS = ["192.0.2.1"]

    walk = send()

    assert (walk.status, walk.reason) == (403, "address")
    [_reached, accepted, *_rest] = steps_of(walk)
    assert "127.0.0.1" in accepted.text
    assert "NOTIFICATION_ALLOWED_IPS" in accepted.todo


@contextlib.contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A server that is not ours; None: it takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    done.wait(5)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join()


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("answer", "problem", "reached"),
    [
        (http("301 Moved", b"", "Location: http://127.0.0.1:1/"), "redirect", True),
        (http("502 Bad Gateway"), "gateway", True),
        (http("200 OK", b"<h1>Welcome</h1>"), "not_ours", True),
        (http("200 OK", b"<r:prematchChangedResponse/>"), "not_stored", True),
        (http("401 Unauthorized"), "refused", True),
        (b"hello", "unreachable", False),
        (None, "timeout", False),
    ],
    ids=["redirect", "gateway", "a page", "another copy", "a gate", "no http", "silence"],
)
def test_whatever_else_answers_is_named(
    answer: bytes | None,
    problem: str,
    reached: bool,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(self_test, "SECONDS", 0.3)
    monkeypatch.setattr(self_test, "CONNECT_SECONDS", 0.3)
    with answering(answer) as port:
        settings.BACKOFFICE_PUBLIC_URL = f"http://127.0.0.1:{port}"
        walk = send()

    assert (walk.problem, walk.is_reached) == (problem, reached)
    [stopped] = [step for step in steps_of(walk) if step.tone == "bad"]
    assert stopped.text
    assert stopped.todo


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://127.0.0.1:1", "unreachable"),
        ("https://127.0.0.1:1", "unreachable"),
        ("http://does-not-exist.invalid", "name"),
    ],
)
def test_an_address_where_nobody_is(address: str, problem: str, settings: Settings) -> None:
    settings.BACKOFFICE_PUBLIC_URL = address

    assert send().problem == problem


def test_https_that_is_no_https(settings: Settings) -> None:
    with answering(http("400 Bad Request")) as port:
        settings.BACKOFFICE_PUBLIC_URL = f"https://127.0.0.1:{port}"
        walk = send()

    assert walk.problem == "tls"


# --- the button ---------------------------------------------------------------------------------


@pytest.fixture
def keeper() -> Client:
    """Somebody who may send a test; the groups are gone in a database without rollback."""
    return client_of("view_notification", "view_refusal", "replay_notification")


def client_of(*rights: str) -> Client:
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def test_the_button_shows_the_steps_once(own_door: Sender, worker: None, keeper: Client) -> None:
    shown = keeper.post(SEND, {"login": "1"}, follow=True).content.decode()

    assert shown.count('class="dot ok"') == 4
    assert PASSWORD not in shown
    assert 'class="dot' not in keeper.get(PAGE).content.decode()


@pytest.mark.parametrize("login", ["0", "2", "-1", "x", ""])
def test_a_login_that_is_not_there_sends_nothing(
    own_door: Sender, keeper: Client, login: str
) -> None:
    shown = keeper.post(SEND, {"login": login}, follow=True)

    assert shown.status_code == 200
    assert not Notification.objects.exists()


def test_without_any_login_it_says_so(own_door: Sender, keeper: Client, settings: Settings) -> None:
    settings.NOTIFICATION_CREDENTIALS = []

    shown = keeper.post(SEND, {"login": "1"}, follow=True).content.decode()

    assert shown.count("NOTIFICATION_CREDENTIALS") >= 2
    assert 'class="dot' not in shown


def test_others_may_look_and_not_send(own_door: Sender, keeper: Client) -> None:
    reader = client_of("view_notification", "view_refusal")

    assert f'action="{SEND}"' not in reader.get(PAGE).content.decode()
    assert f'action="{SEND}"' in keeper.get(PAGE).content.decode()
    assert reader.post(SEND, {"login": "1"}).status_code == 403
    assert client_of("replay_notification").post(SEND, {"login": "1"}).status_code == 403
    assert keeper.get(SEND).status_code == 405
    assert not Notification.objects.exists()


def test_the_chosen_login_is_used(
    own_door: Sender, worker: None, keeper: Client, settings: Settings
) -> None:
    settings.NOTIFICATION_CREDENTIALS = [("wrong & old", "p" * 20), ("<new>", "a&b<c>" * 4)]

    keeper.post(SEND, {"login": "2"})

    [row] = Notification.objects.all()
    assert row.credential == "<new>"
