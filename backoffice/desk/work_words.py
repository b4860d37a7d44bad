"""What each work item says: its title, who must act, the next step, and its one button."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.work import LIST_OF, WorkItem
from backoffice.desk.work_count import HELD, Counts, Tally
from backoffice.desk.work_deeds import deed_of, list_url, passes
from backoffice.desk.work_keys import KINDS, Key
from backoffice.desk.work_naming import counted_words, titles_of
from backoffice.desk.work_rows import CREDITS
from backoffice.explanations.services import (
    Explanation,
    PublisherFault,
    explain,
    explain_publisher_faults,
)
from backoffice.outbox.models import PushState
from backoffice.screens.cells import Tone
from backoffice.screens.numbers import with_number
from backoffice.screens.search import spaced_ean
from credits.access_words import in_sentence
from notifications.models import Notification
from persons.models import School

# The explanation of an item; the codes of Edu-iX and of publishers bring their own.
OWN: Final = {
    "conflict": "own:conflict",
    "prematch": "own:waiting_for_prematch",
    "unsent": "own:not_sent",
    "publisher": "own:waiting_for_publisher",
    "silent": "own:why_publisher_silent",
    "uncertain": "own:uncertain",
    "sending": "own:sending",
    "stuck": "own:why_sending_stuck",
    "unreachable": "own:unreachable",
    "login": "own:login_refused",
    "standstill": "own:why_worker_gone",
    "held": "own:waiting",
}
TONES: Final[dict[str, Tone]] = {
    "refused": "bad",
    "conflict": "bad",
    "fault": "bad",
    "stuck": "bad",
    "unreachable": "wait",
    "login": "bad",
    "standstill": "bad",
    "unsent": "idle",
    "notification": "bad",
}


@dataclass
class Names:
    """What the items name, looked up once for all of them."""

    books: dict[str, tuple[str, str]] = field(default_factory=dict)
    schools: dict[int, str] = field(default_factory=dict)
    faults: dict[PublisherFault, Explanation] = field(default_factory=dict)

    def fault(self, key: Key) -> PublisherFault:
        """A publisher's code with what it came about."""
        ean = key.part("ean")
        return PublisherFault(key.code or 0, ean, self.books.get(ean, ("", ""))[1])

    def book(self, key: Key) -> str:
        """`Getal & Ruimte (9789001 23456 2)`."""
        ean = key.part("ean")
        if not ean:
            return ""
        title = self.books.get(ean, ("", ""))[0]
        return f"{title} ({spaced_ean(ean)})" if title else spaced_ean(ean)


def told(counts: Counts) -> Iterator[WorkItem]:
    """Every item in words; three queries, and one for the texts of our own."""
    names = Names(
        books=titles_of({ean for key in counts.items if (ean := key.part("ean"))}),
        schools=dict(
            School.objects.filter(
                pk__in={key.school for key in counts.items if key.school is not None}
            ).values_list("pk", "name")
        ),
    )
    faults = [names.fault(key) for key in counts.items if key.family == "fault"]
    names.faults = explain_publisher_faults(faults)
    for key, parts in counts.items.items():
        yield _item(key, parts, counts, names)


def _item(key: Key, parts: dict[str, Tally], counts: Counts, names: Names) -> WorkItem:
    explanation = explanation_of(key, counts, names)
    owner = owner_of(key, explanation)
    rows = sum(tally.rows for kind, tally in parts.items() if kind != HELD)
    credits = sum(parts[kind].rows for kind in (*CREDITS, HELD) if kind in parts)
    since = min(filter(None, (tally.since for tally in parts.values())), default=None)
    url = list_url(key, parts, counts.manager)
    return WorkItem(
        key=str(key),
        list=LIST_OF[owner],
        owner=owner,
        owner_label=capfirst(_owner_label(owner, explanation)),
        title=_title(key, explanation, names, parts),
        sub=_sub(key, explanation, names, parts),
        tone=TONES.get(key.family, "wait"),
        state=_state(key),
        rows=rows,
        parts={kind: tally.rows for kind, tally in parts.items()},
        credits=credits,
        pupils=max((tally.pupils for tally in parts.values()), default=0),
        since=since,
        newest=max(filter(None, (tally.newest for tally in parts.values())), default=None),
        max_pk=sum(tally.max_pk for tally in parts.values()),
        next_step=_next_step(key, explanation),
        url=url,
        deed=deed_of(key, parts, explanation, names.fault(key), url),
        explanation=explanation,
    )


# --- whose it is --------------------------------------------------------------------------------


def explanation_of(key: Key, counts: Counts, names: Names) -> Explanation:
    """The one explanation of an item."""
    match key.family:
        case "fault":
            return names.faults[names.fault(key)]
        case "refused" if key.code is not None:
            service = "credit" if "credit" in key.part("kind") else "profile"
            return explain(key.code, service=service)
        case "refused":
            return explain("own:refused")
        case "notification":
            return explain(f"own:notification_{key.part('verdict')}")
        case "login" if counts.service is not None and counts.service.code is not None:
            return explain(counts.service.code)
    return explain(OWN[key.family])


