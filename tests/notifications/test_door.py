"""The ladder of answers, over real sockets, first match first."""

from __future__ import annotations

import hashlib

import pytest
from pytest_django import Settings

from notifications.framing import MAX_BYTES
from notifications.models import Notification, Refusal
from notifications.refusals import Counts
from tests.notifications.bodies import ACCEPTED, GOOD, IN_ENVELOPE, INVALID, NOT_XML
from tests.notifications.conftest import PASSWORD, PATH, SOAP, USER, Sender, envelope


@pytest.mark.parametrize("name", ACCEPTED)
def test_every_sender_is_answered_200_and_its_bytes_are_kept(door: Sender, name: str) -> None:
    sent = envelope(name)

    response = door.post(sent)

    row = Notification.objects.get()
    assert response.status == 200
    assert bytes(row.raw) == _without_password(sent)
    assert row.raw_sha256 == hashlib.sha256(sent).hexdigest()
    assert row.raw_length == len(sent)
    assert (row.verdict, row.credential, row.source) == ("waiting", USER, "127.0.0.1")


def _without_password(sent: bytes) -> bytes:
    before, secret, after = sent.partition(PASSWORD.encode())
    assert secret
    # the white space around it is part of the element's text
    return before[: before.rindex(b">") + 1] + after[after.index(b"<") :]


def test_the_answer_is_an_empty_response_in_an_envelope(door: Sender) -> None:
    response = door.post(GOOD)

    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    assert response.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'
        '<r:specificationChangedResponse xmlns:r="urn:edu-ix:notification:types:4.0"/>'
        "</soap:Body></soap:Envelope>"
    )


def test_the_response_stands_in_the_namespace_of_the_request(door: Sender) -> None:
    response = door.post(envelope("stack_perl_soap_lite"))

    assert (
        '<r:specificationChangedResponse xmlns:r="urn:edu-ix:notification:4.0"/>' in response.text
    )


def test_every_delivery_is_kept_even_when_it_repeats(door: Sender) -> None:
    assert door.post(GOOD).status == door.post(GOOD).status == 200
    assert Notification.objects.count() == 2


@pytest.mark.parametrize("action", ['"urn:x#y"', "urn:x#y", '""', ""])
def test_the_soap_action_is_never_looked_at(door: Sender, action: str) -> None:
    assert door.post(GOOD, headers={"SOAPAction": action}).status == 200


def test_a_trailing_slash_is_the_same_door(door: Sender) -> None:
    assert door.post(GOOD, path=f"{PATH}/").status == 200


def test_application_xml_is_accepted(door: Sender) -> None:
    assert door.post(GOOD, content_type="application/xml").status == 200


def test_other_addresses_are_for_django(door: Sender) -> None:
    response = door.get("/admin/")

    assert response.status == 302
    assert "/admin/login/" in response.headers["location"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_post_delivers(door: Sender, method: str) -> None:
    response = door.post(GOOD, method=method)

    assert response.status == 405
    assert response.headers["allow"] == "POST"
    assert Notification.objects.count() == 0


@pytest.mark.parametrize(
    "path", [f"{PATH}/wsdl", f"{PATH}/wsdl/", f"{PATH}?wsdl", f"{PATH}?WSDL", f"{PATH}/?wsdl"]
)
def test_the_wsdl_is_a_get(door: Sender, path: str, settings: Settings) -> None:
    settings.BACKOFFICE_PUBLIC_URL = "https://kantoor.example.nl"

    response = door.get(path)

    assert response.status == 200
    assert b'location="https://kantoor.example.nl/soap/4.0/notification"' in response.body
    assert b"schemaLocation" not in response.body


def test_a_head_for_the_wsdl_has_no_body(door: Sender) -> None:
    response = door.get(f"{PATH}/wsdl", method="HEAD")

    assert (response.status, response.body) == (200, b"")
    assert int(response.headers["content-length"]) > 1000


def test_posting_to_the_wsdl_is_no_delivery(door: Sender) -> None:
    response = door.post(GOOD, path=f"{PATH}/wsdl")

    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


def test_another_host_name_is_refused(door: Sender) -> None:
    response = door.post(GOOD, headers={"Host": "evil.example"})

    assert (response.status, response.headers["content-type"]) == (400, "text/plain; charset=utf-8")


def test_plain_http_is_refused_outside_the_embedded_environment(
    door: Sender, settings: Settings
) -> None:
    settings.BACKOFFICE_ENV = "production"

    response = door.post(GOOD)

    assert response.status == 403
    assert "location" not in response.headers


def test_a_forwarded_scheme_counts_from_a_proxy_of_ours_only(
    door: Sender, settings: Settings
) -> None:
    settings.BACKOFFICE_ENV = "production"
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}

    from_anybody = door.post(GOOD, headers=forwarded)
    settings.BACKOFFICE_TRUSTED_PROXIES = ["127.0.0.1"]
    from_proxy = door.post(GOOD, headers=forwarded)

    assert (from_anybody.status, from_proxy.status) == (403, 200)
    assert Notification.objects.get().source == "203.0.113.9"


