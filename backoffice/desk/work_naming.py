"""Words and addresses that the work lists share."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import ngettext

from backoffice.explanations.models import EAN_PREFIX_LENGTH
from backoffice.explanations.services import PublisherFault
from backoffice.screens.numbers import with_number
from credits.models import Product


def counted_words(kind: str, number: int) -> str:
    """`3 persons refused`."""
    words = {
        "person": ngettext("%d person refused", "%d persons refused", number),
        "schoolperson": ngettext(
            "%d person at a school refused", "%d persons at a school refused", number
        ),
        "person_change": ngettext(
            "%d request about a person refused", "%d requests about persons refused", number
        ),
        "person_credit": ngettext("%d credit refused", "%d credits refused", number),
        "school_credit": ngettext("%d school credit refused", "%d school credits refused", number),
        "credit_return": ngettext("%d return refused", "%d returns refused", number),
    }
    return with_number(words[kind], number)


def titles_of(eans: set[str]) -> dict[str, tuple[str, str]]:
    """Title and publisher of these books."""
    rows = Product.objects.filter(ean__in=eans).values_list("ean", "title", "publisher")
    return {ean: (title, publisher) for ean, title, publisher in rows}


def form_for(fault: PublisherFault) -> str:
    """The form for what a publisher's code means, filled in as far as we know."""
    filled = {
        "code": fault.code,
        "publisher": fault.publisher,
        "ean_prefix": fault.ean[:EAN_PREFIX_LENGTH],
    }
    return f"{reverse('admin:explanations_publishercode_add')}?{urlencode(filled)}"
