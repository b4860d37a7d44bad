"""A real server in front of the real application, and a sender that speaks raw HTTP to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.db import connections
from pytest_django import Settings

from notifications import taking_over
from notifications.refusals import Counts, counts
from notifications.uses import Uses, uses
from tests.notifications.sending import PASSWORD as PASSWORD
from tests.notifications.sending import PATH as PATH
from tests.notifications.sending import SOAP as SOAP
from tests.notifications.sending import USER as USER
from tests.notifications.sending import Response as Response
from tests.notifications.sending import Sender as Sender
from tests.notifications.sending import envelope as envelope
from tests.notifications.sending import exchange as exchange


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, *args: Any) -> None:
        pass


class ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        connections.close_all()


def serve(application: Any) -> Iterator[Sender]:
    """Serve a WSGI application on a free port while the test runs."""
    server = ThreadedServer(("127.0.0.1", 0), QuietHandler)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Sender(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def credentials(settings: Settings) -> None:
    """The login that the envelopes of the tests carry."""
    settings.NOTIFICATION_CREDENTIALS = [(USER, PASSWORD)]
    settings.NOTIFICATION_ALLOWED_IPS = []


@pytest.fixture(autouse=True)
def quiet_counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counts]:
    """Refusals and uses of logins are counted, and written only when a test says so."""
    monkeypatch.setattr(Counts, "_start_timer", lambda self: None)
    monkeypatch.setattr(Uses, "_start_timer", lambda self: None)
    yield counts
    counts._waiting.clear()
    uses._waiting.clear()


@pytest.fixture
def door(transactional_db: None) -> Iterator[Sender]:
    """The whole application behind a threaded server."""
    from backoffice.wsgi import application

    yield from serve(application)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The handler of persons raises; call it to mend the handler."""

    def raises(**_arguments: object) -> None:
        raise RuntimeError("the handler is broken")

    monkeypatch.setattr(taking_over, "record_prematch", raises)
    return monkeypatch.undo
