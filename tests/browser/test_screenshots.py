"""The pictures of the documentation are packed without losing a dot."""

from __future__ import annotations

import runpy
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
script = runpy.run_path(str(ROOT / "scripts" / "screenshots.py"))  # a script, not a module


def pixels(png: bytes) -> bytes:
    """The data of the picture, unpacked."""
    rest, packed = png[8:], b""
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        if rest[4:8] == b"IDAT":
            packed += rest[8 : 8 + length]
        rest = rest[12 + length :]
    return zlib.decompress(packed)


@pytest.mark.browser
def test_packing_keeps_every_dot_and_makes_the_file_smaller(chromium: Any) -> None:
    page = chromium.new_page(viewport={"width": 300, "height": 200})
    page.set_content("<h1>Werkbank</h1>")
    png = page.screenshot()
    page.close()

    packed = script["repacked"](png)

    assert packed[:8] == png[:8]
    assert pixels(packed) == pixels(png)
    assert len(packed) <= len(png)


def test_the_documentation_shows_each_page_in_each_look() -> None:
    names = {path.stem for path in script["TARGET"].glob("*.png")}

    wanted = {
        f"{page}-{look}"
        for page in ("login", "home", "persons", "credits", "status", "person", "import", "why")
        for look in ("light", "dark", "phone")
    }

    assert wanted <= names
    assert all(path.stat().st_size < script["LARGEST"] for path in script["TARGET"].glob("*.png"))
