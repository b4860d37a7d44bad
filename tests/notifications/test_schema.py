"""The schema as the door reads it."""

from __future__ import annotations

from lxml import etree

from backoffice.eduix.contract import OPERATIONS
from notifications.envelope import parse
from notifications.payload import KEY_COLUMNS, KEYS
from notifications.schema import SCHEMAS
from tests.notifications.bodies import GOOD
from tests.notifications.conftest import envelope

SCHEMA = SCHEMAS["4.0"]


def test_the_elements_stand_in_the_order_of_our_wsdl() -> None:
    names = {
        operation: [part.name for part in parts] for operation, parts in SCHEMA.requests.items()
    }

    assert names == {
        "prematchChanged": ["distributorPersonID", "userID", "eckID"],
        "specificationChanged": ["distributorCreditID", "state", "specification", "correction"],
    }


def test_every_operation_has_a_key() -> None:
    assert set(KEYS) == set(KEY_COLUMNS) == set(OPERATIONS["notification"])
    for operation, key in KEYS.items():
        first = SCHEMA.requests[operation][0]
        assert (first.name, first.is_required) == (key, True)


def test_lists_may_repeat_and_hold_three_parts() -> None:
    *_others, specification, correction = SCHEMA.requests["specificationChanged"]

    for part in (specification, correction):
        assert (part.is_repeated, part.is_required) == (True, False)
        assert [child.name for child in part.children] == ["amount", "responseID", "errorCode"]
        assert [child.is_required for child in part.children] == [True, False, False]


def test_the_states_are_known() -> None:
    assert SCHEMA.values["state"] == {"Active", "Returned"}


def test_an_unknown_state_passes_the_lenient_schema_only() -> None:
    body = GOOD.replace(b"Active", b"Blocked")
    root = parse(body)

    assert not SCHEMA.of_envelope().validate(root)
    assert SCHEMA.lenient().validate(root[1][0])
    assert SCHEMA.of_envelope().validate(parse(envelope("prematch_linked")))
    assert isinstance(SCHEMA.lenient(), etree.XMLSchema)
