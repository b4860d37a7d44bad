"""Find codes and known messages in whatever somebody pastes: a number, a Fault, a mail, a log.

What is pasted is hostile or huge as often as not, so nothing here parses XML: the text is cut to
a bounded length, white space is folded, and every pattern has bounded repeats.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from backoffice.explanations import decode, texts
from backoffice.explanations.explanation import Source
from backoffice.explanations.texts import Entry

LONGEST: Final = 100_000
"""Characters that are looked at: the first and the last half of a longer text."""

MOST: Final = 20
"""How many different codes one text may yield."""

SHORT: Final = 500
"""Characters of a text that may be nothing but a list of codes."""

SMALLEST_FIELD_CODE: Final = 2000

_REFERENCE = re.compile(r"(?:(eduix|coachview|anewspring|publisher|own):)?([\w.+-]{1,80})")
_BARE_NUMBER = re.compile(
    r"(?:publisher:|(?:fout ?|error ?)?(?:code|fout|error)?(?: ?nummer)? ?[:#]? ?)"
    r"([+-]?[0-9]{1,12})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}")
_ELEMENT = re.compile(
    r"<(?:[\w.-]{1,40}:)?(code|errorCode|faultcode|faultstring|message)(?: [^<>]{0,300})?>"
    r" ?(?:<!\[CDATA\[ ?)?([^<>\]]{1,300})",
)
_FAULT = re.compile(r"<(?:[\w.-]{1,40}:)?Fault\b")
_FAULT_END = re.compile(r"</(?:[\w.-]{1,40}:)?Fault\b")
_NAMED = re.compile(
    r"\b(errorCode|(?i:error ?code|fout ?code|fault ?code|status ?code|code|error|fault|fout|status"
    r"|http(?:/[12](?:\.[01])?)?)(?i: ?(?:nummer|number|nr|no)\.?)?)[ :=#'\"(\[]{1,4}"
    r"([+-]?[0-9]{1,10})\b(?! ?[A-Z]{2}\b)(?![.:/-][0-9])"
)
_PREFIXED = re.compile(r"\b(?:ns[0-9]{1,3}|soap(?:-?env)?|env):([+-]?[0-9]{1,10})\b", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[(]([+-]?[0-9]{4,5})[\])]")
_OPENING = re.compile(r" ?\[?([+-]?[0-9]{1,10})\b")
_BARE = re.compile(r"(?<![\w.,:/-])([+-]?[0-9]{4,5})(?![\w:/-]|[.,][0-9])(?! ?[A-Z]{2}\b)")
_FIELD = re.compile(
    r"\b([A-Za-z]{3,40}) ?(?:->|→) ?(\(choice element\)|[A-Za-z]{2,40})(?=(.{0,120}))"
)
_EAN = re.compile(r"(?<![0-9])(97[89][0-9]{10})(?![0-9])")

_KIND_PHRASES: Final = (
    ("missing", 0),
    ("too small", 1),
    ("too long", 2),
    ("format", 3),
    ("not allowed", 4),
    ("incorrect type", 5),
    ("already exists", 6),
    ("not found", 7),
    ("not authori", 8),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """Something that has an explanation. `ean` is the product it was found with, if any."""

    source: Source
    code: int | str
    ean: str = ""


def references_in(pasted: str) -> list[Reference]:
    """The codes and messages in a text, the surest first; empty when it holds none."""
    text = _readable(pasted)
    if len(text) < SHORT:
        listed = [parse_reference(token) for token in re.split(r"[ ,;]+", text) if token]
        codes = [reference for reference in listed if reference is not None]
        if len(codes) == len(listed) and (len(codes) == 1 or all(map(_is_listed, codes))):
            return list(dict.fromkeys(codes))[:MOST]
    for look in (_stated, _described, _loose_numbers):
        found = list(dict.fromkeys(look(text)))
        if found:
            return found[:MOST]
    return [Reference("eduix", 1)] if _FAULT.search(text) else []


def parse_reference(text: str) -> Reference | None:
    """Read a text that is nothing but a code (`-5022`) or a reference (`own:not_sent`)."""
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return None
    source, code = match.groups()
    if _NUMBER.fullmatch(code) and source not in ("own", "anewspring"):
        return _with_source(source, int(code))
    if source in ("own", "anewspring"):
        return Reference("own" if source == "own" else "anewspring", code)
    if source is None and code in texts.own().keys() | texts.aliases().keys():
        return Reference("own", code)
    if source is None and code in texts.anewspring():
        return Reference("anewspring", code)
    return None


def is_code(text: str) -> bool:
    """Whether a text is nothing but a code or a reference, with nobody's name in it."""
    return bare_number(text) is not None or parse_reference(text) is not None


def bare_number(text: str) -> int | None:
    """The number, when the text is nothing else, or a number after the word code."""
    match = _BARE_NUMBER.fullmatch(text.strip())
    return int(match[1]) if match else None


def source_of(number: int) -> Source:
    """Whose number this is when nobody says: Coachview's statuses are none of Edu-iX' codes."""
    return "coachview" if abs(number) in texts.coachview() else "eduix"


