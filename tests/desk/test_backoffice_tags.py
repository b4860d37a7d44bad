"""What templates write often."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import time_machine
from django.template import Context, Template
from django.utils import translation


def rendered(source: str, **context: Any) -> str:
    with translation.override("en"):
        return Template("{% load backoffice_tags %}" + source).render(Context(context))


def test_a_pill_has_a_colour_and_a_word_and_shows_its_word_as_text() -> None:
    html = rendered('{% pill "ok" word %}', word="<b>")

    assert html == '<span class="pill ok">&lt;b&gt;</span>'


def test_the_pill_of_a_status_is_the_one_of_the_lists() -> None:
    assert rendered("{% status_pill s %}", s="usable") == '<span class="pill ok">Usable</span>'
    assert 'class="pill bad"' in rendered("{% status_pill s %}", s="publisher_fault")
    assert 'class="pill idle"' in rendered("{% status_pill s %}", s="returned")


def test_an_ean_is_written_in_parts() -> None:
    assert rendered("{% ean e %}", e="9789001234562") == '<span class="num">9789001 23456 2</span>'
    assert "x&lt;y" in rendered("{% ean e %}", e="x<y")


@time_machine.travel(datetime(2026, 11, 21, 12, 0, tzinfo=UTC), tick=False)
def test_a_moment_is_short_for_people_and_whole_for_machines() -> None:
    html = rendered("{% since at %}", at=datetime(2026, 11, 21, 8, 11, tzinfo=UTC))

    assert html == '<time datetime="2026-11-21T08:11:00+00:00">09:11</time>'
    assert rendered("{% since at %}", at=None) == ""
