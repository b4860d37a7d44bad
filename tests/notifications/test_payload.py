"""What a notification says, however it is written."""

from __future__ import annotations

import threading

import pytest
from lxml import etree

from notifications.envelope import open_envelope, parse
from notifications.payload import Content, read_content, read_valid
from tests.notifications.bodies import GOOD, INVALID
from tests.notifications.conftest import envelope

ECK_ID = ("c0ffee" * 22)[:128]


def content_of(body: bytes) -> Content:
    """By the long way, which every body can go."""
    opened = open_envelope(parse(body))
    return read_content(opened.operation, opened.namespace, opened.element)


def request(inner: str, operation: str = "specificationChanged") -> bytes:
    """A body in the namespace of the types, its children unqualified."""
    namespaces = (
        'xmlns:n="urn:edu-ix:notification:types:4.0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    return (
        GOOD[: GOOD.index(b"<n:specificationChanged")]
        + (
            f"<n:{operation}Request {namespaces}>{inner}</n:{operation}Request>"
            "</soap:Body></soap:Envelope>"
        ).encode()
    )


KEY = "<distributorCreditID>C-1</distributorCreditID><state>Active</state>"
NOTHING: dict[str, object] = {"specification": [], "correction": []}


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        (
            "specification_accepted",
            {
                "distributor_credit_id": "C-1001",
                "state": "Active",
                "specification": [{"amount": 1, "response_id": "LIC-55-1001", "error_code": None}],
                "correction": [],
            },
        ),
        (
            "specification_school",
            {
                "distributor_credit_id": "S-2001",
                "state": "Active",
                "specification": [
                    {"amount": 20, "response_id": "LIC-1", "error_code": None},
                    {"amount": 5, "response_id": "LIC-2", "error_code": 205},
                    {"amount": 5, "response_id": "", "error_code": None},
                ],
                "correction": [],
            },
        ),
        (
            "specification_returned",
            {
                "distributor_credit_id": "C-1001",
                "state": "Returned",
                "specification": [{"amount": 1, "response_id": "LIC-55-1001", "error_code": None}],
                "correction": [{"amount": 1, "response_id": "", "error_code": 309}],
            },
        ),
        (
            "prematch_linked",
            {"distributor_person_id": "K-3001", "user_id": "elo-user-77", "eck_id": ECK_ID},
        ),
        ("prematch_unlinked", {"distributor_person_id": "K-3001", "user_id": "", "eck_id": None}),
    ],
)
def test_both_ways_read_the_same(name: str, parsed: dict[str, object]) -> None:
    body = envelope(name)

    short = read_valid(parse(body))

    assert short is not None
    assert short.content == content_of(body)
    assert short.content.parsed == parsed
    assert short.content.invalid == ""


@pytest.mark.parametrize(
    "name",
    [
        "stack_gsoap",
        "stack_perl_soap_lite",
        "stack_unqualified",
        "stack_php_untyped_header",
    ],
)
def test_what_is_not_as_in_our_wsdl_goes_the_long_way(name: str) -> None:
    assert read_valid(parse(envelope(name))) is None
    assert content_of(envelope(name)).invalid == ""


