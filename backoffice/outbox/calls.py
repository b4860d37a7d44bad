"""The log of calls: each try with its envelopes, to read and to hand on to Edu-iX."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.eduix.errors import NOT_THERE
from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.outbox.models import Attempt
from backoffice.outbox.registry import is_question
from backoffice.screens.cells import Tone, pill

OUTCOME_TONES: Final[dict[str, Tone]] = {
    Attempt.Outcome.ACCEPTED: "ok",
    Attempt.Outcome.OPEN: "wait",
    Attempt.Outcome.UNREACHABLE: "wait",
}

FAILED: Final = tuple(
    outcome
    for outcome in Attempt.Outcome.values
    if outcome not in (Attempt.Outcome.OPEN, Attempt.Outcome.ACCEPTED)
)
"""Outcomes of a try that a colleague may want to see the call of."""

_TOKEN = re.compile(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<[^>]*>?|[^<]+", re.DOTALL)
_INDENT: Final = "  "


@dataclass(frozen=True)
class Call:
    """One envelope out and one back, masked; `code` as received, with its sign."""

    service: str
    operation: str
    request: str
    response: str
    status: str
    milliseconds: str
    error: str
    code: str = ""
    explanation: Explanation | None = None

    @property
    def found_nothing(self) -> bool:
        """A get that was answered, and to which Edu-iX has nothing.

        It answers an empty list or one of a few codes; what it finds stands in elements whose
        names end in Information.
        """
        if not self.operation.startswith("get") or not self.response:
            return False
        if self.code:
            return abs(int(self.code)) in NOT_THERE
        return self.status == "200" and "Information" not in self.response


@dataclass(frozen=True)
class Try:
    """An attempt as its page shows it."""

    attempt: Attempt
    pill: SafeString
    explanation: Explanation | None
    calls: tuple[Call, ...]
    for_edu_ix: str = ""

    @property
    def url(self) -> str:
        """Its own page."""
        return attempt_url(self.attempt.pk)


def attempt_url(pk: int) -> str:
    """The page of one try, with everything that went out and came back."""
    return reverse("admin:outbox_attempt_change", args=[pk])


def outcome_pill(attempt: Attempt) -> SafeString:
    """How one try ended."""
    return pill(OUTCOME_TONES.get(attempt.outcome, "bad"), attempt.get_outcome_display())


def tries_of(attempts: Iterable[Attempt], service: str) -> list[Try]:
    """Attempts with their answers explained and their envelopes ready to read."""
    return [_try(attempt, service) for attempt in attempts]


def _try(attempt: Attempt, service: str) -> Try:
    calls = tuple(_call(raw) for raw in attempt.calls)
    return Try(
        attempt,
        outcome_pill(attempt),
        explain(attempt.code, service=service) if attempt.code is not None else None,
        calls,
        _for_edu_ix(attempt, calls) if calls else "",
    )


def _call(raw: Any) -> Call:
    """The stored exchange; a shape from an earlier version is shown as it is."""
    if not isinstance(raw, dict):
        return Call("", "", json.dumps(raw, ensure_ascii=False), "", "", "", "")
    words = {key: "" if value is None else str(value) for key, value in raw.items()}
    code = raw.get("code")
    number = code if isinstance(code, int) and not isinstance(code, bool) else None
    service = words.get("service", "")
    return Call(
        service=service,
        operation=words.get("operation", ""),
        request=indented(words.get("request", "")),
        response=indented(words.get("response", "")),
        status=words.get("status", ""),
        milliseconds=words.get("milliseconds", ""),
        error=words.get("error", ""),
        code=f"{number:+d}" if number is not None else "",
        explanation=explain(number, service=service) if number is not None else None,
    )


def indented(envelope: str) -> str:
    """An envelope with an element a line, so that people can read it; any other text as it is.

    Made from its signs and not by parsing: what is kept may be cut off, or be no XML at all.
    """
    if not envelope.lstrip().startswith("<"):
        return envelope
    lines: list[str] = []
    depth, is_open = 0, False  # is_open: the line holds an element without its content yet
    for token in _TOKEN.findall(envelope):
        if not token.startswith("<") or token.startswith("<![CDATA["):
            if is_open and token.strip():
                lines[-1] += token
            elif token.strip():
                lines.append(_INDENT * depth + token.strip())
            continue
        if token.startswith("</"):
            depth = max(0, depth - 1)
            if is_open:
                lines[-1] += token
            else:
                lines.append(_INDENT * depth + token)
            is_open = False
            continue
        lines.append(_INDENT * depth + token)
        is_open = not token.startswith(("<?", "<!")) and not token.endswith("/>")
        depth += is_open
    return "\n".join(lines)


def _for_edu_ix(attempt: Attempt, calls: tuple[Call, ...]) -> str:
    """A try as a text for the helpdesk of Edu-iX; names and secrets are masked in it."""
    started = timezone.localtime(attempt.started_at)
    lines = [
        _line(_("Time"), started.isoformat(sep=" ", timespec="seconds")),
        _line(_("Distributor"), settings.EDUIX_DISTRIBUTOR_ID),
        _line(_("Our message"), f"{attempt.message_id}/{attempt.fence}"),
    ]
    for number, call in enumerate(calls, start=1):
        lines += [
            "",
            _("Call %(number)d of %(total)d") % {"number": number, "total": len(calls)},
            _line(_("Service"), call.service),
            _line(_("Operation"), call.operation),
            _line(_("Duration"), f"{call.milliseconds} ms" if call.milliseconds else ""),
            _line(_("HTTP status"), call.status or _("no answer")),
            _line(_("Code"), call.code),
            _line(_("What came of it"), call.error),
            "",
            _("Request (masked):"),
            call.request,
            "",
            _("Response (masked):"),
            call.response or _("none"),
        ]
    return "\n".join(line for line in lines if line is not None)


def _line(label: str, value: object) -> str | None:
    return f"{label}: {value}" if value not in ("", None) else None


def failed_attempt_url(message_ids: Iterable[int]) -> str:
    """The exact call that failed last for these messages; empty when none did."""
    found = (
        Attempt.objects.filter(message__in=list(message_ids), outcome__in=FAILED)
        .order_by("-id")
        .values_list("pk", flat=True)
        .first()
    )
    return attempt_url(found) if found is not None else ""


def done_words(operation: str, last: Try | None) -> str:
    """What to say about a message that was answered."""
    if not is_question(operation):
        return _("Edu-iX has accepted it. Nothing needs to be done.")
    if last is not None and any(call.found_nothing for call in last.calls):
        return _("Edu-iX has answered: it does not know this.")
    return _("Edu-iX has answered. Nothing needs to be done.")
