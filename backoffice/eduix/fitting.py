"""What of a WSDL does not fit what we send and read, by name.

The bundled WSDL says what we use: both are walked by local name, and the differences told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from backoffice.eduix import contract
from backoffice.eduix.dialect import Dialect, dialect_of, fields_of
from backoffice.eduix.errors import EduixMisfit

NEVER_SENT: Final = {"person/profileID", "person/userID"}
"""Edu-iX' to tell (docs/decisions/0004): in requests they may be absent."""

LOOKUPS: Final = {
    "getSchool": {"portal"},
    "getPerson": {"portal", "profileID", "eckID", "userID"},
    "getSchoolperson": {"distributorPerson"},
    "getPersonCredit": {"distributorPerson", "eckID", "ean", "schoolYear"},
    "getSchoolCredit": {"organisationID", "portal", "ean", "schoolYear"},
}
"""Other ways to ask than by our own key: without one of these only that question is lost."""

HEADER_FIELDS: Final = {
    contract.LOGIN_HEADER: {"username", "password"},
    contract.SESSION_HEADER: {"sessionID"},
    contract.AUTH_HEADER: {"sessionIDHeader", "sessionIDHeader/sessionID"},
}
DEPTH: Final = 6  # deeper than any object of the service; a recursive type must end somewhere


@dataclass
class Fit:
    """`errors` stop the start; `warnings` name what this WSDL cannot do."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """One element of a message, by its path of local names."""

    path: str
    is_required: bool  # whenever what it stands in is sent


def fit_of(service: str, wsdl: str) -> Fit:
    """Hold a WSDL beside the bundled one; a WSDL that cannot be read is one error."""
    try:
        return _compared(dialect_of(service, wsdl), dialect_of(service))
    except EduixMisfit as problem:
        return Fit(errors=[problem.text])


def _compared(theirs: Dialect, ours: Dialect) -> Fit:
    fit = Fit(errors=list(theirs.misfits))
    try:
        theirs.compiled()
    except EduixMisfit as problem:
        fit.errors.append(problem.text)
    for operation, form in theirs.forms.items():
        known = ours.forms[operation]
        for name, element in form.headers.items():
            _check_header(operation, name, element, fit)
        _check_request(operation, known.request, form.request, fit)
        _check_response(operation, known.response, form.response, fit)
    return fit


def _check_header(operation: str, name: str, element: Any, fit: Fit) -> None:
    found = {place.path for place in _places(element)}
    for path in sorted(HEADER_FIELDS[name] - found):
        fit.errors.append(
            _("%(operation)s: %(parent)s has no %(element)s.")
            % {"operation": operation, "parent": name, "element": path.rpartition("/")[2]}
        )


def _check_request(operation: str, known: Any, theirs: Any, fit: Fit) -> None:
    """Missing elements, and required ones that we cannot fill."""
    ours = {place.path: place for place in _places(known)}
    found = {place.path: place for place in _places(theirs)}
    for path in _topmost(set(ours) - set(found) - NEVER_SENT):
        words = _("%(operation)s: %(parent)s has no %(element)s.") % _named(operation, path)
        is_lookup = path.partition("/")[0] in LOOKUPS.get(operation, ())
        (fit.warnings if is_lookup else fit.errors).append(words)
    for path, place in found.items():
        if not place.is_required or _under(path, found, ours):
            continue
        if path not in ours:
            fit.errors.append(
                _("%(operation)s: %(parent)s needs %(element)s, which is not known here.")
                % _named(operation, path)
            )
        elif path in NEVER_SENT:
            fit.errors.append(
                _("%(operation)s: %(parent)s needs %(element)s, which only Edu-iX knows.")
                % _named(operation, path)
            )
        elif not ours[path].is_required and path not in LOOKUPS.get(operation, ()):
            fit.warnings.append(
                _("%(operation)s: %(parent)s needs %(element)s, which may be empty here.")
                % _named(operation, path)
            )


def _under(path: str, found: dict[str, _Place], ours: dict[str, _Place]) -> bool:
    """Whether it stands below an element that we do not know: an optional one is never sent."""
    parent = path.rpartition("/")[0]
    while parent:
        if parent not in ours:
            return True
        parent = parent.rpartition("/")[0]
    return False


def _check_response(operation: str, known: Any, theirs: Any, fit: Fit) -> None:
    ours = {place.path: place for place in _places(known)}
    found = {place.path for place in _places(theirs)}
    for path in _topmost(set(ours) - found):
        words = _("%(operation)s: the answer has no %(element)s in %(parent)s.") % _named(
            operation, path
        )
        top = "/" not in path or ours[path].is_required
        (fit.errors if top else fit.warnings).append(words)


def _topmost(paths: set[str]) -> list[str]:
    """Without those that lie below another: a missing object is one line, not ten."""
    return sorted(path for path in paths if path.rpartition("/")[0] not in paths)


def _named(operation: str, path: str) -> dict[str, str]:
    parent, _slash, element = path.rpartition("/")
    return {
        "operation": operation,
        "parent": parent.rpartition("/")[2] or operation,
        "element": element,
    }


def _places(element: Any, path: str = "", depth: int = 0) -> Iterator[_Place]:
    """Every element below, by local names."""
    if depth > DEPTH:
        return
    required = _always(getattr(element.type, "_element", None))
    for name, inside in fields_of(element).items():
        here = f"{path}/{name}" if path else name
        yield _Place(here, name in required)
        yield from _places(inside, here, depth + 1)


def _always(group: Any) -> set[str]:
    """The names in a sequence or all that must be there: nothing optional, nothing of a choice."""
    if group is None or getattr(group, "min_occurs", 1) == 0 or type(group).__name__ == "Choice":
        return set()
    found: set[str] = set()
    for one in [group.child] if hasattr(group, "child") else group:
        qname = getattr(one, "qname", None)
        if qname is None or not hasattr(one, "type"):
            found |= _always(one) if hasattr(one, "accept") else set()
        elif one.min_occurs and getattr(one, "default", None) is None:
            found.add(qname.localname)
    return found
