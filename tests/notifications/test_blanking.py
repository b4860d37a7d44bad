"""The password goes, every other byte stays."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from notifications.blanking import blanked

WORD = "correct-horse-battery"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<a><password>{}</password></a>", "<a><password></password></a>"),
        ("<a><n:password x='y'> {} </n:password></a>", "<a><n:password x='y'></n:password></a>"),
        ("<a><password x='>'>{}</password></a>", "<a><password x='>'></password></a>"),
        ("<a><password/>{}</a>", "<a><password/></a>"),
        ("<a><password><![CDATA[{}]]></password></a>", "<a><password></password></a>"),
        ("<a><password>{}<!-- x --></password></a>", "<a><password></password></a>"),
        ("<a><!-- <password> --><password>{}</password></a>",
         "<a><!-- <password> --><password></password></a>"),
        ("<a><![CDATA[<password>]]><password>{}</password></a>",
         "<a><![CDATA[<password>]]><password></password></a>"),
        ("<a><password>{}</password><b>{}</b></a>", "<a><password></password><b></b></a>"),
        ("<a b='{}'><password>{}</password></a>", "<a b=''><password></password></a>"),
        ("<a><!-- {} --><password>{}</password></a>", "<a><!--  --><password></password></a>"),
        ("<a><password><password>{}</password>x</password></a>", "<a><password></password></a>"),
        ("<a><password>other</password><password>{}</password></a>",
         "<a><password></password><password></password></a>"),
        ("<a><passwords>1</passwords><password>{}</password></a>",
         "<a><passwords>1</passwords><password></password></a>"),
    ],
)  # fmt: skip
def test_every_place_of_the_password_is_blanked(before: str, after: str) -> None:
    assert blanked(before.replace("{}", WORD).encode(), WORD).decode() == after


def test_a_short_word_elsewhere_stays() -> None:
    text = b"<a><password>geheim</password><b>geheim</b></a>"

    assert blanked(text, "geheim") == b"<a><password></password><b>geheim</b></a>"


def test_a_password_with_signs_of_xml_is_found_as_it_is_written() -> None:
    word = "a<b&c>d\"e'f-long-enough"
    text = f"<a><password>{escape(word)}</password><b>{escape(word)}</b></a>".encode()

    assert blanked(text, word) == b"<a><password></password><b></b></a>"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@settings(max_examples=300, deadline=None)
@given(before=TEXT, secret=TEXT, after=TEXT, comment=TEXT, attribute=TEXT)
def test_what_is_not_the_password_stays_byte_for_byte(
    before: str, secret: str, after: str, comment: str, attribute: str
) -> None:
    marked = f"{secret}-{'m' * 12}"  # long and in no other place
    head = (
        f"<a b={_quoted(attribute)}><!--{comment.replace('-', '')}--><c>{escape(before)}</c>"
        f"<password>"
    ).encode()
    tail = f"</password><d>{escape(after)}</d></a>".encode()
    etree.fromstring(head + tail)

    rest = blanked(head + escape(marked).encode() + tail, marked)

    assert rest == head + tail


def _quoted(text: str) -> str:
    return '"' + escape(text, {'"': "&quot;"}) + '"'
