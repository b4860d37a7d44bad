"""The daily mail as plain text, in the language that is active: what needs you first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.digest import Contents, Line
from backoffice.desk.since import moment
from backoffice.desk.work import LISTS, MINE

WIDTH: Final = 76
SHOWN: Final = 10  # of the items that need somebody else, in each list
INDENT: Final = " " * 8


@dataclass(frozen=True)
class Mail:
    """What is handed to the mail server."""

    subject: str
    text: str


def mail_of(contents: Contents) -> Mail:
    """The mail with these contents."""
    return Mail(_subject(contents), "\n".join(_lines(contents)) + "\n")


def absolute(url: str) -> str:
    """An address that works from a mail program."""
    return f"{settings.BACKOFFICE_PUBLIC_URL}{url}"


def _subject(contents: Contents) -> str:
    day = date_format(timezone.localtime(contents.now), "j F")
    number = len(contents.mine)
    if not number and not contents.troubles:
        return _("Edu-iX %(day)s: nothing needs you") % {"day": day}
    words = ngettext("%d thing needs you", "%d things need you", number) % number
    return _("Edu-iX %(day)s: %(words)s") % {"day": day, "words": words}


def _lines(contents: Contents) -> Iterator[str]:
    name = str(getattr(contents.user, "first_name", ""))
    yield _("Good morning, %s,") % name if name else _("Good morning,")
    yield ""
    yield from _wrapped(_summary(contents))
    yield from _mine(contents)
    yield from _troubles(contents)
    yield from _others(contents)
    yield from _gone(contents)
    yield ""
    yield _("Everything on the workbench:")
    yield absolute(reverse("admin:index"))
    yield ""
    yield from _wrapped(_why_you(contents))


def _summary(contents: Contents) -> str:
    new = sum(line.is_new for line in contents.lines)
    still = len(contents.lines) - new
    if not contents.lines and not contents.gone:
        return _("All is equal: nothing of your schools stands still.")
    parts = [
        ngettext("%d new", "%d new", new) % new,
        ngettext("%d still open", "%d still open", still) % still,
        ngettext("%d solved", "%d solved", len(contents.gone)) % len(contents.gone),
    ]
    if contents.since is None:
        return _("This is your first overview: %s.") % parts[1]
    since = moment(contents.since, contents.now)
    return _("Since %(since)s: %(parts)s.") % {"since": since, "parts": ", ".join(parts)}


def _mine(contents: Contents) -> Iterator[str]:
    yield from _heading(_("This needs you"))
    if not contents.mine:
        yield _("Nothing.")
    for at, line in enumerate(contents.mine):
        if at:
            yield ""
        yield from _wrapped(_title(line), first=_number(line), rest=INDENT)
        yield from _wrapped(line.item.sub, first=INDENT, rest=INDENT)
        if line.item.next_step:
            yield from _wrapped(_("Next: %s") % line.item.next_step, first=INDENT, rest=INDENT)
        yield f"{INDENT}{absolute(line.item.url)}"


def _others(contents: Contents) -> Iterator[str]:
    for name, label in LISTS.items():
        lines = contents.lists[name]
        if name == MINE or not lines:
            continue
        yield from _heading(str(label))
        for line in lines[:SHOWN]:
            yield from _wrapped(_title(line), first=_number(line), rest=INDENT)
            yield f"{INDENT}{absolute(line.item.url)}"
        if rest := lines[SHOWN:]:
            rows = sum(line.item.number for line in rest)
            words = ngettext("%d other cause", "%d other causes", len(rest)) % len(rest)
            yield f"{_right(rows)}{words}"


def _troubles(contents: Contents) -> Iterator[str]:
    if not contents.troubles and not contents.checks:
        return
    yield from _heading(_("What went wrong with us"))
    for trouble in contents.troubles:
        yield from _wrapped(trouble.words, first="- ", rest="  ")
        if trouble.url:
            yield f"  {absolute(trouble.url)}"
    for check in contents.checks:
        words = f"{check.name}: {check.word.label} ({check.text})"
        yield from _wrapped(words, first="- ", rest="  ")


def _gone(contents: Contents) -> Iterator[str]:
    if not contents.gone:
        return
    yield from _heading(_("Solved since then"))
    for one in contents.gone:
        words = _("%s (by itself)") % one.title if one.is_by_itself else one.title
        yield from _wrapped(words, first=_right(one.rows), rest=INDENT)


def _why_you(contents: Contents) -> str:
    words = ngettext(
        "You get this mail each day because you look after %d school. It names no pupils.",
        "You get this mail each day because you look after %d schools. It names no pupils.",
        contents.schools,
    )
    return words % contents.schools


# --- layout -------------------------------------------------------------------------------------


def _title(line: Line) -> str:
    """The title, with what changed since the last mail."""
    if line.before is None:
        return _("%s [new]") % line.item.title
    if line.before != line.now:
        return _("%(title)s [was %(before)s]") % {
            "title": line.item.title,
            "before": number_format(line.before),
        }
    return line.item.title


def _number(line: Line) -> str:
    return _right(line.item.number)


def _right(number: int) -> str:
    return f"{number_format(number):>6}  "


def _heading(text: str) -> Iterator[str]:
    yield from ("", text.upper(), "-" * len(text))


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
