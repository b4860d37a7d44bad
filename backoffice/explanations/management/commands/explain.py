"""manage.py explain: the words of every page, on a terminal or for another program."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any, Final, cast

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from backoffice.explanations import texts
from backoffice.explanations.models import PublisherCode
from backoffice.explanations.recognise import LONGEST
from backoffice.explanations.services import (
    SOURCES,
    Explanation,
    all_explanations,
    explain,
    explain_asked,
    explain_text,
    language,
)

WORDS: Final = {
    "nl": {
        "causes": "Mogelijke oorzaken, de waarschijnlijkste eerst",
        "do": "Wat te doen",
        "who": "Wie",
        "code": "code",
        "give": "Geef één nummer of melding, zoals 5022, of --all voor alles.",
        "not_found": "Geef een nummer, zoals 5022, of plak de hele melding.",
        "database": "Wat codes van uitgevers betekenen, staat in de database, en die is nog niet "
        "te lezen. Voer eerst “manage.py migrate” uit.",
        "left_out": "De codes van uitgevers ontbreken hier: de database is nog niet te lezen.",
    },
    "en": {
        "causes": "Probable causes, the likeliest first",
        "do": "What to do",
        "who": "Who",
        "code": "code",
        "give": "Give one code or message, such as 5022, or --all for everything.",
        "not_found": "Give a code, such as 5022, or paste the whole message.",
        "database": "What publishers' codes mean is kept in the database, which cannot be read "
        "yet. Run “manage.py migrate” first.",
        "left_out": "Publishers' codes are left out: the database cannot be read yet.",
    },
}


PIPE_WIDTH: Final = 180  # a pipe has no width of its own, and rich would wrap at 80


class Command(BaseCommand):
    help = "Explain a code or a pasted message in plain words; - reads the message from stdin."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("code", nargs="*", metavar="CODE|TEXT", help="5022, or a message")
        parser.add_argument("--all", action="store_true", help="everything there is words for")
        parser.add_argument("--lang", choices=texts.LANGUAGES, help="nl or en")
        parser.add_argument("--json", action="store_true", help="one JSON line per code")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = " ".join(options["code"]).strip()
        if bool(asked) == options["all"]:
            raise CommandError(WORDS[language(options["lang"])]["give"])
        lang, as_json = options["lang"], options["json"]
        try:
            if options["all"]:
                self._show_all(lang, as_json=as_json)
            else:
                self._show(_read_stdin() if asked == "-" else asked, lang, as_json=as_json)
            self.stdout.flush()
        except BrokenPipeError:
            # The reader has seen enough (| head); say nothing more, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _show(self, text: str, lang: str | None, *, as_json: bool) -> None:
        chosen = language(lang)
        found = self._found(text, chosen)
        if not found:
            said = explain(_readable(text), lang=chosen).cause
            raise CommandError(f"{said} {WORDS[chosen]['not_found']}")
        if as_json:
            self._print_rows(found)
        else:
            console = self._console()
            for explanation in found:
                console.print(_panel(explanation, framed=console.is_terminal))
        if not any(item.known or item.field for item in found):
            raise CommandError(f"{found[0].title}.")

    def _found(self, text: str, lang: str) -> list[Explanation]:
        """With publishers' codes where there is a database to read them from."""
        try:
            return explain_asked(text, lang=lang)
        except DatabaseError:
            pass
        try:
            return explain_text(text, lang=lang)
        except DatabaseError as unreadable:
            raise CommandError(WORDS[lang]["database"]) from unreadable

    def _show_all(self, lang: str | None, *, as_json: bool) -> None:
        sources = self._readable_sources(language(lang))
        if as_json:
            for chosen in [lang] if lang else texts.LANGUAGES:
                self._print_rows(all_explanations(lang=chosen, sources=sources))
            return
        chosen = language(lang)
        table = Table(box=None, pad_edge=False, show_header=False)
        for item in all_explanations(lang=chosen, sources=sources):
            table.add_row(
                item.source_label, Text(str(item.code)), Text(item.title), item.owner_label
            )
        self._console().print(table)

    def _readable_sources(self, lang: str) -> list[str]:
        """All sources, or all but the publishers' codes while there is no database to read."""
        try:
            PublisherCode.objects.exists()
        except DatabaseError:
            self.stderr.write(WORDS[lang]["left_out"])
            return [source for source in SOURCES if source != "publisher"]
        return list(SOURCES)

    def _print_rows(self, explanations: Iterable[Explanation]) -> None:
        for explanation in explanations:
            self.stdout.write(json.dumps(explanation.as_row(), ensure_ascii=False))

    def _console(self) -> Console:
        console = Console(file=cast("IO[str]", self.stdout), highlight=False)
        if not console.is_terminal:
            console.soft_wrap, console.width = True, PIPE_WIDTH
        return console


def _read_stdin() -> str:
    """What is piped in, cut to what is looked at; broken characters do no harm."""
    return sys.stdin.buffer.read(LONGEST * 4).decode("utf-8", errors="replace")


def _readable(text: str) -> str:
    """What somebody gave, short and in one line, without signs that a terminal would obey."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST])
    return " ".join(shown.split())[:80]


def _panel(explanation: Explanation, *, framed: bool) -> Panel | Group:
    """One explanation: a frame on a terminal, plain lines for a pipe."""
    words = WORDS[explanation.lang]
    who = [f"{words['who']}: {explanation.owner_label}", explanation.passes]
    if explanation.number is not None:
        who.append(f"{explanation.source_label}, {words['code']} {explanation.number}")
    if explanation.field:
        who.append(explanation.field)
    lines = [
        Text(explanation.title, style="bold"),
        Text(explanation.meaning),
        *_numbered(words["causes"], explanation.causes),
        *_numbered(words["do"], explanation.steps),
        Text(" · ".join(who), style="dim"),
    ]
    return Panel(Group(*lines), padding=(1, 2), width=None) if framed else Group(*lines, Text())


def _numbered(heading: str, lines: Sequence[str]) -> list[Text]:
    """A heading with its lines, numbered; nothing where there are none."""
    if not lines:
        return []
    numbered = (Text(f"{place}. {line}") for place, line in enumerate(lines, start=1))
    return [Text(f"{heading}:", style="bold"), *numbered]
