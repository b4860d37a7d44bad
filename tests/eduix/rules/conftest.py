"""What the tests of rules have in common."""

from __future__ import annotations

from backoffice.eduix.rules import Finding, check
from tests.eduix.values import GOOD, TODAY


def found(owner: str, **changes: object) -> list[Finding]:
    return check(owner, {**GOOD[owner], **changes}, today=TODAY)


def one(owner: str, **changes: object) -> Finding:
    findings = found(owner, **changes)
    assert len(findings) == 1, findings
    return findings[0]