def test_an_address_that_is_not_on_the_list_is_refused(door: Sender, settings: Settings) -> None:
    settings.NOTIFICATION_ALLOWED_IPS = ["192.0.2.0/24"]
    refused = door.post(GOOD)

    settings.NOTIFICATION_ALLOWED_IPS = ["192.0.2.0/24", "127.0.0.1"]
    accepted = door.post(GOOD)

    assert (refused.status, accepted.status) == (403, 200)


def test_without_credentials_everybody_is_told_to_come_back(
    door: Sender, settings: Settings
) -> None:
    settings.NOTIFICATION_CREDENTIALS = []

    response = door.post(GOOD)

    assert response.status == 503
    assert int(response.headers["retry-after"]) > 0


def test_a_body_without_a_length_is_refused(door: Sender) -> None:
    assert door.post(GOOD, length=None).status == 411


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/soap+xml", "application/json", "multipart/related",
     "text/xml; charset=utf-7", "text/xml; charset=cp037"],
)  # fmt: skip
def test_another_media_type_is_refused(door: Sender, content_type: str | None) -> None:
    assert door.post(GOOD, content_type=content_type).status == 415


def test_a_compressed_body_is_refused(door: Sender) -> None:
    assert door.post(GOOD, headers={"Content-Encoding": "gzip"}).status == 415


def test_a_body_over_the_limit_is_refused(door: Sender) -> None:
    body = GOOD + b" " * (MAX_BYTES - len(GOOD))

    assert door.post(body).status == 200
    assert door.post(body + b" ").status == 413


def test_a_body_shorter_than_announced_is_refused(door: Sender) -> None:
    response = door.post(GOOD, length=len(GOOD) + 10)

    assert response.status == 400
    assert Notification.objects.count() == 0


@pytest.mark.parametrize("length", ["4,4", "-1", "+5", "0x10", "1e3", "9" * 30])
def test_a_length_that_is_no_number_is_refused(door: Sender, length: str) -> None:
    assert door.post(GOOD, length=length).status == 400


def test_two_lengths_are_refused(door: Sender) -> None:
    assert door.post(GOOD, headers={"Transfer-Encoding": "chunked"}).status == 400


@pytest.mark.parametrize("body", NOT_XML)
def test_what_is_not_xml_is_a_plain_400(door: Sender, body: bytes) -> None:
    response = door.post(body, content_type="text/xml")

    assert (response.status, response.headers["content-type"]) == (400, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("body", "faultcode", "code"),
    [row[1:] for row in IN_ENVELOPE],
    ids=[row[0] for row in IN_ENVELOPE],
)
def test_what_is_wrong_in_the_envelope_is_a_fault_and_no_row(
    door: Sender, body: bytes, faultcode: str, code: int
) -> None:
    response = door.post(body)

    assert (response.status, response.headers["content-type"]) == (500, "text/xml; charset=utf-8")
    assert (response.faultcode, response.fault_code) == (faultcode, -code)
    assert Notification.objects.count() == 0


def test_a_bad_login_looks_the_same_whatever_was_wrong(door: Sender) -> None:
    bodies = {door.post(body).body for _name, body, _faultcode, code in IN_ENVELOPE if code == 2}

    assert len(bodies) == 1


