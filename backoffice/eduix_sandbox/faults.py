"""Fault codes: the general ones, and field codes as a base number plus a kind.

Profile 4.1 and Credit 4.1: every field owns twenty numbers; the offset says what is wrong.
"""

from __future__ import annotations

import zlib
from typing import Final, Literal

FaultSign = Literal["both", "negative", "positive"]

GENERAL: Final = 1
LOGIN_REFUSED: Final = 2
DATABASE: Final = 3
RECORD_EXISTS: Final = 4
NOT_FOUND: Final = 5
INCORRECT: Final = 6
TOO_MANY: Final = 8
NOT_YOURS: Final = 9
NOT_IMPLEMENTED: Final = 10
SESSION_EXPIRED: Final = 12

MISSING: Final = 0
TOO_SMALL: Final = 1
TOO_LONG: Final = 2
WRONG_FORMAT: Final = 3
NOT_ALLOWED: Final = 4
WRONG_TYPE: Final = 5
EXISTS: Final = 6
UNKNOWN: Final = 7
NOT_AUTHORISED: Final = 8

KINDS: Final = {
    MISSING: "is missing",
    TOO_SMALL: "is too small",
    TOO_LONG: "is too long",
    WRONG_FORMAT: "has a wrong format",
    NOT_ALLOWED: "has a value that is not allowed",
    WRONG_TYPE: "has a wrong type",
    EXISTS: "exists already",
    UNKNOWN: "is not found",
    NOT_AUTHORISED: "is not yours to use",
}


class Refusal(Exception):
    """The call is answered with a Fault; `code` is positive here, its sign is set when sent.

    `sign` (1 or -1) wins over the sandbox's own choice of sign.
    """

    def __init__(self, code: int, message: str, *, sign: int | None = None) -> None:
        super().__init__(message)
        self.code = abs(code)
        self.message = message
        self.sign = sign


def field_refusal(base: int, kind: int, name: str, detail: str = "") -> Refusal:
    """The documented code of a field: "5022 surname is too long (at most 50)"."""
    return Refusal(base + kind, f"{name} {KINDS[kind]}{f' ({detail})' if detail else ''}")


def incorrect(message: str) -> Refusal:
    """A rule without a code of its own: the general "incorrect request"."""
    return Refusal(INCORRECT, message)


def signed(refusal: Refusal, choice: FaultSign, *, seed: int, about: str) -> int:
    """The code as it is sent.

    The documentation calls negative an error and positive a warning, yet lists positive numbers:
    receivers must live with both. With "both" the sign follows from the seed and from what the
    fault is about, so that a run repeats whatever the order of its threads.
    """
    if refusal.sign is not None:
        return refusal.code if refusal.sign > 0 else -refusal.code
    if choice == "both":
        spread = zlib.crc32(f"{seed}:{refusal.code}:{about}".encode())
        return refusal.code if spread & 1 else -refusal.code
    return refusal.code if choice == "positive" else -refusal.code
