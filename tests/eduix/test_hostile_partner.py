"""Each way in which a partner can misbehave, for each service and for the login too."""

from __future__ import annotations

import datetime
import gzip
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backoffice.eduix import contract, exchange
from backoffice.eduix.client import SoapClient
from backoffice.eduix.errors import EduixError, EduixRefused, EduixUncertain, EduixUnreachable
from backoffice.eduix.exchange import MAX_BYTES, Transport
from tests.eduix.test_exchange import envelope, partner, response, sends

Answer = Callable[[socket.socket], None]
SESSION = {"sessionIDHeader": {"sessionID": "s"}}
CALLS: dict[str, Callable[[SoapClient], Any]] = {
    "profile": lambda client: client.call(
        "deletePerson",
        headers=SESSION,
        distributorPerson={"distributorID": 1, "distributorPersonID": "K1"},
    ),
    "credit": lambda client: client.call(
        "getPersonCredit",
        headers={"authHeader": SESSION},
        distributorPersonCredit={"distributorID": 1, "distributorPersonCreditID": "C1"},
    ),
    "login": lambda client: client.call(
        "login", headers={"loginHeader": {"username": "u", "password": "p"}}
    ),
}


def good(name: str) -> bytes:
    """The right answer to a call."""
    operation = {"profile": "deletePerson", "credit": "getPersonCredit", "login": "login"}[name]
    service = "credit" if name == "credit" else "profile"
    inside = "<sessionID>s</sessionID>" if name == "login" else ""
    space = contract.types_namespace(service)
    return envelope(f"<{operation}Response xmlns='{space}'>{inside}</{operation}Response>")


def client_of(name: str, address: str, *, seconds: float = 1.0) -> SoapClient:
    service = "credit" if name == "credit" else "profile"
    return SoapClient(service, address=address, total_seconds=seconds)


def drips(head: bytes, piece: bytes = b"x", pause: float = 0.05) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(piece)
            time.sleep(pause)

    return answer


