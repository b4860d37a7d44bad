"""What templates write often: pills, EANs, moments. `{% load backoffice_tags %}`."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.desk.since import moment
from backoffice.screens.cells import Tone
from backoffice.screens.cells import pill as pill_html
from backoffice.screens.search import spaced_ean
from credits.columns import status_pill as status_pill_html

register = template.Library()


@register.simple_tag
def pill(tone: Tone, word: object) -> SafeString:
    """`{% pill "ok" _("Usable") %}`: colour and sign from the style sheet, and always a word."""
    return pill_html(tone, word)


@register.simple_tag
def status_pill(status: str) -> SafeString:
    """`{% status_pill credit.shown_status %}`: the pill of a credit status."""
    return status_pill_html(status)


@register.simple_tag
def ean(value: str) -> SafeString:
    """`{% ean credit.ean %}`: 9789001 23456 2, with figures of one width."""
    return format_html('<span class="num">{}</span>', spaced_ean(value))


@register.simple_tag
def since(at: datetime | None) -> SafeString | str:
    """`{% since message.created_at %}`: 09:11, or 20 November, 09:11; the machine's form beside."""
    if at is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), moment(at))
