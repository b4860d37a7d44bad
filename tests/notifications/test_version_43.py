"""Notification 4.3: read, answered and kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zeep
import zeep.exceptions
from lxml import etree
from pytest_django import Settings

from notifications.applying import apply_waiting
from notifications.envelope import open_envelope, parse
from notifications.models import Notification
from notifications.payload import Content, read_content, read_valid
from tests.factories import PersonCreditFactory, PersonFactory
from tests.notifications.bodies import GOOD, SECRET
from tests.notifications.conftest import PASSWORD, USER, Sender, envelope

PATH = "/soap/4.3/notification"
NEW = envelope("specification_43")
NEW_TYPES = b"urn:edu-ix:notification:types:4.3"
FIRST = NEW[NEW.index(b"<n:eckSpecification>") : NEW.index(b"</n:eckSpecification>") + 21]


def long_way(body: bytes) -> Content:
    opened = open_envelope(parse(body))
    return read_content(opened.operation, opened.namespace, opened.element)


# --- reading ------------------------------------------------------------------------------------


def test_both_ways_read_the_same() -> None:
    short = read_valid(parse(NEW))

    assert short is not None
    assert short.content == long_way(NEW)
    assert short.namespace == NEW_TYPES.decode()
    assert (short.content.invalid, short.content.flags) == ("", ())


def test_entries_stand_in_the_order_of_time_and_moments_are_utc() -> None:
    parsed = long_way(NEW).parsed

    assert parsed["version"] == "4.3"
    assert parsed["is_single_update"] is False
    assert [entry["audit_id"] for entry in parsed["specification"]] == [70000, 70001]
    assert parsed["specification"][1] == {
        "audit_id": 70001,
        "amount": 1,
        "request_id": "REQ-1",
        "response_id": "LIC-55-1001",
        "owner_id": "elo-user-77",
        "state": "specified-in-some-word",
        "error_code": None,
        "error_message": "",
        "time_stamp": "2026-08-20T07:12:00.123000+00:00",
    }
    assert parsed["correction"][0]["error_message"] == "Too late"
    assert parsed["license_block"][0]["block_type"] == "a word we never saw"


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        (b"2026-08-20T09:12:00Z", "2026-08-20T09:12:00.000000+00:00"),
        (b"2026-08-20T09:12:00", "2026-08-20T07:12:00.000000+00:00"),  # ours, in summer
        (b"2026-01-20T09:12:00", "2026-01-20T08:12:00.000000+00:00"),
        (b" 2026-08-20T09:12:00.1234567-14:00 ", "2026-08-20T23:12:00.123456+00:00"),
    ],
)
def test_a_moment_is_read_with_and_without_a_zone(told: bytes, moment: str) -> None:
    body = NEW.replace(b"2026-08-20T09:12:00.123+02:00", told)

    content = long_way(body)

    assert content.invalid == ""
    assert moment in [entry["time_stamp"] for entry in content.parsed["specification"]]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"2026-08-20T09:12:00.123+02:00", b"yesterday", "wrong_type:timeStamp"),
        (b"2026-08-20T09:12:00.123+02:00", b"-0044-03-15T12:00:00Z", "wrong_type:timeStamp"),
        (b"2026-08-20T09:12:00.123+02:00", b"0001-01-01T00:00:00+14:00", "wrong_type:timeStamp"),
        (b"2026-08-20T09:12:00.123+02:00", b"", "missing:timeStamp"),
        (b"<n:auditID>70001</n:auditID>", b"", "missing:auditID"),
        (b"70001", b"1" * 19, "wrong_type:auditID"),
        (b"<n:requestID>REQ-1</n:requestID>", b"", "missing:requestID"),
        (b"REQ-1</n:requestID>", b"R" * 161 + b"</n:requestID>", "too_long:requestID"),
        (b"<n:isSingleUpdate>false</n:isSingleUpdate>", b"", "missing:isSingleUpdate"),
        (b">false<", b">perhaps<", "wrong_type:isSingleUpdate"),
        (b"C-1001", b"C" * 161, "too_long:distributorCreditID"),
        (b"skipped", b"s" * 65, "too_long:state"),
    ],
)
def test_a_broken_rule_is_named_and_the_body_is_kept(
    door: Sender, old: bytes, new: bytes, reason: str
) -> None:
    assert old in NEW

    response = door.post(NEW.replace(old, new), path=PATH)

    row = Notification.objects.get()
    assert (response.status, response.fault_code) == (500, -6)
    assert (row.verdict, row.reason) == ("invalid", reason)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<n:requestID></n:requestID>", b"<n:requestID/>"),
        (b"<n:requestID></n:requestID>", b"<n:requestID>  </n:requestID>"),
        (
            b"<n:requestID></n:requestID>",
            b'<n:requestID xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
        ),
        (b"<n:errorMessage>Too late</n:errorMessage>", b"<n:errorMessage/>"),
        (b"types:4.3", b"4.3"),
        (b"skipped", b"Skipped"),
        (b"<n:isSingleUpdate>false</n:isSingleUpdate>", b"<isSingleUpdate>0</isSingleUpdate>"),
    ],
)
def test_what_libraries_leave_behind_does_no_harm(old: bytes, new: bytes) -> None:
    assert old in NEW

    content = long_way(NEW.replace(old, new))

    assert (content.invalid, content.flags) == ("", ())


def test_another_order_and_an_extra_element_are_read() -> None:
    last = NEW.replace(FIRST, b"").replace(
        b"</n:specificationChangedRequest>", FIRST + b"<n:new/></n:specificationChangedRequest>"
    )

    content = long_way(last)

    assert (content.invalid, content.flags) == ("", ("extra_element",))
    assert content.parsed == long_way(NEW).parsed


@pytest.mark.parametrize(
    ("state", "response_id", "flags"),
    [
        (b"whatever", b"", ("unknown_enum",)),
        (b"whatever", b"LIC-1", ()),
        (b"Specified", b"", ()),
        (b"Fault", b"", ()),
    ],
)
def test_an_unknown_word_is_kept_and_flagged_when_nothing_else_tells(
    state: bytes, response_id: bytes, flags: tuple[str, ...]
) -> None:
    body = NEW.replace(b"specified-in-some-word", state).replace(b"LIC-55-1001", response_id)

    content = long_way(body)

    assert (content.invalid, content.flags) == ("", flags)
    assert content.parsed["specification"][1]["state"] == state.decode()


@pytest.mark.parametrize("version", [b"4.1", b"4.2"])
def test_versions_between_are_read_by_what_stands_in_them(version: bytes) -> None:
    new = long_way(NEW.replace(NEW_TYPES, NEW_TYPES.replace(b"4.3", version)))
    old = long_way(GOOD.replace(b"types:4.0", b"types:" + version))

    assert (new.invalid, new.parsed["version"]) == ("", "4.3")
    assert (old.invalid, "version" in old.parsed) == ("", False)


def test_a_long_user_id_fits() -> None:
    body = envelope("prematch_43").replace(b"elo-user-77", b"u" * 256)

    short = read_valid(parse(body))

    assert short is not None
    assert short.content.parsed["user_id"] == "u" * 256
    assert long_way(body.replace(b"u" * 256, b"u" * 257)).invalid == "too_long:userID"


# --- the door -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [PATH, f"{PATH}/", "/soap/4.0/notification"])
@pytest.mark.parametrize("body", [NEW, GOOD], ids=["4.3", "4.0"])
def test_either_address_takes_either_version(door: Sender, path: str, body: bytes) -> None:
    response = door.post(body, path=path)

    assert response.status == 200
    answered = etree.fromstring(response.body)[0][0]
    sent = etree.fromstring(body)[1][0]
    assert etree.QName(answered).namespace == etree.QName(sent).namespace
    assert Notification.objects.get().verdict == "waiting"


def test_a_fault_is_of_the_type_that_the_wsdl_of_the_address_declares(door: Sender) -> None:
    wrong = NEW.replace(SECRET, b"wrong")

    for path, version in ((PATH, "4.3"), ("/soap/4.0/notification", "4.0")):
        response = door.post(wrong, path=path)
        found = etree.fromstring(response.body).find(".//detail/{*}Fault")
        assert found is not None
        assert found.tag == f"{{urn:edu-ix:notification:types:{version}}}Fault"
        assert response.headers["content-length"] == str(len(response.body))


@pytest.mark.parametrize("path", [f"{PATH}/wsdl", f"{PATH}/wsdl/", f"{PATH}?wsdl", f"{PATH}/?WSDL"])
def test_its_wsdl_is_served_at_its_address(door: Sender, path: str, settings: Settings) -> None:
    settings.BACKOFFICE_PUBLIC_URL = "https://kantoor.example.nl"

    response = door.get(path)

    assert response.status == 200
    assert b'location="https://kantoor.example.nl/soap/4.3/notification"' in response.body
    assert NEW_TYPES in response.body
    assert b"schemaLocation" not in response.body
    assert b":4.0" not in response.body


def test_only_post_delivers(door: Sender) -> None:
    assert door.get(PATH).status == 405
    assert door.post(NEW, path=f"{PATH}/wsdl").status == 405


# --- a sender that knows the address of our WSDL only -------------------------------------------

LOGIN = {"loginHeader": {"username": USER, "password": PASSWORD}}


@pytest.fixture
def client(door: Sender, settings: Settings) -> Iterator[zeep.Client]:
    settings.BACKOFFICE_PUBLIC_URL = f"http://127.0.0.1:{door.port}"
    with zeep.Client(f"http://127.0.0.1:{door.port}{PATH}?wsdl") as client:
        yield client


def test_zeep_delivers_both_events_and_they_are_applied(client: zeep.Client) -> None:
    person = PersonFactory(distributor_person_id="K-3001")
    credit = PersonCreditFactory(distributor_person_credit_id="C-1001", push_state="in_sync")
    entry = {
        "auditID": 7,
        "amount": 1,
        "requestID": "Q7",
        "responseID": "LIC-1",
        "ownerID": "elo-77",
        "errorCode": 117,
        "errorMessage": "Unknown product",
        "timeStamp": "2026-08-20T09:12:00Z",
    }

    client.service.prematchChanged(
        distributorPersonID="K-3001", userID="elo-77", _soapheaders=LOGIN
    )
    client.service.specificationChanged(
        distributorCreditID="C-1001",
        isSingleUpdate=True,
        eckSpecification=[entry],
        _soapheaders=LOGIN,
    )
    apply_waiting()

    person.refresh_from_db()
    credit.refresh_from_db()
    assert set(Notification.objects.values_list("verdict", flat=True)) == {"applied"}
    assert person.user_id == "elo-77"
    assert (credit.specification_state, credit.publisher_error_code) == ("Fault", 117)
    assert str(credit.specification_state_date) == "2026-08-20"


def test_zeep_can_read_the_code_in_our_fault(client: zeep.Client) -> None:
    with pytest.raises(zeep.exceptions.Fault) as fault:
        client.service.prematchChanged(
            distributorPersonID="K-3001",
            _soapheaders={"loginHeader": {"username": USER, "password": "wrong"}},
        )

    assert fault.value.detail.findtext("{urn:edu-ix:notification:types:4.3}Fault/{*}code") == "-2"
