"""Taking in products.csv: the titles behind the EANs, ours alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

from django.utils.translation import gettext_lazy as _

from backoffice.eduix.rules import check
from backoffice.jobs.columns import Column
from backoffice.jobs.differences import assign_all, differing
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.registry import Described, Importer, Values
from backoffice.jobs.remarks import Remark
from backoffice.screens import normalise
from credits.models import Product

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_LONGEST: Final = {"ean": 30, "title": 200, "publisher": 100}  # of the columns; a test compares


class ProductImporter(Importer):
    """products.csv: the titles behind the EANs; ours alone, never sent."""

    kind = "products"
    job_kind = Job.Kind.IMPORT_PRODUCTS
    title = _("Products")
    columns = (
        Column("ean", "ean", "EAN", _("EAN"), is_required=True, aliases=("ISBN", "Artikelnummer")),
        Column("title", "title", "Titel", _("title"), is_required=True),
        Column("publisher", "publisher", "Uitgever", _("publisher")),
    )
    key_column = "ean"
    normalisers: ClassVar = {"ean": normalise.as_ean}
    numbers_as_text = ("ean",)

    def check_more(self, values: Values) -> list[Remark]:
        found = []
        for name, value in values.items():
            if not value and name != "publisher":
                found.append(Remark("error", "empty_here", name))
            elif len(value) > _LONGEST[name]:
                params = {"max": _LONGEST[name]}
                found.append(Remark("error", "too_long_here", name, params=params))
        about_ean = check("personCredit", {"ean": values["ean"]}, today=date.min)
        warned = [each for each in about_ean if each.severity == "warning"]
        return [*found, *map(Remark.of, warned)]

    def compare(self, rows: Sequence[JobRow], *, settled: Collection[str]) -> None:
        del settled
        self._settle(rows)

    def apply(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> None:
        del user
        new, changed = self._settle(rows)
        Product.objects.bulk_create(new)
        Product.objects.bulk_update(changed, ["title", "publisher"])

    def _settle(self, rows: Sequence[JobRow]) -> tuple[list[Product], list[Product]]:
        held = {
            each.ean: each for each in Product.objects.filter(ean__in={row.key for row in rows})
        }
        new, changed = [], []
        for row in rows:
            product = held.get(row.key)
            if product is None:
                product = held[row.key] = Product()
                new.append(product)
                _before, row.after = assign_all(product, row.values, row.values)
                row.before, row.result = {}, JobRow.Result.CREATED
                continue
            columns = differing(product, row.values, row.values)
            row.before, row.after = assign_all(product, row.values, columns)
            row.result = JobRow.Result.CHANGED if columns else JobRow.Result.UNCHANGED
            if columns:
                changed.append(product)
        return new, changed

    def describe(self, rows: Sequence[JobRow]) -> dict[int, Described]:
        return {row.number: Described(str(row.values.get("title", "")), row.key) for row in rows}
