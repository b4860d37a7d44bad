"""Taking the password out of a body, and leaving every other byte as it came."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape

# Works on text that a parser has accepted and that has no DTD: then these are all the tokens.
_TOKEN: Final = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    rb"|<(?P<end>/?)(?P<name>[^\s/>\"']+)(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<empty>/?)>",
    re.DOTALL,
)
_PLAIN: Final = re.compile(rb"<(?:[\w.-]+:)?password(?:\s[^<>]*)?>([^<&]*)</")
_LEAST_SECRET: Final = 8  # a shorter word may stand in the content by chance


def blanked(utf8: bytes, password: str) -> bytes:
    """The text without what stands in any `password` element, and without the password itself.

    A sender may repeat its password in a comment or another header; those go too.
    """
    secret = password.encode()
    plain = _PLAIN.search(utf8)
    if plain is not None and plain[1].strip() == secret and utf8.count(b"password") == 2:
        rest = utf8[: plain.start(1)] + utf8[plain.end(1) :]
    else:
        rest = _without(utf8, _passwords(utf8))
    if len(secret) >= _LEAST_SECRET:
        forms = {secret}
        if _MARKUP.search(password):
            forms |= {escape(password).encode(), escape(password, _QUOTES).encode()}
        for form in forms:
            if form in rest:
                rest = rest.replace(form, b"")
    return rest


_MARKUP: Final = re.compile("[&<>\"']")
_QUOTES: Final = {'"': "&quot;", "'": "&apos;"}


def _passwords(utf8: bytes) -> list[tuple[int, int]]:
    """Where the contents of the password elements start and end."""
    spans = []
    depth = 0
    start = 0
    for token in _TOKEN.finditer(utf8):
        name = token["name"]
        if name is None or name.rpartition(b":")[2] != b"password" or token["empty"]:
            continue
        if not token["end"]:
            if depth == 0:
                start = token.end()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                spans.append((start, token.start()))
    return spans


def _without(utf8: bytes, spans: list[tuple[int, int]]) -> bytes:
    parts = []
    at = 0
    for start, end in spans:
        parts.append(utf8[at:start])
        at = end
    return b"".join([*parts, utf8[at:]])
