"""HTTP: framing, methods, connections that stay open, and addresses."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

import pytest
import urllib3

from backoffice.eduix.contract import wsdl_document
from backoffice.eduix_sandbox.server import SandboxServer

from .callers import Caller, envelope, post, xml
from .samples import SCHOOLS


def login(caller: Caller) -> bytes:
    return envelope("profile", xml("loginRequest", {}), xml("loginHeader", caller.login_header()))


def get(sandbox: SandboxServer, path: str, method: str = "GET") -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, sandbox.url + path, retries=False, timeout=10)


def raw(sandbox: SandboxServer, request: bytes) -> bytes:
    """Everything that comes back to these bytes."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("service", ["profile", "credit"])
@pytest.mark.parametrize("ending", ["/wsdl", "?wsdl", "?WSDL", "/wsdl/"])
def test_the_wsdl_is_served_with_its_own_address(
    sandbox: SandboxServer, service: str, ending: str
) -> None:
    answer = get(sandbox, f"/soap/4.1/{service}{ending}")

    address = f"{sandbox.url}/soap/4.1/{service}"
    assert answer.status == 200
    assert answer.data == wsdl_document(service, address=address)


def test_health_is_told(sandbox: SandboxServer) -> None:
    assert get(sandbox, "/healthz").data == b"ok\n"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/soap/4.0/profile/wsdl", 404),
        ("GET", "/soap/4.1/profile", 405),
        ("DELETE", "/soap/4.1/profile", 405),
        ("HEAD", "/healthz", 200),
        ("PUT", "/soap/4.1/profile", 501),
    ],
)
def test_other_addresses_and_methods_are_refused(
    sandbox: SandboxServer, method: str, path: str, status: int
) -> None:
    assert get(sandbox, path, method).status == status


def test_a_wsdl_takes_no_post(caller: Caller) -> None:
    url = f"{caller.sandbox.profile_url}/wsdl"
    answer = urllib3.request("POST", url, body=b"<a/>", retries=False)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


def test_a_trailing_slash_is_no_redirect(caller: Caller) -> None:
    url = f"{caller.sandbox.profile_url}/"
    answer = urllib3.request(
        "POST", url, body=login(caller), headers={"Content-Type": "text/xml"}, retries=False
    )

    assert answer.status == 200


def test_a_connection_carries_many_calls(caller: Caller) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=5)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/soap/4.1/profile", login(caller), {"Content-Type": "text/xml"})
        answer = connection.getresponse()

        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) == len(answer.read())
    assert connection.sock is first


def test_a_chunked_body_is_read_whole(caller: Caller) -> None:
    def pieces() -> Iterator[bytes]:
        whole = login(caller)
        for start in range(0, len(whole), 7):
            yield whole[start : start + 7]

    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=5)
    for _ in range(2):
        connection.request(
            "POST",
            "/soap/4.1/profile",
            pieces(),
            {"Content-Type": "text/xml"},
            encode_chunked=True,
        )
        answer = connection.getresponse()

        assert b"sessionID" in answer.read()


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        (b"", b"411"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"400"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"400"),
        (b"Content-Length: x\r\n", b"400"),
        (b"Content-Length: -5\r\n", b"400"),
        (b"Content-Length: 99999999\r\n", b"413"),
        (b"Content-Length: 500\r\n", b"400"),
        (b"Transfer-Encoding: gzip\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\n", b"400"),
    ],
)
def test_a_body_that_cannot_be_framed_is_refused(
    sandbox: SandboxServer, framing: bytes, status: bytes
) -> None:
    head = b"POST /soap/4.1/profile HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"

    answer = raw(sandbox, head + framing + b"\r\nhello")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "chunks", [b"5\r\nhel", b"5\r\nhelloXX0\r\n\r\n", b"ffffffffff\r\n", b"FFFFFFF\r\n"]
)
def test_a_broken_chunk_is_refused(sandbox: SandboxServer, chunks: bytes) -> None:
    head = (
        b"POST /soap/4.1/profile HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    assert raw(sandbox, head + chunks).split()[1] in {b"400", b"413"}


def test_a_body_over_the_limit_is_refused() -> None:
    with SandboxServer(schools=SCHOOLS, max_bytes=1000) as sandbox:
        answer = post(sandbox, "profile", b"x" * 1001)

    assert answer.status == 413


@pytest.mark.parametrize("header", [{"Content_Type": "text/html"}, {"Content_Encoding": "gzip"}])
def test_another_kind_of_body_is_refused(caller: Caller, header: dict[str, str]) -> None:
    assert post(caller.sandbox, "profile", login(caller), **header).status == 415


def test_small_answers_are_not_held_back(caller: Caller) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", caller.sandbox.port, timeout=5)
    seconds = []
    for _ in range(50):
        begun = time.monotonic()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        seconds.append(time.monotonic() - begun)

    assert min(seconds) < 0.035  # held back for an acknowledgement, each would take 40 ms
