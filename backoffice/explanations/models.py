"""What publishers' codes mean, as colleagues wrote it down; and the codes that wait for that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

EAN_PREFIX_LENGTH = 7  # 978, the country and the start of the publisher: 9789001 is one publisher


def _name(code: int, publisher: str, ean_prefix: str) -> str:
    return " · ".join(part for part in (str(code), publisher, ean_prefix) if part)


TAG = re.compile(r"<[A-Za-z/!?]")


def plain_text(value: str) -> None:
    """Refuse what looks like HTML: it would be shown as it stands, signs and all."""
    if TAG.search(value):
        raise ValidationError(
            _("Write plain text: tags such as <b> would be shown as they stand. Leave them out."),
            code="tags",
        )


class Owner(models.TextChoices):
    """Who must act."""

    WE = "wij", _("Us")
    SCHOOL = "school", _("The school")
    PUBLISHER = "uitgever", _("The publisher")
    EDUIX = "Edu-iX", _("Edu-iX")
    SUPPLIER = "leverancier", _("The supplier")
    NOBODY = "niemand", _("Nobody")


LANGUAGES = ("nl", "en")
PARTS = ("title", "cause", "remedy")


def refuse_tags(row: models.Model) -> None:
    """Say it at each text of the form that holds tags."""
    wrong: dict[str, ValidationError] = {}
    for lang in LANGUAGES:
        for part in PARTS:
            try:
                plain_text(getattr(row, f"{part}_{lang}"))
            except ValidationError as error:
                wrong[f"{part}_{lang}"] = error
    if wrong:
        raise ValidationError(wrong)


class PublisherCode(models.Model):
    """A publisher's own error code in words; Edu-iX passes these codes on without a meaning.

    The most specific row wins: publisher and EAN prefix, then EAN prefix, then publisher, then
    the row that has neither.
    """

    code = models.BigIntegerField(_("code"))
    publisher = models.CharField(
        _("publisher"), max_length=100, blank=True, help_text=_("Leave empty for all publishers.")
    )
    ean_prefix = models.CharField(
        _("EAN starts with"),
        max_length=13,
        blank=True,
        help_text=_("For example 9789001. Leave empty for all products."),
    )
    title_nl = models.CharField(
        _("title, Dutch"),
        max_length=200,
        help_text=_("What is the matter, in one sentence without numbers."),
    )
    cause_nl = models.TextField(_("probable cause, Dutch"), max_length=1000)
    remedy_nl = models.TextField(
        _("what to do, Dutch"), max_length=1000, help_text=_("One step on each line.")
    )
    title_en = models.CharField(
        _("title, English"),
        max_length=200,
        blank=True,
        help_text=_("Without an English text, the Dutch one is shown."),
    )
    cause_en = models.TextField(_("probable cause, English"), max_length=1000, blank=True)
    remedy_en = models.TextField(_("what to do, English"), max_length=1000, blank=True)
    owner = models.CharField(
        _("who must act"), max_length=12, choices=Owner.choices, default=Owner.PUBLISHER
    )
    clears_itself = models.BooleanField(_("passes by itself"), default=False)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("publisher's code")
        verbose_name_plural = _("publishers' codes")
        ordering = ["code", "publisher", "ean_prefix"]
        constraints = [
            # Its index also serves the look-up by code alone.
            models.UniqueConstraint(
                fields=["code", "publisher", "ean_prefix"],
                name="publisher_code_once",
                violation_error_message=_("This code already has an explanation here."),
            ),
        ]

    def __str__(self) -> str:
        return _name(self.code, self.publisher, self.ean_prefix)

    def clean(self) -> None:
        """Tidy what people paste, and refuse a prefix that no EAN can start with."""
        refuse_tags(self)
        self.publisher = self.publisher.strip()
        self.ean_prefix = self.ean_prefix.replace("-", "").replace(" ", "")
        if self.ean_prefix and not (self.ean_prefix.isascii() and self.ean_prefix.isdigit()):
            raise ValidationError({"ean_prefix": _("An EAN has digits only.")})


class OwnText(models.Model):
    """What this organisation writes in place of a text that came with the program.

    `reference` is what `explain()` takes: `5022`, `own:not_sent`, `coachview:403`. Each language
    stands by itself: where it is empty, the text of the program is shown.
    """

    reference = models.CharField(
        _("code or state"),
        max_length=100,
        unique=True,
        help_text=_("For example 5022, own:not_sent or coachview:403."),
        error_messages={"unique": _("There is a text of our own for this already: change that.")},
    )
    title_nl = models.CharField(_("title, Dutch"), max_length=200, blank=True)
    cause_nl = models.TextField(
        _("what it means and its causes, Dutch"),
        max_length=2000,
        blank=True,
        help_text=_(
            "First line: what it means. Then each probable cause on a line, likeliest first."
        ),
    )
    remedy_nl = models.TextField(
        _("what to do, Dutch"), max_length=2000, blank=True, help_text=_("One step on each line.")
    )
    title_en = models.CharField(_("title, English"), max_length=200, blank=True)
    cause_en = models.TextField(
        _("what it means and its causes, English"), max_length=2000, blank=True
    )
    remedy_en = models.TextField(_("what to do, English"), max_length=2000, blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("text of our own")
        verbose_name_plural = _("texts of our own")
        ordering = ["reference"]

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.reference, self.title_nl or self.title_en)))

    def words(self, lang: str) -> tuple[str, str, str] | None:
        """Title, cause and remedy in one language; None where none were written."""
        title, cause, remedy = (str(getattr(self, f"{part}_{lang}")) for part in PARTS)
        return (title, cause, remedy) if title and cause and remedy else None

    def clean(self) -> None:
        """A language is written whole or not at all, and in plain text."""
        refuse_tags(self)
        wrong: dict[str, _StrOrPromise] = {}
        for lang in LANGUAGES:
            names = [f"{part}_{lang}" for part in PARTS]
            empty = [name for name in names if not getattr(self, name).strip()]
            if empty and len(empty) < len(names):
                wrong |= dict.fromkeys(
                    empty, _("Fill this in as well, or empty all three to keep the program's text.")
                )
        if wrong:
            raise ValidationError(wrong)
        if self.words("nl") is None and self.words("en") is None:
            raise ValidationError(_("Write a text in Dutch or in English."))


class UnknownCode(models.Model):
    """A code that came in without an explanation, and how often."""

    class Source(models.TextChoices):
        EDUIX = "eduix", "Edu-iX"
        PUBLISHER = "publisher", _("Publisher")

    source = models.CharField(_("source"), max_length=12, choices=Source.choices)
    code = models.BigIntegerField(_("code"))
    ean_prefix = models.CharField(_("EAN starts with"), max_length=13, blank=True)
    publisher = models.CharField(_("publisher"), max_length=100, blank=True)
    count = models.PositiveBigIntegerField(_("times"), default=0)
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("unknown code")
        verbose_name_plural = _("unknown codes")
        ordering = ["-count", "-last_seen"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "code", "ean_prefix", "publisher"], name="unknown_code_once"
            ),
        ]
        indexes = [
            # The list itself: the most frequent first.
            models.Index(fields=["-count", "-last_seen"], name="unknown_code_frequency"),
        ]

    def __str__(self) -> str:
        return _name(self.code, self.publisher, self.ean_prefix)