def test_a_header_for_somebody_else_need_not_be_understood(door: Sender) -> None:
    other = b'<x:Route xmlns:x="urn:x" soap:mustUnderstand="1" soap:actor="urn:another"/>'

    assert door.post(GOOD.replace(b"<soap:Header>", b"<soap:Header>" + other)).status == 200


@pytest.mark.parametrize(
    ("body", "reason", "subject"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID]
)
def test_invalid_content_is_refused_with_6_and_kept(
    door: Sender, body: bytes, reason: str, subject: str
) -> None:
    response = door.post(body)

    row = Notification.objects.get()
    assert (response.status, response.fault_code) == (500, -6)
    assert reason.partition(":")[2] in response.text
    assert (row.verdict, row.reason, row.subject) == ("invalid", reason, subject)
    assert bytes(row.raw) == _without_password(body)


def test_a_fault_never_repeats_what_was_sent(door: Sender) -> None:
    canary = b"CANARY99"
    bodies = [
        GOOD.replace(b"<n:amount>1", b"<n:amount>" + canary),
        GOOD.replace(b"<n:state>", b"<n:CANARY99/><n:state>").replace(b"Active", b""),
        GOOD.replace(b">eduix<", b">" + canary + b"<"),
        GOOD.replace(b"specificationChangedRequest", canary),
        GOOD.replace(
            b"<soap:Header>", b'<soap:Header><x:CANARY99 xmlns:x="urn:x" soap:mustUnderstand="1"/>'
        ),
    ]

    answers = [door.post(body) for body in bodies]

    assert [answer.status for answer in answers] == [500] * 5
    assert not any(canary in answer.body for answer in answers)


def test_the_password_stands_nowhere_in_the_database(door: Sender) -> None:
    repeated = GOOD.replace(
        b"<soap:Body>", b"<!-- " + PASSWORD.encode() + b" --><soap:Body>"
    ).replace(b"<n:state>", b"<n:note>" + PASSWORD.encode() + b"</n:note><n:state>")
    wrong = GOOD.replace(PASSWORD.encode(), b"another-secret-of-somebody")

    statuses = [
        door.post(body).status for body in (GOOD, repeated, wrong, repeated.replace(b"Active", b""))
    ]

    assert statuses == [200, 200, 500, 500]
    stored = b"".join(
        repr(row).encode() + bytes(row["raw"]) for row in Notification.objects.values()
    )
    assert Notification.objects.count() == 3
    assert PASSWORD.encode() not in stored
    assert b"another-secret" not in stored


def test_refusals_are_counted_by_minute_reason_and_sender(
    door: Sender, quiet_counts: Counts
) -> None:
    for _ in range(3):
        door.post(GOOD.replace(PASSWORD.encode(), b"wrong"))
    door.post(b"no xml")
    quiet_counts.flush()

    counted = Refusal.objects.values_list("status", "code", "reason", "source", "count")
    assert sorted(counted) == [
        (400, 0, "not_xml", "127.0.0.1", 1),
        (500, 2, "login", "127.0.0.1", 3),
    ]


def test_behind_a_proxy_the_sender_itself_is_counted(
    door: Sender, quiet_counts: Counts, settings: Settings
) -> None:
    settings.BACKOFFICE_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.NOTIFICATION_ALLOWED_IPS = ["192.0.2.1"]

    door.post(GOOD, headers={"X-Forwarded-For": "203.0.113.9"})
    quiet_counts.flush()

    assert list(Refusal.objects.values_list("reason", "source")) == [("address", "203.0.113.9")]


def test_while_one_password_is_being_replaced_both_are_accepted(
    door: Sender, settings: Settings
) -> None:
    settings.NOTIFICATION_CREDENTIALS = [("new", "n" * 40), (USER, PASSWORD)]
    with_new = GOOD.replace(b">eduix<", b">new<").replace(PASSWORD.encode(), b"n" * 40)
    mixed = GOOD.replace(b">eduix<", b">new<")

    statuses = [door.post(body).status for body in (GOOD, with_new, mixed)]

    assert statuses == [200, 200, 500]
    assert set(Notification.objects.values_list("credential", flat=True)) == {"new", USER}