def floods(head: bytes, piece: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return answer


def packed(encoding: str) -> bytes:
    bomb = b"<a>" + b" " * 50_000_000 + b"</a>"
    data = gzip.compress(bomb) if encoding == "gzip" else zlib.compress(bomb)
    return response(data, headers=f"Content-Encoding: {encoding}\r\n")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HOSTILE: dict[str, Answer] = {
    "a drip in the body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
    "a drip without a length": drips(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
    "a drip in the status line": drips(b"HTTP"),
    "a drip of headers": drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip of chunks": drips(CHUNKED, b"1\r\nx\r\n"),
    "a drip in a chunk": drips(CHUNKED + b"fff\r\n"),
    "interim answers without end": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunks without end": floods(CHUNKED, b"2000\r\n" + b"x" * 8192 + b"\r\n"),
    "a body without end": floods(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 8192),
    "headers without end": floods(b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n"),
    "one header without end": floods(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8192),
    "trailers without end": floods(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "a gzip bomb": sends(packed("gzip")),
    "a deflate bomb": sends(packed("deflate")),
    "gzip as a transfer encoding": sends(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
    ),
    "a length that is too large": sends(
        f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BYTES + 1}\r\n\r\n".encode()
    ),
    "a negative length": sends(
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\nConnection: close\r\n\r\n"
    ),
    "a chunk of a negative size": sends(CHUNKED + b"-5\r\nxxxxx\r\n0\r\n\r\n"),
    "early hints": sends(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a switch of protocols": sends(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "no content": sends(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a moved address": sends(
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    ),
    "HTTP 2": sends(b"HTTP/2 200\r\n\r\n"),
    "HTML as XML": sends(response(b"<html><body/></html>", headers="Content-Type: text/xml\r\n")),
    "XML without a Fault and 500": sends(response(envelope("<error/>"), status="500 Error")),
    "SOAP 1.2": sends(
        response(
            b"<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body/></e:Envelope>"
        )
    ),
    "an entity bomb": sends(
        response(b"<!DOCTYPE a [<!ENTITY b 'ccc'><!ENTITY d '&b;&b;'>]><a>&d;</a>")
    ),
    "deep nesting": sends(response(b"<a>" * 100_000)),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_it_is_uncertain_within_the_deadline(kind: str, name: str) -> None:
    begun = time.monotonic()
    with partner(HOSTILE[kind]) as address:
        client = client_of(name, address)

        with pytest.raises(EduixUncertain):
            CALLS[name](client)

        assert time.monotonic() - begun < 20  # nobody waits for the end of what has none


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/html\r\n",
        "",
        "Content-Type: text/xml; charset=nonsense\r\n",
        "Content-Type: application/soap+xml\r\nX-Powered-By: x\r\n",
    ],
    ids=["html", "none", "unknown charset", "soap 1.2"],
)
def test_a_good_answer_with_a_wrong_content_type_is_read(name: str, head: str) -> None:
    with partner(sends(response(good(name), headers=head))) as address:
        CALLS[name](client_of(name, address))


def test_the_character_set_of_the_content_type_counts() -> None:
    space = contract.types_namespace("profile")
    body = envelope(f"<loginResponse xmlns='{space}'><sessionID>é</sessionID></loginResponse>")
    raw = body.decode().encode("latin-1")
    head = "Content-Type: text/xml; charset=ISO-8859-1\r\n"
    with partner(sends(response(raw, headers=head))) as address:
        answer = CALLS["login"](client_of("login", address))

    assert answer.sessionID == "é"


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_an_answer_that_ends_with_the_connection_is_read(version: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(f"{version} 200 OK\r\nConnection: close\r\n\r\n".encode())
        connection.sendall(good("profile"))
        connection.shutdown(socket.SHUT_RDWR)

    with partner(answer) as address:
        client = client_of("profile", address)
        CALLS["profile"](client)

    assert not client._transport._idle


def test_an_interim_continue_before_the_answer_is_passed_over() -> None:
    with partner(sends(b"HTTP/1.1 100 Continue\r\n\r\n" + response(good("profile")))) as address:
        CALLS["profile"](client_of("profile", address))


def test_a_reused_connection_that_closes_without_a_byte_is_uncertain() -> None:
    seen: list[int] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.getpeername()[1])
        if len(seen) == 1:
            connection.sendall(response(good("profile")))
        else:
            connection.shutdown(socket.SHUT_RDWR)

    with partner(answer) as address:
        client = client_of("profile", address)
        CALLS["profile"](client)

        with pytest.raises(EduixUncertain):
            CALLS["profile"](client)

    assert len(seen) == 2  # and not sent once more over a new connection
    assert seen[0] == seen[1]


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(response(good("profile")))
        time.sleep(0.1)
        connection.sendall(response(b"<stale/>"))

    with partner(answer) as address:
        client = client_of("profile", address)
        CALLS["profile"](client)
        time.sleep(0.3)
        CALLS["profile"](client)


FAULTS = {
    "detail": (
        "<faultcode>s:Client</faultcode><detail><Fault><code>-12</code></Fault></detail>",
        -12,
    ),
    "positive": ("<faultcode>s:Client</faultcode><detail><F><code>12</code></F></detail>", 12),
    "faultcode": ("<faultcode>ns1:2606</faultcode><faultstring>x</faultstring><detail/>", 2606),
    "prefix with a digit": ("<faultcode>ns1:Client</faultcode><faultstring>x</faultstring>", 1),
    "faultstring": ("<faultcode>s:Server</faultcode><faultstring>Fout 5022: x</faultstring>", 5022),
    "brackets": ("<faultcode>s:Server</faultcode><faultstring>x [-7]</faultstring>", -7),
    "qualified": ("<s:faultcode>s:Server</s:faultcode><s:faultstring>error 9</s:faultstring>", 9),
    "none": ("<faultcode>s:Server</faultcode><faultstring>oops</faultstring>", 1),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("status", ["500 Error", "200 OK"])
def test_the_code_of_a_fault_is_found(kind: str, name: str, status: str) -> None:
    text, code = FAULTS[kind]
    fault = response(envelope(f"<s:Fault>{text}</s:Fault>"), status=status)
    with partner(sends(fault)) as address, pytest.raises(EduixRefused) as refused:
        CALLS[name](client_of(name, address))

    assert refused.value.code == code
    assert refused.value.has_code == (kind not in {"none", "prefix with a digit"})
    assert refused.value.on_login == (name == "login")


@pytest.mark.parametrize("name", CALLS)
def test_a_fault_that_means_success_is_believed_by_nobody(name: str) -> None:
    fault = envelope("<s:Fault><faultcode>s:0</faultcode><detail/></s:Fault>")
    answer = sends(response(fault, status="500 Error"))
    with partner(answer) as address, pytest.raises(EduixUncertain):
        CALLS[name](client_of(name, address))


@pytest.mark.parametrize("name", CALLS)
def test_a_proxy_of_the_environment_is_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9/")
    with partner(sends(response(good(name)))) as address:
        CALLS[name](client_of(name, address))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def tls_partner(certificate: Path, version: ssl.TLSVersion) -> Iterator[int]:
    """A server that speaks one version of TLS and answers every login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.maximum_version = version
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            try:
                line, _ = server.accept()
                with context.wrap_socket(line, server_side=True) as safe:
                    safe.recv(65536)
                    safe.sendall(response(good("login")))
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_certificate_that_nobody_signed_is_refused_before_anything_leaves(
    certificate: Path,
) -> None:
    with (
        tls_partner(certificate, ssl.TLSVersion.TLSv1_3) as port,
        pytest.raises(EduixUnreachable, match="certificate is not valid"),
    ):
        CALLS["login"](client_of("login", f"https://localhost:{port}/"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_name_in_a_certificate_must_be_the_hosts(
    certificate: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls_partner(certificate, ssl.TLSVersion.TLSv1_2) as port:
        client = client_of("login", f"https://{host}:{port}/", seconds=5)
        if host == "localhost":
            assert CALLS["login"](client).sessionID == "s"
            assert ssl.cert_time_to_seconds(client.certificate_ends) > time.time() + 8 * 86_400
        else:
            with pytest.raises(EduixUnreachable, match="certificate is not valid"):
                CALLS["login"](client)


def test_a_handshake_that_never_ends_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line:
                try:
                    line.sendall(b"\x16\x03\x03\x3f\xff")
                    for _ in range(100):
                        line.sendall(b"\x02")
                        time.sleep(0.1)
                except OSError:
                    return

        threading.Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        address = f"https://127.0.0.1:{server.getsockname()[1]}/"

        with pytest.raises(EduixUnreachable):
            Transport(address).post(b"<a/>", action="x")

    assert time.monotonic() - begun < 8  # not as long as it drips


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_deadlines_are_watched_in_a_forked_process_too() -> None:
    with partner(drips(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")) as address:
        with pytest.raises(EduixUncertain):
            Transport(address, total_seconds=0.3).post(b"<a/>", action="x")
        child = os.fork()
        if child == 0:
            try:
                Transport(address, total_seconds=0.3).post(b"<a/>", action="x")
            except EduixError as problem:
                os._exit(7 if isinstance(problem, EduixUncertain) else 1)
            os._exit(2)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
