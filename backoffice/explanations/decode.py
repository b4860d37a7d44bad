"""A code becomes an explanation: by its own text, by its field and kind, or as far as it goes.

The services number their faults as base + kind: every field has a block of twenty numbers, and
the kind says what is wrong with it (documentation of Profile 4.1 and Credit 4.1). So a number that
the documentation does not list still tells its field.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final

from backoffice.explanations import texts
from backoffice.explanations.explanation import Explanation, Source
from backoffice.explanations.texts import Entry, Field

BLOCK: Final = 20
KINDS: Final = (
    "missing",
    "too_small",
    "too_long",
    "wrong_format",
    "not_allowed",
    "wrong_type",
    "already_exists",
    "not_found",
    "not_authorised",
)


def documented_codes() -> tuple[int, ...]:
    """The codes that the documentation of the three services lists, in order."""
    codes = [code for code in texts.general() if code]
    codes += [field.base + kind for field in texts.fields().values() for kind in field.kinds]
    return tuple(sorted(codes))


def everything(
    lang: str, sources: Collection[str], *, with_elsewhere: bool = False
) -> Iterator[Explanation]:
    """All that the catalogue holds, by source and number; `all_explanations` says which codes."""
    if "eduix" in sources:
        codes = [*documented_codes(), *(texts.account() if with_elsewhere else ())]
        yield from (explain_eduix(code, lang) for code in codes)
    if "coachview" in sources:
        yield from (explain_status(code, lang) for code in texts.coachview())
    if "anewspring" in sources:
        yield from (explain_key("anewspring", key, lang) for key in texts.anewspring())
    if "own" in sources:
        yield from (explain_key("own", key, lang) for key in texts.own())


@lru_cache(maxsize=4096)
def explain_eduix(code: int, lang: str) -> Explanation:
    """Look a code of Edu-iX up by its absolute value; the sign stays as it came."""
    number = abs(code)
    if number in texts.general():
        return _explanation("eduix", code, texts.general()[number], lang)
    offset = number % BLOCK
    kind = KINDS[offset] if offset < len(KINDS) else "unknown"
    if number in texts.account():
        return _explanation("eduix", code, texts.account()[number], lang, kind=kind)
    field = texts.fields().get(number - offset)
    if field is None:
        return _nobody_wrote("eduix", code, "unknown_code", lang)
    words = _words(field, lang) | {"code": str(code)}
    if offset in field.kinds:
        entry = _text_of(field, offset)
        known = True
    else:
        entry = _pieced_together(offset)
        known = False
    return _explanation(
        "eduix", code, entry, lang, words=words, field=field.path, kind=kind, known=known
    )


@lru_cache(maxsize=1024)
def explain_status(code: int, lang: str) -> Explanation:
    """Explain a status of Coachview."""
    entry = texts.coachview().get(abs(code))
    if entry is None:
        return _nobody_wrote("coachview", code, "unknown_message", lang)
    return _explanation("coachview", code, entry, lang)


@lru_cache(maxsize=1024)
def explain_key(source: Source, key: str, lang: str) -> Explanation:
    """Explain a message of aNewSpring or a state or rule of our own, by its key."""
    if source == "anewspring":
        entry, unknown = texts.anewspring().get(key), "unknown_message"
    else:
        key = texts.aliases().get(key, key)
        entry, unknown = texts.own().get(key), "unknown_own"
    if entry is None:
        return _nobody_wrote(source, key[:200], unknown, lang)
    return _explanation(source, key, entry, lang)


def explain_unreadable(text: str, lang: str) -> Explanation:
    """What to say about something that is no code and no message that we know."""
    return _nobody_wrote("own", text[:80], "unknown_message", lang)


def unknown_publisher_code(code: int, lang: str) -> Explanation:
    """What to say while nobody has written an explanation of a publisher's code."""
    return _nobody_wrote("publisher", code, "unknown_publisher", lang)


def _text_of(field: Field, kind: int) -> Entry:
    """The text of a documented code: by hand, else the pattern of the field's family."""
    families = texts.families()
    pattern = families.get((field.group, kind, field.type)) or families.get((field.group, kind, ""))
    written = texts.written_by_hand().get(field.base + kind)
    if written is None:
        if pattern is None:
            raise LookupError(f"no text for {field.path}, kind {kind}")
        return pattern
    if pattern is None or written.owner:
        return written
    return Entry(
        texts=written.texts,
        owner=pattern.owner,
        clears_itself=pattern.clears_itself,
        action=pattern.action,
    )


def _pieced_together(kind: int) -> Entry:
    """The text of a number that is not listed: what its parts tell, and that it is not listed."""
    if kind >= len(KINDS):
        return texts.unknown()["unknown_kind"]
    unlisted = texts.unknown()["unlisted"]
    titles = texts.families()["any", kind, ""].texts
    return Entry(
        texts={
            lang: texts.Text(titles[lang].title, text.cause, text.remedy, text.causes)
            for lang, text in unlisted.texts.items()
        },
        owner=unlisted.owner,
    )


def _words(field: Field, lang: str) -> dict[str, str]:
    """What the placeholders of a sentence pattern stand for."""
    own = field.words[lang]
    name = own["name"]
    short = own.get("short", name)
    record = texts.records()[field.about][lang]
    minimum = "" if field.minimum is None else str(field.minimum)
    return {
        "name": name,
        "Name": _capital(name),
        "short": short,
        "Short": _capital(short),
        "bare": name.split(" ", 1)[1],
        "record": record,
        "Record": _capital(record),
        "kind": record.split(" ", 1)[1],
        "sought": own.get("sought", ""),
        "target": own.get("target", ""),
        "values": own.get("values", ""),
        "hint": own.get("hint", ""),
        "min": minimum,
        "max": "" if field.maximum is None else str(field.maximum),
        "min_characters": f"{minimum} {_characters(field.minimum, lang)}",
    }


def _characters(number: int | None, lang: str) -> str:
    singular, plural = {"nl": ("teken", "tekens"), "en": ("character", "characters")}[lang]
    return singular if number == 1 else plural


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _nobody_wrote(source: Source, code: int | str, which: str, lang: str) -> Explanation:
    entry = texts.unknown()[which]
    return _explanation(
        source, code, entry, lang, words={"code": str(code)}, kind="unknown", known=False
    )


def _explanation(
    source: Source,
    code: int | str,
    entry: Entry,
    lang: str,
    *,
    words: Mapping[str, str] | None = None,
    field: str = "",
    kind: str = "",
    known: bool = True,
) -> Explanation:
    text = entry.texts[lang]
    filled = words or {}
    steps = (step.format_map(filled) for step in text.remedy)
    means = text.cause.format_map(filled)
    causes = tuple(line.format_map(filled) for line in text.causes)
    return Explanation(
        source=source,
        code=code,
        field=field or entry.field,
        kind=kind or entry.kind,
        title=text.title.format_map(filled),
        cause=" ".join((means, *causes)),
        remedy="\n".join(step for step in steps if step),
        owner=entry.owner,
        clears_itself=entry.clears_itself,
        lang=lang,
        known=known,
        action=entry.action,
        means=means,
        causes=causes,
        when=text.when,
    )
