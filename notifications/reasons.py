"""Why a notification has its verdict: short keys in the database, words on the screen.

A reason reads `key` or `key:detail`; the detail is a name from our schema or a number, never
something the sender wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SAME_AGAIN: Final = "same_again"
NEWER_IS_HERE: Final = "newer_is_here"
NEWER_REPLAYED: Final = "newer_replayed"
UNKNOWN_SUBJECT: Final = "unknown_subject"
ASKED: Final = "asked"
NOT_CONFIRMED: Final = "not_confirmed"
IN_TURN: Final = "in_turn"
RETURN_NOT_PROCESSED: Final = "return_not_processed"
LICENSE_BLOCK: Final = "license_block"
BROKE: Final = "broke"
STOPPED_THE_WORKER: Final = "stopped_the_worker"
TOO_OLD: Final = "too_old"

_WORDS: Final[dict[str, _StrOrPromise]] = {
    "missing": gettext_lazy("The element “%(detail)s” is missing."),
    "repeated": gettext_lazy("The element “%(detail)s” stands there more than once."),
    "too_long": gettext_lazy("The element “%(detail)s” is longer than allowed."),
    "wrong_type": gettext_lazy("The element “%(detail)s” has the wrong type."),
    SAME_AGAIN: gettext_lazy("Edu-iX told the same before; nothing changed."),
    NEWER_IS_HERE: gettext_lazy("A newer notification about the same had already been applied."),
    NEWER_REPLAYED: gettext_lazy("A newer notification about the same was applied again instead."),
    UNKNOWN_SUBJECT: gettext_lazy(
        "We do not know this number. As soon as it exists here, the notification is applied by "
        "itself."
    ),
    ASKED: gettext_lazy("This would be a step backwards, so we are asking Edu-iX first."),
    NOT_CONFIRMED: gettext_lazy("A step backwards that Edu-iX did not confirm when we asked."),
    IN_TURN: gettext_lazy("An earlier notification about the same goes first."),
    RETURN_NOT_PROCESSED: gettext_lazy(
        "The publisher did not process the return (code %(detail)s)."
    ),
    LICENSE_BLOCK: gettext_lazy(
        "It tells of a licence that was blocked or released; that changes nothing in the credit "
        "here."
    ),
    BROKE: gettext_lazy(
        "Applying it failed on our side; an administrator sees the details among the tries."
    ),
    STOPPED_THE_WORKER: gettext_lazy("The worker stopped while applying it, more than once."),
    TOO_OLD: gettext_lazy("Its number never appeared here, and what it said may not be kept."),
}


def reason(key: str, detail: object = "") -> str:
    """How a reason is stored."""
    return f"{key}:{detail}" if detail != "" else key


def in_words(stored: str) -> str:
    """What a colleague reads; a reason we do not know is shown as it is."""
    key, _colon, detail = stored.partition(":")
    words = _WORDS.get(key)
    if words is None:
        return stored
    return str(words) % {"detail": detail or _("unknown")}
