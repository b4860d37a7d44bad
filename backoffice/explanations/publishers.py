"""Publishers' codes: which explanation fits, and which codes still have none."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import F
from django.utils import timezone

from backoffice.explanations.decode import unknown_publisher_code
from backoffice.explanations.explanation import Explanation, meaning_and_causes
from backoffice.explanations.models import EAN_PREFIX_LENGTH, PublisherCode, UnknownCode

MOST_OF_ONE_NUMBER: Final = 5
"""Publishers that one number is shown for while nobody has written what it means."""


@dataclasses.dataclass(frozen=True, slots=True)
class PublisherFault:
    """A publisher's code with what it came about; `publisher` is a name, where it is known."""

    code: int
    ean: str = ""
    publisher: str = ""


def explain_faults(
    faults: Iterable[PublisherFault], *, lang: str
) -> dict[PublisherFault, Explanation]:
    """Explain many at once, with one query: for a page with a list of credits."""
    wanted = set(faults)
    rows = defaultdict(list)
    for row in PublisherCode.objects.filter(code__in={fault.code for fault in wanted}):
        rows[row.code].append(row)
    return {fault: _best(fault, rows[fault.code], lang) for fault in wanted}


def explain_number(code: int, *, lang: str) -> list[Explanation]:
    """All that is known of a publisher's code when nobody says whose or about which book.

    First what colleagues wrote, then where it came in without words, the most frequent first;
    `field` tells for which publisher and which products. Empty when nobody ever met the code.
    """
    rows = list(PublisherCode.objects.filter(code=code))
    found = [explanation_of(row, lang) for row in rows]
    waiting = UnknownCode.objects.filter(
        source=UnknownCode.Source.PUBLISHER, code=code, count__gt=0
    )
    for unknown in waiting[:MOST_OF_ONE_NUMBER]:
        fault = PublisherFault(code, unknown.ean_prefix, unknown.publisher)
        told = _best(fault, rows, lang)
        if not told.known:
            found.append(dataclasses.replace(told, field=_whose(unknown)))
    return found


def explanation_of(row: PublisherCode, lang: str, *, code: int | None = None) -> Explanation:
    """What a colleague wrote, in the asked language where it was written, else in Dutch.

    `field` tells for which publisher and which products it was written.
    """
    english = lang == "en" and bool(row.title_en and row.cause_en and row.remedy_en)
    cause = row.cause_en if english else row.cause_nl
    means, causes = meaning_and_causes(cause)
    return Explanation(
        source="publisher",
        code=row.code if code is None else code,
        field=_whose(row),
        kind="publisher",
        title=row.title_en if english else row.title_nl,
        cause=" ".join((means, *causes)),
        remedy=row.remedy_en if english else row.remedy_nl,
        owner=row.owner,
        clears_itself=row.clears_itself,
        lang=lang,
        action="contact_publisher",
        means=means,
        causes=causes,
    )


def note_unknown_code(
    *,
    code: int,
    source: str = UnknownCode.Source.PUBLISHER,
    ean: str = "",
    publisher: str = "",
    now: datetime | None = None,
) -> None:
    """Count a code that has no explanation, once for every time it comes in.

    Two workers may note the same code at the same moment: the database counts. Whoever notes
    several codes in one transaction does so in the order of their numbers, or two such
    transactions may wait for each other.
    """
    moment = now or timezone.now()
    key = {
        "source": source,
        "code": code,
        "ean_prefix": _digits(ean)[:EAN_PREFIX_LENGTH],
        "publisher": publisher.strip()[:100],
    }
    if _count(key, moment):
        return
    UnknownCode.objects.bulk_create(
        [UnknownCode(**key, count=0, first_seen=moment, last_seen=moment)], ignore_conflicts=True
    )
    _count(key, moment)


def forget_unknown_codes(row: PublisherCode) -> int:
    """Take from the list what this explanation now answers; how many."""
    answered = UnknownCode.objects.filter(
        source=UnknownCode.Source.PUBLISHER, code=row.code, ean_prefix__startswith=row.ean_prefix
    )
    if row.publisher:
        answered = answered.filter(publisher__iexact=row.publisher)
    deleted, _ = answered.delete()
    return deleted


def _count(key: dict[str, object], moment: datetime) -> int:
    return UnknownCode.objects.filter(**key).update(count=F("count") + 1, last_seen=moment)


def _best(fault: PublisherFault, rows: list[PublisherCode], lang: str) -> Explanation:
    ean, publisher = _digits(fault.ean), fault.publisher.strip().casefold()
    fitting = [
        row
        for row in rows
        if ean.startswith(row.ean_prefix)
        and (not row.publisher or row.publisher.casefold() == publisher)
    ]
    if not fitting:
        return unknown_publisher_code(fault.code, lang)
    row = max(
        fitting, key=lambda row: (bool(row.ean_prefix), bool(row.publisher), len(row.ean_prefix))
    )
    return explanation_of(row, lang, code=fault.code)


def _whose(row: PublisherCode | UnknownCode) -> str:
    return " · ".join(filter(None, (row.publisher, row.ean_prefix)))


def _digits(ean: str) -> str:
    return "".join(sign for sign in ean if sign.isascii() and sign.isdigit())
