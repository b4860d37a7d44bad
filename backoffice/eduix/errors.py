"""The four errors of the gateway; each answers: may the same message be sent again?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final


class EduixError(Exception):
    """Base of what the gateway raises; `text` is safe to show and to store."""

    def __init__(self, text: str) -> None:
        clean = text.replace("\0", "\ufffd").encode("utf-8", errors="replace").decode("utf-8")
        super().__init__(clean)
        self.text = clean[:4096]

    def conceal(self, hide: Callable[[str], str]) -> None:
        """Take values that we sent out of the text: Edu-iX may quote them."""
        self.text = hide(self.text)[:4096]
        self.args = (self.text,)


class EduixUnreachable(EduixError):
    """Nothing left us: the same message may be sent again, later."""


class EduixMisfit(EduixUnreachable):
    """The WSDL in use cannot be used: nothing is sent until somebody mends the setting."""


class EduixUncertain(EduixError):
    """The request left, no readable answer came back: ask before resending."""


class EduixRefused(EduixError):
    """Edu-iX answered with a Fault. `code` keeps its sign; look it up by its absolute value."""

    def __init__(
        self,
        code: int,
        text: str,
        *,
        on_login: bool = False,
        is_repeated: bool = False,
        has_code: bool = True,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.on_login = on_login
        self.has_code = has_code  # False: the Fault held no number, general error counts
        self.is_repeated = is_repeated  # told again to a waiting thread, without a new login

    @property
    def number(self) -> int:
        """The code without its sign, as the documentation lists it."""
        return abs(self.code)


class EduixContractBroken(EduixError):
    """What we wanted to send, or what came back, does not fit the contract: a bug."""


PASSING: Final = frozenset({1, 3, 7, 11})
"""Not now: database error, search error, record locked, general error."""

SESSION_GONE: Final = frozenset({12, 2240, 2248, 6860, 6862, 6868})
"""The session is not accepted any more: log in once more and repeat the call."""

LOGIN_REFUSED: Final = frozenset({2, 2208, 2220, 2228, 4682, 4685, 4688, 4702, 4705, 4708})
"""Our user name or password is wrong: more tries may lock the account."""

ALREADY_EXISTS: Final = frozenset({4, 2606, 2626, 2786, 2806, 3046, 5066, 6466, 6746})
"""The record itself exists (not merely one of its values)."""

NOT_THERE: Final = frozenset({5, 3767, 4247, 4307, 3667, 4147})
"""A get that found nothing."""

GENERAL_ERROR: Final = 1

_TEXT_CODE = re.compile(
    r"^\s*(-?\d{1,9})\b"
    r"|\[\s*(-?\d{1,9})\s*\]"
    r"|(?:error|code|fout)[^\w-]{1,3}(-?\d{1,9})\b",
    re.IGNORECASE,
)


def fault_code(detail_code: str | None, faultcode: str, faultstring: str) -> int | None:
    """The number in a Fault, with its sign; None when it holds none.

    Looked for in this order: the `code` element below `detail`; a faultcode whose local part is
    nothing but an integer (PHP servers write `ns1:2606`); an integer that opens the faultstring,
    stands in square brackets, or follows error, code or fout.
    """
    for text in (detail_code or "", faultcode.rpartition(":")[2]):
        if re.fullmatch(r"\s*[+-]?\d{1,10}\s*", text):
            return int(text)
    found = _TEXT_CODE.search(faultstring[:4096])
    if found:
        return int(next(group for group in found.groups() if group is not None))
    return None
