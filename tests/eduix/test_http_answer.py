"""The head of an answer, as partners, proxies and strangers write it; over a real socket."""

from __future__ import annotations

import http.client
import socket

import pytest

from backoffice.eduix.http_answer import MOST_FIELDS, Response, read_from


def answered(data: bytes) -> Response:
    """What is read of these bytes when the line is closed behind them."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        ours.settimeout(5)
        return read_from(ours, "POST")


def test_fields_are_found_whatever_their_case_and_white_space() -> None:
    response = answered(
        b"HTTP/1.1 200 OK\r\ncontent-TYPE:  text/xml; \r\n charset=utf-8\r\nX-A: 1\r\nx-a: 2\r\n"
        b"Content-Length: 4\r\n\r\nbody"
    )

    assert response.field("Content-Type") == "text/xml; charset=utf-8"
    assert response.field("X-A") == "1, 2"
    assert response.field("Date") == ""
    assert (response.status, response.length, response.will_close) == (200, 4, False)


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, x\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", False),
    ],
)
def test_whether_the_line_may_be_used_again(head: bytes, closes: bool) -> None:
    assert answered(head).will_close is closes


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSpace : before\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5",
        b"HTTP/1.1 200 " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (MOST_FIELDS + 1) + b"\r\n",
    ],
)
def test_what_is_no_head_is_refused(head: bytes) -> None:
    with pytest.raises(http.client.HTTPException):
        answered(head)


def test_an_interim_answer_is_passed_over_when_it_says_go_on() -> None:
    response = answered(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    )

    assert response.status == 200
