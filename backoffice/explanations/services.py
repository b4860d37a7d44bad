"""The one source of words about codes and messages, for every page, file, mail and command.

explain(5022)                           a code of Edu-iX, with or without its sign
explain("own:not_sent")                 a state or rule of our own
explain("publisher:117", ean="97890…")  a publisher's code, most specific explanation first
explain_text("<faultcode>ns1:2606…")    whatever somebody pastes
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.utils.translation import get_language

from backoffice.explanations import decode, recognise, texts
from backoffice.explanations.explanation import OWNERS, SOURCES, Explanation
from backoffice.explanations.models import PublisherCode
from backoffice.explanations.own_texts import with_own_text
from backoffice.explanations.publishers import (
    PublisherFault,
    explain_faults,
    explain_number,
    explanation_of,
    forget_unknown_codes,
    note_unknown_code,
)
from backoffice.explanations.recognise import Reference

__all__ = [
    "OWNERS",
    "SOURCES",
    "Explanation",
    "PublisherFault",
    "all_explanations",
    "explain",
    "explain_asked",
    "explain_publisher_faults",
    "explain_text",
    "forget_unknown_codes",
    "note_unknown_code",
]

EDUIX_SERVICES = ("eduix", "profile", "credit", "notification")


def explain(
    code: int | str,
    *,
    service: str = "",
    lang: str | None = None,
    ean: str = "",
    publisher: str = "",
) -> Explanation:
    """Explain one code; always an answer, with `known` False where nobody wrote one.

    `code` is a number with or without its sign, or a reference such as "own:not_sent" or
    "publisher:117". `service` says whose number it is: profile, credit and notification share one
    numbering; coachview, anewspring, publisher, own. Without it a number is a publisher's when
    `ean` or `publisher` is given, Coachview's when it is one of its statuses, else Edu-iX'.
    `lang` is nl or en; the language of the screen when left out.
    """
    reference = _reference(code, service)
    if reference is None:
        return decode.explain_unreadable(str(code), language(lang))
    if service == "" and isinstance(code, int) and (ean or publisher):
        reference = Reference("publisher", code)
    return _explain(reference, language(lang), ean=ean, publisher=publisher)


def explain_publisher_faults(
    faults: Iterable[PublisherFault], *, lang: str | None = None
) -> dict[PublisherFault, Explanation]:
    """Explain the publishers' codes of a whole page with one query."""
    return explain_faults(faults, lang=language(lang))


def explain_text(pasted: str, *, lang: str | None = None) -> list[Explanation]:
    """Explain every code and known message in a text, the surest first; empty when none is known.

    A number that is named as a code but stands in no list is explained as far as it goes.
    """
    chosen = language(lang)
    return [
        _explain(reference, chosen, ean=reference.ean)
        for reference in recognise.references_in(pasted)
    ]


def explain_asked(text: str, *, lang: str | None = None) -> list[Explanation]:
    """Explain what a colleague typed or pasted: as `explain_text`, and publishers' own codes too.

    A number without a word beside it may be anybody's. So it is looked up among the codes of
    publishers as well; what Edu-iX does not list is left out when a publisher does use it.
    """
    chosen = language(lang)
    found = explain_text(text, lang=chosen)
    bare = recognise.bare_number(text)
    if bare is None:
        return found
    publishers = explain_number(bare, lang=chosen)
    listed = [item for item in found if item.known or not publishers]
    return [*listed, *publishers]


def all_explanations(
    *,
    lang: str | None = None,
    sources: Collection[str] = SOURCES,
    with_elsewhere: bool = False,
) -> Iterator[Explanation]:
    """Everything there is words for, in one language, by source and number.

    The codes of Edu-iX are those that the documentation of its three services lists;
    `with_elsewhere` adds the prematch codes, which another service documents.
    """
    chosen = language(lang)
    shipped = decode.everything(chosen, sources, with_elsewhere=with_elsewhere)
    yield from map(with_own_text, shipped)
    if "publisher" in sources:
        yield from (explanation_of(row, chosen) for row in PublisherCode.objects.all())


def language(lang: str | None) -> str:
    """The language to write in: the asked one, else that of the screen, else Dutch."""
    wanted = (lang or get_language() or "")[:2]
    return wanted if wanted in texts.LANGUAGES else texts.LANGUAGES[0]


def _reference(code: int | str, service: str) -> Reference | None:
    if service in EDUIX_SERVICES:
        service = "eduix"
    if isinstance(code, str):
        # A key may also come with its service beside it: explain("not_sent", service="own")
        code = f"{service}:{code}" if service and ":" not in code else code
        found = recognise.parse_reference(code)
        return found or next(iter(recognise.references_in(code)), None)
    if service in ("eduix", "coachview", "publisher"):
        return recognise.parse_reference(f"{service}:{code}")
    return Reference(recognise.source_of(code), code)


def _explain(reference: Reference, lang: str, *, ean: str = "", publisher: str = "") -> Explanation:
    source, code = reference.source, reference.code
    if isinstance(code, str):
        return with_own_text(decode.explain_key(source, code, lang))
    if source == "publisher":
        fault = PublisherFault(code, ean, publisher)
        return explain_faults([fault], lang=lang)[fault]
    if source == "coachview":
        return with_own_text(decode.explain_status(code, lang))
    return with_own_text(decode.explain_eduix(code, lang))