def owner_of(key: Key, explanation: Explanation) -> str:
    """Exactly one owner for every state.

    What was refused does not go again by itself, also when its code says that it passes: after the
    last try it is ours. And a fault that nobody is to act on is still the publisher's.
    """
    if key.family in ("login", "standstill"):
        return "wij"
    if key.family == "fault" and key.code and not explanation.known:
        return "wij"  # we ask the publisher what it means and write it down, as why and report say
    if key.family == "publisher":
        return "niemand"
    if key.family == "refused" and passes(explanation):
        return "wij"
    if key.family == "fault" and explanation.owner == "niemand":
        return "uitgever"
    return explanation.owner


def _owner_label(owner: str, explanation: Explanation) -> str:
    if owner == explanation.owner:
        return explanation.owner_label
    return next(told.owner_label for told in map(explain, _SAMPLES) if told.owner == owner)


_SAMPLES: Final = ("own:not_sent", "own:publisher_fault", "own:sending")  # wij, uitgever, niemand


# --- words --------------------------------------------------------------------------------------


def _title(key: Key, explanation: Explanation, names: Names, parts: dict[str, Tally]) -> str:
    school = names.schools.get(key.school or 0, "")
    match key.family:
        case "fault" if not explanation.known:
            return _("The publisher refuses this book")
        case "prematch":
            number = parts["person_credit"].pupils
            pupils = with_number(ngettext("%d pupil", "%d pupils", number), number)
            return _("%(school)s has not linked %(pupils)s yet") % {
                "school": school,
                "pupils": pupils,
            }
        case "unsent":
            title = explanation.title
            if key.part("state") == PushState.CHANGED:
                title = _("Changed, and not sent to Edu-iX yet")
            return f"{school}: {in_sentence(title)}" if school else title
    return explanation.title


def _sub(key: Key, explanation: Explanation, names: Names, parts: dict[str, Tally]) -> str:
    found = [names.book(key), names.books.get(key.part("ean"), ("", ""))[1]]
    if key.family == "refused":
        found.append(counted_words(key.part("kind"), parts[key.part("kind")].rows))
    elif key.family != "prematch":
        found += [_counted(kind, parts[kind].rows) for kind in _IN_ORDER if kind in parts]
    if HELD in parts:
        number = parts[HELD].rows
        found.append(
            with_number(
                ngettext("%d credit waits behind it", "%d credits wait behind it", number), number
            )
        )
    if pupils := _pupils(key, parts):
        found.append(with_number(ngettext("%d pupil", "%d pupils", pupils), pupils))
    if key.family == "unsent" and key.school is None:
        found.append(_("at no school"))
    if key.family == "fault" and not explanation.known:
        found.append(_("no explanation written yet"))
    if key.code:
        found.append(_("code %s") % key.code)
    return " · ".join(part for part in found if part)


_IN_ORDER: Final = (*KINDS, "notification")


def _pupils(key: Key, parts: dict[str, Tally]) -> int:
    """How many persons it is about, where nothing else on the line says so already."""
    if key.family == "prematch" or "person" in parts or "schoolperson" in parts:
        return 0
    return max((tally.pupils for tally in parts.values()), default=0)


def _counted(kind: str, number: int) -> str:
    words = {
        "person": ngettext("%d person", "%d persons", number),
        "schoolperson": ngettext("%d person at a school", "%d persons at a school", number),
        "person_change": ngettext("%d request about a person", "%d requests about persons", number),
        "person_credit": ngettext("%d credit", "%d credits", number),
        "school_credit": ngettext("%d school credit", "%d school credits", number),
        "credit_return": ngettext("%d return", "%d returns", number),
        "notification": ngettext("%d notification", "%d notifications", number),
    }
    return with_number(words[kind], number)


def _state(key: Key) -> str:
    """The word on the pill."""
    words = {
        "refused": _("Refused"),
        "conflict": _("Differs"),
        "fault": _("Fault at publisher"),
        "prematch": _("Waits for school"),
        "unsent": _("Not sent"),
        "publisher": _("Waits for publisher"),
        "silent": _("No answer"),
        "uncertain": _("Uncertain"),
        "sending": _("Under way"),
        "stuck": _("Stuck"),
        "unreachable": _("Edu-iX unreachable"),
        "login": _("Stopped"),
        "standstill": _("Stands still"),
        "held": _("Waiting"),
    }
    if key.family == "notification":
        return str(Notification.Verdict(key.part("verdict")).label)
    return words[key.family]


def _next_step(key: Key, explanation: Explanation) -> str:
    if key.family == "refused" and passes(explanation):
        return " ".join(explain("own:tries_used_up").steps[-1:])
    return " ".join(explanation.steps[:1])
