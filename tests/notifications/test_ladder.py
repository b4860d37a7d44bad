"""The ladder again, where rungs meet: the first that applies answers, and nobody is sent away."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from pytest_django import Settings

from notifications import together as together_module
from notifications.framing import MAX_BYTES
from notifications.models import Notification
from notifications.statements import Row, Table
from tests.notifications.bodies import GOOD, LOGIN_HEADER, SECRET
from tests.notifications.conftest import PASSWORD, PATH, SOAP, Response, Sender, exchange

FOREIGN = b'<x:Security xmlns:x="urn:x" soap:mustUnderstand="1"/>'
WITH_FOREIGN = GOOD.replace(b"<soap:Header>", b"<soap:Header>" + FOREIGN)


def with_header(element: bytes) -> bytes:
    return GOOD.replace(b"<soap:Header>", b"<soap:Header>" + element)


EVIL = {"Host": "evil.example"}
# Two things are wrong with each; the status, the faultcode and the code are of the first.
BOTH_WRONG: list[tuple[str, bytes, dict[str, Any], tuple[int, str, int]]] = [
    ("method before host", GOOD, {"method": "PUT", "headers": EVIL}, (405, "", 0)),
    ("host before length", GOOD, {"length": None, "headers": EVIL}, (400, "", 0)),
    ("length before type", GOOD, {"length": None, "content_type": "text/plain"}, (411, "", 0)),
    ("type before size", b"x" * (MAX_BYTES + 1), {"content_type": "text/plain"}, (415, "", 0)),
    ("size before xml", b"x" * (MAX_BYTES + 1), {}, (413, "", 0)),
    ("xml before version", GOOD.replace(SOAP.encode(), b"urn:x")[:-9], {}, (400, "", 0)),
    (
        "version before header",
        WITH_FOREIGN.replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
        {},
        (500, "VersionMismatch", -6),
    ),
    (
        "header before operation",
        WITH_FOREIGN.replace(b"specificationChangedRequest", b"getPersonRequest"),
        {},
        (500, "MustUnderstand", -6),
    ),
    (
        "operation before login",
        GOOD.replace(b"specificationChangedRequest", b"x").replace(SECRET, b"wrong"),
        {},
        (500, "Client", -10),
    ),
    (
        "form of the login before its truth",
        GOOD.replace(b">eduix<", b">" + b"e" * 101 + b"<").replace(SECRET, b"wrong"),
        {},
        (500, "Client", -4702),
    ),
    (
        "login before content",
        GOOD.replace(SECRET, b"wrong").replace(b"<n:state>Active</n:state>", b""),
        {},
        (500, "Client", -2),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "how", "expected"), [row[1:] for row in BOTH_WRONG], ids=[row[0] for row in BOTH_WRONG]
)
def test_of_two_faults_the_first_on_the_ladder_is_told(
    door: Sender, body: bytes, how: dict[str, Any], expected: tuple[int, str, int]
) -> None:
    response = door.post(body, **how)

    told = (response.faultcode, response.fault_code) if response.status == 500 else ("", 0)
    assert (response.status, *told) == expected
    assert Notification.objects.count() == 0


def test_without_a_soap_action_at_all_it_is_accepted(door: Sender) -> None:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(GOOD)}\r\nConnection: close\r\n\r\n"
    )

    assert exchange(door.port, head.encode() + GOOD).status == 200


@pytest.mark.parametrize(
    ("element", "status"),
    [
        (b'<x:a xmlns:x="urn:x"/>', 200),
        (b'<x:a xmlns:x="urn:x" soap:mustUnderstand="0"/>', 200),
        (b'<x:a xmlns:x="urn:x" mustUnderstand="1"/>', 200),  # no attribute of SOAP
        (b'<x:a xmlns:x="urn:x" soap:mustUnderstand="1" soap:actor="urn:other"/>', 200),
        (b'<x:a xmlns:x="urn:x" soap:mustUnderstand="1"/>', 500),
        (b'<x:a xmlns:x="urn:x" soap:mustUnderstand="true"/>', 500),
        (b'<x:a xmlns:x="urn:x" soap:mustUnderstand="1" soap:actor=""/>', 500),
        (
            b'<x:a xmlns:x="urn:x" soap:mustUnderstand="1"'
            b' soap:actor="http://schemas.xmlsoap.org/soap/actor/next"/>',
            500,
        ),
    ],
)
def test_a_header_must_be_understood_when_it_says_so_and_is_ours(
    door: Sender, element: bytes, status: int
) -> None:
    response = door.post(with_header(element))

    assert response.status == status
    assert Notification.objects.count() == (status == 200)
    if status == 500:
        assert response.faultcode == "MustUnderstand"


@pytest.mark.parametrize(
    "header",
    [
        LOGIN_HEADER[: LOGIN_HEADER.index(b"<n:password>")] + b"</n:loginHeader></soap:Header>",
        b"<soap:Header><n:loginHeader/></soap:Header>",
        b"<soap:Header/>",
        b"",
    ],
)
def test_half_a_login_is_none(door: Sender, header: bytes) -> None:
    response = door.post(GOOD.replace(LOGIN_HEADER, header))

    assert (response.status, response.fault_code) == (500, -2)
    assert Notification.objects.count() == 0


def test_a_comment_never_cuts_a_value(door: Sender) -> None:
    body = GOOD.replace(b"C-1001", b"C-<!-- a -->10<!-- b -->01").replace(
        SECRET, SECRET[:5] + b"<!-- c -->" + SECRET[5:]
    )

    assert door.post(body).status == 200
    row = Notification.objects.get()
    assert (row.subject, row.parsed["distributor_credit_id"]) == ("C-1001", "C-1001")
    assert SECRET not in bytes(row.raw)


@pytest.mark.parametrize(
    ("codec", "content_type"),
    [
        ("utf-8-sig", "text/xml"),
        ("utf-16", "text/xml"),
        ("utf-16-be", "text/xml; charset=utf-16"),
        ("utf-16-le", "text/xml"),
        ("latin-1", "text/xml; charset=ISO-8859-1"),
        ("cp1252", 'text/xml; charset="windows-1252"'),
    ],
)
def test_every_encoding_is_read_and_kept_as_it_came(
    door: Sender, codec: str, content_type: str
) -> None:
    text = GOOD.decode().replace("C-1001", "C-é")

    response = door.post(text.encode(codec), content_type=content_type)

    row = Notification.objects.get()
    assert (response.status, row.subject) == (200, "C-é")
    assert bytes(row.raw).decode(codec) == text.replace(SECRET.decode(), "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'encoding="UTF-8"?>', b'encoding="UTF-16"?><!DOCTYPE x>'),
        (b'encoding="UTF-8"?>', b'encoding="ISO-8859-1"?><!DOCTYPE x>'),
    ],
)
def test_an_encoding_hides_no_dtd(door: Sender, old: bytes, new: bytes) -> None:
    text = GOOD.replace(old, new, 1)

    for body in (text, text.decode().encode("utf-16"), text.decode().encode("utf-16-be")):
        response = door.post(body, content_type="text/xml")
        assert (response.status, response.fault_code) == (500, -6)
    assert Notification.objects.count() == 0


@pytest.mark.parametrize("name", ["gzip", "deflate", "identity, gzip"])
def test_another_transfer_encoding_is_refused(door: Sender, name: str) -> None:
    assert door.post(GOOD, length=None, headers={"Transfer-Encoding": name}).status in (400, 411)


@pytest.mark.parametrize(
    "path",
    [
        f"{PATH}//",
        f"{PATH}/x",
        "/soap/4.0",
        "/soap/5.1/notification",
        "/soap/4.0/Notification",
    ],
)
def test_a_post_to_a_neighbouring_address_is_never_redirected(door: Sender, path: str) -> None:
    response = door.post(GOOD, path=path)

    assert response.status in (403, 404)
    assert "location" not in response.headers


def test_plain_http_gets_no_redirect_where_django_would_give_one(
    door: Sender, settings: Settings
) -> None:
    settings.BACKOFFICE_ENV = "production"
    settings.SECURE_SSL_REDIRECT = True

    for path in (PATH, f"{PATH}/"):
        response = door.post(GOOD, path=path)
        assert (response.status, response.headers.get("location")) == (403, None)


def test_more_at_once_than_can_be_stored_are_told_to_come_back(
    door: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database hangs; those who wait for it do not take the whole server with them."""
    hanging, may_go_on = threading.Semaphore(0), threading.Event()
    insert = Table.insert

    def slow(self: Table, rows: Sequence[Row]) -> None:
        hanging.release()
        may_go_on.wait(20)
        insert(self, rows)

    monkeypatch.setattr(Table, "insert", slow)
    monkeypatch.setattr(together_module, "MAX_SECONDS", 0.05)
    monkeypatch.setattr(together_module, "MAX_WAITING", 1)
    responses: list[Response] = []

    def deliver() -> None:
        responses.append(door.post(GOOD))

    # One for each connection to the database, and one that waits for them.
    at_work = together_module.WRITERS
    threads = [threading.Thread(target=deliver) for _ in range(at_work + 1)]
    for number, thread in enumerate(threads):
        thread.start()
        if number < at_work:
            assert hanging.acquire(timeout=20)
    while not together_module.together._to_write:
        time.sleep(0.01)

    refused = door.post(GOOD)
    stranger = door.post(GOOD.replace(PASSWORD.encode(), b"another-password"))
    may_go_on.set()
    for thread in threads:
        thread.join()
    after = door.post(GOOD)

    assert (refused.status, refused.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert int(refused.headers["retry-after"]) > 0
    assert stranger.fault_code == -2  # a refusal needs no database
    assert {response.status for response in responses} == {200}
    assert after.status == 200
    assert Notification.objects.count() == len(threads) + 1
