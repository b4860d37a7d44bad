"""The nginx that we ship, in front of the door: what it passes on, and what it refuses itself."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as product
from pytest_django import Settings

from notifications.framing import MAX_BYTES
from notifications.models import Notification
from tests import nginx
from tests.conftest import need
from tests.notifications.bodies import GOOD
from tests.notifications.conftest import PATH, Sender
from tests.notifications.test_granian import chunked

pytestmark = pytest.mark.service


@pytest.fixture
def proxy(door: Sender, settings: Settings, tmp_path: Path) -> Iterator[nginx.Proxy]:
    need(not nginx.missing(), ", ".join(nginx.PROGRAMS))
    settings.BACKOFFICE_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.ALLOWED_HOSTS = [nginx.NAME]
    with nginx.running(tmp_path, door.port) as running:
        yield running


def asked(proxy: nginx.Proxy, request: bytes) -> bytes:
    """The first part of the answer, over TLS."""
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as sock,
        proxy.context.wrap_socket(sock, server_hostname=nginx.NAME) as secure,
    ):
        secure.sendall(request)
        return secure.recv(65536)


def head(*lines: str) -> bytes:
    own = (f"POST {PATH} HTTP/1.1", f"Host: {nginx.NAME}", "Content-Type: text/xml")
    return "\r\n".join((*own, "Connection: close", *lines, "", "")).encode()


def test_nginx_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    need(not nginx.missing(), ", ".join(nginx.PROGRAMS))
    nginx.prepare(tmp_path, 8000)

    assert nginx.verdict(tmp_path) == ""


def test_a_delivery_is_stored_as_it_was_sent(proxy: nginx.Proxy) -> None:
    answer = asked(proxy, head("Transfer-Encoding: chunked") + chunked(GOOD, 300))

    assert answer.startswith(b"HTTP/1.1 200")
    assert Notification.objects.get().raw_sha256 == hashlib.sha256(GOOD).hexdigest()


def test_what_a_sender_says_of_its_address_is_dropped(proxy: nginx.Proxy) -> None:
    lies = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http")

    asked(proxy, head(*lies, f"Content-Length: {len(GOOD)}") + GOOD)

    assert Notification.objects.get().source == "127.0.0.1"


def test_the_door_knows_that_it_was_called_over_https(
    proxy: nginx.Proxy, settings: Settings
) -> None:
    settings.BACKOFFICE_ENV = "production"

    answer = asked(proxy, head(f"Content-Length: {len(GOOD)}") + GOOD)

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("path", "status"), [(PATH, b"403"), ("/admin/", b"301")])
def test_plain_http_is_sent_to_https_but_for_notifications(
    proxy: nginx.Proxy, path: str, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", proxy.plain_port), timeout=20) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {nginx.NAME}\r\n\r\n".encode())
        answer = sock.recv(65536)

    assert answer.split()[1] == status


def test_a_body_over_the_limit_is_refused_at_once(proxy: nginx.Proxy) -> None:
    answer = asked(proxy, head(f"Content-Length: {MAX_BYTES + 1}"))

    assert answer.startswith(b"HTTP/1.1 413")


def test_its_limits_are_those_of_the_program() -> None:
    text = nginx.SHIPPED.read_text()

    sizes = re.findall(r"client_max_body_size +(\d+)([km]);", text)
    endpoint, office = (int(size) << {"k": 10, "m": 20}[unit] for size, unit in sizes)
    assert endpoint == MAX_BYTES
    assert product.IMPORT_MAX_BYTES < office < product.IMPORT_MAX_BYTES + 2 * 2**20
