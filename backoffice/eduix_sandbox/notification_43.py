"""A credit as notification 4.3 tells it: the whole list, with its moments."""

from __future__ import annotations

from datetime import UTC, datetime

from .envelope import Node
from .rows import Credit, Entry

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)  # of rows from before moments were kept


def in_43(credit: Credit, owner: str) -> list[Node]:
    """The content of specificationChangedRequest."""
    return [
        ("distributorCreditID", credit.key),
        ("isSingleUpdate", "false"),
        *[("eckSpecification", _entry(entry, owner)) for entry in credit.specification],
        *[("eckCorrection", _entry(entry, None)) for entry in credit.correction],
    ]


def _entry(entry: Entry, owner: str | None) -> list[Node]:
    moment = datetime.fromisoformat(entry.at) if entry.at else _LONG_AGO
    number = int(moment.timestamp() * 1_000_000)  # rises, and fits in 18 digits
    content: list[Node] = [
        ("auditID", str(number)),
        ("amount", str(entry.amount)),
        ("requestID", f"q-{number}"),
    ]
    if entry.response_id:
        content.append(("responseID", entry.response_id))
    if owner is not None:
        content.append(("ownerID", owner))
    if entry.error_code is not None:
        content.append(("errorCode", str(entry.error_code)))
        content.append(("errorMessage", "The publisher refuses this product."))
    content.append(("timeStamp", moment.isoformat(timespec="microseconds")))
    return content
