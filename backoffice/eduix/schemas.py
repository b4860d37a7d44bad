"""XML Schemas are compiled by one thread at a time.

libxml2 sets up its table of built-in types when the first schema of a process is compiled, without
a lock. Two threads that are first together leave it broken: every later schema of the process is
refused ("the given type is not a built-in type"), or its memory is freed twice. Eight threads
that began together did that in 118 of 400 processes (lxml 6.1.3, libxml2 2.14.6).
"""

from __future__ import annotations

import threading
from typing import Final

from lxml import etree

_turn: Final = threading.Lock()


def compiled(document: etree._Element) -> etree.XMLSchema:
    """The schema of this document. Raises `etree.XMLSchemaParseError`.

    To be used by one thread: of a schema that threads share the reason of a rejection gets lost.
    """
    with _turn:
        return etree.XMLSchema(document)
