"""The words of the control page."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop as _

KIND_WORDS: Final[dict[str, str]] = {
    "fault": _("A fault with a code"),
    "fault_without_detail": _("A fault without detail"),
    "session_expired": _("The session has expired"),
    "unavailable": _("Service unavailable (503)"),
    "cut": _("Line cut before anything is applied"),
    "cut_answer": _("Line cut in the middle of the answer"),
    "drop_reply": _("Applied, then the line is cut without an answer"),
    "delay": _("A good answer, but late"),
    "hang": _("Silence, then the line is cut"),
    "drip": _("Applied, and the answer comes byte by byte"),
    "html": _("A web page instead of an answer"),
    "empty": _("An empty answer"),
    "truncated": _("Half an answer"),
    "gzip_bomb": _("A small answer that unpacks to 64 MB"),
    "dtd": _("An answer with a document type"),
    "wrong_operation": _("The answer of another operation"),
    "redirect": _("A redirect to another address"),
    "duplicate": _("Delivered twice"),
    "late": _("Delivered late, after what is newer"),
    "out_of_order": _("Delivered after the next one"),
    "lost": _("Lost, and never sent again"),
    "dropped": _("Lost on its way, sent again later"),
    "refused": _("Delivered, taken for refused, sent again"),
}
"""Kind of trouble -> what the page calls it."""

PLACE_WORDS: Final[dict[str, str]] = {
    "nowhere": _("nowhere"),
    "faultcode": _("in faultcode"),
    "faultstring": _("in faultstring"),
}

TOLD: Final[dict[str, str]] = {
    "trouble": _("Ordered. It waits for the next call that fits."),
    "notification-trouble": _("Ordered. It waits for the next notification that fits."),
    "clear": _("All troubles that waited are forgotten."),
    "sessions": _("All sessions have ended: the next call gets code 12."),
    "hurry": _("Everything that was planned happens now."),
    "link": _("The portal has linked the person."),
    "unlink": _("The portal has taken the link back."),
    "notify": _("The notification leaves now."),
    "reset": _("The sandbox is empty again; only its schools are left."),
}
"""Order -> what the page says once it was followed."""

STATE_WORDS: Final[dict[str, str]] = {
    "schools": _("schools"),
    "persons": _("persons"),
    "linked": _("of them linked"),
    "schoolpersons": _("persons at schools"),
    "personCredits": _("person credits"),
    "schoolCredits": _("school credits"),
    "specified": _("specified"),
    "faults": _("refused by publishers"),
    "events": _("events planned"),
    "outgoing": _("notifications waiting"),
    "givenUp": _("notifications given up"),
    "sessions": _("open sessions"),
    "calls": _("calls"),
}
"""Count of `Controls.state` -> its label."""

OUTCOME_WORDS: Final[dict[str, str]] = {
    "accepted": _("accepted"),
    "refused": _("refused"),
    "not understood": _("answer not understood"),
    "unreachable": _("not reached"),
    "impossible": _("cannot be made"),
    "given up": _("given up"),
    "held back": _("held back"),
    "lost": _("lost"),
}
"""Outcome of a delivery -> what the page calls it."""
