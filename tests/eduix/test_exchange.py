"""What a partner in trouble, or a hostile one, can do to a sender: nothing but an error in time."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from backoffice.eduix import exchange
from backoffice.eduix.client import SoapClient
from backoffice.eduix.errors import (
    EduixContractBroken,
    EduixRefused,
    EduixUncertain,
    EduixUnreachable,
)
from backoffice.eduix.exchange import MAX_BYTES, Transport
from backoffice.eduix.session import SessionKeeper

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def envelope(body: str) -> bytes:
    text = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'
    return text.encode()


def response(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def partner(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request after another and lets `answer` do the rest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ending = threading.Event()

        def serve() -> None:
            while not ending.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    continue
                connection.settimeout(5)
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection: socket.socket) -> None:
            with connection:
                try:
                    while read_request(connection):
                        answer(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/soap"
        finally:
            ending.set()
            thread.join()


def sends(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def cuts(data: bytes = b"") -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.1)


def drips_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        connection.sendall(f"X-{number}: 1\r\n".encode())
        time.sleep(0.1)


GOOD = envelope("<createPersonResponse xmlns='urn:edu-ix:profile:types:4.1'/>")


@pytest.mark.parametrize(
    "answer",
    [
        cuts(),
        cuts(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<cut"),
        sends(response(b"")),
        sends(response(b"<html><body>Bad gateway</body></html>", status="502 Bad Gateway")),
        sends(response(b"<html><p>broken", status="502 Bad Gateway")),
        sends(response(b"", status="503 Service Unavailable", headers="Retry-After: 5\r\n")),
        sends(response(b"", status="307 Temporary Redirect", headers="Location: http://x/\r\n")),
        sends(response(gzip.compress(GOOD), headers="Content-Encoding: gzip\r\n")),
        sends(response(b"x" * (MAX_BYTES + 1))),
        sends(response(envelope("<deletePersonResponse/>"))),
        sends(response(envelope(""))),
        sends(response(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + GOOD)),
        sends(response(GOOD, status="201 Created")),
        sends(response(envelope("<s:Fault><detail><code>0</code></detail></s:Fault>"))),
        sends(b"not http at all\r\n\r\n"),
        drips,
        drips_headers,
    ],
    ids=[
        "closed without a byte",
        "body cut short",
        "empty 200",
        "html that parses",
        "html that does not",
        "503",
        "redirect",
        "gzip",
        "too large",
        "another operation",
        "empty body",
        "dtd",
        "201",
        "fault that means success",
        "not http",
        "slow body",
        "slow headers",
    ],
)
def test_an_answer_that_cannot_be_read_is_uncertain_and_in_time(
    answer: Callable[[socket.socket], None],
) -> None:
    with partner(answer) as address:
        client = SoapClient("profile", address=address, total_seconds=1.0)

        with pytest.raises(EduixUncertain):
            create_person(client)

        client.close()


def create_person(client: SoapClient, **changes: object) -> None:
    person = {
        "distributorPerson": {"distributorID": 1, "distributorPersonID": "K1"},
        "firstName": "Sanne",
        "personState": "A",
        "postalCode": "3011 AB",
        "surname": "Berg",
        "countryCode": "NL",
    }
    client.call(
        "createPerson",
        headers={"sessionIDHeader": {"sessionID": "s"}},
        person=person | changes,
    )


def test_a_fault_is_a_refusal_with_its_sign() -> None:
    fault = (
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail>"
        "<Fault><code>-5022</code><message>too long</message></Fault></detail></s:Fault>"
    )
    answer = sends(response(envelope(fault), status="500 Error"))
    with partner(answer) as address, pytest.raises(EduixRefused) as refused:
        create_person(SoapClient("profile", address=address))

    assert (refused.value.code, refused.value.number) == (-5022, 5022)
    assert refused.value.text == "too long"


def test_a_fault_without_a_number_counts_as_general_error() -> None:
    fault = "<s:Fault><faultcode>s:Server</faultcode><faultstring>oops</faultstring></s:Fault>"
    answer = sends(response(envelope(fault), status="500 Error"))
    with partner(answer) as address, pytest.raises(EduixRefused) as refused:
        create_person(SoapClient("profile", address=address))

    assert (refused.value.code, refused.value.text) == (1, "oops")


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(EduixUnreachable, match="refused"):
        Transport(f"http://127.0.0.1:{port}/").post(b"<a/>", action="x")


def test_a_connection_is_kept_and_a_closed_one_replaced() -> None:
    seen: list[int] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.getpeername()[1])
        connection.sendall(response(GOOD))
        if len(seen) == 2:
            connection.shutdown(socket.SHUT_RDWR)

    with partner(answer) as address:
        client = SoapClient("profile", address=address)
        for _ in range(3):
            create_person(client)
            time.sleep(0.05)

    assert seen[0] == seen[1] != seen[2]


def test_a_value_that_does_not_fit_never_leaves() -> None:
    client = SoapClient("profile", address="http://127.0.0.1:9/")

    with pytest.raises(EduixContractBroken, match="surname"):
        create_person(client, surname="x" * 51)
    with pytest.raises(EduixContractBroken):
        create_person(client, unknownElement="x")


def test_threads_share_one_login_and_one_refusal() -> None:
    logins: list[int] = []

    def login() -> str:
        logins.append(1)
        time.sleep(0.02)
        raise EduixRefused(-2, "no", on_login=True)

    keeper = SessionKeeper(login, minutes=20)
    refusals: list[bool] = []

    def ask() -> None:
        try:
            keeper.current()
        except EduixRefused as refused:
            refusals.append(refused.is_repeated)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(logins) == 1
    assert sorted(refusals) == [False] + [True] * 7


def test_a_call_that_begins_while_the_watcher_falls_asleep_is_watched() -> None:
    reaper = exchange.Reaper()
    ours, theirs = socket.socketpair()
    theirs.settimeout(3)
    falls_asleep = reaper._wake.clear
    watched: list[socket.socket] = []

    def just_then() -> None:
        if not watched:
            watched.append(ours)
            reaper.watch(ours, time.monotonic() + 0.1)
        falls_asleep()

    reaper._wake.clear = just_then  # type: ignore[method-assign]  # a moment of microseconds
    reaper.start()

    with ours, theirs:
        assert theirs.recv(1) == b""  # cut in time