@pytest.mark.parametrize(
    ("inner", "more", "flags"),
    [
        (KEY, NOTHING, ()),
        (f"{KEY}<specification/>", NOTHING, ()),
        (f"{KEY}<specification>  </specification><correction/>", NOTHING, ()),
        (f'{KEY}<specification xsi:nil="true"><amount>1</amount></specification>', NOTHING, ()),
        (f"{KEY}<unheardOf>x</unheardOf>", NOTHING, ("extra_element",)),
        (f'{KEY}<x:state xmlns:x="urn:other">Returned</x:state>', NOTHING, ("extra_element",)),
        ("<state>\n Active\t</state><distributorCreditID> C-1 </distributorCreditID>", NOTHING, ()),
        (f"{KEY}<specification><amount> +007 </amount><errorCode/></specification>",
         {"specification": [{"amount": 7, "response_id": "", "error_code": None}]}, ()),
        (f"{KEY}<specification><errorCode>-3</errorCode><amount>1</amount></specification>",
         {"specification": [{"amount": 1, "response_id": "", "error_code": -3}]}, ()),
        (f"{KEY}<correction><amount>1</amount></correction><specification><amount>2</amount>"
         "</specification><correction><amount>3</amount></correction>",
         {"specification": [{"amount": 2, "response_id": "", "error_code": None}],
          "correction": [{"amount": 1, "response_id": "", "error_code": None},
                         {"amount": 3, "response_id": "", "error_code": None}]}, ()),
        (f"{KEY}<specification><amount>1</amount><timeStamp>x</timeStamp></specification>",
         {"specification": [{"amount": 1, "response_id": "", "error_code": None}]},
         ("extra_element",)),
    ],
)  # fmt: skip
def test_what_libraries_leave_behind_does_no_harm(
    inner: str, more: dict[str, object], flags: tuple[str, ...]
) -> None:
    content = content_of(request(inner))

    expected = {"distributor_credit_id": "C-1", "state": "Active"} | NOTHING | more
    assert (content.invalid, content.flags) == ("", flags)
    assert content.parsed == expected


def test_a_comment_inside_a_value_is_no_part_of_it() -> None:
    content = content_of(GOOD.replace(b"C-1001", b"C-<!-- x -->10<![CDATA[01]]>"))

    assert content.subject == "C-1001"


def test_an_unknown_state_is_kept_and_flagged() -> None:
    content = content_of(GOOD.replace(b"Active", b"Blocked"))

    assert (content.invalid, content.flags) == ("", ("unknown_enum",))
    assert content.parsed["state"] == "Blocked"


def test_a_state_that_is_no_word_at_all_is_too_long() -> None:
    assert content_of(GOOD.replace(b"Active", b"x" * 65)).invalid == "too_long:state"


@pytest.mark.parametrize(("length", "flags"), [(1, True), (127, True), (128, False)])
def test_an_eck_id_of_another_length_is_kept_and_flagged(length: int, flags: bool) -> None:
    body = envelope("prematch_linked").replace(ECK_ID.encode(), b"e" * length)

    content = content_of(body)

    assert content.parsed["eck_id"] == "e" * length
    assert ("eck_id_length" in content.flags) is flags


@pytest.mark.parametrize("eck_id", ["<eckID/>", "<eckID>   </eckID>", '<eckID xsi:nil="1"/>', ""])
def test_an_eck_id_that_is_not_told_is_none(eck_id: str) -> None:
    inner = f"<distributorPersonID>K-1</distributorPersonID>{eck_id}<userID>u</userID>"

    assert content_of(request(inner, "prematchChanged")).parsed["eck_id"] is None


@pytest.mark.parametrize(
    ("body", "reason", "subject"), [row[1:] for row in INVALID], ids=[row[0] for row in INVALID]
)
def test_a_broken_rule_is_named_with_its_element(body: bytes, reason: str, subject: str) -> None:
    content = content_of(body)

    assert (content.invalid, content.subject, content.parsed) == (reason, subject, {})


def test_a_rule_is_named_in_every_thread() -> None:
    body = GOOD.replace(b"<n:amount>1", b"<n:amount>one")
    reasons: list[str] = []

    def read() -> None:
        reasons.extend(content_of(body).invalid for _ in range(200))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert reasons == ["wrong_type:amount"] * 1600


def test_a_long_list_of_amounts_is_read() -> None:
    entry = "<specification><amount>1</amount><responseID>R</responseID></specification>"

    content = content_of(request(KEY + entry * 2000))

    assert content.invalid == ""
    assert len(content.parsed["specification"]) == 2000


def test_the_values_of_xml_are_plain_python() -> None:
    content = content_of(GOOD)

    assert not any(isinstance(value, etree._Element) for value in content.parsed.values())
    assert type(content.parsed["state"]) is str
