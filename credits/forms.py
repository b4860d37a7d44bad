"""Forms for credits and products."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.eduix.rules import check
from backoffice.screens.findings import Said, in_words
from backoffice.screens.forms import OfficeForm
from backoffice.screens.normalise import as_amount
from credits.models import PersonCredit, Product, SchoolCredit
from credits.normalising import CREDIT_NORMALISERS
from persons.partner_forms import PartnerForm

CREDIT_HELP = {
    "ean": _("Thirteen digits; spaces and dashes may stay."),
    "credit_end_date": _("Leave empty for a credit without an end."),
    "school_year": _("2627 stands for 2026-2027."),
}


class PersonCreditForm(PartnerForm[PersonCredit]):
    """The right of one person to use one book."""

    kind = "person_credit"
    normalisers = CREDIT_NORMALISERS

    class Meta:
        model = PersonCredit
        fields = (
            "school_person",
            "ean",
            "school_year",
            "credit_start_date",
            "credit_end_date",
            "distributor_person_credit_id",
        )
        help_texts = {
            **CREDIT_HELP,
            "distributor_person_credit_id": _(
                "Our own number of this credit. At most 30 characters, "
                "or Edu-iX can never tell us anything about it."
            ),
        }


class SchoolCreditForm(PartnerForm[SchoolCredit]):
    """The right of a school to let a number of people use one book."""

    kind = "school_credit"
    normalisers = {**CREDIT_NORMALISERS, "amount": as_amount}

    class Meta:
        model = SchoolCredit
        fields = (
            "school",
            "ean",
            "amount",
            "school_year",
            "credit_start_date",
            "credit_end_date",
            "contact_name",
            "contact_email",
            "distributor_school_credit_id",
        )
        help_texts = {
            **CREDIT_HELP,
            "amount": _("How many people may use it; give back the rest with a return."),
            "distributor_school_credit_id": _(
                "Our own number of this credit. At most 30 characters, "
                "or Edu-iX can never tell us anything about it."
            ),
        }


class ProductForm(OfficeForm[Product]):
    """A title for an EAN; a doubtful one is kept, since credits are found by what stands in it."""

    normalisers = CREDIT_NORMALISERS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.is_bound:
            for said in doubts_about(self.instance.ean):
                self.mark("ean", said.explanation, tone="wait", url=said.url)

    class Meta:
        model = Product
        fields = ("ean", "title", "publisher")
        help_texts = {"title": _("As schools call the book.")}


def doubts_about(ean: str) -> list[Said]:
    """What is odd about an EAN, as it would be said of a credit for it."""
    found = check("personCredit", {"ean": ean}, today=timezone.localdate())
    return [in_words(each) for each in found if each.column == "ean" and each.code is None]
