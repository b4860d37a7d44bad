"""Collect the texts of the screens into locale/, and compile them, without GNU gettext.

Python files are read by Babel; templates go through Django's own `templatize`, as makemessages
does. `--check` changes nothing and fails when a text lacks its Dutch words or the compiled file
is not the one that belongs to the texts.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale" / "nl" / "LC_MESSAGES" / "django.po"
FOLDERS = ("backoffice", "credits", "notifications", "persons", "templates")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "plural": (1, 2),  # of backoffice/screens/numbers.py
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def texts() -> Catalog:
    """Every text that the code and the templates ask a translation for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.utils.translation.template import templatize

    catalog = Catalog(
        locale="nl",
        domain="django",
        charset="utf-8",
        fuzzy=False,
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),  # else each minute compiles another file
        revision_date=datetime(2026, 1, 1, tzinfo=UTC),
        header_comment="# The screens in Dutch; written and compiled by `make messages`.",
    )
    for path in sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*")):
        if "migrations" in path.parts or path.suffix not in {".py", ".html", ".txt"}:
            continue
        source = path.read_text()
        if path.suffix != ".py":
            source = _as_python(templatize(source, origin=str(path)))
        file = io.BytesIO(source.encode())
        for line, message, comments, context in extract(
            "python", file, KEYWORDS, ("Translators:",)
        ):
            name = path.relative_to(ROOT).as_posix()
            catalog.add(message, locations=[(name, line)], auto_comments=comments, context=context)
    return catalog


def djangos_own() -> set[str]:
    """Texts of the stock admin and forms that Django itself has in Dutch: not ours to repeat."""
    import django
    from django.apps import apps

    folders = [Path(django.__file__).parent / "conf"]
    folders += [Path(app.path) for app in apps.get_app_configs() if app.name.startswith("django.")]
    known: set[str] = set()
    for path in sorted(folder / "locale/nl/LC_MESSAGES/django.mo" for folder in folders):
        if not path.exists():
            continue
        with path.open("rb") as file:
            for message in read_mo(file):
                if message.id:
                    known.update(str(one) for one in _forms(message.id))
    return known


def _as_python(source: str) -> str:
    """templatize leaves runs of X between the calls; only the calls are Python."""
    calls = re.compile(
        r"""\b(?:gettext|ngettext|pgettext|npgettext|_)\((?:[^()"']|u?"(?:\\.|[^"\\])*"|u?'(?:\\.|[^'\\])*')*\)""",
        re.S,
    )
    lines: list[str] = []
    for found in calls.finditer(source):
        line = source.count("\n", 0, found.start())
        while len(lines) < line:
            lines.append("")
        lines.append(found.group().replace("\n", "\\n") if "\n" in found.group() else found.group())
    return "\n".join(lines) + "\n"


def merged(fresh: Catalog, known: Catalog) -> Catalog:
    """The fresh texts with the Dutch words that are known; what is gone is dropped.

    A text that Django has in Dutch is left out, unless ours says it in other words.
    """
    stock = djangos_own()
    for message in list(fresh):
        if not message.id:
            continue
        key = message.id[0] if isinstance(message.id, tuple) else message.id
        old = known.get(key, context=message.context)
        same_forms = old is not None and isinstance(old.id, str) == isinstance(message.id, str)
        if old is not None and same_forms:
            message.string = old.string
        if not all(_forms(message.string)) and key in stock:
            fresh.delete(message.id, context=message.context)
    return fresh


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalogue."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def written(catalog: Catalog) -> bytes:
    """The .po file of a catalogue, without dates: it changes only when a text does."""
    file = io.BytesIO()
    write_po(file, catalog, width=96, omit_header=False, include_lineno=False, sort_output=True)
    dated = re.compile(
        rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|'
        rb"Language-Team|Project-Id-Version|Report-Msgid-Bugs-To)[^\n]*\n",
        re.M,
    )
    return dated.sub(b"", file.getvalue())


def untranslated(catalog: Catalog) -> list[str]:
    """Texts without Dutch words, or with other placeholders than the English ones."""
    problems = []
    for message in catalog:
        if not message.id:
            continue
        ids = [str(one) for one in _forms(message.id)]
        strings = [str(one or "") for one in _forms(message.string)]
        if not all(strings):
            problems.append(
                f"no Dutch: {ids[0]!r} ({', '.join(str(one[0]) for one in message.locations)})"
            )
            continue
        names = set(re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", " ".join(ids)))
        for string in strings:
            extra = set(re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", str(string))) - names
            if extra:
                problems.append(f"unknown placeholder {sorted(extra)} in the Dutch of {ids[0]!r}")
    return problems


def _forms(text: object) -> tuple[object, ...]:
    """A text and its plural, or the text alone."""
    return tuple(text) if isinstance(text, (tuple, list)) else (text,)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail when incomplete")
    options = parser.parse_args()
    known = Catalog(locale="nl")
    if PO.exists():
        with PO.open("rb") as file:
            known = read_po(file, locale="nl")
    catalog = merged(texts(), known)
    problems = untranslated(catalog)
    if options.check:
        if not PO.exists() or PO.read_bytes() != written(catalog):
            problems.append("locale/nl is out of date: run `make messages`")
        mo = PO.with_suffix(".mo")
        if not mo.exists() or mo.read_bytes() != compiled(catalog):
            problems.append("the compiled translations are out of date: run `make messages`")
    else:
        PO.parent.mkdir(parents=True, exist_ok=True)
        PO.write_bytes(written(catalog))
        PO.with_suffix(".mo").write_bytes(compiled(catalog))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
