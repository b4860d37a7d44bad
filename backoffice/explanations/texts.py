"""The catalogue as it stands in `catalogue/*.toml`, read once per process.

Both languages stand beside each other in every entry, so that they cannot drift apart. A mistake
in a file (a missing language, an unknown owner) is found by the tests, not by a colleague.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

LANGUAGES: Final = ("nl", "en")
FOLDER: Final = Path(__file__).with_name("catalogue")


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """One explanation in one language; placeholders are filled in by `decode`.

    `cause` is what it means, `causes` are the probable causes, the likeliest first, each a whole
    sentence. `when` says whether and when it passes by itself; empty where the common words do.
    """

    title: str
    cause: str
    remedy: tuple[str, ...]
    causes: tuple[str, ...] = ()
    when: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One explanation in all languages. `phrases` are how messages write it."""

    texts: Mapping[str, Text]
    owner: str = ""
    clears_itself: bool = False
    action: str = ""
    field: str = ""
    kind: str = ""
    phrases: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of the services, with its block of twenty numbers.

    `kinds` are the offsets that the documentation lists. `words` holds, per language, the noun
    with its article (`name`, `short`) and what the sentences around it need.
    """

    base: int
    object: str
    field: str
    group: str
    about: str
    type: str
    kinds: tuple[int, ...]
    minimum: int | None
    maximum: int | None
    words: Mapping[str, Mapping[str, str]]

    @property
    def path(self) -> str:
        """The field as the documentation writes it: `person -> surname`."""
        return f"{self.object} -> {self.field}"


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """Something a button can do: its words, and what it must do."""

    labels: Mapping[str, str]
    meaning: str


def _read(name: str) -> dict[str, Any]:
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def _text(raw: Mapping[str, Any]) -> Text:
    return Text(
        title=raw.get("title", ""),
        cause=raw.get("cause", ""),
        remedy=tuple(raw.get("remedy", ())),
        causes=tuple(raw.get("causes", ())),
        when=raw.get("when", ""),
    )


def _entry(raw: Mapping[str, Any], *, kind: str = "") -> Entry:
    return Entry(
        texts=MappingProxyType({lang: _text(raw[lang]) for lang in LANGUAGES}),
        owner=raw.get("owner", ""),
        clears_itself=raw.get("clears_itself", False),
        action=raw.get("action", ""),
        field=raw.get("field", ""),
        kind=kind,
        phrases=tuple(raw.get("phrases", ())),
    )


@cache
def fields() -> Mapping[int, Field]:
    """The fields by base: 5020 is person -> surname."""
    return MappingProxyType(
        {
            int(base): Field(
                base=int(base),
                object=raw["object"],
                field=raw["field"],
                group=raw["group"],
                about=raw["about"],
                type=raw["type"],
                kinds=tuple(raw["kinds"]),
                minimum=raw.get("min"),
                maximum=raw.get("max"),
                words=MappingProxyType({lang: raw[lang] for lang in LANGUAGES}),
            )
            for base, raw in _read("fields").items()
            if base != "about"
        }
    )


@cache
def records() -> Mapping[str, Mapping[str, str]]:
    """What a field can be about, with its article: {"person": {"nl": "de persoon", ...}}."""
    return MappingProxyType(dict(_read("fields")["about"]))


@cache
def families() -> Mapping[tuple[str, int, str], Entry]:
    """The sentence patterns by (family, kind, type); the type is empty where one fits all."""
    found: dict[tuple[str, int, str], Entry] = {}
    for family, kinds in _read("kinds").items():
        for kind, raw in kinds.items():
            if set(LANGUAGES) <= set(raw):
                found[family, int(kind), ""] = _entry(raw)
            else:
                found |= {(family, int(kind), name): _entry(item) for name, item in raw.items()}
    return MappingProxyType(found)


@cache
def written_by_hand() -> Mapping[int, Entry]:
    """Texts of single field codes, which win over the sentence patterns."""
    return MappingProxyType(
        {
            int(code): _entry(raw)
            for name in ("eduix_login", "eduix_person", "eduix_credit")
            for code, raw in _read(name).items()
        }
    )


@cache
def general() -> Mapping[int, Entry]:
    """The codes without a field, and 0."""
    return MappingProxyType(
        {int(code): _entry(raw, kind="service") for code, raw in _read("eduix_general").items()}
    )


@cache
def account() -> Mapping[int, Entry]:
    """Prematch codes; another service documents them."""
    return MappingProxyType(
        {int(code): _entry(raw) for code, raw in _read("eduix_account").items()}
    )


@cache
def coachview() -> Mapping[int, Entry]:
    """The statuses of Coachview."""
    return MappingProxyType(
        {int(code): _entry(raw, kind="status") for code, raw in _read("coachview").items()}
    )


@cache
def anewspring() -> Mapping[str, Entry]:
    """The messages of aNewSpring, by a key of ours."""
    return MappingProxyType(
        {key: _entry(raw, kind="message") for key, raw in _read("anewspring").items()}
    )


OWN_FILES: Final = {
    "own_states": "state",
    "own_rules": "rule",
    "own_imports": "import",
    "own_notifications": "notification",
    "own_access": "access",
}


@cache
def own() -> Mapping[str, Entry]:
    """Our own states, rules, import findings and verdicts on notifications."""
    return MappingProxyType(
        {
            key: _entry(raw, kind=kind)
            for name, kind in OWN_FILES.items()
            for key, raw in _read(name).items()
        }
    )


@cache
def aliases() -> Mapping[str, str]:
    """Other names of what is our own: the words that columns and rule tables use for it."""
    return MappingProxyType(
        {
            other: key
            for name in OWN_FILES
            for key, raw in _read(name).items()
            for other in raw.get("also", ())
        }
    )


@cache
def unknown() -> Mapping[str, Entry]:
    """What to say about a code that nobody has explained."""
    labels = ("owners", "sources", "objects", "own_kinds", "passes")
    return MappingProxyType(
        {key: _entry(raw) for key, raw in _read("words").items() if key not in labels}
    )


@cache
def _labels() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return MappingProxyType(_read("words"))


def label(table: str, key: str, lang: str) -> str:
    """The word for an owner, a source or a family of objects; the key itself when unknown."""
    return _labels()[table].get(key, {}).get(lang, key)


def labels(table: str, lang: str) -> dict[str, str]:
    """All words of a table, in the order of the file."""
    return {key: words[lang] for key, words in _labels()[table].items()}


@cache
def actions() -> Mapping[str, Action]:
    """What buttons can do, by key."""
    return MappingProxyType(
        {
            key: Action(
                labels=MappingProxyType({lang: raw[lang] for lang in LANGUAGES}),
                meaning=raw["meaning"],
            )
            for key, raw in _read("actions").items()
        }
    )