def _is_listed(reference: Reference) -> bool:
    """Whether a word in a row of words is surely meant as a code: a phone number is not."""
    code = reference.code
    return isinstance(code, str) or abs(code) in _known_numbers()


def _with_source(source: str | None, code: int) -> Reference:
    match source:
        case "publisher":
            return Reference("publisher", code)
        case "coachview":
            return Reference("coachview", code)
        case "eduix":
            return Reference("eduix", code)
        case _:
            return Reference(source_of(code), code)


def _readable(pasted: str) -> str:
    """The text with entities resolved and white space folded, cut to what is looked at."""
    if len(pasted) > LONGEST:
        pasted = f"{pasted[: LONGEST // 2]} {pasted[-LONGEST // 2 :]}"
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", html.unescape(pasted)).strip()


def _stated(text: str) -> Iterator[Reference]:
    """Codes that the text names as such, and the messages that we know word for word."""
    ean = _ean_in(text)
    for element in _ELEMENT.finditer(text):
        name = element[1]
        if name == "errorCode" and _is_in_fault(text, element.start()):
            name = "code"
        yield from _from_element(name, element[2].strip(), ean)
    for named in _NAMED.finditer(text):
        word, number = named[1], int(named[2])
        if word == "errorCode" and not _is_in_fault(text, named.start()):
            yield Reference("publisher", number, ean)
        else:
            yield Reference(source_of(number), number)
    for digits in _PREFIXED.findall(text):
        yield Reference("eduix", int(digits))
    for digits in _BRACKETED.findall(text):
        if abs(int(digits)) in _documented():
            yield Reference("eduix", int(digits))
    for status in _phrases_in(text, "coachview"):
        yield Reference("coachview", int(status))
    for key in _phrases_in(text, "anewspring"):
        yield Reference("anewspring", key)


def _is_in_fault(text: str, place: int) -> bool:
    """Whether this place is inside a Fault: Edu-iX speaks there, a publisher never."""
    opened = max((match.start() for match in _FAULT.finditer(text, 0, place)), default=-1)
    return opened >= 0 and _FAULT_END.search(text, opened, place) is None


def _from_element(name: str, content: str, ean: str) -> Iterator[Reference]:
    """The number in an element of a Fault or of a notification."""
    number = content.rpartition(":")[2] if name == "faultcode" else content
    if name in ("faultstring", "message"):
        opening = _OPENING.match(content)
        if opening is not None and abs(int(opening[1])) in _documented():
            yield Reference("eduix", int(opening[1]))
    elif _NUMBER.fullmatch(number):
        if name == "errorCode":
            yield Reference("publisher", int(number), ean)
        else:
            yield Reference("eduix", int(number))


def _described(text: str) -> Iterator[Reference]:
    """Messages without a number: a field with what is wrong with it, or the name of a code."""
    for owner, field, rest in _FIELD.findall(text):
        base = _bases().get(f"{owner} -> {field}".lower())
        found = ((rest.lower().find(phrase), kind) for phrase, kind in _KIND_PHRASES)
        kinds = [(place, kind) for place, kind in found if place >= 0]
        if base is not None and kinds:
            yield Reference("eduix", base + min(kinds)[1])
    for code in _phrases_in(text, "general"):
        yield Reference("eduix", int(code))
    for key in _phrases_in(text, "own"):
        yield Reference("own", key)


def _loose_numbers(text: str) -> Iterator[Reference]:
    """Four-digit numbers that happen to be documented codes; postal codes and times are not."""
    for digits in _BARE.findall(text):
        if abs(int(digits)) in _documented():
            yield Reference("eduix", int(digits))


def _ean_in(text: str) -> str:
    match = _EAN.search(text)
    return match[1] if match else ""


@cache
def _documented() -> frozenset[int]:
    """Field codes that a loose number may be; the small general codes are too common."""
    codes = {*decode.documented_codes(), *texts.account()}
    return frozenset(code for code in codes if code > SMALLEST_FIELD_CODE)


@cache
def _known_numbers() -> frozenset[int]:
    return frozenset({*texts.general(), *texts.coachview(), *_documented()})


@cache
def _bases() -> Mapping[str, int]:
    return {field.path.lower(): base for base, field in texts.fields().items()}


@cache
def _entries_with_phrases() -> Mapping[str, Mapping[str, Entry]]:
    return {
        "coachview": {str(code): entry for code, entry in texts.coachview().items()},
        "anewspring": texts.anewspring(),
        "general": {str(code): entry for code, entry in texts.general().items()},
        "own": texts.own(),
    }


@cache
def _phrase_pattern(table: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """One pattern for all phrases of a table, and the key that each of its groups stands for."""
    entries = _entries_with_phrases()[table]
    keys, branches = [], []
    for key, entry in entries.items():
        for phrase in entry.phrases:
            keys.append(key)
            words = r" ?".join(re.escape(word) for word in phrase.split())
            branches.append(rf"(\b{words}\b)")
    return re.compile("|".join(branches), re.IGNORECASE), tuple(keys)


def _phrases_in(text: str, table: str) -> Iterator[str]:
    pattern, keys = _phrase_pattern(table)
    for match in pattern.finditer(text):
        yield keys[(match.lastindex or 1) - 1]
