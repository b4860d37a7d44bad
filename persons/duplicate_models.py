"""What makes two persons look alike, as the database keeps it, and who said that they are two."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.db.models.expressions import Expression
from django.db.models.functions import Concat
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy as _

# Frozen with the column that is computed by it: another table needs a migration that makes the
# column anew.
DROPPED: Final = " -'\u2019."
_LETTERS: Final = {
    chr(code): base
    for code in range(0xC0, 0x180)
    if (base := unicodedata.normalize("NFKD", chr(code))[0].lower()).isascii() and base.isalpha()
} | {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d"}
# SQLite has no translate(), and its parser stops at some 28 nested calls: the letters of Dutch.
_SQLITE_LETTERS: Final = {sign: _LETTERS[sign] for sign in "éèëêïíöóüáäçñÉÖÜ"}


class Folded(models.Func):
    """A name without case, accents, spaces, hyphens and apostrophes: `Van-den Bérg`: vandenberg.

    SQLite folds only the accents that Dutch names have.
    """

    function = "LOWER"
    output_field: ClassVar[Any] = models.CharField(max_length=120)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        signs, bases = "".join(_LETTERS), "".join(_LETTERS.values())
        dropped = DROPPED.replace("'", "''")
        template = f"translate(lower(%(expressions)s), '{signs}{dropped}', '{bases}')"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        template = "lower(%(expressions)s)"
        for sign, base in (_SQLITE_LETTERS | dict.fromkeys(DROPPED, "")).items():
            template = f"replace({template}, '{sign.replace(chr(39), chr(39) * 2)}', '{base}')"
        return self.as_sql(compiler, connection, template=template, **context)


def folded(*names: str) -> str:
    """The same in Python, as the database in use folds."""
    text, letters = "".join(names), _LETTERS
    if connection.vendor == "postgresql":
        text = text.lower()
    else:  # SQLite knows the case of a to z only
        letters = _SQLITE_LETTERS
        text = "".join(sign.lower() if sign.isascii() else sign for sign in text)
    return "".join("" if sign in DROPPED else letters.get(sign, sign) for sign in text)


def name_key(*columns: str) -> Expression:
    """First name, preposition and surname in one, folded."""
    return Folded(Concat(*columns))


class NotADuplicate(models.Model):
    """Two persons who look alike and are two: a colleague looked, and the hint stays away.

    The pair stands here once, the lower key first.
    """

    class Reason(models.TextChoices):
        FAMILY = "family", _("same family")
        DIFFERENT = "different", _("different persons")

    first = models.ForeignKey("persons.Person", models.CASCADE, related_name="+")
    second = models.ForeignKey("persons.Person", models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, default=Reason.FAMILY)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("said by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("not a duplicate")
        verbose_name_plural = _("not duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="not_a_duplicate_pair"),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="not_a_duplicate_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ≠ {self.second_id}"
