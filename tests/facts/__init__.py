"""The tables of facts as lists of rows; README.md beside this file explains their columns."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path


@cache
def rows(table: str) -> tuple[dict[str, str], ...]:
    """The rows of one table, such as "codes", in the order of the file."""
    path = Path(__file__).with_name(f"{table}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def values_of(service: str, attribute: str) -> tuple[str, ...]:
    """The allowed values of an enumeration, in the order of the documentation."""
    return tuple(
        row["value"]
        for row in rows("enums")
        if (row["service"], row["attribute"]) == (service, attribute)
    )


def members(service: str, owner: str) -> tuple[dict[str, str], ...]:
    """The elements of one object, request or response, in the order of its sequence."""
    return tuple(
        row for row in rows("elements") if (row["service"], row["object"]) == (service, owner)
    )


def attribute(service: str, name: str) -> dict[str, str]:
    """The row of one kind of value."""
    return next(
        row for row in rows("attributes") if (row["service"], row["attribute"]) == (service, name)
    )


def smallest(service: str, name: str) -> int | None:
    """The smallest length or number of a kind of value: only the codes of kind 1 tell it."""
    limits = {
        int(row["limit"])
        for row in rows("codes")
        if (row["service"], row["field"], row["kind"]) == (service, name, "1")
    }
    assert len(limits) <= 1, f"two smallest values for {service} {name}"
    return limits.pop() if limits else None
