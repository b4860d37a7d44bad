"""From a request element to plain values, or to the documented code of what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml.etree import _Element

from .faults import (
    MISSING,
    NOT_AUTHORISED,
    TOO_LONG,
    TOO_SMALL,
    WRONG_TYPE,
    Refusal,
    field_refusal,
    incorrect,
)
from .fields import OBJECTS, Choice, Field, Member
from .forms import Number, OneOf, Text


@dataclass(slots=True)
class Record:
    """Values by element name, and the objects inside; absent elements are absent here too."""

    values: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Record] = field(default_factory=dict)


def local(element: _Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]


def read(element: _Element, members: Iterable[Member]) -> Record:
    """The values of the members; the first violation, in the order of the documentation, wins.

    Raises `Refusal`. Elements that have no place here are left to the schema.
    """
    children: dict[str, _Element] = {}
    for child in element:
        children.setdefault(local(child), child)
    record = Record()
    for member in members:
        if isinstance(member, Field):
            _read_field(children.get(member.name), member, record)
            continue
        chosen = _chosen(children, member)
        if chosen is not None:
            _read_field(children[chosen.name], chosen, record)
    return record


def _chosen(children: dict[str, _Element], choice: Choice) -> Field | None:
    present = [option for option in choice.options if option.name in children]
    names = " or ".join(option.name for option in choice.options)
    if len(present) > 1:
        raise incorrect(f"only one of {names} may be given")
    if not present and choice.required:
        raise field_refusal(choice.base, MISSING, names)
    return present[0] if present else None


def _read_field(child: _Element | None, member: Field, record: Record) -> None:
    if child is None:
        if member.required:
            raise _refusal(member, MISSING)
    elif member.form is None:
        record.parts[member.name] = read(child, OBJECTS[member.part])
    else:
        text = child.text or ""
        if len(child):
            raise _refusal(member, WRONG_TYPE)
        if not text.strip() and member.required:
            raise _refusal(member, MISSING)
        if not text.strip() and member.form.blank_is_absent:
            return
        kind = member.form.violation(text)
        if kind is not None:
            raise _refusal(member, kind)
        record.values[member.name] = member.form.clean(text)


def _refusal(member: Field, kind: int) -> Refusal:
    if kind not in member.kinds:
        return incorrect(f"{member.name} is not correct")
    return field_refusal(member.base, kind, member.name, _limit(member, kind))


def _limit(member: Field, kind: int) -> str:
    form = member.form
    if isinstance(form, Text):
        return {TOO_LONG: f"at most {form.longest}", TOO_SMALL: f"at least {form.shortest}"}.get(
            kind, ""
        )
    if isinstance(form, Number) and kind == TOO_SMALL:
        return f"at least {form.least}"
    if isinstance(form, OneOf) and len(form.values) < 10:
        return "one of " + ", ".join(form.values)
    return ""


def own_key(record: Record, part: str, name: str, *, distributor_id: int) -> str:
    """The distributor's key in a "distributorSomething" object.

    Refuses with the ..8 of distributorID when another distributor is named: a caller may touch
    its own records only.
    """
    inside = record.parts[part].values
    if int(inside["distributorID"]) != distributor_id:
        base = OBJECTS[part][0].base
        raise field_refusal(base, NOT_AUTHORISED, "distributorID")
    return inside[name]
